--
-- What is found in a plan: for each code a plan that has it, and the same plan
-- changed so that it is none.  Plans are literal, so that times and versions do
-- not matter; those at the end are made by EXPLAIN.
--
\pset format unaligned
\pset expanded on
\pset null -

CREATE SCHEMA diagnose;
SET search_path = diagnose, public;
CREATE TABLE plan (name text PRIMARY KEY, text text);

-- The findings in a plan, in which texts are exchanged: this, that, this, that.
CREATE FUNCTION found(plan text, VARIADIC changes text[] DEFAULT '{}')
RETURNS TABLE (code text, node_number int, node text, detail text, advice text,
	wasted_ms double precision)
LANGUAGE plpgsql AS $$
DECLARE
	changed text;
BEGIN
	SELECT p.text INTO STRICT changed FROM plan AS p WHERE p.name = found.plan;
	FOR i IN 1 .. cardinality(changes) BY 2 LOOP
		IF strpos(changed, changes[i]) = 0 THEN
			RAISE 'there is no % in %', changes[i], plan;
		END IF;
		changed := replace(changed, changes[i], changes[i + 1]);
	END LOOP;
	RETURN QUERY SELECT * FROM perfopt_diagnose(changed::json);
END$$;

\echo == seq_scan_discards_most
INSERT INTO plan VALUES ('seq', $$[{
	"Plan": {
		"Node Type": "Seq Scan", "Parallel Aware": false,
		"Relation Name": "orders", "Schema": "shop", "Alias": "o",
		"Startup Cost": 0, "Total Cost": 2000, "Plan Rows": 10, "Plan Width": 8,
		"Actual Startup Time": 0.1, "Actual Total Time": 20.0,
		"Actual Rows": 10, "Actual Loops": 1,
		"Filter": "((customer_id = 7) AND (status = 'new'::text))",
		"Rows Removed by Filter": 99990
	},
	"Planning Time": 0.2, "Triggers": [], "Execution Time": 21.0
}]$$);
SELECT * FROM found('seq');
-- few rows, or most of them wanted
SELECT * FROM found('seq', ': 99990', ': 5000');
SELECT * FROM found('seq', '"Actual Rows": 10', '"Actual Rows": 50000', '"Plan Rows": 10', '"Plan Rows": 50000');
-- a small table, however often; a larger one
SELECT * FROM found('seq', ': 99990', ': 900', '"Actual Loops": 1', '"Actual Loops": 1000');
SELECT detail, wasted_ms FROM found('seq', ': 99990', ': 1990', '"Actual Loops": 1', '"Actual Loops": 1000');
-- a small part of the time
SELECT * FROM found('seq', '"Execution Time": 21.0', '"Execution Time": 2100.0');
-- without times, what is known is the same
SELECT * FROM found('seq', '"Actual Total Time": 20.0,', '');
-- not executed
SELECT * FROM found('seq', '"Actual Loops": 1', '"Actual Loops": 0');
-- in a parallel part: three processes counted a loop each
INSERT INTO plan VALUES ('parallel', $${"Plan": {
	"Node Type": "Gather", "Plan Rows": 10, "Total Cost": 2000,
	"Actual Total Time": 30.0, "Actual Rows": 9, "Actual Loops": 1,
	"Workers Planned": 2, "Workers Launched": 2, "Single Copy": false,
	"Plans": [{
		"Node Type": "Seq Scan", "Parent Relationship": "Outer",
		"Parallel Aware": true, "Relation Name": "Orders", "Alias": "Orders",
		"Plan Rows": 4, "Actual Total Time": 24.0, "Actual Rows": 3,
		"Actual Loops": 3, "Filter": "(\"Customer\" = 7)",
		"Rows Removed by Filter": 5000}]
	}}$$);
SELECT * FROM found('parallel');

\echo == members of an Append are told of once
SELECT * FROM perfopt_diagnose((
	SELECT json_build_object('Plan', json_build_object(
		'Node Type', 'Append', 'Plan Rows', 10, 'Actual Rows', 10,
		'Actual Loops', 1, 'Actual Total Time', 50,
		'Plans', json_agg(json_build_object(
			'Node Type', 'Seq Scan', 'Parent Relationship', 'Member',
			'Relation Name', 'p' || g, 'Alias', 'p', 'Plan Rows', 1,
			'Actual Rows', 1, 'Actual Loops', 1, 'Actual Total Time', 5,
			'Filter', '(a = 1)', 'Rows Removed by Filter', 20000) ORDER BY g)))
	FROM generate_series(1, 10) AS g));

\echo == index_defeated
-- what is in a filter is what it seems to be, or nothing is said of it
\pset expanded off
CREATE FUNCTION filtered(filter text) RETURNS TABLE (code text, advice text)
BEGIN ATOMIC
	SELECT d.code, d.advice
	FROM perfopt_diagnose(json_build_object('Plan', json_build_object(
		'Node Type', 'Seq Scan', 'Relation Name', 'orders', 'Alias', 'o',
		'Plan Rows', 1, 'Actual Rows', 1, 'Actual Loops', 1,
		'Filter', filter, 'Rows Removed by Filter', 99999))) AS d;
END;
SELECT f.filter, d.code, d.advice
FROM (VALUES
	-- computed from the column
	($$(lower(email) = 'a@b'::text)$$),
	($$(lower(o.email) = $1)$$),
	($$('a@b'::text = lower((o.email)::text))$$),
	($$((created_at)::date = '2026-01-01'::date)$$),
	($$(date(o.created_at) = '2026-01-01'::date)$$),
	($$((created_at)::date >= (now())::date)$$),
	($$(date_trunc('month'::text, created_at) = '2026-01-01 00:00:00+00'::timestamp with time zone)$$),
	($$(EXTRACT(year FROM created_at) = '2026'::numeric)$$),
	($$((created_at AT TIME ZONE 'UTC'::text) >= '2026-01-01 00:00:00'::timestamp without time zone)$$),
	($$((id)::numeric = 7.5)$$),
	($$((id + 1) = 10)$$),
	($$((o.id - 1) > $2)$$),
	($$((created_at + '1 day'::interval) > now())$$),
	($$((id % 10) = 3)$$),
	($$((id + 1) = ANY ('{1,2}'::integer[]))$$),
	($$((email || $3) = 'x'::text)$$),
	($$(COALESCE(state, 'new'::text) = 'new'::text)$$),
	($$((state = 'new'::text) AND (upper("Name") = ANY ('{A,B}'::text[])))$$),
	($$(name ~~ '%son'::text)$$),
	($$((name)::text ~~* '%it''s%'::text)$$),
	-- the column as it is
	($$(email = 'lower(x)'::text)$$),
	($$((email)::text = 'a@b'::text)$$),
	($$(("order")::text = ANY ('{a,b}'::text[]))$$),
	($$((a > 1) AND (b = 2) AND (o.c = 3) AND (b <= 9))$$),
	($$(7 = a)$$),
	($$((a = 1) AND (b = x.b))$$),
	($$(name ~~ 'A%'::text)$$),
	($$((name ~~ 'A%'::text) AND (a = 1))$$),
	($$(name ~~ $1)$$),
	-- what nothing is concluded from
	($$((a = 1) OR (lower(b) = 'x'::text))$$),
	($$(NOT (hashed SubPlan 1))$$),
	($$(a = (SubPlan 1))$$),
	($$(lower(a) = (InitPlan 1).col1)$$),
	($$(lower(a) = $$),
	($$(lower(a) = 'x)$$),
	($$)lower(a) = 'x'($$),
	($$(a IS NULL)$$),
	($$active$$),
	($$(a <> 5)$$),
	($$(a = ALL ('{1,2}'::integer[]))$$),
	($$((a + b) = 7)$$),
	($$(lower(x.a) = 'x'::text)$$),
	($$((o.a + x.a) = 5)$$),
	($$(CASE WHEN (a = 1) THEN b ELSE c END = 2)$$),
	($$(ROW(a, b) = ROW(1, 2))$$),
	($$((a)::my_domain = '5'::my_domain)$$),
	($$(a[1] = 5)$$),
	($$(((data -> 'a'::text) ->> 'b'::text) = 'x'::text)$$),
	($$$$),
	($$U&'\0041' = ` ; \ {$$)) AS f (filter)
LEFT JOIN LATERAL filtered(f.filter) AS d ON true;
-- long ones
SELECT code, left(advice, 60) FROM filtered('(a = ANY (''{' || repeat('1,', 100000) || '1}''::int[]))');
SELECT code, left(advice, 60) FROM filtered(repeat('(', 3000) || 'a = 1' || repeat(')', 3000));
SELECT code, left(advice, 60) FROM filtered('((a = 1)' || repeat(' AND (a = 1)', 5000) || ')');
\pset expanded on
-- of a plan that was not executed: told if the scan is dear
SELECT * FROM perfopt_diagnose($${"Plan": {"Node Type": "Seq Scan",
	"Relation Name": "orders", "Alias": "orders", "Total Cost": 2000.5,
	"Plan Rows": 500, "Filter": "(lower(email) = 'x'::text)"}}$$);
SELECT * FROM perfopt_diagnose($${"Plan": {"Node Type": "Seq Scan",
	"Relation Name": "orders", "Alias": "orders", "Total Cost": 20.5,
	"Plan Rows": 5, "Filter": "(lower(email) = 'x'::text)"}}$$);

\echo == estimate_off
-- where it begins, not above
INSERT INTO plan VALUES ('estimate', $${"Plan": {
	"Node Type": "Sort", "Plan Rows": 5, "Actual Rows": 40000, "Actual Loops": 1,
	"Plans": [{
	"Node Type": "Hash Join", "Parent Relationship": "Outer",
	"Join Type": "Inner", "Plan Rows": 5, "Actual Rows": 40000,
	"Actual Loops": 1, "Plans": [
		{"Node Type": "Seq Scan", "Parent Relationship": "Outer",
		 "Relation Name": "orders", "Alias": "o", "Plan Rows": 1000,
		 "Actual Rows": 1100, "Actual Loops": 1},
		{"Node Type": "Hash", "Parent Relationship": "Inner", "Plan Rows": 5,
		 "Actual Rows": 4000, "Actual Loops": 1, "Plans": [
			{"Node Type": "Index Scan", "Parent Relationship": "Outer",
			 "Relation Name": "customers", "Alias": "c",
			 "Index Name": "customers_city_idx", "Plan Rows": 5,
			 "Actual Rows": 4000, "Actual Loops": 1,
			 "Index Cond": "(c.city = 'Bonn'::text)",
			 "Filter": "(c.zip = '53111'::text)",
			 "Rows Removed by Filter": 10}]}]}]}}$$);
SELECT * FROM found('estimate');
-- the inputs are estimated well
SELECT code, node_number, node, detail, advice FROM found('estimate', '4000,', '5,');
-- by what is returned nothing was chosen
SELECT * FROM found('estimate', '4000,', '5,', '"Sort"', '"Limit"');
SELECT * FROM found('estimate', '4000', '6');
-- one column
SELECT advice FROM found('estimate', '(c.zip = ''53111''::text)', '(c.zip = c.area)');
-- below a LIMIT fewer rows say nothing, more do
INSERT INTO plan VALUES ('limit', $${"Plan": {
	"Node Type": "Limit", "Plan Rows": 10, "Actual Rows": 10, "Actual Loops": 1,
	"Plans": [{"Node Type": "Seq Scan", "Parent Relationship": "Outer",
		"Relation Name": "orders", "Alias": "orders", "Plan Rows": 100000,
		"Actual Rows": 10, "Actual Loops": 1}]}}$$);
SELECT * FROM found('limit');
SELECT code, node_number FROM found('limit', 'Limit', 'Unique');
SELECT code, node_number FROM found('limit', '"Plan Rows": 100000,
		"Actual Rows": 10', '"Plan Rows": 5, "Actual Rows": 4000');
-- so below a merge join, whose inner side may be read again
SELECT * FROM found('limit', 'Limit', 'Merge Join');
SELECT code, node_number FROM found('limit', 'Limit', 'Merge Join', '100000,', '5,', '10, "Actual Loops": 1}', '4000, "Actual Loops": 1}');
SELECT * FROM found('limit', 'Limit', 'Merge Join', '100000,', '5,', '10, "Actual Loops": 1}', '4000, "Actual Loops": 1}', 'Outer', 'Inner');
-- and in a nested loop that wants one match
SELECT code, node_number FROM found('limit', '"Limit"', '"Nested Loop"', 'Outer', 'Inner');
SELECT * FROM found('limit', '"Limit"', '"Nested Loop", "Inner Unique": true', 'Outer', 'Inner');
SELECT * FROM found('limit', '"Limit"', '"Nested Loop", "Join Type": "Semi"', 'Outer', 'Inner');
-- a hash join with nothing in its table; a sort reads all
SELECT * FROM found('limit', 'Limit', 'Hash Join');
SELECT code, node_number FROM found('limit', 'Seq Scan', 'Sort', '"Actual Loops": 1}]', '"Actual Loops": 1, "Plans": [
	{"Node Type": "Seq Scan", "Relation Name": "t", "Plan Rows": 100000, "Actual Rows": 10, "Actual Loops": 1}]}]');
-- functions, and groups
INSERT INTO plan VALUES ('below', $${"Plan": {
	"Node Type": "Sort", "Plan Rows": 1000, "Actual Rows": 50000,
	"Actual Loops": 1, "Plans": [
		{"Node Type": "Function Scan", "Function Name": "recent",
		 "Alias": "recent", "Plan Rows": 1000, "Actual Rows": 50000,
		 "Actual Loops": 1}]}}$$);
SELECT code, advice FROM found('below');
SELECT code, node, advice FROM found('below', '"Function Scan", "Function Name": "recent",
		 "Alias": "recent"', '"Aggregate", "Strategy": "Hashed"');
SELECT * FROM found('below', 'Sort', 'Gather');
-- a CTE is told of where it is computed, a recursion not at all
INSERT INTO plan VALUES ('cte', $${"Plan": {
	"Node Type": "CTE Scan", "CTE Name": "c", "Alias": "c", "Plan Rows": 1,
	"Actual Rows": 9000, "Actual Loops": 1,
	"Plans": [{"Node Type": "Seq Scan", "Parent Relationship": "InitPlan",
		"Subplan Name": "CTE c", "Relation Name": "orders", "Alias": "orders",
		"Plan Rows": 1, "Actual Rows": 9000, "Actual Loops": 1}]}}$$);
SELECT code, node_number, node, advice FROM found('cte');
SELECT * FROM found('cte', 'Seq Scan', 'Recursive Union');
-- fractions of rows, which version 18 prints
SELECT * FROM perfopt_diagnose($${"Plan": {
	"Node Type": "Nested Loop", "Disabled": false, "Plan Rows": 1000,
	"Actual Rows": 500.00, "Actual Loops": 1, "Plans": [
		{"Node Type": "Seq Scan", "Parent Relationship": "Outer",
		 "Relation Name": "a", "Alias": "a", "Plan Rows": 1000,
		 "Actual Rows": 1000.00, "Actual Loops": 1},
		{"Node Type": "Index Scan", "Parent Relationship": "Inner",
		 "Relation Name": "b", "Alias": "b", "Index Name": "b_pkey",
		 "Plan Rows": 1, "Actual Rows": 0.50, "Actual Loops": 1000,
		 "Index Searches": 1000, "Index Cond": "(id = a.id)"}]}}$$);

\echo == sort_spilled
INSERT INTO plan VALUES ('sort', $${"Plan": {
	"Node Type": "Sort", "Plan Rows": 200000, "Plan Width": 27,
	"Actual Total Time": 300.0, "Actual Rows": 200000, "Actual Loops": 1,
	"Sort Key": ["o.city", "o.id DESC"], "Sort Method": "external merge",
	"Sort Space Used": 11944, "Sort Space Type": "Disk",
	"Plans": [{"Node Type": "Seq Scan", "Parent Relationship": "Outer",
		"Relation Name": "orders", "Alias": "o", "Plan Rows": 200000,
		"Actual Total Time": 40.0, "Actual Rows": 200000, "Actual Loops": 1}]
	}}$$);
SELECT * FROM found('sort');
SELECT * FROM found('sort', '"Disk"', '"Memory"');
-- too much to ask for
SELECT advice FROM found('sort', '200000', '200000000');
-- by a worker, in an incremental sort
SELECT code, detail, advice FROM perfopt_diagnose($${"Plan": {
	"Node Type": "Incremental Sort", "Plan Rows": 100000, "Actual Rows": 100000,
	"Actual Loops": 1, "Sort Key": ["a", "b"], "Presorted Key": ["a"],
	"Full-sort Groups": {"Group Count": 2, "Sort Methods Used": ["quicksort"],
		"Sort Space Memory": {"Average Sort Space Used": 29, "Peak Sort Space Used": 29}},
	"Pre-sorted Groups": {"Group Count": 2, "Sort Methods Used": ["external merge"],
		"Sort Space Disk": {"Average Sort Space Used": 5000, "Peak Sort Space Used": 6000}}
	}}$$);
SELECT code, detail, advice FROM perfopt_diagnose($${"Plan": {
	"Node Type": "Gather Merge", "Workers Planned": 1, "Workers Launched": 1,
	"Plan Rows": 200000, "Actual Rows": 200000, "Actual Loops": 1, "Plans": [{
		"Node Type": "Sort", "Parent Relationship": "Outer", "Plan Rows": 100000,
		"Actual Rows": 100000, "Actual Loops": 2, "Sort Key": ["a"],
		"Sort Method": "quicksort", "Sort Space Used": 900, "Sort Space Type": "Memory",
		"Workers": [{"Worker Number": 0, "Sort Method": "external merge",
			"Sort Space Used": 8000, "Sort Space Type": "Disk"}]}]}}$$);

\echo == hash_spilled
INSERT INTO plan VALUES ('hash', $${"Plan": {
	"Node Type": "Hash Join", "Join Type": "Inner", "Plan Rows": 1000,
	"Actual Total Time": 200.0, "Actual Rows": 1000, "Actual Loops": 1,
	"Plans": [
		{"Node Type": "Seq Scan", "Parent Relationship": "Outer",
		 "Relation Name": "orders", "Alias": "o", "Plan Rows": 1000,
		 "Actual Total Time": 10.0, "Actual Rows": 1000, "Actual Loops": 1},
		{"Node Type": "Hash", "Parent Relationship": "Inner",
		 "Parallel Aware": false, "Plan Rows": 200000,
		 "Actual Total Time": 100.0, "Actual Rows": 200000, "Actual Loops": 1,
		 "Hash Buckets": 65536, "Original Hash Buckets": 65536,
		 "Hash Batches": 8, "Original Hash Batches": 4,
		 "Peak Memory Usage": 8100}]},
	"Settings": {"hash_mem_multiplier": "4"}}$$);
SELECT * FROM found('hash');
SELECT advice FROM found('hash', '"hash_mem_multiplier": "4"', '');
SELECT * FROM found('hash', '"Hash Batches": 8', '"Hash Batches": 1');
INSERT INTO plan VALUES ('group', $${"Plan": {
	"Node Type": "Aggregate", "Strategy": "Hashed", "Plan Rows": 200000,
	"Plan Width": 21, "Actual Total Time": 200.0, "Actual Rows": 200000,
	"Actual Loops": 1, "Group Key": ["city"], "Planned Partitions": 4,
	"HashAgg Batches": 5, "Peak Memory Usage": 8241, "Disk Usage": 7088}}$$);
SELECT * FROM found('group');
SELECT * FROM found('group', '"HashAgg Batches": 5, "Peak Memory Usage": 8241, "Disk Usage": 7088', '"HashAgg Batches": 1, "Peak Memory Usage": 8241, "Disk Usage": 0');

\echo == nested_loop_many
INSERT INTO plan VALUES ('loop', $${"Plan": {
	"Node Type": "Nested Loop", "Join Type": "Inner", "Plan Rows": 20000,
	"Actual Total Time": 5000.0, "Actual Rows": 19990, "Actual Loops": 1,
	"Inner Unique": false, "Join Filter": "(o.city = c.id)",
	"Rows Removed by Join Filter": 39980010, "Plans": [
		{"Node Type": "Seq Scan", "Parent Relationship": "Outer",
		 "Relation Name": "orders", "Alias": "o", "Plan Rows": 20000,
		 "Actual Total Time": 10.0, "Actual Rows": 20000, "Actual Loops": 1},
		{"Node Type": "Materialize", "Parent Relationship": "Inner",
		 "Plan Rows": 2000, "Actual Total Time": 0.1, "Actual Rows": 2000,
		 "Actual Loops": 20000, "Plans": [
			{"Node Type": "Seq Scan", "Parent Relationship": "Outer",
			 "Relation Name": "city", "Alias": "c", "Plan Rows": 2000,
			 "Actual Total Time": 1.0, "Actual Rows": 2000,
			 "Actual Loops": 1}]}]}}$$);
SELECT * FROM found('loop');
-- all that is looked at is joined; few loops
SELECT * FROM found('loop', '"Plan Rows": 20000,
	"Actual Total Time": 5000.0, "Actual Rows": 19990', '"Plan Rows": 40000000, "Actual Rows": 40000000');
SELECT * FROM found('loop', '20000', '20');
-- a scan with a filter: what it discards is looked at; if it is large, that is
-- what is told
SELECT code, node_number, detail, advice FROM found('loop', '"Join Filter"', '"Other Filter"', '"Materialize"', '"Seq Scan", "Relation Name": "city",
	"Alias": "c", "Filter": "(id = o.city)", "Rows Removed by Filter": 900',
	'"Plan Rows": 2000, "Actual Total Time": 0.1, "Actual Rows": 2000', '"Plan Rows": 1, "Actual Total Time": 0.1, "Actual Rows": 1');
SELECT code, node_number, detail, advice FROM found('loop', '"Join Filter"', '"Other Filter"', '"Materialize"', '"Seq Scan", "Relation Name": "city",
	"Alias": "c", "Filter": "(id = o.city)", "Rows Removed by Filter": 9000',
	'"Plan Rows": 2000, "Actual Total Time": 0.1, "Actual Rows": 2000', '"Plan Rows": 1, "Actual Total Time": 0.1, "Actual Rows": 1');
INSERT INTO plan VALUES ('lookup', $${"Plan": {
	"Node Type": "Nested Loop", "Plan Rows": 100, "Actual Rows": 50000,
	"Actual Loops": 1, "Actual Total Time": 300, "Plans": [
		{"Node Type": "Seq Scan", "Parent Relationship": "Outer",
		 "Relation Name": "a", "Alias": "a", "Plan Rows": 100,
		 "Actual Total Time": 10, "Actual Rows": 50000, "Actual Loops": 1},
		{"Node Type": "Memoize", "Parent Relationship": "Inner",
		 "Plan Rows": 1, "Actual Rows": 1, "Actual Total Time": 0.005,
		 "Actual Loops": 50000, "Plans": [
			{"Node Type": "Index Scan", "Parent Relationship": "Outer",
			 "Relation Name": "b", "Alias": "b", "Index Name": "b_pkey",
			 "Plan Rows": 1, "Actual Rows": 1, "Actual Total Time": 0.004,
			 "Actual Loops": 45000, "Index Cond": "(id = a.id)"}]}]}}$$);
SELECT * FROM found('lookup') WHERE code <> 'estimate_off';
-- expected, or remembered
SELECT * FROM found('lookup', '"Plan Rows": 100', '"Plan Rows": 40000');
SELECT * FROM found('lookup', '45000', '45') WHERE code <> 'estimate_off';

\echo == index_filtered_rows
INSERT INTO plan VALUES ('index', $${"Plan": {
	"Node Type": "Index Scan", "Relation Name": "orders", "Alias": "o",
	"Index Name": "orders_day_idx", "Plan Rows": 100, "Actual Total Time": 30.0,
	"Actual Rows": 100, "Actual Loops": 1, "Index Cond": "(day > '2026-01-01'::date)",
	"Filter": "((city = 'Bonn'::text) AND (note IS NULL))",
	"Rows Removed by Filter": 9900, "Rows Removed by Index Recheck": 0}}$$);
SELECT * FROM found('index');
SELECT * FROM found('index', '9900', '200');
SELECT advice FROM found('index', 'city =', 'city <>');
-- candidates, or ranges of pages
INSERT INTO plan VALUES ('bitmap', $${"Plan": {
	"Node Type": "Bitmap Heap Scan", "Parallel Aware": false,
	"Relation Name": "orders", "Alias": "o", "Plan Rows": 100,
	"Actual Total Time": 30.0, "Actual Rows": 100, "Actual Loops": 1,
	"Recheck Cond": "(day = '2026-01-01'::date)",
	"Rows Removed by Index Recheck": 90000,
	"Exact Heap Blocks": 0, "Lossy Heap Blocks": 0, "Plans": [
		{"Node Type": "Bitmap Index Scan", "Parent Relationship": "Outer",
		 "Index Name": "orders_day_idx", "Plan Rows": 100, "Actual Rows": 12800,
		 "Actual Total Time": 2.0, "Actual Loops": 1,
		 "Index Cond": "(day = '2026-01-01'::date)"}]}}$$);
SELECT code, detail, advice FROM found('bitmap', '"Exact Heap Blocks": 0', '"Exact Heap Blocks": 700');
SELECT code, detail, advice FROM found('bitmap', '"Lossy Heap Blocks": 0', '"Lossy Heap Blocks": 700');

\echo == bitmap_lossy
SELECT * FROM found('bitmap', '"Exact Heap Blocks": 0, "Lossy Heap Blocks": 0', '"Exact Heap Blocks": 9000, "Lossy Heap Blocks": 60000');
SELECT * FROM found('bitmap', '"Rows Removed by Index Recheck": 90000,
	"Exact Heap Blocks": 0, "Lossy Heap Blocks": 0', '"Rows Removed by Index Recheck": 90,
	"Exact Heap Blocks": 9000, "Lossy Heap Blocks": 60000');

\echo == heap_fetches
INSERT INTO plan VALUES ('only', $${"Plan": {
	"Node Type": "Index Only Scan", "Relation Name": "orders", "Alias": "o",
	"Schema": "shop", "Index Name": "orders_pkey", "Plan Rows": 10000,
	"Actual Total Time": 30.0, "Actual Rows": 10000, "Actual Loops": 1,
	"Index Cond": "(id < 10000)", "Heap Fetches": 6000}}$$);
SELECT * FROM found('only');
SELECT * FROM found('only', '6000', '600');

\echo == dead_rows
INSERT INTO plan VALUES ('dead', $${"Plan": {
	"Node Type": "Seq Scan", "Relation Name": "queue", "Alias": "q",
	"Plan Rows": 10000, "Actual Rows": 10000, "Actual Loops": 1,
	"Actual Total Time": 80.0,
	"Dead Tuples": 90000, "Live Tuples": 10000}}$$);
SELECT * FROM found('dead');
SELECT * FROM found('dead', '90000', '1000');
SELECT * FROM found('dead', '"Live Tuples"', '"Tuples"');

\echo == cold_reads
INSERT INTO plan VALUES ('cold', $${"Plan": {
	"Node Type": "Aggregate", "Strategy": "Plain", "Plan Rows": 1,
	"Actual Total Time": 100.0, "Actual Rows": 1, "Actual Loops": 1,
	"Shared Hit Blocks": 100, "Shared Read Blocks": 5000, "I/O Read Time": 80.5,
	"Plans": [{"Node Type": "Seq Scan", "Parent Relationship": "Outer",
		"Relation Name": "orders", "Alias": "o", "Plan Rows": 10000,
		"Actual Total Time": 90.0, "Actual Rows": 10000, "Actual Loops": 1,
		"Shared Hit Blocks": 90, "Shared Read Blocks": 4990,
		"I/O Read Time": 80.4}]}}$$);
SELECT * FROM found('cold');
SELECT detail, wasted_ms FROM found('cold', '"I/O Read Time"', '"Shared I/O Read Time"');
SELECT detail, wasted_ms FROM found('cold', '"I/O Read Time"', '"Other Time"');
-- the system had them in its cache; most were in ours
SELECT * FROM found('cold', '80.5', '3.5');
SELECT * FROM found('cold', '"Shared Hit Blocks": 100', '"Shared Hit Blocks": 10000');

\echo == missing_parallel_workers
SELECT * FROM found('parallel', '"Workers Launched": 2', '"Workers Launched": 1') WHERE node_number = 1;
SELECT * FROM found('parallel', '5000', '10');

\echo == jit_dominates, planning_dominates, lock_wait
INSERT INTO plan VALUES ('run', $${"Plan": {
	"Node Type": "Result", "Total Cost": 120000, "Plan Rows": 1,
	"Actual Total Time": 300.0, "Actual Rows": 1, "Actual Loops": 1},
	"Planning Time": 400.5,
	"JIT": {"Functions": 30, "Options": {"Inlining": true}, "Timing":
		{"Generation": {"Deform": 1, "Total": 3}, "Total": 200.0}},
	"Lock Wait Time": 90, "Lock Wait For": "process 4711 (UPDATE orders ...)",
	"Execution Time": 310.0}$$);
SELECT * FROM found('run');
SELECT code FROM found('run', '"Total": 200.0', '"Total": 60.0');
SELECT code FROM found('run', '400.5', '40.5');
SELECT code FROM found('run', '"Lock Wait Time": 90', '"Lock Wait Time": 9');

\echo == what it takes
-- what auto_explain logs; an object; an array; several plans
SELECT code FROM perfopt_diagnose($${"Query Text": "SELECT 1",
	"Plan": {"Node Type": "Result"}}$$);
SELECT count(*) FROM perfopt_diagnose((SELECT json_build_array(
	text::json -> 0, text::json -> 0) FROM plan WHERE name = 'seq'));
SELECT * FROM perfopt_diagnose(NULL);
-- what is no plan
SELECT * FROM perfopt_diagnose('7');
SELECT * FROM perfopt_diagnose('[]');
SELECT * FROM perfopt_diagnose('["Seq Scan"]');
SELECT * FROM perfopt_diagnose('{"plan": {}}');
SELECT * FROM perfopt_diagnose('{"Plan": "Seq Scan"}');
SELECT * FROM perfopt_diagnose('{"Plan": {"Plans": []}}');
SELECT * FROM perfopt_diagnose('{"Plan": {"Node Type": "Sort", "Plans": [{}]}}');
SELECT * FROM perfopt_diagnose('[{"Plan": {"Node Type": "Result"}}, 7]');
-- values that make no sense are not believed
SELECT * FROM found('seq', ': 99990', ': "many"');
SELECT * FROM found('seq', ': 99990', ': -99990');
SELECT detail, wasted_ms FROM found('seq', ': 99990', ': 1e300');
-- a plan of too many nodes is read in part, as many as there may be findings
SELECT count(*) FROM perfopt_diagnose((
	SELECT json_build_object('Plan', json_build_object('Node Type', 'Append',
		'Plans', json_agg(json_build_object('Node Type', 'Sort',
			'Actual Rows', g, 'Actual Loops', 1, 'Sort Space Type', 'Disk',
			'Sort Space Used', 5000, 'Sort Key', json_build_array('a')))))
	FROM generate_series(1, 20000) AS g));
-- and so is a deep one
DO $$
BEGIN
	PERFORM perfopt_diagnose((repeat('{"Node Type": "Limit", "Plans": [', 100000))::json);
EXCEPTION WHEN statement_too_complex THEN
	RAISE NOTICE 'too deep';
END$$;

\echo == plans as EXPLAIN prints them
CREATE FUNCTION explained(sql text, options text DEFAULT '')
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE format('EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF%s, FORMAT JSON) %s',
		options, sql) INTO plan;
	RETURN QUERY SELECT d.code || ': ' || d.advice FROM perfopt_diagnose(plan) AS d;
END$$;
SET perfopt.cache = off;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE DOMAIN amount AS integer;
CREATE TABLE sale (id int, email varchar(20), code char(8), day timestamptz,
	cents amount);
INSERT INTO sale SELECT g, 'u' || g, 'c' || g,
	'2026-01-01 00:00:00+00'::timestamptz + g * interval '1 minute', g
	FROM generate_series(1, 20000) AS g;
CREATE INDEX sale_id ON sale (id);
CREATE INDEX sale_day ON sale (day);
CREATE INDEX sale_upper ON sale (upper(email::text));
VACUUM ANALYZE sale;
\pset tuples_only on
SELECT explained('SELECT * FROM sale WHERE email = ''u77''');
SELECT explained('SELECT * FROM sale WHERE email = ''u77''', ', VERBOSE');
SELECT explained('SELECT * FROM sale WHERE lower(email) = ''u77''');
SELECT explained('SELECT * FROM sale WHERE id::text = ''77''');
SELECT explained('SELECT * FROM sale WHERE code::text = ''c77''');
SELECT explained('SELECT * FROM sale WHERE day::date = ''2026-01-02''');
-- an index on the expression, or on the column, that the planner may not use
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SELECT explained('SELECT * FROM sale WHERE upper(email) = ''U77''');
SELECT explained('SELECT * FROM sale WHERE id = 77');
RESET enable_indexscan;
RESET enable_bitmapscan;
-- a domain is as its base type
SELECT explained('SELECT * FROM sale WHERE cents::integer = 77');
-- indexes that serve
SELECT explained('SELECT * FROM sale WHERE upper(email) = ''U77''');
SELECT explained('SELECT * FROM sale WHERE id = 77');
SELECT explained('SELECT count(*) FROM sale WHERE id < 10000');
SELECT explained('SELECT count(*) FROM sale a JOIN sale b USING (id)');
SELECT explained('SELECT email, count(*) FROM sale GROUP BY 1 ORDER BY 1 LIMIT 5');
-- what did not fit
SET work_mem = '64kB';
SELECT regexp_replace(explained('SELECT * FROM sale ORDER BY code'), '=.*', '');
RESET work_mem;
\pset tuples_only off

-- who holds the table's lock is not waited for: nothing is known of it then
INSERT INTO plan VALUES ('cast', $${"Plan": {"Node Type": "Seq Scan",
	"Relation Name": "sale", "Schema": "diagnose", "Alias": "sale",
	"Total Cost": 2000.5, "Plan Rows": 500, "Filter": "((id)::numeric = 7.5)"}}$$);
SELECT detail, advice FROM found('cast');
BEGIN;
LOCK TABLE sale;
PREPARE TRANSACTION 'perfopt_diagnose';
SELECT detail, advice FROM found('cast');
ROLLBACK PREPARED 'perfopt_diagnose';
-- a table of this name that has no such column, or is none; no such schema
SELECT detail FROM found('cast', '(id)', '(number)');
SELECT detail FROM found('cast', 'Name": "sale"', 'Name": "sale_id"');
SELECT detail FROM found('cast', '"diagnose"', '"elsewhere"');

-- by anybody, of what he may not read as well
CREATE ROLE perfopt_diagnose;
SELECT text AS plan FROM plan WHERE name = 'cast' \gset
SET ROLE perfopt_diagnose;
SELECT code, advice FROM public.perfopt_diagnose(:'plan');
RESET ROLE;
DROP ROLE perfopt_diagnose;

SET client_min_messages = warning;
DROP SCHEMA diagnose CASCADE;
