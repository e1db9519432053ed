#
# What runs out: room in the table of locks, memory of the cache, memory of a
# session, room on a disk.  The cache may then keep no answer, but makes no
# error that would not come without it.
#
use strict;
use warnings;

use File::Spec;
use File::Temp;
use FindBin;
use lib "$FindBin::RealBin/stress";

# A full disk is a small one.  To mount it takes no privileges within a user
# namespace of its own, where the test starts over; PostgreSQL wants to be
# anything but root there, hence the inner one.
my $disk;

BEGIN
{
	$disk = $ENV{PFO_SMALL_DISK};
	if (!defined $disk)
	{
		my $dir = File::Temp::tempdir(CLEANUP => 0);
		my ($uid, $gid) = ($<, $( + 0);
		my $mounted = "mount -t tmpfs -o size=6m,mode=700 perfopt $dir && unshare --user --map-user=$uid --map-group=$gid";
		my @outer = ('unshare', '--user', '--map-root-user', '--mount', 'sh', '-c');
		open(my $stderr, '>&', \*STDERR);
		open(STDERR, '>', File::Spec->devnull);
		my $works = system(@outer, "$mounted true") == 0;
		open(STDERR, '>&', $stderr);
		$ENV{PFO_SMALL_DISK} = $works ? $dir : '';
		my $status = !$works ? 0
		  : system(@outer, qq{$mounted "\$@"}, 'sh', $^X, (map { "-I$_" } @INC), $0);
		rmdir $dir;
		exit($status >> 8 || $status) if $works;
		$disk = '';
	}
}

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('exhaustion', conf => <<'CONF');
max_connections = 20
max_prepared_transactions = 0
max_locks_per_transaction = 10
max_wal_senders = 0
autovacuum = off
perfopt.cache_size = 512kB
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION perfopt;' . load_schema());

#
# The table of locks: somebody has filled it, and gives it back one by one.  As
# soon as the statement can be executed it can be answered, and kept.
#
$node->safe_psql('postgres', 'CREATE TABLE parts (id int, v int) PARTITION BY RANGE (id)');
$node->safe_psql('postgres',
		"CREATE TABLE part$_ PARTITION OF parts FOR VALUES FROM ("
	  . ($_ * 10) . ') TO (' . ($_ * 10 + 10) . ')')
  for 0 .. 39;
$node->safe_psql('postgres', 'INSERT INTO parts SELECT g, 1 FROM generate_series(0, 399) g');

my $sum = 'SELECT sum(v) FROM parts';
my ($hog, $executing, $hitting, $filling) = map { raw_client($node) } 1 .. 4;
# to learn what the tables are like takes locks, too: all know it
is(answer($_, "SET perfopt.cache = off; $sum; SELECT sum(v) + 1 - 1 FROM parts"),
	'400 400', 'with room for locks')
  for $executing, $hitting, $filling;
is(answer($hitting, "SET perfopt.cache = force; $sum"), '400', 'an answer stored');
is(answer($filling, "SET perfopt.cache = force; SELECT sum(v) - 0 FROM parts"),
	'400', 'by both, since to find the list of partitions right takes locks, too');

is( answer($hog, 'SELECT count(pg_advisory_lock(g)) FROM generate_series(1, 1000000) g'),
	'53200', 'the table of locks is full');
is(answer($executing, $sum), '53200', 'nothing can be executed');
my ($given, $executed, $worse, $odd) = (0, 0, 0, '');
while ($executed < 5 && $given < 200)
{
	$given++;
	answer($hog, "SELECT pg_advisory_unlock($given)");
	my $new = "SELECT sum(v) + $given - $given FROM parts";
	my @plain = map { answer($executing, $_) } $sum, $new;
	my @cached = (answer($hitting, $sum), answer($filling, $new));
	$executed++ if "@plain" eq '400 400';
	$worse += grep { $plain[$_] eq '400' && $cached[$_] ne '400' } 0, 1;
	$odd .= " $_" for grep { !/^(400|53200)$/ } @plain, @cached;
}
is($executed, 5, "executed after $given locks were given back");
is($worse, 0, 'then never an error with the cache');
is($odd, '', 'and no other answers');
is(answer($hog, 'SELECT pg_advisory_unlock_all()'), '', 'locks are given back');
is(answer($_, $sum), '400', 'room for locks again')
  for $executing, $hitting, $filling;
$_->close for $hog, $executing, $hitting, $filling;
accounted($node, 'locks');

#
# As little memory for the cache as may be, under load
#
my $load = start_load($node, readers => 4, writers => 2);
hits_grow($node, 1000);
is(end_load($load), '', 'a small cache: nothing differed');
is(stats($node, 'errors'), '0', 'a small cache: no failure');
accounted($node, 'a small cache');

#
# A session that gets only so much more memory, less than a large answer takes.
# Executing needs little, since the rows go to the client.
#
$node->safe_psql(
	'postgres', q{
	ALTER SYSTEM SET perfopt.cache_size = '64MB';
	ALTER SYSTEM SET perfopt.cache_max_result = '15MB';
	CREATE TABLE big AS SELECT g AS id, repeat('x', 1000) AS s
		FROM generate_series(1, 8000) g;
});
$node->restart;

# In a session that may have so much more address space than it has: the rows
# of the statement that it gets, and of a small one after it.
sub limited
{
	my ($kb, $settings, $statement) = @_;
	my $client = raw_client($node);
	my $pid = answer($client, 'SELECT pg_backend_pid()');

	# what a first execution needs beside, it has by then
	answer($client, "SET perfopt.cache = force; $statement LIMIT 1; SELECT v FROM load.p WHERE id = 1");
	answer($client, $settings);
	my ($size) = slurp_file("/proc/$pid/status") =~ /^VmSize:\s+(\d+) kB/m;
	system('prlimit', "--pid=$pid", '--as=' . ($size + $kb) * 1024) == 0
	  or die 'prlimit failed';
	ask($client, $statement);
	my $said = join ' ', ready($client);
	ask($client, 'SELECT v FROM load.p WHERE id = 1');
	$said .= join ' ', '', ready($client);
	$client->close;
	$node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
	return $said;
}

SKIP:
{
	skip 'no prlimit to keep memory from a session', 1
	  unless -d '/proc/self' && system('prlimit --version >/dev/null 2>&1') == 0;

	my $large = 'SELECT id, s FROM big';
	for my $kb (1024, 2048, 4096)
	{
		for my $settings ('SET perfopt.cache = off', '', 'SET perfopt.debug_reserve = on')
		{
			is(limited($kb, $settings, $large),
				'8000  1 ', "$kb kB, '$settings': executed");
		}
		is( $node->safe_psql('postgres',
				'SELECT count(*) FROM perfopt_cache_entries WHERE rows = 8000'),
			'0', "$kb kB: it was too little to keep the answer");

		$node->safe_psql('postgres', "SET perfopt.cache = force; $large");
		my ($hits, $verified) = map { stats($node, $_) } 'hits', 'verified';
		is(limited($kb, '', $large), '8000  1 ', "$kb kB: answered");
		cmp_ok(stats($node, 'hits') - $hits, '>=', 1, "$kb kB: from the cache");
		is(limited($kb, 'SET perfopt.cache_verify = 1', $large),
			'8000  1 ', "$kb kB: to be verified");
		is(stats($node, 'bytes_pinned'), '0', "$kb kB: nothing stays pinned");
		$node->safe_psql('postgres', 'SELECT perfopt_invalidate_all()');
	}
	is(stats($node, 'differences'), '0', 'nothing differed');
}

#
# The disk
#
SKIP:
{
	skip 'no user namespace to mount a small disk in', 1 unless $disk;

	mkdir "$disk/small" or die "$disk: $!";
	$node->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$disk/small'");
	my $sort = 'SELECT count(*) FROM (SELECT s, id FROM big ORDER BY s, id DESC OFFSET 0) x';
	my $spill = "SET work_mem = '64kB'; SET temp_tablespaces = small";
	my $client = raw_client($node);
	answer($client, "SET perfopt.cache = off; $spill");
	is(answer($client, $sort), '53100', 'the disk is full without the cache');
	answer($client, 'SET perfopt.cache = force');
	is(answer($client, $sort), '53100', 'and with it');
	is(answer($client, "BEGIN; SELECT v - v FROM load.p WHERE id = 1; SAVEPOINT s; $sort"),
		'0 53100', 'in a transaction');
	is(answer($client, 'ROLLBACK TO s; SELECT v - v FROM load.p WHERE id = 1; COMMIT'),
		'0', 'which goes on');
	is( $node->safe_psql('postgres',
			q{SELECT count(*) FROM perfopt_cache_entries WHERE query LIKE '%OFFSET%'}),
		'0', 'nothing of it is kept');
	is(answer($client, "SET temp_tablespaces = ''; $sort; $sort"),
		'8000 8000', 'with room elsewhere it is executed');
	$client->close;

	# rows that find no room
	$node->safe_psql('postgres', 'CREATE TABLE onsmall (id int, s text) TABLESPACE small;
		INSERT INTO onsmall VALUES (1, NULL)');
	my $count = 'SELECT count(*), sum(id) FROM onsmall';
	is(served($node, "$count; $count"), '1|1 1|1 served 1', 'an answer');
	my ($ret, $out, $err) = $node->psql('postgres', '\set VERBOSITY verbose
		INSERT INTO onsmall SELECT id, s FROM big');
	like($err, qr/53100/, 'rows found no room');
	is(served($node, $count), '1|1 served ' . (served($node, $count) =~ /(\d)$/)[0],
		'and are not there');
	is($node->safe_psql('postgres', "SET perfopt.cache = off; $count"), '1|1', 'without the cache');
	$node->safe_psql('postgres', 'DROP TABLE onsmall');
	$node->safe_psql('postgres', 'CREATE TABLE onsmall (id int, s text) TABLESPACE small');
	is(served($node, "$count; $count"), '0| 0| served 1', 'an empty table instead');
	$node->safe_psql('postgres', 'DROP TABLE onsmall; DROP TABLESPACE small');
}

is(stats($node, 'bytes_pinned'), '0', 'nothing stays pinned');
$node->stop;
check_log($node);
done_testing();
