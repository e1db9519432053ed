#
# A subscriber: what the workers of logical replication write outdates the
# answers over it, however it comes: rows, truncation, a table's first copy,
# transactions that are streamed or prepared, and triggers that write more.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $conf = <<'CONF';
wal_level = logical
autovacuum = off
logical_decoding_work_mem = 64kB
wal_retrieve_retry_interval = 100ms
CONF
my $publisher = new_node('publisher', streaming => 'logical', conf => $conf);
my $subscriber = new_node('subscriber', streaming => 'logical',
	conf => "${conf}perfopt.cache_size = 2MB\n");
$_->start for $publisher, $subscriber;

my $tables = q{
	CREATE TABLE a (id int PRIMARY KEY, v int);
	CREATE TABLE b (id int PRIMARY KEY, v int);
	CREATE TABLE late (id int PRIMARY KEY, v int);
	CREATE TABLE audited (id int PRIMARY KEY, v int);};
$publisher->safe_psql('postgres', $tables . q{
	CREATE TABLE p (id int PRIMARY KEY, v int);
	INSERT INTO a SELECT g, 1 FROM generate_series(1, 10) g;
	INSERT INTO b SELECT g, 1 FROM generate_series(1, 10) g;
	INSERT INTO late SELECT g, 1 FROM generate_series(1, 10) g;
	INSERT INTO p SELECT g, 1 FROM generate_series(1, 10) g;
	CREATE PUBLICATION pub FOR TABLE a, b, p, audited;});
$subscriber->safe_psql('postgres', $tables . q{
	CREATE EXTENSION perfopt;
	CREATE TABLE p (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
	CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
	CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200);
	CREATE TABLE audit (id int, what text);
	CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO public.audit VALUES (coalesce(new.id, old.id), tg_op);
		RETURN NULL;
	END$$;
	CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON audited
		FOR EACH ROW EXECUTE FUNCTION note();
	ALTER TABLE audited ENABLE REPLICA TRIGGER note;});

sub sum_of { return "SELECT count(*), sum(v) FROM $_[0]" }

# twice, so that the second is served
sub twice { my $sql = sum_of(@_); return served($subscriber, "$sql; $sql") }

sub caught_up { $publisher->wait_for_catchup('sub'); return }

my %expected = map { $_ => '0|' } qw(a b late audited p);
is(twice($_), '0| 0| served 1', "$_: an answer before anything came")
  for sort keys %expected;

sub subscribe
{
	my ($name, $publication, $options) = @_;
	$subscriber->safe_psql('postgres',
		    "CREATE SUBSCRIPTION $name CONNECTION '"
		  . $publisher->connstr . ' dbname=postgres'
		  . "' PUBLICATION $publication WITH ($options)");
	$subscriber->wait_for_subscription_sync($publisher, $name);
	return;
}

subscribe('sub', 'pub', 'streaming = ' . (pg_major() >= 16 ? 'parallel' : 'on'));
$expected{$_} = '10|10' for qw(a b p);
like(twice($_), qr/^\Q$expected{$_} $expected{$_}\E served [12]$/, "$_: copied, and served again")
  for sort keys %expected;

# A reader whose transaction began before the changes, and one that is anew
my $old = raw_client($subscriber);
answer($old, 'SET perfopt.cache = force; CREATE TEMP TABLE seen (what text)');

sub both
{
	my ($mode, $table) = @_;
	return answer($old, "SET LOCAL perfopt.cache = $mode; "
		. "SELECT count(*) || '|' || coalesce(sum(v)::text, '') FROM $table");
}

# what the publisher does, the tables it concerns, and their contents after it
my @changes = (
	[ 'INSERT', 'INSERT INTO a VALUES (11, 1), (12, 1)', a => '12|12' ],
	[ 'UPDATE', 'UPDATE a SET v = 2 WHERE id = 1', a => '12|13' ],
	[ 'DELETE', 'DELETE FROM a WHERE id = 12', a => '11|12' ],
	[ 'several tables', 'BEGIN; UPDATE a SET v = 3 WHERE id = 1; INSERT INTO b VALUES (11, 1); COMMIT',
		a => '11|13', b => '11|11' ],
	[ 'rolled back', 'BEGIN; UPDATE a SET v = 3 WHERE id = 1; ROLLBACK', a => '11|13' ],
	[ 'a savepoint', 'BEGIN; UPDATE a SET v = 9 WHERE id = 2; SAVEPOINT s; UPDATE b SET v = 9; ROLLBACK TO s; COMMIT',
		a => '11|21', b => '11|11' ],
	[ 'TRUNCATE', 'TRUNCATE b', b => '0|' ],
	[ 'COPY', q{COPY b FROM PROGRAM 'printf "1\t1\n2\t1\n"'}, b => '2|2' ],
	[ 'into a partition', 'INSERT INTO p VALUES (111, 1)', p => '11|11' ],
	[ 'from one to another', 'UPDATE p SET id = id + 100 WHERE id = 5', p => '11|11', p1 => '9|9', p2 => '2|2' ],
	[ 'a trigger', 'INSERT INTO audited VALUES (1, 1)', audited => '1|1', audit => 1 ],
	[ 'a trigger again', 'UPDATE audited SET v = 2', audited => '1|2', audit => 2 ],
	[ 'much', 'INSERT INTO b SELECT g, 1 FROM generate_series(101, 5100) g', b => '5002|5002' ],
	[ 'much, with savepoints',
		'BEGIN; INSERT INTO b SELECT g, 1 FROM generate_series(10001, 15000) g; SAVEPOINT s;
		 INSERT INTO a SELECT g, 1 FROM generate_series(10001, 15000) g; ROLLBACK TO s;
		 DELETE FROM b WHERE id < 10; UPDATE a SET v = 0 WHERE id = 2; COMMIT',
		a => '11|12', b => '10000|10000' ],
	[ 'much, rolled back', 'BEGIN; INSERT INTO b SELECT g, 1 FROM generate_series(20001, 25000) g; ROLLBACK', b => '10000|10000' ],
	[ 'much less', 'TRUNCATE a, b', a => '0|', b => '0|' ],
	[ 'rows again', 'INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1)', a => '1|1', b => '1|1' ]);

sub check
{
	my ($what, $sql, %after) = @_;
	my @concerned = grep { $_ ne 'audit' } sort keys %after;
	my $audit = 'SELECT count(*) FROM audit';

	twice($_) for @concerned;
	served($subscriber, $audit);
	# TRUNCATE is what it is for old snapshots, with and without a cache
	my $look_back = $sql !~ /TRUNCATE/;
	answer($old, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
	my %before = map { $_ => both('off', $_) } @concerned;
	$look_back or answer($old, 'COMMIT');

	$publisher->safe_psql('postgres', $sql);
	caught_up();
	for my $table (@concerned)
	{
		$expected{$table} = $after{$table};
		like(twice($table), qr/^\Q$after{$table} $after{$table}\E served [12]$/, "$what: $table");
		is( $subscriber->safe_psql('postgres',
				'SET perfopt.cache = off; ' . sum_of($table)),
			$after{$table}, "$what: $table without the cache");
		is(join(',', both('force', $table), both('off', $table)),
			"$before{$table},$before{$table}", "$what: $table in an old snapshot")
		  if $look_back;
	}
	if (my $n = $after{audit})
	{
		is(served($subscriber, "$audit; $audit"), "$n $n served 1", "$what: what the trigger wrote");
	}
	answer($old, 'COMMIT') if $look_back;
	return;
}

check(@$_) for @changes;
$publisher->poll_query_until('postgres',
	'SELECT stream_txns > 0 FROM pg_stat_replication_slots');
ok(1, 'what is much was streamed');

#
# A table that is added later is copied by a worker of its own
#
is(twice('late'), '0| 0| served 2', 'not subscribed to: the answer of before');
$publisher->safe_psql('postgres', 'ALTER PUBLICATION pub ADD TABLE late');
$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION sub REFRESH PUBLICATION');
$subscriber->wait_for_subscription_sync($publisher, 'sub');
is(twice('late'), '10|10 10|10 served 1', 'refreshed: its rows');
check('refreshed', 'INSERT INTO late VALUES (11, 1)', late => '11|11');
$publisher->safe_psql('postgres', 'ALTER PUBLICATION pub DROP TABLE late');
$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION sub REFRESH PUBLICATION');
$publisher->safe_psql('postgres', 'INSERT INTO late VALUES (12, 1)');
caught_up();
is(twice('late'), '11|11 11|11 served 2', 'dropped: the answer stays');

#
# Prepared on the publisher, hence on the subscriber (which allows no REFRESH)
#
$publisher->safe_psql('postgres', 'CREATE TABLE two (v int); CREATE PUBLICATION pub2 FOR TABLE two');
$subscriber->safe_psql('postgres', 'CREATE TABLE two (v int)');
subscribe('sub2', 'pub2', 'two_phase = on');
my $two = 'SELECT sum(v) FROM two';
$publisher->safe_psql('postgres', 'INSERT INTO two VALUES (1)');
for my $end ('COMMIT', 'ROLLBACK')
{
	$publisher->wait_for_catchup('sub2');
	my ($before) = served($subscriber, "$two; $two") =~ /^(\d+)/;
	$publisher->safe_psql('postgres',
		"BEGIN; INSERT INTO two VALUES (10); PREPARE TRANSACTION 'x'");
	$publisher->wait_for_catchup('sub2');
	is( $subscriber->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'),
		'1', "$end PREPARED: prepared here, too");
	like(served($subscriber, $two), qr/^$before served/, "$end PREPARED: before it");
	$publisher->safe_psql('postgres', "$end PREPARED 'x'");
	$publisher->wait_for_catchup('sub2');
	my $after = $before + ($end eq 'COMMIT' ? 10 : 0);
	like(served($subscriber, "$two; $two"), qr/^$after $after served [12]$/, "$end PREPARED: after it");
}
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION sub2');

#
# The workers run with track_counts off, so nothing tells what they wrote
#
sub restart_worker
{
	my $worker = q{FROM pg_stat_subscription WHERE subname = 'sub' AND pid IS NOT NULL};
	$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION sub DISABLE');
	$subscriber->poll_query_until('postgres', "SELECT count(*) = 0 $worker");
	$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION sub ENABLE');
	$subscriber->poll_query_until('postgres', "SELECT count(*) > 0 $worker");
	return;
}

$publisher->safe_psql('postgres', 'TRUNCATE a, b, audited; ALTER PUBLICATION pub ADD TABLE late');
caught_up();
$subscriber->safe_psql('postgres', 'TRUNCATE audit; ALTER SYSTEM SET track_counts = off');
$subscriber->reload;
restart_worker();
check('untracked', 'INSERT INTO a VALUES (1, 1)', a => '1|1');
check('untracked, two tables', 'BEGIN; UPDATE a SET v = 2; INSERT INTO b VALUES (1, 1); COMMIT', a => '1|2', b => '1|1');
check('untracked, truncated', 'TRUNCATE b', b => '0|');
check('untracked, a trigger', 'INSERT INTO audited VALUES (1, 1)', audited => '1|1', audit => 1);
check('untracked, streamed', 'INSERT INTO b SELECT g, 1 FROM generate_series(1, 5000) g', b => '5000|5000');

# a table's first copy, and what it was before
is(twice('late'), '11|11 11|11 served 1', 'untracked: late before');
$subscriber->safe_psql('postgres', 'TRUNCATE late');
is(twice('late'), '0| 0| served 1', 'untracked: late emptied');
$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION sub REFRESH PUBLICATION');
$subscriber->wait_for_subscription_sync($publisher, 'sub');
is(twice('late'), '12|12 12|12 served 1', 'untracked: late copied');

# Counting begins in the middle of a transaction, in a way that no hook sees:
# what was written before that must be known nevertheless.
$subscriber->safe_psql('postgres', q{
	CREATE FUNCTION begin_to_count() RETURNS trigger LANGUAGE plpgsql AS $$
	DECLARE was text;
	BEGIN
		was := set_config('track_counts', 'on', true);
		RETURN new;
	END$$;
	CREATE TRIGGER count BEFORE UPDATE ON b FOR EACH ROW EXECUTE FUNCTION begin_to_count();
	ALTER TABLE b ENABLE REPLICA TRIGGER count;});
check('counted in part', 'BEGIN; UPDATE a SET v = 7; UPDATE b SET v = 2 WHERE id = 1; UPDATE b SET v = 3 WHERE id = 2; COMMIT',
	a => '1|7', b => '5000|5003');
$subscriber->safe_psql('postgres', 'ALTER SYSTEM RESET track_counts');
$subscriber->reload;
restart_worker();
check('tracked again', 'INSERT INTO a VALUES (2, 1)', a => '2|8');

# an error in the worker, which starts over
$subscriber->safe_psql('postgres', 'INSERT INTO a VALUES (3, 100)');
is(twice('a'), '3|108 3|108 served 1', 'a row of our own');
$publisher->safe_psql('postgres', 'BEGIN; UPDATE a SET v = 0 WHERE id = 1; INSERT INTO a VALUES (3, 1); COMMIT');
$subscriber->poll_query_until('postgres',
	'SELECT apply_error_count > 0 FROM pg_stat_subscription_stats');
is(twice('a'), '3|108 3|108 served 2', 'in the way of the worker, which fails');
$subscriber->safe_psql('postgres', 'DELETE FROM a WHERE id = 3');
caught_up();
is(twice('a'), '3|2 3|2 served 1', 'no longer in its way');

$old->close;
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION sub');
is(stats($subscriber, 'errors'), '0', 'nothing failed');
accounted($subscriber, 'subscriber');
$_->stop for $subscriber, $publisher;
check_log($_) for $publisher, $subscriber;
done_testing();
