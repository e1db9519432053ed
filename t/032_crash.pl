#
# Ends without a word: a crash of the server, a backend or a client killed, or
# terminated, while answers are given and made.  After a crash the cache starts
# empty; after the end of a session nothing of it is left.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('crash', conf => <<'CONF');
restart_after_crash = on
autovacuum = off
perfopt.cache_size = 2MB
perfopt.cache_max_result = 2MB
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION perfopt;' . load_schema());
$node->safe_psql(
	'postgres', q{
	CREATE TABLE big AS SELECT g AS id, repeat('x', 1000) AS s
		FROM generate_series(1, 3000) g;
	CREATE TABLE wide AS SELECT g AS id, repeat('y', 1000) AS s
		FROM generate_series(1, 400) g;
	CREATE TABLE small (v int);
	INSERT INTO small VALUES (1);
});

my $all = 'SELECT sum(v) FROM load.a';

#
# Everything goes down under load
#
my %crashes = (
	'a backend is killed' => sub {
		my $pid = $node->safe_psql('postgres',
			q{SELECT min(pid) FROM pg_stat_activity WHERE application_name LIKE 'load%'});
		kill 'KILL', $pid;
		$node->poll_query_until('postgres',
			"SELECT pg_postmaster_start_time() IS NOT NULL AND NOT EXISTS
				(SELECT FROM pg_stat_activity WHERE pid = $pid)");
	},
	'immediate stop' => sub { $node->stop('immediate'); $node->start });
for my $how (sort keys %crashes)
{
	my $load = start_load($node, writers => 2);
	hits_grow($node, 300);
	$crashes{$how}->();
	is(end_load($load, 'wait'), '', "$how: nothing differed before");
	is( $node->safe_psql('postgres',
			'SELECT entries, bytes_pinned, bytes_used FROM perfopt_cache_usage()'),
		'0|0|0',
		"$how: the cache is empty");
	my $sum = $node->safe_psql('postgres', $all);
	is(served($node, "$all; $all"), "$sum $sum served 1", "$how: right and served");
	$load = start_load($node, writers => 2);
	hits_grow($node, 300);
	is(end_load($load), '', "$how: nothing differs afterwards");
	accounted($node, $how);
}

#
# A client is killed under load
#
my $load = start_load($node);
hits_grow($node, 100);
kill_load($load);
is(end_load($load), '', 'killed clients: nothing differed');
accounted($node, 'killed clients');

sub kill_load
{
	my ($victims) = @_;
	$_->{handle}->signal('KILL') for @{ $victims->{parts} };
	return;
}

#
# A client that does not read on in the middle of an answer that is being made,
# and what can become of it.  By the protocol's other way, too, and by portions.
#
sub stalled_pid
{
	my $stalled = q{FROM pg_stat_activity WHERE wait_event = 'ClientWrite'};
	$node->poll_query_until('postgres', "SELECT count(*) = 1 $stalled")
	  or die 'the client is not stalled';
	return $node->safe_psql('postgres', "SELECT pid $stalled");
}

my %starts = (
	'simple' => sub { ask($_[0], 'SELECT * FROM big') },
	'extended' => sub { extended($_[0], 'SELECT * FROM big', 0) },
	'extended, in portions' => sub { extended($_[0], 'SELECT * FROM big', 2500) });
my %ends = (
	'goes on' => [ sub { }, qr/^(3000|2500) $/ ],
	'is cancelled' =>
	  [ sub { $node->safe_psql('postgres', "SELECT pg_cancel_backend($_[1])") }, qr/^\d+ (57014)?$/ ],
	'is terminated' =>
	  [ sub { $node->safe_psql('postgres', "SELECT pg_terminate_backend($_[1])") }, qr/^\d+ (closed|57P01)$/ ],
	'goes away' => [ sub { $_[0]->close }, undef ]);
for my $start (sort keys %starts)
{
	for my $end (sort keys %ends)
	{
		my $client = raw_client($node);
		answer($client, 'SET perfopt.cache = force');
		ask($client, 'BEGIN');
		ready($client);
		$starts{$start}->($client);
		my $pid = stalled_pid();
		$ends{$end}->[0]->($client, $pid);
		if ($ends{$end}->[1])
		{
			like(join(' ', ready($client)), $ends{$end}->[1], "$start, $end: what the client got");
			is(answer($client, 'ROLLBACK; SELECT v FROM small'), '1', "$start, $end: the session goes on")
			  if $end ne 'is terminated';
			$client->close;
		}
		$node->poll_query_until('postgres',
			"SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
	}
}
is( $node->safe_psql('postgres',
		q{SELECT count(*) FROM perfopt_cache_entries WHERE query LIKE '%big%'}),
	'0',
	'nothing of these is kept, in this small cache');
accounted($node, 'stalled clients');

#
# Sessions that only make and replace answers, large and small, and read them
# again, are terminated one after the other at whatever they are about.
#
my $busy = join('; ',
	map { "SELECT perfopt_invalidate('wide'); SELECT * FROM wide WHERE id > $_; SELECT * FROM wide WHERE id > $_; SELECT v FROM small" } 1 .. 400);
for my $round (1 .. 25)
{
	my $client = raw_client($node);
	my $pid = answer($client, 'SELECT pg_backend_pid()');
	answer($client, 'SET perfopt.cache = force');
	ask($client, $busy);
	# not all in the same place: it has given this much
	read($client, my $begin, 20_000 * $round);
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	# the stream was left in the middle of a message
	while (read($client, my $rest, 65536)) { }
	$client->close;
	$node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
}
is( served($node, 'SELECT count(*) FROM (SELECT * FROM wide WHERE id > 3) x'),
	'397 served 0', 'right answers');
accounted($node, 'terminated sessions');

#
# Somebody who looks at the answers is terminated, and cancelled, with some of
# them in hand: what tells whether their texts may be read is locked.
#
$node->safe_psql('postgres', 'CREATE ROLE looker');
for my $end ('cancel', 'terminate')
{
	my ($holder, $looker) = (raw_client($node), raw_client($node));
	my $pid = answer($looker, 'SELECT pg_backend_pid()');
	answer($holder, 'SET perfopt.cache = force; SELECT v FROM small; SELECT * FROM wide');
	answer($looker, 'SELECT 1; SET ROLE looker');
	answer($holder, 'BEGIN; LOCK TABLE pg_auth_members');
	ask($looker, 'SELECT count(*) FROM perfopt_cache_entries()');
	waits_for_lock($node, $pid);
	$node->safe_psql('postgres', "SELECT pg_${end}_backend($pid)");
	like(join(' ', ready($looker)), qr/^0 (57014|57P01)/, "looking, $end: ended");
	answer($holder, 'COMMIT');
	$_->close for $holder, $looker;
	$node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
	accounted($node, "looking, $end");
}

is(stats($node, 'errors'), '0', 'none of these was a failure of the cache');
$node->stop;
check_log($node, qr/was terminated by signal 9/);
done_testing();
