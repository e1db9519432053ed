#
# What outlives a restart and what must not: prepared transactions, crashes,
# databases whose OID comes back; and servers with hardly any memory for the
# cache.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('restart', conf => "restart_after_crash = on\n");
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION perfopt;
	CREATE TABLE t (id int, v int);
	INSERT INTO t SELECT g, 1 FROM generate_series(1, 10) g;
	CREATE TABLE u AS SELECT * FROM t;
});
my $sum = 'SELECT sum(v) FROM t';
my $twice = "$sum; $sum";

is(served($node, $twice), '10 10 served 1', 'served');

# prepared transactions over a clean restart and over a crash
for my $how ('fast', 'immediate')
{
	$node->safe_psql('postgres',
		"BEGIN; UPDATE t SET v = v + 1 WHERE id = 1; PREPARE TRANSACTION 'p'");
	$node->stop($how);
	$node->start;
	like(served($node, $twice), qr/^(\d+) \1 served 0$/,
		"$how: nothing is served while a transaction of before is open");
	is( $node->safe_psql(
			'postgres', q{
		SELECT count(*) > 0 FROM perfopt_cache_reasons
		WHERE reason = 'prepared_before_start'}),
		't',
		"$how: and the reason is given");
	my $before = $node->safe_psql('postgres', $sum);
	$node->safe_psql('postgres', "COMMIT PREPARED 'p'");
	is( served($node, $twice),
		($before + 1) . ' ' . ($before + 1) . ' served 1',
		"$how: healed when it ended");
}

# prepared after the start, ended after another start
$node->safe_psql('postgres',
	"BEGIN; UPDATE t SET v = 100 WHERE id = 2; PREPARE TRANSACTION 'q'");
my $before = $node->safe_psql('postgres', $sum);
$node->restart;
$node->safe_psql('postgres', "ROLLBACK PREPARED 'q'");
is(served($node, $twice), "$before $before served 1",
	'rolled back after a restart');

# a backend is killed: all of shared memory is made anew
my $victim = raw_client($node);
my $pid = answer($victim,
	'SET perfopt.cache = force; BEGIN; UPDATE t SET v = 7; SELECT pg_backend_pid()');
kill 'KILL', $pid;
is((ready($victim))[1], 'closed', 'a backend was killed');
$node->poll_query_until('postgres', 'SELECT true');
is(served($node, $twice), "$before $before served 1",
	'correct and served after a backend was killed');

# the same database and relation OIDs, other rows
$node->safe_psql('postgres', 'CREATE DATABASE mother');
$node->safe_psql('mother',
	'CREATE EXTENSION perfopt; CREATE TABLE t (v int); INSERT INTO t VALUES (1)');
$node->safe_psql('postgres',
	'CREATE DATABASE child TEMPLATE mother OID 987654');
is(served($node, $twice, db => 'child'), '1 1 served 1', 'a database');
$node->safe_psql('postgres', 'DROP DATABASE child');
$node->safe_psql('mother', 'UPDATE t SET v = 2');
$node->safe_psql('postgres',
	'CREATE DATABASE child TEMPLATE mother OID 987654');
is(served($node, $twice, db => 'child'),
	'2 2 served 1', 'another database of the same OID');
$node->safe_psql('postgres',
	'ALTER DATABASE child RENAME TO other; ALTER DATABASE mother RENAME TO child');
is(served($node, $twice, db => 'child'), '2 2 served 1', 'of the same name');

# as little memory as may be, and less
for my $size (qw(128kB 1MB 2MB))
{
	$node->append_conf('postgresql.conf', "perfopt.cache_size = $size\n");
	$node->stop;
	if ($node->start(fail_ok => 1))
	{
		like(served($node, $twice), qr/^$before $before served [01]$/,
			"cache_size = $size");
		$node->safe_psql('postgres', 'UPDATE t SET v = v + 1 WHERE id = 1');
		$before++;
		like(served($node, $twice), qr/^$before $before served [01]$/,
			"cache_size = $size, after a change");
		# far more than fits
		$node->safe_psql('postgres',
			"SET perfopt.cache = force; "
			  . join('; ', map { "SELECT g, repeat('x', 500), $_ FROM u, generate_series(1, 20) g" } 1 .. 60));
		is(stats($node, 'bytes_pinned'), '0',
			"cache_size = $size: nothing stays pinned");
	}
	else
	{
		like(slurp_file($node->logfile),
			qr/"perfopt.cache_size"|outside the valid range/,
			"cache_size = $size is refused in words");
		$node->append_conf('postgresql.conf', "perfopt.cache_size = 64MB\n");
		$node->start;
	}
}

$node->stop;
check_log($node, qr/was terminated by signal 9/);
done_testing();
