/* perfopt--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION perfopt" to load this file. \quit

--
-- What the library knows, with OIDs.  The views below give names.
--

CREATE FUNCTION perfopt_cache_stats(
	OUT dbid oid,
	OUT selects bigint,
	OUT eligible bigint,
	OUT hits bigint,
	OUT wire_hits bigint,
	OUT misses bigint,
	OUT stores bigint,
	OUT invalidations bigint,
	OUT evictions bigint,
	OUT verified bigint,
	OUT differences bigint,
	OUT bypasses bigint,
	OUT late_writes bigint,
	OUT errors bigint,
	OUT time_saved_ms double precision)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'perfopt_cache_stats_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_cache_stats() IS
	'counters of the result cache, a row per database that counted; see the view of this name';

CREATE FUNCTION perfopt_cache_usage(
	OUT bytes_total bigint,
	OUT bytes_used bigint,
	OUT bytes_pinned bigint,
	OUT entries bigint)
RETURNS record
AS 'MODULE_PATHNAME', 'perfopt_cache_usage_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_cache_usage() IS
	'memory of the result cache, all databases together';

CREATE FUNCTION perfopt_cache_entries(
	OUT dbid oid,
	OUT roleid oid,
	OUT queryid bigint,
	OUT query text,
	OUT rows bigint,
	OUT bytes bigint,
	OUT hits bigint,
	OUT time_saved_ms double precision,
	OUT cost_ms double precision,
	OUT created timestamptz,
	OUT last_hit timestamptz,
	OUT relids oid[],
	OUT indexids oid[],
	OUT valid boolean)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'perfopt_cache_entries_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_cache_entries() IS
	'answers in the result cache; see the view of this name';

CREATE FUNCTION perfopt_cache_reasons(
	OUT dbid oid,
	OUT reason text,
	OUT count bigint,
	OUT last_queryid bigint,
	OUT advice text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'perfopt_cache_reasons_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_cache_reasons() IS
	'why statements were not served from the result cache, or not stored; see the view of this name';

CREATE FUNCTION perfopt_cache_savings(
	OUT dbid oid,
	OUT queryid bigint,
	OUT query text,
	OUT calls bigint,
	OUT hits bigint,
	OUT would_hit bigint,
	OUT executed_ms double precision,
	OUT saved_ms double precision,
	OUT would_save_ms double precision,
	OUT disabled boolean)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'perfopt_cache_savings_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_cache_savings() IS
	'what each statement cost and saved; see the view of this name';

CREATE FUNCTION perfopt_cache_settings()
RETURNS SETOF text
AS 'MODULE_PATHNAME', 'perfopt_cache_settings_1_0'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_cache_settings() IS
	'names of the settings whose values are part of what identifies an answer';

CREATE FUNCTION perfopt_statements(
	OUT dbid oid,
	OUT userid oid,
	OUT queryid bigint,
	OUT toplevel boolean,
	OUT query text,
	OUT calls bigint,
	OUT errors bigint,
	OUT rows bigint,
	OUT exec_total_ms double precision,
	OUT exec_min_ms double precision,
	OUT exec_max_ms double precision,
	OUT exec_mean_ms double precision,
	OUT exec_stddev_ms double precision,
	OUT plans bigint,
	OUT plan_total_ms double precision,
	OUT plan_min_ms double precision,
	OUT plan_max_ms double precision,
	OUT plan_mean_ms double precision,
	OUT plan_stddev_ms double precision,
	OUT p50_ms double precision,
	OUT p95_ms double precision,
	OUT p99_ms double precision,
	OUT shared_blks_hit bigint,
	OUT shared_blks_read bigint,
	OUT shared_blks_dirtied bigint,
	OUT shared_blks_written bigint,
	OUT local_blks_hit bigint,
	OUT local_blks_read bigint,
	OUT local_blks_dirtied bigint,
	OUT local_blks_written bigint,
	OUT temp_blks_read bigint,
	OUT temp_blks_written bigint,
	OUT shared_blk_read_ms double precision,
	OUT shared_blk_write_ms double precision,
	OUT local_blk_read_ms double precision,
	OUT local_blk_write_ms double precision,
	OUT temp_blk_read_ms double precision,
	OUT temp_blk_write_ms double precision,
	OUT wal_records bigint,
	OUT wal_fpi bigint,
	OUT wal_bytes bigint,
	OUT jit_functions bigint,
	OUT jit_ms double precision,
	OUT workers_planned bigint,
	OUT workers_launched bigint,
	OUT cache_hits bigint,
	OUT cache_misses bigint,
	OUT cache_stored bigint,
	OUT cache_bypassed bigint,
	OUT cache_reason text,
	OUT cache_saved_ms double precision,
	OUT stats_since timestamptz,
	OUT last_seen timestamptz,
	OUT application text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'perfopt_statements_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_statements() IS
	'what each statement cost; see the view of this name';

CREATE FUNCTION perfopt_statement_sources(
	OUT dbid oid,
	OUT userid oid,
	OUT queryid bigint,
	OUT toplevel boolean,
	OUT query text,
	OUT application text,
	OUT tags text,
	OUT calls bigint,
	OUT calls_excess bigint,
	OUT total_ms double precision,
	OUT last_traceparent text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'perfopt_statement_sources_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_statement_sources() IS
	'which code sent each statement; see the view of this name';

CREATE FUNCTION perfopt_statements_lost()
RETURNS bigint
AS 'MODULE_PATHNAME', 'perfopt_statements_lost_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_statements_lost() IS
	'how often something was counted in the row (other) of perfopt_statements since there was no place, see perfopt.max_statements';

CREATE FUNCTION perfopt_collecting_since()
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'perfopt_collecting_since_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_collecting_since() IS
	'when statistics began to be collected: the start of the server, or the last perfopt_reset()';

CREATE FUNCTION perfopt_histogram(
	queryid bigint,
	OUT from_ms double precision,
	OUT to_ms double precision,
	OUT calls bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'perfopt_histogram_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_histogram(bigint) IS
	'how long the executions of a statement took, planning included; of those roles whose statements the caller may read; to_ms NULL: and longer';

CREATE FUNCTION perfopt_latency(
	OUT scope text,
	OUT id oid,
	OUT name text,
	OUT period interval,
	OUT calls bigint,
	OUT errors bigint,
	OUT mean_ms double precision,
	OUT p50_ms double precision,
	OUT p95_ms double precision,
	OUT p99_ms double precision,
	OUT max_ms double precision,
	OUT since timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'perfopt_latency_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_latency() IS
	'how long executions took lately; see the view of this name';

CREATE FUNCTION perfopt_slow_queries(
	OUT id bigint,
	OUT started timestamptz,
	OUT dbid oid,
	OUT roleid oid,
	OUT application_name text,
	OUT client_addr text,
	OUT pid int,
	OUT queryid bigint,
	OUT toplevel boolean,
	OUT query text,
	OUT parameters text,
	OUT duration_ms double precision,
	OUT planning_ms double precision,
	OUT execution_ms double precision,
	OUT lock_wait_ms double precision,
	OUT rows bigint,
	OUT shared_blks_hit bigint,
	OUT shared_blks_read bigint,
	OUT shared_blks_dirtied bigint,
	OUT shared_blks_written bigint,
	OUT local_blks_hit bigint,
	OUT local_blks_read bigint,
	OUT local_blks_dirtied bigint,
	OUT local_blks_written bigint,
	OUT temp_blks_read bigint,
	OUT temp_blks_written bigint,
	OUT shared_blk_read_ms double precision,
	OUT shared_blk_write_ms double precision,
	OUT local_blk_read_ms double precision,
	OUT local_blk_write_ms double precision,
	OUT temp_blk_read_ms double precision,
	OUT temp_blk_write_ms double precision,
	OUT wal_records bigint,
	OUT wal_fpi bigint,
	OUT wal_bytes bigint,
	OUT cache text,
	OUT cache_reason text,
	OUT failed boolean,
	OUT sqlstate text,
	OUT plan json,
	OUT plan_text text,
	OUT plan_note text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'perfopt_slow_queries_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_slow_queries() IS
	'slow executions; see the view of this name';

--
-- Questions and commands
--

CREATE FUNCTION perfopt_percentile(
	scope text,
	name text,
	p double precision,
	period interval DEFAULT '5 minutes')
RETURNS double precision
AS 'MODULE_PATHNAME', 'perfopt_percentile_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_percentile(text, text, double precision, interval) IS
	'milliseconds that a share p (0 to 1) of the executions of a scope did not exceed, over a period of perfopt_latency; NULL if there were none';

CREATE FUNCTION perfopt_cache_check(
	sql text,
	OUT cacheable boolean,
	OUT reason text,
	OUT advice text,
	OUT object text,
	OUT relations regclass[],
	OUT folded_values text[])
RETURNS record
AS 'MODULE_PATHNAME', 'perfopt_cache_check_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION perfopt_cache_check(text) IS
	'would this statement be cached, and if not, why; plans it, does not execute it';

CREATE FUNCTION perfopt_invalidate(relation regclass)
RETURNS void
AS 'MODULE_PATHNAME', 'perfopt_invalidate_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_invalidate(regclass) IS
	'makes all cached answers that depend on the relation, its partitions or children unreachable, at once; for who may write to it';

CREATE FUNCTION perfopt_invalidate_all()
RETURNS void
AS 'MODULE_PATHNAME', 'perfopt_invalidate_all_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_invalidate_all() IS
	'makes all cached answers of the current database unreachable, at once';

CREATE FUNCTION perfopt_reset()
RETURNS void
AS 'MODULE_PATHNAME', 'perfopt_reset_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_reset() IS
	'resets all statistics, of all databases; cached answers stay, and so does what a difference disabled';

CREATE FUNCTION perfopt_reset(queryid bigint)
RETURNS void
AS 'MODULE_PATHNAME', 'perfopt_reset_queryid_1_0'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION perfopt_reset(bigint) IS
	'resets the statistics of the statements with this query id, in all databases';

--
-- Diagnosis
--

CREATE FUNCTION perfopt_diagnose(
	plan json,
	OUT code text,
	OUT node_number integer,
	OUT node text,
	OUT detail text,
	OUT advice text,
	OUT wasted_ms double precision)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'perfopt_diagnose_1_0'
LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION perfopt_diagnose(json) IS
	'what is wrong in a plan that EXPLAIN (FORMAT JSON) printed, a row per finding, what costs most first; wasted_ms is the most that could be won';

--
-- Views
--

CREATE VIEW perfopt_cache_stats AS
SELECT d.datname,
	coalesce(c.selects, 0) AS selects,
	coalesce(c.eligible, 0) AS eligible,
	coalesce(c.hits, 0) AS hits,
	coalesce(c.wire_hits, 0) AS wire_hits,
	coalesce(c.misses, 0) AS misses,
	coalesce(c.stores, 0) AS stores,
	coalesce(c.invalidations, 0) AS invalidations,
	coalesce(c.evictions, 0) AS evictions,
	coalesce(c.verified, 0) AS verified,
	coalesce(c.differences, 0) AS differences,
	coalesce(c.bypasses, 0) AS bypasses,
	c.hits / nullif(c.hits + c.misses, 0)::double precision AS hit_ratio,
	coalesce(e.bytes, 0)::bigint AS bytes_used,
	u.bytes_total - u.bytes_used AS bytes_free,
	u.bytes_pinned,
	coalesce(e.entries, 0) AS entries,
	coalesce(c.time_saved_ms, 0) AS time_saved_ms,
	coalesce(c.late_writes, 0) AS late_writes,
	coalesce(c.errors, 0) AS errors
FROM perfopt_cache_stats() AS c
FULL JOIN (
	SELECT dbid, sum(bytes) AS bytes, count(*) AS entries
	FROM perfopt_cache_entries()
	GROUP BY dbid) AS e USING (dbid)
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = dbid
CROSS JOIN perfopt_cache_usage() AS u;
COMMENT ON VIEW perfopt_cache_stats IS
	'counters of the result cache since the last reset or start, a row per database that counted';
COMMENT ON COLUMN perfopt_cache_stats.datname IS
	'NULL: dropped databases, or those beyond the number that is counted apart';
COMMENT ON COLUMN perfopt_cache_stats.selects IS
	'SELECTs that clients sent, unless perfopt.cache was off';
COMMENT ON COLUMN perfopt_cache_stats.eligible IS
	'executions of statements that may be cached';
COMMENT ON COLUMN perfopt_cache_stats.wire_hits IS
	'hits whose rows were sent as bytes that are kept, see perfopt.cache_wire';
COMMENT ON COLUMN perfopt_cache_stats.misses IS
	'looked up, not found, executed';
COMMENT ON COLUMN perfopt_cache_stats.invalidations IS
	'answers found outdated when looked up';
COMMENT ON COLUMN perfopt_cache_stats.verified IS
	'hits executed as well and compared, see perfopt.cache_verify';
COMMENT ON COLUMN perfopt_cache_stats.differences IS
	'of these, answers that differed: a fault of perfopt, if the statement''s rows do not change by themselves';
COMMENT ON COLUMN perfopt_cache_stats.bypasses IS
	'executions without a look-up, or plans of what is never looked up; perfopt_cache_reasons tells why';
COMMENT ON COLUMN perfopt_cache_stats.hit_ratio IS
	'hits among what was looked up, 0 to 1';
COMMENT ON COLUMN perfopt_cache_stats.bytes_used IS
	'by the answers of this database';
COMMENT ON COLUMN perfopt_cache_stats.bytes_free IS
	'of the whole cache, the same in each row';
COMMENT ON COLUMN perfopt_cache_stats.bytes_pinned IS
	'of the whole cache: removed answers that somebody is still reading';
COMMENT ON COLUMN perfopt_cache_stats.time_saved_ms IS
	'sum over the hits: what executing took when the answer was stored, less what serving it took';
COMMENT ON COLUMN perfopt_cache_stats.late_writes IS
	'relations written while a transaction committed, by other libraries';
COMMENT ON COLUMN perfopt_cache_stats.errors IS
	'failures inside perfopt, of which no statement took notice';

CREATE VIEW perfopt_cache_entries AS
SELECT e.queryid,
	e.query,
	d.datname,
	r.rolname,
	e.rows,
	e.bytes,
	e.hits,
	e.time_saved_ms,
	e.cost_ms,
	e.created,
	e.last_hit,
	e.relids,
	CASE WHEN d.datname = current_database() THEN ARRAY(
		SELECT relid::regclass::text
		FROM unnest(e.relids) WITH ORDINALITY AS u(relid, n) ORDER BY n)
	END AS relations,
	e.indexids,
	CASE WHEN d.datname = current_database() THEN ARRAY(
		SELECT indexid::regclass::text
		FROM unnest(e.indexids) WITH ORDINALITY AS u(indexid, n) ORDER BY n)
	END AS indexes,
	e.valid
FROM perfopt_cache_entries() AS e
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = e.dbid
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = e.roleid;
COMMENT ON VIEW perfopt_cache_entries IS
	'the answers in the result cache, in no order';
COMMENT ON COLUMN perfopt_cache_entries.queryid IS
	'as in perfopt_cache_savings; NULL for who may not read the query';
COMMENT ON COLUMN perfopt_cache_entries.query IS
	'with constants replaced; readable for who has the privileges of the role, or pg_read_all_stats';
COMMENT ON COLUMN perfopt_cache_entries.rolname IS
	'who executed the statement; others may be served, after their own permissions are checked';
COMMENT ON COLUMN perfopt_cache_entries.bytes IS
	'of shared memory, all told';
COMMENT ON COLUMN perfopt_cache_entries.time_saved_ms IS
	'by all hits';
COMMENT ON COLUMN perfopt_cache_entries.cost_ms IS
	'what planning and executing took when the answer was stored';
COMMENT ON COLUMN perfopt_cache_entries.relids IS
	'OIDs, in the database of the entry, of the relations the answer depends on';
COMMENT ON COLUMN perfopt_cache_entries.relations IS
	'their names; NULL for another database';
COMMENT ON COLUMN perfopt_cache_entries.indexids IS
	'OIDs, in the database of the entry, of the indexes that the plan used';
COMMENT ON COLUMN perfopt_cache_entries.indexes IS
	'their names; NULL for another database';
COMMENT ON COLUMN perfopt_cache_entries.valid IS
	'nothing it depends on was changed since; what is not valid is never served, and makes room in time';

CREATE VIEW perfopt_cache_reasons AS
SELECT d.datname, r.reason, r.count, r.last_queryid, r.advice
FROM perfopt_cache_reasons() AS r
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = r.dbid;
COMMENT ON VIEW perfopt_cache_reasons IS
	'why statements were not served from the result cache, or not stored';
COMMENT ON COLUMN perfopt_cache_reasons.count IS
	'executions, or plans of what is never looked up';
COMMENT ON COLUMN perfopt_cache_reasons.last_queryid IS
	'of the latest such statement, as in perfopt_cache_savings; NULL if there was none, see compute_query_id, and without pg_read_all_stats';

CREATE VIEW perfopt_cache_savings AS
SELECT d.datname,
	s.queryid,
	s.query,
	s.calls,
	s.hits,
	s.would_hit,
	s.executed_ms / nullif(s.calls - s.hits, 0) AS mean_ms,
	s.saved_ms,
	s.would_save_ms,
	s.disabled
FROM perfopt_cache_savings() AS s
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid;
COMMENT ON VIEW perfopt_cache_savings IS
	'what each statement cost and saved; a statement that comes seldom can be displaced by others';
COMMENT ON COLUMN perfopt_cache_savings.queryid IS
	'the query id; a hash of the statement without its constants where there is none, see compute_query_id; NULL without pg_read_all_stats';
COMMENT ON COLUMN perfopt_cache_savings.query IS
	'with constants replaced; readable with pg_read_all_stats; NULL while it is not known';
COMMENT ON COLUMN perfopt_cache_savings.would_hit IS
	'executions that were not served although nothing they read had changed since the one before';
COMMENT ON COLUMN perfopt_cache_savings.mean_ms IS
	'of executions that were not served';
COMMENT ON COLUMN perfopt_cache_savings.saved_ms IS
	'by hits';
COMMENT ON COLUMN perfopt_cache_savings.would_save_ms IS
	'what the executions counted by would_hit took';
COMMENT ON COLUMN perfopt_cache_savings.disabled IS
	'a verified answer differed: not served any more';

CREATE VIEW perfopt_statements AS
SELECT d.datname, r.rolname, s.queryid, s.toplevel, s.query,
	s.calls, s.errors, s.rows,
	s.exec_total_ms, s.exec_min_ms, s.exec_max_ms, s.exec_mean_ms, s.exec_stddev_ms,
	s.plans,
	s.plan_total_ms, s.plan_min_ms, s.plan_max_ms, s.plan_mean_ms, s.plan_stddev_ms,
	s.p50_ms, s.p95_ms, s.p99_ms,
	s.shared_blks_hit, s.shared_blks_read, s.shared_blks_dirtied, s.shared_blks_written,
	s.local_blks_hit, s.local_blks_read, s.local_blks_dirtied, s.local_blks_written,
	s.temp_blks_read, s.temp_blks_written,
	s.shared_blk_read_ms, s.shared_blk_write_ms,
	s.local_blk_read_ms, s.local_blk_write_ms,
	s.temp_blk_read_ms, s.temp_blk_write_ms,
	s.wal_records, s.wal_fpi, s.wal_bytes,
	s.jit_functions, s.jit_ms,
	s.workers_planned, s.workers_launched,
	s.cache_hits, s.cache_misses, s.cache_stored, s.cache_bypassed, s.cache_reason,
	s.cache_saved_ms,
	s.stats_since, s.last_seen, s.application
FROM perfopt_statements() AS s
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.userid
WHERE (d.oid IS NOT NULL AND r.oid IS NOT NULL) OR s.dbid IS NULL;
COMMENT ON VIEW perfopt_statements IS
	'what each statement cost since stats_since: a row per database, role, query id, top level or nested; executions that the cache answered count as executions';
COMMENT ON COLUMN perfopt_statements.queryid IS
	'as in pg_stat_statements and pg_stat_activity; NULL: executed without one (compute_query_id), or for who may not read the query';
COMMENT ON COLUMN perfopt_statements.toplevel IS
	'sent by a client; else executed by a function, a trigger, or for EXPLAIN';
COMMENT ON COLUMN perfopt_statements.query IS
	'with constants replaced, cut after 4 kB; (other): all that has no row of its own, see perfopt.max_statements; readable for who has the privileges of the role, or pg_read_all_stats';
COMMENT ON COLUMN perfopt_statements.calls IS
	'executions that ended';
COMMENT ON COLUMN perfopt_statements.errors IS
	'executions and plannings that failed or were cancelled';
COMMENT ON COLUMN perfopt_statements.rows IS
	'given out or written';
COMMENT ON COLUMN perfopt_statements.exec_total_ms IS
	'of all executions, failed ones included; what nested statements took is in it';
COMMENT ON COLUMN perfopt_statements.plans IS
	'plannings that an execution followed';
COMMENT ON COLUMN perfopt_statements.p50_ms IS
	'half of the executions took no longer, planning included; relative error at most 6.25 %';
COMMENT ON COLUMN perfopt_statements.p95_ms IS
	'95 % of the executions took no longer, planning included; relative error at most 6.25 %';
COMMENT ON COLUMN perfopt_statements.p99_ms IS
	'99 % of the executions took no longer, planning included; relative error at most 6.25 %';
COMMENT ON COLUMN perfopt_statements.shared_blk_read_ms IS
	'with track_io_timing; before PostgreSQL 17 that of local blocks is in it';
COMMENT ON COLUMN perfopt_statements.shared_blk_write_ms IS
	'with track_io_timing; before PostgreSQL 17 that of local blocks is in it';
COMMENT ON COLUMN perfopt_statements.local_blk_read_ms IS
	'with track_io_timing, from PostgreSQL 17 on';
COMMENT ON COLUMN perfopt_statements.local_blk_write_ms IS
	'with track_io_timing, from PostgreSQL 17 on';
COMMENT ON COLUMN perfopt_statements.temp_blk_read_ms IS
	'with track_io_timing';
COMMENT ON COLUMN perfopt_statements.temp_blk_write_ms IS
	'with track_io_timing';
COMMENT ON COLUMN perfopt_statements.jit_ms IS
	'generating, inlining, optimizing and emitting code';
COMMENT ON COLUMN perfopt_statements.workers_planned IS
	'parallel workers';
COMMENT ON COLUMN perfopt_statements.workers_launched IS
	'of these; fewer, if max_parallel_workers or max_worker_processes did not suffice';
COMMENT ON COLUMN perfopt_statements.cache_hits IS
	'executions that the result cache answered';
COMMENT ON COLUMN perfopt_statements.cache_misses IS
	'looked up, executed, and not stored';
COMMENT ON COLUMN perfopt_statements.cache_stored IS
	'looked up, executed, and stored';
COMMENT ON COLUMN perfopt_statements.cache_bypassed IS
	'not looked up';
COMMENT ON COLUMN perfopt_statements.cache_reason IS
	'why not, or why not stored: the commonest reason, see perfopt_cache_reasons';
COMMENT ON COLUMN perfopt_statements.cache_saved_ms IS
	'by hits';
COMMENT ON COLUMN perfopt_statements.stats_since IS
	'when counting began: between two readings with the same value, differences are exact';
COMMENT ON COLUMN perfopt_statements.last_seen IS
	'when the latest execution''s statement began';
COMMENT ON COLUMN perfopt_statements.application IS
	'application_name of who executed it last';

CREATE VIEW perfopt_slow_queries AS
SELECT s.id, s.started, d.datname, r.rolname,
	s.application_name, s.client_addr::inet AS client_addr, s.pid,
	s.queryid, s.toplevel, s.query, s.parameters,
	s.duration_ms, s.planning_ms, s.execution_ms, s.lock_wait_ms,
	s.rows,
	s.shared_blks_hit, s.shared_blks_read, s.shared_blks_dirtied, s.shared_blks_written,
	s.local_blks_hit, s.local_blks_read, s.local_blks_dirtied, s.local_blks_written,
	s.temp_blks_read, s.temp_blks_written,
	s.shared_blk_read_ms, s.shared_blk_write_ms,
	s.local_blk_read_ms, s.local_blk_write_ms,
	s.temp_blk_read_ms, s.temp_blk_write_ms,
	s.wal_records, s.wal_fpi, s.wal_bytes,
	s.cache, s.cache_reason, s.failed, s.sqlstate,
	s.plan, s.plan_text, s.plan_note
FROM perfopt_slow_queries() AS s
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.roleid;
COMMENT ON VIEW perfopt_slow_queries IS
	'executions that took perfopt.slow_query_time, the last ones and the slowest of all, in no order';
COMMENT ON COLUMN perfopt_slow_queries.id IS
	'a number that grows with each slow execution of the server, from 1 at its start';
COMMENT ON COLUMN perfopt_slow_queries.started IS
	'when the client''s command came; for a nested one the end less its duration';
COMMENT ON COLUMN perfopt_slow_queries.datname IS
	'NULL: dropped meanwhile';
COMMENT ON COLUMN perfopt_slow_queries.client_addr IS
	'NULL: by a local socket, or a process of the server';
COMMENT ON COLUMN perfopt_slow_queries.queryid IS
	'as in pg_stat_statements and pg_stat_activity; NULL: executed without one (compute_query_id), or for who may not read the query';
COMMENT ON COLUMN perfopt_slow_queries.toplevel IS
	'sent by a client; else executed by a function, a trigger, a cursor, or for EXPLAIN';
COMMENT ON COLUMN perfopt_slow_queries.query IS
	'cut after 4 kB; with constants replaced unless perfopt.slow_query_parameters was on; readable for who has the privileges of the role, or pg_read_all_stats, as are parameters, plan, application_name and client_addr';
COMMENT ON COLUMN perfopt_slow_queries.parameters IS
	'see perfopt.slow_query_parameters; cut after 1 kB';
COMMENT ON COLUMN perfopt_slow_queries.duration_ms IS
	'planning and execution; what nested statements took is in it';
COMMENT ON COLUMN perfopt_slow_queries.planning_ms IS
	'NULL: not planned for this execution';
COMMENT ON COLUMN perfopt_slow_queries.lock_wait_ms IS
	'of LOCK only; PostgreSQL does not tell how long other commands waited';
COMMENT ON COLUMN perfopt_slow_queries.rows IS
	'given out or written';
COMMENT ON COLUMN perfopt_slow_queries.shared_blk_read_ms IS
	'with track_io_timing; before PostgreSQL 17 that of local blocks is in it';
COMMENT ON COLUMN perfopt_slow_queries.shared_blk_write_ms IS
	'with track_io_timing; before PostgreSQL 17 that of local blocks is in it';
COMMENT ON COLUMN perfopt_slow_queries.cache IS
	'what the result cache did: hit, stored, miss (looked up, not stored), bypassed (not looked up); NULL: not asked';
COMMENT ON COLUMN perfopt_slow_queries.cache_reason IS
	'why so, see perfopt_cache_reasons';
COMMENT ON COLUMN perfopt_slow_queries.sqlstate IS
	'of the error, if it failed';
COMMENT ON COLUMN perfopt_slow_queries.plan IS
	'what EXPLAIN (FORMAT JSON) told of the execution, with rows and loops if they were counted; constants are replaced as in query';
COMMENT ON COLUMN perfopt_slow_queries.plan_text IS
	'the same in the manner of EXPLAIN';
COMMENT ON COLUMN perfopt_slow_queries.plan_note IS
	'what is to be said of the plan, or why there is none';

CREATE VIEW perfopt_statement_sources AS
SELECT d.datname, r.rolname, s.queryid, s.toplevel, s.query, s.application, s.tags,
	s.calls, s.calls_excess, s.total_ms, s.last_traceparent
FROM perfopt_statement_sources() AS s
JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
JOIN pg_catalog.pg_roles AS r ON r.oid = s.userid;
COMMENT ON VIEW perfopt_statement_sources IS
	'the most frequent sources of each statement, four at most: what comments in the manner of sqlcommenter or marginalia say, and application_name; of those roles whose statements the caller may read';
COMMENT ON COLUMN perfopt_statement_sources.tags IS
	'key=value, separated by commas, without those that are of one request; NULL: no such comment';
COMMENT ON COLUMN perfopt_statement_sources.calls IS
	'from this source, at most; at least calls - calls_excess';
COMMENT ON COLUMN perfopt_statement_sources.calls_excess IS
	'by so much calls may be too large: the statement has more sources than are kept';
COMMENT ON COLUMN perfopt_statement_sources.total_ms IS
	'of the calls that were seen since the source is kept, planning included';
COMMENT ON COLUMN perfopt_statement_sources.last_traceparent IS
	'of the latest call that had one, see W3C Trace Context';

CREATE VIEW perfopt_latency AS
SELECT l.scope,
	coalesce(d.datname::text, r.rolname::text, l.name) AS name,
	l.period,
	l.calls,
	l.errors,
	l.mean_ms,
	l.p50_ms,
	l.p95_ms,
	l.p99_ms,
	l.max_ms,
	l.since
FROM perfopt_latency() AS l
LEFT JOIN pg_catalog.pg_database AS d ON l.scope = 'database' AND d.oid = l.id
LEFT JOIN pg_catalog.pg_roles AS r ON l.scope = 'role' AND r.oid = l.id
WHERE l.id IS NULL OR d.oid IS NOT NULL OR r.oid IS NOT NULL;
COMMENT ON VIEW perfopt_latency IS
	'how long what clients sent took lately, planning included: of the server, and per database, role and application; a row per period in which something was executed';
COMMENT ON COLUMN perfopt_latency.scope IS
	'server, database, role, or application; the last with pg_read_all_stats only';
COMMENT ON COLUMN perfopt_latency.name IS
	'empty for the server and for who gives no application_name; (other): what found no place, see perfopt.max_latency_scopes';
COMMENT ON COLUMN perfopt_latency.period IS
	'1 minute, 5 minutes, 1 hour or 24 hours, at most';
COMMENT ON COLUMN perfopt_latency.calls IS
	'executions that ended';
COMMENT ON COLUMN perfopt_latency.errors IS
	'executions that failed, and statements that failed in being planned';
COMMENT ON COLUMN perfopt_latency.mean_ms IS
	'times are of calls and of executions that failed; NULL if there were none';
COMMENT ON COLUMN perfopt_latency.p95_ms IS
	'95 of 100 took no longer; like all percentiles at most 1.6 % off';
COMMENT ON COLUMN perfopt_latency.max_ms IS
	'the longest, exactly';
COMMENT ON COLUMN perfopt_latency.since IS
	'the row covers the time from then to now';

--
-- Over all features
--

CREATE VIEW perfopt_findings AS
WITH collected AS (
	SELECT since, greatest(extract(epoch FROM clock_timestamp() - since), 60)::double precision / 3600 AS hours
	FROM perfopt_collecting_since() AS since
), kept AS (
	-- the slow queries that are kept, and the time they are of
	SELECT CASE WHEN max(q.id) > count(*) THEN
			greatest(extract(epoch FROM clock_timestamp() - min(q.started)), 60)::double precision / 3600
		ELSE min(c.hours) END AS hours
	FROM perfopt_slow_queries AS q CROSS JOIN collected AS c
), found AS (
	SELECT 'result cache' AS feature, 'cache_would_save' AS code, s.datname,
		NULL::bigint AS queryid, NULL::text AS query,
		format('%s of %s executions of %s statements found nothing changed since the one before',
			sum(s.would_hit), sum(s.calls), count(*)) AS detail,
		format('ALTER DATABASE %I SET perfopt.cache = auto;', s.datname) AS advice,
		sum(s.would_save_ms) / min(c.hours) AS ms_per_hour
	FROM perfopt_cache_savings AS s CROSS JOIN collected AS c
	WHERE s.would_hit > 0 AND NOT EXISTS (
		SELECT FROM pg_catalog.pg_db_role_setting AS o
		JOIN pg_catalog.pg_database AS d ON d.oid = o.setdatabase
		WHERE d.datname = s.datname
			AND o.setconfig && ARRAY['perfopt.cache=auto', 'perfopt.cache=force', 'perfopt.cache=manual'])
	GROUP BY s.datname
	UNION ALL
	SELECT 'slow queries', f.code, q.datname, q.queryid, max(q.query),
		format('%s of its executions, the slowest in %s ms; the latest: %s: %s',
			count(DISTINCT q.id), round(max(q.duration_ms)),
			(array_agg(f.node ORDER BY q.id DESC))[1],
			(array_agg(f.detail ORDER BY q.id DESC))[1]),
		(array_agg(f.advice ORDER BY q.id DESC))[1],
		-- where the plan does not tell, it is the whole execution at most
		sum(coalesce(f.wasted_ms, q.execution_ms)) / min(k.hours)
	FROM perfopt_slow_queries AS q CROSS JOIN kept AS k
	CROSS JOIN LATERAL perfopt_diagnose(q.plan) AS f
	WHERE q.toplevel
	GROUP BY f.code, q.datname, q.queryid
)
SELECT feature, code, datname, queryid, query, detail, advice, ms_per_hour
FROM found
UNION ALL
SELECT 'perfopt', 'nothing_found', NULL, NULL, NULL,
	format('%s; collecting since %s; %s',
		CASE WHEN (SELECT sum(calls) > 100 FROM perfopt_statements WHERE toplevel) THEN
			'nothing found yet' ELSE 'no traffic yet' END,
		date_trunc('second', c.since),
		CASE WHEN (SELECT coalesce(sum(hits), 0) = 0 FROM perfopt_cache_stats) THEN
			'nothing is served' ELSE 'the result cache serves' END),
	'SELECT * FROM perfopt_statements ORDER BY exec_total_ms DESC LIMIT 10;', NULL
FROM collected AS c
WHERE NOT EXISTS (SELECT FROM found)
ORDER BY ms_per_hour DESC NULLS LAST;
COMMENT ON VIEW perfopt_findings IS
	'what could be won, by all that perfopt found: the most first';
COMMENT ON COLUMN perfopt_findings.feature IS
	'which part of perfopt found it';
COMMENT ON COLUMN perfopt_findings.code IS
	'of the finding; those of slow queries are of perfopt_diagnose';
COMMENT ON COLUMN perfopt_findings.query IS
	'with constants replaced; NULL: of the whole database; readable for who has the privileges of the role, or pg_read_all_stats';
COMMENT ON COLUMN perfopt_findings.advice IS
	'what to do; what ends in a semicolon can be pasted';
COMMENT ON COLUMN perfopt_findings.ms_per_hour IS
	'an estimate of how much time of the server that would save, at most, at the rate of the time that was seen';

CREATE FUNCTION perfopt_report()
RETURNS SETOF text
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
SELECT line FROM (
	SELECT 1 AS part, 0::bigint AS n,
		format('perfopt: %s, database %s, collecting since %s', date_trunc('second', clock_timestamp()),
			current_database(), date_trunc('second', perfopt_collecting_since())) AS line
	UNION ALL
	SELECT 1, 1,
		format('result cache: %s here; %s hits, %s misses; %s ms saved', current_setting('perfopt.cache'),
			coalesce(sum(hits), 0), coalesce(sum(misses), 0), round(coalesce(sum(time_saved_ms), 0)))
	FROM perfopt_cache_stats
	UNION ALL
	SELECT 2, 0, E'\nFindings, by milliseconds that could be saved per hour (perfopt_findings)'
	UNION ALL
	SELECT 2, row_number() OVER (ORDER BY f.ms_per_hour DESC NULLS LAST),
		format(E'%s  %s%s: %s%s%s', lpad(coalesce(to_char(f.ms_per_hour, 'FM999G999G990'), '-'), 12), f.code,
			coalesce(' in ' || f.datname, ''), f.detail,
			coalesce(E'\n' || repeat(' ', 14) || left(f.query, 100), ''),
			coalesce(E'\n' || repeat(' ', 14) || f.advice, ''))
	FROM (SELECT * FROM perfopt_findings LIMIT 10) AS f
	UNION ALL
	SELECT 3, 0, E'\nStatements that took most (perfopt_statements)\n     total s        calls   mean ms    p95 ms  errors      hits  statement'
	UNION ALL
	SELECT 3, row_number() OVER (ORDER BY s.total_ms DESC),
		format('%s %s %s %s %s %s  %s', lpad(to_char(s.total_ms / 1000, 'FM999999990.000'), 12),
			lpad(s.calls::text, 12), lpad(to_char(s.total_ms / nullif(s.calls + s.errors, 0), 'FM99999990.000'), 9),
			lpad(coalesce(to_char(s.p95_ms, 'FM99999990.000'), '-'), 9), lpad(s.errors::text, 7),
			lpad(s.cache_hits::text, 9), left(s.query, 80))
	FROM (
		SELECT exec_total_ms + plan_total_ms AS total_ms, *
		FROM perfopt_statements WHERE toplevel OR toplevel IS NULL
		ORDER BY 1 DESC LIMIT 10) AS s
	UNION ALL
	SELECT 4, 0, E'\nLatency of the last 5 minutes (perfopt_latency)\n       calls  errors    p50 ms    p95 ms    p99 ms    max ms  of'
	UNION ALL
	SELECT 4, row_number() OVER (ORDER BY l.calls DESC, l.scope),
		format('%s %s %s %s %s %s  %s', lpad(l.calls::text, 12), lpad(l.errors::text, 7),
			lpad(to_char(l.p50_ms, 'FM99999990.000'), 9), lpad(to_char(l.p95_ms, 'FM99999990.000'), 9),
			lpad(to_char(l.p99_ms, 'FM99999990.000'), 9), lpad(to_char(l.max_ms, 'FM99999990.000'), 9),
			concat_ws(' ', l.scope, nullif(l.name, '')))
	FROM (
		SELECT * FROM perfopt_latency WHERE period = interval '5 minutes'
		ORDER BY calls DESC, scope LIMIT 10) AS l
	UNION ALL
	SELECT 5, 0, E'\nThe last slow queries (perfopt_slow_queries)\n when                     took ms  statement'
	UNION ALL
	SELECT 5, row_number() OVER (ORDER BY q.id DESC),
		format(' %s %s  %s%s', to_char(q.started, 'YYYY-MM-DD HH24:MI:SS'),
			lpad(to_char(q.duration_ms, 'FM99999999990'), 12), left(q.query, 80),
			CASE WHEN q.failed THEN format(' (failed: %s)', q.sqlstate) END)
	FROM (SELECT * FROM perfopt_slow_queries ORDER BY id DESC LIMIT 5) AS q
) AS lines
ORDER BY part, n;
END;
COMMENT ON FUNCTION perfopt_report() IS
	'what perfopt knows, on a page of text: findings, statements, latency, slow queries; shows what the caller may read';

--
-- Privileges
--

REVOKE ALL ON FUNCTION perfopt_reset() FROM PUBLIC;
REVOKE ALL ON FUNCTION perfopt_reset(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION perfopt_invalidate_all() FROM PUBLIC;
GRANT SELECT ON perfopt_cache_stats TO PUBLIC;
GRANT SELECT ON perfopt_cache_entries TO PUBLIC;
GRANT SELECT ON perfopt_cache_reasons TO PUBLIC;
GRANT SELECT ON perfopt_cache_savings TO PUBLIC;
GRANT SELECT ON perfopt_statements TO PUBLIC;
GRANT SELECT ON perfopt_slow_queries TO PUBLIC;
GRANT SELECT ON perfopt_statement_sources TO PUBLIC;
GRANT SELECT ON perfopt_latency TO PUBLIC;
GRANT SELECT ON perfopt_findings TO PUBLIC;
