--
-- The front door: what all features found, and the page of text.
--
SET client_min_messages = warning;
SET perfopt.cache = observe;
SET perfopt.cache_min_time = 0;
SET perfopt.slow_query_time = -1;
CREATE SCHEMA findings;
SET search_path = findings, public;
CREATE TABLE t AS SELECT g AS id, g % 100 AS v, repeat('x', 100) AS pad FROM generate_series(1, 20000) g;
VACUUM ANALYZE t;

-- nothing yet
SELECT perfopt_reset();
SELECT feature, code, datname, regexp_replace(detail, 'since [^;]*;', 'since ...;') AS detail, advice, ms_per_hour
FROM perfopt_findings;

-- what the cache would save
\o /dev/null
SELECT count(*) FROM t \; SELECT count(*) FROM t \; SELECT count(*) FROM t \; SELECT count(*) FROM t;
\o
SELECT feature, code, datname = current_database() AS here, advice, ms_per_hour > 0 AS saves
FROM perfopt_findings WHERE datname = current_database();
-- not once it is switched on
ALTER DATABASE contrib_regression SET perfopt.cache = auto;
SELECT count(*) FROM perfopt_findings WHERE code = 'cache_would_save' AND datname = current_database();
ALTER DATABASE contrib_regression RESET perfopt.cache;

-- slow queries: the second execution is counted row by row
SET perfopt.slow_query_time = 0;
\o /dev/null
SELECT pad FROM t WHERE id = 77 \; SELECT pad FROM t WHERE id = 78 \; SELECT pad FROM t WHERE id = 79;
\o
SET perfopt.slow_query_time = -1;
SELECT feature, code, query, advice, ms_per_hour > 0 AS costs
FROM perfopt_findings WHERE feature = 'slow queries' AND query LIKE '%SELECT pad FROM t%';

-- the page; each part has a head and lines
SELECT line FROM perfopt_report() AS line WHERE line ~ '\(perfopt_' ORDER BY line COLLATE "C";
SELECT count(*) > 10 AS lines, bool_and(line IS NOT NULL) AS complete FROM perfopt_report() AS line;

-- everybody sees a page of what is his
CREATE ROLE regress_findings;
SET ROLE regress_findings;
SELECT count(*) > 3 AS lines FROM perfopt_report();
SELECT count(*) FROM perfopt_findings WHERE query LIKE '%FROM t%';
RESET ROLE;
DROP ROLE regress_findings;
DROP SCHEMA findings CASCADE;
SELECT perfopt_reset();
