#
# Reasons that take a server of its own, or a client that psql is not: too
# little memory, verified answers that differ, rows fetched in portions, plans
# that were put off and then met another world, replication connections.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('reasons', streaming => 1,
	conf => "perfopt.cache_size = 512kB\n");
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION perfopt;
	CREATE TABLE t (id int, v int);
	INSERT INTO t SELECT g, 1 FROM generate_series(1, 10) g;
});

my $reasons =
  q{SELECT coalesce(string_agg(reason || ' ' || count, ', ' ORDER BY reason COLLATE "C"), 'no reason') FROM perfopt_cache_reasons};

# Runs the statements in one session: their output, and what was counted.
sub counted
{
	my ($sql, $before) = @_;
	my $out = $node->safe_psql('postgres',
		"SET perfopt.cache = off; SELECT perfopt_reset(); SET perfopt.cache = force; "
		  . ($before ? "$before; " : '')
		  . "$sql; SET perfopt.cache = off; $reasons");
	$out =~ s/^\n//;
	$out =~ s/\n/ /g;
	return $out;
}

sub executed
{
	my ($sql) = @_;
	my $out = $node->safe_psql('postgres', "SET perfopt.cache = off; $sql");
	$out =~ s/\n/ /g;
	return $out;
}

#
# With so little memory there are eight sets of eight places for statements, so
# two of nine meet in one.  Both have room, also before their calls are counted.
#
my @nine = map { 'SELECT ' . join(', ', ('v') x $_) . ' FROM t WHERE id = 1' } 1 .. 9;
$node->safe_psql('postgres', 'SET perfopt.cache = force; BEGIN; ' . join('; ', @nine) . '; COMMIT');
is($node->safe_psql('postgres', q{SELECT count(*) FROM perfopt_cache_savings WHERE query LIKE '%v%'}),
	'9', 'each of nine statements has its text');

#
# An answer of more than a quarter of the memory is given and not kept, and
# what was kept stays.
#
my $sum = 'SELECT sum(v) FROM t';
my $rows = q{SELECT repeat('x', 1000) || g AS x FROM t, generate_series(1, 30) g ORDER BY 1};
is(counted($sum), '10 no reason', 'a small answer is kept');
is(counted("$rows; $rows"), executed("$rows; $rows") . ' no_memory 2',
	'too large for this cache');
is(counted("$rows LIMIT 299", 'SET perfopt.debug_reserve = on'),
	executed("$rows LIMIT 299") . ' no_memory 1',
	'also if it is captured first');
is(served($node, $sum), '10 served 1', 'the small answer is still there');
is( $node->safe_psql(
		'postgres', q{
	SELECT bytes_used < 100000, bytes_total < 512 * 1024, bytes_pinned
	FROM perfopt_cache_usage()}),
	't|t|0',
	'the memory is bounded');

# the same again with one that fits, which pushes out others in time
for my $n (1 .. 12)
{
	my $some = "SELECT repeat('y', 1000), g, $n FROM t, generate_series(1, 5) g";
	is(counted("$some; $some"), executed("$some; $some") . ' no reason',
		"answer $n of some that fit");
}
is( $node->safe_psql(
		'postgres', q{
	SELECT bytes_used <= bytes_total AND bytes_total < 512 * 1024,
		bytes_pinned, entries < 12
	FROM perfopt_cache_usage()}),
	't|0|t',
	'the memory is bounded when answers push out answers');

#
# A hundred statements that differ (why, is told below) do not all find one of
# the 64 places; those that do not are not served either.  With 2 MB there are
# no more places, but room for all of the answers.
#
$node->adjust_conf('postgresql.conf', 'perfopt.cache_size', '2MB');
$node->restart;
$node->safe_psql(
	'postgres', q{
	CREATE TABLE twin (id int, a int) WITH (autovacuum_enabled = off);
	INSERT INTO twin SELECT g, 1 FROM generate_series(10000, 1, -1) g;
	CREATE INDEX ON twin (a, id);
	SELECT perfopt_invalidate_all();
});
# tuples only, so that there is room for the answers of all
my $by_index = 'SET enable_bitmapscan = off; SET perfopt.cache_wire = off';
my $hundred = join('; ',
	map { 'SELECT id' . ' + 0' x $_ . ' FROM twin WHERE a = 1 LIMIT 1' } 1 .. 100);
is( counted("$hundred; $hundred", $by_index),
	join(' ', ('1') x 200, 'no reason'),
	'a hundred statements');
$node->safe_psql('postgres', 'ANALYZE twin');
is( counted($hundred, "$by_index; SET perfopt.cache_verify = 1"),
	join(' ', ('10000') x 100, 'differed 100'),
	'each of them differs');
is( counted("$hundred; $hundred", $by_index),
	join(' ', ('10000') x 200, 'differed 200'),
	'none is served again');
is( $node->safe_psql(
		'postgres',
		q{SELECT count(*) <= 64 FROM perfopt_cache_savings() WHERE disabled}),
	't',
	'though there are not as many places');

$node->adjust_conf('postgresql.conf', 'perfopt.cache_size', '64MB');
$node->restart;

#
# LIMIT without ORDER BY gives the first row that the plan finds.  Statistics
# change the plan and outdate no answer, so the answer kept and an execution
# differ; both are right, but who verifies cannot know.
#
$node->safe_psql(
	'postgres', q{
	CREATE TABLE pick (id int, a int) WITH (autovacuum_enabled = off);
	INSERT INTO pick SELECT g, 1 FROM generate_series(10000, 1, -1) g;
	CREATE INDEX ON pick (a, id);
});
my $pick = 'SELECT id FROM pick WHERE a = 1 LIMIT 1';
my $set = 'SET enable_bitmapscan = off';
is(counted("$pick; $pick", $set), '1 1 no reason', 'by the index');
$node->safe_psql('postgres', 'ANALYZE pick');
is(counted($pick, $set), '1 no reason', 'still served');
is(executed("$set; $pick"), '10000', 'though an execution would differ');
my $log = -s $node->logfile;
is( counted($pick, "$set; $pick; SET perfopt.cache_verify = 1"),
	'1 10000 differed 1',
	'verified: the row is that of the execution');
is( $node->safe_psql(
		'postgres', 'SELECT verified, differences FROM perfopt_cache_stats
		WHERE datname = current_database()'),
	'1|1',
	'the difference is counted');
my @lines = grep { /a cached answer differed from its execution/ }
  split /\n/, slurp_file($node->logfile, $log);
is(scalar @lines, 1, 'the log has one line');
my ($executed, $cached) =
  slurp_file($node->logfile, $log) =~
  /DETAIL:  Query id -?\d+, executed 1 rows (\d+), cached 1 rows (\d+)\./;
ok( defined $executed && defined $cached && $executed ne $cached,
	'with two digests');
is(counted("$pick; $pick", $set), '10000 10000 differed 2', 'no longer served');
is( counted('SELECT id FROM pick WHERE a = 2 LIMIT 1', $set),
	'differed 1',
	'nor with other constants');
is( $node->safe_psql(
		'postgres',
		q{SELECT count(*), sum(calls) FROM perfopt_cache_savings() WHERE disabled}),
	'1|0',
	'the statement is shown as disabled, its counters were reset');
$node->safe_psql('postgres', 'SELECT perfopt_invalidate_all()');
is(counted("$pick; $pick", $set), '10000 10000 differed 2',
	'whatever is reset');
is( counted("$sum; $sum", 'SET perfopt.cache_verify = 1'),
	'10 10 no reason',
	'others are served');

#
# Rows fetched in portions, by the protocol.
#
sub session
{
	my ($sql) = @_;
	my $client = raw_client($node);
	ask($client, "SET perfopt.cache = force; $sql");
	ready($client);
	return $client;
}

# The first column of what the client gets, or the SQLSTATE.
sub rows_of
{
	my ($client) = @_;
	my @values = ();
	my (undef, $state) = ready($client, \@values);
	return join(' ', @values, $state eq '' ? () : $state);
}

sub counted_by
{
	my ($client) = @_;
	answer($client, 'SET perfopt.cache = off');
	return answer($client, $reasons);
}

my $ids = 'SELECT id FROM t ORDER BY id';
$node->safe_psql('postgres', 'SET perfopt.cache = off; SELECT perfopt_reset()');
my $client = session('BEGIN');
extended($client, $ids, 3);
is(rows_of($client), '1 2 3', 'three rows');
extended($client, undef, 3);
is(rows_of($client), '4 5 6', 'three more');
extended($client, undef, 0);
is(rows_of($client), '7 8 9 10', 'the rest');
is(counted_by($client), 'no reason', 'in portions');
$client->close;
is(served($node, "$ids; $ids"),
	'1 2 3 4 5 6 7 8 9 10 1 2 3 4 5 6 7 8 9 10 served 2',
	'what came in portions was kept');

# FETCH of the protocol's portal, in portions and not
$node->safe_psql('postgres',
	'UPDATE t SET v = v; SET perfopt.cache = off; SELECT perfopt_reset()');
$client = session('BEGIN');
extended($client, $ids);
ready($client);
ask($client, 'FETCH 3 FROM p');
is(rows_of($client), '1 2 3', 'FETCH of the first three');
ask($client, 'FETCH BACKWARD 1 FROM p');
is(rows_of($client), '55000', 'a portal goes forward only');
$client->close;
$client = session('BEGIN');
extended($client, $ids);
ready($client);
ask($client, 'FETCH ALL FROM p');
is(rows_of($client), '1 2 3 4 5 6 7 8 9 10', 'FETCH ALL');
is(counted_by($client), 'no reason', 'nor does FETCH need one');
$client->close;

#
# A portal with a name is planned when it is bound, also while an entry is
# there that could save that.  Then the entry goes, and what the statement reads
# changes, as far as the portal's locks let it: the portal gives what it would
# have given, which for a partition attached meanwhile is not what a statement
# planned now gives in the same snapshot.
#
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION file_fdw;
	CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
	CREATE TABLE part (k int, v int) PARTITION BY LIST (k);
	CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
	CREATE TABLE part_2 (k int, v int);
	INSERT INTO part VALUES (1, 1);
	INSERT INTO part_2 VALUES (2, 10);
});
my $file = $node->basedir . '/three.csv';
append_to_file($file, "3,100\n");
$node->safe_psql(
	'postgres', qq{
	CREATE FOREIGN TABLE part_3 (k int, v int) SERVER files
		OPTIONS (filename '$file', format 'csv')});

my $parts = 'SELECT sum(v) FROM part';

# What the portal gives and what was counted for it; what PostgreSQL gives in
# the same snapshot; then what is served, and what is executed.
sub put_off
{
	my ($event, $isolation) = @_;
	$node->safe_psql('postgres', "SET perfopt.cache = force; $parts; $parts");
	$node->safe_psql('postgres', 'SET perfopt.cache = off; SELECT perfopt_reset()');
	my $portal = session("BEGIN ISOLATION LEVEL $isolation");
	extended($portal, $parts);
	ready($portal);
	$node->safe_psql('postgres', "SET perfopt.cache = off; SELECT perfopt_invalidate_all(); $event");
	extended($portal, undef, 0);
	my $out = rows_of($portal);
	my $why = counted_by($portal);
	my $same = answer($portal, $parts);
	$portal->close;
	return "$out ($why), executed $same, then "
	  . served($node, "$parts; $parts") . ', executed ' . executed($parts);
}

for my $isolation ('READ COMMITTED', 'REPEATABLE READ')
{
	is( put_off('SELECT 1', $isolation),
		'1 (no reason), executed 1, then 1 1 served 2, executed 1',
		"$isolation: nothing happened");
	is( put_off('UPDATE part SET v = v', $isolation),
		'1 (unsettled 1), executed 1, then 1 1 served 1, executed 1',
		"$isolation: rows were changed");
	is( put_off('UPDATE part SET v = 5', $isolation),
		($isolation =~ /REPEATABLE/ ? '1 (unsettled 1), executed 1' :
			'1 (unsettled 1), executed 5') . ', then 5 5 served 1, executed 5',
		"$isolation: and are others");
	$node->safe_psql('postgres', 'UPDATE part SET v = 1');
	is( put_off('CREATE INDEX part_1_v ON part_1 (v)', $isolation),
		'1 (catalog_changed 1), executed 1, then 1 1 served 1, executed 1',
		"$isolation: an index was made");
	is( put_off("CREATE COLLATION c (locale = 'C')", $isolation),
		'1 (catalog_changed 1), executed 1, then 1 1 served 1, executed 1',
		"$isolation: a collation was made");
	is( put_off('ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES IN (2)',
			$isolation),
		'1 (unsettled 1), executed 11, then 11 11 served 1, executed 11',
		"$isolation: a partition was attached");
	is( put_off('ALTER TABLE part ATTACH PARTITION part_3 FOR VALUES IN (3)',
			$isolation),
		'11 (unsettled 1), executed 111, then 111 111 served 0, executed 111',
		"$isolation: a foreign table was attached");
	is(counted($parts), '111 foreign_table 1', 'which is not cached');
	$node->safe_psql(
		'postgres', q{
		ALTER TABLE part DETACH PARTITION part_2;
		ALTER TABLE part DETACH PARTITION part_3;
		DROP INDEX part_1_v; DROP COLLATION c;});
}

# What is planned at last runs in parallel, if the plan it stands for did.
my ($stdout, $stderr);
$node->psql(
	'postgres', q{
	LOAD 'auto_explain';
	SET auto_explain.log_analyze = on;
	SET auto_explain.log_level = notice;
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
	SET perfopt.cache = force;
	SELECT count(*) FROM pick;
	PREPARE late AS SELECT count(*) FROM pick;
	EXECUTE late;
	SET auto_explain.log_min_duration = 0;
	EXECUTE late;
	INSERT INTO pick VALUES (0, 0);
	EXECUTE late;
}, stdout => \$stdout, stderr => \$stderr);
is($stdout, "10000\n10000\n10000\n10001", 'an answer, and what it is then');
like($stderr, qr/Result Cache: hit.*Result Cache: miss.*Workers Launched: [1-9]/s,
	'executed in parallel although it was not planned before');

#
# A replication connection executes, also what is in the cache.
#
is(served($node, "$sum; $sum"), '10 10 served 1', 'in the cache');
is( $node->safe_psql(
		'postgres',
		"SET perfopt.cache = off; SELECT perfopt_reset(); SET perfopt.cache = force; $sum; SET perfopt.cache = off; $reasons",
		replication => 'database'),
	"\n10\nsnapshot 1",
	'but not for a replication connection');

#
# JSON_TABLE is known to no version of perfopt yet, and to PostgreSQL from 17.
#
SKIP:
{
	my $json =
	  q{SELECT sum(x) FROM t, JSON_TABLE('[1, 2]', '$[*]' COLUMNS (x int PATH '$'))};
	skip 'no JSON_TABLE', 1
	  if $node->safe_psql('postgres', 'SHOW server_version_num') < 170000;
	is(counted("$json; $json"), executed("$json; $json") . ' unknown_node 2',
		'a construct that is not known');
}

$node->stop;
check_log($node, qr/cached answer differed/);
done_testing();
