#
# Statistics per statement: exact sums over many sessions, agreement with
# pg_stat_statements wherever it is loaded, percentiles against a sort, a table
# that is full, a storm of statements, restart, crash, and sessions that die.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use File::Temp;
use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = File::Temp::tempdir(CLEANUP => 1);

sub script
{
	my ($name, $text) = @_;
	open my $file, '>', "$dir/$name" or die $!;
	print $file $text;
	close $file;
	return "$dir/$name";
}

sub pgbench
{
	my ($node, @options) = @_;
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	my $out = run_command([ 'pgbench', '-n', @options, 'postgres' ]);
	die $out if $?;
	return;
}

# One line of one statement.
sub counted
{
	my ($node, $columns, $like) = @_;
	return $node->safe_psql('postgres', "SELECT $columns FROM perfopt_statements WHERE query LIKE '$like' AND query NOT LIKE '%perfopt%'");
}

#
# 64 sessions: sums are exact once they have ended
#
for my $libraries (q{'perfopt'}, q{'perfopt, pg_stat_statements'}, q{'pg_stat_statements, perfopt'})
{
	my $node = new_node('sums' . length $libraries . ($libraries =~ /^'pg/ ? 'after' : ''),
		conf => "max_connections = 80\nautovacuum = off\nfsync = off\n");
	my $peer = $libraries =~ /pg_stat/;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = $libraries\n"
		  . ($peer ? "pg_stat_statements.track = all\n" : ''));
	$node->start;
	$node->safe_psql('postgres', q{
		CREATE EXTENSION perfopt;
		CREATE TABLE t (id int PRIMARY KEY, v int);
		INSERT INTO t SELECT g, 0 FROM generate_series(1, 1000) g;
		CREATE FUNCTION f(int) RETURNS int LANGUAGE plpgsql AS
			'BEGIN RETURN (SELECT count(*) FROM t WHERE id <= $1); END';
		VACUUM ANALYZE t});
	$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements; SELECT pg_stat_statements_reset()') if $peer;
	$node->safe_psql('postgres', 'SELECT perfopt_reset()');
	my $load = script('load', q{
		\set id random(1, 1000)
		SELECT v FROM t WHERE id = :id;
		UPDATE t SET v = v + 1 WHERE id = :id;
		SELECT id, v FROM t WHERE id <= 7;
		SELECT f(5);
		BEGIN;
		SELECT 1 / (id - 500) FROM t WHERE id <= 3;
		END;
	});
	for my $mode (qw(simple prepared))
	{
		pgbench($node, '-M', $mode, '-c', 64, '-j', 4, '-t', 20, '-f', $load);
	}
	my $n = 2 * 64 * 20;
	my %expected = (
		'SELECT v FROM t WHERE id = $1' => "$n|0|$n",
		'SELECT id, v FROM t WHERE id <= $1' => "$n|0|" . 7 * $n,
		'SELECT f($1)' => "$n|0|$n",
		'BEGIN' => "$n|0|0");
	for my $query (sort keys %expected)
	{
		is($node->safe_psql('postgres', "SELECT sum(calls), sum(errors), sum(rows) FROM perfopt_statements WHERE toplevel AND query = '$query'"),
			$expected{$query}, "$libraries: all of 64 sessions: $query");
	}
	is($node->safe_psql('postgres', q{SELECT sum(calls) FROM perfopt_statements WHERE NOT toplevel AND query LIKE '%count(*)%id <=%'}),
		$n, "$libraries: nested");
	is($node->safe_psql('postgres', q{
			SELECT count(*) FROM perfopt_statements AS s
			WHERE (SELECT sum(h.calls) FROM perfopt_histogram(s.queryid) AS h) <>
				(SELECT sum(calls + errors) FROM perfopt_statements AS o WHERE o.queryid = s.queryid)
				AND query NOT LIKE '%perfopt%'}),
		0, "$libraries: each histogram has all of them");
	if ($peer)
	{
		is($node->safe_psql('postgres', q{
				SELECT query, a.calls, b.calls, a.rows, b.rows, a.blocks, b.blocks
				FROM (SELECT queryid, toplevel, min(query) AS query, sum(calls) AS calls, sum(rows) AS rows,
						sum(shared_blks_hit + shared_blks_read) AS blocks
					FROM pg_stat_statements GROUP BY 1, 2) AS a
				FULL JOIN (SELECT queryid, toplevel, sum(calls) AS calls, sum(rows) AS rows,
						sum(shared_blks_hit + shared_blks_read) AS blocks
					FROM perfopt_statements WHERE queryid IS NOT NULL GROUP BY 1, 2) AS b USING (queryid, toplevel)
				WHERE (a.calls, a.rows, a.blocks) IS DISTINCT FROM (b.calls, b.rows, b.blocks)
					-- prepared commands it counts once, before version 17
					AND (query IS NULL OR query !~ 'perfopt|pg_stat_statements|pg_database|^BEGIN$|^END$')}),
			'', "$libraries: calls, rows and blocks are those of pg_stat_statements");
	}
	check_log($node);
	$node->stop;
}

#
# Percentiles against a sort of what clients saw
#
my $node = new_node('statements', conf => "max_connections = 80\nautovacuum = off\nfsync = off\nperfopt.max_statements = 200\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION perfopt; CREATE TABLE t AS SELECT 1 AS a; SELECT perfopt_reset()');
pgbench($node, '-M', 'prepared', '-c', 16, '-j', 2, '-t', 60, '-l', '--log-prefix', "$dir/latency",
	'-f', script('sleep', "\\set ms random(2, 60)\nSELECT pg_sleep(:ms / 1000.0);\n"));
my @latencies = sort { $a <=> $b } map { (split ' ')[2] / 1000 } map { split /\n/, slurp_file($_) } glob "$dir/latency.*";
is(scalar @latencies, 16 * 60, 'all latencies are in the log');
my @told = split /\|/, counted($node, 'p50_ms, p95_ms, p99_ms', '%pg_sleep%');
for my $p (50, 95, 99)
{
	my $exact = $latencies[ int($p * @latencies / 100 + 0.999999) - 1 ];
	my $here = shift @told;
	# the client's part is in it, too
	cmp_ok(abs($here - $exact), '<=', 0.0625 * $exact + 3, "p$p: $here for $exact ms");
}

# a portal that is read in pieces is one execution, with the rows of all
my $client = raw_client($node, 'postgres');
exchange($client, parse('', 'SELECT g AS piece FROM t, generate_series(1, 10) g') . bind_values('', '', []) .
	join('', (execute('', 3)) x 4) . sync());
close $client;
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM perfopt_statements WHERE query LIKE '%AS piece%' AND query NOT LIKE '%perfopt%'});
is(counted($node, 'calls, rows', '%AS piece%'), '1|10', 'a portal in pieces');

# a session that is terminated
my $session = $node->background_psql('postgres');
my $backend = $session->query_safe('SELECT pg_backend_pid()');
$session->query_safe('SELECT a AS before_term FROM t');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($backend, 60000)");
is(counted($node, 'calls', '%before_term%'), 1, 'what a terminated session counted');
eval { $session->quit };

#
# A full table: useful statements stay, all are counted
#
$node->safe_psql('postgres', 'SELECT perfopt_reset()');
$node->safe_psql('postgres', join ';', map { "SELECT a AS useful, $_ FROM t WHERE a = 1 AND a = 1 AND a = 1" } 1 .. 300);
my $unique = join ";\n", map { my $n = $_; 'SELECT ' . join(', ', map { "a + a" } 1 .. $n % 40 + 2) . ' FROM t WHERE ' . join(' OR ', map { 'a = 2' } 0 .. $n / 40) } 0 .. 999;
$node->safe_psql('postgres', $unique);
$node->safe_psql('postgres', $unique);
is(counted($node, 'calls', '%AS useful%'), 300, 'a useful statement is not pushed out');
is($node->safe_psql('postgres', q{SELECT sum(calls) FROM perfopt_statements WHERE query LIKE '%a + a%' OR query = '(other)'}) >= 2000,
	1, 'what has no place is counted');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM perfopt_statements'), '<=', 201, 'there are no more rows than places');
cmp_ok($node->safe_psql('postgres', 'SELECT perfopt_statements_lost()'), '>', 0, 'and it is said that places are scarce');
# once they come again and again, they find places
$node->safe_psql('postgres', 'SELECT pg_sleep(0.2); ' . join(';', map { 'SELECT a AS later, a * a * a FROM t WHERE a < 5' } 1 .. 200));
like(counted($node, 'calls', '%AS later%'), qr/^(19\d|200)$/, 'a newcomer that comes often finds a place');

#
# Many sessions, all statements different: nobody waits, nobody fails
#
pgbench($node, '-c', 16, '-j', 2, '-t', 100, '-f', script('storm', "\\set n random(1, 1000000000)\nSELECT a AS \"c:n\" FROM t WHERE a = :n;\n"));
pass('storm');

#
# Restart and crash
#
my $before = $node->safe_psql('postgres', q{SELECT calls, stats_since, last_seen, p99_ms FROM perfopt_statements WHERE query LIKE '%AS useful%'});
$node->restart;
is($node->safe_psql('postgres', q{SELECT calls, stats_since, last_seen, p99_ms FROM perfopt_statements WHERE query LIKE '%AS useful%'}),
	$before, 'over a restart');
$node->append_conf('postgresql.conf', 'perfopt.max_statements = 100');
my $all = $node->safe_psql('postgres', 'SELECT sum(calls) > 2000 FROM perfopt_statements');
$node->restart;
is($node->safe_psql('postgres', 'SELECT sum(calls) > 2000, count(*) <= 101 FROM perfopt_statements'), "$all|t", 'with fewer places');
$node->append_conf('postgresql.conf', "perfopt.max_statements = 500\nrestart_after_crash = on");
$node->restart;
$node->safe_psql('postgres', 'SELECT a AS last, a FROM t WHERE a < 7 AND a < 8');
my $last = q{SELECT calls, stats_since FROM perfopt_statements WHERE query LIKE '%AS last%' AND query NOT LIKE '%perfopt%'};
my $again = $node->safe_psql('postgres', $last);
like($again, qr/^1\|/, 'a place for a new one');
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', $last), $again, 'over an immediate shutdown');
my $victim = $node->background_psql('postgres', on_error_stop => 0);
kill 9, $victim->query_safe('SELECT pg_backend_pid()');
eval { $victim->quit };
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM perfopt_statements WHERE query LIKE '%AS last%' AND query NOT LIKE '%perfopt%'");
is($node->safe_psql('postgres', $last), '', 'not over a crash');

$node->safe_psql('postgres', $unique);
$node->stop;
my $file = $node->data_dir . '/pg_stat/perfopt_statements.stat';
ok(-s $file, 'the file is there');
truncate $file, (-s $file) / 2;
$node->start;
is($node->safe_psql('postgres', 'SELECT count(*) > 0 FROM perfopt_statements'), 't', 'a file that is cut short');
ok(!-e $file, 'is read once');
$node->stop;
open my $bad, '>', $file or die $!;
print $bad 'nonsense' x 1000;
close $bad;
$node->start;
is($node->safe_psql('postgres', 'SELECT 1'), 1, 'nonsense is left alone');
check_log($node, 'terminated by signal 9');
$node->stop;
done_testing();
