--
-- perfopt_cache_check(): each reason that a statement can have, its errors,
-- and whose permissions it uses.
--
CREATE SCHEMA elig;
SET search_path = elig, public;
CREATE TABLE t (id int PRIMARY KEY, a int, b text, at timestamptz DEFAULT now());
CREATE TABLE parent (a int);
CREATE TABLE kid () INHERITS (parent);
CREATE TABLE part (k int) PARTITION BY LIST (k);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE VIEW v AS SELECT p.k, t.b FROM part AS p JOIN t ON t.id = p.k;
CREATE SEQUENCE s;
CREATE ACCESS METHOD elig_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE other_am (a int) USING elig_heap;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE FUNCTION pl(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
	AS 'BEGIN RETURN $1; END';
CREATE FUNCTION pl_volatile(int) RETURNS int LANGUAGE plpgsql
	AS 'BEGIN RETURN $1; END';
CREATE FUNCTION native(int) RETURNS int IMMUTABLE LANGUAGE internal
	AS 'int4abs';
CREATE FUNCTION differs(int, int) RETURNS bool IMMUTABLE LANGUAGE plpgsql
	AS 'BEGIN RETURN $1 <> $2; END';
CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int,
	NEGATOR = !==);
CREATE OPERATOR ==== (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int,
	NEGATOR = !====);
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE ft (a int) SERVER nowhere;
\set check 'SELECT cacheable, reason, object, relations FROM perfopt_cache_check'

-- yes
:check ('SELECT * FROM t WHERE id = 1');
:check ('SELECT count(*) FROM v WHERE k = 2');
:check ('SELECT native(a) FROM t');
:check ('SELECT a FROM parent UNION SELECT k FROM part');
:check ('SELECT a FROM t WHERE a ==== 5');
:check ('SELECT a FROM t WHERE at > CURRENT_DATE');
:check ('SELECT a FROM t WHERE b = current_user');
:check ('SELECT a FROM t WHERE b = current_setting(''my.tenant'', true)');
:check ('SELECT * FROM t WHERE id = $1 AND b = $2::text LIMIT $3');
:check ('  /* perfopt: cache */ SELECT a FROM t -- as asked
	;');
SELECT * FROM perfopt_cache_check('SELECT a FROM t');

-- no, and what to do
SELECT * FROM perfopt_cache_check('INSERT INTO t VALUES (1)');
SELECT * FROM perfopt_cache_check('SELECT now(), a FROM t');

-- no: what the statement is
:check ('EXPLAIN SELECT * FROM t');
:check ('CREATE TABLE new AS SELECT * FROM t');
:check ('SELECT 1');
:check ('SELECT * FROM generate_series(1, 3)');
:check ('SELECT * FROM t FOR UPDATE');
:check ('WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x');
:check ('SELECT relname FROM pg_class');
:check ('SELECT * FROM t WHERE b = (SELECT relname FROM pg_class LIMIT 1)');
:check ('SELECT * FROM ft');
:check ('SELECT last_value FROM s');
:check ('SELECT * FROM other_am');
:check ('SELECT ctid FROM t');
:check ('SELECT xmin, a FROM t');
:check ('SELECT * FROM t TABLESAMPLE SYSTEM (10)');
:check ('SELECT ROW(a, b) FROM t');
:check ('SELECT random(), a FROM t');
:check ('SELECT pg_sleep(a) FROM t');
:check ('SELECT a FROM t WHERE pl_volatile(a) = 1');
:check ('SELECT nextval(''s''), a FROM t');
:check ('SELECT a FROM t WHERE pg_backend_pid() = a');
:check ('SELECT a FROM t WHERE has_table_privilege(b, ''SELECT'')');
:check ('SELECT b::regclass FROM t');
:check ('SELECT b::date FROM t');
:check ('SELECT a FROM t WHERE at > now() - interval ''1 day''');
:check ('SELECT a FROM t WHERE b = current_setting(b)');
:check ('SELECT pl(a) FROM t');
:check ('SELECT a FROM t /* perfopt: nocache */');

-- a denied operator is replaced by its negator, which can be anything
CREATE OPERATOR !== (FUNCTION = differs, LEFTARG = int, RIGHTARG = int,
	NEGATOR = ===);
:check ('SELECT a FROM t WHERE NOT (a === 5)');
:check ('SELECT a FROM t WHERE NOT (a === ANY (ARRAY[5, 6]))');
:check ('SELECT a FROM t WHERE a === 5');

-- no: what the session is
CREATE TEMP TABLE own (a int);
:check ('SELECT * FROM own');
:check ('SELECT * FROM parent');
:check ('SELECT * FROM ONLY parent');
SET gin_fuzzy_search_limit = 10;
:check ('SELECT * FROM t');
RESET gin_fuzzy_search_limit;
BEGIN ISOLATION LEVEL SERIALIZABLE;
:check ('SELECT * FROM t');
COMMIT;

-- not a statement; positions are those of the argument
SELECT perfopt_cache_check(NULL);
SELECT perfopt_cache_check('');
SELECT perfopt_cache_check('SELECT 1; SELECT 2');
SELECT perfopt_cache_check('SELEC 1');
SELECT perfopt_cache_check('SELECT a FROM t WHERE nothing = 1');
SELECT perfopt_cache_check('SELECT a
	FROM missing');
SELECT perfopt_cache_check('SELECT ''open FROM t');
SELECT perfopt_cache_check('SELECT $1 FROM t');
SELECT perfopt_cache_check('SELECT a FROM t WHERE $1 IS NULL');
SELECT perfopt_cache_check('SELECT a FROM t WHERE id = ''x''');
\set VERBOSITY sqlstate
SELECT perfopt_cache_check('SELECT 1; SELECT 2');
SELECT perfopt_cache_check('SELEC 1');
SELECT perfopt_cache_check('SELECT $2 + 1 FROM t');
\set VERBOSITY default

-- nothing is executed
:check ('SELECT pl_volatile(1 / 0) FROM t');
:check ('SELECT 1 / (a - a) FROM t');

-- with the permissions of who asks
CREATE ROLE perfopt_elig;
GRANT USAGE ON SCHEMA elig TO perfopt_elig;
GRANT SELECT (id) ON t TO perfopt_elig;
GRANT SELECT ON v TO perfopt_elig;
SET ROLE perfopt_elig;
:check ('SELECT id FROM t');
:check ('SELECT * FROM t');
:check ('SELECT a, random() FROM t');
:check ('SELECT * FROM part');
:check ('SELECT * FROM v');
RESET ROLE;
SET client_min_messages = warning;
DROP FOREIGN DATA WRAPPER nothing CASCADE;
DROP SCHEMA elig CASCADE;
DROP ACCESS METHOD elig_heap;
DROP ROLE perfopt_elig;
