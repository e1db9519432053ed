--
-- What comments ask for.
--
CREATE SCHEMA comments;
SET search_path = comments, public;
CREATE TABLE t (a int);
INSERT INTO t VALUES (1), (2);
\set hits 'SELECT coalesce(sum(hits), 0) AS hits FROM perfopt_cache_stats WHERE datname = current_database()'
:hits \gset before_

SET perfopt.cache = force;
SELECT 1 AS nocache, a FROM t /* perfopt: nocache */;
SELECT 1 AS nocache, a FROM t /* perfopt: nocache */;
/* perfopt: nocache */ SELECT 2 AS nocache, a FROM t;
/* perfopt: nocache */ SELECT 2 AS nocache, a FROM t;
/* perfopt: cache */ SELECT 3 AS nocache, a FROM t /*perfopt:nocache*/;
/* perfopt: cache */ SELECT 3 AS nocache, a FROM t /*perfopt:nocache*/;
SET perfopt.cache = off;
SELECT hits - :before_hits AS hits FROM (:hits) AS h;

-- in no comment, or not that word
SET perfopt.cache = force;
SELECT '/* perfopt: nocache */' AS text, a FROM t;
SELECT '/* perfopt: nocache */' AS text, a FROM t;
SELECT a AS "/* perfopt: nocache */" FROM t WHERE a > 0;
SELECT a AS "/* perfopt: nocache */" FROM t WHERE a > 0;
SELECT 4 AS other, a FROM t /* perfopt: nocaches */;
SELECT 4 AS other, a FROM t /* perfopt: nocaches */;
SET perfopt.cache = off;
SELECT hits - :before_hits AS hits FROM (:hits) AS h;

-- manual: only what asks
:hits \gset before_
SET perfopt.cache = manual;
SELECT 5 AS silent, a FROM t;
SELECT 5 AS silent, a FROM t;
SELECT 6 AS asks, a FROM t /* perfopt: cache */;
SELECT 6 AS asks, a FROM t /* perfopt: cache */;
/* PERFOPT: CACHE */ SELECT 7 AS asks, a FROM t;
/* PERFOPT: CACHE */ SELECT 7 AS asks, a FROM t;
PREPARE asks AS SELECT 8 AS asks, a FROM t WHERE a = $1 /* perfopt: cache */;
EXECUTE asks(1);
EXECUTE asks(1);
EXECUTE asks(2);
-- several statements in one message: each has its own comment
SELECT 9 AS silent FROM t \; SELECT 10 AS asks FROM t /* perfopt: cache */ \; SELECT 11 AS silent FROM t;
SELECT 9 AS silent FROM t \; SELECT 10 AS asks FROM t /* perfopt: cache */ \; SELECT 11 AS silent FROM t;
-- before the statement as well
SELECT 16 AS silent FROM t \; /* perfopt: cache */ -- and
 SELECT 17 AS asks FROM t \; SELECT 18 AS silent FROM t;
SELECT 16 AS silent FROM t \; /* perfopt: cache */ -- and
 SELECT 17 AS asks FROM t \; SELECT 18 AS silent FROM t;
SET perfopt.cache = off;
SELECT hits - :before_hits AS hits FROM (:hits) AS h;
SELECT query FROM perfopt_cache_entries
WHERE relations = ARRAY['t'] ORDER BY query COLLATE "C";

-- auto: a statement that asks need not wait
:hits \gset before_
SET perfopt.cache = auto;
SET perfopt.cache_min_calls = 1000;
SET perfopt.cache_min_time = '1h';
SELECT 12 AS waits, a FROM t;
SELECT 12 AS waits, a FROM t;
SELECT 13 AS asks, a FROM t /* perfopt: cache */;
SELECT 13 AS asks, a FROM t /* perfopt: cache */;
SET perfopt.cache = off;
SELECT hits - :before_hits AS hits FROM (:hits) AS h;

-- auto without a comment: so many sightings, so dear
:hits \gset before_
SET perfopt.cache = auto;
SET perfopt.cache_min_calls = 3;
SET perfopt.cache_min_time = 0;
SELECT 14 AS third, a FROM t;
SELECT 14 AS third, a FROM t;
SELECT 14 AS third, a FROM t;
SELECT 14 AS third, a FROM t;
SET perfopt.cache_min_time = '1h';
SELECT 15 AS cheap, a FROM t;
SELECT 15 AS cheap, a FROM t;
SELECT 15 AS cheap, a FROM t;
SELECT 15 AS cheap, a FROM t;
SET perfopt.cache = off;
SELECT hits - :before_hits AS hits FROM (:hits) AS h;
DROP SCHEMA comments CASCADE;
