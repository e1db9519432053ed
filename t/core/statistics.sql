-- What the cache did during the suite that just ended; see "run".
CREATE DATABASE perfopt_admin;
\c perfopt_admin
CREATE EXTENSION perfopt;
SELECT regexp_replace(datname, '^contrib_', '') AS datname,
       selects, eligible, hits, misses, stores, invalidations, bypasses,
       differences, errors
FROM perfopt_cache_stats
WHERE eligible > 0
ORDER BY datname;
SELECT sum(selects) AS selects, sum(eligible) AS eligible, sum(hits) AS hits,
       sum(misses) AS misses, sum(stores) AS stores,
       sum(invalidations) AS invalidations, sum(evictions) AS evictions,
       sum(bypasses) AS bypasses, sum(differences) AS differences,
       sum(late_writes) AS late_writes, sum(errors) AS errors,
       max(bytes_free) AS bytes_free, max(bytes_pinned) AS bytes_pinned
FROM perfopt_cache_stats \gx
SELECT reason, sum(count) AS count, max(advice) AS advice
FROM perfopt_cache_reasons
GROUP BY reason
ORDER BY count DESC, reason;
SELECT 'answers served: ' || coalesce(sum(hits), 0) AS served
FROM perfopt_cache_stats \gset
\echo :served
