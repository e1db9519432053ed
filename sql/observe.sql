--
-- Mode observe serves nothing, stores nothing, and tells what serving would
-- have saved.
--
CREATE SCHEMA observe;
SET search_path = observe, public;
CREATE TABLE t (id int, a int);
INSERT INTO t SELECT g, g % 10 FROM generate_series(1, 1000) AS g;
ANALYZE t;
SET perfopt.cache = off;
SELECT perfopt_reset();
SET compute_query_id = on;
SET perfopt.cache_min_time = 0;
SET perfopt.cache_min_calls = 1;

SET perfopt.cache = observe;
SELECT count(*) FROM t WHERE a = 3;
SELECT count(*) FROM t WHERE a = 3;
SELECT count(*) FROM t WHERE a = 3;
SELECT count(*) FROM t WHERE a = 3;
-- after a write it would be executed, and then be served again
INSERT INTO t VALUES (1001, 3);
SELECT count(*) FROM t WHERE a = 3;
SELECT count(*) FROM t WHERE a = 3;
SELECT random() < 2 AS never FROM t LIMIT 1;
-- nor would it be served here
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM t WHERE a = 3;
COMMIT;
SET perfopt.cache = off;
SELECT count(*) FROM t WHERE a = 3;

SELECT query, calls, hits, would_hit, would_save_ms > 0 AS would_save,
	saved_ms, disabled
FROM perfopt_cache_savings
WHERE datname = current_database() AND query ~ 'FROM t' AND would_hit > 0;
SELECT hits, stores FROM perfopt_cache_stats
WHERE datname = current_database();
SELECT count(*) AS entries FROM perfopt_cache_entries
WHERE relations = '{t}';
SELECT reason FROM perfopt_cache_reasons
WHERE datname = current_database()
	AND reason IN ('serializable', 'volatile_function')
ORDER BY reason COLLATE "C";
-- parallel workers, and pieces, are no executions of their own
SELECT perfopt_reset();
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET perfopt.cache = observe;
SELECT count(*) AS in_parallel FROM t;
SELECT count(*) AS in_parallel FROM t;
SELECT count(*) AS in_parallel FROM t;
RESET max_parallel_workers_per_gather;
DO $$
DECLARE r record;
BEGIN
	FOR r IN SELECT id AS in_pieces FROM t WHERE id <= 200 LOOP
	END LOOP;
END $$;
SET perfopt.cache = off;
SELECT selects FROM perfopt_cache_stats WHERE datname = current_database();
SELECT calls, would_hit FROM perfopt_cache_savings
WHERE datname = current_database() ORDER BY calls;

-- a statement that takes long only later is named as well
SET perfopt.cache_min_time = '1h';
SET perfopt.cache = observe;
SELECT max(a) AS later FROM t;
SELECT max(a) AS later FROM t;
SET perfopt.cache_min_time = 0;
SELECT max(a) AS later FROM t;
SELECT max(a) AS later FROM t;
SET perfopt.cache = off;
SELECT query, calls FROM perfopt_cache_savings
WHERE datname = current_database() AND query ~ 'later';
DROP SCHEMA observe CASCADE;
