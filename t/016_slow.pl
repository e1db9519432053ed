#
# Slow executions: what fails in the middle, in parallel, in pieces, under the
# cache; how many are kept; whom the threshold is for; the log; other libraries
# before and after; a restart.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

# The worst are 5 of these places, the last 15.
my $node = new_node('slow', conf => <<'CONF');
autovacuum = off
fsync = off
jit = off
perfopt.slow_queries = 20
perfopt.slow_query_time = -1
CONF
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION perfopt;
	CREATE TABLE t (id int, s text);
	INSERT INTO t SELECT g, 'text ' || g FROM generate_series(1, 5000) g;
	ANALYZE t;
	CREATE FUNCTION wait_for(n int) RETURNS int LANGUAGE plpgsql COST 1 AS $$
	BEGIN
		IF n = 100 THEN PERFORM pg_sleep(3600); END IF;
		RETURN n;
	END $$});

# Rows of the view, of which a superuser asks without being captured.
sub slow
{
	my ($columns, $where, $db) = @_;
	return $node->safe_psql($db || 'postgres',
		"SELECT $columns FROM (SELECT * FROM perfopt_slow_queries ORDER BY id) AS s WHERE $where");
}

# A node of a plan, by its type: rows and loops.
sub node_counts
{
	my ($type, $where) = @_;
	return $node->safe_psql(
		'postgres', qq{
		WITH RECURSIVE node AS (
			SELECT plan -> 'Plan' AS node FROM perfopt_slow_queries WHERE $where
			UNION ALL
			SELECT child FROM node, json_array_elements(node -> 'Plans') AS child)
		SELECT round((node ->> 'Actual Rows')::numeric) || ' ' || (node ->> 'Actual Loops')
		FROM node WHERE node ->> 'Node Type' = '$type'});
}

sub reset_all
{
	$node->safe_psql('postgres', 'SELECT perfopt_reset()');
	return;
}

# Run SQL that may fail, with a threshold of 0; gives what it wrote to stderr.
sub try
{
	my ($sql, $settings) = @_;
	my $err = '';
	$node->psql(
		'postgres',
		"SET perfopt.slow_query_time = 0; "
		  . join(' ', map { "SET $_;" } @{ $settings || [] }) . " $sql",
		stderr => \$err,
		on_error_stop => 0);
	return $err;
}

#
# Out of time, and cancelled
#
my $waiting = 'SELECT count(wait_for(id)) FROM t WHERE id > 10';
like(
	try($waiting, ["statement_timeout = '300ms'"]),
	qr/statement timeout/, 'a statement runs out of time');
is(slow('failed, sqlstate, toplevel, rows', "query LIKE 'SELECT count(wait%'"),
	't|57014|t|0', 'it is kept');
is(node_counts('Seq Scan', "query LIKE 'SELECT count(wait%'"),
	'90 1', 'with the rows until then');
is(node_counts('Aggregate', "query LIKE 'SELECT count(wait%'"),
	'0 1', 'and what waited for them');
is( slow(
		q{plan_note, plan_text LIKE 'Aggregate%->  Seq Scan on t % (actual rows=90 loops=1)%', duration_ms > 250},
		"query LIKE 'SELECT count(wait%'"),
	'rows as of the failure, without those of parallel workers|t|t',
	'and its time');
# the nested statement that slept is there as well
is(slow('failed, sqlstate', "query LIKE '%pg_sleep%' AND NOT toplevel"),
	't|57014', 'and the statement in the function');
reset_all();

my $reader = raw_client($node);
my $pid = answer($reader, 'SELECT pg_backend_pid()');
answer($reader, 'SET perfopt.slow_query_time = 0');
ask($reader, $waiting);
$node->poll_query_until('postgres',
	"SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $pid");
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
my (undef, $state) = ready($reader);
is($state, '57014', 'a statement is cancelled');
is(slow('failed, sqlstate, pid', "query LIKE 'SELECT count(wait%'"),
	"t|57014|$pid", 'it is kept, too');
is(answer($reader, 'SELECT 7'), '7', 'the session goes on');
reset_all();

# in the middle, with text that a lexer would stumble over
like(try(q{SELECT sum(1 / (id - 3000)), max('a\\') FROM t}),
	qr/division by zero/, 'an error in the middle');
is(slow('failed, sqlstate, query', 'plan IS NOT NULL'),
	q{t|22012|SELECT sum($1 / (id - $2)), max}, 'is kept, its text as far as it is sure');
is(node_counts('Seq Scan', 'failed'), '3000 1', 'with the rows until then');
reset_all();

#
# By a threshold above 0, the first is not instrumented, the second is
#
for my $n (1, 2)
{
	try("/* $n */ SELECT pg_sleep(0.4)", ["perfopt.slow_query_time = '150ms'"]);
}
is( slow(q{coalesce(plan -> 'Plan' ->> 'Actual Rows', 'none'), plan_note}, "query LIKE '%pg_sleep%'"),
	"none|not instrumented\n1|", 'what was slow is instrumented the next time');
try('SELECT 1', ["perfopt.slow_query_time = '150ms'"]);
is(slow('count(*)', "query LIKE 'SELECT%'"), '2', 'what is fast is not kept');
# a statement that never was there, whose plan costs much
try('SELECT count(*) FROM t a JOIN t b ON a.id * b.id = -1, generate_series(1, 10)',
	["perfopt.slow_query_time = '150ms'", "statement_timeout = '300ms'"]);
is(slow(q{failed, plan -> 'Plan' ->> 'Node Type'}, "query LIKE '%JOIN%'"),
	't|Aggregate', 'one that looks slow is instrumented at once')
  or diag(slow('query, plan_note, duration_ms', 'true'));
reset_all();

#
# Parallel
#
my @parallel = (
	'parallel_setup_cost = 0', 'parallel_tuple_cost = 0',
	'min_parallel_table_scan_size = 0', 'max_parallel_workers_per_gather = 2');
try('SELECT count(*) FROM t WHERE id > 0', \@parallel);
is( $node->safe_psql(
		'postgres', q{
		WITH RECURSIVE node AS (
			SELECT plan -> 'Plan' AS node FROM perfopt_slow_queries WHERE plan::text LIKE '%Gather%'
			UNION ALL
			SELECT child FROM node, json_array_elements(node -> 'Plans') AS child)
		SELECT round((node ->> 'Actual Rows')::numeric * (node ->> 'Actual Loops')::numeric) BETWEEN 4998 AND 5002
		FROM node WHERE node ->> 'Node Type' = 'Seq Scan'}),
	't', 'a parallel plan has the rows of its workers');
like(try('SELECT count(1 / (id - 1)) FROM t WHERE id > 0', \@parallel),
	qr/division by zero/, 'an error, perhaps of a worker');
is(slow(q{failed, sqlstate, plan::text LIKE '%Gather%'}, 'failed'),
	't|22012|t', 'it is kept with its plan');
reset_all();

#
# In pieces
#
try(q{BEGIN; DECLARE c CURSOR FOR SELECT id FROM t; FETCH 10 FROM c; FETCH 20 FROM c; CLOSE c; COMMIT});
is(slow('rows, failed', "plan IS NOT NULL"), '30|f', 'a cursor is one execution');
is(node_counts('Seq Scan', 'plan IS NOT NULL'), '30 1', 'with its rows');
reset_all();
extended($reader, 'SELECT id FROM t', 25);
ready($reader);
is(slow('rows, toplevel', 'plan IS NOT NULL'),
	'25|t', 'a portal of the protocol, ended by Sync');
reset_all();
answer($reader, 'SET perfopt.slow_query_time = -1');
$reader->close;

#
# The cache
#
my @force = ('perfopt.cache = force');
try('SELECT count(*) FROM t WHERE id > 7; SELECT count(*) FROM t WHERE id > 7', \@force);
is( slow(q{cache, plan -> 'Plan' ->> 'Node Type', plan_note}, "query LIKE 'SELECT%'"),
	"stored|Aggregate|\nhit|Custom Scan|served from the cache, nothing was executed",
	'what the cache executed, and what it did not');
is(node_counts('Seq Scan', "cache = 'stored'"), '4993 1', 'with rows');
reset_all();
try($waiting =~ s/wait_for\(id\)/1 \/ (id - 2000)/r, \@force);
is(slow(q{failed, plan -> 'Plan' ->> 'Node Type'}, 'failed'),
	't|Aggregate', 'what failed while the cache was to be filled');
is(node_counts('Seq Scan', 'failed'), '1990 1', 'with rows');
reset_all();

#
# The ring goes round; the worst stay
#
try('/* worst */ SELECT pg_sleep(0.5) AS worst; '
	  . join('; ', map { "SELECT $_ AS n$_" } 1 .. 40));
is(slow('count(*) BETWEEN 15 AND 20', 'true'), 't', 'so many are kept');
is( slow('count(*)', q{query ~ ' AS n(2[6-9]|3[0-9]|40)$'}),
	'15', 'the last ones');
is(slow('count(*)', q{query LIKE '%AS worst'}), '1', 'and the worst');
is(slow('count(*) - count(DISTINCT id)', 'true'), '0', 'each of them once');
reset_all();

# texts and plans that do not fit
try('SELECT ' . join(', ', map { "id + $_ AS " . ('c' x 50) . $_ } 1 .. 300) . ' FROM t WHERE id = 1');
is( slow(q{octet_length(query) <= 4100, right(query, 3), plan IS NOT NULL OR plan_note IS NOT NULL},
		"query LIKE 'SELECT id%'"),
	't|...|t', 'a long text');
reset_all();

#
# By role and by database
#
$node->safe_psql(
	'postgres', q{
	CREATE ROLE watched LOGIN;
	CREATE ROLE other LOGIN;
	CREATE DATABASE shop;
	ALTER ROLE watched SET perfopt.slow_query_time = 0;
	ALTER DATABASE shop SET perfopt.slow_query_time = 0});
$node->safe_psql('postgres', 'SELECT 1', extra_params => [ '-U', 'watched' ]);
$node->safe_psql('postgres', 'SELECT 2', extra_params => [ '-U', 'other' ]);
$node->safe_psql('shop', 'SELECT 3', extra_params => [ '-U', 'other' ]);
is(slow('datname, rolname, query', 'true'),
	"postgres|watched|SELECT \$1\nshop|other|SELECT \$1",
	'the threshold of a role and of a database');
is( $node->psql('postgres', 'SET perfopt.slow_query_time = -1', extra_params => [ '-U', 'watched' ]),
	3, 'who is watched cannot change that');
reset_all();

#
# The log
#
my $from = -s $node->logfile;
try(q{SELECT 'secret' AS one}, ['perfopt.log_slow_queries = on']);
try(q{SELECT 1 / (id - 5), 'secret' FROM t}, ['perfopt.log_slow_queries = on', 'log_min_error_statement = panic']);
my $log = slurp_file($node->logfile, $from);
like($log, qr/LOG:  perfopt: slow query \d+: [\d.]+ ms, query id -?\d+: SELECT \$1 AS one\n/,
	'a line in the log');
like($log, qr/LOG:  perfopt: slow query \d+, failed with 22012: [\d.]+ ms, query id -?\d+\n/,
	'of what failed without text');
unlike($log, qr/secret/, 'no constants in it');
$from = -s $node->logfile;
try(join('; ', map { 'SELECT 1' } 1 .. 500), ['perfopt.log_slow_queries = on']);
$node->safe_psql('postgres', 'SELECT pg_sleep(1.1)');
try('SELECT 1', ['perfopt.log_slow_queries = on']);
$log = slurp_file($node->logfile, $from);
my $lines = () = $log =~ /perfopt: slow query/g;
cmp_ok($lines, '<', 450, 'not all lines of a second');
like($log, qr/DETAIL:  \d+ others were not logged\./, 'but how many were left out');
reset_all();

#
# Beside other libraries, before and after
#
for my $libraries ('perfopt, auto_explain, pg_stat_statements',
	'auto_explain, pg_stat_statements, perfopt')
{
	$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = '$libraries'
auto_explain.log_min_duration = 0
auto_explain.log_analyze = on
auto_explain.log_timing = off
pg_stat_statements.track = all
CONF
	# ids begin anew, and so does what is kept
	$node->safe_psql('shop', 'SELECT 4');
	$node->restart;
	is(slow('count(*)', 'true'), '0', "$libraries: a restart forgets");
	$node->safe_psql('postgres', 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset()');
	$from = -s $node->logfile;
	try('SELECT count(*) FROM t WHERE id > 9');
	try('SELECT sum(1 / (id - 50)) FROM t');
	$log = slurp_file($node->logfile, $from);
	like($log, qr/Seq Scan on t  \(cost=[^)]*\) \(actual rows=4991(\.00)? loops=1\)/,
		"$libraries: auto_explain");
	is(node_counts('Seq Scan', "NOT failed AND query LIKE '%> %'"), '4991 1', "$libraries: perfopt");
	is(node_counts('Seq Scan', 'failed'), '50 1', "$libraries: what failed");
	is( $node->safe_psql('postgres', q{
			SELECT calls, rows FROM pg_stat_statements WHERE query LIKE 'SELECT count(*) FROM t%'}),
		'1|1', "$libraries: pg_stat_statements");
}

# nothing is kept if there is no place
$node->append_conf('postgresql.conf', 'perfopt.slow_queries = 0');
$node->restart;
try('SELECT count(*) FROM t');
is(slow('count(*)', 'true'), '0', 'no places');

check_log($node);
$node->stop;
done_testing();
