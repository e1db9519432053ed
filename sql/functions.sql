--
-- SQL functions whose body is one expression are judged by that.
--
CREATE SCHEMA fn;
SET search_path = fn, public;
SET client_min_messages = warning;
CREATE TABLE t (id int PRIMARY KEY, a int, b text, f float8, at timestamptz);
INSERT INTO t SELECT g, g % 5, 'b' || g, g / 7.0::float8,
	timestamptz '2024-01-01 12:00+00' + g * interval '7 hours'
	FROM generate_series(1, 20) AS g;
CREATE TABLE u (n int);
INSERT INTO u VALUES (5);
CREATE TYPE pair AS (x int, y int);
CREATE DOMAIN anyint AS int;
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE FUNCTION native(int) RETURNS int IMMUTABLE LANGUAGE internal
	AS 'int4abs';
CREATE FUNCTION pl(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
	AS 'BEGIN RETURN $1; END';

-- yes, whatever the label
CREATE FUNCTION plain(a int) RETURNS int RETURN a + 1;
CREATE FUNCTION stable(a int, b text) RETURNS text STABLE
	RETURN coalesce(b, 'none') || a;
CREATE FUNCTION fixed(a int) RETURNS int IMMUTABLE STRICT
	RETURN CASE WHEN a > 2 THEN a * 10 ELSE coalesce(a, -1) END;
CREATE FUNCTION block(a int) RETURNS int BEGIN ATOMIC SELECT a - 1; END;
CREATE FUNCTION nothing() RETURNS text RETURN 'nothing'::text;
CREATE FUNCTION "unused"(a int) RETURNS int IMMUTABLE RETURN 7;
CREATE FUNCTION one_out(a int, OUT b int) RETURN a * 2;
CREATE FUNCTION by_name(a int, b int) RETURNS int RETURN a - b;
CREATE FUNCTION to_pair(a int) RETURNS pair RETURN ROW(a, -a)::pair;
CREATE FUNCTION of_pair(p pair) RETURNS int RETURN p.x + p.y;
CREATE FUNCTION of_row(t) RETURNS int RETURN ($1).a;
CREATE FUNCTION of_array(int[]) RETURNS int RETURN $1[1] + cardinality($1);
CREATE FUNCTION day(timestamptz) RETURNS text STABLE
	RETURN to_char($1, 'YYYY-MM-DD');
CREATE FUNCTION mislabelled(timestamptz) RETURNS text IMMUTABLE
	RETURN to_char($1, 'HH24:MI');
CREATE FUNCTION digits(float8) RETURNS text IMMUTABLE RETURN $1::text;
CREATE FUNCTION inner_native(a int) RETURNS int RETURN native(a);
CREATE FUNCTION in_domain(a anyint) RETURNS anyint RETURN a;
CREATE FUNCTION outer_plain(a int) RETURNS int RETURN plain(a) + fixed(a);
CREATE FUNCTION same(a int, b text) RETURNS bool RETURN a::text = b;
CREATE FUNCTION differ(a int, b text) RETURNS bool RETURN a::text <> b;
CREATE OPERATOR === (FUNCTION = same, LEFTARG = int, RIGHTARG = text,
	NEGATOR = !==);
CREATE OPERATOR !== (FUNCTION = differ, LEFTARG = int, RIGHTARG = text,
	NEGATOR = ===);
CREATE CAST (int AS pair) WITH FUNCTION to_pair(int);

-- no
CREATE FUNCTION string(int) RETURNS int IMMUTABLE LANGUAGE sql
	AS 'SELECT $1 + 1';
CREATE FUNCTION reads(a int) RETURNS int STABLE
	RETURN (SELECT max(n) + a FROM u);
CREATE FUNCTION from_table(a int) RETURNS int STABLE
	BEGIN ATOMIC SELECT n + a FROM u; END;
CREATE FUNCTION filtered(a int) RETURNS int
	BEGIN ATOMIC SELECT a WHERE a > 2; END;
CREATE FUNCTION limited(a int) RETURNS int
	BEGIN ATOMIC SELECT a LIMIT 0; END;
CREATE FUNCTION ordered(a int) RETURNS int
	BEGIN ATOMIC SELECT a ORDER BY 1; END;
CREATE FUNCTION grouped(a int) RETURNS int
	BEGIN ATOMIC SELECT a GROUP BY (); END;
CREATE FUNCTION aggregated(a int) RETURNS bigint
	BEGIN ATOMIC SELECT count(a); END;
CREATE FUNCTION windowed(a int) RETURNS bigint
	BEGIN ATOMIC SELECT count(a) OVER (); END;
CREATE FUNCTION both_of(a int) RETURNS int
	BEGIN ATOMIC SELECT a UNION SELECT a; END;
CREATE FUNCTION with_cte(a int) RETURNS int
	BEGIN ATOMIC WITH x AS (SELECT 1) SELECT a; END;
CREATE FUNCTION lookup(a int) RETURNS int
	BEGIN ATOMIC SELECT x FROM (VALUES (a), (2)) AS v(x); END;
CREATE FUNCTION two(a int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT a; END;
CREATE FUNCTION empty(a int) RETURNS void BEGIN ATOMIC END;
CREATE FUNCTION writes(a int) RETURNS int
	BEGIN ATOMIC INSERT INTO u VALUES (a) RETURNING n; END;
CREATE FUNCTION several(a int) RETURNS SETOF int RETURN a;
CREATE FUNCTION series(a int) RETURNS int RETURN generate_series(a, a);
CREATE FUNCTION cast_later(a int) RETURNS bigint RETURN a;
CREATE FUNCTION as_owner(a int) RETURNS int SECURITY DEFINER RETURN a;
CREATE FUNCTION with_setting(a int) RETURNS int SET extra_float_digits = 0
	RETURN a;
CREATE FUNCTION with_default(a int, b int DEFAULT pl(1)) RETURNS int
	RETURN a + b;
CREATE FUNCTION many(VARIADIC a int[]) RETURNS int RETURN a[1];
CREATE FUNCTION two_out(a int, OUT b int, OUT c int) RETURN ROW(a, a);
CREATE FUNCTION in_checked(a int) RETURNS positive RETURN a::positive;
CREATE PROCEDURE no_function(a int) BEGIN ATOMIC SELECT a; END;
CREATE FUNCTION at_now() RETURNS timestamptz STABLE RETURN now();
CREATE FUNCTION at_random() RETURNS float8 RETURN random();
CREATE FUNCTION who() RETURNS name STABLE RETURN current_user;
CREATE FUNCTION outer_pl(a int) RETURNS int IMMUTABLE RETURN pl(a);
CREATE FUNCTION outer_reads(a int) RETURNS int RETURN plain(reads(a));
CREATE FUNCTION named(a int) RETURNS regclass RETURN a::oid::regclass;
CREATE FUNCTION to_named(a text) RETURNS regclass RETURN a::regclass;
CREATE FUNCTION recursive(a int) RETURNS int RETURN 1;
CREATE OR REPLACE FUNCTION recursive(a int) RETURNS int
	RETURN CASE WHEN a <= 1 THEN 1 ELSE a * recursive(a - 1) END;
CREATE FUNCTION less(a int, b text) RETURNS bool RETURN a::text < b;
CREATE FUNCTION compare(a int, b text) RETURNS int RETURN a - length(b);
CREATE OPERATOR <<<< (FUNCTION = less, LEFTARG = int, RIGHTARG = text);
CREATE OPERATOR FAMILY mixed USING btree;
ALTER OPERATOR FAMILY mixed USING btree ADD OPERATOR 1 <<<< (int, text),
	FUNCTION 1 (int, text) compare(int, text);
CREATE FUNCTION reads_too(a int, b text) RETURNS bool STABLE
	RETURN (SELECT max(n) <> a FROM u);
CREATE OPERATOR ==== (FUNCTION = same, LEFTARG = int, RIGHTARG = text,
	NEGATOR = !====);
CREATE OPERATOR !==== (FUNCTION = reads_too, LEFTARG = int, RIGHTARG = text,
	NEGATOR = ====);
CREATE AGGREGATE total(int) (SFUNC = by_name, STYPE = int, INITCOND = '0');

SELECT call, cacheable, reason, object
FROM unnest(ARRAY['plain(a)', 'stable(a, b)', 'fixed(a)', 'block(a)',
	'nothing()', 'unused(a)', 'one_out(a)', 'by_name(b => 1, a => a)',
	'to_pair(a)', 'of_pair(to_pair(a))', 'of_row(t)',
	'of_array(ARRAY[a, 1])', 'day(at)', 'mislabelled(at)', 'digits(f)',
	'inner_native(a)', 'in_domain(a)', 'outer_plain(a)', 'a === b',
	'NOT (a === b)', 'a === ANY (ARRAY[b])', 'a::pair',
	'(SELECT x FROM to_pair(a))', 'sum(plain(a)) FILTER (WHERE a === b)',
	'string(a)', 'reads(a)', 'from_table(a)', 'filtered(a)', 'limited(a)',
	'ordered(a)', 'grouped(a)', 'aggregated(a)', 'windowed(a)', 'both_of(a)',
	'with_cte(a)', 'lookup(a)', 'two(a)', 'empty(a)', 'writes(a)',
	'several(a)', 'series(a)', 'cast_later(a)', 'as_owner(a)',
	'with_setting(a)', 'with_default(a)', 'with_default(a, 1)', 'many(a)',
	'many(a, a)', 'two_out(a)',
	'in_checked(a)', 'at_now()', 'at_random()', 'who()', 'outer_pl(a)',
	'outer_reads(a)', 'named(a)', 'to_named(b)', 'recursive(a)', 'a <<<< b',
	'a ==== b', 'NOT (a ==== b)', 'total(a)', 'plain(pl(a))'])
	WITH ORDINALITY AS c(call, n),
	perfopt_cache_check('SELECT ' || call || ' FROM t') ORDER BY n;

-- nested at last too deep
CREATE FUNCTION deep_0(a int) RETURNS int RETURN a;
DO $$
BEGIN
	FOR i IN 1..9 LOOP
		EXECUTE format('CREATE FUNCTION deep_%s(a int) RETURNS int
			RETURN deep_%s(a)', i, i - 1);
	END LOOP;
END $$;
SELECT bool_and(cacheable) FILTER (WHERE i < 2) AS shallow,
	bool_or(cacheable) FILTER (WHERE i > 7) AS deep
FROM generate_series(0, 9) AS i,
	perfopt_cache_check(format('SELECT deep_%s(a) FROM t', i));
-- and too many
DO $$
BEGIN
	FOR i IN 1..65 LOOP
		EXECUTE format('CREATE FUNCTION many_%s(a int) RETURNS int
			RETURN a + %s', i, i);
	END LOOP;
END $$;
SELECT n, cacheable, reason, object
FROM (VALUES (64), (65)) AS v(n),
	LATERAL (SELECT string_agg(format('many_%s(a)', i), ' + ') AS expr
		FROM generate_series(1, n) AS i) AS x,
	perfopt_cache_check('SELECT ' || expr || ' FROM t');

\getenv srcdir PG_ABS_SRCDIR
\set dir :srcdir '/sql/'
\set setup :dir 'setup.psql'
\i :setup
\set ECHO none

\echo '== served'
\set q 'SELECT plain(id), stable(a, b), fixed(a), fixed(NULL), block(a), nothing(), unused(a), one_out(a), by_name(b => 1, a => a) FROM t ORDER BY id'
\i :twice
\set q 'SELECT to_pair(a), of_pair(to_pair(a)), of_row(t), of_array(ARRAY[a, 1]), inner_native(-a), in_domain(a), a::pair FROM t ORDER BY id'
\i :twice
\set q 'SELECT id, x, y FROM t, to_pair(t.a) WHERE outer_plain(id) > 20 ORDER BY id'
\i :twice
\set q 'SELECT id, a === b, NOT (a === b), a === ANY (ARRAY[b, a::text]) FROM t WHERE NOT (id === \'3\') AND id === ANY (\'{1,3,4}\') ORDER BY id'
\i :twice
\set q 'SELECT fixed(a), sum(plain(id)) FILTER (WHERE id !== \'1\'), count(*) FROM t GROUP BY fixed(a) HAVING plain(count(*)::int) > 1 ORDER BY fixed(a)'
\i :twice
\set q 'SELECT x.id, y.id FROM t AS x JOIN t AS y ON plain(x.id) = fixed(y.id) ORDER BY 1, 2'
\i :twice
\set q 'SELECT plain(1), fixed(5), nothing(), count(*) FROM t'
\i :twice
\set q 'SELECT id FROM t WHERE day(at) = \'2024-01-02\' ORDER BY id'
\i :twice
\set q 'SELECT sum(recursive(a)), max(reads(a)), max(pl(a)) FROM t'
\i :twice

\echo '== settings that a body depends on'
\set q 'SELECT day(at), mislabelled(at), digits(f), mislabelled(\'2024-01-01 12:00+00\'), digits(0.1) FROM t ORDER BY id LIMIT 3'
\i :twice
\set d 'SET TimeZone = \'Asia/Tokyo\''
\i :change
\set d 'SET extra_float_digits = -9'
\i :change
\set d 'RESET extra_float_digits; RESET TimeZone'
\i :change

\echo '== columns that are computed when they are read, since 18'
SELECT current_setting('server_version_num')::int >= 180000 AS has_virtual \gset
CREATE TABLE computed (a int);
INSERT INTO computed VALUES (1), (2);
CREATE PROCEDURE compute(expr text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER TABLE computed DROP COLUMN IF EXISTS b');
	EXECUTE format('ALTER TABLE computed ADD COLUMN b int
		GENERATED ALWAYS AS (%s) %s', expr, CASE
		WHEN current_setting('server_version_num')::int >= 180000
		THEN 'VIRTUAL' ELSE 'STORED' END);
END $$;
CALL compute('a + 1');
\set q 'SELECT sum(b) FROM computed'
\i :twice
\set d 'CALL compute(\'a * a\')'
\i :change
\set d 'UPDATE computed SET a = a + 1'
\i :change
\if :has_virtual
CREATE TABLE lies (a regclass,
	b regclass GENERATED ALWAYS AS (pg_partition_root(a)) VIRTUAL);
SELECT reason = 'stable_function' AS judged
FROM perfopt_cache_check('SELECT a FROM lies') \gset
\if :judged
\else
\echo a virtual column is not judged
\endif
\endif

\echo '== replaced'
\set q 'SELECT sum(plain(a)), sum(outer_plain(a)) FROM t'
\i :twice
\set d 'CREATE OR REPLACE FUNCTION plain(a int) RETURNS int RETURN a + 2'
\i :change
\set d 'CREATE OR REPLACE FUNCTION fixed(a int) RETURNS int IMMUTABLE RETURN a * 3'
\i :change
\set d 'CREATE OR REPLACE FUNCTION plain(a int) RETURNS int STABLE RETURN a + (SELECT max(n) FROM fn.u)'
\i :change
\set d 'UPDATE u SET n = n + 1'
\i :change
\set d 'CREATE OR REPLACE FUNCTION plain(a int) RETURNS int RETURN a + 1'
\i :change
\set d 'BEGIN; CREATE OR REPLACE FUNCTION plain(a int) RETURNS int RETURN a + 3'
\i :change
\set d 'ROLLBACK'
\i :change
\set d 'BEGIN; CREATE OR REPLACE FUNCTION plain(a int) RETURNS int RETURN a + 3; COMMIT'
\i :change
\set d 'ALTER FUNCTION plain(int) SECURITY DEFINER'
\i :change
\set d 'ALTER FUNCTION plain(int) SECURITY INVOKER'
\i :change
\set d 'ALTER FUNCTION plain(int) SET TimeZone = \'UTC\''
\i :change
\set d 'ALTER FUNCTION plain(int) RESET ALL'
\i :change
\set d 'ALTER FUNCTION plain(int) STRICT'
\i :change
\set d 'ALTER FUNCTION plain(int) OWNER TO CURRENT_USER'
\i :change
\set d 'ALTER FUNCTION plain(int) RENAME TO plainer; CREATE FUNCTION plain(a int) RETURNS int RETURN -a'
\i :change
\set d 'DROP FUNCTION plain(int); CREATE FUNCTION plain(a int) RETURNS int RETURN a * a'
\i :change
\set d 'DROP FUNCTION plain(int); CREATE FUNCTION plain(a int) RETURNS int LANGUAGE sql AS \'SELECT max(n) + $1 FROM fn.u\''
\i :change
\set d 'UPDATE u SET n = n + 1'
\i :change
\set d 'DROP FUNCTION plain(int); CREATE FUNCTION plain(a int) RETURNS int RETURN a + 1; CREATE OR REPLACE FUNCTION outer_plain(a int) RETURNS int RETURN plain(a) + fixed(a)'
\i :change
\set q 'SELECT id, of_pair(to_pair(a)), to_pair(a) FROM t WHERE id < 3 ORDER BY id'
\i :twice
\set d 'ALTER TYPE pair RENAME ATTRIBUTE y TO yy'
\i :change
\set d 'ALTER TYPE pair ADD ATTRIBUTE z int'
\i :change
\set q 'SELECT id, a === b, NOT (a === b) FROM t ORDER BY id LIMIT 2'
\i :twice
\set d 'CREATE OR REPLACE FUNCTION differ(a int, b text) RETURNS bool RETURN true'
\i :change
\set d 'CREATE OR REPLACE FUNCTION differ(a int, b text) RETURNS bool LANGUAGE plpgsql AS \'BEGIN RETURN false; END\''
\i :change

\unset d
\echo '== prepared: called, inlined, folded, also inside another function'
SET plan_cache_mode = force_generic_plan;
CREATE FUNCTION deepest(a int) RETURNS int IMMUTABLE RETURN a + 1;
CREATE FUNCTION inlined(a int) RETURNS int IMMUTABLE RETURN deepest(a) * 2;
CREATE FUNCTION called(a int) RETURNS int IMMUTABLE STRICT
	RETURN coalesce(deepest(a), 0) * 2;
PREPARE p_inlined AS SELECT sum(inlined(a)) FROM t;
PREPARE p_called AS SELECT sum(called(a)) FROM t;
PREPARE p_folded AS SELECT inlined(1), called(1), count(*) FROM t;
PREPARE p_param(int) AS SELECT sum(inlined($1)), sum(called(a + $1)) FROM t;
\set q1 'SELECT sum(inlined(a)) FROM t'
\set q2 'SELECT sum(called(a)) FROM t'
\set q3 'SELECT inlined(1), called(1), count(*) FROM t'
\set q4 'SELECT sum(inlined(3)), sum(called(a + 3)) FROM t'
\i :each
\echo '== another body'
CREATE OR REPLACE FUNCTION deepest(a int) RETURNS int IMMUTABLE RETURN a + 10;
\i :each
\echo '== a body that reads a table'
CREATE OR REPLACE FUNCTION deepest(a int) RETURNS int IMMUTABLE
	LANGUAGE plpgsql AS 'BEGIN RETURN a + (SELECT max(n) FROM fn.u); END';
\set q :q1
\set e 'EXECUTE p_inlined'
\i :follows
\set d 'UPDATE u SET n = n + 1'
\i :follows
\set q :q2
\set e 'EXECUTE p_called'
\i :follows
\set d 'UPDATE u SET n = n + 1'
\i :follows
\set q :q4
\set e 'EXECUTE p_param(3)'
\i :follows
\set d 'UPDATE u SET n = n + 1'
\i :follows
\set q :q3
\set e 'EXECUTE p_folded'
\set d 'CREATE OR REPLACE FUNCTION deepest(a int) RETURNS int LANGUAGE sql AS \'SELECT a + max(n) FROM fn.u\''
\i :follows
\set d 'UPDATE u SET n = n + 1'
\i :change
\set d 'ALTER FUNCTION inlined(int) STABLE; ALTER FUNCTION called(int) STABLE'
\i :follows
\set d 'UPDATE u SET n = n + 1'
\i :follows
\echo '== and back'
CREATE OR REPLACE FUNCTION deepest(a int) RETURNS int IMMUTABLE RETURN a + 1;
\i :each
\set q :q3
\set e 'EXECUTE p_folded'
\set d 'UPDATE u SET n = n + 1'
\i :follows
\echo '== planned from an answer, executed when it is gone'
DEALLOCATE p_folded;
SELECT perfopt_invalidate_all();
PREPARE p_folded AS SELECT inlined(1), called(1), count(*) FROM t;
\set q :q3
\i :twice
\set e 'EXECUTE p_folded'
\i :follows
\set d 'UPDATE t SET a = a WHERE id = 1'
\i :follows
\set d 'CREATE OR REPLACE FUNCTION deepest(a int) RETURNS int IMMUTABLE RETURN a + 5'
\i :follows
DEALLOCATE ALL;
RESET plan_cache_mode;

\set ECHO all
SET perfopt.cache = off;
SELECT differences, errors FROM perfopt_cache_stats
WHERE datname = current_database();

-- since 18 a session keeps plans of bodies; what is outdated there reaches
-- nobody else
CREATE FUNCTION kept_text(text) RETURNS text STRICT
	RETURN coalesce((1 / 3.0)::float8::text, '') || $1;
CREATE FUNCTION kept_quoted(text) RETURNS text STRICT
	RETURN coalesce(quote_ident('a'), '') || $1;
CREATE FUNCTION kept_deepest(int) RETURNS int IMMUTABLE RETURN $1 + 1;
CREATE FUNCTION kept_inner(int) RETURNS int IMMUTABLE RETURN kept_deepest($1);
CREATE FUNCTION kept_call(text) RETURNS text STRICT
	RETURN coalesce(kept_inner(1)::text, '') || $1;
\set q 'SELECT max(kept_text(b)) FROM t; SELECT max(kept_quoted(b)) FROM t; SELECT max(kept_call(b)) FROM t'
SET perfopt.cache = force;
SET extra_float_digits = -9;
SET quote_all_identifiers = on;
:q;
RESET extra_float_digits;
RESET quote_all_identifiers;
CREATE OR REPLACE FUNCTION kept_deepest(int) RETURNS int IMMUTABLE
	RETURN $1 + 100;
\o /dev/null
:q;
\o
\c -
SET search_path = fn, public;
SET client_min_messages = warning;
SET perfopt.cache = force;
:q;
SET perfopt.cache = off;
:q;

-- EXECUTE: of a function, and of what is in its body
\set SHOW_CONTEXT never
CREATE ROLE perfopt_fn_user;
GRANT USAGE ON SCHEMA fn TO perfopt_fn_user;
GRANT SELECT ON t TO perfopt_fn_user;
CREATE FUNCTION inside(a int) RETURNS int IMMUTABLE RETURN a + 3;
CREATE FUNCTION within(a int) RETURNS int IMMUTABLE RETURN inside(a);
CREATE FUNCTION around(a int) RETURNS int IMMUTABLE STRICT
	RETURN coalesce(inside(a), 0);
CREATE OPERATOR @+ (FUNCTION = around, RIGHTARG = int);
\set start 'SET search_path = fn, public; SET client_min_messages = warning; SET perfopt.cache_min_calls = 1; SET perfopt.cache_min_time = 0; SET perfopt.cache = auto'
\set hits 'SELECT coalesce(sum(hits), 0) AS hits FROM perfopt_cache_stats() JOIN pg_database AS d ON d.oid = dbid WHERE datname = current_database()'
\set count 'SELECT hits - :before_hits AS hits FROM (:hits) AS h'
\set ask 'SELECT sum(within(a)) FROM t; SELECT sum(around(a)) FROM t; SELECT around(1), count(*) FROM t; SELECT max(@+ a) FROM t'
:start;
:ask;
:hits \gset before_
SET ROLE perfopt_fn_user;
:ask;
RESET ROLE;
:count;
-- of the function itself
REVOKE EXECUTE ON FUNCTION around(int) FROM PUBLIC;
:ask;
:hits \gset before_
SET ROLE perfopt_fn_user;
:ask;
SET perfopt.cache = off;
:ask;
RESET ROLE;
:count;
GRANT EXECUTE ON FUNCTION around(int) TO PUBLIC;
-- of one inside; in sessions of their own, since 18 keeps what it inlined for
-- another role
REVOKE EXECUTE ON FUNCTION inside(int) FROM PUBLIC;
\c -
:start;
:ask;
\c -
:start;
:hits \gset before_
SET perfopt.cache = force;
SET ROLE perfopt_fn_user;
:ask;
PREPARE p AS SELECT sum(around(a)) FROM t;
EXECUTE p;
SET perfopt.cache = off;
:ask;
EXECUTE p;
RESET ROLE;
:count;
-- granted again
GRANT EXECUTE ON FUNCTION inside(int) TO perfopt_fn_user;
\c -
:start;
:ask;
\c -
:start;
:hits \gset before_
SET ROLE perfopt_fn_user;
:ask;
PREPARE p AS SELECT sum(around(a)) FROM t;
EXECUTE p;
RESET ROLE;
:count;

SET client_min_messages = warning;
DROP SCHEMA fn CASCADE;
DROP ROLE perfopt_fn_user;
