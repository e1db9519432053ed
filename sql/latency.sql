--
-- perfopt_latency and perfopt_percentile.  Nothing depends on how long
-- something takes.
--
SELECT perfopt_reset();
CREATE ROLE perfopt_lat1 LOGIN;
CREATE ROLE perfopt_lat2 LOGIN;
CREATE ROLE perfopt_reader LOGIN;
GRANT pg_read_all_stats TO perfopt_reader;
CREATE TABLE latency_rows AS SELECT g AS id FROM generate_series(1, 10) AS g;
CREATE PROCEDURE latency_nested() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 10 LOOP
		PERFORM count(*) FROM latency_rows;
	END LOOP;
END $$;

-- each kind of statement that a client sends
SET application_name = 'lat: kinds';
SELECT count(*) FROM latency_rows;
INSERT INTO latency_rows VALUES (11);
CREATE TEMP TABLE latency_temp (id int);
CALL latency_nested();
DO $$ BEGIN PERFORM count(*) FROM latency_rows; END $$;
EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off)
SELECT FROM latency_rows LIMIT 1 \g /dev/null
PREPARE latency_prepared AS SELECT max(id) FROM latency_rows;
EXECUTE latency_prepared;
EXECUTE latency_prepared;
BEGIN;
DECLARE latency_cursor CURSOR FOR SELECT id FROM latency_rows;
FETCH 1 FROM latency_cursor;
COMMIT;
SET application_name = 'lat: errors';
SELECT 1 / (id - id) FROM latency_rows;
SELECT 1 / 0;
DROP TABLE no_such_table;
CALL latency_nested();
-- not counted: no statement yet
SELECT no_such_column FROM latency_rows;
SELECT FROM;
-- within a transaction, of which one statement fails
SET application_name = 'lat: transaction';
BEGIN;
SELECT count(*) FROM latency_rows;
SELECT 1 / (id - id) FROM latency_rows;
SELECT count(*) FROM latency_rows;
ROLLBACK;
-- with the cache
SET application_name = 'lat: cache';
SET perfopt.cache = force;
SELECT count(*) FROM latency_rows WHERE id > 5;
SELECT count(*) FROM latency_rows WHERE id > 5;
SELECT count(*) FROM latency_rows WHERE id > 5;
SET perfopt.cache = off;
-- what is measured
SET application_name = 'lat: no utility';
SET perfopt.track_utility = off;
CALL latency_nested();
SELECT count(*) FROM latency_rows;
RESET perfopt.track_utility;
SET application_name = 'lat: none';
SET perfopt.track = none;
SELECT count(*) FROM latency_rows;
SET perfopt.track = top;
SELECT count(*) FROM latency_rows;
CALL latency_nested();
RESET perfopt.track;
-- by the name at the end of the execution
SET application_name = 'lat: before';
SELECT set_config('application_name', 'lat: after', false);
-- a name of 70 characters is cut, as in pg_stat_activity
SET client_min_messages = warning;
SELECT set_config('application_name', 'lat: ' || repeat('x', 65), false) IS NULL AS long;
RESET client_min_messages;
RESET application_name;

SELECT name, calls, errors FROM perfopt_latency
WHERE scope = 'application' AND name LIKE 'lat: %' AND period = '24 hours'
ORDER BY name COLLATE "C";

-- what a row says of itself
SELECT period, bool_and(calls > 0) AS calls,
	bool_and(mean_ms > 0 AND mean_ms <= max_ms) AS mean,
	bool_and(p50_ms > 0 AND p50_ms <= p95_ms AND p95_ms <= p99_ms AND
		p99_ms <= max_ms) AS percentiles,
	bool_and(since <= now() AND since > now() - period) AS since
FROM perfopt_latency
WHERE scope IN ('server', 'database')
	AND name IN ('', current_database())
	AND period >= '5 minutes'
GROUP BY period
ORDER BY period;

-- per role: who executes, not who logged in
SET ROLE perfopt_lat1;
SELECT 1 AS one;
SELECT 2 AS two;
SET ROLE perfopt_lat2;
SELECT 3 AS three;
RESET ROLE;
SELECT name, calls, errors FROM perfopt_latency
WHERE scope = 'role' AND name LIKE 'perfopt_lat%' AND period = '1 hour'
ORDER BY name COLLATE "C";

-- the server is the sum of each kind
SELECT scope, sum(calls) = max(s.of_server) AS calls,
	sum(errors) = max(s.errors_of_server) AS errors
FROM (
	SELECT *, max(calls) FILTER (WHERE scope = 'server') OVER () AS of_server,
		max(errors) FILTER (WHERE scope = 'server') OVER () AS errors_of_server
	FROM perfopt_latency() WHERE period = '24 hours') AS s
GROUP BY scope
ORDER BY scope COLLATE "C";

-- percentiles: of each kind, by whatever way a period is written
SELECT kind, name, perfopt_percentile(kind, name, 0.5) > 0 AS percentile
FROM (VALUES ('server', ''), ('database', current_database()::text),
	('role', current_user::text), ('role', 'perfopt_lat1'),
	('application', 'lat: kinds'),
	('application', 'lat: ' || repeat('x', 65))) AS v (kind, name);
SELECT period, perfopt_percentile('server', '', 0.999, period) > 0 AS percentile
FROM unnest('{1 minute,60 seconds,5 minutes,00:05,1 hour,24:00,1 day,1440 minutes}'::interval[])
	AS period;
SELECT perfopt_percentile(name => '', scope => 'server', p => 0.95,
	period => '1 hour') <= max_ms AS at_most
FROM perfopt_latency WHERE scope = 'server' AND period = '1 hour';
SELECT perfopt_percentile('application', 'lat: kinds', 0.1, '1 day') <=
	perfopt_percentile('application', 'lat: kinds', 0.9, '1 day') AS grows;

-- nothing there
SELECT perfopt_percentile('database', 'no such database', 0.5);
SELECT perfopt_percentile('role', 'no such role', 0.5);
SELECT perfopt_percentile('role', 'perfopt_reader', 0.5);
SELECT perfopt_percentile('application', 'no such application', 0.5);
SELECT perfopt_percentile('application', '(other)', 0.5);
SELECT perfopt_percentile('server', 'name', 0.5);
SELECT perfopt_percentile('server', '', NULL);
SELECT perfopt_percentile(NULL, '', 0.5);
SELECT perfopt_percentile('server', NULL, 0.5);
SELECT perfopt_percentile('server', '', 0.5, NULL);

-- what is wrong, what would be right
DO $$
DECLARE
	call text;
	detail text;
	hint text;
BEGIN
	FOREACH call IN ARRAY ARRAY[
		$q$'server', '', 0$q$, $q$'server', '', 1$q$, $q$'server', '', -0.5$q$,
		$q$'database', 'it''s', 99.9$q$, $q$'server', '', 'NaN'$q$,
		$q$'server', '', 'infinity'$q$, $q$'server', '', 100$q$,
		$q$'session', '', 0.5$q$, $q$'Server', '', 0.5$q$, $q$'', '', 0.5$q$,
		$q$'server', '', 0.5, '2 minutes'$q$, $q$'server', '', 0.5, '0'$q$,
		$q$'server', '', 0.5, '-5 minutes'$q$,
		$q$'server', '', 0.5, '178000000 years'$q$] LOOP
		BEGIN
			EXECUTE format('SELECT perfopt_percentile(%s)', call);
			RAISE NOTICE '%: no error', call;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL,
				hint = PG_EXCEPTION_HINT;
			RAISE NOTICE E'%\n  % %\n  %\n  %', call, SQLSTATE, SQLERRM,
				detail, hint;
			-- the hint can be pasted
			hint := regexp_replace(hint, '^Run: (.*\)).*$', '\1');
			EXECUTE hint;
		END;
	END LOOP;
END $$;

-- applications are for who reads all statistics
SET ROLE perfopt_lat1;
SELECT DISTINCT scope FROM perfopt_latency ORDER BY scope;
SELECT DISTINCT scope FROM perfopt_latency() ORDER BY scope;
SELECT perfopt_percentile('role', 'perfopt_lat2', 0.5) > 0 AS percentile;
SELECT perfopt_percentile('application', 'lat: kinds', 0.5);
SET ROLE perfopt_reader;
SELECT DISTINCT scope FROM perfopt_latency ORDER BY scope;
SELECT perfopt_percentile('application', 'lat: kinds', 0.5) > 0 AS percentile;
RESET ROLE;

-- a view of a privileged role does not show them to others
CREATE VIEW latency_view AS SELECT * FROM perfopt_latency;
GRANT SELECT ON latency_view TO perfopt_lat1;
SET ROLE perfopt_lat1;
SELECT DISTINCT scope FROM latency_view ORDER BY scope;
RESET ROLE;
DROP VIEW latency_view;

-- who was dropped has no name
SELECT count(*) > 0 AS counted FROM perfopt_latency()
WHERE id = 'perfopt_lat2'::regrole;
SELECT 'perfopt_lat2'::regrole::oid AS lat2 \gset
DROP ROLE perfopt_lat1, perfopt_lat2, perfopt_reader;
SELECT count(*) AS shown FROM perfopt_latency WHERE name LIKE 'perfopt\_lat%';
SELECT count(*) > 0 AS counted FROM perfopt_latency() WHERE id = :lat2;
SELECT perfopt_percentile('role', 'perfopt_lat2', 0.5);

-- what it is, and no error without rows
\d perfopt_latency
SELECT count(*) AS rows_of_odd_scopes FROM perfopt_latency
WHERE scope NOT IN ('server', 'database', 'role', 'application')
	OR name IS NULL OR since IS NULL OR calls + errors = 0
	OR (mean_ms IS NULL) <> (p99_ms IS NULL);
-- a reset forgets what was; that of a query id does not
SELECT perfopt_reset();
SELECT scope, sum(calls) AS calls, sum(errors) AS errors,
	bool_and(since > now() - interval '1 minute') AS since
FROM perfopt_latency WHERE period = '24 hours'
GROUP BY scope ORDER BY scope COLLATE "C";
SELECT perfopt_reset(1);
SELECT calls FROM perfopt_latency
WHERE scope = 'server' AND period = '24 hours';
SELECT perfopt_percentile('role', 'perfopt_lat1', 0.5);

DROP PROCEDURE latency_nested;
DROP TABLE latency_rows;
