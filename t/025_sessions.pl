#
# State of a session: statements of all shapes, crossed with changes of what a
# session is and has, made at each point of a statement's life where it can be
# changed.  With the cache a session is sent what it is sent without, all bytes
# of it; and a session that changed nothing is not given what that one left.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use Test::More;
use Time::HiRes 'time';

my $node = new_node('sessions', conf => "fsync = off\nautovacuum = off\nperfopt.cache_size = 32MB\n");
$node->start;
$node->safe_psql('postgres', q{CREATE DATABASE state TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'});
$node->safe_psql('state', <<'SQL');
CREATE EXTENSION perfopt;
CREATE ROLE alice;
CREATE ROLE bob;
CREATE SCHEMA one;
CREATE SCHEMA two;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN short AS varchar(8) CHECK (length(VALUE) < 8);

CREATE TABLE item (id int PRIMARY KEY, tenant int, owner name, at timestamptz, ts timestamp,
	d date, amt numeric(9, 2), f8 float8, f4 float4, b bytea, iv interval, note text,
	name text, j jsonb, x xml, m money, arr int[], list text, mood mood, dom short, u text,
	g point);
INSERT INTO item SELECT i, i % 3, (ARRAY['alice', 'bob', 'carol'])[1 + i % 3],
	timestamptz '2024-03-30 20:15:00+00' + i * interval '7 hours',
	timestamp '2024-03-30 20:15:00' + i * interval '7 hours', date '2024-02-05' + i,
	i / 7.0, i / 7.0, i / 3.0, decode(md5(i::text), 'hex'), i * interval '1 mon 3 days 04:05:06.7',
	CASE WHEN i % 4 = 0 THEN NULL ELSE 'running wolves ' || i END,
	(ARRAY['select', 'plain', 'Mixed Case'])[1 + i % 3],
	jsonb_build_object('at', '2024-03-30T20:15:00+00', 'n', i), ('<a n="' || i || '">t</a>')::xml,
	i * 1.5, ARRAY[i, NULL, i + 1], '{1,NULL,' || i || '}', (ARRAY['sad', 'ok', 'happy']::mood[])[1 + i % 3],
	'd' || i, U&'\00E9t\00E9 ' || i, point(i, i / 3.0)
	FROM generate_series(1, 14) i;
CREATE TABLE wide (id int, u text);
INSERT INTO wide VALUES (1, U&'\0416\20AC');
CREATE TABLE part (id int, d date, v int) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (8);
CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (8) TO (100);
INSERT INTO part SELECT i, date '2024-01-01' + i, i * 10 FROM generate_series(1, 14) i;
CREATE TABLE parent (id int, v int);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent SELECT i, i FROM generate_series(1, 6) i;
INSERT INTO child SELECT i, i * 2 FROM generate_series(7, 14) i;
CREATE TABLE hidden AS SELECT id, note FROM item;
CREATE TABLE partly AS SELECT id, note, name FROM item;
CREATE TABLE secret AS SELECT id, tenant, owner, note FROM item;
CREATE TABLE leaves AS SELECT id, tenant FROM item;
CREATE SEQUENCE seq;
CREATE TABLE one.place AS SELECT i, 'one ' || i AS t FROM generate_series(1, 12) i;
CREATE TABLE two.place AS SELECT i, 'two ' || i AS t FROM generate_series(1, 13) i;
CREATE TABLE place AS SELECT i, 'public ' || i AS t FROM generate_series(1, 14) i;
CREATE FUNCTION label(v int) RETURNS text RETURN 'public ' || v;
CREATE FUNCTION one.label(v int) RETURNS text RETURN 'one ' || v;
CREATE FUNCTION two.label(v int) RETURNS text RETURN 'two ' || v;
CREATE TEXT SEARCH CONFIGURATION one.words (COPY = simple);
CREATE TEXT SEARCH CONFIGURATION two.words (COPY = english);

ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (owner = current_user OR tenant = current_setting('app.tenant', true)::int);
ALTER TABLE leaves ENABLE ROW LEVEL SECURITY;
ALTER TABLE leaves FORCE ROW LEVEL SECURITY;
ALTER TABLE leaves OWNER TO alice;
CREATE POLICY tenants ON leaves USING (tenant = coalesce(nullif(current_setting('app.tenant', true), ''), '0')::int);

CREATE VIEW of_owner AS SELECT * FROM secret;
CREATE VIEW of_invoker WITH (security_invoker) AS SELECT * FROM secret;
CREATE VIEW barrier WITH (security_barrier) AS SELECT id, note FROM hidden WHERE id > 2;
CREATE VIEW invoker_hidden WITH (security_invoker) AS SELECT * FROM hidden;
CREATE MATERIALIZED VIEW sums AS SELECT tenant, sum(amt) AS s FROM item GROUP BY tenant;
CREATE VIEW nested AS SELECT i.id, i.at, s.s FROM item i JOIN sums s USING (tenant);

CREATE FUNCTION who(v text) RETURNS text RETURN v || '/' || current_user || '/' || session_user;
CREATE FUNCTION tenant_is(v int) RETURNS boolean RETURN v = current_setting('app.tenant', true)::int;
CREATE FUNCTION vat(v numeric) RETURNS numeric IMMUTABLE RETURN round(v * 1.19, 2);
CREATE FUNCTION louder(v text) RETURNS text LANGUAGE internal IMMUTABLE STRICT AS 'upper';
CREATE FUNCTION told(v timestamptz) RETURNS text RETURN to_char(v, 'DD.MM.YYYY HH24:MI TZ');
CREATE FUNCTION by_owner() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS
	$$BEGIN RETURN QUERY SELECT s.owner || ' ' || s.id || ' ' || current_user FROM secret s ORDER BY s.id;
	RETURN QUERY SELECT h.note FROM hidden h ORDER BY h.id; END$$;
CREATE FUNCTION by_alice() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS
	$$BEGIN RETURN QUERY SELECT s.owner || ' ' || s.id || ' ' || current_user FROM secret s ORDER BY s.id; END$$;
CREATE FUNCTION by_caller() RETURNS SETOF text LANGUAGE plpgsql AS
	$$BEGIN RETURN QUERY SELECT s.owner || ' ' || s.id || ' ' || current_user FROM secret s ORDER BY s.id; END$$;
CREATE FUNCTION by_text() RETURNS SETOF text LANGUAGE sql AS 'SELECT t FROM place ORDER BY i';
CREATE FUNCTION by_path() RETURNS SETOF text LANGUAGE plpgsql AS
	$$BEGIN RETURN QUERY SELECT p.t FROM place p ORDER BY p.i; END$$;
CREATE FUNCTION in_tokyo() RETURNS SETOF text LANGUAGE plpgsql SET TimeZone = 'Asia/Tokyo' SET search_path = two, public AS
	$$BEGIN RETURN QUERY SELECT i.at::text FROM item i ORDER BY i.id; RETURN QUERY SELECT p.t FROM place p ORDER BY p.i; END$$;
CREATE FUNCTION with_block() RETURNS SETOF text LANGUAGE plpgsql AS
	$$BEGIN RETURN QUERY SELECT i.at::text FROM item i ORDER BY i.id;
	BEGIN PERFORM set_config('TimeZone', 'Asia/Tokyo', false); RETURN QUERY SELECT i.at::text FROM item i ORDER BY i.id;
	RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END;
	RETURN QUERY SELECT i.at::text FROM item i ORDER BY i.id; END$$;
CREATE FUNCTION change_zone() RETURNS void LANGUAGE plpgsql AS $$BEGIN SET TimeZone = 'America/Caracas'; END$$;
CREATE FUNCTION change_path() RETURNS void LANGUAGE plpgsql SET app.tenant = '1' AS
	$$BEGIN PERFORM set_config('search_path', 'two, public', false), set_config('app.tenant', '2', false); END$$;

-- a statement before and after a change, and one whose rows the change is among
CREATE FUNCTION around(stmt text, change text) RETURNS SETOF text LANGUAGE plpgsql AS
	$$DECLARE r record; BEGIN
	FOR r IN EXECUTE stmt LOOP RETURN NEXT r::text; END LOOP;
	EXECUTE change;
	FOR r IN EXECUTE stmt LOOP RETURN NEXT r::text; END LOOP; END$$;
CREATE FUNCTION among(stmt text, change text) RETURNS SETOF text LANGUAGE plpgsql AS
	$$DECLARE r record; n int := 0; BEGIN
	FOR r IN EXECUTE stmt LOOP n := n + 1; RETURN NEXT r::text; IF n = 1 THEN EXECUTE change; END IF; END LOOP; END$$;
CREATE FUNCTION around_by_owner(stmt text, change text) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS
	$$DECLARE r record; BEGIN
	FOR r IN EXECUTE stmt LOOP RETURN NEXT r::text; END LOOP;
	EXECUTE change;
	FOR r IN EXECUTE stmt LOOP RETURN NEXT r::text; END LOOP; END$$;
ALTER FUNCTION by_alice() OWNER TO alice;
GRANT USAGE ON SCHEMA one, two TO alice;
GRANT USAGE ON SCHEMA one TO bob;
GRANT SELECT ON ALL TABLES IN SCHEMA public, one, two TO alice;
GRANT SELECT ON item, part, parent, secret, of_owner, of_invoker, barrier, invoker_hidden, sums, nested, place, one.place TO bob;
GRANT UPDATE ON item TO alice;
REVOKE SELECT ON hidden, partly FROM alice;
GRANT SELECT (id, name) ON partly TO alice;
REVOKE EXECUTE ON FUNCTION louder FROM PUBLIC;
GRANT EXECUTE ON FUNCTION louder TO alice;
VACUUM ANALYZE;
SQL

my $turn = stress_seed();
note("seed $turn");

#
# The statements.  Those with parameters have their types, and values of them.
#
my @statements = (
	'SELECT id, amt FROM item ORDER BY id',
	'SELECT at, ts, d FROM item ORDER BY id',
	'SELECT id, at::text, at::date, d::text, ts::text FROM item ORDER BY id',
	'SELECT f8, f4, g FROM item ORDER BY id',
	'SELECT f8::text, f4 || \'\', g::text, sum(f8) OVER (ORDER BY id) FROM item ORDER BY id',
	'SELECT b FROM item ORDER BY id',
	'SELECT b::text, length(b::text) FROM item ORDER BY id',
	'SELECT iv, iv::text FROM item ORDER BY id',
	'SELECT to_char(at, \'TMMonth TMDay HH24 TZ OF\'), to_char(amt, \'L999D99\') FROM item ORDER BY id',
	'SELECT m, m::text, amt::money FROM item ORDER BY id',
	'SELECT x, xmlelement(name e, b, at), xpath(\'/a/@n\', x)::text, (\'<q/>\' || name)::xml FROM item ORDER BY id',
	'SELECT quote_ident(name), format(\'%I %L\', name, at) FROM item ORDER BY id',
	'SELECT extract(hour FROM at), date_trunc(\'day\', at), date_trunc(\'day\', at, \'Asia/Tokyo\'), at AT TIME ZONE \'EST\' FROM item ORDER BY id',
	'SELECT id, ts AT TIME ZONE \'IST\', timezone(\'BRST\', ts) FROM item ORDER BY id',
	'SELECT id FROM item WHERE at >= \'2024-04-01 02:00\' ORDER BY id',
	'SELECT id FROM item WHERE d >= \'02/10/2024\' ORDER BY id',
	'SELECT i.id, g FROM item i, generate_series(i.at, i.at + \'2 days\', \'1 day\') g ORDER BY 1, 2',
	'SELECT at::date AS day, count(*), min(at) FROM item GROUP BY 1 ORDER BY 1',
	'SELECT a.id, b.id, a.at FROM item a JOIN item b ON a.at::date = b.ts::date ORDER BY 1, 2',
	'SELECT tenant, count(*), sum(amt) FROM item GROUP BY tenant HAVING count(*) > 1 ORDER BY 1',
	'SELECT tenant, mood, grouping(tenant, mood), sum(amt) FROM item GROUP BY ROLLUP (tenant, mood) ORDER BY 1, 2, 3',
	'SELECT id, row_number() OVER w, lag(at) OVER w FROM item WINDOW w AS (PARTITION BY tenant ORDER BY at) ORDER BY 1',
	'WITH c AS MATERIALIZED (SELECT id, at::text AS t FROM item) SELECT * FROM c WHERE t LIKE \'%0%\' ORDER BY 1',
	'WITH RECURSIVE r(id, t) AS (SELECT id, at::text FROM item WHERE id = 1 UNION ALL SELECT i.id, r.t || i.d FROM item i JOIN r ON i.id = r.id + 1) SELECT id, t FROM r ORDER BY 1',
	'SELECT id, note FROM item WHERE id < 9 UNION SELECT id, note FROM hidden WHERE id > 4 ORDER BY 1',
	'SELECT v.a, v.t FROM (VALUES (1, \'2024-03-31 02:30\'::timestamptz), (2, NULL)) v(a, t) JOIN item ON id = a ORDER BY 1',
	'SELECT i.id, l.t FROM item i, LATERAL (SELECT i.d::text || p.t AS t FROM one.place p WHERE p.i = i.id LIMIT 1) l ORDER BY 1',
	'SELECT id FROM item i WHERE EXISTS (SELECT FROM place p WHERE p.i = i.id AND i.f8::text LIKE \'%4%\') ORDER BY 1',
	'SELECT DISTINCT ON (tenant) tenant, id, at FROM item ORDER BY tenant, at DESC',
	'SELECT id, at FROM item ORDER BY at DESC LIMIT 12 OFFSET 1',
	'SELECT id FROM item WHERE note = NULL OR id = 3 ORDER BY 1',
	'SELECT id, mood, enum_range(mood) FROM item WHERE mood > \'sad\' ORDER BY mood, id',
	'SELECT id, dom, (u || \' x\') COLLATE "C" FROM item ORDER BY u COLLATE "C"',
	'SELECT u FROM item ORDER BY id',
	'SELECT u FROM wide',
	'SELECT length(\'a\\b\'), E\'a\\\\b\', id FROM item ORDER BY id',
	'SELECT list::int[], array_to_string(arr, \',\', \'-\') FROM item ORDER BY id',
	'SELECT i FROM item i ORDER BY id',
	'SELECT row_to_json(i), jsonb_build_object(\'at\', at, \'b\', b, \'f\', f8) FROM item i ORDER BY id',
	'SELECT json_agg(at ORDER BY id), string_agg(d::text, \',\' ORDER BY id) FROM item',
	'SELECT id, jsonb_path_query_first_tz(j, \'$.at.datetime()\') FROM item ORDER BY id',
	'SELECT id, current_user, session_user FROM item ORDER BY id',
	'SELECT id, current_setting(\'app.tenant\', true), current_setting(\'TimeZone\'), current_setting(\'work_mem\') FROM item ORDER BY id',
	'SELECT id, current_setting(\'app.tenant\')::int FROM item WHERE id > 0 ORDER BY id',
	'SELECT id, current_schema, current_schemas(false), current_database() FROM item ORDER BY id',
	'SELECT id, pg_client_encoding(), current_setting(\'client_encoding\') FROM item ORDER BY id',
	'SELECT * FROM secret ORDER BY id',
	'SELECT * FROM leaves ORDER BY id',
	'SELECT * FROM of_owner ORDER BY id',
	'SELECT * FROM of_invoker ORDER BY id',
	'SELECT * FROM barrier ORDER BY id',
	'SELECT * FROM invoker_hidden ORDER BY id',
	'SELECT * FROM nested ORDER BY id',
	'SELECT * FROM sums ORDER BY 1',
	'SELECT id, note FROM hidden ORDER BY id',
	'SELECT id, name FROM partly ORDER BY id',
	'SELECT id, note FROM partly ORDER BY id',
	'SELECT * FROM part WHERE id >= coalesce(nullif(current_setting(\'app.tenant\', true), \'\'), \'0\')::int * 4 ORDER BY id',
	'SELECT * FROM part WHERE d < CURRENT_DATE AND d < date_trunc(\'century\', now()) + \'99 years\' ORDER BY id',
	'SELECT * FROM parent ORDER BY id',
	'SELECT * FROM place ORDER BY i',
	'SELECT * FROM one.place ORDER BY i',
	'SELECT id, label(id) FROM item ORDER BY id',
	'SELECT id, who(note), told(at) FROM item ORDER BY id',
	'SELECT id FROM item WHERE tenant_is(tenant) ORDER BY id',
	'SELECT id, to_tsvector(note), to_tsvector(\'english\', note) FROM item WHERE note @@ \'running\' ORDER BY id',
	'SELECT id, to_tsvector(\'words\', note) FROM item ORDER BY id',
	'SELECT * FROM by_owner()',
	'SELECT * FROM by_alice()',
	'SELECT * FROM by_caller()',
	'SELECT * FROM by_text()',
	'SELECT * FROM by_path()',
	'SELECT * FROM in_tokyo()',
	'SELECT * FROM with_block()',
	'SELECT id, louder(name), vat(amt) FROM item ORDER BY id',
	'SELECT sum(10 / (id - 3)) FROM item',
	'SELECT count(CASE WHEN tenant = 0 THEN current_setting(\'app.other\') END) FROM item',
	'SELECT id FROM item WHERE id < 5 ORDER BY id FOR UPDATE',
	'SELECT last_value FROM seq',
	'SELECT count(*) FROM item',
	'SELECT 1 + 1');

my @with_parameters = (
	[ 'SELECT id, at FROM item WHERE id < $1 ORDER BY id', 'int', '9' ],
	[ 'SELECT id, at FROM item WHERE id < $1 ORDER BY id', 'bigint', '9' ],
	[ 'SELECT id, at::text FROM item WHERE id::text < $1 ORDER BY id', 'text', '\'9\'' ],
	[ 'SELECT id, $1 FROM item WHERE at > $1 ORDER BY id', 'timestamptz', '\'2024-04-01 00:00\'' ],
	[ 'SELECT id, $1::text FROM item WHERE d >= $1 ORDER BY id', 'date', '\'02/10/2024\'' ],
	[ 'SELECT id, $1::text || f8 FROM item ORDER BY id', 'float8', '0.1::float8' ],
	[ 'SELECT id, current_setting($1, true) FROM item ORDER BY id', 'text', '\'app.tenant\'' ],
	[ 'SELECT id, p.* FROM item JOIN part p USING (id) WHERE p.id = $1', 'int', '9' ],
	[ 'SELECT * FROM secret WHERE id > $1 ORDER BY id', 'int', '2' ],
	[ 'SELECT * FROM place WHERE i > $1 ORDER BY i', 'int', '2' ],
	[ 'SELECT id, date_trunc(\'day\', at) FROM item WHERE arr @> $1 ORDER BY id', 'int[]', '\'{3}\'' ],
	[ 'SELECT id, $1::xml, label($2) FROM item ORDER BY id', 'text, int', '\'<a/>\', 7' ]);

#
# The changes.  "begin" comes first, and before the statement where one is under
# way; "outside" cannot be made in a transaction; "temp" leaves something in the
# session; "alters" is what PostgreSQL refuses while a table is in use, which one
# of an answer is not; "functions" is what the unnamed portal finds at its run
# and not at its start.
#
my @changes = (
	[ 'nothing', 'SELECT 1' ],
	[ 'time zone', 'SET TimeZone = \'Asia/Tokyo\'' ],
	[ 'time zone by interval', 'SET TIME ZONE INTERVAL \'-08:00\' HOUR TO MINUTE' ],
	[ 'date style', 'SET DateStyle = \'SQL, DMY\'' ],
	[ 'date order', 'SET DateStyle = \'ISO, DMY\'' ],
	[ 'interval style', 'SET IntervalStyle = \'iso_8601\'' ],
	[ 'float digits', 'SET extra_float_digits = -8' ],
	[ 'bytea', 'SET bytea_output = \'escape\'' ],
	[ 'XML', 'SET xmlbinary = \'hex\'', 'SET xmloption = \'document\'' ],
	[ 'quoting', 'SET quote_all_identifiers = on' ],
	[ 'nulls in arrays', 'SET array_nulls = off', 'SET transform_null_equals = on' ],
	[ 'abbreviations', 'SET timezone_abbreviations = \'Australia\'' ],
	[ 'zones of India', 'SET timezone_abbreviations = \'India\'' ],
	[ 'text search', 'SET default_text_search_config = \'english\'' ],
	[ 'text search in a schema', 'SET default_text_search_config = \'two.words\'' ],
	[ 'strings', 'SET standard_conforming_strings = off', 'SET escape_string_warning = off' ],
	[ 'client encoding', 'SET client_encoding = \'LATIN1\'' ],
	[ 'no client encoding', 'SET client_encoding = \'SQL_ASCII\'' ],
	[ 'messages', 'SET client_min_messages = \'error\'' ],
	[ 'tenant', 'SET app.tenant = \'1\'' ],
	[ 'tenant and back', 'SET app.tenant = \'1\'', 'SET app.tenant = \'2\'', 'RESET app.tenant' ],
	[ 'plans', 'SET enable_seqscan = off', 'SET enable_hashagg = off', 'SET enable_hashjoin = off' ],
	[ 'path one', 'SET search_path = one, public' ],
	[ 'path two and one', 'SET search_path = two, one, public' ],
	[ 'path nowhere', 'SET search_path = \'\'' ],
	[ 'path to temporary', { temp => 1 }, 'SET search_path = pg_temp, two, public' ],
	[ 'catalog last', 'SET search_path = two, public, pg_catalog' ],
	[ 'SET LOCAL', { begin => 'BEGIN' }, 'SET LOCAL TimeZone = \'Asia/Tokyo\'', 'SET LOCAL app.tenant = \'2\'' ],
	[ 'SET LOCAL ended', { outside => 1 }, 'BEGIN', 'SET LOCAL TimeZone = \'Asia/Tokyo\'', 'SET LOCAL search_path = one, public', 'SELECT at FROM item ORDER BY id', 'COMMIT' ],
	[ 'SET rolled back', { outside => 1 }, 'BEGIN', 'SET TimeZone = \'Asia/Tokyo\'', 'SET app.tenant = \'1\'', 'SELECT at FROM item ORDER BY id', 'ROLLBACK' ],
	[ 'SET rolled back to a savepoint', { begin => 'BEGIN' }, 'SAVEPOINT a', 'SET TimeZone = \'Asia/Tokyo\'', 'SET search_path = two, public', 'SET ROLE alice', 'ROLLBACK TO a' ],
	[ 'set_config', 'SELECT set_config(\'TimeZone\', \'Asia/Tokyo\', false), set_config(\'app.tenant\', \'1\', false)' ],
	[ 'set_config per row', 'SELECT set_config(\'app.tenant\', id::text, false) FROM item WHERE id < 3 ORDER BY id' ],
	[ 'set_config to the end', { begin => 'BEGIN' }, 'SELECT set_config(\'search_path\', \'one, public\', true)' ],
	[ 'a function that sets', 'SELECT change_zone()' ],
	[ 'a function with SET that sets', 'SELECT change_path()' ],
	[ 'role alice', 'SET ROLE alice' ],
	[ 'role bob', { functions => 1 }, 'SET ROLE bob' ],
	[ 'roles in turn', 'SET ROLE alice', 'SELECT count(*) FROM secret', 'SET ROLE bob', 'SELECT count(*) FROM secret', 'SET ROLE NONE' ],
	[ 'role to the end', { begin => 'BEGIN' }, 'SET LOCAL ROLE alice' ],
	[ 'authorization', { functions => 1 }, 'SET SESSION AUTHORIZATION bob' ],
	[ 'authorization and tenant', 'SET app.tenant = \'2\'', 'SET SESSION AUTHORIZATION alice' ],
	[ 'no row security', 'SET row_security = off', 'SET ROLE alice' ],
	[ 'RESET ALL', 'SET TimeZone = \'Asia/Tokyo\'', 'SET app.tenant = \'1\'', 'RESET ALL' ],
	[ 'DISCARD ALL', { outside => 1 }, 'SET search_path = one, public', 'DISCARD ALL' ],
	[ 'DISCARD PLANS', 'SET search_path = one, public', 'DISCARD PLANS' ],
	[ 'DISCARD TEMP', { temp => 1 }, 'CREATE TEMP TABLE place (i int, t text)', 'DISCARD TEMP' ],
	[ 'DISCARD SEQUENCES', 'DISCARD SEQUENCES' ],
	[ 'READ ONLY', { begin => 'BEGIN READ ONLY' }, 'SELECT 1' ],
	[ 'READ ONLY later', { begin => 'BEGIN' }, 'SET TRANSACTION READ ONLY' ],
	[ 'REPEATABLE READ', { begin => 'BEGIN ISOLATION LEVEL REPEATABLE READ' }, 'SET LOCAL TimeZone = \'Asia/Tokyo\'' ],
	[ 'SERIALIZABLE', { begin => 'BEGIN ISOLATION LEVEL SERIALIZABLE' }, 'SELECT count(*) FROM secret' ],
	[ 'DEFERRABLE', { begin => 'BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE' }, 'SET LOCAL app.tenant = \'1\'' ],
	[ 'default of transactions', 'SET default_transaction_read_only = on', 'SET default_transaction_isolation = \'serializable\'', 'SET default_transaction_deferrable = on' ],
	[ 'characteristics', 'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ' ],
	[ 'savepoint', { begin => 'BEGIN' }, 'SAVEPOINT a', 'SELECT count(*) FROM place', 'RELEASE a' ],
	[ 'temporary table', { temp => 1 }, 'CREATE TEMP TABLE place AS SELECT i, \'temporary\' AS t FROM generate_series(1, 12) i' ],
	[ 'temporary table gone', { temp => 1 }, 'CREATE TEMP TABLE place (i int, t text)', 'DROP TABLE pg_temp.place' ],
	[ 'temporary table to the end', { temp => 1, begin => 'BEGIN' }, 'CREATE TEMP TABLE item ON COMMIT DROP AS SELECT * FROM item WHERE id < 13' ],
	[ 'temporary view', { temp => 1 }, 'CREATE TEMP VIEW place AS SELECT i, t || \' seen\' AS t FROM two.place' ],
	[ 'temporary child', { temp => 1, alters => 1 }, 'CREATE TEMP TABLE kid () INHERITS (parent)', 'INSERT INTO kid VALUES (99, 99)' ],
	[ 'own row', { begin => 'BEGIN' }, 'INSERT INTO item (id, tenant, owner, at) VALUES (99, 1, \'alice\', now()::date)', 'UPDATE secret SET owner = \'bob\'', 'DELETE FROM part WHERE id = 9', 'INSERT INTO place VALUES (77, \'own\')', 'UPDATE child SET v = 5' ],
	[ 'own row rolled back', { begin => 'BEGIN' }, 'SAVEPOINT a', 'INSERT INTO item (id) VALUES (99)', 'SELECT count(*) FROM item', 'ROLLBACK TO a' ],
	[ 'own row committed and undone', 'INSERT INTO item (id) VALUES (99)', 'SELECT count(*) FROM item', 'DELETE FROM item WHERE id = 99' ],
	[ 'refreshed', { begin => 'BEGIN' }, 'UPDATE item SET amt = amt + 1', 'REFRESH MATERIALIZED VIEW CONCURRENTLY sums', 'REFRESH MATERIALIZED VIEW sums' ],
	[ 'truncated', { begin => 'BEGIN', alters => 1 }, 'TRUNCATE item, secret, part, place' ],
	[ 'column renamed', { begin => 'BEGIN', alters => 1 }, 'ALTER TABLE item RENAME at TO other', 'ALTER TABLE secret RENAME note TO other' ],
	[ 'column retyped', { begin => 'BEGIN', alters => 1 }, 'ALTER TABLE part ALTER v TYPE text', 'ALTER TABLE secret ADD more int DEFAULT 3' ],
	[ 'partition detached', { begin => 'BEGIN', alters => 1 }, 'ALTER TABLE part DETACH PARTITION part2', 'ALTER TABLE child NO INHERIT parent' ],
	[ 'schemas renamed', { begin => 'BEGIN' }, 'SET LOCAL search_path = two, public', 'ALTER SCHEMA one RENAME TO three', 'ALTER SCHEMA two RENAME TO one', 'ALTER SCHEMA three RENAME TO two' ],
	[ 'schemas renamed and back', 'ALTER SCHEMA one RENAME TO three', 'ALTER SCHEMA three RENAME TO one' ],
	[ 'role renamed', { begin => 'BEGIN' }, 'ALTER ROLE alice RENAME TO alicia', 'SET ROLE alicia' ],
	[ 'policy altered', { begin => 'BEGIN', alters => 1 }, 'ALTER POLICY own ON secret USING (id > 12)', 'ALTER TABLE item ENABLE ROW LEVEL SECURITY', 'SET LOCAL ROLE alice' ],
	[ 'function replaced', { begin => 'BEGIN', functions => 1 }, 'CREATE OR REPLACE FUNCTION label(v int) RETURNS text RETURN \'new \' || v', 'CREATE OR REPLACE FUNCTION told(v timestamptz) RETURNS text RETURN v::text' ],
	[ 'function replaced and rolled back', { begin => 'BEGIN' }, 'SAVEPOINT a', 'CREATE OR REPLACE FUNCTION label(v int) RETURNS text RETURN \'new \' || v', 'SELECT id, label(id) FROM item ORDER BY id', 'ROLLBACK TO a' ],
	[ 'enum label renamed', { begin => 'BEGIN' }, 'ALTER TYPE mood RENAME VALUE \'ok\' TO \'fine\'' ],
	[ 'configuration altered', { begin => 'BEGIN' }, 'ALTER TEXT SEARCH CONFIGURATION two.words ALTER MAPPING FOR asciiword WITH simple', 'SET LOCAL search_path = two, public' ],
	[ 'granted', { begin => 'BEGIN', alters => 1 }, 'GRANT SELECT ON hidden TO alice', 'REVOKE SELECT ON item FROM alice', 'REVOKE EXECUTE ON FUNCTION label(int), told FROM PUBLIC', 'SET LOCAL ROLE alice' ],
	[ 'member', { begin => 'BEGIN' }, 'GRANT bob TO alice', 'ALTER ROLE alice BYPASSRLS', 'SET LOCAL ROLE alice' ],
	[ 'listening', 'LISTEN heard', 'NOTIFY heard, \'it\'' ],
	[ 'custom plans', 'SET plan_cache_mode = \'force_custom_plan\'' ],
	[ 'generic plans', 'SET plan_cache_mode = \'force_generic_plan\'' ],
	[ 'not counted', 'SET track_counts = off', 'INSERT INTO item (id) VALUES (98)', 'SET track_counts = on', 'DELETE FROM item WHERE id = 98' ],
	[ 'not counted, own row', { begin => 'BEGIN' }, 'SET LOCAL track_counts = off', 'INSERT INTO item (id) VALUES (98)', 'SET LOCAL track_counts = on' ],
	[ 'replica', 'SET session_replication_role = \'replica\'' ],
	[ 'cache off', 'SET perfopt.cache = off' ],
	[ 'cache on', 'SET perfopt.cache = force' ],
	[ 'cache off and on', 'SET perfopt.cache = off', 'INSERT INTO item (id) VALUES (97)', 'SET TimeZone = \'Asia/Tokyo\'', 'SET perfopt.cache = force', 'DELETE FROM item WHERE id = 97' ],
	[ 'cache auto', 'SET perfopt.cache_min_calls = 1', 'SET perfopt.cache_min_time = 0', 'SET perfopt.cache = auto' ],
	[ 'cache observed', 'SET perfopt.cache = observe' ],
	[ 'cache manual', 'SET perfopt.cache = manual' ],
	[ 'verified', 'SET perfopt.cache_verify = 1', 'SET TimeZone = \'Asia/Tokyo\'' ],
	[ 'no bytes', 'SET perfopt.cache_wire = off' ],
	[ 'small results', 'SET perfopt.cache_max_result = 1' ],
	[ 'reserved', 'SET perfopt.debug_reserve = on', 'SET TimeZone = \'Asia/Tokyo\'' ],
	[ 'forgotten', 'SELECT perfopt_invalidate_all()' ]);

#
# What clients send
#
sub bound { return message('B', "$_[0]\0$_[1]\0" . "\0" x 6) . message('D', "P$_[0]\0"); }
sub literal { return '$x$' . $_[0] . '$x$'; }

# Steps in one message each, with no end of a transaction between them.
sub extended_steps
{
	my $n = 0;
	return map { $n++; parse("c$n", $_) . message('B', "c$n\0c$n\0" . "\0" x 6) . execute("c$n") } @_;
}

# Back to what a session is at its start.
my @undo = map { query($_) } 'ROLLBACK; RESET SESSION AUTHORIZATION; UNLISTEN *', 'DISCARD ALL';

# A failure in a transaction does not keep the statements that follow from
# being compared.
sub guarded
{
	my ($change, $messages) = @_;
	return $messages unless $change->{begin};
	return query('SAVEPOINT guard') . $messages . query('ROLLBACK TO guard');
}

# One of so many, others for another change and with another seed
sub some_statements
{
	my ($share) = @_;
	$turn++;
	return map { $statements[$_] } grep { ($_ + $turn) % $share == 0 } 0 .. $#statements;
}

# Each gives lists of a name and messages: first those for all statements.
my %points = (
	'before planning' => sub {
		my ($change) = @_;
		return ([ 'the change', join '', map { query($_) } $change->{begin} || (), @{ $change->{steps} } ],
			map { [ $_, guarded($change, query($_) . query("COPY ($_) TO STDOUT")) ] } some_statements(2));
	},
	'between planning and execution' => sub {
		my ($change) = @_;
		my @some = some_statements(2);
		my $n = 0;
		my $m = 0;
		return ((map { $n++; [ $_, parse("s$n", $_) . bound('', "s$n") . execute('') . sync() ] } @some),
			[ 'the change', join '', map { query($_) } $change->{begin} || (), @{ $change->{steps} } ],
			map { $m++; [ $_, guarded($change, (bound('', "s$m") . execute('') . sync()) x 2) ] } @some);
	},
	'between Parse and planning' => sub {
		my ($change) = @_;
		my @some = some_statements(2);
		my $n = 0;
		my $m = 0;
		return ((map { $n++; [ $_, parse("s$n", $_) . sync() ] } @some),
			[ 'the change', join '', map { query($_) } $change->{begin} || (), @{ $change->{steps} } ],
			map { $m++; [ $_, guarded($change, bound('', "s$m") . execute('') . sync()) ] } @some);
	},
	'between Bind and Execute' => sub {
		my ($change) = @_;
		return if $change->{outside} || $change->{alters};
		return map { [ $_, join '', $change->{begin} ? query($change->{begin}) : (),
			parse('s', $_), bound('', 's'), extended_steps(@{ $change->{steps} }), execute(''), sync(), @undo ] }
		  grep { !$change->{functions} || !/louder|label|told/ } some_statements(4);
	},
	'between Bind and Execute of a named portal' => sub {
		my ($change) = @_;
		return if $change->{outside};
		return map { [ $_, join '', $change->{begin} ? query($change->{begin}) : (),
			parse('', $_), bound('p', ''), extended_steps(@{ $change->{steps} }), execute('p'), sync(), @undo ] } some_statements(4);
	},
	'between two pieces of a portal' => sub {
		my ($change) = @_;
		return if $change->{outside};
		return map { [ $_, join '', $change->{begin} ? query($change->{begin}) : (),
			parse('', $_), bound('p', ''), execute('p', 2), extended_steps(@{ $change->{steps} }), execute('p'), sync(), @undo ] } some_statements(4);
	},
	'between two fetches' => sub {
		my ($change) = @_;
		return if $change->{outside};
		my $changing = join '', map { query($_) } @{ $change->{steps} };
		return map { [ $_, join '', query($change->{begin} || 'BEGIN'), query("DECLARE c SCROLL CURSOR FOR $_"),
			query('FETCH 2 c'), $changing, query('FETCH ALL c'), query('FETCH BACKWARD 3 c'), @undo ] } some_statements(4);
	},
	'in a loop' => sub { return in_functions($_[0], 'among'); },
	'in a function' => sub { return in_functions($_[0], 'around'); },
	'in a function of the owner' => sub { return in_functions($_[0], 'around_by_owner'); },
	'with parameters' => sub {
		my ($change) = @_;
		my ($n, $m) = (0, 0);
		return ((map { $n++; [ $_->[0], query("PREPARE q$n ($_->[1]) AS $_->[0]") . query("EXECUTE q$n ($_->[2])") x ($n % 2 ? 6 : 2) ] } @with_parameters),
			[ 'the change', join '', map { query($_) } $change->{begin} || (), @{ $change->{steps} } ],
			map { $m++; [ $_->[0], guarded($change, query("EXECUTE q$m ($_->[2])") x 2) ] } @with_parameters);
	});

sub in_functions
{
	my ($change, $function) = @_;
	return if $change->{outside} || $change->{alters} || grep { /SAVEPOINT|RELEASE|ROLLBACK/ } @{ $change->{steps} };
	my $changing = literal(join '; ', @{ $change->{steps} });
	return map { [ $_, join '', $change->{begin} ? query($change->{begin}) : (),
		query("SELECT $function(" . literal($_) . ", $changing)"), @undo ] } some_statements(4);
}

#
# Running and comparing
#
my %tables = map { split /\|/ } split /\n/,
  $node->safe_psql('state', 'SELECT oid, oid::regclass FROM pg_class WHERE relkind IN (\'r\', \'v\', \'m\', \'p\')');

my %types = map { $_ => 1 } split /\n/, $node->safe_psql('state', 'SELECT oid FROM pg_type');

# What was sent back, without what two sessions differ in: numbers of temporary
# tables, of processes, and of lines in PostgreSQL's sources; and without what
# announces a result that then fails and where it does, since what an execution
# checks when it is started, the node checks when it is run.
sub readable
{
	my ($stream) = @_;
	my @said = ();
	for my $message (messages_of($stream))
	{
		my ($type, $body) = @$message;
		if ($type eq 'T')
		{
			my ($n, $from) = (unpack('n', $body), 2);
			while ($n-- > 0)
			{
				my ($name, $table, @rest) = unpack("x$from Z* N n N n N n", $body);
				$from += length($name) + 19;
				$rest[1] = 'own' if $rest[1] > 16384 && !$types{ $rest[1] };
				push @said, join ' ', 'column', $name, $tables{$table} || ($table > 0), @rest;
			}
		}
		elsif ($type =~ /[EN]/)
		{
			pop @said while $type eq 'E' && @said && $said[-1] =~ /^(column|[H2n] )/;
			push @said, join ' ', $type, grep { !/^[FLRW]/ } split /\0/, $body;
		}
		elsif ($type eq 'D')
		{
			push @said, join ' ', 'row', map { $_ // 'null' } values_of($body);
		}
		elsif ($type eq 'A')
		{
			push @said, substr($body, 4);
		}
		else
		{
			push @said, "$type $body";
		}
	}
	return map { s/pg_temp_\d+/pg_temp/gr } @said;
}

sub values_of
{
	my ($body) = @_;
	my ($n, $at, @values) = (unpack('n', $body), 2);
	while ($n-- > 0)
	{
		my $length = unpack("x$at l>", $body);
		push @values, $length < 0 ? undef : substr($body, $at + 4, $length);
		$at += 4 + ($length > 0 ? $length : 0);
	}
	return @values;
}

# The first message that differs, undef if none does.
sub difference
{
	my ($expected, $got) = @_;
	return if $expected eq $got;
	my @expected = readable($expected);
	my @got = readable($got);
	for my $i (0 .. ($#expected > $#got ? $#expected : $#got))
	{
		my ($e, $g) = ($expected[$i] // 'nothing', $got[$i] // 'nothing');
		return "expected: $e\n     got: $g" if $e ne $g;
	}
	return;
}

sub session
{
	my ($mode) = @_;
	return raw_client($node, 'state', "-c perfopt.cache=$mode -c work_mem=5MB");
}

# So many messages as a server takes without being read from, in one go.
sub batches
{
	my @batches = ([]);
	my $size = 0;
	for my $unit (@_)
	{
		$size += length $unit->[1];
		if ($size > 60000)
		{
			push @batches, [];
			$size = length $unit->[1];
		}
		push @{ $batches[-1] }, $unit;
	}
	return @batches;
}

# All that these units are answered, by batches.
sub run
{
	my ($client, @units) = @_;
	return [ map { exchange($client, join '', map { $_->[1] } @$_) } batches(@units) ];
}

# A stream by units, each of which ends with the last ReadyForQuery it asks for.
sub by_units
{
	my ($units, $stream) = @_;
	my $at = 0;
	return map {
		my $ends = ends($_->[1]);
		my $from = $at;
		while ($ends > 0)
		{
			my ($type, $length) = unpack("x$at a N", $stream);
			$ends-- if $type eq 'Z';
			$at += 1 + $length;
		}
		substr($stream, $from, $at - $from);
	} @$units;
}

# Statements whose answers differ from what was expected
sub differing
{
	my ($units, $expected, $got, $what) = @_;
	my @differing = ();
	my $n = 0;
	for my $batch (batches(@$units))
	{
		my ($e, $g) = ($expected->[$n], $got->[$n++]);
		next if $e eq $g;
		my @e = by_units($batch, $e);
		my @g = by_units($batch, $g);
		for my $i (0 .. $#$batch)
		{
			my $difference = difference($e[$i], $g[$i]);
			push @differing, "$what: $batch->[$i][0]\n$difference" if defined $difference;
		}
	}
	return @differing;
}

sub hits { return $node->safe_psql('state', 'SELECT sum(hits) FROM perfopt_cache_stats'); }

sub report
{
	my ($name, @bad) = @_;
	is(join("\n", @bad[ 0 .. ($#bad > 5 ? 5 : $#bad) ]), '', $name);
	return;
}

my @plain = map { [ $_, query($_) ] } @statements;
my $plain_answers = run(session('off'), @plain);
my %sessions = map { $_ => session($_ eq 'off' ? 'off' : 'force') } 'off', 'first', 'again', 'elsewhere';

# The units without the cache, with it, with what the first left, and what that
# is to a session that changes nothing.  "lasting" is what a session keeps.
sub compare
{
	my ($name, $lasting, @units) = @_;
	my $expected = run($sessions{off}, @units);
	report($name, (map { differing(\@units, $expected, run($sessions{$_}, @units), $_) } 'first', 'again'),
		differing(\@plain, $plain_answers, run($sessions{elsewhere}, @plain), 'elsewhere'));
	return unless $lasting;
	for my $session ('off', 'first', 'again')
	{
		close $sessions{$session};
		$sessions{$session} = session($session eq 'off' ? 'off' : 'force');
	}
	return;
}

for my $point (sort keys %points)
{
	my ($from, $started) = (hits(), time);
	for my $of_list (@changes)
	{
		my ($name, @steps) = @$of_list;
		my $change = ref $steps[0] ? shift @steps : {};
		my @units = $points{$point}->({ %$change, steps => \@steps });
		compare("$name, $point", $change->{temp}, @units, [ 'the end', join '', @undo ]) if @units;
	}
	my $hits = hits() - $from;
	cmp_ok($hits, '>', 3000, "$point: answers from the cache");
	note(sprintf('%s: %d hits, %.1f s', $point, $hits, time - $started));
}

#
# Each setting that is part of what identifies an answer
#
for my $setting (split /\n/, $node->safe_psql('state', q{
	SELECT format('SET %I = %L', name, CASE vartype
			WHEN 'bool' THEN CASE setting WHEN 'on' THEN 'off' ELSE 'on' END
			WHEN 'enum' THEN enumvals[CASE setting WHEN enumvals[cardinality(enumvals)] THEN 1 ELSE cardinality(enumvals) END]
			WHEN 'integer' THEN (greatest(min_val::numeric, least(max_val::numeric, setting::numeric + 1)))::text
			WHEN 'real' THEN (setting::float8 / 2)::text END)
	FROM pg_settings WHERE name IN (SELECT perfopt_cache_settings())
		AND vartype <> 'string' AND context IN ('user', 'superuser') ORDER BY name}))
{
	compare($setting, 0, [ $setting, query($setting) ], @plain, [ 'the end', join '', @undo ]);
}

#
# A setting that the server is told to read again between two messages
#
sub reload
{
	my ($zone, @clients) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET TimeZone = '$zone'");
	$node->reload;
	for my $client (@clients)
	{
		select(undef, undef, undef, 0.01) while answer($client, 'SHOW TimeZone') ne $zone;
	}
	$node->poll_query_until('postgres', "SELECT current_setting('TimeZone') = '$zone'");
	return;
}

# without those that end the transaction or lock rows for its time
my @usable = grep { $statements[$_] !~ /FOR UPDATE/ &&
	  !grep { /^E / } readable(exchange($sessions{off}, $plain[$_][1])) } 0 .. $#plain;
for my $of ([ 'prepared', '', 'PREPARE p%d AS %s', 'EXECUTE p%d' ],
	[ 'fetched from', 'BEGIN', 'DECLARE c%d CURSOR FOR %s', 'FETCH 3 c%d' ])
{
	my ($what, $begin, $first, $then) = @$of;
	my @clients = map { session($_) } 'off', 'force', 'force';
	my @before = map { [ $statements[$_], query(sprintf $first, $_, $statements[$_]) . query(sprintf $then, $_) ] } @usable;
	my @after = map { [ $statements[$_], query(sprintf $then, $_) ] } @usable;
	my @answers = map { my $client = $_; answer($client, $begin); exchange($client, join '', map { $_->[1] } @before) } @clients;
	reload('Asia/Tokyo', @clients);
	$answers[$_] .= exchange($clients[$_], join '', map { $_->[1] } @after) for 0 .. $#clients;
	report("reloaded, $what", map { differing([ @before, @after ], [ $answers[0] ], [ $answers[$_] ], $_) } 1, 2);
	report("reloaded, $what, elsewhere", differing(\@plain, run(session('off'), @plain), run(session('force'), @plain), 'plain'));
	close $_ for @clients;
	reload('UTC');
}

check_log($node);
$node->stop;
done_testing();
