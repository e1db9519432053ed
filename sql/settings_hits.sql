--
-- The same statement under other settings: each has its own answer.
--
CREATE SCHEMA settings_hits;
SET search_path = settings_hits, public;
CREATE TABLE t (at timestamptz, d date, i interval, b bytea, f float8, n text,
	m money, x xml, a text);
INSERT INTO t VALUES ('2024-03-05 12:30+00', '2024-03-05', '1 day 02:03:04',
	'\x00ff41', 1.0::float8 / 3, 'lower', 12.5, '<a/>', '{1,NULL}');
\getenv srcdir PG_ABS_SRCDIR
\set dir :srcdir '/sql/'
\set setup :dir 'setup.psql'
\i :setup
\set ECHO none

\set q 'SELECT at::text, date_trunc(''day'', at), d::text, i::text FROM t'
\i :twice
\set d 'SET TimeZone = \'Asia/Tokyo\''
\i :change
\set d 'SET TimeZone = \'PST8PDT\''
\i :change
\set d 'SET DateStyle = \'ISO, DMY\''
\i :change
\set d 'SET DateStyle = \'German\''
\i :change
\set d 'SET IntervalStyle = \'iso_8601\''
\i :change
\set d 'RESET IntervalStyle; RESET DateStyle; RESET TimeZone'
\i :change

\set q 'SELECT at, d, i, b, f, x FROM t'
\i :twice
\set d 'SET TimeZone = \'Asia/Tokyo\''
\i :change
\set d 'SET bytea_output = escape'
\i :change
\set d 'SET extra_float_digits = -5'
\i :change
\set d 'RESET extra_float_digits; RESET bytea_output; RESET TimeZone'
\i :change

\set q 'SELECT b::text, f::text, f || \'\', quote_ident(n), format(\'%I\', n), to_json(f) FROM t'
\i :twice
\set d 'SET bytea_output = escape'
\i :change
\set d 'SET extra_float_digits = 0'
\i :change
\set d 'SET quote_all_identifiers = on'
\i :change
\set d 'RESET quote_all_identifiers; RESET extra_float_digits; RESET bytea_output'
\i :change

\set q 'SELECT a::int[] FROM t'
\i :twice
\set d 'UPDATE t SET a = \'{1,2}\''
\i :change
\set d 'SET array_nulls = off'
\i :change
\set d 'RESET array_nulls'
\i :change

\set q 'SELECT xmlelement(name a, b), xmlelement(name a, d) FROM t'
\i :twice
\set d 'SET xmlbinary = hex'
\i :change
\set d 'RESET xmlbinary'
\i :change

\set q 'SELECT to_tsvector(\'the running foxes\') @@ to_tsquery(\'fox\') AS english, n FROM t'
\i :twice
\set d 'SET default_text_search_config = \'simple\''
\i :change
\set d 'RESET default_text_search_config'
\i :change

\echo '== the settings of the planner, for who studies a plan'
\set q 'SELECT count(*) FROM t'
\i :twice
\set d 'SET enable_seqscan = off'
\i :change
\set d 'SET work_mem = \'1MB\''
\i :change
\set d 'RESET work_mem; RESET enable_seqscan'
\i :change

\echo '== a plan that was made under other settings'
SET perfopt.cache = force;
SET plan_cache_mode = force_generic_plan;
PREPARE old AS SELECT '\x41'::bytea::text, count(*) FROM t;
\t
\a
EXECUTE old;
SET bytea_output = escape;
-- PostgreSQL does not plan again: what it gives is not kept
EXECUTE old;
\set q 'SELECT \'\\x41\'::bytea::text, count(*) FROM t'
\i :twice
RESET bytea_output;
\i :twice
\a
\t
DEALLOCATE old;
RESET plan_cache_mode;
\set q 'SELECT count(*) FROM t'

\echo '== what no answer depends on'
\set d 'SET application_name = \'settings_hits\''
\i :change
\set d 'SET statement_timeout = \'1h\''
\i :change
\set d 'SET lock_timeout = \'1h\''
\i :change
\set d 'SET search_path = settings_hits'
\i :change

\set ECHO all
RESET ALL;
DROP SCHEMA settings_hits CASCADE;
