--
-- A hit checks what the execution would have checked, for the current user.
--
-- Each statement is executed by its owner until it is in the cache, then by
-- others: who may not read gets the executor's error, who may is served.
--
CREATE ROLE perfopt_owner;
CREATE ROLE perfopt_reader;
CREATE ROLE perfopt_nobody;
CREATE ROLE perfopt_member IN ROLE perfopt_reader;
CREATE SCHEMA perm AUTHORIZATION perfopt_owner;
GRANT USAGE ON SCHEMA perm TO PUBLIC;
SET search_path = perm, public;
SET perfopt.cache = auto;
SET perfopt.cache_min_calls = 1;
SET perfopt.cache_min_time = 0;
\set hits 'SELECT coalesce(sum(hits), 0) AS hits FROM perfopt_cache_stats() JOIN pg_database AS d ON d.oid = dbid WHERE datname = current_database()'
\set count 'SELECT hits - :before_hits AS hits FROM (:hits) AS h'

SET ROLE perfopt_owner;
CREATE TABLE t (id int, secret text);
INSERT INTO t VALUES (1, 'one'), (2, 'two');
CREATE VIEW v AS SELECT id, upper(secret) AS loud FROM t;
CREATE VIEW invoker WITH (security_invoker) AS SELECT id, secret FROM t;
CREATE FUNCTION native(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
RESET ROLE;
DROP FUNCTION native;
CREATE FUNCTION native(int) RETURNS int IMMUTABLE STRICT LANGUAGE internal
	AS 'int4abs';
ALTER FUNCTION native(int) OWNER TO perfopt_owner;
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
ALTER AGGREGATE total(int) OWNER TO perfopt_owner;
CREATE OPERATOR @@@ (FUNCTION = native, RIGHTARG = int);
SET ROLE perfopt_owner;
GRANT SELECT ON v, invoker TO perfopt_reader;
GRANT SELECT (id) ON t TO perfopt_reader;

-- relations and columns
SELECT * FROM t ORDER BY id;
SELECT * FROM t ORDER BY id;
SELECT id FROM t ORDER BY id;
SELECT id FROM t ORDER BY id;
RESET ROLE;
:hits \gset before_
SET ROLE perfopt_reader;
SELECT * FROM t ORDER BY id;
SELECT id FROM t ORDER BY id;
SET ROLE perfopt_member;
SELECT id FROM t ORDER BY id;
SET ROLE perfopt_nobody;
SELECT id FROM t ORDER BY id;
SELECT count(*) FROM t;
RESET ROLE;
:count;

-- a granted and a revoked privilege count at once
GRANT SELECT ON t TO perfopt_nobody;
SET ROLE perfopt_nobody;
SELECT * FROM t ORDER BY id;
RESET ROLE;
REVOKE SELECT ON t FROM perfopt_nobody;
SET ROLE perfopt_nobody;
SELECT * FROM t ORDER BY id;
RESET ROLE;
:count;

-- prepared by one, executed as another
SET ROLE perfopt_owner;
PREPARE p AS SELECT id, secret FROM t ORDER BY id;
EXECUTE p;
EXECUTE p;
SET ROLE perfopt_nobody;
EXECUTE p;
RESET ROLE;

-- views: those of the owner, or of who asks
SET ROLE perfopt_owner;
SELECT * FROM v ORDER BY id;
SELECT * FROM invoker ORDER BY id;
RESET ROLE;
:hits \gset before_
SET ROLE perfopt_reader;
SELECT * FROM v ORDER BY id;
SELECT * FROM invoker ORDER BY id;
SET ROLE perfopt_nobody;
SELECT * FROM v ORDER BY id;
RESET ROLE;
:count;
-- the view's owner loses the table
ALTER TABLE t OWNER TO CURRENT_USER;
SET ROLE perfopt_reader;
SELECT * FROM v ORDER BY id;
RESET ROLE;
ALTER TABLE t OWNER TO perfopt_owner;
SET ROLE perfopt_reader;
SELECT * FROM v ORDER BY id;
RESET ROLE;

-- functions, operators, aggregates
GRANT SELECT ON t TO perfopt_reader;
SET ROLE perfopt_owner;
SELECT native(-id) FROM t ORDER BY 1;
SELECT @@@ id FROM t ORDER BY 1;
SELECT total(id) FROM t;
SELECT total(id) OVER (ORDER BY id) FROM t;
RESET ROLE;
:hits \gset before_
SET ROLE perfopt_reader;
SELECT native(-id) FROM t ORDER BY 1;
SELECT @@@ id FROM t ORDER BY 1;
SELECT total(id) FROM t;
SELECT total(id) OVER (ORDER BY id) FROM t;
RESET ROLE;
:count;
REVOKE EXECUTE ON FUNCTION native(int), total(int) FROM PUBLIC;
:hits \gset before_
SET ROLE perfopt_reader;
SELECT native(-id) FROM t ORDER BY 1;
SELECT @@@ id FROM t ORDER BY 1;
SELECT total(id) FROM t;
SELECT total(id) OVER (ORDER BY id) FROM t;
SET ROLE perfopt_owner;
SELECT native(-id) FROM t ORDER BY 1;
SELECT @@@ id FROM t ORDER BY 1;
SELECT total(id) FROM t;
SELECT total(id) OVER (ORDER BY id) FROM t;
RESET ROLE;
:count;
REVOKE EXECUTE ON FUNCTION lower(text) FROM PUBLIC;
SET ROLE perfopt_owner;
SELECT lower(secret) FROM t;
RESET ROLE;
SELECT lower(secret) FROM t ORDER BY 1;
SELECT lower(secret) FROM t ORDER BY 1;
SET ROLE perfopt_owner;
SELECT lower(secret) FROM t ORDER BY 1;
RESET ROLE;
GRANT EXECUTE ON FUNCTION lower(text) TO PUBLIC;
-- an aggregate's parts are executed for its owner
CREATE ROLE perfopt_adder;
REVOKE EXECUTE ON FUNCTION int4pl(int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION int4pl(int, int) TO perfopt_adder;
GRANT EXECUTE ON FUNCTION total(int) TO PUBLIC;
GRANT perfopt_adder TO perfopt_owner;
SELECT total(id) FROM t;
SELECT total(id) FROM t;
REVOKE perfopt_adder FROM perfopt_owner;
SELECT total(id) FROM t;
GRANT EXECUTE ON FUNCTION int4pl(int, int) TO PUBLIC;
REVOKE EXECUTE ON FUNCTION int4pl(int, int) FROM perfopt_adder;
DROP ROLE perfopt_adder;
-- who owns the database is a member of pg_database_owner
SELECT current_database() AS database, current_user AS owner \gset
REVOKE EXECUTE ON FUNCTION upper(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upper(text) TO pg_database_owner;
ALTER DATABASE :"database" OWNER TO perfopt_reader;
SET ROLE perfopt_reader;
SELECT upper(secret) FROM t ORDER BY 1;
SELECT upper(secret) FROM t ORDER BY 1;
RESET ROLE;
ALTER DATABASE :"database" OWNER TO :"owner";
SET ROLE perfopt_reader;
SELECT upper(secret) FROM t ORDER BY 1;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION upper(text) FROM pg_database_owner;
GRANT EXECUTE ON FUNCTION upper(text) TO PUBLIC;

-- row-level security: other rows for others, under one text
CREATE TABLE rls (id int, who text);
INSERT INTO rls VALUES (1, 'reader'), (2, 'member'), (3, 'all');
ALTER TABLE rls OWNER TO perfopt_owner;
GRANT SELECT ON rls TO PUBLIC;
CREATE POLICY r ON rls TO perfopt_reader USING (who = 'reader');
CREATE POLICY a ON rls USING (who = 'all');
ALTER TABLE rls ENABLE ROW LEVEL SECURITY;
SET ROLE perfopt_owner;
SELECT * FROM rls ORDER BY id;
SELECT * FROM rls ORDER BY id;
SET ROLE perfopt_reader;
SELECT * FROM rls ORDER BY id;
SELECT * FROM rls ORDER BY id;
SET ROLE perfopt_nobody;
SELECT * FROM rls ORDER BY id;
SELECT * FROM rls ORDER BY id;
PREPARE rls AS SELECT id FROM rls ORDER BY id;
EXECUTE rls;
EXECUTE rls;
SET ROLE perfopt_member;
EXECUTE rls;
SELECT * FROM rls ORDER BY id;
SET row_security = off;
SELECT * FROM rls ORDER BY id;
RESET row_security;
SET ROLE perfopt_owner;
SET row_security = off;
SELECT * FROM rls ORDER BY id;
RESET row_security;
EXECUTE rls;
RESET ROLE;
ALTER TABLE rls FORCE ROW LEVEL SECURITY;
SET ROLE perfopt_owner;
SELECT * FROM rls ORDER BY id;
RESET ROLE;
ALTER POLICY a ON rls USING (who = 'member');
SET ROLE perfopt_nobody;
SELECT * FROM rls ORDER BY id;
RESET ROLE;

-- schema
REVOKE USAGE ON SCHEMA perm FROM PUBLIC;
SET ROLE perfopt_reader;
SELECT id FROM perm.t ORDER BY id;
RESET ROLE;

SET perfopt.cache = off;
DEALLOCATE ALL;
SET client_min_messages = warning;
DROP SCHEMA perm CASCADE;
DROP ROLE perfopt_owner, perfopt_member, perfopt_reader, perfopt_nobody;
