--
-- The plan cache behaves as without perfopt: the same choice between custom
-- and generic plans, execution by execution, and the same locks.
--
\getenv srcdir PG_ABS_SRCDIR
\set dir :srcdir '/sql/'
\set setup :dir 'setup.psql'
\i :setup
SET client_min_messages = warning;
\set ECHO none
CREATE SCHEMA plan_cache;
SET search_path = plan_cache, public;
CREATE TABLE t (id int PRIMARY KEY, k int, v text);
INSERT INTO t SELECT g, CASE WHEN g < 900 THEN 0 ELSE g END, 'v' || g
FROM generate_series(1, 1000) AS g;
CREATE INDEX ON t (k);
CREATE TABLE p (id int, v int) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200);
CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (200) TO (300);
INSERT INTO p SELECT g, g FROM generate_series(0, 299) AS g;
CREATE VIEW w AS SELECT t.id, t.k, p.v FROM t JOIN p USING (id);
ANALYZE t;
ANALYZE p;

CREATE TEMP TABLE statements (name text, sql text, arguments text[]);
INSERT INTO statements VALUES
	('by_key', '(int) AS SELECT v FROM t WHERE id = $1', '{1,2,3,4}'),
	('skewed', '(int) AS SELECT count(*), max(v) FROM t WHERE k = $1', '{0,950,0,951}'),
	('range', '(int, int) AS SELECT sum(id) FROM t WHERE id BETWEEN $1 AND $2', '{"1,5","1,1000"}'),
	('pruned', '(int) AS SELECT sum(v) FROM p WHERE id = $1', '{1,101,201}'),
	('all_parts', '(int) AS SELECT sum(v) FROM p WHERE id > $1', '{1,150}'),
	('view', '(int) AS SELECT count(*) FROM w WHERE id < $1', '{10,1000}'),
	('listed', '(int[]) AS SELECT count(*) FROM t WHERE id = ANY ($1)', '{"ARRAY[1]","ARRAY[1,2,3]"}'),
	('limited', '(int) AS SELECT v FROM t WHERE k >= $1 ORDER BY id LIMIT 3', '{0,950}'),
	('optional', '(int) AS SELECT count(*) FROM t WHERE $1 IS NULL OR id = $1', '{"NULL",7}'),
	('joined', '(int) AS SELECT count(*) FROM t AS a JOIN t AS b ON a.k = b.id WHERE a.id = $1', '{950,960}'),
	('wide', '(text) AS SELECT count(*) FROM t WHERE v LIKE $1', '{"''v1%''","''v%''"}'),
	('none', ' AS SELECT count(*), max(id) FROM t WHERE k = 0', '{}'),
	('unread', '(int) AS SELECT count(*) FROM t', '{1,2}');
CREATE TEMP TABLE counts (run text, n int, name text, generic bigint, custom bigint);

CREATE FUNCTION run_all(label text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	s record;
BEGIN
	FOR s IN SELECT * FROM statements LOOP
		EXECUTE format('PREPARE %I%s', s.name, s.sql);
		FOR n IN 1..20 LOOP
			EXECUTE 'EXECUTE ' || quote_ident(s.name) ||
				coalesce('(' || s.arguments[1 + n % nullif(cardinality(s.arguments), 0)] || ')', '');
			INSERT INTO counts SELECT label, n, name, generic_plans, custom_plans
				FROM pg_prepared_statements WHERE name = s.name;
		END LOOP;
	END LOOP;
	DEALLOCATE ALL;
END$$;

\echo '== custom and generic plans, after each of 20 executions'
SET perfopt.cache = off;
SELECT run_all('without') \gset
SET perfopt.cache = force;
SELECT run_all('cold') \gset
SELECT run_all('warm') \gset
SET perfopt.cache = off;
SELECT a.name,
	bool_and((a.generic, a.custom) = (b.generic, b.custom)) AS cold_same,
	bool_and((a.generic, a.custom) = (c.generic, c.custom)) AS warm_same
FROM counts AS a
JOIN counts AS b ON (a.name, a.n) = (b.name, b.n) AND b.run = 'cold'
JOIN counts AS c ON (a.name, a.n) = (c.name, c.n) AND c.run = 'warm'
WHERE a.run = 'without' GROUP BY a.name ORDER BY a.name;
SELECT sum(hits) > 200 AS were_served FROM perfopt_cache_stats
WHERE datname = current_database();

\echo '== locks on what is read, of a statement that is executed and of one served'
CREATE FUNCTION locks() RETURNS TABLE (relation regclass, mode text) LANGUAGE sql AS $$
	SELECT l.relation::regclass, l.mode
	FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
	WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation'
		AND c.relkind <> 'i' AND c.relnamespace = 'plan_cache'::regnamespace
	ORDER BY 1, 2 $$;
PREPARE lock_pruned(int) AS SELECT sum(v) FROM p WHERE id = $1;
PREPARE lock_view(int) AS SELECT count(*) FROM w WHERE id < $1;
\set q 'BEGIN \\; EXECUTE lock_pruned(1) \\; SELECT * FROM locks() \\; COMMIT'
\i :twice
\set q 'BEGIN \\; EXECUTE lock_view(10) \\; SELECT * FROM locks() \\; COMMIT'
\i :twice
\set q 'BEGIN \\; SELECT sum(v) FROM p WHERE id < 50 \\; SELECT * FROM locks() \\; COMMIT'
\i :twice
\set q 'BEGIN \\; SELECT max(v) FROM w WHERE id < 50 \\; SELECT * FROM locks() \\; COMMIT'
\i :twice
SET plan_cache_mode = force_generic_plan;
PREPARE lock_generic(int) AS SELECT sum(v) FROM p WHERE id = $1;
\set q 'BEGIN \\; EXECUTE lock_generic(1) \\; SELECT * FROM locks() \\; COMMIT'
\i :twice
\i :twice
DEALLOCATE ALL;

\echo '== a prepared plan is made anew when it would be, and not else'
PREPARE kept(int) AS SELECT v FROM t WHERE id = $1;
\set q 'EXECUTE kept(3)'
\i :twice
\set d 'CREATE INDEX t_v ON t (v)'
\i :change
\set d 'DROP INDEX t_v'
\i :change
DROP VIEW w;
\set d 'ALTER TABLE t ALTER k TYPE bigint'
\i :change
\set d 'SET search_path = public, plan_cache'
\i :change
\set d 'ANALYZE plan_cache.t'
\i :change
DEALLOCATE ALL;
-- with another result type: the same error
SET perfopt.cache = force;
PREPARE starred AS SELECT * FROM plan_cache.t WHERE id = 3;
EXECUTE starred;
ALTER TABLE plan_cache.t ADD COLUMN more int;
EXECUTE starred;
DEALLOCATE ALL;

-- mode auto: a plan made while nobody knew that its statement takes too little
-- is made anew without us, so only the first executions are looked up; changed
-- definitions do not make it unknown again
SET perfopt.cache = auto;
SET perfopt.cache_min_time = 3600000;
SET plan_cache_mode = force_generic_plan;
PREPARE quick(int) AS SELECT v FROM plan_cache.t WHERE id = $1;
SELECT eligible FROM perfopt_cache_stats WHERE datname = current_database() \gset
\o /dev/null
SELECT format('EXECUTE quick(%s)', g) FROM generate_series(1, 50) g \gexec
ALTER TABLE plan_cache.t SET (fillfactor = 90);
SELECT format('EXECUTE quick(%s)', g) FROM generate_series(1, 50) g \gexec
\o
SELECT eligible - :eligible AS eligible FROM perfopt_cache_stats
WHERE datname = current_database();
RESET plan_cache_mode;
RESET perfopt.cache_min_time;
SET perfopt.cache = off;
DEALLOCATE ALL;

DROP SCHEMA plan_cache CASCADE;
