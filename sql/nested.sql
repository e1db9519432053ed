--
-- Statements inside functions, procedures and DO; what other commands run.
-- Each is compared with the cache off.
--
\getenv srcdir PG_ABS_SRCDIR
\set dir :srcdir '/sql/'
\set setup :dir 'setup.psql'
\i :setup
SET client_min_messages = warning;
\set ECHO none
CREATE SCHEMA nested;
SET search_path = nested, public;
CREATE TABLE t (id int PRIMARY KEY, k int, v int);
INSERT INTO t SELECT g, g % 3, g FROM generate_series(1, 20) AS g;
CREATE INDEX ON t (k);
ANALYZE t;
SET enable_seqscan = off;

\echo '== SELECT INTO'
CREATE FUNCTION by_key(i int) RETURNS int LANGUAGE plpgsql AS
	'DECLARE r int; BEGIN SELECT v INTO r FROM t WHERE id = i; RETURN r; END';
CREATE FUNCTION by_key_strict(i int) RETURNS int LANGUAGE plpgsql AS
	'DECLARE r int; BEGIN SELECT v * 2 INTO STRICT r FROM t WHERE id = i; RETURN r; END';
CREATE FUNCTION total() RETURNS bigint LANGUAGE plpgsql STABLE AS
	'DECLARE r bigint; BEGIN SELECT sum(v) INTO r FROM t; RETURN r; END';
CREATE FUNCTION joined(i int) RETURNS int LANGUAGE plpgsql AS
	'DECLARE r int; BEGIN SELECT a.v + b.v INTO r FROM t AS a JOIN t AS b ON b.id = a.k + 1 WHERE a.id = i; RETURN r; END';
-- one row wanted, more there: what was read is not all, hence not kept
CREATE FUNCTION first_of(i int) RETURNS int LANGUAGE plpgsql AS
	'DECLARE r int; BEGIN SELECT v INTO r FROM t WHERE k = i ORDER BY id; RETURN r; END';
-- a second row that would raise an error if it was asked for
CREATE FUNCTION careful() RETURNS int LANGUAGE plpgsql AS
	'DECLARE r int; BEGIN SELECT 10 / (2 - id) INTO r FROM t ORDER BY id; RETURN r; END';
-- no row at all
CREATE FUNCTION no_row() RETURNS boolean LANGUAGE plpgsql AS
	'DECLARE r int; BEGIN SELECT v INTO r FROM t WHERE id = -1; RETURN FOUND; END';
\set q 'SELECT by_key(3)'
\i :twice
\set q 'SELECT by_key_strict(3)'
\i :twice
\set q 'SELECT total()'
\i :twice
\set q 'SELECT joined(3)'
\i :twice
\set q 'SELECT first_of(1)'
\i :twice
\set q 'SELECT careful()'
\i :twice
\set q 'SELECT no_row()'
\i :twice
\set q 'SELECT by_key(3), total()'
\set d 'UPDATE t SET v = v + 1 WHERE id = 3'
\i :change
-- its own writes are seen, and nothing of them is kept before the end
\set q 'BEGIN \\; SELECT total() \\; UPDATE t SET v = v + 100 WHERE id = 1 \\; SELECT total() \\; ROLLBACK \\; SELECT total()'
\i :twice

\echo '== loops, RETURN QUERY, PERFORM, EXECUTE'
CREATE FUNCTION looped() RETURNS bigint LANGUAGE plpgsql AS
	'DECLARE r record; n bigint := 0; BEGIN FOR r IN SELECT v FROM t WHERE id > 2 LOOP n := n + r.v; END LOOP; RETURN n; END';
CREATE FUNCTION looped_early() RETURNS bigint LANGUAGE plpgsql AS
	'DECLARE r record; n bigint := 0; BEGIN FOR r IN SELECT v FROM t WHERE id > 3 ORDER BY id LOOP n := n + r.v; EXIT WHEN n > 10; END LOOP; RETURN n; END';
CREATE FUNCTION looped_writing() RETURNS bigint LANGUAGE plpgsql AS
	'DECLARE r record; n bigint := 0; BEGIN FOR r IN SELECT id, v FROM t WHERE id > 4 ORDER BY id LOOP UPDATE t SET v = v + 1 WHERE id = r.id + 1; n := n + r.v; END LOOP; RETURN n; END';
CREATE FUNCTION many(i int) RETURNS SETOF t LANGUAGE plpgsql AS
	'BEGIN RETURN QUERY SELECT * FROM t WHERE id > i ORDER BY id; RETURN QUERY EXECUTE ''SELECT * FROM t WHERE id < $1 ORDER BY id'' USING i; END';
CREATE FUNCTION is_there(i int) RETURNS boolean LANGUAGE plpgsql AS
	'BEGIN PERFORM 1 FROM t WHERE id = i; RETURN FOUND; END';
\set q 'SELECT looped()'
\i :twice
\set q 'SELECT looped_early()'
\i :twice
\set q 'BEGIN \\; SELECT looped_writing() \\; SELECT sum(v) FROM t \\; ROLLBACK'
\i :twice
\set q 'SELECT * FROM many(15)'
\i :twice
\set q 'SELECT is_there(3), is_there(30)'
\i :twice

\echo '== SQL functions'
CREATE FUNCTION counted(i int) RETURNS bigint LANGUAGE sql AS
	'SELECT count(*) FROM t WHERE k < i';
CREATE FUNCTION listed(i int) RETURNS SETOF int LANGUAGE sql AS
	'SELECT v FROM t WHERE k < i ORDER BY id';
CREATE FUNCTION written(i int) RETURNS bigint LANGUAGE sql AS
	'UPDATE t SET v = v + i WHERE id = 1; SELECT sum(v) FROM t';
\set q 'SELECT counted(2)'
\i :twice
\set q 'SELECT array_agg(l) FROM listed(2) AS l'
\i :twice
\set q 'BEGIN \\; SELECT written(5) \\; ROLLBACK'
\i :twice

\echo '== errors inside'
CREATE FUNCTION caught(i int) RETURNS text LANGUAGE plpgsql AS
	'DECLARE r int; BEGIN SELECT 100 / (v - 7) INTO r FROM t WHERE id = i; RETURN r; EXCEPTION WHEN division_by_zero THEN RETURN ''caught '' || (SELECT count(*) FROM t); END';
\set q 'SELECT caught(7), caught(8)'
\i :twice

\echo '== as whom'
CREATE ROLE perfopt_nested;
GRANT USAGE ON SCHEMA nested TO perfopt_nested;
CREATE FUNCTION as_owner() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS
	'BEGIN RETURN (SELECT count(*) FROM nested.t); END';
\set q 'SELECT as_owner(), total()'
\i :twice
SET ROLE perfopt_nested;
SELECT as_owner();
SELECT total();
RESET ROLE;
CREATE FUNCTION in_zone() RETURNS text LANGUAGE plpgsql SET timezone = 'Asia/Tokyo' AS
	'BEGIN RETURN (SELECT max(timestamptz ''2024-01-01 00:00+00'' + make_interval(hours => id))::text FROM nested.t); END';
\set q 'SELECT in_zone()'
\i :twice

\echo '== triggers'
CREATE TABLE log (n bigint);
CREATE FUNCTION logging() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO log SELECT sum(v) FROM t; RETURN NEW; END';
CREATE FUNCTION refusing() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN IF (SELECT count(*) FROM t WHERE k = 1) > NEW.n THEN NEW.n := 0; END IF; RETURN NEW; END';
CREATE TRIGGER refusing BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION refusing();
\set q 'BEGIN \\; INSERT INTO log VALUES (1), (100) RETURNING n \\; ROLLBACK'
\i :twice
CREATE TRIGGER logging AFTER UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION logging();
\set q 'BEGIN \\; UPDATE t SET v = v + 1 \\; TABLE log \\; ROLLBACK'
\i :twice
DROP TRIGGER logging ON t;

\echo '== procedures that commit'
CREATE TABLE counts (step int, n bigint);
CREATE PROCEDURE stepping() LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE counts;
	FOR i IN 1..3 LOOP
		INSERT INTO counts SELECT i, sum(v) FROM t;
		INSERT INTO counts SELECT i, (SELECT sum(v) FROM t);
		UPDATE t SET v = v + 1 WHERE id = 1;
		COMMIT;
		INSERT INTO counts VALUES (i, total());
	END LOOP;
	UPDATE t SET v = v - 3 WHERE id = 1;
END$$;
SET perfopt.cache = off;
CALL stepping();
SELECT * FROM counts ORDER BY step, n;
SET perfopt.cache = force;
CALL stepping();
SELECT * FROM counts ORDER BY step, n;

\echo '== DO, COPY, CREATE TABLE AS, REFRESH'
CREATE FUNCTION setting() RETURNS void LANGUAGE plpgsql AS
	'DECLARE s text; BEGIN SELECT sum(v + 4) INTO s FROM nested.t; PERFORM set_config(''nested.n'', s, false); END';
\set q 'DO ''BEGIN PERFORM nested.setting(); END'' \\; SHOW nested.n'
\i :twice
\set q 'COPY (SELECT k, sum(v) FROM t GROUP BY k ORDER BY k) TO STDOUT'
\i :twice
\set q 'CREATE TEMP TABLE made ON COMMIT DROP AS SELECT k, max(v) FROM t GROUP BY k'
\i :twice
-- the columns are as long as planning finds them to be, planned or not
CREATE TABLE lengths (a varchar(5), b varchar(10));
INSERT INTO lengths VALUES ('a', 'b');
\set q 'SELECT CASE WHEN 1 = 1 THEN a ELSE b END AS c FROM lengths'
\i :twice
\set q 'CREATE TEMP TABLE made ON COMMIT PRESERVE ROWS AS SELECT CASE WHEN 1 = 1 THEN a ELSE b END AS c FROM lengths \\; SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = ''made''::regclass AND attnum = 1 \\; DROP TABLE made'
\i :twice
CREATE MATERIALIZED VIEW m AS SELECT k, min(v) FROM t GROUP BY k;
-- before version 16 its query names the view itself, so it is never served
\set q 'BEGIN \\; UPDATE t SET v = v - 100 WHERE id = 3 \\; REFRESH MATERIALIZED VIEW m \\; SELECT * FROM m ORDER BY k \\; ROLLBACK'
\i :twice

\echo '== inside a parallel query, and while planning'
CREATE FUNCTION safe(i int) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS
	'BEGIN RETURN (SELECT count(*) FROM t WHERE k = i); END';
CREATE FUNCTION folded() RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS
	'BEGIN RETURN (SELECT count(*) FROM nested.t); END';
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
\set q 'SELECT sum(safe(k)) FROM t'
\o /dev/null
\i :twice
\o
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
\set q 'SELECT folded() + 1'
\i :twice

\echo '== a plan that was put off and is needed by COMMIT is made again'
CREATE FUNCTION deferred() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN PERFORM nested.total(); RETURN NULL; END';
CREATE TABLE late (id int);
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION deferred();
SET perfopt.cache = force;
SELECT total();
DISCARD PLANS;
SELECT total();
SELECT perfopt_invalidate_all();
BEGIN;
INSERT INTO late VALUES (1);
COMMIT;
\set q 'SELECT total()'
\i :twice

\echo '== what was counted'
SET perfopt.cache = off;
SELECT errors, differences FROM perfopt_cache_stats WHERE datname = current_database();

DROP SCHEMA nested CASCADE;
DROP ROLE perfopt_nested;
