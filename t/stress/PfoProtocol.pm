
# What t/026_protocol.pl asks: tables and functions, and lists of statements
# from which t/stress/PfoRandom.pm chooses.
#
# A statement is here if all that is sent for it is determined by the data.  It
# orders its rows by what tells them apart, or reads what is never written:
# executing prunes pages, which a hit does not, hence rows can be found in
# another order afterwards, and another plan can be the cheapest.  What fails in
# one of its rows orders them before: how many come first is then no matter of
# the plan.  No answer has a transaction's number in it, or
# that of a sequence, which a statement that failed may have used up or not.

package PfoProtocol;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(protocol_schema protocol_functions @selects @with_parameters
  @settings @switches @writes @transactions @moves);

sub protocol_schema
{
	return <<'SQL';
CREATE EXTENSION perfopt;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN short AS text CHECK (length(VALUE) < 20);

CREATE TABLE t (id int PRIMARY KEY, v text, f float8, f4 float4, ts timestamptz, b bytea, n numeric,
	e mood, arr int[], p pair, d date, iv interval, j jsonb, m money, x xml, s short, nm name,
	u uuid, tt timetz, bi bit(5));
INSERT INTO t SELECT i, U&'\00E9' || i, i / 3.0, i / 7.0, timestamptz '2024-03-30 22:00+00' + i * interval '5 hours',
	decode(md5(i::text), 'hex'), i / 8.0, (ARRAY['sad', 'ok', 'happy']::mood[])[1 + i % 3], ARRAY[i, NULL, i * 2],
	ROW(i, 'x' || i)::pair, date '2024-01-01' + i * 9, i * interval '1 mon 2 days 3:04:05.6',
	jsonb_build_object('a', i), i * 1.25, ('<a n="' || i || '"/>')::xml, 's' || i, 'n' || i,
	md5(i::text)::uuid, '12:34:56+02', i::bit(5) FROM generate_series(1, 25) i;
-- some are the same in all encodings
UPDATE t SET v = 'v' || id WHERE id % 2 = 0;
UPDATE t SET v = NULL WHERE id % 6 = 0;
CREATE TABLE big (id int PRIMARY KEY, pad text);
INSERT INTO big SELECT i, repeat(chr(97 + i % 26), 300 + i) FROM generate_series(1, 120) i;
CREATE TABLE huge (id int PRIMARY KEY, pad text);
INSERT INTO huge SELECT i, repeat(md5(i::text), 900) FROM generate_series(1, 20) i;
CREATE TABLE accents (id int, v text);
INSERT INTO accents SELECT i, U&'\00E9t\00E9 ' || i FROM generate_series(1, 6) i;
-- the last one is no LATIN1
CREATE TABLE wide AS SELECT * FROM accents;
INSERT INTO wide VALUES (7, U&'\0416\20AC');
CREATE TABLE part (id int, k int, v text) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (10) TO (100);
INSERT INTO part SELECT i, i % 4, 'p' || i FROM generate_series(1, 24) i;
CREATE TABLE par (id int, v int);
CREATE TABLE chi () INHERITS (par);
INSERT INTO par SELECT i, i FROM generate_series(1, 5) i;
INSERT INTO chi SELECT i, i * 2 FROM generate_series(6, 9) i;
CREATE TABLE empty (id int, v text);
CREATE TABLE dup (id int, v text, UNIQUE (id) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO dup SELECT i, 'd' || i FROM generate_series(1, 8) i;
CREATE TABLE log (id serial, w text);
CREATE VIEW vt AS SELECT id, v, f FROM t WHERE id > 3;
CREATE MATERIALIZED VIEW mv AS SELECT k, count(*) AS c FROM part GROUP BY k;
CREATE TABLE rls (id int, own name, x text);
INSERT INTO rls SELECT i, (ARRAY['alice', 'bob', 'carol'])[1 + i % 3], 'x' || i FROM generate_series(1, 12) i;
ALTER TABLE rls ENABLE ROW LEVEL SECURITY;
CREATE POLICY o ON rls USING (own = current_user);

GRANT ALL ON ALL TABLES IN SCHEMA public TO alice;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO alice;
GRANT SELECT ON t, rls, part, big TO bob;
GRANT CREATE ON SCHEMA public TO alice;

CREATE FUNCTION lim(i int) RETURNS int LANGUAGE sql IMMUTABLE RETURN i + 1;
REVOKE EXECUTE ON FUNCTION lim FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lim TO alice;
CREATE FUNCTION f_loop(nn int) RETURNS SETOF text LANGUAGE plpgsql AS
	$$DECLARE r record; BEGIN
	FOR r IN SELECT id, v, ts FROM t WHERE id < nn ORDER BY id LOOP RETURN NEXT r::text; END LOOP; END$$;
CREATE FUNCTION f_query(nn int) RETURNS TABLE (a int, b text) LANGUAGE plpgsql AS
	$$BEGIN RETURN QUERY SELECT id, v FROM t WHERE id < nn ORDER BY id;
	RETURN QUERY EXECUTE 'SELECT id, v FROM part ORDER BY id, v'; END$$;
CREATE FUNCTION f_into(nn int) RETURNS text LANGUAGE plpgsql AS
	$$DECLARE a text; c int; BEGIN SELECT v INTO a FROM t WHERE id = nn;
	SELECT count(*) INTO c FROM part WHERE id > nn;
	PERFORM 1 FROM dup WHERE id = nn; RETURN coalesce(a, '?') || c || found; END$$;
CREATE FUNCTION f_write(nn int) RETURNS text LANGUAGE plpgsql AS
	$$DECLARE a int; b int; BEGIN SELECT count(*) INTO a FROM part;
	INSERT INTO part VALUES (nn % 90, nn, 'w' || nn);
	SELECT count(*) INTO b FROM part;
	BEGIN DELETE FROM part WHERE k = nn; PERFORM 1/0; EXCEPTION WHEN division_by_zero THEN NULL; END;
	RETURN a || ' ' || b || ' ' || (SELECT count(*) FROM part); END$$;
CREATE FUNCTION f_ref(nm refcursor, q text) RETURNS refcursor LANGUAGE plpgsql AS
	$$BEGIN OPEN nm FOR EXECUTE q; RETURN nm; END$$;
CREATE FUNCTION f_refq() RETURNS refcursor LANGUAGE plpgsql AS
	$$DECLARE c refcursor := 'rc'; BEGIN
	OPEN c SCROLL FOR SELECT id, v FROM t ORDER BY v NULLS FIRST, id;
	MOVE FORWARD 2 FROM c; RETURN c; END$$;
CREATE FUNCTION f_cur() RETURNS text LANGUAGE plpgsql AS
	$$DECLARE c CURSOR FOR SELECT id, v FROM t ORDER BY id; r record; o text := ''; BEGIN
	OPEN c; FETCH c INTO r; o := r::text; MOVE FORWARD 3 IN c; FETCH RELATIVE 2 FROM c INTO r;
	o := o || r::text; FETCH LAST FROM c INTO r; o := o || r::text; FETCH PRIOR FROM c INTO r;
	o := o || coalesce(r::text, '-'); CLOSE c; RETURN o; END$$;
CREATE FUNCTION f_upd() RETURNS text LANGUAGE plpgsql AS
	$$DECLARE c CURSOR FOR SELECT id, v FROM dup; r record; BEGIN
	FOR r IN c LOOP
		IF r.id % 3 = 0 THEN UPDATE dup SET v = v || '.' WHERE CURRENT OF c; END IF;
	END LOOP;
	RETURN (SELECT string_agg(v, ',' ORDER BY id, v) FROM dup); END$$;
CREATE FUNCTION f_set() RETURNS SETOF text LANGUAGE plpgsql SET DateStyle = 'German' SET bytea_output = 'escape'
	SET extra_float_digits = -3 SET TimeZone = 'Asia/Tokyo' AS
	$$BEGIN RETURN QUERY SELECT ts::text || b::text || f::text FROM t ORDER BY id;
	RETURN QUERY SELECT v FROM t ORDER BY id; END$$;
CREATE FUNCTION f_sql() RETURNS SETOF text LANGUAGE sql AS 'SELECT ts::text FROM t ORDER BY id';
CREATE FUNCTION f_sql1() RETURNS text LANGUAGE sql AS 'SELECT v FROM t ORDER BY id DESC';
CREATE FUNCTION f_record() RETURNS SETOF record LANGUAGE sql AS 'SELECT id, v, e FROM t ORDER BY id';
CREATE FUNCTION f_def() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS
	$$BEGIN RETURN QUERY SELECT own || x || current_user FROM rls ORDER BY id; END$$;
CREATE FUNCTION f_inv() RETURNS SETOF text LANGUAGE plpgsql AS
	$$BEGIN RETURN QUERY SELECT own || x || current_user FROM rls ORDER BY id; END$$;
CREATE FUNCTION f_lim() RETURNS SETOF int LANGUAGE plpgsql AS
	$$BEGIN RETURN QUERY SELECT lim(id) FROM t WHERE id < 6 ORDER BY 1; END$$;
CREATE FUNCTION f_exc() RETURNS text LANGUAGE plpgsql AS
	$$DECLARE r record; n int := 0; BEGIN
	BEGIN FOR r IN SELECT id, 10 / (id - 4) AS q FROM t ORDER BY id LOOP n := n + r.q; END LOOP;
	EXCEPTION WHEN division_by_zero THEN n := n + 1000; END; RETURN n; END$$;
CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS
	$$DECLARE c text; BEGIN SELECT string_agg(k::text, ',' ORDER BY id, k) INTO c FROM part;
	INSERT INTO log (w) VALUES (TG_OP || c);
	IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END$$;
CREATE TRIGGER a AFTER INSERT OR UPDATE OR DELETE ON part FOR EACH ROW EXECUTE FUNCTION trg();
CREATE FUNCTION trgd() RETURNS trigger LANGUAGE plpgsql AS
	$$DECLARE c text; BEGIN SELECT count(*) || max(v) INTO c FROM dup;
	INSERT INTO log (w) VALUES ('def' || c); RETURN NULL; END$$;
CREATE CONSTRAINT TRIGGER d AFTER INSERT OR UPDATE OR DELETE ON dup
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trgd();
CREATE PROCEDURE proc() LANGUAGE plpgsql AS
	$$DECLARE r record; n int := 0; BEGIN FOR r IN SELECT id FROM part ORDER BY id LOOP
	n := n + 1;
	IF n = 3 THEN INSERT INTO log (w) VALUES ('p' || r.id); COMMIT; END IF;
	IF n = 5 THEN INSERT INTO log (w) VALUES ('q' || r.id); ROLLBACK; END IF;
	END LOOP; INSERT INTO log (w) SELECT count(*) FROM part; END$$;
VACUUM ANALYZE;
SQL
}

# Those a client calls by number, with how many integers they take.
sub protocol_functions
{
	return (f_into => 1, f_write => 1, f_cur => 0, f_exc => 0, f_sql1 => 0, f_upd => 0);
}

our @selects = split /\n/, <<'SQL';
SELECT id, v FROM t ORDER BY id
SELECT * FROM t ORDER BY id
SELECT id, ts, d, iv, tt FROM t ORDER BY id
SELECT id, ts::text, b::text, f::text, iv::text FROM t ORDER BY id
SELECT f, f4, n, m FROM t ORDER BY id
SELECT b, bi, u, nm FROM t ORDER BY id
SELECT e, arr, p, x FROM t ORDER BY id
SELECT j, s, arr FROM t ORDER BY id
SELECT id, 10/(id-5) FROM (SELECT id FROM t ORDER BY id OFFSET 0) q
SELECT id, (v||'x')::int FROM (SELECT * FROM t ORDER BY id OFFSET 0) q
SELECT count(*) FROM t
SELECT count(*), sum(n), max(ts) FROM t
SELECT e, count(*) FROM t GROUP BY e ORDER BY 1
SELECT v FROM t WHERE id = 7
SELECT id FROM t WHERE id = 700
SELECT id, pad FROM big ORDER BY id
SELECT id, pad FROM big WHERE id < 20 ORDER BY id
SELECT pad FROM huge ORDER BY id
SELECT id, length(pad) FROM huge
SELECT id, v FROM accents
SELECT id, v FROM wide
SELECT * FROM part ORDER BY id, k, v
SELECT * FROM part WHERE id > 8 ORDER BY id, k, v LIMIT 7
SELECT count(*), sum(k) FROM part
SELECT k, count(*) FROM part GROUP BY k ORDER BY k
SELECT id, v FROM par
SELECT * FROM par ORDER BY id
SELECT * FROM empty ORDER BY id, v
SELECT count(*) FROM empty
SELECT FROM t
SELECT FROM dup WHERE id = 1
SELECT * FROM dup ORDER BY id, v
SELECT v FROM dup WHERE id = 2 ORDER BY v
SELECT * FROM vt ORDER BY id
SELECT * FROM mv ORDER BY k
SELECT a.id, b.v FROM t a JOIN part b USING (id) ORDER BY 1, 2
SELECT id, row_number() OVER (ORDER BY ts) FROM t ORDER BY id
WITH RECURSIVE r(i) AS (SELECT min(id) FROM t UNION ALL SELECT i+1 FROM r WHERE i < 12) SELECT * FROM r
SELECT id, generate_series(1, 2) FROM dup ORDER BY 1, 2
SELECT id, current_user FROM rls ORDER BY id
SELECT current_setting('app.x', true), count(*) FROM part
SELECT * FROM part WHERE id > coalesce(nullif(current_setting('app.x', true),'')::int, 3) ORDER BY id, k, v
SELECT DISTINCT k FROM part ORDER BY k
SELECT lim(id) FROM t WHERE id < 6 ORDER BY id
SELECT id FROM t WHERE ts > '2024-04-01 00:30' ORDER BY id
SELECT id, to_char(ts, 'HH24 TZ') FROM t ORDER BY id
SELECT id FROM t UNION SELECT id FROM part ORDER BY 1
SELECT id, (SELECT max(v) FROM part p WHERE p.id = t.id) FROM t ORDER BY id
SELECT * FROM f_loop(9)
SELECT * FROM f_query(6)
SELECT f_query(4)
SELECT f_into(5), f_into(9)
SELECT id, f_into(id) FROM dup ORDER BY id
SELECT f_cur()
SELECT f_set()
SELECT f_sql()
SELECT * FROM f_sql()
SELECT f_sql1()
SELECT * FROM f_record() AS x(a int, b text, c mood)
SELECT f_def()
SELECT f_inv()
SELECT f_lim()
SELECT f_exc()
SELECT id, v FROM t WHERE id < 5 ORDER BY id FOR UPDATE
SELECT xmin::text = '0', id FROM dup ORDER BY id LIMIT 3
SELECT w FROM log ORDER BY id DESC LIMIT 2
SELECT id, v FROM t ORDER BY id OFFSET 3 LIMIT 5
SELECT 1
SELECT id, v COLLATE "C", 'lit' AS lit, NULL AS nul, id AS "Weird Name" FROM t ORDER BY 2 NULLS FIRST, 1
VALUES (1, 'a'), (2, (SELECT max(v) FROM part))
SELECT t FROM t ORDER BY id
SELECT p.a FROM (SELECT (p).* FROM t) p ORDER BY 1
SELECT part.*, part FROM part WHERE k = 2 ORDER BY id, v
SQL

our @with_parameters = split /\n/, <<'SQL';
SELECT id, v FROM t WHERE id < $1::int ORDER BY id
SELECT id, $1::text, ts FROM t WHERE id < $2 ORDER BY id
SELECT * FROM part WHERE id = $1 ORDER BY id, k, v
SELECT v FROM t WHERE id = $1
SELECT count(*) FROM part WHERE k = $1
SELECT id, 100/(id - $1) FROM (SELECT id FROM t ORDER BY id OFFSET 0) q
SELECT id, pad FROM big WHERE id > $1 ORDER BY id
SELECT id FROM t ORDER BY id LIMIT $1
SQL

our @settings = split /\n/, <<'SQL';
SET DateStyle = 'German, DMY'
SET DateStyle = 'ISO, MDY'
SET TimeZone = 'Asia/Tokyo'
SET TimeZone = 'UTC'
SET extra_float_digits = -5
SET extra_float_digits = 1
SET bytea_output = 'escape'
SET bytea_output = 'hex'
SET IntervalStyle = 'iso_8601'
SET IntervalStyle = 'postgres'
SET lc_monetary = 'C'
SET xmloption = 'document'
SET client_encoding = 'LATIN1'
SET client_encoding = 'UTF8'
SET client_encoding = 'SQL_ASCII'
SET app.x = '8'
SET app.x = '15'
SET ROLE alice
SET ROLE bob
RESET ROLE
SET row_security = off
RESET row_security
SET plan_cache_mode = force_generic_plan
SET plan_cache_mode = force_custom_plan
RESET plan_cache_mode
SET enable_seqscan = off
RESET enable_seqscan
SET quote_all_identifiers = on
SET client_min_messages = error
RESET client_min_messages
SET search_path = pg_catalog, public
SET LOCAL TimeZone = 'America/New_York'
SET LOCAL DateStyle = 'SQL'
SET transform_null_equals = on
SET jit_above_cost = 0
SQL

# Not to "force", which a role may not set that the session may have by then.
our @switches = split /\n/, <<'SQL';
SET perfopt.cache = 'off'
SET perfopt.cache = 'auto'
SET perfopt.cache = 'auto'
SET perfopt.cache = 'auto'
SET perfopt.cache = 'observe'
SET LOCAL perfopt.cache = 'off'
SET LOCAL perfopt.cache = 'auto'
RESET ROLE
SQL

# %d is a number.
our @writes = split /\n/, <<'SQL';
INSERT INTO part VALUES (%d, 1, 'new')
UPDATE part SET k = k + 1 WHERE id = %d
DELETE FROM part WHERE id = %d
INSERT INTO dup VALUES (%d, 'y')
UPDATE dup SET id = id + 1 WHERE id < %d
DELETE FROM dup WHERE id > %d
UPDATE t SET v = v || '+' WHERE id = %d
UPDATE t SET n = n + 1 WHERE id = %d RETURNING id, n
INSERT INTO empty SELECT %d, 'e'
TRUNCATE empty
UPDATE rls SET x = x || '!' WHERE id = %d
UPDATE big SET pad = pad || 'z' WHERE id = %d
REFRESH MATERIALIZED VIEW mv
SELECT f_write(%d)
SELECT f_upd()
CALL proc()
ALTER TABLE empty ADD COLUMN IF NOT EXISTS w int DEFAULT 3
ALTER TABLE empty DROP COLUMN IF EXISTS w
ALTER TABLE part ADD COLUMN IF NOT EXISTS w int
ALTER TABLE part DROP COLUMN IF EXISTS w
ANALYZE t
CREATE OR REPLACE FUNCTION lim(i int) RETURNS int LANGUAGE sql IMMUTABLE RETURN i + %d
GRANT EXECUTE ON FUNCTION lim TO bob
REVOKE EXECUTE ON FUNCTION lim FROM bob
CREATE INDEX IF NOT EXISTS part_k ON part (k)
DROP INDEX IF EXISTS part_k
TRUNCATE part2
LOCK TABLE part IN ACCESS EXCLUSIVE MODE
WITH d AS (DELETE FROM part WHERE id = %d RETURNING *) SELECT * FROM d ORDER BY id, k, v
SET CONSTRAINTS ALL IMMEDIATE
SQL

our @transactions = split /\n/, <<'SQL';
BEGIN
BEGIN
BEGIN ISOLATION LEVEL REPEATABLE READ
BEGIN READ ONLY
BEGIN ISOLATION LEVEL SERIALIZABLE
COMMIT
COMMIT
ROLLBACK
COMMIT AND CHAIN
SAVEPOINT a
SAVEPOINT b
ROLLBACK TO a
RELEASE a
ROLLBACK TO b
SQL

# The first three are what most clients do with a cursor.
our @moves = split /\n/, <<'SQL';
FETCH %d FROM
FETCH ALL FROM
FETCH NEXT FROM
FETCH BACKWARD %d FROM
FETCH PRIOR FROM
FETCH FIRST FROM
FETCH LAST FROM
FETCH ABSOLUTE %d FROM
FETCH ABSOLUTE -%d FROM
FETCH RELATIVE %d FROM
FETCH RELATIVE -%d FROM
FETCH 0 FROM
FETCH RELATIVE 0 FROM
FETCH BACKWARD ALL FROM
MOVE %d FROM
MOVE ALL FROM
MOVE BACKWARD %d FROM
MOVE BACKWARD ALL FROM
MOVE ABSOLUTE %d FROM
MOVE ABSOLUTE 0 FROM
SQL

1;
