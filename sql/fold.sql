--
-- Calls that tell of the session or of the moment: their value is part of the
-- key.  Each answer is compared with that of an execution.
--
CREATE SCHEMA fold;
SET search_path = fold, public;
CREATE TABLE t (id int PRIMARY KEY, tenant text, at timestamptz, local timestamp,
	d date);
INSERT INTO t SELECT g, (ARRAY['a', 'b', ''])[g % 3 + 1],
	CURRENT_DATE - g * interval '5 hours', CURRENT_DATE - g * interval '7 hours',
	CURRENT_DATE - g % 10
	FROM generate_series(1, 60) AS g;
INSERT INTO t VALUES (100, NULL, NULL, NULL, NULL);
CREATE VIEW week AS SELECT id, tenant FROM t
	WHERE at > (now() - interval '7 days')::date;

-- what is folded: the largest part that is the same for a second or more
SET DateStyle = ISO;
SET IntervalStyle = postgres;
SET TimeZone = 'UTC';
SET app.tenant = 'a';
SET app.id = '1';
SELECT call, cacheable, reason, object,
	regexp_replace(folded_values::text, ' = ''[-0-9 :+.]+''', ' = (time)', 'g') AS folded
FROM unnest(ARRAY['tenant = current_user', 'tenant = user',
	'tenant = current_role', 'tenant = session_user',
	'tenant = "current_user"()', 'tenant = "session_user"()',
	'tenant = getpgusername()', 'tenant = current_catalog',
	'tenant = current_database()', 'tenant = current_schema',
	'tenant = current_schema()', 'tenant = ANY (current_schemas(false))',
	'tenant = ANY (current_schemas(tenant = ''a''))',
	'tenant = pg_client_encoding()',
	'tenant = current_setting(''app.tenant'')',
	'tenant = current_setting(''app.tenant'', true)',
	'tenant = current_setting(''app.none'', true)',
	'tenant = current_setting(NULL)',
	'tenant = current_setting(''data_directory'')',
	'tenant = current_setting($1)', 'tenant = current_setting($1::varchar, $2)',
	'tenant = current_setting(tenant)',
	'tenant = current_setting(''app.'' || tenant)',
	'tenant = current_setting(''app.tenant'') AND tenant <> current_setting(''app.tenant'')',
	'id = current_setting(''app.id'')::int',
	'd = CURRENT_DATE', 'd > CURRENT_DATE - 7', 'd > CURRENT_DATE - $1::int',
	'at > CURRENT_DATE - interval ''1 week''',
	'at > now()', 'at > CURRENT_TIMESTAMP', 'local > LOCALTIMESTAMP',
	'at > CURRENT_TIMESTAMP(3)', 'at > CURRENT_TIMESTAMP(0)',
	'local > LOCALTIMESTAMP(0)', 'at::timetz > CURRENT_TIME',
	'local::time > LOCALTIME(0)',
	'at > transaction_timestamp()', 'at > statement_timestamp()',
	'at > clock_timestamp()', 'at > now() - interval ''1 day''',
	'd > now()::date', 'd > statement_timestamp()::date',
	'd > LOCALTIMESTAMP::date', 'd > (now() - interval ''1 day'')::date',
	'd > (LOCALTIMESTAMP - interval ''1 day'' + interval ''1 hour'')::date',
	'd > (now() - at)::text::date', 'at > now() - (now() - at)',
	'd > date(now() + interval ''1 day'' - interval ''2 days'')',
	'd > (now() - interval ''1000 years'')::date',
	'd > (now() - interval ''1001 years'')::date',
	'd > (now() - $1::interval)::date', 'd > (at - interval ''1 day'')::date',
	'd > (now() AT TIME ZONE ''Europe/Berlin'')::date',
	'd > (now() AT TIME ZONE $1)::date', 'd > (now() AT TIME ZONE tenant)::date',
	'd > (now() AT TIME ZONE ''Nowhere/Else'')::date',
	'at > date_trunc(''hour'', now())',
	'at > date_trunc(''HOUR'', now() - interval ''1 day'')',
	'at > date_trunc(''hour'', now()) - interval ''1 day''',
	'd > (date_trunc(''hour'', now()) - interval ''1 day'')::date',
	'at > date_trunc(''day'', now(), ''Asia/Tokyo'')',
	'at > date_trunc(''day'', now(), ''Nowhere/Else'')',
	'at > date_trunc(''week'', now() AT TIME ZONE ''UTC'') AT TIME ZONE ''UTC''',
	'local > date_trunc(''month'', LOCALTIMESTAMP)',
	'at > date_trunc(''milliseconds'', now())', 'at > date_trunc($1, now())',
	'at > date_trunc(NULL, now())', 'at > date_trunc(tenant, now())',
	'at > date_trunc(''no unit'', now())',
	'at > now()::timestamptz(0)', 'at > now()::timestamp(2)',
	'id > extract(hour FROM now())', 'id > extract(epoch FROM now())',
	'id > extract(second FROM now())', 'id > date_part(''dow'', now())',
	'id > extract(year FROM LOCALTIMESTAMP)', 'id > extract(day FROM CURRENT_DATE)',
	'tenant = to_char(now(), ''YYYY'')', 'age(now()) < interval ''1 day''',
	'CASE WHEN id > 0 THEN true ELSE d = CURRENT_DATE END',
	'id IN (SELECT x.id FROM t AS x WHERE x.tenant = current_user)'])
	WITH ORDINALITY AS c(call, n),
	perfopt_cache_check('SELECT id FROM t WHERE ' || call) ORDER BY n;
SELECT cacheable, (SELECT array_agg(v ORDER BY v COLLATE "C")
	FROM unnest(folded_values) AS v) AS folded
FROM perfopt_cache_check('SELECT current_user, tenant
	FROM t, current_setting(''app.tenant'') AS s GROUP BY tenant, current_user
	ORDER BY current_user LIMIT length(current_setting(''app.tenant''))');
SELECT cacheable, reason FROM perfopt_cache_check('SELECT id FROM week');

-- operators that are these functions are not known for them
CREATE OPERATOR ?? (FUNCTION = current_setting, RIGHTARG = text);
SELECT cacheable, reason, object
FROM perfopt_cache_check('SELECT id FROM t WHERE tenant = ?? ''app.tenant''');

-- who may not call them is not told what they say
CREATE ROLE perfopt_fold;
GRANT USAGE ON SCHEMA fold TO perfopt_fold;
GRANT SELECT ON t TO perfopt_fold;
REVOKE EXECUTE ON FUNCTION current_setting(text) FROM PUBLIC;
SET ROLE perfopt_fold;
SELECT cacheable, folded_values FROM perfopt_cache_check(
	'SELECT current_setting(''app.tenant'') FROM t');
RESET ROLE;
GRANT EXECUTE ON FUNCTION current_setting(text) TO PUBLIC;

-- in functions' bodies, as if they stood in the statement
CREATE FUNCTION tenant() RETURNS text STABLE RETURN current_setting('app.tenant');
CREATE FUNCTION tenant_id() RETURNS int STABLE
	RETURN length(current_setting('app.tenant'));
CREATE FUNCTION around() RETURNS int STABLE RETURN length(tenant());
CREATE FUNCTION any_label() RETURNS text RETURN current_setting('app.tenant');
CREATE FUNCTION constant() RETURNS text IMMUTABLE RETURN current_setting('app.tenant');
CREATE FUNCTION around_constant() RETURNS text STABLE RETURN constant();
CREATE FUNCTION constant_around() RETURNS int IMMUTABLE RETURN tenant_id();
CREATE FUNCTION around_twice() RETURNS int STABLE RETURN constant_around();
CREATE FUNCTION setting(name text) RETURNS text STABLE RETURN current_setting(name);
CREATE FUNCTION today() RETURNS date STABLE RETURN now()::date;
CREATE FUNCTION moment() RETURNS timestamptz STABLE RETURN now();
CREATE FUNCTION as_owner() RETURNS name STABLE SECURITY DEFINER RETURN current_user;
CREATE FUNCTION inner_user(a text) RETURNS boolean STABLE STRICT RETURN a = current_user;
SELECT call, cacheable, reason, object, folded_values
FROM unnest(ARRAY['tenant = tenant()', 'id = tenant_id()',
	'tenant = any_label()', 'tenant = constant()',
	'id = constant_around()', 'id = tenant_id() AND id = constant_around()',
	'tenant = setting(''app.tenant'')', 'at = moment()',
	'tenant = as_owner()', 'inner_user(tenant)',
	'tenant = tenant() AND tenant = any_label() AND tenant = current_setting(''app.tenant'')'])
	WITH ORDINALITY AS c(call, n),
	perfopt_cache_check('SELECT id FROM t WHERE ' || call) ORDER BY n;
SELECT cacheable FROM perfopt_cache_check('SELECT id FROM t WHERE d = today()');
-- since 18 a session keeps plans of bodies, so more of the nested are refused
SELECT call, cacheable = (call = 'id = around()' AND version < 180000) AS as_expected
FROM unnest(ARRAY['id = around()', 'tenant = around_constant()',
	'id = around_twice()', 'id = around() AND id = around_twice()'])
	WITH ORDINALITY AS c(call, n),
	(SELECT current_setting('server_version_num')::int) AS v(version),
	perfopt_cache_check('SELECT id FROM t WHERE ' || call) ORDER BY n;

\getenv srcdir PG_ABS_SRCDIR
\set dir :srcdir '/sql/'
\set setup :dir 'setup.psql'
\i :setup
\set ECHO none
SET client_min_messages = warning;

\echo '== a setting'
\set q 'SELECT count(*), sum(id), current_setting(\'app.tenant\') AS s FROM t WHERE tenant = current_setting(\'app.tenant\')'
\i :twice
\set d 'SET app.tenant = \'b\''
\i :change
\set d 'SET app.tenant = \'\''
\i :change
\set d 'SET app.tenant = \'a\''
\i :change
\set d 'UPDATE t SET id = id + 1000 WHERE tenant = \'a\''
\i :change
\set d 'SET app.tenant = \'b\''
\i :change
\set d 'BEGIN; SET LOCAL app.tenant = \'a\''
\i :change
\set d 'SAVEPOINT s; SELECT set_config(\'app.tenant\', \'b\', true)'
\i :change
\set d 'ROLLBACK TO s'
\i :change
\set d 'COMMIT'
\i :change
\set d 'SELECT set_config(\'app.tenant\', \'a\', false)'
\i :change
\set d 'SET app.other = \'b\''
\i :change

\echo '== one that is cast'
\set q 'SELECT sum(id) FROM t WHERE id > current_setting(\'app.id\')::int'
\set d 'SET app.id = \'50\''
\i :change
\set d 'SET app.id = \'60\''
\i :change

\echo '== missing, empty, NULL'
\set q 'SELECT count(*), current_setting(\'app.later\', true) IS NULL AS n FROM t WHERE tenant = current_setting(\'app.later\', true) OR tenant IS NULL'
\i :twice
\set d 'BEGIN; SET LOCAL app.later = \'a\''
\i :change
\set d 'COMMIT'
\i :change
\set q 'SELECT count(*) FROM t WHERE CASE WHEN id < 0 THEN tenant = current_setting(\'app.missing\') ELSE true END'
\i :why
\set q 'SELECT count(*) FROM t WHERE CASE WHEN id < 0 THEN tenant = current_setting(\'data_directory\') ELSE true END'
\i :why
SET app.long = '';
SELECT set_config('app.long', repeat('x', 70000), false) IS NULL AS no \gset
\set q 'SELECT count(*) FROM t WHERE tenant <> current_setting(\'app.long\')'
\i :why
RESET app.long;
\set q 'SELECT count(*) FROM t WHERE tenant = current_setting(NULL) OR id < 5'
\i :twice

\echo '== names of the session'
\set q 'SELECT current_user, session_user, user, current_role, current_catalog, current_schema, current_schemas(true), current_schemas(false), count(*) FROM t'
\i :twice
\set d 'SET search_path = fold'
\i :change
\set d 'SET search_path = public, fold'
\i :change
\set d 'SET search_path = nowhere, public, fold'
\i :change
\set d 'CREATE SCHEMA nowhere'
\i :change
\set d 'ALTER SCHEMA nowhere RENAME TO elsewhere'
\i :change
\set d 'SET search_path = fold, public; DROP SCHEMA elsewhere'
\i :change
\set q 'SELECT current_user, session_user, count(*) FROM t'
\i :twice
\set twice_mode auto
SET perfopt.cache_min_calls = 1;
SET perfopt.cache_min_time = 0;
\set d 'SET ROLE perfopt_fold'
\i :change
\set d 'RESET ROLE'
\i :change
\set d 'ALTER ROLE perfopt_fold RENAME TO perfopt_fold_2; SET ROLE perfopt_fold_2'
\i :change
\set d 'RESET ROLE; ALTER ROLE perfopt_fold_2 RENAME TO perfopt_fold; SET ROLE perfopt_fold'
\i :change
\set d 'RESET ROLE; SET SESSION AUTHORIZATION perfopt_fold'
\i :change
\set d 'RESET SESSION AUTHORIZATION'
\i :change
\set twice_mode force
\echo '== the day, in one transaction'
BEGIN;
\set q 'SELECT count(*), CURRENT_DATE - max(d) AS day FROM t WHERE d > CURRENT_DATE - 3'
\i :twice
\set q 'SELECT count(*) FROM week'
\i :twice
\set q 'SELECT count(*) FROM t WHERE at >= date_trunc(\'day\', now()) - interval \'1 week\' AND local < date_trunc(\'hour\', LOCALTIMESTAMP) AND extract(hour FROM now()) < 25 AND date_part(\'dow\', CURRENT_TIMESTAMP) >= 0 AND statement_timestamp()::date >= CURRENT_DATE'
\i :twice
\set q 'SELECT count(*) FROM t WHERE at < CURRENT_TIMESTAMP(0) AND local < LOCALTIMESTAMP(0) AND d <= (now() AT TIME ZONE \'Asia/Tokyo\')::date AND at < date_trunc(\'minute\', now(), \'Asia/Tokyo\') AND at < now()::timestamptz(0)'
\i :twice
\set d 'SET TimeZone = \'Asia/Tokyo\''
\i :change
SET TimeZone = 'UTC';
COMMIT;
\set q 'SELECT count(*) FROM t WHERE at > now() - interval \'1 day\''
\i :why

\echo '== prepared'
SET plan_cache_mode = force_generic_plan;
PREPARE named(text) AS SELECT count(*), sum(id) FROM t WHERE tenant = current_setting($1);
PREPARE missing_ok(text, bool) AS SELECT count(*) FROM t WHERE tenant = current_setting($1, $2);
PREPARE zone(text, interval) AS SELECT count(*) FROM t WHERE at < ((now() AT TIME ZONE $1) - $2)::date;
PREPARE plain AS SELECT count(*), sum(id) FROM t WHERE tenant = current_setting('app.tenant');
SET app.a = 'a';
SET app.b = 'b';
\set q 'EXECUTE named(\'app.a\')'
\i :twice
\set q 'EXECUTE named(\'app.b\')'
\i :twice
\set d 'SET app.b = \'a\''
\i :change
\set q 'EXECUTE named(NULL)'
\i :twice
\set q 'EXECUTE missing_ok(\'app.nothing\', true)'
\i :twice
\set q 'EXECUTE missing_ok(\'app.b\', false)'
\i :twice
BEGIN;
\set q 'EXECUTE zone(\'UTC\', \'1 day\')'
\i :twice
\set q 'EXECUTE zone(\'Asia/Tokyo\', \'1 day\')'
\i :twice
COMMIT;
\set q 'EXECUTE zone(\'UTC\', \'1001 years\')'
\i :why
SET plan_cache_mode = force_custom_plan;
\set q 'EXECUTE named(\'app.a\')'
\i :twice
\set d 'SET app.a = \'b\''
\i :change
RESET plan_cache_mode;
-- the same plan, also if it was made from an answer
SET perfopt.cache = force;
\set q 'SELECT count(*), sum(id) FROM t WHERE tenant = current_setting(\'app.tenant\')'
\set e 'EXECUTE plain'
\unset d
\i :follows
\set d 'SET app.tenant = \'b\''
\i :follows
\set d 'SET app.tenant = \'a\''
\i :follows
\set d 'UPDATE t SET id = id + 1000 WHERE id = 2'
\i :follows
\set d 'SET app.tenant = \'b\''
\i :follows
DEALLOCATE ALL;

\echo '== bodies'
\unset d
\set q 'SELECT count(*), sum(id) FROM t WHERE tenant = tenant() AND NOT inner_user(tenant) AND id > tenant_id() AND d <= today()'
\i :twice
\set d 'SET app.tenant = \'a\''
\i :change
\set d 'CREATE OR REPLACE FUNCTION tenant() RETURNS text STABLE RETURN current_setting(\'app.second\', true)'
\i :change
\set d 'SET app.second = \'a\''
\i :change
\set d 'SET app.second = \'b\''
\i :change
\set d 'SET app.tenant = \'b\''
\i :change
\set d 'CREATE OR REPLACE FUNCTION tenant() RETURNS text STABLE RETURN \'a\''
\i :change
\set d 'CREATE OR REPLACE FUNCTION tenant() RETURNS text STABLE LANGUAGE sql AS \'SELECT \'\'b\'\'\''
\i :change
SET plan_cache_mode = force_generic_plan;
CREATE OR REPLACE FUNCTION tenant() RETURNS text STABLE RETURN current_setting('app.tenant');
PREPARE body AS SELECT count(*), sum(id) FROM t WHERE tenant = tenant();
\set q 'SELECT count(*), sum(id) FROM t WHERE tenant = tenant()'
\set e 'EXECUTE body'
\unset d
\i :follows
\set d 'SET app.tenant = \'a\''
\i :follows
\set d 'CREATE OR REPLACE FUNCTION tenant() RETURNS text STABLE RETURN current_setting(\'app.second\')'
\i :follows
\set d 'SET app.second = \'a\''
\i :follows
DEALLOCATE ALL;
-- planned with the value of the moment, and wrongly so
PREPARE wrong AS SELECT count(*), constant() FROM t;
SET perfopt.cache = force;
EXECUTE wrong;
SET app.tenant = 'b';
EXECUTE wrong;
EXECUTE wrong;
\set q 'SELECT count(*), constant() FROM t'
\i :twice
RESET plan_cache_mode;
DEALLOCATE ALL;

\echo '== a function around the session: its owner is the user'
CREATE FUNCTION who() RETURNS TABLE (who name, n bigint) LANGUAGE plpgsql SECURITY DEFINER
	AS 'BEGIN RETURN QUERY SELECT current_user, count(*) FROM fold.t; END';
GRANT EXECUTE ON FUNCTION who() TO PUBLIC;
SELECT current_user, count(*) FROM t;
SET ROLE perfopt_fold;
SELECT current_user, count(*) FROM t;
SELECT * FROM who();
SELECT * FROM who();
RESET ROLE;

\echo '== what a miss says, and PostgreSQL'
SET perfopt.cache = force;
SELECT count(*) FROM t WHERE tenant = current_setting('app.missing');
SELECT count(*) FROM t WHERE tenant = current_setting('app.missing');
SELECT count(*) FROM t WHERE id = current_setting('app.tenant')::int;
SELECT count(*) FROM t WHERE at < date_trunc('nonsense', now());
SELECT count(*) FROM t WHERE d < (now() - interval '100000000 years')::date;
SELECT count(*) FROM t WHERE d > (now() - interval '1000 years' - interval '1000 years' - interval '1000 years')::date;
SELECT count(*) FROM t WHERE d > (now() - interval '1000 years' - interval '1000 years' - interval '1000 years' - interval '1000 years' - interval '1000 years' - interval '1000 years' - interval '1000 years')::date;
SELECT count(*) FROM t WHERE d < (now() AT TIME ZONE 'Nowhere/Else')::date;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE tenant = current_setting('app.tenant') AND id = 3;

\set ECHO all
-- predicted with the same key
SET perfopt.cache = off;
SELECT perfopt_reset();
SET compute_query_id = on;
SET perfopt.cache = observe;
SET app.tenant = 'a';
SELECT count(*) FROM t WHERE tenant = current_setting('app.tenant');
SELECT count(*) FROM t WHERE tenant = current_setting('app.tenant');
SET app.tenant = 'b';
SELECT count(*) FROM t WHERE tenant = current_setting('app.tenant');
SET app.tenant = 'a';
SELECT count(*) FROM t WHERE tenant = current_setting('app.tenant');
SELECT count(*) FROM t WHERE tenant = current_setting('app.tenant');
SET perfopt.cache = off;
SELECT calls, would_hit FROM perfopt_cache_savings
WHERE datname = current_database() AND query ~ 'FROM t WHERE tenant';
SELECT differences, errors FROM perfopt_cache_stats
WHERE datname = current_database();
SET client_min_messages = warning;
DROP SCHEMA fold CASCADE;
DROP ROLE perfopt_fold;
