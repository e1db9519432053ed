#
# Readers that end in the middle of a hit: whatever the reason, the entry is
# pinned no longer and no memory is lost.  And snapshots from elsewhere.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('interrupted', conf => "perfopt.cache_max_result = 20MB\n");
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION perfopt;
	CREATE TABLE big AS SELECT g AS id, repeat('x', 1000) AS s
		FROM generate_series(1, 8000) g;
	CREATE TABLE small (v int);
	INSERT INTO small VALUES (1);
});

# A client stuck in a hit, with the entry outdated and removed meanwhile.
sub stuck_client
{
	my ($before) = @_;
	served($node, 'SELECT count(*) FROM (SELECT * FROM big) x');
	$node->safe_psql('postgres',
		'SET perfopt.cache = force; SELECT * FROM big');
	my $hits = stats($node, 'hits');
	my $client = raw_client($node);
	ask($client, "SET perfopt.cache = force; $before SELECT pg_backend_pid()");
	ready($client);
	ask($client, 'SELECT * FROM big');
	$node->poll_query_until('postgres',
		q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'ClientWrite'})
	  or die 'the client is not stuck';
	$node->safe_psql('postgres',
		q{UPDATE big SET s = s WHERE id = 1;
		  SET perfopt.cache = force; SELECT * FROM big});
	return $client;
}

my $pid_of_stuck =
  q{(SELECT pid FROM pg_stat_activity WHERE wait_event = 'ClientWrite')};
my %ways = (
	'goes on' => [ '', undef, qr/^8000 $/ ],
	'is cancelled' =>
	  [ '', "SELECT pg_cancel_backend($pid_of_stuck)", qr/^\d+ (57014)?$/ ],
	'is out of time' => [ "SET statement_timeout = '300ms';", 'SELECT pg_sleep(0.5)', qr/^\d+ (57014)?$/ ],
	'is terminated' =>
	  [ '', "SELECT pg_terminate_backend($pid_of_stuck)", qr/^\d+ (closed|57P01)$/ ],
	'goes away' => [ '', 'close', qr/^$/ ]);

stuck_client('')->close;
$node->poll_query_until('postgres',
	"SELECT count(*) = 0 FROM pg_stat_activity WHERE wait_event = 'ClientWrite'");
$node->safe_psql('postgres', 'SELECT perfopt_invalidate_all()');
served($node, 'SELECT * FROM small');
my $free = stats($node, 'bytes_free');

for my $way (sort keys %ways)
{
	my ($before, $event, $expected) = @{ $ways{$way} };
	my $client = stuck_client($before);
	is(stats($node, 'bytes_pinned'), '0', "$way: nothing is pinned while stuck");
	if (defined $event && $event eq 'close')
	{
		$client->close;
	}
	else
	{
		$node->safe_psql('postgres', $event) if defined $event;
		like(join(' ', ready($client)), $expected, "$way: what the client got");
		if ($way !~ /terminated/)
		{
			ask($client, 'SELECT * FROM small');
			is(join(' ', ready($client)), '1 ', "$way: the session goes on");
		}
		$client->close;
	}
	$node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE wait_event = 'ClientWrite'");
	ok( $node->poll_query_until('postgres',
			'SELECT max(bytes_pinned) = 0 FROM perfopt_cache_stats'),
		"$way: nothing stays pinned");
}

# an error in the middle of many statements, hits among them
$node->safe_psql('postgres', q{
	SET perfopt.cache = force;
	DO $$BEGIN FOR i IN 1 .. 50 LOOP
		BEGIN
			PERFORM id / (id - 50) FROM big;
		EXCEPTION WHEN division_by_zero THEN NULL;
		END;
	END LOOP; END$$;});
my ($status) = $node->psql('postgres',
	'SET perfopt.cache = force; SELECT 1 / (id - 5000) FROM big');
is($status, 3, 'an error while an answer is captured');
is(stats($node, 'bytes_pinned'), '0', 'leaves nothing behind');

# the memory is what it was: all answers about the big table are outdated
$node->safe_psql('postgres', q{
	UPDATE big SET s = s WHERE id = 2;
	SET perfopt.cache = force;
	SELECT count(*) FROM (SELECT * FROM big) x;
	SELECT * FROM big;
	SELECT perfopt_invalidate_all();});
served($node, 'SELECT * FROM small');
cmp_ok(stats($node, 'bytes_free'), '>=', $free - 100_000,
	'the memory is free again');

# a snapshot older than the session
my ($in, $out) = ('', '');
my $exporter = IPC::Run::start(
	[ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
	'<', \$in, '>', \$out, '2>', \$out);
$in = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 'id', pg_export_snapshot();\n";
$exporter->pump until $out =~ /id\|(\S+)\n/;
my ($snapshot) = $out =~ /id\|(\S+)\n/;
$node->safe_psql('postgres', 'UPDATE small SET v = 2');
is(served($node, 'SELECT v FROM small; SELECT v FROM small'),
	'2 2 served 1', 'after the export');
my $import = "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '$snapshot'";
is(served($node, 'SELECT v FROM small; SELECT v FROM small', before => $import),
	'1 1 served 0', 'an imported snapshot sees what it saw');
is(served($node, 'SELECT v FROM small'),
	'2 served 1', 'and others what they should');
$node->safe_psql('postgres', 'UPDATE small SET v = 3');
is(served($node, 'SELECT v FROM small; SELECT v FROM small', before => $import),
	'1 1 served 0', 'nothing of it is stored for others');
is(served($node, 'SELECT v FROM small; SELECT v FROM small'),
	'3 3 served 1', 'nor of others for it');
$in = "COMMIT;\n\\q\n";
$exporter->finish;

$node->stop;
check_log($node);
done_testing();
