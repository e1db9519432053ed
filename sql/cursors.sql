--
-- Cursors and answers read in pieces, compared with the cache off.
--
\getenv srcdir PG_ABS_SRCDIR
\set dir :srcdir '/sql/'
\set setup :dir 'setup.psql'
\i :setup
SET client_min_messages = warning;
\set ECHO none
CREATE SCHEMA cursors;
SET search_path = cursors, public;
CREATE TABLE t (id int PRIMARY KEY, k int, v int);
INSERT INTO t SELECT g, g % 3, g FROM generate_series(1, 12) AS g;
ANALYZE t;

\echo '== DECLARE and FETCH'
\set q 'BEGIN \\; DECLARE c CURSOR FOR SELECT k, sum(v) FROM t GROUP BY k ORDER BY k \\; FETCH 2 FROM c \\; FETCH 2 FROM c \\; FETCH 2 FROM c \\; COMMIT'
\i :twice
-- in one piece, and what is left unread
\set q 'BEGIN \\; DECLARE c CURSOR FOR SELECT k, max(v) FROM t GROUP BY k ORDER BY k \\; FETCH ALL FROM c \\; COMMIT'
\i :twice
\set q 'BEGIN \\; DECLARE c CURSOR FOR SELECT k, min(v) FROM t GROUP BY k ORDER BY k \\; FETCH 1 FROM c \\; COMMIT'
\i :twice
\set q 'BEGIN \\; DECLARE c CURSOR FOR SELECT k, min(v) FROM t GROUP BY k ORDER BY k \\; COMMIT'
\i :twice

\echo '== there and back'
\set q 'BEGIN \\; DECLARE c SCROLL CURSOR FOR SELECT k, count(v) FROM t GROUP BY k ORDER BY k \\; FETCH 2 FROM c \\; FETCH BACKWARD 1 FROM c \\; FETCH LAST FROM c \\; FETCH ABSOLUTE 2 FROM c \\; FETCH RELATIVE -1 FROM c \\; FETCH PRIOR FROM c \\; MOVE FORWARD ALL IN c \\; FETCH BACKWARD ALL FROM c \\; FETCH FIRST FROM c \\; COMMIT'
\i :twice
\set q 'BEGIN \\; DECLARE c NO SCROLL CURSOR FOR SELECT k, count(id) FROM t GROUP BY k ORDER BY k \\; FETCH 1 FROM c \\; MOVE 1 IN c \\; FETCH ALL FROM c \\; COMMIT'
\i :twice
-- scrolled before all of it was read, then read
\set q 'BEGIN \\; DECLARE c SCROLL CURSOR FOR SELECT v % 5 AS m, count(*) FROM t GROUP BY 1 ORDER BY 1 \\; FETCH 3 FROM c \\; FETCH BACKWARD 2 FROM c \\; FETCH ALL FROM c \\; COMMIT'
\i :twice
-- unspecified: as far as the plan can
\set q 'BEGIN \\; DECLARE c CURSOR FOR SELECT k, sum(v + 2) FROM t GROUP BY k ORDER BY sum(v + 2) \\; FETCH 2 FROM c \\; FETCH BACKWARD 1 FROM c \\; FETCH ALL FROM c \\; COMMIT'
\i :twice

\echo '== WITH HOLD'
\set q 'BEGIN \\; DECLARE c CURSOR WITH HOLD FOR SELECT k, avg(v) FROM t GROUP BY k ORDER BY k \\; COMMIT \\; FETCH 2 FROM c \\; FETCH ALL FROM c \\; CLOSE c'
\i :twice
\set q 'BEGIN \\; DECLARE c CURSOR WITH HOLD FOR SELECT k, avg(id) FROM t GROUP BY k ORDER BY k \\; FETCH 1 FROM c \\; COMMIT \\; FETCH ALL FROM c \\; CLOSE c'
\i :twice

\echo '== what COMMIT runs keeps nothing, but is served'
\set q 'SELECT k, avg(v) FROM t GROUP BY k ORDER BY k'
\i :twice
\set q 'BEGIN \\; DECLARE c CURSOR WITH HOLD FOR SELECT k, avg(v) FROM t GROUP BY k ORDER BY k \\; COMMIT \\; FETCH ALL FROM c \\; CLOSE c'
\i :twice
CREATE TABLE checked (n bigint);
CREATE FUNCTION checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	SELECT count(*) INTO new.n FROM t WHERE v % 2 = 0;
	IF new.n < 3 THEN RAISE 'few: %', new.n; END IF;
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON checked
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION checked();
-- planned for it: the query and two expressions
\set q 'BEGIN \\; INSERT INTO checked DEFAULT VALUES \\; COMMIT'
\i :why

\echo '== own writes between fetches are not seen, those before are'
\set q 'BEGIN \\; DECLARE c CURSOR FOR SELECT k, sum(id) FROM t GROUP BY k ORDER BY k \\; FETCH 1 FROM c \\; UPDATE t SET v = v + 100, k = 7 WHERE id = 3 \\; FETCH ALL FROM c \\; ROLLBACK'
\i :twice
\set q 'BEGIN \\; DECLARE c CURSOR FOR SELECT k, sum(v * 2) FROM t GROUP BY k ORDER BY k \\; UPDATE t SET v = v + 100 WHERE id = 3 \\; FETCH ALL FROM c \\; ROLLBACK'
\i :twice
\set q 'BEGIN \\; UPDATE t SET v = v + 100 WHERE id = 3 \\; DECLARE c CURSOR FOR SELECT k, sum(v) FROM t GROUP BY k ORDER BY k \\; FETCH ALL FROM c \\; ROLLBACK'
\i :twice
\set q 'BEGIN \\; SAVEPOINT s \\; DECLARE c CURSOR FOR SELECT k, max(id) FROM t GROUP BY k ORDER BY k \\; FETCH 1 FROM c \\; ROLLBACK TO s \\; SELECT count(*) FROM pg_cursors \\; COMMIT'
\i :twice
-- what such a cursor has kept is what the others see
\set d 'UPDATE t SET v = v + 1 WHERE id = 3'
\set q 'SELECT k, sum(id) FROM t GROUP BY k ORDER BY k'
\i :change

\echo '== WHERE CURRENT OF'
\set q 'BEGIN \\; DECLARE c CURSOR FOR SELECT id, v FROM t WHERE id > 3 \\; FETCH 2 FROM c \\; UPDATE t SET v = 1000 WHERE CURRENT OF c RETURNING id, v \\; DELETE FROM t WHERE CURRENT OF c RETURNING id \\; ROLLBACK'
\i :twice
CREATE FUNCTION current() RETURNS SETOF int LANGUAGE plpgsql AS $$
DECLARE
	c CURSOR FOR SELECT id, v FROM t WHERE id < 4;
	d refcursor;
	r record;
BEGIN
	FOR r IN c LOOP
		UPDATE t SET v = v + 1000 WHERE CURRENT OF c RETURNING v INTO r.v;
		RETURN NEXT r.v;
	END LOOP;
	OPEN d FOR SELECT id, v FROM t WHERE id < 3;
	FETCH d INTO r;
	UPDATE t SET v = v + 5000 WHERE CURRENT OF d RETURNING v INTO r.v;
	RETURN NEXT r.v;
	CLOSE d;
END$$;
\set q 'BEGIN \\; SELECT current() \\; ROLLBACK'
\i :twice
-- what cannot be is the same error
SET perfopt.cache = force;
BEGIN;
DECLARE c CURSOR FOR SELECT k, sum(v) FROM t GROUP BY k;
FETCH 1 FROM c;
UPDATE t SET v = 0 WHERE CURRENT OF c;
ROLLBACK;

\echo '== PL/pgSQL'
CREATE FUNCTION scrolled() RETURNS SETOF int LANGUAGE plpgsql AS $$
DECLARE
	c SCROLL CURSOR (n int) FOR SELECT sum(v) AS s FROM t WHERE id < n GROUP BY k ORDER BY k;
	r record;
BEGIN
	OPEN c(10);
	FETCH LAST FROM c INTO r;
	RETURN NEXT r.s;
	FETCH PRIOR FROM c INTO r;
	RETURN NEXT r.s;
	MOVE FIRST FROM c;
	FETCH NEXT FROM c INTO r;
	RETURN NEXT r.s;
	CLOSE c;
	FOR r IN c(8) LOOP
		RETURN NEXT r.s;
	END LOOP;
END$$;
\set q 'SELECT scrolled()'
\i :twice
CREATE FUNCTION returned() RETURNS refcursor LANGUAGE plpgsql AS
	'DECLARE c refcursor := ''returned''; BEGIN OPEN c FOR SELECT k, sum(v + 1) FROM t GROUP BY k ORDER BY k; RETURN c; END';
\set q 'BEGIN \\; SELECT returned() \\; FETCH 2 FROM returned \\; FETCH ALL FROM returned \\; COMMIT'
\i :twice

\echo '== a setting that changes between two fetches'
SET app.a = 1;
SET enable_sort = off;
\set q 'SELECT a.id, current_setting(''app.a'') AS s FROM t AS a JOIN t AS b ON b.id = a.k + 1 WHERE a.id > 9'
\i :twice
\set q 'BEGIN \\; DECLARE c CURSOR FOR SELECT a.id, current_setting(''app.a'') AS s FROM t AS a JOIN t AS b ON b.id = a.k + 1 WHERE a.id > 9 \\; FETCH 1 FROM c \\; SET LOCAL app.a = 2 \\; FETCH ALL FROM c \\; COMMIT'
\i :twice
CREATE FUNCTION by_setting() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT g.id, current_setting('app.a') AS s FROM t AS g JOIN generate_series(1, 4) AS n ON true ORDER BY g.id LOOP
		PERFORM set_config('app.a', r.id::text, true);
		RETURN NEXT r.s;
	END LOOP;
END$$;
\set q 'SELECT md5(string_agg(s, '','')) FROM by_setting() AS s'
\i :twice
CREATE FUNCTION into_setting() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r text;
BEGIN
	SELECT current_setting('app.a') || count(*) INTO r FROM t;
	RETURN r;
END$$;
\set q 'SELECT into_setting()'
\i :twice
\set d 'SET app.a = 5'
\i :change
-- one that expressions read: each row is of its own moment, and not kept
SET jit = off;
SET enable_hashjoin = off;
SET TimeZone = 'UTC';
\set q 'BEGIN \\; DECLARE c CURSOR FOR SELECT a.id, to_timestamp(a.id)::text AS s FROM t AS a JOIN t AS b ON b.id = a.k + 1 WHERE a.id > 9 \\; FETCH 1 FROM c \\; SET LOCAL TimeZone = ''Asia/Tokyo'' \\; FETCH ALL FROM c \\; COMMIT'
\i :twice
\set q 'SELECT a.id, to_timestamp(a.id)::text AS s FROM t AS a JOIN t AS b ON b.id = a.k + 1 WHERE a.id > 9'
\i :twice
-- nor is it given out: the cursor's later rows would be of the first moment
\set q 'BEGIN \\; DECLARE c CURSOR FOR SELECT a.id, to_timestamp(a.id)::text AS s FROM t AS a JOIN t AS b ON b.id = a.k + 1 WHERE a.id > 9 \\; FETCH 1 FROM c \\; SET LOCAL TimeZone = ''America/Lima'' \\; FETCH ALL FROM c \\; COMMIT'
\i :twice
CREATE FUNCTION by_zone() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT g.id, to_timestamp(g.id)::text AS s FROM t AS g JOIN generate_series(1, 4) AS n ON true ORDER BY g.id LOOP
		PERFORM set_config('TimeZone', 'Etc/GMT-' || r.id, true);
		RETURN NEXT r.s;
	END LOOP;
END$$;
\set q 'SELECT md5(string_agg(s, '','')) FROM by_zone() AS s'
\i :twice
-- where nothing is read from settings it is served, and read to its end
\set q 'BEGIN \\; DECLARE c CURSOR FOR SELECT a.id, a.v::text AS s FROM t AS a JOIN t AS b ON b.id = a.k + 1 WHERE a.id > 9 \\; FETCH 1 FROM c \\; FETCH ALL FROM c \\; COMMIT'
\i :twice
-- a scan begun under a setting that loses rows
CREATE TABLE words (w int[]);
INSERT INTO words SELECT ARRAY[1, 2] FROM generate_series(1, 3000);
CREATE INDEX ON words USING gin (w);
VACUUM ANALYZE words;
SET enable_seqscan = off;
SET enable_material = off;
SET enable_memoize = off;
SET enable_mergejoin = off;
\set counted 'SELECT t.id, s.n FROM t, LATERAL (SELECT count(*) AS n FROM words WHERE w @> ARRAY[1] AND w @> ARRAY[t.id * 0 + 2] OFFSET 0) AS s WHERE t.id < 4 ORDER BY t.id'
SET perfopt.cache = force;
BEGIN;
DECLARE c CURSOR FOR :counted;
FETCH 1 FROM c \g :twice_hit
SET LOCAL gin_fuzzy_search_limit = 1;
FETCH ALL FROM c \g :twice_hit
COMMIT;
\set q :counted
\i :twice
RESET enable_seqscan;
RESET enable_material;
RESET enable_memoize;
RESET enable_mergejoin;
RESET enable_hashjoin;
RESET TimeZone;
RESET jit;
RESET enable_sort;

\echo '== settings and definitions of another command in the middle are not kept'
SET enable_sort = off;
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE days (id int, d date, m mood);
INSERT INTO days SELECT g, date '2024-01-01' + g, 'sad' FROM generate_series(1, 100) AS g;
ANALYZE days;
SET perfopt.cache = force;
BEGIN;
DECLARE c CURSOR FOR SELECT x.d::text, 1 FROM days AS x JOIN days AS y USING (id) WHERE id < 4;
FETCH 1 FROM c;
SET LOCAL datestyle = german;
FETCH ALL FROM c;
COMMIT;
\set q 'SELECT x.d::text, 1 FROM days AS x JOIN days AS y USING (id) WHERE id < 4'
\i :twice
-- also one that changed since the cursor was made, which pruned partitions
CREATE TABLE parts (k text) PARTITION BY LIST (k);
CREATE TABLE parts_iso PARTITION OF parts FOR VALUES IN ('2024-02-01');
CREATE TABLE parts_german PARTITION OF parts FOR VALUES IN ('01.02.2024');
INSERT INTO parts VALUES ('2024-02-01'), ('01.02.2024');
CREATE FUNCTION pruned() RETURNS refcursor LANGUAGE plpgsql AS
	'DECLARE c refcursor := ''pruned''; BEGIN OPEN c FOR SELECT count(*) FROM parts WHERE k = date ''2024-02-01''::text; RETURN c; END';
BEGIN;
SELECT pruned();
CLOSE pruned;
SET LOCAL datestyle = german, mdy;
SELECT pruned();
SET LOCAL datestyle = iso;
FETCH ALL FROM pruned;
COMMIT;
\set q 'SELECT count(*) FROM parts WHERE k = date ''2024-02-01''::text'
\i :twice
CREATE FUNCTION loop_setting() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT x.d::text AS d, 3 FROM days AS x JOIN days AS y USING (id) LOOP
		PERFORM set_config('datestyle', 'german', true);
		RETURN NEXT r.d;
	END LOOP;
END$$;
SELECT count(*) FILTER (WHERE s LIKE '2024%') < 100 AS changed, count(*) FROM loop_setting() AS s;
\set q 'SELECT x.d::text AS d, 3 FROM days AS x JOIN days AS y USING (id)'
\i :twice
SET perfopt.cache = force;
BEGIN;
DECLARE c CURSOR FOR SELECT x.m::text FROM days AS x JOIN days AS y USING (id) WHERE id < 4;
FETCH 1 FROM c;
SAVEPOINT s;
ALTER TYPE mood RENAME VALUE 'sad' TO 'mad';
FETCH 1 FROM c;
ROLLBACK TO s;
FETCH ALL FROM c;
ROLLBACK;
\set q 'SELECT x.m::text FROM days AS x JOIN days AS y USING (id) WHERE id < 4'
\i :twice
-- nothing is stored, either, once the cache was switched off
SET perfopt.cache = force;
BEGIN;
DECLARE c CURSOR FOR SELECT x.id, 4 FROM days AS x JOIN days AS y USING (id) WHERE id < 4;
FETCH 1 FROM c;
SET LOCAL perfopt.cache = off;
FETCH ALL FROM c;
COMMIT;
\set q 'SELECT x.id, 4 FROM days AS x JOIN days AS y USING (id) WHERE id < 4'
SET perfopt.cache = off;
SELECT sum(stores) AS stores FROM perfopt_cache_stats WHERE datname = current_database() \gset
SET perfopt.cache = force;
:q \g /dev/null
SET perfopt.cache = off;
SELECT sum(stores) - :stores AS stored_now FROM perfopt_cache_stats WHERE datname = current_database();
RESET enable_sort;

\echo '== what a cursor takes at its start'
-- its tables are in use
SET perfopt.cache = force;
BEGIN;
DECLARE c CURSOR FOR SELECT id, m FROM days ORDER BY d DESC LIMIT 2;
TRUNCATE days;
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT id, m FROM days ORDER BY d DESC LIMIT 2;
ALTER TABLE days DROP COLUMN m;
ROLLBACK;
-- its functions run by the right of the user of that moment
CREATE ROLE pfo_cursors_reader;
GRANT USAGE ON SCHEMA cursors TO pfo_cursors_reader;
CREATE FUNCTION secret(text) RETURNS text LANGUAGE sql STRICT IMMUTABLE RETURN coalesce($1, '') || '!';
REVOKE EXECUTE ON FUNCTION secret FROM PUBLIC;
CREATE FUNCTION opened() RETURNS refcursor LANGUAGE plpgsql SECURITY DEFINER SET search_path = cursors AS
	'DECLARE c refcursor := ''opened''; BEGIN OPEN c FOR SELECT secret(m::text) AS s FROM days ORDER BY d LIMIT 2; RETURN c; END';
\set q 'BEGIN \\; SET LOCAL ROLE pfo_cursors_reader \\; SELECT opened() \\; FETCH 1 FROM opened \\; FETCH ALL FROM opened \\; COMMIT'
\i :twice
-- whether it scrolls is up to its own plan, not to the one of an answer
SET enable_mergejoin = off;
SET enable_memoize = off;
CREATE TABLE few (id int PRIMARY KEY);
CREATE TABLE many (id int, n int);
INSERT INTO few SELECT g FROM generate_series(1, 5000) AS g;
INSERT INTO many SELECT g, n FROM generate_series(1, 5000) AS g, generate_series(1, 3) AS n;
CREATE INDEX ON many (id);
VACUUM ANALYZE few, many;
\set q 'SELECT few.id, n FROM few LEFT JOIN many USING (id) ORDER BY few.id'
\i :twice
SET perfopt.cache = force;
BEGIN;
DECLARE c CURSOR FOR SELECT few.id, n FROM few LEFT JOIN many USING (id) ORDER BY few.id;
SELECT is_scrollable FROM pg_cursors WHERE name = 'c';
ROLLBACK;
RESET enable_mergejoin;
RESET enable_memoize;

\echo '== DISCARD, and prepared statements in a cursor'
PREPARE p(int) AS SELECT k, sum(v) FROM t WHERE id > $1 GROUP BY k ORDER BY k;
\set q 'EXECUTE p(2)'
\i :twice
DISCARD PLANS;
\i :twice
\set q 'CREATE TEMP TABLE made ON COMMIT DROP AS EXECUTE p(3)'
\i :twice

\echo '== what was counted'
SET perfopt.cache = off;
SELECT errors, differences FROM perfopt_cache_stats WHERE datname = current_database();
DROP SCHEMA cursors CASCADE;
DROP ROLE pfo_cursors_reader;
