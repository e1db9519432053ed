--
-- Every shape of SELECT: the same answer as without the cache, and a hit.
--
CREATE SCHEMA hits;
SET search_path = hits, public;

CREATE TABLE customer (id int PRIMARY KEY, name text, region text);
CREATE TABLE item (id int PRIMARY KEY, name text, price numeric(10,2),
	tags text[], attrs jsonb, added date, seen timestamptz, w float8);
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customer,
	placed date);
CREATE TABLE line (orders int REFERENCES orders, item int REFERENCES item,
	n int);
INSERT INTO customer
	SELECT g, 'customer ' || g, (ARRAY['north', 'south', NULL])[g % 3 + 1]
	FROM generate_series(1, 30) AS g;
INSERT INTO item
	SELECT g, 'item ' || g, g * 1.25, ARRAY['a' || g % 3, 'b' || g % 5],
		jsonb_build_object('color', (ARRAY['red', 'blue'])[g % 2 + 1], 'n', g),
		date '2024-01-01' + g, timestamptz '2024-01-01 12:00+00' + g * interval '1 hour',
		g / 7.0
	FROM generate_series(1, 40) AS g;
INSERT INTO orders
	SELECT g, g % 25 + 1, date '2024-03-01' + g % 20
	FROM generate_series(1, 100) AS g;
INSERT INTO line
	SELECT g % 100 + 1, g % 40 + 1, g % 4 + 1 FROM generate_series(1, 400) AS g;

CREATE VIEW spent AS
	SELECT c.id, c.name, c.region, sum(l.n * i.price) AS total
	FROM customer AS c JOIN orders AS o ON o.customer = c.id
	JOIN line AS l ON l.orders = o.id JOIN item AS i ON i.id = l.item
	GROUP BY c.id;
CREATE VIEW north AS SELECT * FROM spent WHERE region = 'north';
CREATE MATERIALIZED VIEW per_day AS
	SELECT placed, count(*) AS n FROM orders GROUP BY placed;

CREATE TABLE event (day date, kind text, n int) PARTITION BY RANGE (day);
CREATE TABLE event_1 PARTITION OF event
	FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE event_2 PARTITION OF event
	FOR VALUES FROM ('2024-02-01') TO ('2024-03-01') PARTITION BY LIST (kind);
CREATE TABLE event_2a PARTITION OF event_2 FOR VALUES IN ('a');
CREATE TABLE event_2x PARTITION OF event_2 DEFAULT;
INSERT INTO event
	SELECT date '2024-01-01' + g, (ARRAY['a', 'b'])[g % 2 + 1], g
	FROM generate_series(0, 55) AS g;

CREATE TABLE parent (a int);
CREATE TABLE child (b int) INHERITS (parent);
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (3, 30);

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE TABLE person (name text, mood mood, pair pair, span int4range);
INSERT INTO person VALUES ('x', 'happy', (1, 'one'), '[1,5)'),
	('y', 'sad', (2, NULL), NULL), ('z', 'ok', NULL, '[3,9]');
CREATE TABLE empty (a int);
CREATE TABLE node (id int, up int);
INSERT INTO node SELECT g, g / 2 FROM generate_series(1, 20) AS g;

\getenv srcdir PG_ABS_SRCDIR
\set dir :srcdir '/sql/'
\set setup :dir 'setup.psql'
\i :setup
\set ECHO none

\echo '== simple'
\set q 'SELECT * FROM customer ORDER BY id LIMIT 5'
\i :twice
\set q 'SELECT name, region FROM customer WHERE id = 7'
\i :twice
\set q 'SELECT * FROM empty'
\i :twice
\set q 'TABLE per_day ORDER BY 1'
\i :twice
\set q 'SELECT DISTINCT region FROM customer ORDER BY region NULLS FIRST'
\i :twice
\set q 'SELECT DISTINCT ON (region) region, id FROM customer ORDER BY region, id DESC'
\i :twice
\set q 'SELECT id FROM customer ORDER BY name DESC OFFSET 3 LIMIT 2'
\i :twice
\set q 'SELECT id, w FROM item ORDER BY price FETCH FIRST 3 ROWS WITH TIES'
\i :twice
\set q 'SELECT FROM customer WHERE id < 4'
\i :twice
\set q 'SELECT tableoid::int > 0, c.id FROM customer AS c WHERE id = 1'
\i :twice
\set q 'SELECT id AS "a b", name AS id FROM customer WHERE id = 1'
\i :twice

\echo '== expressions'
\set q 'SELECT id, CASE WHEN id % 2 = 0 THEN name ELSE upper(name) END, coalesce(region, ''?''), nullif(region, ''north''), greatest(id, 5) FROM customer WHERE id BETWEEN 3 AND 8 AND region IS DISTINCT FROM ''south'' ORDER BY id'
\i :twice
\set q 'SELECT id, tags[1], tags || ''c''::text, ''a1'' = ANY (tags), array_length(tags, 1), tags[1:1] FROM item WHERE id IN (1, 2, 3, 40) ORDER BY id'
\i :twice
\set q 'SELECT id, attrs->>''color'', attrs @> ''{"n": 3}'', attrs #>> ''{n}'', jsonb_pretty(attrs) FROM item WHERE attrs ? ''color'' ORDER BY id LIMIT 3'
\i :twice
\set q 'SELECT id, added + 3, added - date ''2024-01-01'', extract(month FROM added), date_trunc(''month'', seen), seen::text, to_char(seen, ''YYYY-MM-DD HH24:MI'') FROM item WHERE seen < timestamptz ''2024-01-01 20:00+00'' ORDER BY id'
\i :twice
\set q 'SELECT name LIKE ''%1'', name ~ ''1$'', substring(name FROM ''[0-9]+''), length(name), name || id, price::int, price::text, w FROM item WHERE (id, price) < (4, 5) ORDER BY id'
\i :twice
\set q 'SELECT name, mood, mood > ''sad'', pair, (pair).b, pair IS NULL, span, 4 <@ span FROM person ORDER BY mood'
\i :twice
\set q 'SELECT p, p.*, row_to_json(p) FROM person AS p ORDER BY name'
\i :twice
\set q 'SELECT ROW(id, name)::pair, ARRAY[id, 2], ARRAY(SELECT n FROM line WHERE item = i.id ORDER BY n) FROM item AS i WHERE id < 3 ORDER BY 1'
\i :twice
\set q 'SELECT md5(name), encode(decode(md5(name), ''hex''), ''base64''), name COLLATE "C" < ''item 3'' FROM item WHERE id < 4 ORDER BY id'
\i :twice

\echo '== joins'
\set q 'SELECT c.name, o.placed FROM customer AS c JOIN orders AS o ON o.customer = c.id WHERE c.id < 4 ORDER BY o.id LIMIT 6'
\i :twice
\set q 'SELECT c.id, o.id FROM customer AS c LEFT JOIN orders AS o ON o.customer = c.id AND o.placed > ''2024-03-18'' ORDER BY 1, 2 LIMIT 8'
\i :twice
\set q 'SELECT c.id, r.r FROM customer AS c FULL JOIN (VALUES (''north'', 1), (''west'', 2)) AS r(region, r) USING (region) ORDER BY 1, 2 LIMIT 40'
\i :twice
\set q 'SELECT count(*) FROM customer CROSS JOIN (orders NATURAL JOIN (SELECT 3 AS id) AS x)'
\i :twice
\set q 'SELECT c.id, x.id FROM customer AS c, LATERAL (SELECT o.id FROM orders AS o WHERE o.customer = c.id ORDER BY o.id DESC LIMIT 1) AS x WHERE c.id < 5 ORDER BY 1'
\i :twice
\set q 'SELECT a.id, b.id FROM node AS a JOIN node AS b ON b.up = a.id ORDER BY 1, 2'
\i :twice
\set q 'SELECT i.id, t, n FROM item AS i, unnest(i.tags) WITH ORDINALITY AS u(t, n) WHERE i.id < 3 ORDER BY 1, 3'
\i :twice
\set q 'SELECT g, count(i.id) FROM generate_series(1, 5) AS g LEFT JOIN item AS i ON i.id % 5 = g GROUP BY g ORDER BY g'
\i :twice
\set q 'SELECT x.* FROM item AS i, jsonb_to_record(i.attrs) AS x(color text, n int) WHERE i.id < 3 ORDER BY n'
\i :twice

\echo '== aggregates'
\set q 'SELECT count(*), count(region), count(DISTINCT region), sum(id), avg(id), min(name), max(name) FROM customer'
\i :twice
\set q 'SELECT region, count(*) FILTER (WHERE id > 10), array_agg(id ORDER BY id DESC), string_agg(name, '','' ORDER BY id) FROM customer GROUP BY region HAVING count(*) > 5 ORDER BY region'
\i :twice
\set q 'SELECT region, id % 2, count(*), grouping(region) FROM customer GROUP BY GROUPING SETS ((region), (id % 2), ()) ORDER BY 1, 2'
\i :twice
\set q 'SELECT placed, customer, count(*) FROM orders WHERE id < 8 GROUP BY ROLLUP (placed, customer) ORDER BY 1, 2'
\i :twice
\set q 'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY price), mode() WITHIN GROUP (ORDER BY tags[1]), stddev(price), corr(id, w), bool_and(id > 0), jsonb_agg(id ORDER BY id) FROM item WHERE id < 9'
\i :twice

\echo '== window functions'
\set q 'SELECT id, region, row_number() OVER (PARTITION BY region ORDER BY id), lag(id) OVER w, sum(id) OVER (w ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM customer WINDOW w AS (ORDER BY id) ORDER BY id LIMIT 6'
\i :twice
\set q 'SELECT added, sum(price) OVER (ORDER BY added RANGE BETWEEN ''2 days'' PRECEDING AND CURRENT ROW) FROM item ORDER BY 1 LIMIT 5'
\i :twice
\set q 'SELECT id, rank() OVER (ORDER BY price DESC), ntile(3) OVER (ORDER BY id), first_value(name) OVER (ORDER BY id GROUPS 1 PRECEDING EXCLUDE CURRENT ROW) FROM item ORDER BY id LIMIT 4'
\i :twice

\echo '== subqueries and WITH'
\set q 'SELECT name FROM customer AS c WHERE EXISTS (SELECT FROM orders AS o WHERE o.customer = c.id AND o.placed = ''2024-03-05'') ORDER BY id'
\i :twice
\set q 'SELECT id FROM item WHERE id NOT IN (SELECT item FROM line WHERE n > 2) ORDER BY id'
\i :twice
\set q 'SELECT id, (SELECT count(*) FROM orders AS o WHERE o.customer = c.id) FROM customer AS c ORDER BY 2 DESC, 1 LIMIT 3'
\i :twice
\set q 'SELECT id FROM item WHERE price > ALL (SELECT price FROM item WHERE id < 35) ORDER BY id'
\i :twice
\set q 'SELECT max(t.n) FROM (SELECT count(*) AS n FROM line GROUP BY item) AS t'
\i :twice
\set q 'WITH big AS MATERIALIZED (SELECT * FROM item WHERE price > 40), small AS (SELECT * FROM item WHERE price < 5) SELECT count(*) FROM big, small'
\i :twice
\set q 'WITH RECURSIVE t(id, depth) AS (SELECT id, 0 FROM node WHERE id = 1 UNION ALL SELECT n.id, depth + 1 FROM node AS n JOIN t ON n.up = t.id) SELECT depth, count(*) FROM t GROUP BY depth ORDER BY depth'
\i :twice
\set q 'WITH RECURSIVE t AS (SELECT id, up FROM node WHERE id = 20 UNION SELECT n.id, n.up FROM node AS n JOIN t ON n.id = t.up) SELECT id FROM t ORDER BY id'
\i :twice

\echo '== set operations'
\set q 'SELECT id FROM customer UNION SELECT id FROM item ORDER BY id DESC LIMIT 4'
\i :twice
\set q 'SELECT id FROM customer WHERE id < 3 UNION ALL SELECT id FROM item WHERE id < 3 ORDER BY 1'
\i :twice
\set q '(SELECT id FROM item EXCEPT SELECT id FROM customer) INTERSECT ALL (SELECT id FROM item WHERE id > 35) ORDER BY 1'
\i :twice
\set q 'VALUES ((SELECT count(*) FROM item), 1), (2, 3) ORDER BY 1'
\i :twice

\echo '== views, partitions, inheritance'
\set q 'SELECT * FROM spent ORDER BY total DESC LIMIT 3'
\i :twice
\set q 'SELECT name, total FROM north ORDER BY id LIMIT 3'
\i :twice
\set q 'SELECT * FROM per_day WHERE n > 4 ORDER BY placed LIMIT 3'
\i :twice
\set q 'SELECT kind, count(*), sum(n) FROM event GROUP BY kind ORDER BY kind'
\i :twice
\set q 'SELECT * FROM event WHERE day = ''2024-02-11'''
\i :twice
\set q 'SELECT * FROM event WHERE day = ''1999-01-01'''
\i :twice
\set q 'SELECT count(*) FROM event_2'
\i :twice
\set q 'SELECT * FROM parent ORDER BY a'
\i :twice
\set q 'SELECT * FROM ONLY parent ORDER BY a'
\i :twice

\echo '== the same words with other meanings'
\set q 'SELECT count(*) FROM customer WHERE id > 3'
\i :twice
\set q 'SELECT count(*) FROM customer WHERE id > 4'
\i :twice
\set q 'SELECT row_to_json(x) FROM (SELECT id AS a FROM customer WHERE id = 1) AS x'
\i :twice
\set q 'SELECT row_to_json(x) FROM (SELECT id AS b FROM customer WHERE id = 1) AS x'
\i :twice
\set q 'SELECT row_to_json(x) FROM customer AS x (a) WHERE a = 1'
\i :twice
\set q 'SELECT row_to_json(x) FROM customer AS x (b) WHERE b = 1'
\i :twice
\set q 'SELECT row_to_json(j) FROM (customer c JOIN customer d USING (id)) AS j (a) WHERE a = 1'
\i :twice
\set q 'SELECT row_to_json(j) FROM (customer c JOIN customer d USING (id)) AS j (b) WHERE b = 1'
\i :twice
\set q 'SELECT (SELECT row_to_json(g) FROM generate_series(1, 1) WITH ORDINALITY AS g (a)) FROM customer WHERE id = 1'
\i :twice
\set q 'SELECT (SELECT row_to_json(g) FROM generate_series(1, 1) WITH ORDINALITY AS g (b)) FROM customer WHERE id = 1'
\i :twice
\set q 'SELECT x.a FROM customer AS x (a) WHERE a = 1'
\i :twice
\set q 'SELECT y.b FROM customer AS y (b) WHERE b = 1'
\i :twice
\set q 'SELECT name FROM customer WHERE id = 1'
\i :twice
\set q 'SELECT name AS title FROM customer WHERE id = 1'
\i :twice

\set ECHO all
-- whatever was served, was the truth
SET perfopt.cache_verify = 1;
SELECT count(*) FROM customer WHERE id > 3;
SELECT name, total FROM north ORDER BY id LIMIT 3;
SET perfopt.cache = off;
SELECT verified >= 2 AS verified, differences, errors
FROM perfopt_cache_stats WHERE datname = current_database();
