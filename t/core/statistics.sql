-- What the cache did during the suite that just ended; see "run".
CREATE DATABASE perfopt_admin;
\c perfopt_admin
CREATE EXTENSION perfopt;
\x on
TABLE perfopt_cache_stats;
\x off
SELECT * FROM perfopt_cache_reasons;
SELECT 'answers served: ' || coalesce(sum(hits), 0) AS served
FROM perfopt_cache_stats \gset
\echo :served
