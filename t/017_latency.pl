
#
# perfopt_latency: its histograms and windows without a server, then what it
# tells against what the server logs and clients measure, and sums that must be
# exact.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use File::Temp;
use IPC::Run;
use List::Util qw(min);
use PfoTest;
use PostgreSQL::Test::Utils;
use POSIX qw(ceil);
use Test::More;

my $dir = File::Temp::tempdir(CLEANUP => 1);
my $top = "$FindBin::RealBin/..";

#
# Percentiles and windows, as such
#
my $seed = stress_seed();
my @build = ('gcc', '-O2', '-Wall', '-Werror',
	'-I', PfoTest::pg_config('includedir-server'), '-I', "$top/src",
	(map { "$top/$_" } qw(t/stress/latency.c src/base/histogram.c src/workload/latency_ring.c)),
	# of servers with assertions
	'-Wl,--defsym=ExceptionalCondition=main',
	'-lm', '-o', "$dir/latency");
my ($out, $err);
ok(IPC::Run::run(\@build, '>', \$out, '2>', \$err), 'compiled without a server')
  or diag $err;
IPC::Run::run([ "$dir/latency", $seed ], '>', \$out);
my @lines = split /\n/, $out;
is(scalar @lines, 7, "all is checked, seed $seed");
like($_, qr/^ok /, $_) for @lines;

#
# On a server
#
my $node = new_node('latency');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION perfopt; CREATE ROLE plain LOGIN; CREATE DATABASE bench');

# A column of the row, empty if there is none.
sub told
{
	my ($column, $scope, $name, $period) = @_;
	$period ||= '24 hours';
	return $node->safe_psql('postgres',
		"SELECT $column FROM perfopt_latency
		WHERE scope = '$scope' AND name = '$name' AND period = '$period'");
}

# Clients that run a script so many times each, under a name and in "bench".
# All have ended and told what they counted when this returns.
sub pgbench
{
	my ($name, $clients, $times, $script, @options) = @_;
	append_to_file("$dir/$name.sql", $script);
	IPC::Run::run(
		[
			'pgbench', '-n', '-c', $clients, '-t', $times,
			'-f', "$dir/$name.sql", @options,
			$node->connstr('bench') . " application_name=$name"
		], '>', \$out, '2>&1') or die $out;
	$node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '$name'")
	  or die 'clients do not end';
	return;
}

# A session under a name; what fails in it is no matter.
sub session
{
	my ($name, $db, $sql) = @_;
	$node->psql($db, $sql,
		connstr => $node->connstr($db) . " application_name=$name");
	return;
}

sub percentile
{
	my ($p, @values) = @_;
	@values = sort { $a <=> $b } @values;
	return $values[ ceil($p * @values) - 1 ];
}

# An execution lasts as long as it sleeps at least, and at most as long as the
# server logs, or the client waits.
{
	local $ENV{PGOPTIONS} = '-c log_min_duration_statement=0';
	pgbench('sleep', 4, 200,
		"\\set ms random_exponential(0, 30, 3)\nSELECT pg_sleep(:ms / 1000.0);\n",
		'-l', "--log-prefix=$dir/sleep");
}
my (@logged, @slept, @waited);
for (split /\n/, slurp_file($node->logfile))
{
	next unless /duration: ([\d.]+) ms .*SELECT pg_sleep\((\d+) \/ 1000/;
	push @logged, $1;
	push @slept, $2;
}
for my $file (glob "$dir/sleep.*")
{
	next if $file =~ /\.sql$/;
	push @waited, map { (split)[2] / 1000 } split /\n/, slurp_file($file);
}
is("@{[ scalar @logged ]} @{[ scalar @waited ]}", '800 800', 'server and clients tell of each');
for my $period ('5 minutes', '24 hours')
{
	is(told('calls', 'application', 'sleep', $period),
		800, "$period: all were counted");
	for my $p (50, 95, 99)
	{
		my $told = told("p${p}_ms", 'application', 'sleep', $period);
		my ($slept, $logged, $waited) =
		  map { percentile($p / 100, @$_) } \@slept, \@logged, \@waited;
		ok( $told > 0.984 * $slept && $told < 1.016 * min($logged, $waited),
			"$period: p$p is $told, slept $slept, logged $logged, waited $waited");
		is( $node->safe_psql('postgres', "SELECT perfopt_percentile('application', 'sleep', $p / 100.0, '$period')"),
			$told, "$period: and so says perfopt_percentile");
	}
	my ($mean, $max) = split /\|/,
	  told('mean_ms, max_ms', 'application', 'sleep', $period);
	my $sum = 0;
	$sum += $_ for @logged;
	cmp_ok($mean, '<=', $sum / @logged, "$period: mean");
	cmp_ok($max, '<=', percentile(1, @logged), "$period: maximum, at most");
	cmp_ok($max, '>=', percentile(1, @slept), "$period: maximum, at least");
}

# Sums, while somebody reads all the time
$node->safe_psql('bench', 'CREATE TABLE t AS SELECT g AS id, 0 AS v FROM generate_series(1, 1000) g');
my $in_bench = told('calls', 'database', 'bench');
my $reader = "SELECT calls FROM perfopt_latency WHERE scope = 'server' AND period = '24 hours';\n";
append_to_file("$dir/reader.sql", $reader);
my $read;
my $reading = IPC::Run::start([ 'pgbench', '-n', '-c', 2, '-T', 300,
	'-f', "$dir/reader.sql", $node->connstr('postgres') . ' application_name=reader' ],
	'<', \undef, '>', \$read, '2>&1');
pgbench('sums', 16, 300, <<'END');
\set id random(1, 1000)
BEGIN;
UPDATE t SET v = v + 1 WHERE id = :id;
SELECT v FROM t WHERE id = :id;
COMMIT;
SELECT count(*) FROM t WHERE id < :id;
END
$reading->signal('TERM');
eval { $reading->finish };
unlike($read, qr/error|ERROR/, 'readers are not disturbed');
is(told('calls', 'application', 'sums'), 16 * 300 * 5, '16 clients: each call');
is(told('calls', 'application', 'sums', $_), 16 * 300 * 5, "in $_, too")
  for '5 minutes', '1 hour';
is(told('calls', 'database', 'bench') - $in_bench, 16 * 300 * 5, 'of their database, too');
is(told('errors', 'application', 'sums'), 0, 'without errors');

# Errors: of the first and only statement of a session, in being planned and
# in being executed
for my $n (1 .. 3)
{
	session('errors', 'postgres', 'SELECT 1 / 0');
	session('errors_run', 'postgres', 'SELECT 1 / (n - n) FROM generate_series(1, 3) n');
}
$node->poll_query_until('postgres', q{
	SELECT sum(errors) = 6 FROM perfopt_latency WHERE name ~ '^errors' AND period = '24 hours'})
  or diag 'errors are missing';
is(told('calls, errors, mean_ms, p50_ms, max_ms', 'application', 'errors'),
	'0|3|||', 'errors without a time');
is(told('calls, errors, mean_ms > 0, p50_ms <= max_ms', 'application', 'errors_run'),
	'0|3|t|t', 'errors with a time');
is($node->safe_psql('postgres', "SELECT perfopt_percentile('application', 'errors', 0.5) IS NULL"),
	't', 'no percentile of no time');

# A session that is terminated tells what it counted, and that only.
my $session = raw_client($node, 'postgres');
answer($session, "SET application_name = 'terminated'");
answer($session, 'SELECT 1') for 1 .. 5;
ask($session, 'SELECT pg_sleep(300)');
$node->poll_query_until('postgres', q{
	SELECT count(pg_terminate_backend(pid)) = 1 FROM pg_stat_activity
	WHERE application_name = 'terminated' AND query ~ 'pg_sleep'});
ready($session);
$node->poll_query_until('postgres', q{
	SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'terminated'});
is(told('calls, errors', 'application', 'terminated'), '6|0', 'a terminated session');
$session->close;

# What an idle session did last is counted when it goes on, or ends.
$session = raw_client($node, 'postgres');
answer($session, "SET application_name = 'idle'");
answer($session, 'SELECT 1') for 1 .. 3;
my $before = $node->safe_psql('postgres', 'SELECT now()');
sleep 2;
answer($session, 'SELECT 1');
$session->close;
$node->poll_query_until('postgres', q{
	SELECT calls = 5 FROM perfopt_latency WHERE name = 'idle' AND period = '24 hours'});
is(told("calls, since <= '$before'", 'application', 'idle'), '5|t', 'an idle session');

# Prepared transactions and rollbacks count as well
$node->safe_psql('postgres', q{
	SET application_name = 'ends';
	BEGIN; SELECT 1; PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p';
	BEGIN; SELECT 1; ROLLBACK});
is(told('calls, errors', 'application', 'ends'), '8|0', 'whatever ends a transaction');

# More names than places: 8, of which 4 are reserved
$node->append_conf('postgresql.conf', 'perfopt.max_latency_scopes = 8');
$node->restart;
is($node->safe_psql('postgres', "SELECT count(*) FROM perfopt_latency WHERE name = 'sums'"),
	0, 'a restart begins anew');
session("app$_", $_ % 2 ? 'postgres' : 'bench',
	'SELECT 1; SET ROLE plain; SELECT 2; SELECT 1 / 0')
  for 1 .. 12;
$node->poll_query_until('postgres', q{
	SELECT errors = 12 FROM perfopt_latency WHERE scope = 'server' AND period = '24 hours'})
  or diag 'errors are missing';
my ($calls, @sums) = split /\n/, $node->safe_psql('postgres', q{
	CREATE TEMP TABLE l AS SELECT * FROM perfopt_latency() WHERE period = '24 hours';
	SELECT calls FROM l WHERE scope = 'server';
	SELECT scope, sum(calls), sum(errors), bool_or(name = '(other)') FROM l GROUP BY scope ORDER BY scope});
is( "@sums",
	"application|$calls|12|t database|$calls|12|t role|$calls|12|t server|$calls|12|f",
	'what finds no place is counted as other');
is($node->safe_psql('postgres', q{SELECT count(*) FROM perfopt_latency() WHERE period = '24 hours'}),
	8, 'no more than there are places');
is( $node->safe_psql('postgres', q{
	SELECT perfopt_percentile('application', '(other)', 0.5) > 0,
		perfopt_percentile('role', '(other)', 0.5) > 0,
		perfopt_percentile('database', '(other)', 0.5) > 0}),
	't|t|t', 'and has percentiles');

$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
for my $call ('SELECT FROM perfopt_latency', q{SELECT perfopt_percentile('server', '', 0.5)})
{
	$node->psql('postgres', $call, stderr => \$err);
	like($err, qr/ERROR:  perfopt must be loaded.*HINT:  Run: ALTER SYSTEM/s,
		'without preloading');
}

$node->stop;
check_log($node);
done_testing();
