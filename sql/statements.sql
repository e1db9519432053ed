--
-- Statistics per statement: what is counted for whom, and who may see it.
--
SET client_min_messages = warning;
SET compute_query_id = on;
SET perfopt.cache = off;
CREATE SCHEMA statements;
SET search_path = statements, public;
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 1000) g;
VACUUM ANALYZE t;
CREATE VIEW counted AS
SELECT toplevel AS top, query, calls, errors, rows, plans
FROM perfopt_statements
WHERE datname = current_database() AND rolname = current_user
	AND query NOT LIKE '%perfopt%' AND query NOT LIKE '%counted%';
SELECT perfopt_reset();

-- constants do not matter; plans of prepared statements are made five times
SELECT v FROM t WHERE id = 1;
SELECT v FROM t WHERE id = 2;
SET plan_cache_mode = auto;
PREPARE p(int) AS SELECT v AS w FROM t WHERE id = $1;
\o /dev/null
SELECT format('EXECUTE p(%s)', g) FROM generate_series(1, 20) g \gexec
\o
DEALLOCATE p;
TABLE counted ORDER BY query COLLATE "C";
SELECT perfopt_reset();

-- rows of all pieces; what was written; commands
BEGIN;
DECLARE c CURSOR FOR SELECT id AS fetched FROM t ORDER BY id;
FETCH 10 FROM c;
MOVE 5 FROM c;
COMMIT;
INSERT INTO t VALUES (2000, 'x'), (2001, 'y');
UPDATE t SET v = 'z' WHERE id >= 2000;
DELETE FROM t WHERE id >= 2000;
COPY (SELECT 1 FROM t LIMIT 3) TO STDOUT;
CREATE TABLE made AS SELECT id FROM t LIMIT 7;
TABLE counted ORDER BY query COLLATE "C", top;
SELECT perfopt_reset();

-- what fails: when it is run, started, planned; and when it is caught
SELECT 1 / (id - 5) FROM t ORDER BY id;
CREATE ROLE regress_statements;
GRANT USAGE ON SCHEMA statements TO regress_statements;
SET ROLE regress_statements;
SELECT count(*) FROM statements.t;
RESET ROLE;
SELECT 1 / 0 AS planned FROM t;
DO $$ BEGIN
	PERFORM 1 / (id - 7) FROM statements.t ORDER BY id;
EXCEPTION WHEN division_by_zero THEN NULL;
END $$;
SELECT rolname, toplevel, query, calls, errors FROM perfopt_statements
WHERE datname = current_database() AND errors > 0
ORDER BY query COLLATE "C";
SELECT perfopt_reset();

-- nested
CREATE FUNCTION total() RETURNS bigint LANGUAGE plpgsql AS
$$ DECLARE n bigint; BEGIN SELECT count(*) INTO n FROM statements.t; RETURN n; END $$;
SELECT total();
SELECT total();
SET perfopt.track = top;
SELECT total();
SET perfopt.track = none;
SELECT total();
SET perfopt.track = 'all';
SET perfopt.track_utility = off;
CREATE TABLE not_counted ();
SET perfopt.track_utility = on;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT count(*) AS explained FROM t WHERE false;
SELECT top, query, calls, errors, rows FROM counted
WHERE query NOT LIKE 'SET%' AND query NOT LIKE 'EXPLAIN%' ORDER BY query COLLATE "C", top;
SELECT perfopt_reset();

-- executions that the cache answers are executions
SET perfopt.cache = force;
SELECT max(v) FROM t;
SELECT max(v) FROM t;
SELECT max(v) FROM t;
SELECT count(*) FROM t WHERE random() < 2;
SET perfopt.cache = off;
SELECT query, calls, rows, cache_stored, cache_hits, cache_misses, cache_bypassed,
	cache_reason, cache_saved_ms > 0 AS saved
FROM perfopt_statements
WHERE datname = current_database() AND query LIKE 'SELECT%FROM t%'
ORDER BY query COLLATE "C";

-- blocks, times and the histogram
SELECT shared_blks_hit > 0 AS blocks, exec_total_ms > 0 AS took,
	exec_min_ms <= exec_mean_ms AND exec_mean_ms <= exec_max_ms AS ordered,
	abs(exec_total_ms - calls * exec_mean_ms) < 0.000001 AS mean,
	p50_ms <= p95_ms AND p95_ms <= p99_ms AS percentiles,
	stats_since <= last_seen AS seen
FROM perfopt_statements
WHERE datname = current_database() AND query = 'SELECT max(v) FROM t';
SELECT queryid FROM perfopt_statements
WHERE datname = current_database() AND query = 'SELECT max(v) FROM t' \gset
SELECT sum(calls), bool_and(from_ms < to_ms) FROM perfopt_histogram(:queryid);
SELECT * FROM perfopt_histogram(1);

-- of one statement
SELECT perfopt_reset(:queryid);
SELECT query FROM perfopt_statements
WHERE datname = current_database() AND query LIKE 'SELECT%FROM t%'
ORDER BY query COLLATE "C";
SELECT perfopt_reset(0);
SELECT perfopt_reset(NULL);

-- where it comes from
SELECT perfopt_reset();
SET application_name = 'shop';
SELECT 1 AS tagged FROM t LIMIT 1 /*action='show%20it',controller='or''ders',traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/;
SELECT 1 AS tagged FROM t LIMIT 1 /*action='show%20it',controller='or\'ders'*/;
SELECT 1 AS tagged FROM t LIMIT 1 /*application:Shop, controller:posts ,job:*/;
SELECT 1 AS tagged FROM t LIMIT 1 /* no tags, at all */;
SET application_name = 'other';
SELECT 1 AS tagged FROM t LIMIT 1 /*+ SeqScan(t) */ /* perfopt: nocache */;
SELECT application, tags, calls, calls_excess, last_traceparent
FROM perfopt_statement_sources
WHERE datname = current_database() AND query LIKE '%tagged%'
ORDER BY application COLLATE "C", tags COLLATE "C";
-- decoded into what is no text
SELECT 2 AS odd, 1 AS tagged FROM t LIMIT 1 /*a='%ff%00%0a',b='%e4%b8%ad',c='%'*/;
-- more sources than are kept
\o /dev/null
SELECT format('SELECT count(*) AS many FROM t /*n=''%s''*/', g % 6) FROM generate_series(1, 12) g \gexec
\o
SELECT tags FROM perfopt_statement_sources
WHERE datname = current_database() AND query LIKE '%odd%' AND tags IS NOT NULL;
SELECT count(*), sum(calls) >= 12 AS at_most, sum(calls - calls_excess) <= 12 AS at_least
FROM perfopt_statement_sources
WHERE datname = current_database() AND query LIKE '%AS many%';
RESET application_name;

-- who may see what
SELECT perfopt_reset();
SELECT count(*) AS mine FROM t;
SET ROLE regress_statements;
SELECT 1 AS theirs FROM pg_class LIMIT 0;
SELECT DISTINCT rolname = current_user AS own, query LIKE '<%' AS hidden_query,
	queryid IS NULL AS hidden_id, application IS NULL AS hidden_application
FROM perfopt_statements
WHERE datname = current_database() AND query <> '(other)'
ORDER BY own;
SELECT DISTINCT rolname FROM perfopt_statement_sources WHERE datname = current_database();
SELECT perfopt_reset();
SELECT perfopt_reset(1);
SET perfopt.track = none;
RESET ROLE;
GRANT pg_read_all_stats TO regress_statements;
SET ROLE regress_statements;
SELECT query, calls FROM perfopt_statements
WHERE datname = current_database() AND query LIKE '%mine%';
RESET ROLE;

-- without query ids
SELECT perfopt_reset();
SET compute_query_id = off;
SELECT count(*) FROM t;
SELECT max(id) FROM t;
SELECT queryid, query IS NOT NULL AS has_text, calls >= 2 AS counted FROM perfopt_statements
WHERE datname = current_database() AND queryid IS NULL AND toplevel;
SET compute_query_id = on;

-- dropped roles disappear
SET ROLE regress_statements;
SELECT 1 AS dropped FROM pg_class LIMIT 0;
RESET ROLE;
REVOKE USAGE ON SCHEMA statements FROM regress_statements;
DROP ROLE regress_statements;
SELECT count(*) FROM perfopt_statements WHERE query LIKE '%AS dropped%' AND rolname <> current_user;

RESET perfopt.cache;
DROP SCHEMA statements CASCADE;
