#
# Statements that end while they wait, or while an answer is made: timeouts,
# cancels, deadlocks.  The errors are PostgreSQL's own, the session goes on,
# and nothing stays pinned.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('timeouts', conf => "autovacuum = off\nperfopt.cache_size = 1MB\n");
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION perfopt;
	CREATE TABLE p (id int, v int) PARTITION BY RANGE (id);
	CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
	CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
	INSERT INTO p SELECT g, 1 FROM generate_series(0, 19) g;
	CREATE TABLE other (v int);
	INSERT INTO other VALUES (7);
});
my $sum = 'SELECT sum(v) FROM p';
my $kept = 'SELECT v FROM other';

# an execution that is never done before any timeout
my $endless =
  'SELECT count(*) FROM p a, p b, p c, p d, p e, p f, p g, p h, p i, p j, p k WHERE a.v + b.v + k.v > 5';

sub pid_of { return answer($_[0], 'SELECT pg_backend_pid()') }

my $holder = raw_client($node);
my $reader = raw_client($node);
my $pid = pid_of($reader);
answer($holder, "SET deadlock_timeout = '1h'");
answer($reader, 'SET perfopt.cache = force');

#
# In the middle of a fill
#
for my $way (
	[ 'out of time', "SET LOCAL statement_timeout = '50ms'", undef, '57014' ],
	[ 'cancelled', 'SELECT 1', "SELECT pg_cancel_backend($pid)", '1 57014' ])
{
	my ($name, $before, $event, $expected) = @$way;
	answer($reader, "BEGIN; $kept; SAVEPOINT s");
	ask($reader, "$before; $endless");
	if ($event)
	{
		$node->poll_query_until('postgres',
			"SELECT state = 'active' AND query LIKE '%p k%' FROM pg_stat_activity WHERE pid = $pid");
		$node->safe_psql('postgres', $event);
	}
	my @values = ();
	my (undef, $state) = ready($reader, \@values);
	is(join(' ', @values, $state), $expected, "$name while an answer is made");
	is(answer($reader, "ROLLBACK TO s; $kept; $sum; $sum; COMMIT"),
		'7 20 20', "$name: the transaction goes on");
}
is( $node->safe_psql(
		'postgres', q{
	SELECT count(*) FROM perfopt_cache_entries WHERE query LIKE '%p k%'}),
	'0',
	'nothing of them is kept');

#
# Waiting for the lock of a partition, which a hit takes without planning
#
is(served($node, $sum), '20 served 1', 'there is an answer');
answer($reader, "PREPARE s AS $sum; EXECUTE s");

my %ways = (
	'statement_timeout' => [ "SET LOCAL statement_timeout = '30ms'", undef, '57014' ],
	'lock_timeout' => [ "SET LOCAL lock_timeout = '30ms'", undef, '55P03' ],
	'cancel' => [ 'SELECT 1', "SELECT pg_cancel_backend($pid)", '1 57014' ]);
for my $way (sort keys %ways)
{
	my ($before, $event, $expected) = @{ $ways{$way} };
	for my $statement ($sum, 'EXECUTE s')
	{
		# off: what PostgreSQL says by itself
		for my $mode ('off', 'force')
		{
			my $what = "$way, $statement, cache $mode";
			answer($holder, 'BEGIN; LOCK TABLE ONLY p2');
			answer($reader, "BEGIN; SET LOCAL perfopt.cache = $mode; $kept; SAVEPOINT s");
			ask($reader, "$before; $statement");
			if ($event)
			{
				waits_for_lock($node, $pid);
				$node->safe_psql('postgres', $event);
			}
			my @values = ();
			my (undef, $state) = ready($reader, \@values);
			is(join(' ', @values, $state), $expected, "$what: the error");
			is(answer($reader, "ROLLBACK TO s; $kept"), '7', "$what: the session goes on");
			answer($holder, 'COMMIT');
			is(answer($reader, "$statement; COMMIT"), '20', "$what: the lock is free");
		}
	}
}
is(served($node, $sum), '20 served 1', 'the answer is still there');

# The answer is outdated while somebody waits for a lock because of it.  With
# EXECUTE the snapshot is older than the wait: whoever does without the cache
# waits at the same time and gets the same.
my $plain = raw_client($node);
my $plain_pid = pid_of($plain);
answer($plain, "SET perfopt.cache = off; PREPARE s AS $sum; EXECUTE s");
my $twenty = 20;
for my $statement ($sum, 'EXECUTE s')
{
	for my $end ('COMMIT', 'ROLLBACK')
	{
		answer($holder, 'BEGIN; LOCK TABLE ONLY p2; UPDATE p2 SET v = v + 1 WHERE id = 15');
		ask($_, $statement) for $reader, $plain;
		waits_for_lock($node, $_) for $pid, $plain_pid;
		answer($holder, $end);
		my (@served, @executed);
		ready($reader, \@served);
		ready($plain, \@executed);
		is("@served", "@executed", "$statement: waited for a writer's $end");
		$twenty++ if $end eq 'COMMIT';
		is(answer($reader, $statement), $twenty, "$statement: the next one");
	}
}
$plain->close;

# the same, and another session has removed the answer before the waiter goes on
is(served($node, "$sum; $sum"), "$twenty $twenty served 2", 'an answer again');
answer($holder, 'BEGIN; LOCK TABLE ONLY p2');
ask($reader, $sum);
waits_for_lock($node, $pid);
$node->safe_psql('postgres', 'UPDATE p1 SET v = v + 1 WHERE id = 5');
$twenty++;
my $remover = raw_client($node);
ask($remover, "SET perfopt.cache = force; $sum");
waits_for_lock($node, pid_of_waiter($pid));
answer($holder, 'COMMIT');
for my $client ($reader, $remover)
{
	my @values = ();
	ready($client, \@values);
	is("@values", $twenty, 'waited while the answer was outdated');
}
$remover->close;

sub pid_of_waiter
{
	my ($but) = @_;
	my $others = "FROM pg_locks WHERE NOT granted AND pid <> $but";
	$node->poll_query_until('postgres', "SELECT count(*) = 1 $others");
	return $node->safe_psql('postgres', "SELECT pid $others");
}

#
# A deadlock through the lock of a partition: the reader is the one to notice
#
for my $mode ('off', 'force')
{
	is(served($node, "$sum; $sum"), "$twenty $twenty served " . ($mode eq 'off' ? 2 : 1) , 'an answer for the deadlock')
	  if $mode eq 'off';
	answer($reader, "BEGIN; SET LOCAL perfopt.cache = $mode; SET LOCAL deadlock_timeout = '10ms'; LOCK TABLE other; SAVEPOINT s");
	answer($holder, 'BEGIN; LOCK TABLE ONLY p2');
	ask($holder, 'LOCK TABLE other');
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_locks WHERE NOT granted");
	is(answer($reader, $sum), '40P01', "cache $mode: a deadlock");
	is(answer($reader, 'ROLLBACK TO s; SELECT v FROM other; COMMIT'),
		'7', "cache $mode: the transaction goes on");
	is(join(' ', ready($holder)), '0 ', "cache $mode: so does the other's");
	answer($holder, 'COMMIT');
}
is(answer($reader, "$sum; $sum"), "$twenty $twenty", 'after the deadlocks');

#
# Catalogs that somebody has locked: a session that can execute can also be
# answered, and store, without waiting for any.
#
$node->safe_psql('postgres', q{
	CREATE FUNCTION f(int) RETURNS int RETURN $1 + 1;
	CREATE VIEW w AS SELECT sum(f(v)) AS v FROM p;});
my $shape = "SELECT w.v + %d - %d FROM w, other WHERE other.v::text LIKE '7%%'";
my $stored = sprintf($shape, 0, 0);
my $session = raw_client($node);
for my $mode ('off', 'force')
{
	is(answer($session, "SET perfopt.cache = $mode; $stored; $stored"),
		join(' ', ($twenty + 20) x 2), "cache $mode: before catalogs are locked");
}
answer($session, "SET lock_timeout = '20ms'");
my $n = 0;
my $waited = '';
for my $catalog (
	split /\n/, $node->safe_psql('postgres', q{
		SELECT relname FROM pg_class
		WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'}))
{
	my $new = sprintf($shape, ++$n, $n);
	answer($holder, "BEGIN; LOCK TABLE pg_catalog.$catalog");
	my ($executed, $served) = map {
		my $mode = $_;
		answer($session, "SET perfopt.cache = $mode");
		join ' ', map { answer($session, $_) } $new, $stored, $new;
	} 'off', 'force';
	answer($holder, 'COMMIT');
	$waited .= "$catalog: $executed, with the cache $served\n" if $executed ne $served;
}
cmp_ok($n, '>', 50, 'catalogs were locked');
is($waited, '', 'for none of them the cache waits');
$session->close;

#
# Terminated by somebody, or for having been idle, with an answer in use
#
$reader->close;
for my $statement ($sum, 'EXECUTE s', "EXPLAIN $sum")
{
	my $victim = raw_client($node);
	my $its_pid = pid_of($victim);
	answer($victim, "SET perfopt.cache = force; PREPARE s AS $sum; EXECUTE s");
	answer($holder, 'BEGIN; LOCK TABLE ONLY p2');
	ask($victim, $statement);
	waits_for_lock($node, $its_pid);
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($its_pid)");
	is(join(' ', ready($victim)), '0 57P01', "$statement: terminated while waiting for a lock");
	answer($holder, 'COMMIT');
	$victim->close;
}

for my $portal (undef, 0, 1)
{
	my $idle = raw_client($node);
	my $what = !defined $portal ? 'no portal' : $portal ? 'a portal in part' : 'a whole portal';
	answer($idle, "SET perfopt.cache = force; SET idle_in_transaction_session_timeout = '20ms'");
	ask($idle, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
	extended($idle, 'SELECT id, v FROM p', $portal) if defined $portal;
	my (undef, $state) = ready($idle);
	(undef, $state) = ready($idle) while $state eq '';
	is($state, '25P03', "idle in a transaction, $what: terminated");
	$idle->close;
}

SKIP:
{
	skip 'no transaction_timeout', 1 if pg_major() < 17;

	my $slow = raw_client($node);
	answer($slow, "SET perfopt.cache = force; SET transaction_timeout = '30ms'");
	answer($holder, 'BEGIN; LOCK TABLE ONLY p2');
	ask($slow, $sum);
	is(join(' ', ready($slow)), '0 25P04', 'a transaction out of time');
	answer($holder, 'COMMIT');
	$slow->close;
}

is(stats($node, 'errors'), '0', 'none of these was a failure of the cache');
is(served($node, "$sum; $sum"), "$twenty $twenty served 2", 'an answer is there');
$holder->close;
accounted($node, 'after all');

$node->stop;
check_log($node);
done_testing();
