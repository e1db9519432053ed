--
-- The views: their shape, and what whom they show.
--
\d perfopt_cache_stats
\d perfopt_cache_entries
\d perfopt_cache_reasons
\d perfopt_cache_savings

CREATE SCHEMA views;
SET search_path = views, public;
CREATE TABLE t (id int PRIMARY KEY, a int);
INSERT INTO t SELECT g, g FROM generate_series(1, 1000) AS g;
ANALYZE t;
CREATE ROLE perfopt_one;
CREATE ROLE perfopt_two;
CREATE ROLE perfopt_monitor IN ROLE pg_read_all_stats;
CREATE ROLE perfopt_in_one IN ROLE perfopt_one;
GRANT USAGE ON SCHEMA views TO PUBLIC;
GRANT SELECT ON t TO PUBLIC;

SET perfopt.cache = off;
SELECT perfopt_reset();
SET perfopt.cache = auto;
SET perfopt.cache_min_calls = 1;
SET perfopt.cache_min_time = 0;
SET enable_seqscan = off;
SET compute_query_id = on;
SET ROLE perfopt_one;
SELECT a FROM t WHERE id = 7;
SELECT a FROM t WHERE id = 7;
SELECT a FROM t WHERE id = 8;
SET ROLE perfopt_two;
SELECT a FROM t WHERE id = 7;
SELECT sum(a) FROM t WHERE a > 990;
SELECT random() < 2 FROM t LIMIT 1;
RESET ROLE;
SET perfopt.cache = off;

SELECT selects, eligible, hits, misses, stores, invalidations, verified,
	differences, bypasses, hit_ratio, bytes_used > 0 AS bytes_used,
	bytes_free > 0 AS bytes_free, bytes_pinned, entries > 0 AS entries,
	time_saved_ms >= 0 AS time_saved, late_writes, errors
FROM perfopt_cache_stats WHERE datname = current_database();
\set entries 'SELECT query, queryid IS NOT NULL AS queryid, rolname, rows, bytes > 200 AS bytes, hits, time_saved_ms >= 0 AS saved, cost_ms > 0 AS cost, created < now() AS created, last_hit >= created AS hit, relations, indexes, valid FROM perfopt_cache_entries WHERE relations = ''{t}'' ORDER BY query COLLATE "C", hits'
:entries;
SELECT reason, count, last_queryid IS NOT NULL AS queryid, advice
FROM perfopt_cache_reasons WHERE datname = current_database()
ORDER BY reason COLLATE "C";
\set savings 'SELECT query, queryid IS NOT NULL AS queryid, calls, hits, would_hit, mean_ms > 0 AS mean, saved_ms >= 0 AS saved, disabled FROM perfopt_cache_savings WHERE datname = current_database() ORDER BY calls DESC'
:savings;

-- of others, neither text nor query id
SET ROLE perfopt_one;
:entries;
:savings;
SELECT selects FROM perfopt_cache_stats WHERE datname = current_database();
SELECT count(last_queryid) FROM perfopt_cache_reasons;
SET ROLE perfopt_in_one;
SELECT count(*) FROM perfopt_cache_entries
WHERE relations = '{t}' AND query LIKE 'SELECT a FROM%';
SET ROLE perfopt_monitor;
SELECT count(*) FROM perfopt_cache_entries
WHERE relations = '{t}' AND query LIKE 'SELECT%';
SELECT count(*) FROM perfopt_cache_savings
WHERE datname = current_database() AND query LIKE 'SELECT%';
SELECT perfopt_reset();
RESET ROLE;

-- a reset leaves the texts of what is served on
SELECT perfopt_reset();
SELECT * FROM perfopt_cache_savings;
SET perfopt.cache = auto;
SELECT a FROM t WHERE id = 7;
SET perfopt.cache = off;
SELECT query, calls, hits FROM perfopt_cache_savings
WHERE datname = current_database();

-- executions are counted, not plans
SELECT perfopt_reset();
SET perfopt.cache = auto;
PREPARE again AS SELECT max(a) FROM t;
EXECUTE again;
EXECUTE again;
EXECUTE again;
SET perfopt.cache = off;
SELECT selects, eligible, hits, misses FROM perfopt_cache_stats
WHERE datname = current_database();
DEALLOCATE again;

-- what is not valid any more
INSERT INTO t VALUES (0, 0);
SELECT count(*), bool_or(valid) FROM perfopt_cache_entries
WHERE relations = '{t}';

-- a reset leaves the answers
SELECT perfopt_reset();
SELECT hits, misses, entries > 0 AS entries FROM perfopt_cache_stats
WHERE datname = current_database();
SELECT * FROM perfopt_cache_savings;

-- comments are not kept, and what is quoted is no comment
SET perfopt.cache = force;
SELECT a/* 1 */AS "x"/* 2 */, a "y""--z" -- 3
	, a U&"--\0061"/* 4 */, a AS "/*b" FROM "views"/* 5 */."t" WHERE id = 1 /* 6 */;
SET perfopt.cache = off;
SELECT query FROM perfopt_cache_entries WHERE relations = '{t}' AND valid;

-- nor are parts of constants, under another standard_conforming_strings
CREATE TABLE said (a text);
SET standard_conforming_strings = off;
SET escape_string_warning = off;
PREPARE one AS SELECT count(*) AS one FROM said WHERE a = 'a\'secret\'b' OR a = 'c';
PREPARE two AS SELECT count(*) AS two FROM said WHERE a = '\\d' OR a = E'e\'' OR a = U&"a";
SET standard_conforming_strings = on;
PREPARE three AS SELECT count(*) AS three FROM said WHERE a = 'a\' OR a = 'secret';
PREPARE four AS SELECT count(*) AS four FROM said WHERE a = '\w' OR a = E'e\'' OR a = U&"a";
SET perfopt.cache = force;
EXECUTE one;
EXECUTE two;
SET standard_conforming_strings = off;
EXECUTE three;
EXECUTE four;
RESET standard_conforming_strings;
SET perfopt.cache = off;
SELECT query FROM perfopt_cache_entries WHERE relations = '{said}'
ORDER BY query COLLATE "C";

-- names of another database's relations are not shown, nor is a role's or a
-- database's that is gone
SELECT count(*) AS others FROM perfopt_cache_entries
WHERE datname <> current_database() AND relations IS NOT NULL;
DROP SCHEMA views CASCADE;
DROP ROLE perfopt_one, perfopt_two, perfopt_monitor, perfopt_in_one;
