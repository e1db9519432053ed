-- Leaves things as they were, so that it can be run again.
SET perfopt.explain = off;
-- simple
SELECT count(*), sum(price) FROM item;
SELECT count(*), sum(price) FROM item;
SELECT k.name, count(*) FROM kind AS k JOIN item AS i ON i.kind = k.id GROUP BY k.name ORDER BY 1;
SELECT * FROM dear ORDER BY kind;
SELECT * FROM item WHERE id = 7;
SELECT * FROM item WHERE id = 8;
SELECT * FROM item WHERE id IN (1, 2, 3) ORDER BY id;
SELECT sum(v) FROM part;
SELECT sum(v) FROM part WHERE k = 2;
SELECT id FROM item ORDER BY price DESC LIMIT 3 OFFSET 2;
SELECT id FROM item WHERE false;
SELECT (SELECT max(id) FROM item), (SELECT name FROM kind WHERE id = 2);
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5)
	SELECT r.n, k.name FROM r JOIN kind AS k ON k.id = r.n ORDER BY 1;
SELECT name FROM kind UNION SELECT what FROM log ORDER BY 1;
SELECT 1 + 1;
SELECT id FROM item WHERE id < 3 ORDER BY id; SELECT count(*) FROM log;
-- prepared
PREPARE one(int) AS SELECT price FROM item WHERE id = $1;
EXECUTE one(5); EXECUTE one(5); EXECUTE one(6); EXECUTE one(5);
EXECUTE one(5); EXECUTE one(5); EXECUTE one(5); EXECUTE one(6);
PREPARE all_of_it AS SELECT count(*) FROM item;
EXECUTE all_of_it; EXECUTE all_of_it;
EXPLAIN (COSTS off) EXECUTE one(5);
EXPLAIN (COSTS off, ANALYZE, TIMING off, SUMMARY off) EXECUTE one(5);
-- functions
SELECT total(3);
SELECT id, total(id) FROM kind ORDER BY id;
SELECT * FROM names();
SELECT count(*) FROM names() AS n JOIN kind AS k ON k.name = n;
DO $$ BEGIN PERFORM count(*) FROM item; PERFORM total(1); END $$;
DO $$ BEGIN FOR i IN 1 .. 3 LOOP PERFORM added(id) FROM kind; END LOOP; END $$;
-- explained
EXPLAIN (COSTS off) SELECT count(*), sum(price) FROM item;
EXPLAIN (COSTS off, ANALYZE, TIMING off, SUMMARY off) SELECT count(*), sum(price) FROM item;
EXPLAIN (COSTS off, ANALYZE, TIMING off, SUMMARY off)
	SELECT k.name, count(*) FROM kind AS k JOIN item AS i ON i.kind = k.id GROUP BY k.name;
EXPLAIN (COSTS off, VERBOSE) SELECT sum(v) FROM part;
-- cursors
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id, note FROM item WHERE id < 20 ORDER BY id;
FETCH 3 FROM c; FETCH BACKWARD 1 FROM c; MOVE 5 IN c; FETCH ALL FROM c;
CLOSE c;
DECLARE h CURSOR WITH HOLD FOR SELECT id FROM item WHERE id < 10 ORDER BY id;
COMMIT;
FETCH 2 FROM h;
CLOSE h;
COPY (SELECT id, name FROM kind ORDER BY id) TO STDOUT;
-- changes
BEGIN;
INSERT INTO log VALUES (100, 'hundred') RETURNING *;
SELECT count(*) FROM log; SELECT count(*) FROM log;
UPDATE log SET what = what || '!' WHERE id = 100;
SELECT what FROM log WHERE id = 100;
SAVEPOINT s;
INSERT INTO log VALUES (100, 'twice');
ROLLBACK TO s;
SELECT count(*) FROM log;
ROLLBACK;
SELECT count(*) FROM log; SELECT count(*) FROM log;
INSERT INTO log SELECT id + 200, name FROM kind;
SELECT count(*) FROM log; SELECT count(*) FROM log;
DELETE FROM log WHERE id > 200;
SELECT count(*) FROM log; SELECT count(*) FROM log;
-- definitions
CREATE TABLE made AS SELECT id, price FROM item WHERE id < 10;
SELECT count(*) FROM made; SELECT count(*) FROM made;
ALTER TABLE made ADD COLUMN more int DEFAULT 3;
SELECT * FROM made ORDER BY id LIMIT 1; SELECT * FROM made ORDER BY id LIMIT 1;
CREATE INDEX made_price ON made (price);
CREATE MATERIALIZED VIEW made_too AS SELECT max(price) FROM made;
SELECT * FROM made_too; SELECT * FROM made_too;
REFRESH MATERIALIZED VIEW made_too;
SELECT * FROM made_too;
DROP MATERIALIZED VIEW made_too;
DROP TABLE made;
-- roles and errors
SET ROLE peer_reader;
SELECT count(*) FROM kind; SELECT count(*) FROM kind;
SELECT sum(v) FROM part;
SELECT count(*), sum(price) FROM item;
RESET ROLE;
SELECT 1 / (id - 3) FROM kind ORDER BY id;
SELECT 1 / (id - 3) FROM kind ORDER BY id;
SELECT nothing FROM kind;
SELECT FROM WHERE;
SELECT count(*) FROM absent;
SET LOCAL work_mem = 4096;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*), sum(price) FROM item; SELECT count(*), sum(price) FROM item;
COMMIT;
DISCARD ALL;
SET perfopt.explain = off;
SELECT count(*), sum(price) FROM item;
