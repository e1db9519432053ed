-- What the page of t/044_coexistence.pl reads and writes.
CREATE ROLE peer_reader;
CREATE ROLE peer_auditor;
CREATE TABLE kind (id int PRIMARY KEY, name text);
INSERT INTO kind SELECT g, 'kind ' || g FROM generate_series(1, 5) g;
CREATE TABLE item (id int PRIMARY KEY, kind int REFERENCES kind, price numeric, note text);
INSERT INTO item SELECT g, 1 + g % 5, g * 1.5, 'note ' || g FROM generate_series(1, 2000) g;
CREATE TABLE log (id int PRIMARY KEY, what text);
INSERT INTO log SELECT g, 'entry ' || g FROM generate_series(1, 5) g;
CREATE TABLE part (k int, v int) PARTITION BY LIST (k);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2);
INSERT INTO part SELECT 1 + g % 2, g FROM generate_series(1, 100) g;
CREATE VIEW dear AS SELECT kind, max(price) AS price FROM item GROUP BY kind;
CREATE FUNCTION total(int) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	t numeric := 0;
	r record;
BEGIN
	SELECT sum(price) INTO t FROM item WHERE kind = $1;
	FOR r IN SELECT id FROM item WHERE kind = $1 ORDER BY id LIMIT 3 LOOP
		t := t + r.id;
	END LOOP;
	EXECUTE 'SELECT $1 + count(*) FROM kind' INTO t USING t;
	PERFORM 1 FROM kind WHERE id = $1;
	BEGIN
		PERFORM 1 / (id - 1) FROM kind;
	EXCEPTION WHEN division_by_zero THEN
		t := t + 1;
	END;
	RETURN t;
END $$;
CREATE FUNCTION names() RETURNS SETOF text LANGUAGE sql AS
	'SELECT name FROM kind ORDER BY name';
CREATE AGGREGATE added(int) (sfunc = int4pl, stype = int, initcond = '0');
GRANT SELECT ON kind, part TO peer_reader;
GRANT SELECT ON item, part_1 TO peer_auditor;
GRANT SELECT (name) ON kind TO peer_auditor;
GRANT UPDATE ON log TO peer_auditor;
ANALYZE;
