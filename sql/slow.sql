--
-- Slow executions: what is kept of them, and who sees what.
--
CREATE SCHEMA slow;
SET search_path = slow, public;
CREATE TABLE t (id int PRIMARY KEY, a int, s text);
INSERT INTO t SELECT g, g % 10, 'text ' || g FROM generate_series(1, 1000) AS g;
ANALYZE t;
CREATE ROLE perfopt_slow_one;
CREATE ROLE perfopt_slow_two;
CREATE ROLE perfopt_slow_monitor IN ROLE pg_read_all_stats;
GRANT USAGE ON SCHEMA slow TO PUBLIC;
GRANT SELECT ON t TO PUBLIC;
\d perfopt_slow_queries

-- of a plan, a line per node
CREATE FUNCTION nodes(plan json) RETURNS SETOF text LANGUAGE sql AS $$
	WITH RECURSIVE node AS (
		SELECT ARRAY[0] AS path, plan -> 'Plan' AS node
		UNION ALL
		SELECT path || ord::int, child
		FROM node, json_array_elements(node -> 'Plans') WITH ORDINALITY AS c(child, ord))
	SELECT repeat('  ', array_length(path, 1) - 1) || (node ->> 'Node Type')
		|| coalesce(' rows ' || round((node ->> 'Actual Rows')::numeric), ' no rows')
		|| coalesce(' loops ' || (node ->> 'Actual Loops'), '')
		|| coalesce(' filter ' || (node ->> 'Filter'), '')
	FROM node ORDER BY path
$$;
SET perfopt.slow_query_time = -1;
SELECT perfopt_reset();
\set off 'SET perfopt.slow_query_time = -1;'

-- one execution
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET compute_query_id = on;
SET application_name = 'slow one';
SET perfopt.slow_query_time = 0;
SELECT count(*) FROM t WHERE a > 3 AND s <> 'secret';
:off
SELECT toplevel, query, parameters, rows, failed, sqlstate, plan_note,
	datname = current_database() AS datname, rolname = current_user AS rolname,
	application_name, client_addr, pid = pg_backend_pid() AS pid,
	queryid IS NOT NULL AS queryid, started <= clock_timestamp() AS started,
	duration_ms >= execution_ms AND execution_ms > 0 AS duration,
	planning_ms > 0 AS planned, lock_wait_ms, shared_blks_hit > 0 AS hit,
	temp_blks_read, wal_bytes, cache, cache_reason
FROM perfopt_slow_queries WHERE query LIKE 'SELECT count%' \gx
SELECT nodes(plan) FROM perfopt_slow_queries WHERE query LIKE 'SELECT count%';
SELECT (plan ->> 'Execution Time')::float > 0 AS execution,
	(plan ->> 'Planning Time')::float > 0 AS planning,
	plan_text LIKE 'Aggregate  (cost=%) (actual rows=1%' AS text
FROM perfopt_slow_queries WHERE query LIKE 'SELECT count%';
SELECT perfopt_reset();

-- below the threshold nothing is kept
SET perfopt.slow_query_time = '1h';
SELECT count(*) FROM t;
SELECT count(*) FROM perfopt_slow_queries;

-- parameters: off, redacted, on; constants are shown with the last only
SET plan_cache_mode = force_generic_plan;
PREPARE q(int, text, text, int[]) AS
	SELECT count(*) FROM t WHERE a = $1 AND s <> $2 AND s <> 'secret' AND $3 IS NULL AND $4 IS NOT NULL;
SET perfopt.slow_query_time = 0;
EXECUTE q (1, 'a''b', NULL, '{1,2}');
SET perfopt.slow_query_parameters = redacted;
EXECUTE q (1, 'a''b', NULL, '{1,2}');
SET perfopt.slow_query_parameters = on;
EXECUTE q (1, 'a''b', NULL, '{1,2}');
EXECUTE q (1, repeat('x', 2000), NULL, '{1,2}');
:off
RESET perfopt.slow_query_parameters;
SELECT query, left(parameters, 70) AS parameters, length(parameters), rows
FROM perfopt_slow_queries WHERE query LIKE 'PREPARE q%' OR query LIKE 'SELECT count%' ORDER BY id;
SELECT plan::text LIKE '%secret%' AS constants, plan::text LIKE '%($3 IS NULL)%' AS parameters
FROM perfopt_slow_queries WHERE plan IS NOT NULL ORDER BY id;
RESET plan_cache_mode;
SELECT perfopt_reset();

-- nested
CREATE FUNCTION inner_one(n int) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT count(*) FROM t WHERE a < n);
END $$;
SET perfopt.slow_query_time = 0;
SELECT inner_one(5);
:off
SELECT toplevel, query, rows FROM perfopt_slow_queries WHERE query LIKE '%SELECT%' ORDER BY id;
SELECT perfopt_reset();

-- failed: in the middle, before the start, in planning; and caught
SET perfopt.slow_query_time = 0;
SELECT sum(1000 / (id - 500)) FROM (SELECT id FROM t ORDER BY id) AS o;
SELECT 1 / 0 FROM t;
SET ROLE perfopt_slow_one;
DELETE FROM t;
RESET ROLE;
DO $$ BEGIN PERFORM 1 / (id - 10) FROM t; EXCEPTION WHEN division_by_zero THEN NULL; END $$;
:off
SELECT toplevel, left(query, 40) AS query, failed, sqlstate, rows, plan_note FROM perfopt_slow_queries
WHERE failed OR query LIKE 'DO%' ORDER BY id;
SELECT nodes(plan) FROM perfopt_slow_queries WHERE query LIKE 'SELECT sum%';
SELECT perfopt_reset();

-- commands
SET perfopt.slow_query_time = 0;
CREATE TABLE made AS SELECT id FROM t WHERE id < 6;
BEGIN;
LOCK TABLE made;
COMMIT;
COPY (SELECT 7 AS seven) TO STDOUT;
CREATE TABLE made (a int);
:off
SELECT toplevel, query, rows, failed, sqlstate, lock_wait_ms > 0 AS lock_wait, plan_note,
	plan IS NOT NULL AS plan
FROM perfopt_slow_queries WHERE query NOT LIKE 'SET%' ORDER BY id;
SELECT perfopt_reset();

-- cursors: counted when they are closed
SET perfopt.slow_query_time = 0;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM t ORDER BY id;
FETCH 3 FROM c;
MOVE 4 FROM c;
CLOSE c;
COMMIT;
:off
SELECT toplevel, query, rows FROM perfopt_slow_queries
WHERE query ~ '^(DECLARE|FETCH|MOVE|CLOSE)' ORDER BY id;
SELECT nodes(plan) FROM perfopt_slow_queries WHERE plan IS NOT NULL;
SELECT perfopt_reset();

-- rows written, subplans, and what is executed once for several expressions
SET perfopt.slow_query_time = 0;
UPDATE t SET a = a + 1 WHERE id <= (SELECT count(*) / 100 FROM t AS u) AND a IN (SELECT a FROM t AS v WHERE v.id > 10);
WITH w AS MATERIALIZED (SELECT id FROM t WHERE id < 20) SELECT count(*) FROM w AS x, w AS y WHERE x.id = y.id AND x.id - 30 < 0 AND 1 / (y.id - 15) < 9;
:off
SELECT query, rows, wal_bytes > 0 AS wal, failed FROM perfopt_slow_queries WHERE plan IS NOT NULL ORDER BY id;
SELECT nodes(plan) FROM perfopt_slow_queries WHERE plan IS NOT NULL AND failed;
SELECT perfopt_reset();

-- EXPLAIN executes, or does not
SET perfopt.slow_query_time = 0;
SELECT 1 FROM json_array_elements('[]');
EXPLAIN (ANALYZE) SELECT 1 WHERE false \g /dev/null
EXPLAIN SELECT 2 WHERE false \g /dev/null
:off
SELECT toplevel, query, plan_text IS NOT NULL AS plan FROM perfopt_slow_queries
WHERE query LIKE '%WHERE false' OR query LIKE '%WHERE $%' ORDER BY id;
SELECT perfopt_reset();

-- under a lock of an index page nothing can be explained
CREATE FUNCTION compare(int, int) RETURNS int LANGUAGE sql AS
	'SELECT CASE WHEN $1 < $2 THEN -1 WHEN $1 > $2 THEN 1 ELSE 0 END';
CREATE OPERATOR CLASS compared FOR TYPE int USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 compare(int, int);
CREATE TABLE c (i int);
CREATE UNIQUE INDEX ON c (i compared);
SET perfopt.slow_query_time = 0;
SET perfopt.log_slow_queries = on;
INSERT INTO c SELECT g FROM generate_series(1, 100) AS g;
UPDATE c SET i = -i WHERE i > 90;
:off
RESET perfopt.log_slow_queries;
SELECT count(*), min(i) FROM c;
SELECT count(*) > 10 AS kept, bool_and(plan IS NULL) AS no_plan, min(plan_note)
FROM perfopt_slow_queries WHERE query LIKE 'SELECT CASE%' AND NOT failed;
SELECT perfopt_reset();

-- what the cache did
SET perfopt.cache = force;
SET perfopt.slow_query_time = 0;
SELECT sum(a) FROM t;
SELECT sum(a) FROM t;
:off
SET perfopt.cache = off;
SELECT query, rows, cache, cache_reason, plan -> 'Plan' ->> 'Node Type' AS node,
	plan -> 'Plan' ->> 'Actual Rows' IS NOT NULL AS counted, plan_note
FROM perfopt_slow_queries WHERE query LIKE 'SELECT sum%' ORDER BY id;
SELECT nodes(plan) FROM perfopt_slow_queries WHERE cache = 'stored';
SELECT perfopt_reset();

-- long texts are cut, between characters
SET perfopt.slow_query_time = 0;
SELECT format('SELECT 1 AS %s', string_agg('"' || repeat('ä', 25) || g || '", 1 AS ', '')) || 'last' AS long
FROM generate_series(1, 100) AS g \gset
:long \g /dev/null
:off
SELECT length(query) > 2000 AS long, right(query, 3) AS cut FROM perfopt_slow_queries WHERE query LIKE 'SELECT % AS "ä%' OR query LIKE 'SELECT % "ä%';
SELECT perfopt_reset();

-- a plan that is too large, and one of more nodes than are counted apart
SET perfopt.slow_query_time = 0;
SELECT format('SELECT sum(x) FROM (%s) AS u', string_agg('SELECT 1 / (id - 1000) AS x FROM t', ' UNION ALL ')) AS many
FROM generate_series(1, 110) \gset
:many;
SELECT format('SELECT count(*) FROM (%s) AS u', string_agg('SELECT id FROM t', ' UNION ALL ')) AS most
FROM generate_series(1, 600) \gset
:most;
:off
SELECT failed, plan IS NOT NULL AS plan, plan_note FROM perfopt_slow_queries
WHERE query LIKE 'SELECT %(%) FROM (SELECT%' ORDER BY id;
SELECT perfopt_reset();

-- constants with line breaks and quotes do not get through
SET perfopt.slow_query_time = 0;
SELECT count(*) FROM t WHERE s <> E'one\n  "Plan Width": 7,\n  secret' AND s <> 'it''s "secret" \ secret';
:off
SELECT plan::text LIKE '%secret%' AS json, plan_text LIKE '%secret%' AS text, query
FROM perfopt_slow_queries WHERE query LIKE 'SELECT count%';
SELECT nodes(plan) FROM perfopt_slow_queries WHERE query LIKE 'SELECT count%';
SELECT perfopt_reset();

-- who sees what
SET ROLE perfopt_slow_one;
SET perfopt.slow_query_time = 0;
RESET ROLE;
SET perfopt.slow_query_time = 0;
SET ROLE perfopt_slow_one;
SELECT count(*) FROM t WHERE id = 7;
RESET ROLE;
:off
\set look 'SELECT query, queryid IS NOT NULL AS queryid, plan IS NOT NULL AS plan, plan_text IS NOT NULL AS text, plan_note, application_name, rows FROM perfopt_slow_queries WHERE rolname = ''perfopt_slow_one'' AND rows = 1'
SET ROLE perfopt_slow_one;
:look;
SELECT perfopt_reset();
SET ROLE perfopt_slow_two;
:look;
SET ROLE perfopt_slow_monitor;
:look;
RESET ROLE;

-- of one query id
SELECT queryid FROM perfopt_slow_queries WHERE rolname = 'perfopt_slow_one' AND rows = 1 \gset
SELECT count(*) > 1 AS others FROM perfopt_slow_queries;
SELECT perfopt_reset(:queryid);
SELECT count(*) FROM perfopt_slow_queries WHERE queryid = :queryid;
SELECT count(*) > 0 AS others FROM perfopt_slow_queries;
SELECT perfopt_reset();
SELECT count(*) FROM perfopt_slow_queries;

-- settings
SET perfopt.slow_query_time = 'soon';
SET perfopt.slow_query_time = '2min';
SHOW perfopt.slow_query_time;
SET perfopt.slow_query_parameters = 'some';
SET perfopt.log_slow_queries = 'some';
SET perfopt.slow_queries = 10;
SET ROLE perfopt_slow_one;
SET perfopt.slow_query_parameters = on;
SET perfopt.log_slow_queries = on;
SET perfopt.slow_query_time = 0;
RESET ROLE;

RESET ALL;
DROP SCHEMA slow CASCADE;
DROP ROLE perfopt_slow_one, perfopt_slow_two, perfopt_slow_monitor;
