--
-- A definition changes between two runs of the same statement.
--
-- After each command the statement is run without the cache, then twice with
-- it.  One hit means that its answer was made anew, two hits that the answer
-- from before the command was still served.
--
CREATE SCHEMA ddl;
CREATE SCHEMA other;
SET search_path = ddl, public;
SET client_min_messages = warning;

CREATE TABLE t (id int PRIMARY KEY, a int, b text);
INSERT INTO t SELECT g, g % 5, 'b' || g FROM generate_series(1, 20) AS g;
CREATE TABLE t2 (id int, a int);
INSERT INTO t2 VALUES (1, 2), (2, 3);
CREATE TABLE u (id int, c text);
INSERT INTO u SELECT g, 'c' || g FROM generate_series(1, 5) AS g;
CREATE TABLE other.u (id int, c text);
INSERT INTO other.u VALUES (1, 'other');
CREATE TABLE p (k int, v text) PARTITION BY LIST (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 (k int, v text);
INSERT INTO p VALUES (1, 'one');
INSERT INTO p2 VALUES (2, 'two');
CREATE TABLE parent (a int);
CREATE TABLE kid (a int);
INSERT INTO parent VALUES (1);
INSERT INTO kid VALUES (2);
CREATE VIEW v AS SELECT id, a FROM t WHERE a < 3;
CREATE MATERIALIZED VIEW m AS SELECT a, count(*) AS n FROM t GROUP BY a;
CREATE MATERIALIZED VIEW m2 AS SELECT count(*) AS n FROM u;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (x int, y int);
CREATE DOMAIN small AS int;
CREATE TABLE typed (id int, mood mood, pair pair, small small);
INSERT INTO typed VALUES (1, 'sad', (1, 2), 3), (2, 'happy', (3, 4), 5);
CREATE FUNCTION twofold(int) RETURNS int IMMUTABLE LANGUAGE internal
	AS 'int4abs';
CREATE EXTENSION hstore;
ALTER EXTENSION hstore DROP CAST (hstore AS json);
DROP CAST (hstore AS json);
CREATE TABLE looked (h hstore, m mood[]);
INSERT INTO looked VALUES ('a=>1', '{sad}'), ('a=>2', '{happy}');
CREATE FUNCTION differs(mood, mood) RETURNS bool IMMUTABLE STRICT
	LANGUAGE internal AS 'enum_ne';
CREATE OPERATOR === (LEFTARG = mood, RIGHTARG = mood, FUNCTION = differs);
CREATE FUNCTION compare(mood, mood) RETURNS int IMMUTABLE STRICT
	LANGUAGE internal AS 'enum_cmp';
CREATE ROLE perfopt_ddl_reader;
GRANT USAGE ON SCHEMA ddl TO perfopt_ddl_reader;

\getenv srcdir PG_ABS_SRCDIR
\set dir :srcdir '/sql/'
\set setup :dir 'setup.psql'
\i :setup
\set ECHO none

\echo '== a table'
\set q 'SELECT * FROM t ORDER BY id LIMIT 3'
\i :twice
\set d 'ALTER TABLE t ADD COLUMN c int DEFAULT 7'
\i :change
\set d 'ALTER TABLE t DROP COLUMN c'
\i :change
\set d 'ALTER TABLE t RENAME COLUMN b TO bb'
\i :change
\set d 'UPDATE t SET a = 9 WHERE id = 1'
\i :change
\set d 'TRUNCATE t'
\i :change
\set d 'INSERT INTO t SELECT g, g % 5, \'b\' || g FROM generate_series(1, 20) AS g'
\i :change
\set d 'CREATE RULE r AS ON INSERT TO t DO ALSO NOTIFY r'
\i :change
\set d 'DROP RULE r ON t'
\i :change

\set q 'SELECT id, a, a / 2 FROM t2 ORDER BY id'
\i :twice
\set d 'ALTER TABLE t2 ALTER COLUMN a TYPE numeric(6,2)'
\i :change
\set d 'ALTER TABLE t2 ALTER COLUMN a TYPE text USING \'x\''
\set q 'SELECT * FROM t2 ORDER BY id'
\i :change
\set d 'ALTER TABLE t2 SET UNLOGGED'
\i :change
\set d 'VACUUM FULL t2'
\i :change
\set d 'DROP TABLE t2; CREATE TABLE t2 (id int, a text)'
\i :change

\echo '== children'
\set q 'SELECT * FROM parent ORDER BY a'
\i :twice
\set d 'ALTER TABLE kid INHERIT parent'
\i :change
\set d 'INSERT INTO kid VALUES (3)'
\i :change
\set d 'ALTER TABLE kid NO INHERIT parent'
\i :change
\set d 'CREATE TABLE kid2 () INHERITS (parent)'
\i :change
\set d 'INSERT INTO kid2 VALUES (4)'
\i :change
\set q 'SELECT sum(a) FROM parent'
\set d 'BEGIN; DROP TABLE kid2; SELECT sum(a) FROM parent; ROLLBACK'
\i :change
\set d 'DROP TABLE kid2'
\i :change

\echo '== views'
\set q 'SELECT * FROM v ORDER BY id'
\i :twice
\set d 'CREATE OR REPLACE VIEW v AS SELECT id, a FROM t WHERE a < 2'
\i :change
\set d 'ALTER VIEW v RENAME COLUMN a TO aa'
\i :change
\set q 'SELECT * FROM m ORDER BY a'
\i :twice
\set d 'INSERT INTO t VALUES (100, 1)'
\i :change
\set d 'REFRESH MATERIALIZED VIEW m'
\i :change
\set d 'CREATE UNIQUE INDEX m_a ON m (a)'
\i :change
\set d 'DELETE FROM t WHERE id = 100'
\i :change
\set d 'REFRESH MATERIALIZED VIEW CONCURRENTLY m'
\i :change

\echo '== partitions'
\set q 'SELECT * FROM p ORDER BY k'
\i :twice
\set d 'ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2)'
\i :change
\set d 'INSERT INTO p VALUES (2, \'too\')'
\i :change
\set d 'ALTER TABLE p DETACH PARTITION p2'
\i :change
\set d 'CREATE TABLE p3 PARTITION OF p DEFAULT'
\i :change
\set d 'INSERT INTO p VALUES (3, \'three\')'
\i :change
\set q 'SELECT count(*) FROM p'
\set d 'BEGIN; DROP TABLE p3; SELECT count(*) FROM p; ROLLBACK'
\i :change
\set q 'SELECT sum(k) FROM p'
\set d 'BEGIN; SAVEPOINT s; DROP TABLE p3; SELECT sum(k) FROM p; ROLLBACK TO s; COMMIT'
\i :change
\set q 'SELECT * FROM p ORDER BY k'
\set d 'TRUNCATE p3'
\i :change
\set d 'DROP TABLE p3'
\i :change
\set d 'ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2)'
\i :change
\set d 'ALTER TABLE p DETACH PARTITION p2 CONCURRENTLY'
\i :change

\echo '== functions, types, domains'
\set q 'SELECT id, twofold(-a) FROM t WHERE id < 4 ORDER BY id'
\i :twice
\set d 'CREATE OR REPLACE FUNCTION twofold(int) RETURNS int IMMUTABLE LANGUAGE internal AS \'int4um\''
\i :change
\set d 'CREATE OR REPLACE FUNCTION twofold(int) RETURNS int IMMUTABLE LANGUAGE sql AS \'SELECT $1 * 2\''
\i :change
\set d 'CREATE OR REPLACE FUNCTION twofold(int) RETURNS int IMMUTABLE LANGUAGE internal AS \'int4abs\''
\i :change
\set q 'SELECT * FROM typed ORDER BY mood'
\i :twice
\set d 'ALTER TYPE mood ADD VALUE \'ok\' BEFORE \'happy\''
\i :change
\set d 'ALTER TYPE mood RENAME VALUE \'sad\' TO \'blue\''
\i :change
\set q 'SELECT id, (pair).x, pair, row_to_json(pair) FROM typed ORDER BY id'
\i :twice
\set d 'ALTER TYPE pair ADD ATTRIBUTE z int'
\i :change
\set d 'ALTER TYPE pair RENAME ATTRIBUTE y TO yy'
\i :change
\set d 'ALTER TYPE pair DROP ATTRIBUTE yy'
\i :change
\set q 'SELECT id, small, id::small FROM typed ORDER BY typed.id'
\i :twice
\set d 'ALTER DOMAIN small ADD CONSTRAINT positive CHECK (value > 0)'
\i :change
\set d 'ALTER DOMAIN small DROP CONSTRAINT positive'
\i :change
-- created, and found at run time
CREATE FUNCTION less(mood, mood) RETURNS bool IMMUTABLE STRICT LANGUAGE internal
	AS 'enum_gt';
CREATE FUNCTION greater(mood, mood) RETURNS bool IMMUTABLE STRICT
	LANGUAGE internal AS 'enum_lt';
-- the sum of two OIDs: the left is always the greater
CREATE FUNCTION compared(mood, mood) RETURNS int IMMUTABLE STRICT
	LANGUAGE internal AS 'int4pl';
CREATE OPERATOR <<< (FUNCTION = less, LEFTARG = mood, RIGHTARG = mood);
CREATE OPERATOR >>> (FUNCTION = greater, LEFTARG = mood, RIGHTARG = mood);
\set q 'SELECT greatest(mood, \'happy\') FROM typed ORDER BY id'
\i :twice
\set d 'CREATE OPERATOR CLASS moods DEFAULT FOR TYPE mood USING btree AS OPERATOR 1 <<<, OPERATOR 3 =(anyenum, anyenum), OPERATOR 5 >>>, FUNCTION 1 compared(mood, mood)'
\i :change
DROP OPERATOR CLASS moods USING btree;
CREATE TYPE plain;
CREATE FUNCTION plain_in(cstring) RETURNS plain IMMUTABLE STRICT
	LANGUAGE internal AS 'textin';
CREATE FUNCTION plain_out(plain) RETURNS cstring IMMUTABLE STRICT
	LANGUAGE internal AS 'textout';
CREATE TYPE plain (INPUT = plain_in, OUTPUT = plain_out, LIKE = text);
CREATE FUNCTION plain_json(plain) RETURNS json IMMUTABLE STRICT
	LANGUAGE internal AS 'text_reverse';
CREATE TABLE plains (p plain);
INSERT INTO plains VALUES ('plain');
\set q 'SELECT to_json(p) FROM plains'
\i :twice
\set d 'CREATE CAST (plain AS json) WITH FUNCTION plain_json(plain)'
\i :change

\echo '== what is looked up at run time, created'
\set q 'SELECT to_json(h) FROM looked'
\set d 'BEGIN; CREATE CAST (hstore AS json) WITH FUNCTION hstore_to_json_loose(hstore); SELECT to_json(h) FROM looked; ROLLBACK'
\i :change
\set d 'CREATE CAST (hstore AS json) WITH FUNCTION hstore_to_json_loose(hstore)'
\i :change
\set q 'SELECT m FROM looked WHERE m = ARRAY[\'happy\']::mood[]'
\i :twice
\set d 'CREATE OPERATOR CLASS odd_ops DEFAULT FOR TYPE mood USING btree AS OPERATOR 3 ===, FUNCTION 1 compare(mood, mood)'
\i :change
\set d 'DROP OPERATOR CLASS odd_ops USING btree'
\i :change

\echo '== names'
\set q 'SELECT * FROM u ORDER BY id LIMIT 2'
\i :twice
\set d 'SET search_path = other, ddl, public'
\i :change
\set d 'SET search_path = ddl, public'
\i :change
\set d 'CREATE TEMP TABLE u (id int, c text)'
\i :change
\set d 'INSERT INTO u VALUES (1, \'temporary\')'
\i :change
\set d 'DROP TABLE pg_temp.u'
\i :change
\set d 'ALTER TABLE u RENAME TO w; ALTER TABLE other.u SET SCHEMA ddl'
\i :change
\set d 'ALTER TABLE u SET SCHEMA other; ALTER TABLE w RENAME TO u'
\i :change

\echo '== policies, for a role without privileges of its own'
GRANT SELECT ON t TO perfopt_ddl_reader;
SET perfopt.cache_min_calls = 1;
SET perfopt.cache_min_time = 0;
\set twice_mode auto
SET ROLE perfopt_ddl_reader;
\set q 'SELECT id FROM t WHERE id < 8 ORDER BY id'
\i :twice
\set d 'RESET ROLE; CREATE POLICY odd ON t USING (id % 2 = 1); SET ROLE perfopt_ddl_reader'
\i :change
\set d 'RESET ROLE; ALTER TABLE t ENABLE ROW LEVEL SECURITY; SET ROLE perfopt_ddl_reader'
\i :change
\set d 'RESET ROLE; ALTER POLICY odd ON t USING (id % 2 = 0); SET ROLE perfopt_ddl_reader'
\i :change
\set d 'RESET ROLE; CREATE POLICY three ON t USING (id = 3); SET ROLE perfopt_ddl_reader'
\i :change
\set d 'RESET ROLE; DROP POLICY odd ON t; SET ROLE perfopt_ddl_reader'
\i :change
\set q 'SELECT id FROM t WHERE id < 9 ORDER BY id'
\set d 'RESET ROLE; ALTER TABLE t DISABLE ROW LEVEL SECURITY; SET ROLE perfopt_ddl_reader'
\i :change
RESET ROLE;
\set twice_mode force

\echo '== what leaves the answers of other tables alone'
\set q 'SELECT u.c, t.a FROM u JOIN t USING (id) ORDER BY u.id'
\i :twice
\set d 'CREATE TABLE n1 (a int)'
\i :change
\set d 'INSERT INTO n1 VALUES (1)'
\i :change
\set d 'CREATE TABLE n2 AS SELECT 1 AS a'
\i :change
\set d 'CREATE TEMP TABLE n3 (a int) ON COMMIT DELETE ROWS'
\i :change
\set d 'INSERT INTO n3 VALUES (1)'
\i :change
\set d 'DROP TABLE n3'
\i :change
\set d 'CREATE INDEX ON n1 (a)'
\i :change
\set d 'ALTER TABLE n1 ADD COLUMN b text'
\i :change
\set d 'CREATE TABLE p4 PARTITION OF p FOR VALUES IN (4)'
\i :change
\set d 'REFRESH MATERIALIZED VIEW m2'
\i :change
\set d 'VACUUM FULL n1'
\i :change
\set d 'CLUSTER n1 USING n1_a_idx'
\i :change
\set d 'TRUNCATE n1'
\i :change
\set d 'ANALYZE'
\i :change
\set d 'VACUUM t'
\i :change
\set d 'GRANT SELECT ON t TO PUBLIC'
\i :change
\set d 'REVOKE SELECT ON t FROM PUBLIC'
\i :change
\set d 'CREATE VIEW n4 AS SELECT * FROM t'
\i :change
\set d 'CREATE FUNCTION n5() RETURNS int LANGUAGE sql AS \'SELECT 1\''
\i :change
\set d 'CREATE TYPE n6 AS ENUM (\'a\')'
\i :change
\set d 'CREATE SEQUENCE n7'
\i :change
\set d 'COMMENT ON TABLE t IS \'some\''
\i :change
\set d 'CREATE ROLE perfopt_ddl_other'
\i :change
\set d 'DROP TABLE n1, n2'
\i :change

\set ECHO all
SET perfopt.cache = off;
SELECT differences, errors FROM perfopt_cache_stats
WHERE datname = current_database();
DROP ROLE perfopt_ddl_other;
DROP SCHEMA ddl, other CASCADE;
DROP ROLE perfopt_ddl_reader;
