--
-- Row-level security by who the session is and by a setting: each tenant has
-- an answer of its own, and whoever is no tenant gets what PostgreSQL gives.
--
CREATE ROLE perfopt_app;
CREATE ROLE perfopt_anna;
CREATE ROLE perfopt_bert;
CREATE ROLE perfopt_auditor BYPASSRLS;
CREATE ROLE perfopt_owns;
CREATE SCHEMA row_security AUTHORIZATION perfopt_owns;
GRANT USAGE ON SCHEMA row_security TO PUBLIC;
SET search_path = row_security, public;
CREATE TABLE invoice (id int PRIMARY KEY, tenant int, amount int);
INSERT INTO invoice SELECT g, g % 3, g * 10 FROM generate_series(1, 30) AS g;
CREATE TABLE note (id int, author name, body text);
INSERT INTO note VALUES (1, 'perfopt_anna', 'a'), (2, 'perfopt_bert', 'b'),
	(3, 'perfopt_bert', 'c');
ALTER TABLE invoice OWNER TO perfopt_owns;
ALTER TABLE note OWNER TO perfopt_owns;
GRANT SELECT, UPDATE ON invoice, note TO PUBLIC;
ALTER TABLE invoice ENABLE ROW LEVEL SECURITY;
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON invoice
	USING (tenant = current_setting('app.tenant')::int);
CREATE POLICY author ON note USING (author = current_user);
CREATE VIEW total AS SELECT count(*) AS n, sum(amount) AS amount FROM invoice;
CREATE VIEW mine WITH (security_invoker) AS SELECT count(*) AS n FROM invoice;
ALTER VIEW total OWNER TO perfopt_auditor;
GRANT SELECT ON total, mine TO PUBLIC;

SET ROLE perfopt_app;
SET app.tenant = '1';
SELECT cacheable, relations, folded_values
FROM perfopt_cache_check('SELECT sum(amount) FROM invoice');
SELECT cacheable, relations, folded_values
FROM perfopt_cache_check('SELECT body FROM note');
SELECT cacheable, relations, folded_values
FROM perfopt_cache_check('SELECT * FROM total');
SELECT cacheable, relations, folded_values
FROM perfopt_cache_check('SELECT * FROM mine');
RESET ROLE;

\getenv srcdir PG_ABS_SRCDIR
\set dir :srcdir '/sql/'
\set setup :dir 'setup.psql'
\i :setup
\set twice_mode auto
SET perfopt.cache_min_calls = 1;
SET perfopt.cache_min_time = 0;
\set ECHO none
SET client_min_messages = warning;
-- one session, as that of a pool, for all of them
\echo '== tenants by a setting'
SET ROLE perfopt_app;
\set q 'SELECT count(*), sum(amount), min(tenant), max(tenant) FROM invoice'
\i :twice
\set d 'SET app.tenant = \'2\''
\i :change
\set d 'SET app.tenant = \'1\''
\i :change
\set d 'BEGIN; SET LOCAL app.tenant = \'0\''
\i :change
\set d 'ROLLBACK'
\i :change
\set d 'SELECT set_config(\'app.tenant\', \'2\', false) AS t'
\i :change
\set d 'BEGIN; SELECT set_config(\'app.tenant\', \'0\', true) AS t'
\i :change
\set d 'UPDATE invoice SET amount = amount + 1'
\i :change
\set d 'COMMIT'
\i :change
\set d 'SET app.tenant = \'0\''
\i :change
\set d 'SET app.tenant = \'7\''
\i :change
\echo '== the same rows for another role, since the setting says who'
\set d 'SET ROLE perfopt_anna; SET app.tenant = \'1\''
\i :change
\echo '== who is above it'
\set d 'SET ROLE perfopt_auditor'
\i :change
\set d 'SET ROLE perfopt_owns'
\i :change
\set d 'ALTER TABLE invoice FORCE ROW LEVEL SECURITY; UPDATE invoice SET id = id WHERE id = 1'
\i :change
\set d 'ALTER TABLE invoice NO FORCE ROW LEVEL SECURITY; UPDATE invoice SET id = id WHERE id = 1'
\i :change
\set d 'RESET ROLE'
\i :change
\set d 'SET ROLE perfopt_app'
\i :change
\echo '== views: the policy is that of the owner, or of who asks'
\set q 'SELECT * FROM total'
\i :twice
\set d 'SET app.tenant = \'2\''
\i :change
\set q 'SELECT * FROM mine'
\i :twice
\set d 'SET app.tenant = \'1\''
\i :change
\set d 'SET ROLE perfopt_auditor'
\i :change
\set d 'SET ROLE perfopt_app'
\i :change

\echo '== tenants by role'
\set q 'SELECT count(*), string_agg(body, \',\' ORDER BY id) FROM note'
\set d 'SET ROLE perfopt_anna'
\i :change
\set d 'SET ROLE perfopt_bert'
\i :change
\set d 'SET ROLE perfopt_anna'
\i :change
\set d 'RESET ROLE; SET SESSION AUTHORIZATION perfopt_bert; SET perfopt.cache_min_calls = 1; SET perfopt.cache_min_time = 0'
\i :change
\set d 'RESET SESSION AUTHORIZATION; SET ROLE perfopt_app'
\i :change
\set d 'UPDATE note SET body = \'no\''
\i :change
\set d 'SET ROLE perfopt_bert'
\i :change
\set d 'UPDATE note SET body = \'B\''
\i :change
\set d 'SET ROLE perfopt_anna'
\i :change
\set d 'RESET ROLE; ALTER ROLE perfopt_anna RENAME TO perfopt_carl; SET ROLE perfopt_carl'
\i :change
\set d 'RESET ROLE; ALTER ROLE perfopt_carl RENAME TO perfopt_anna; SET ROLE perfopt_anna'
\i :change

\echo '== as the owner of a function'
RESET ROLE;
CREATE FUNCTION by_bert() RETURNS text LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = row_security AS
	'BEGIN RETURN (SELECT string_agg(body, '','' ORDER BY id) FROM note); END';
ALTER FUNCTION by_bert() OWNER TO perfopt_bert;
SET ROLE perfopt_anna;
SELECT by_bert(), string_agg(body, ',' ORDER BY id) AS mine FROM note;
SELECT string_agg(body, ',' ORDER BY id) AS mine FROM note;
SELECT by_bert();
SELECT string_agg(body, ',' ORDER BY id) AS mine FROM note;

\echo '== one prepared statement of a pool'
RESET ROLE;
SET perfopt.cache = auto;
PREPARE invoices AS SELECT count(*), sum(amount), min(tenant) FROM invoice;
PREPARE one(int) AS SELECT id, tenant FROM invoice WHERE id = $1;
PREPARE notes AS SELECT count(*), string_agg(body, ',' ORDER BY id) FROM note;
SET plan_cache_mode = force_generic_plan;
\set q 'SELECT count(*), sum(amount), min(tenant) FROM invoice'
\set e 'EXECUTE invoices'
\set d 'SET ROLE perfopt_app; SET app.tenant = \'1\''
\i :follows
\set d 'SET app.tenant = \'2\''
\i :follows
\set d 'SET app.tenant = \'1\''
\i :follows
\set d 'SET ROLE perfopt_auditor'
\i :follows
\set d 'SET ROLE perfopt_anna'
\i :follows
\set d 'UPDATE invoice SET amount = amount + 1'
\i :follows
\set d 'SET app.tenant = \'2\''
\i :follows
\set q 'SELECT id, tenant FROM invoice WHERE id = 1'
\set e 'EXECUTE one(1)'
\i :follows
\set d 'SET app.tenant = \'1\''
\i :follows
\set q 'SELECT count(*), string_agg(body, \',\' ORDER BY id) FROM note'
\set e 'EXECUTE notes'
\i :follows
\set d 'SET ROLE perfopt_bert'
\i :follows
\set d 'SET ROLE perfopt_app'
\i :follows
\set d 'RESET ROLE'
\i :follows
SET ROLE perfopt_app;
RESET plan_cache_mode;

\echo '== another policy'
SET perfopt.cache = auto;
\set q 'SELECT count(*), sum(amount), min(tenant) FROM invoice'
\set e 'EXECUTE invoices'
\i :follows
\set d 'RESET ROLE; ALTER POLICY tenant ON invoice USING (tenant = current_setting(\'app.tenant\')::int AND id > 10); SET ROLE perfopt_app'
\i :follows
\i :twice
\set d 'RESET ROLE; CREATE POLICY few ON invoice AS RESTRICTIVE USING (id <= coalesce(nullif(current_setting(\'app.most\', true), \'\'), \'25\')::int); SET ROLE perfopt_app'
\i :follows
\i :twice
\set d 'SET app.most = \'20\''
\i :follows
\set d 'SET app.most = \'\''
\i :follows
\set d 'RESET ROLE; DROP POLICY few ON invoice; ALTER POLICY tenant ON invoice USING (tenant = (SELECT current_setting(\'app.tenant\')::int)); SET ROLE perfopt_app'
\i :follows
\i :twice
\set d 'SET app.tenant = \'2\''
\i :follows
\i :twice
\set d 'RESET ROLE; ALTER TABLE invoice DISABLE ROW LEVEL SECURITY; SET ROLE perfopt_app'
\i :follows
\i :twice
\set d 'RESET ROLE; ALTER TABLE invoice ENABLE ROW LEVEL SECURITY; UPDATE invoice SET id = id WHERE id = 1; SET ROLE perfopt_app'
\i :follows
\i :twice
\set d 'RESET ROLE; DROP POLICY tenant ON invoice; SET ROLE perfopt_app'
\i :follows
\i :twice
RESET ROLE;
CREATE POLICY tenant ON invoice
	USING (tenant = current_setting('app.tenant')::int);

\echo '== a policy that reads another table'
CREATE TABLE member (who name, tenant int);
INSERT INTO member VALUES ('perfopt_anna', 1), ('perfopt_bert', 2);
GRANT SELECT ON member TO PUBLIC;
ALTER POLICY tenant ON invoice USING (tenant IN
	(SELECT m.tenant FROM member AS m WHERE m.who = current_user));
\set d 'SET ROLE perfopt_anna'
\i :change
\set d 'SET ROLE perfopt_bert'
\i :change
\set d 'RESET ROLE; INSERT INTO row_security.member VALUES (\'perfopt_bert\', 0); SET ROLE perfopt_bert'
\i :change
\set d 'SET ROLE perfopt_anna'
\i :change
RESET ROLE;
ALTER POLICY tenant ON invoice
	USING (tenant = current_setting('app.tenant')::int);

\echo '== a policy by a function'
CREATE FUNCTION tenant() RETURNS int STABLE RETURN current_setting('app.tenant')::int;
ALTER POLICY tenant ON invoice USING (tenant = tenant());
\set d 'SET ROLE perfopt_app; SET app.tenant = \'1\''
\i :change
\set d 'SET app.tenant = \'2\''
\i :change
\set d 'RESET ROLE; CREATE OR REPLACE FUNCTION tenant() RETURNS int STABLE RETURN current_setting(\'app.other\')::int; SET ROLE perfopt_app; SET app.other = \'1\''
\i :change
\set d 'SET app.other = \'0\''
\i :change
RESET ROLE;
ALTER POLICY tenant ON invoice
	USING (tenant = current_setting('app.tenant')::int);
DEALLOCATE ALL;

\echo '== PostgreSQL\'s own errors, in a session without a tenant'
\c -
SET search_path = row_security, public;
SET perfopt.cache_min_calls = 1;
SET perfopt.cache_min_time = 0;
SET perfopt.cache = auto;
SET ROLE perfopt_app;
SELECT count(*) FROM invoice;
SELECT count(*) FROM invoice;
PREPARE p AS SELECT count(*) FROM invoice;
EXECUTE p;
BEGIN;
SET LOCAL app.tenant = '1';
EXECUTE p;
EXECUTE p;
COMMIT;
-- empty, not missing
EXECUTE p;
SELECT count(*) FROM invoice;
SET app.tenant = '1';
EXECUTE p;
SET row_security = off;
SELECT count(*) FROM invoice;
EXECUTE p;
SET ROLE perfopt_auditor;
EXECUTE p;
EXECUTE p;
RESET row_security;
EXECUTE p;
SET ROLE perfopt_app;
EXECUTE p;
RESET ROLE;
REVOKE SELECT ON invoice FROM PUBLIC;
SET ROLE perfopt_app;
EXECUTE p;
SELECT count(*) FROM invoice;
RESET ROLE;
GRANT SELECT ON invoice TO PUBLIC;
REVOKE EXECUTE ON FUNCTION current_setting(text) FROM PUBLIC;
SET ROLE perfopt_app;
EXECUTE p;
SELECT count(*) FROM invoice;
RESET ROLE;
GRANT EXECUTE ON FUNCTION current_setting(text) TO PUBLIC;
SET perfopt.cache = off;

\set ECHO all
-- each answer was stored once, and is told apart by nothing but its values
SELECT differences, errors FROM perfopt_cache_stats
WHERE datname = current_database();
SET client_min_messages = warning;
DROP SCHEMA row_security CASCADE;
DROP ROLE perfopt_app, perfopt_anna, perfopt_bert, perfopt_auditor, perfopt_owns;
