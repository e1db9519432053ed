#
# Serving is turned off and on again for the whole server while it is at work:
# each session stops with its next statement, changes are announced meanwhile,
# and what was stored before is not stale afterwards.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('reload', conf => "autovacuum = off\nperfopt.cache_size = 2MB\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION perfopt;' . load_schema());
$node->safe_psql('postgres', 'CREATE TABLE t (v int); INSERT INTO t VALUES (0)');

my @clients = map { raw_client($node) } 1 .. 3;
my $sum = 'SELECT sum(v) FROM t';
answer($_, "PREPARE s AS $sum") for @clients;

# Change the mode, and wait until each session knows: it has executed nothing
# but SHOW since.
sub turn
{
	my ($mode) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET perfopt.cache = $mode");
	$node->reload;
	for my $client (@clients)
	{
		my $tries = 0;
		while (answer($client, 'SHOW perfopt.cache') ne $mode && $tries++ < 1000)
		{
			$node->safe_psql('postgres', 'SELECT pg_sleep(0.01)');
		}
		cmp_ok($tries, '<', 1000, "a session hears of $mode");
	}
	return;
}

# How often this session was served, which knows best: nobody else reads t.
sub hits_of
{
	my ($client) = @_;
	return answer($client, q{SELECT coalesce(sum(hits), 0)::int
		FROM perfopt_cache_entries WHERE 't'::regclass = ANY (relids)});
}

my $value = 0;
for my $off ('off', 'observe', 'manual')
{
	# the load follows the server's mode and compares by itself
	turn('force');
	my $load = start_load($node, served => 'DEFAULT', writers => 2);
	hits_grow($node, 200);
	for my $client (@clients)
	{
		is(answer($client, "$sum; $sum; EXECUTE s"), join(' ', ($value) x 3), "before $off: served");
	}
	my $before = hits_of($clients[0]);
	cmp_ok($before, '>', 0, "before $off: from the cache");

	turn($off);
	for my $client (@clients)
	{
		is(answer($client, "$sum; EXECUTE s"), "$value $value", "$off: executed");
		answer($client, 'UPDATE t SET v = v + 1');
		$value++;
		is(answer($client, "$sum; EXECUTE s"), "$value $value", "$off: and executed");
	}
	is(hits_of($clients[0]), $before, "$off: no answer from the cache");

	turn('force');
	for my $client (@clients)
	{
		is(answer($client, "$sum; EXECUTE s; $sum"), join(' ', ($value) x 3), "after $off: not stale");
	}
	cmp_ok(hits_of($clients[0]), '>', 0, "after $off: from the cache again");
	hits_grow($node, 200);
	is(end_load($load), '', "$off and on: nothing differed");
}

# A transaction goes on in the mode it began with, or not; its snapshot counts.
answer($clients[0], "BEGIN ISOLATION LEVEL REPEATABLE READ; $sum");
turn('off');
answer($clients[1], 'UPDATE t SET v = v + 1');
is(answer($clients[0], "$sum; EXECUTE s"), "$value $value", 'a transaction across: its snapshot');
turn('force');
is(answer($clients[1], "$sum; $sum"), join(' ', ($value + 1) x 2), 'others see the change');
is(answer($clients[0], "$sum; EXECUTE s; COMMIT; $sum"),
	join(' ', $value, $value, $value + 1), 'it does not, until it ends');
$value++;

# other settings that a reload may change, while answers are there
my %others = (
	'perfopt.cache_max_result' => '1kB',
	'perfopt.cache_min_time' => '1h',
	'perfopt.cache_min_calls' => '1000',
	'perfopt.cache_verify' => '1',
	'work_mem' => '64kB',
	'extra_float_digits' => '0',
	'track_counts' => 'off');
for my $name (sort keys %others)
{
	$node->safe_psql('postgres', "ALTER SYSTEM SET $name = '$others{$name}'");
	turn('observe');			# both are known then
	turn('force');
	for my $client (@clients)
	{
		is(answer($client, "$sum; EXECUTE s"), "$value $value", "$name: before a change");
		answer($client, 'UPDATE t SET v = v + 1');
		$value++;
		is(answer($client, "$sum; EXECUTE s; $sum"), join(' ', ($value) x 3), "$name: after it");
	}
	$node->safe_psql('postgres', "ALTER SYSTEM RESET $name");
}
turn('observe');
is(stats($node, 'differences'), '0', 'nothing differed');
is(stats($node, 'errors'), '0', 'nothing failed');
$_->close for @clients;
accounted($node, 'after all');

$node->stop;
check_log($node);
done_testing();
