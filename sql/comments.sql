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

-- hints to other libraries: under other hints another plan, hence another key
:hits \gset before_
SET perfopt.cache = force;
SELECT /*+ SeqScan(t) */ 22 AS hinted, a FROM t;
SELECT /*+ SeqScan(t) */ 22 AS hinted, a FROM t;
SELECT /*+ IndexScan(t) */ 22 AS hinted, a FROM t;
SELECT /* IndexScan(t) */ 22 AS hinted, a FROM t;
SELECT 22 AS hinted, a FROM t;
SET perfopt.cache = off;
SELECT hits - :before_hits AS hits FROM (:hits) AS h;

-- before PREPARE, and within
:hits \gset before_
SET perfopt.cache = manual;
/* perfopt: cache */ PREPARE before AS SELECT 19 AS asks, a FROM t;
EXECUTE before;
EXECUTE before;
PREPARE /* perfopt: cache */ "as"(int) AS SELECT 20 AS within, a FROM t WHERE a = $1;
EXECUTE "as"(1);
EXECUTE "as"(1);
/* perfopt: cache */ SELECT 1 AS other \; PREPARE after AS SELECT 21 AS silent, a FROM t;
EXECUTE after;
EXECUTE after;
SET perfopt.cache = off;
SELECT hits - :before_hits AS hits FROM (:hits) AS h;
SELECT query FROM perfopt_cache_entries
WHERE relations = ARRAY['t'] AND query LIKE '%within%';
DEALLOCATE ALL;

-- what is a comment, and what only looks like one: as PostgreSQL's lexer reads
\set judge 'SELECT sql, coalesce((perfopt_cache_check(sql)).reason, ''none'') AS reason FROM texts ORDER BY id'
CREATE TEMP TABLE texts (id int GENERATED ALWAYS AS IDENTITY, sql text);
INSERT INTO texts (sql) VALUES
	-- text
	($q$SELECT a, '/* perfopt: nocache */' FROM t$q$),
	($q$SELECT a, 'it''s /* perfopt: nocache */' FROM t$q$),
	($q$SELECT a, E'/* perfopt: nocache */' FROM t$q$),
	($q$SELECT a, e'\' /* perfopt: nocache */' FROM t$q$),
	($q$SELECT a, E'\\\' /* perfopt: nocache */' FROM t$q$),
	($q$SELECT a, E'''\' /* perfopt: nocache */' FROM t$q$),
	($q$SELECT a, E'' -- a
		'\' /* perfopt: nocache */' FROM t$q$),
	($q$SELECT a, N'/* perfopt: nocache */' FROM t$q$),
	($q$SELECT a, $$/* perfopt: nocache */$$ FROM t$q$),
	($q$SELECT a, $x$$y$ $$' /* perfopt: nocache */$x$ FROM t$q$),
	($q$SELECT a, $x$ $x $x_$ $X$ /* perfopt: nocache */$x$ FROM t$q$),
	($q$SELECT a AS "'/* perfopt: nocache */" FROM t$q$),
	($q$SELECT a AS "$$""/* perfopt: nocache */" FROM t$q$),
	($q$SELECT a -- /* perfopt: nocache */
		FROM t$q$),
	($q$SELECT a /* /* perfopt: nocache */ */ FROM t$q$),
	($q$SELECT a /* perfopt: nocache /**/ */ FROM t$q$),
	-- comments
	($q$SELECT a /*perfopt:nocache*/ FROM t$q$),
	($q$SELECT a, '' /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a, 'x''' /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a, E'\\' /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a, E'\'' /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a, E'\''''/* perfopt: nocache */ FROM t$q$),
	($q$SELECT a AS namee, date'2024-01-01' /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a, $$'$$ /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a, $$$x$$ /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a, $x$$$x$ /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a, $x$ $ $y$x$ /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a AS x$$ /* perfopt: nocache */, a AS y$$ FROM t$q$),
	($q$SELECT a + $1 /* perfopt: nocache */, $1 FROM t$q$),
	($q$SELECT a AS "\" /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a AS "'" /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a -- ' $$
		/* perfopt: nocache */ FROM t$q$),
	(E'SELECT a -- \r /* perfopt: nocache */ FROM t'),
	($q$SELECT a /* ' $$ */ /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a /* /* */ */ /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a */* perfopt: nocache */ 1 FROM t$q$),
	($q$SELECT a --+1
		/* perfopt: nocache */ FROM t$q$),
	-- the backslash is a character like any other
	($q$SELECT a, U&'\005C' /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a, U&'\\' /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a, '\' /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a, '\', '/* perfopt: nocache */' FROM t$q$);
:judge;
-- what ends nowhere is no statement
SELECT perfopt_cache_check($q$SELECT a, E'\' /* perfopt: nocache */ FROM t$q$);
SELECT perfopt_cache_check($q$SELECT a, $x$ /* perfopt: nocache */ FROM t$q$);
SELECT perfopt_cache_check($q$SELECT a /* /* perfopt: nocache */ FROM t$q$);

-- with backslashes in plain strings
SET standard_conforming_strings = off;
SET escape_string_warning = off;
TRUNCATE texts;
INSERT INTO texts (sql) VALUES
	($q$SELECT a, '\' /* perfopt: nocache */' FROM t$q$),
	($q$SELECT a, '''\' /* perfopt: nocache */' FROM t$q$),
	($q$SELECT a, N'\' /* perfopt: nocache */' FROM t$q$),
	($q$SELECT a, '\\' /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a, '\'' /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a, $$\$$ /* perfopt: nocache */ FROM t$q$),
	($q$SELECT a AS "\" /* perfopt: nocache */ FROM t$q$);
:judge;
RESET standard_conforming_strings;
RESET escape_string_warning;
DROP SCHEMA comments CASCADE;
