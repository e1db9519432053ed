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
