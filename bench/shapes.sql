-- What the four statements of bench/run read.
SELECT setseed(0.42);

-- primary-key lookup; an aggregate of 100,000 rows into 50 groups
CREATE TABLE item AS
SELECT i AS id, i % 50 AS grp, (random() * 1000)::int AS amount,
	'item ' || i AS name
FROM generate_series(1, 100000) i;
ALTER TABLE item ADD PRIMARY KEY (id);

-- a join of six tables that gives 20 rows
CREATE TABLE region (id int PRIMARY KEY, name text);
CREATE TABLE country (id int PRIMARY KEY, region int REFERENCES region,
	name text);
CREATE TABLE client (id int PRIMARY KEY, country int REFERENCES country,
	name text);
CREATE TABLE product (id int PRIMARY KEY, name text);
CREATE TABLE purchase (id int PRIMARY KEY, client int REFERENCES client,
	day date);
CREATE TABLE purchase_line (purchase int REFERENCES purchase, line int,
	product int REFERENCES product, amount int, PRIMARY KEY (purchase, line));
INSERT INTO region SELECT i, 'region ' || i FROM generate_series(1, 5) i;
INSERT INTO country
SELECT i, 1 + i % 5, 'country ' || i FROM generate_series(1, 50) i;
INSERT INTO client
SELECT i, 1 + i % 50, 'client ' || i FROM generate_series(1, 2000) i;
INSERT INTO product
SELECT i, 'product ' || i FROM generate_series(1, 1000) i;
INSERT INTO purchase
SELECT i, 1 + i % 2000, date '2025-01-01' + i % 365
FROM generate_series(1, 10000) i;
INSERT INTO purchase_line
SELECT p, l, 1 + (p * 7 + l * 13) % 1000, 1 + (p + l) % 9
FROM generate_series(1, 10000) p, generate_series(1, 4) l;
CREATE INDEX ON purchase (client);

-- 1000 rows of 8 columns
CREATE TABLE wide AS
SELECT i AS id, i::bigint * 1000003 AS big, random() AS f,
	(random() * 10000)::numeric(10, 2) AS price, 'name ' || i AS name,
	repeat('text ', 12) AS description,
	timestamp '2025-01-01' + i * interval '1 minute' AS ts, i % 2 = 0 AS flag
FROM generate_series(1, 1000) i;
VACUUM ANALYZE;
