--
-- EXPLAIN shows the statement's own plan, and what the cache would do.
--
CREATE SCHEMA explain;
SET search_path = explain, public;
CREATE TABLE t (id int PRIMARY KEY, a int);
INSERT INTO t SELECT g, g % 10 FROM generate_series(1, 100) AS g;
ANALYZE t;

-- in modes that do not serve, nothing of it
SHOW perfopt.cache;
EXPLAIN (COSTS OFF) SELECT count(*) FROM t WHERE a = 3;
SET perfopt.cache = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM t WHERE a = 3;

SET perfopt.cache = force;
EXPLAIN (COSTS OFF) SELECT count(*) FROM t WHERE a = 3;
SELECT count(*) FROM t WHERE a = 3;
EXPLAIN (COSTS OFF, ANALYZE, BUFFERS OFF, TIMING OFF, SUMMARY OFF)
	SELECT count(*) FROM t WHERE a = 3 \g (format=unaligned) | sed 's/[.]00 loops/ loops/'
EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF, FORMAT JSON)
	SELECT count(*) FROM t WHERE a = 3 \g | grep -iE 'cache|perfopt'

-- a cursor is served if it cannot be the one of WHERE CURRENT OF
SELECT * FROM t WHERE id = 3;
EXPLAIN (COSTS OFF) DECLARE c CURSOR FOR SELECT * FROM t WHERE id = 3;
EXPLAIN (COSTS OFF) DECLARE c CURSOR FOR SELECT count(*) FROM t WHERE a = 3 \g | grep 'Cache:'

-- the estimates are those of the statement
EXPLAIN SELECT * FROM t WHERE a = 3;
SET perfopt.explain = off;
EXPLAIN SELECT * FROM t WHERE a = 3;
RESET perfopt.explain;

-- it is executed, not served, and counts as no hit
SELECT coalesce(sum(hits), 0) AS before FROM perfopt_cache_stats
WHERE datname = current_database() \gset
EXPLAIN (COSTS OFF, ANALYZE, BUFFERS OFF, TIMING OFF, SUMMARY OFF)
	SELECT count(*) FROM t WHERE a = 3 \g (format=unaligned) | sed 's/[.]00 loops/ loops/'
SELECT coalesce(sum(hits), 0) - :before AS hits FROM perfopt_cache_stats
WHERE datname = current_database();

-- outdated
INSERT INTO t VALUES (1000, 3);
EXPLAIN (COSTS OFF) SELECT count(*) FROM t WHERE a = 3;

-- why not
EXPLAIN (COSTS OFF) SELECT random() > 2, a FROM t;
EXPLAIN (COSTS OFF) SELECT a FROM t WHERE id = 1 /* perfopt: nocache */;
EXPLAIN (COSTS OFF) INSERT INTO t VALUES (1001);
BEGIN;
UPDATE t SET a = 4 WHERE id = 1000;
EXPLAIN (COSTS OFF) SELECT count(*) FROM t WHERE a = 3;
SELECT count(*) FROM t WHERE a = 3;
EXPLAIN (COSTS OFF) SELECT count(*) FROM t WHERE a = 3;
ROLLBACK;
SET perfopt.cache = manual;
EXPLAIN (COSTS OFF) SELECT count(*) FROM t WHERE a = 3;
SET perfopt.cache = force;

-- prepared
PREPARE p(int) AS SELECT count(*) FROM t WHERE a = $1;
EXPLAIN (COSTS OFF) EXECUTE p(3);
EXECUTE p(3);
EXPLAIN (COSTS OFF, ANALYZE, BUFFERS OFF, TIMING OFF, SUMMARY OFF) EXECUTE p(3) \g (format=unaligned) | sed 's/[.]00 loops/ loops/'
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF, ANALYZE, BUFFERS OFF, TIMING OFF, SUMMARY OFF) EXECUTE p(3) \g (format=unaligned) | sed 's/[.]00 loops/ loops/'
EXPLAIN (COSTS OFF, ANALYZE, BUFFERS OFF, TIMING OFF, SUMMARY OFF) EXECUTE p(4) \g (format=unaligned) | sed 's/[.]00 loops/ loops/'
SET perfopt.cache = off;
DEALLOCATE ALL;
DROP SCHEMA explain CASCADE;
