--
-- Each reason is counted when it should be, and the answer is that of an
-- execution.  Those that take another server, a client of its own or a second
-- session are in t/014_reasons.pl, t/010_restart.pl, t/011_standby.pl and
-- specs/cache-older-plan.spec.
--
\getenv srcdir PG_ABS_SRCDIR
\set dir :srcdir '/sql/'
\set setup :dir 'setup.psql'
\i :setup
SET client_min_messages = warning;
\set ECHO none
CREATE SCHEMA reasons;
SET search_path = reasons, public;
CREATE TABLE t (id int PRIMARY KEY, a int, b text, at timestamptz DEFAULT now());
INSERT INTO t SELECT g, g % 10, 'b' || g FROM generate_series(1, 100) AS g;
CREATE TABLE parent (a int);
CREATE TABLE kid () INHERITS (parent);
CREATE SEQUENCE s;
CREATE ACCESS METHOD reasons_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE other_am (a int) USING reasons_heap;
CREATE FUNCTION pl(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
	AS 'BEGIN RETURN $1; END';
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE ft (a int) SERVER nowhere;

-- What why.psql does, for statements that send messages, which should not
-- bear the name of that file.
\set forget 'SET perfopt.cache = off; DO ''BEGIN PERFORM public.perfopt_reset(); END''; SET perfopt.cache = force;'
\set counted 'SET perfopt.cache = off; SELECT hits FROM perfopt_cache_stats WHERE datname = current_database(); SELECT reason, count FROM perfopt_cache_reasons WHERE datname = current_database() ORDER BY reason COLLATE "C";'

\echo '== what the statement is'
\set q 'UPDATE t SET a = a WHERE id = 1 RETURNING a'
\i :why
\set q 'SELECT 1'
\i :why
\set q 'SELECT id FROM t WHERE id < 3 ORDER BY id FOR SHARE'
\i :why
\set q 'WITH x AS (UPDATE t SET a = a WHERE id = 1 RETURNING a) SELECT a FROM x'
\i :why
\set q 'WITH x AS (UPDATE t SET a = a WHERE id = 1 RETURNING a) SELECT 1'
\i :why
\set q 'SELECT count(*) > 0 FROM pg_class'
\i :why
\echo SELECT a FROM ft
SELECT a FROM ft;
:forget
SELECT a FROM ft;
:counted
\set q 'SELECT last_value FROM s'
\i :why
\set q 'SELECT a FROM other_am'
\i :why
\set q 'SELECT count(xmin) FROM t'
\i :why
\set q 'SELECT count(*) FROM t TABLESAMPLE SYSTEM (100)'
\i :why
\set q 'SELECT ROW(a, b) FROM t WHERE id < 3 ORDER BY id'
\i :why
\set q 'SELECT count(*) FROM t WHERE random() < 2'
\i :why
\set q 'SELECT count(*) FROM t WHERE a = pg_backend_pid()'
\i :why
\set q 'SELECT count(*) FROM t WHERE at <= now()'
\i :why
\set q 'SELECT count(*) FROM t WHERE b = current_setting(b, true)'
\i :why
\set q 'SELECT pl(a) FROM t WHERE id = 1'
\i :why

\echo '== relations by the thousand'
CREATE TABLE many (k int) PARTITION BY LIST (k);
DO $$BEGIN
	FOR i IN 1 .. 1000 LOOP
		EXECUTE format('CREATE TABLE many_%s PARTITION OF reasons.many FOR VALUES IN (%1$s)', i);
	END LOOP;
END$$;
INSERT INTO many SELECT generate_series(1, 1000);
\set q 'SELECT count(*), sum(k) FROM many'
\i :why
-- with the table itself, a thousand
\set q 'SELECT count(*), sum(k) FROM many WHERE k < 1000'
\i :why
\set q 'SELECT count(*), sum(k) FROM many WHERE k = 1000'
\i :why
PREPARE pruned(int) AS SELECT count(*) FROM many WHERE k <= $1;
SET plan_cache_mode = force_custom_plan;
\set q 'EXECUTE pruned(1000)'
\i :why
\set q 'EXECUTE pruned(999)'
\i :why
DEALLOCATE pruned;
RESET plan_cache_mode;
DROP TABLE many;

CREATE FUNCTION total() RETURNS bigint LANGUAGE plpgsql STABLE AS
	'BEGIN RETURN (SELECT count(*) FROM reasons.t WHERE a IS NULL) + 1; END';

\echo '== how it was asked for'
\set q 'SELECT sum(a) FROM t /* perfopt: nocache */'
\i :why
-- inside a command that is in the middle of a change
\set q 'BEGIN \\; CREATE TABLE checked (b bigint CHECK (b = reasons.total())) \\; INSERT INTO checked VALUES (1) \\; ALTER TABLE checked ALTER b TYPE numeric \\; ROLLBACK'
\i :why
-- nothing against these
\set q 'DO ''BEGIN PERFORM sum(a) FROM reasons.t; END'''
\i :why
\set q 'CREATE TEMP TABLE made ON COMMIT DROP AS SELECT sum(a) FROM t'
\i :why
-- WHERE CURRENT OF could be used
\set q 'BEGIN \\; DECLARE c CURSOR FOR SELECT id FROM t ORDER BY id \\; FETCH 3 FROM c \\; FETCH ALL FROM c \\; COMMIT'
\i :why
\set twice_mode manual
\set q 'SELECT sum(a + 1) FROM t'
\i :why
\set twice_mode auto
SET perfopt.cache_min_time = 0;
SET perfopt.cache_min_calls = 1000;
\i :why
SET perfopt.cache_min_calls = 1;
SET perfopt.cache_min_time = '1h';
\i :why
RESET perfopt.cache_min_calls;
RESET perfopt.cache_min_time;
\set twice_mode force

\echo '== what the session and the transaction are'
\set q 'BEGIN ISOLATION LEVEL SERIALIZABLE \\; SELECT sum(a) FROM t \\; COMMIT'
\i :why
SET gin_fuzzy_search_limit = 10;
\set q 'SELECT sum(a) FROM t'
\i :why
RESET gin_fuzzy_search_limit;
\set q 'BEGIN \\; UPDATE t SET a = a + 1 \\; SELECT sum(a) FROM t \\; ROLLBACK'
\i :why
\set q 'BEGIN \\; CREATE FUNCTION mine(int) RETURNS int RETURN $1 + 1 \\; SELECT sum(mine(a)) FROM t \\; ROLLBACK'
\i :why
\set q 'BEGIN \\; CREATE DOMAIN mine AS int \\; SELECT sum(a::mine) FROM t \\; ROLLBACK'
\i :why
\set q 'BEGIN \\; CREATE TYPE mine AS (a int) \\; SELECT count(ROW(a)::mine) FROM t \\; ROLLBACK'
\i :why
\set q 'BEGIN \\; CREATE TYPE mine AS ENUM (\'b1\') \\; SELECT count(b = \'b1\'::mine::text) FROM t \\; ROLLBACK'
\i :why
SET track_counts = off;
\set q 'BEGIN \\; UPDATE t SET a = a + 1 \\; SELECT sum(a) FROM t \\; ROLLBACK'
\i :why
RESET track_counts;
-- finished in the middle
BEGIN;
UPDATE t SET a = a + 1 WHERE id = 1;
PREPARE TRANSACTION 'perfopt_reasons';
\set q 'SELECT sum(a) FROM t'
\i :why
COMMIT PREPARED 'perfopt_reasons';
\i :why

-- 64 kB are the limit, whatever the plan and the way that the value is stored
CREATE TABLE long (v text);
INSERT INTO long VALUES (repeat('x', 65536)), (repeat('x', 65537)), ('x');
PREPARE long(text) AS SELECT count(*), min(length(v)) FROM long WHERE v = $1;
SET plan_cache_mode = force_custom_plan;
\set q 'EXECUTE long(repeat(''x'', 65536))'
\i :why
\set q 'EXECUTE long(repeat(''x'', 65537))'
\i :why
SET plan_cache_mode = force_generic_plan;
\set q 'EXECUTE long(repeat(''x'', 65536))'
\i :why
\set q 'EXECUTE long(repeat(''x'', 65537))'
\i :why
\set q 'EXECUTE long(''x'')'
\i :why
DEALLOCATE long;
RESET plan_cache_mode;
-- a constant is hashed once for each plan, so it may be longer
SELECT format('SELECT count(*) FROM long WHERE v = %L /* long */', repeat('x', 70000)) AS long \gset
SET perfopt.cache = force;
:long;
:long;
SET perfopt.cache = off;
SELECT hits FROM perfopt_cache_entries WHERE query LIKE 'SELECT count(*) FROM long%';

-- what the session does not have
\set q 'SELECT count(*) FROM t WHERE CASE WHEN id < 0 THEN b = current_setting(\'my.none\') ELSE true END'
\i :why

-- a function that the plan does without, and that the caller may not execute:
-- he may see the rows, but not from the cache; nor may he call the function
CREATE ROLE perfopt_reasons;
GRANT USAGE ON SCHEMA reasons TO perfopt_reasons;
GRANT SELECT ON t TO perfopt_reasons;
CREATE FUNCTION native(int) RETURNS int IMMUTABLE LANGUAGE internal AS 'int4abs';
REVOKE EXECUTE ON FUNCTION native FROM PUBLIC;
\set q 'SELECT sum(CASE WHEN false THEN native(a) ELSE a END) FROM t'
\i :why
SET perfopt.cache = manual;
SET ROLE perfopt_reasons;
EXPLAIN (COSTS OFF) :q /* perfopt: cache */;
:q /* perfopt: cache */;
SELECT sum(native(a)) FROM t /* perfopt: cache */;
RESET ROLE;
SELECT sum(native(a)) FROM t /* perfopt: cache */;
SET ROLE perfopt_reasons;
SELECT sum(native(a)) FROM t /* perfopt: cache */;
RESET ROLE;
DROP FUNCTION native;

\echo '== why the answer was not kept'
-- a plan that is older than a message this session got: it is made anew
SET perfopt.cache = force;
PREPARE older AS SELECT sum(a), 'older' AS older FROM t;
EXECUTE older;
CREATE COLLATION reasons.c (locale = 'C');
UPDATE t SET a = a + 1 WHERE id = 1;
SELECT public.perfopt_reset() \gset why_
EXECUTE older;
EXECUTE older;
:counted
EXECUTE older;
DEALLOCATE older;

SET perfopt.cache_max_result = '1kB';
\set q 'SELECT id, b FROM t ORDER BY id LIMIT 20'
\i :why
\set q 'SELECT id, b FROM t ORDER BY id LIMIT 60'
\i :why
SET perfopt.debug_reserve = on;
\set q 'SELECT id, b FROM t ORDER BY id LIMIT 61'
\i :why
RESET perfopt.debug_reserve;
RESET perfopt.cache_max_result;

-- what the client was told; it is not kept whatever he hears of it, but if
-- he hears nothing
CREATE TABLE words (w text);
INSERT INTO words VALUES ('the'), ('word');
\set q 'SELECT to_tsquery(''english'', w) FROM words'
\i :why
SET client_min_messages = error;
\i :why
SET client_min_messages = notice;
\echo SET client_min_messages = notice
:q;
:forget
:q;
:q;
:counted
SET client_min_messages = log;
\echo SET client_min_messages = log
:forget
:q;
:q;
:counted
SET client_min_messages = notice;
SET plan_cache_mode = force_generic_plan;
PREPARE tell(text) AS SELECT to_tsquery('english', $1) FROM words LIMIT 1;
\set q 'EXECUTE tell(''word'')'
\i :why
\echo EXECUTE tell('the')
EXECUTE tell('the');
:forget
EXECUTE tell('the');
EXECUTE tell('the');
:counted
DEALLOCATE tell;
RESET plan_cache_mode;
SET perfopt.debug_reserve = on;
\echo SET perfopt.debug_reserve = on
:forget
SELECT to_tsquery('english', w) FROM words WHERE true;
SELECT to_tsquery('english', w) FROM words WHERE true;
:counted
RESET perfopt.debug_reserve;
SET client_min_messages = warning;

\echo '== temporary tables'
\set q 'SELECT count(*) FROM parent'
\i :why
CREATE TEMP TABLE own (a int);
\set q 'SELECT ROW(id)::own FROM t WHERE id < 3 ORDER BY id'
\i :why
ALTER TABLE own RENAME a TO b;
\set q 'SELECT row_to_json(ROW(id)::own) FROM t WHERE id < 3 ORDER BY id'
\i :why
ALTER TABLE own RENAME b TO a;
\set q 'SELECT count(*) FROM own'
\i :why
\set q 'SELECT count(*) FROM parent'
\i :why

SET perfopt.cache = off;
DROP FOREIGN DATA WRAPPER nothing CASCADE;
DROP SCHEMA reasons CASCADE;
DROP ACCESS METHOD reasons_heap;
DROP ROLE perfopt_reasons;
