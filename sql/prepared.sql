--
-- SQL PREPARE: custom and generic plans, parameters, switching modes.
--
CREATE SCHEMA prepared;
SET search_path = prepared, public;
CREATE TABLE t (id int PRIMARY KEY, a int, b text, d date);
INSERT INTO t SELECT g, g % 5, 'b' || g, date '2024-01-01' + g
	FROM generate_series(1, 50) AS g;
ANALYZE t;

PREPARE one AS SELECT count(*) FROM t;
PREPARE by_id(int) AS SELECT a, b FROM t WHERE id = $1;
PREPARE by_text(text, date) AS SELECT id FROM t WHERE b = $1 OR d = $2 ORDER BY id;
PREPARE by_any(int[]) AS SELECT sum(a) FROM t WHERE id = ANY ($1);
PREPARE unused(int, int) AS SELECT count(*) FROM t WHERE a = $2;
\getenv srcdir PG_ABS_SRCDIR
\set dir :srcdir '/sql/'
\set setup :dir 'setup.psql'
\i :setup
\set ECHO none

SET plan_cache_mode = force_custom_plan;
\echo '== custom plans'
\set q 'EXECUTE one'
\i :twice
\set q 'EXECUTE by_id(3)'
\i :twice
\set q 'EXECUTE by_id(4)'
\i :twice
\set q 'EXECUTE by_id(NULL)'
\i :twice
\set q 'EXECUTE by_text(''b7'', ''2024-01-20'')'
\i :twice
\set q 'EXECUTE by_text(''b7'', NULL)'
\i :twice
\set q 'EXECUTE by_any(''{1,2,3}'')'
\i :twice
\set q 'EXECUTE unused(1, 2)'
\i :twice

\echo '== generic plans find what custom plans left'
SET plan_cache_mode = force_generic_plan;
\set q 'EXECUTE one'
\i :twice
\set q 'EXECUTE by_id(3)'
\i :twice
\set q 'EXECUTE by_id(5)'
\i :twice
\set q 'EXECUTE by_id(NULL)'
\i :twice
\set q 'EXECUTE by_text(''b7'', ''2024-01-20'')'
\i :twice
\set q 'EXECUTE by_any(''{1,2,3}'')'
\i :twice
\set q 'EXECUTE by_any(''{1,2,4}'')'
\i :twice

\echo '== after a write, and after a definition changed'
INSERT INTO t VALUES (100, 100, 'b7', '2024-01-20');
\set q 'EXECUTE one'
\i :twice
\set q 'EXECUTE by_text(''b7'', ''2024-01-20'')'
\i :twice
ALTER TABLE t ADD COLUMN e int;
\set q 'EXECUTE one'
\i :twice
\set q 'EXECUTE by_text(''b7'', ''2024-01-20'')'
\i :twice
\set q 'EXECUTE by_id(100)'
\i :twice

\set ECHO all
-- the choice between plans is that of PostgreSQL
RESET plan_cache_mode;
SET perfopt.cache = force;
PREPARE choice(int) AS SELECT count(*) FROM t WHERE a = $1;
EXECUTE choice(1);
EXECUTE choice(1);
EXECUTE choice(1);
EXECUTE choice(1);
EXECUTE choice(1);
EXECUTE choice(1);
EXECUTE choice(1);
SELECT name, generic_plans, custom_plans FROM pg_prepared_statements
WHERE name IN ('choice', 'by_any') ORDER BY name;

-- what was planned while nothing was served is served once something is
SET perfopt.cache = off;
SET plan_cache_mode = force_generic_plan;
PREPARE pooled AS SELECT max(a) FROM t;
EXECUTE pooled;
SET perfopt.cache = force;
EXECUTE pooled;
EXECUTE pooled;
EXPLAIN (COSTS OFF, ANALYZE, BUFFERS OFF, TIMING OFF, SUMMARY OFF) EXECUTE pooled \g (format=unaligned) | sed 's/[.]00 loops/ loops/'
SET perfopt.cache = off;
EXECUTE pooled;
INSERT INTO t VALUES (200, 200);
EXECUTE pooled;
SET perfopt.cache = force;
EXECUTE pooled;
EXECUTE pooled;
BEGIN;
INSERT INTO t VALUES (300, 300);
EXECUTE pooled;
ROLLBACK;
EXECUTE pooled;
-- but it is not analysed again: its words may mean something else by now
CREATE TYPE mood AS ENUM ('sad', 'ok');
SET perfopt.cache = off;
PREPARE words AS SELECT count(*) FROM t WHERE 'ok'::mood > 'sad' AND timestamptz '2024-03-31 22:00' < '2024-03-31 22:00+00';
EXECUTE words;
ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';
SET TimeZone = 'Asia/Tokyo';
EXECUTE words;
SET perfopt.cache = force;
EXECUTE words;
EXECUTE words;
EXPLAIN (COSTS OFF, ANALYZE, BUFFERS OFF, TIMING OFF, SUMMARY OFF) EXECUTE words \g (format=unaligned) | sed 's/[.]00 loops/ loops/'
BEGIN;
SET LOCAL perfopt.cache = off;
COMMIT;
EXECUTE words;
RESET TimeZone;

-- one that was planned at a miss only is planned again as well after a change
-- of definitions that no plan names, and its answer kept
SELECT min(a) AS put_off FROM t;
PREPARE put_off AS SELECT min(a) AS put_off FROM t;
EXECUTE put_off;
INSERT INTO t VALUES (400, 400);
EXECUTE put_off;
CREATE COLLATION unnamed (LOCALE = 'C');
INSERT INTO t VALUES (500, 500);
EXECUTE put_off;
SELECT coalesce(sum(hits), 0) AS before FROM perfopt_cache_stats
WHERE datname = current_database() \gset
EXECUTE put_off;
SELECT coalesce(sum(hits), 0) - :before AS hits FROM perfopt_cache_stats
WHERE datname = current_database();
SET perfopt.cache = off;
DEALLOCATE ALL;
DROP TYPE mood;
DROP SCHEMA prepared CASCADE;
