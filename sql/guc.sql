--
-- The settings: defaults, ranges, and who may set what.
--
SELECT name, setting, unit, vartype, context, min_val, max_val, enumvals
FROM pg_settings WHERE name LIKE 'perfopt.%' AND name <> 'perfopt.debug_break'
ORDER BY name COLLATE "C";

-- wrong values
SET perfopt.cache = 'sometimes';
SET perfopt.cache = true;
SET perfopt.cache_max_result = 0;
SET perfopt.cache_max_result = '1TB';
SET perfopt.cache_min_time = -1;
SET perfopt.cache_min_calls = 0;
SET perfopt.cache_min_calls = 1001;
SET perfopt.cache_verify = 1.5;
SET perfopt.cache_size = '1GB';
SET perfopt.no_such_setting = 1;

-- units
SET perfopt.cache_max_result = '2MB';
SHOW perfopt.cache_max_result;
SET perfopt.cache_min_time = '2s';
SHOW perfopt.cache_min_time;
RESET ALL;

-- force is for superusers
CREATE ROLE perfopt_plain LOGIN;
SET perfopt.cache = force;
RESET perfopt.cache;
SET ROLE perfopt_plain;
SET perfopt.cache = force;
SET LOCAL perfopt.cache = force;
SELECT set_config('perfopt.cache', 'force', false);
SET perfopt.cache = auto;
SET perfopt.cache_verify = 1;
SET perfopt.cache_max_result = 1;
RESET perfopt.cache;
RESET ROLE;
SET SESSION AUTHORIZATION perfopt_plain;
ALTER ROLE perfopt_plain SET perfopt.cache = force;
ALTER ROLE perfopt_plain SET perfopt.cache = auto;
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql
	SET perfopt.cache = force AS 'SELECT 1';
RESET SESSION AUTHORIZATION;
SELECT setconfig FROM pg_db_role_setting
WHERE setrole = 'perfopt_plain'::regrole;

-- by role and by database; the session chooses last
\set me :USER
SELECT current_database() AS db \gset
ALTER DATABASE :"db" SET perfopt.cache = manual;
\c :db perfopt_plain
SHOW perfopt.cache;
SET perfopt.cache = off;
SHOW perfopt.cache;
\c :db :me
SHOW perfopt.cache;
ALTER ROLE perfopt_plain RESET perfopt.cache;
\c :db perfopt_plain
SHOW perfopt.cache;
\c :db :me
-- a superuser may do it for others
ALTER ROLE perfopt_plain SET perfopt.cache = force;
\c :db perfopt_plain
SHOW perfopt.cache;
\c :db :me
ALTER DATABASE :"db" RESET perfopt.cache;
DROP ROLE perfopt_plain;
