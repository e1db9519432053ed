--
-- Faults that a prototype had, one by one; those that concern definitions,
-- settings, permissions and writes have tests of their own.
--
\getenv srcdir PG_ABS_SRCDIR
\set dir :srcdir '/sql/'
\set setup :dir 'setup.psql'
\i :setup
SET client_min_messages = warning;
\set ECHO none
CREATE SCHEMA faults;
SET search_path = faults, public;
CREATE TABLE t (id int PRIMARY KEY, v int);
INSERT INTO t SELECT g, g FROM generate_series(1, 5) AS g;

\echo '== a name inside the statement can become a value'
CREATE EXTENSION hstore SCHEMA faults;
\set q 'SELECT hstore(s) FROM (SELECT id AS one FROM t WHERE id = 1) AS s'
\i :twice
\set q 'SELECT hstore(s) FROM (SELECT id AS two FROM t WHERE id = 1) AS s'
\i :twice
\set q 'SELECT row_to_json(s) FROM (SELECT id AS one FROM t WHERE id = 1) AS s'
\i :twice
\set q 'SELECT row_to_json(s) FROM (SELECT id AS two FROM t WHERE id = 1) AS s'
\i :twice

\echo '== IMMUTABLE is no proof that a function reads no table'
CREATE FUNCTION liar() RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS
	'BEGIN RETURN (SELECT sum(v) FROM faults.t); END';
\set q 'SELECT id, liar() FROM t WHERE id < 3 ORDER BY id'
\i :twice
\set d 'UPDATE t SET v = v + 1 WHERE id = 5'
\i :change

\echo '== an inlined function brings relations and permissions of its own'
CREATE TABLE secret (v int);
INSERT INTO secret VALUES (42);
CREATE FUNCTION inlined() RETURNS SETOF secret LANGUAGE sql STABLE AS
	'SELECT v FROM faults.secret';
CREATE ROLE perfopt_curious;
GRANT USAGE ON SCHEMA faults TO perfopt_curious;
GRANT SELECT ON t TO perfopt_curious;
SET perfopt.cache = force;
SELECT i.v FROM t, inlined() AS i WHERE t.id = 1;
SELECT i.v FROM t, inlined() AS i WHERE t.id = 1;
SET perfopt.cache = auto;
SET ROLE perfopt_curious;
SELECT i.v FROM t, inlined() AS i WHERE t.id = 1;
RESET ROLE;

\echo '== a temporary child is visible to its session only'
CREATE TABLE parent (v int);
CREATE TABLE child () INHERITS (parent);
INSERT INTO child VALUES (1);
\set q 'SELECT sum(v) FROM parent'
\i :twice
\set d 'CREATE TEMP TABLE mine () INHERITS (parent)'
\i :change
\set d 'INSERT INTO mine VALUES (100)'
\i :change
-- another session does not see it
\c -
SET search_path = faults, public;
SET client_min_messages = warning;
\i :twice

\echo '== WHERE CURRENT OF needs the plan of the cursor itself'
SET perfopt.cache = force;
BEGIN;
DECLARE c CURSOR FOR SELECT id, v FROM t WHERE id > 1;
FETCH 2 FROM c;
UPDATE t SET v = 1000 WHERE CURRENT OF c;
COMMIT;
SELECT id, v FROM t WHERE v = 1000;

\echo '== a cached plan that looks free would change the plan cache''s choice'
SET perfopt.cache = off;
PREPARE without(int) AS SELECT v FROM t WHERE id > $1 ORDER BY id;
\o :twice_off
SELECT format('EXECUTE without(%s)', g) FROM generate_series(1, 20) AS g \gexec
\o
SET perfopt.cache = force;
PREPARE within(int) AS SELECT v FROM t WHERE id > $1 ORDER BY id;
\o :twice_off
SELECT format('EXECUTE within(%s)', g) FROM generate_series(1, 20) AS g \gexec
\o
SELECT generic_plans, custom_plans, string_agg(name, ', ' ORDER BY name)
FROM pg_prepared_statements GROUP BY 1, 2;

\echo '== notices of planning and of execution are sent each time'
SET client_min_messages = notice;
CREATE TABLE words (w text);
INSERT INTO words VALUES ('the');
SELECT count(*) FROM words WHERE w::tsvector @@ to_tsquery('english', 'the');
SELECT count(*) FROM words WHERE w::tsvector @@ to_tsquery('english', 'the');
SELECT count(*) FROM words WHERE w::tsvector @@ to_tsquery('english', 'the');
SELECT to_tsquery('english', w) FROM words;
SELECT to_tsquery('english', w) FROM words;

RESET perfopt.cache;
SET client_min_messages = warning;
DROP SCHEMA faults CASCADE;
DROP ROLE perfopt_curious;
