--
-- Whatever writes is noticed, whoever writes it.
--
-- The statement is run before and after each write; see ddl.sql for how to
-- read the hits.
--
CREATE SCHEMA writes;
SET search_path = writes, public;
SET client_min_messages = warning;
CREATE TABLE t (id int PRIMARY KEY, a int);
INSERT INTO t SELECT g, g FROM generate_series(1, 10) AS g;
CREATE TABLE ref (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE ON UPDATE CASCADE);
INSERT INTO ref VALUES (1, 1), (2, 2), (3, 3);
CREATE TABLE log (n int);
CREATE TABLE src (a int);
CREATE TABLE p (k int, v int) PARTITION BY LIST (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
INSERT INTO p VALUES (1, 1), (2, 2);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO log VALUES (1); RETURN NULL; END';
CREATE TRIGGER note AFTER INSERT ON src FOR EACH ROW EXECUTE FUNCTION note();
CREATE FUNCTION write_t(int) RETURNS int LANGUAGE sql AS
	'INSERT INTO t VALUES ($1, $1) RETURNING id';
CREATE FUNCTION write_untracked(int) RETURNS int LANGUAGE sql
	SET track_counts = off AS 'INSERT INTO t VALUES ($1, $1) RETURNING id';
CREATE FUNCTION write_caught(int) RETURNS void LANGUAGE plpgsql AS '
BEGIN
	INSERT INTO t VALUES ($1, 0);
	PERFORM 1 / 0;
EXCEPTION WHEN division_by_zero THEN NULL;
END';
CREATE PROCEDURE write_twice(int) LANGUAGE plpgsql AS '
BEGIN
	INSERT INTO t VALUES ($1, $1);
	COMMIT;
	INSERT INTO t VALUES ($1 + 1, $1);
END';
CREATE VIEW v AS SELECT * FROM t;
CREATE RULE ins AS ON INSERT TO log DO ALSO UPDATE t SET a = a + 1 WHERE id = 5;
\getenv srcdir PG_ABS_SRCDIR
\set dir :srcdir '/sql/'
\set setup :dir 'setup.psql'
\i :setup
\set ECHO none

\set q 'SELECT count(*), sum(a) FROM t'
\i :twice
\set d 'INSERT INTO t VALUES (11, 11)'
\i :change
\set d 'UPDATE t SET a = 0 WHERE id = 11'
\i :change
\set d 'DELETE FROM t WHERE id = 11'
\i :change
\set d 'DELETE FROM t WHERE false'
\i :change
\set d 'INSERT INTO t VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET a = 7'
\i :change
\set d 'INSERT INTO t VALUES (1, 1) ON CONFLICT DO NOTHING'
\i :change
\set d 'MERGE INTO t USING (VALUES (2, 20), (12, 12)) AS s(id, a) ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = s.a WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.a)'
\i :change
\set d 'COPY t FROM PROGRAM \'echo "13\t13"\''
\i :change
\set d 'WITH x AS (INSERT INTO t VALUES (14, 14) RETURNING id) SELECT id FROM x'
\i :change
\set d 'UPDATE v SET a = 1 WHERE id = 14'
\i :change
\set d 'SELECT write_t(15)'
\i :change
\set d 'SELECT write_untracked(16)'
\i :change
\set d 'SELECT write_caught(17)'
\i :change
\set d 'CALL write_twice(18)'
\i :change
\set d 'DO \'BEGIN DELETE FROM writes.t WHERE id > 15; END\''
\i :change
\set d 'SET track_counts = off; UPDATE t SET a = 100 WHERE id = 9; SET track_counts = on'
\i :change
\set d 'BEGIN; SET LOCAL track_counts = off; UPDATE t SET a = 200 WHERE id = 9; COMMIT'
\i :change
-- expressions of PL/pgSQL run in no executor: nothing but the setting's own
-- assignment tells that it was off while the second row was routed
CREATE TABLE routed (id int, v int) PARTITION BY RANGE (id);
CREATE TABLE routed_1 PARTITION OF routed FOR VALUES FROM (0) TO (10);
CREATE TABLE routed_2 PARTITION OF routed FOR VALUES FROM (10) TO (20);
CREATE FUNCTION toggle() RETURNS trigger LANGUAGE plpgsql AS '
DECLARE
	x text;
BEGIN
	IF NEW.v = 1 THEN x := set_config(''track_counts'', ''off'', true); END IF;
	IF NEW.v = 3 THEN x := set_config(''track_counts'', ''on'', true); END IF;
	RETURN NEW;
END';
CREATE TRIGGER toggle BEFORE INSERT ON routed_1
	FOR EACH ROW EXECUTE FUNCTION toggle();
\set kept :q
\set q 'SELECT count(*) FROM routed_2'
\i :twice
\set d 'INSERT INTO routed VALUES (1, 1), (11, 2), (2, 3)'
\i :change
\set q :kept
\set d 'INSERT INTO src VALUES (1)'
\i :change
\set d 'CREATE TABLE made AS SELECT write_t(25)'
\i :change
\set d 'TRUNCATE log'
\i :change

\echo '== foreign keys and triggers'
\set q 'SELECT * FROM ref ORDER BY id'
\i :twice
\set d 'DELETE FROM t WHERE id = 1'
\i :change
\set d 'UPDATE t SET id = 222 WHERE id = 2'
\i :change
\set d 'TRUNCATE t CASCADE'
\i :change
\set q 'SELECT count(*) FROM log'
\i :twice
\set d 'INSERT INTO src VALUES (1)'
\i :change
\set d 'ALTER TABLE src DISABLE TRIGGER note'
\i :change
\set d 'INSERT INTO src VALUES (1)'
\i :change

\echo '== partitions'
\set q 'SELECT * FROM p1 ORDER BY v'
\i :twice
\set d 'INSERT INTO p VALUES (2, 3)'
\i :change
\set d 'INSERT INTO p VALUES (1, 4)'
\i :change
\set d 'UPDATE p SET k = 1 WHERE v = 2'
\i :change
\set q 'SELECT * FROM p ORDER BY v'
\i :twice
\set d 'UPDATE p SET k = 2 WHERE v = 2'
\i :change
\set d 'INSERT INTO p1 VALUES (1, 5)'
\i :change
\set d 'TRUNCATE p2'
\i :change
\set d 'COPY p FROM PROGRAM \'echo "2\t6"\''
\i :change

\echo '== prepared transactions'
\set q 'SELECT count(*) FROM src'
\i :twice
\set d 'BEGIN; INSERT INTO src VALUES (2); PREPARE TRANSACTION \'perfopt_writes\''
\i :change
\set d 'COMMIT PREPARED \'perfopt_writes\''
\i :change
\set d 'BEGIN; INSERT INTO src VALUES (2); PREPARE TRANSACTION \'perfopt_writes\'; ROLLBACK PREPARED \'perfopt_writes\''
\i :change

\echo '== rolled back'
\set d 'BEGIN; INSERT INTO src VALUES (3); ROLLBACK'
\i :change
\set d 'BEGIN; SAVEPOINT s; INSERT INTO src VALUES (3); ROLLBACK TO s; COMMIT'
\i :change

\echo '== within a transaction that wrote'
BEGIN;
INSERT INTO src VALUES (4);
\i :twice
SAVEPOINT s;
INSERT INTO src VALUES (5);
\i :twice
ROLLBACK TO s;
\i :twice
\set q 'SELECT count(*) FROM log'
\i :twice
COMMIT;
\set q 'SELECT count(*) FROM src'
\i :twice
BEGIN ISOLATION LEVEL REPEATABLE READ;
\i :twice
\i :twice
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
\i :twice
COMMIT;
BEGIN;
TRUNCATE src;
\i :twice
ROLLBACK;
\i :twice

\set ECHO all
-- by hand
CREATE ROLE perfopt_writer;
GRANT USAGE ON SCHEMA writes TO perfopt_writer;
CREATE ROLE perfopt_onlooker;
GRANT USAGE ON SCHEMA writes TO perfopt_onlooker;
GRANT DELETE ON p TO perfopt_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA writes TO perfopt_onlooker;
SET perfopt.cache = force;
SELECT count(*) FROM p1;
SELECT count(*) FROM p2;
SELECT count(*) FROM src;
SELECT count(*) FROM v;
SET perfopt.cache = off;
\set valid 'SELECT relations FROM perfopt_cache_entries WHERE query LIKE ''SELECT count(*) FROM %'' AND valid AND relations && ''{p1,p2,src,v}'' ORDER BY 1'
:valid;
SET ROLE perfopt_onlooker;
SELECT perfopt_invalidate('p');
SELECT perfopt_invalidate('src');
SELECT perfopt_invalidate_all();
SELECT perfopt_reset();
RESET ROLE;
SELECT perfopt_invalidate(1);
SELECT perfopt_invalidate(NULL);
-- no answer is noted to depend on these
CREATE INDEX src_i ON src (a);
SELECT perfopt_invalidate('src_i');
CREATE SEQUENCE s;
SELECT perfopt_invalidate('s');
:valid;
SET ROLE perfopt_writer;
SELECT perfopt_invalidate('src');
SELECT perfopt_invalidate('p');
RESET ROLE;
:valid;
-- a column is enough to change an answer
GRANT UPDATE (a) ON src TO perfopt_writer;
SET ROLE perfopt_writer;
SELECT perfopt_invalidate('src');
RESET ROLE;
:valid;
SELECT perfopt_invalidate('v');
:valid;
SELECT perfopt_invalidate_all();
:valid;
DROP SCHEMA writes CASCADE;
DROP ROLE perfopt_writer, perfopt_onlooker;
