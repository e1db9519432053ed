#
# Copies of a server that was at work: a base backup, a standby and one behind
# it, and what was prepared before a restart or a promotion, definitions
# included.  Standbys serve nothing; what is promoted serves nothing wrong, also
# to sessions that were there before.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $conf = <<'CONF';
perfopt.cache_size = 2MB
perfopt.cache = force
hot_standby_feedback = on
autovacuum = off
CONF
my $primary = new_node('primary', streaming => 1, conf => $conf);
$primary->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION perfopt;' . load_schema());
$primary->safe_psql(
	'postgres', q{
	CREATE TABLE t (v int);
	INSERT INTO t VALUES (1), (2);
	CREATE TABLE locked (v int);
	INSERT INTO locked VALUES (1);
	CREATE FUNCTION f(int) RETURNS int RETURN $1;
	CREATE VIEW w AS SELECT sum(v) AS v FROM t;});

my $empty = 'SELECT entries, bytes_used FROM perfopt_cache_usage()';

#
# A base backup under load; its cache starts empty, and is right
#
my $load = start_load($primary, writers => 2);
hits_grow($primary, 100);
$primary->backup('busy', backup_options => [ '--checkpoint', 'fast' ]);
hits_grow($primary, 100);
is(end_load($load), '', 'backed up under load: nothing differed');

my $copy = PostgreSQL::Test::Cluster->new('copy');
$copy->init_from_backup($primary, 'busy');
$copy->start;
is($copy->safe_psql('postgres', $empty), '0|0', 'the copy starts empty');
$load = start_load($copy, writers => 2);
hits_grow($copy, 200);
is(end_load($load), '', 'the copy under load: nothing differs');
accounted($copy, 'the copy');
$copy->stop;
check_log($copy);

#
# A standby, and one behind it, under load while it is promoted
#
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'busy', has_streaming => 1);
$standby->append_conf('postgresql.conf', "recovery_target_timeline = 'latest'\n");
$standby->start;
$standby->backup('behind', backup_options => [ '--checkpoint', 'fast' ]);
my $behind = PostgreSQL::Test::Cluster->new('behind');
$behind->init_from_backup($standby, 'behind', has_streaming => 1);
$behind->start;
is($standby->safe_psql('postgres', $empty), '0|0', 'the standby starts empty');

my $definitions = 'SELECT sum(f(v)) FROM t';
my @statements = ('SELECT sum(v) FROM t', $definitions, 'SELECT v FROM w');

# sessions that are there all the time, the second in an old snapshot first
my @old = map { raw_client($standby) } 1, 2;
my $cascaded = raw_client($behind);
answer($_, join('; ', map { my $n = $_; "PREPARE s$n AS $statements[$n]" } 0 .. 2))
  for @old, $cascaded;

# Each of the statements, simple and prepared, with the cache and without it
sub all_of
{
	my ($client) = @_;
	my @said = map {
		answer($client, "SET perfopt.cache = $_; "
			  . join('; ', @statements, map { "EXECUTE s$_" } 0 .. 2))
	} 'force', 'off', 'force';
	is("@said[0, 2]", "@said[1, 1]", 'with the cache as without it');
	return $said[0];
}

# A table that an altering transaction has locked
my $rows = 'SELECT l::text FROM locked AS l';

sub rows_are
{
	my ($client, $expected, $what) = @_;
	answer($client, "SET lock_timeout = '20ms'");
	for my $mode ('off', 'force', 'force')
	{
		is(answer($client, "SET perfopt.cache = $mode; $rows"),
			$expected, "$what, cache $mode");
	}
	answer($client, 'RESET lock_timeout');
	return;
}

rows_are($old[0], '(1)', 'before any change: the table');
answer($old[1], "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
is(all_of($_), '3 3 3 3 3 3', 'before any change') for @old, $cascaded;

# What the primary prepares: rows and definitions, each to be committed or not.
# Readers of a function need not wait for that; those of a table must.
$primary->safe_psql(
	'postgres', q{
	INSERT INTO t VALUES (3);
	BEGIN; UPDATE t SET v = 10 WHERE v = 1; PREPARE TRANSACTION 'rows, COMMIT';
	BEGIN; INSERT INTO t VALUES (100); PREPARE TRANSACTION 'rows, ROLLBACK';
	BEGIN; CREATE OR REPLACE FUNCTION f(int) RETURNS int RETURN $1 * 2;
	INSERT INTO load.a VALUES (201, 1, 1, 'x'); PREPARE TRANSACTION 'definitions, COMMIT';
	BEGIN; ALTER TABLE locked ADD w int DEFAULT 5; PREPARE TRANSACTION 'table';
});
$primary->wait_for_catchup($standby);
$standby->wait_for_catchup($behind, 'replay', $standby->lsn('replay'));
is(all_of($old[0]), '6 6 6 6 6 6', 'the standby follows');
is(all_of($old[1]), '3 3 3 3 3 3', 'but for an old snapshot');
is(all_of($cascaded), '6 6 6 6 6 6', 'so does the one behind it');
rows_are($_, '55P03', 'the table is locked') for $old[0], $cascaded;
is(stats($_, 'hits'), '0', $_->name . ' has served nothing') for $standby, $behind;

my $readers = start_load($standby, writers => 0);
my $writers = start_load($primary, readers => 0, writers => 2);
my $reasons =
  q{SELECT coalesce(sum(count), 0) FROM perfopt_cache_reasons WHERE reason = '%s'};
my $recovering = sprintf($reasons, 'recovery');
$standby->poll_query_until('postgres', "SELECT ($recovering) > 500")
  or die 'no load on the standby';
is(end_load($writers), '', 'writers on the primary');
$standby->promote;
$primary->stop;
my $prepared_before = sprintf($reasons, 'prepared_before_start');
$standby->poll_query_until('postgres', "SELECT ($prepared_before) > 500")
  or die 'no load after the promotion';
is(stats($standby, 'hits'), '0', 'promoted: nothing is served before the end of what was prepared');

$writers = start_load($standby, readers => 0, writers => 2);
is(all_of($old[1]), '3 3 3 3 3 3', 'promoted: the old snapshot');
is(all_of($old[0]), '6 6 6 6 6 6', 'promoted: a session of before');
my $new = raw_client($standby);
answer($new, join('; ', map { my $n = $_; "PREPARE s$n AS $statements[$n]" } 0 .. 2));
is(all_of($new), '6 6 6 6 6 6', 'promoted: a new session');

rows_are($_, '55P03', 'promoted: the table is locked') for $old[0], $new;
answer($new, "COMMIT PREPARED 'table'");
rows_are($_, '(1,5)', 'the table is altered') for $old[0], $new;

# ended by an old session, a new one, and the one with the old snapshot
answer($old[0], "COMMIT PREPARED 'rows, COMMIT'");
is(all_of($_), '15 15 15 15 15 15', 'rows committed') for $old[0], $new;
is(all_of($old[1]), '3 3 3 3 3 3', 'rows committed, the old snapshot');
answer($new, "ROLLBACK PREPARED 'rows, ROLLBACK'");
is(all_of($_), '15 15 15 15 15 15', 'rows rolled back') for $old[0], $new;
is(stats($standby, 'hits'), '0', 'promoted: still nothing is served');
answer($old[1], 'COMMIT');
answer($old[1], "COMMIT PREPARED 'definitions, COMMIT'");
is(all_of($_), '15 30 15 15 30 15', 'definitions committed') for @old, $new;
hits_grow($standby, 200);
is(end_load($_), '', 'load over the promotion: nothing differed') for $readers, $writers;
is(all_of($_), '15 30 15 15 30 15', 'and served') for @old, $new;
like(served($standby, "$definitions; $definitions"), qr/^30 30 served [12]$/, 'definitions: served');

$standby->wait_for_catchup($behind, 'replay', $standby->lsn('write'));
is(all_of($cascaded), '15 30 15 15 30 15', 'the one behind follows the promoted one');
is($behind->safe_psql('postgres', "SELECT ($recovering) > 0"), 't', 'and says why it serves nothing');
is(stats($behind, 'hits'), '0', 'as it does');
$_->close for @old, $new, $cascaded;
accounted($standby, 'promoted');
$behind->stop;

#
# The same over restarts, of an ordinary server
#
my ($factor, $w) = (2, 5);
for my $how ('fast', 'immediate')
{
	for my $end ('COMMIT', 'ROLLBACK')
	{
		my $next = $factor + 1;
		$standby->safe_psql(
			'postgres', qq{
			BEGIN; CREATE OR REPLACE FUNCTION f(int) RETURNS int RETURN \$1 * $next;
			CREATE OR REPLACE VIEW unused AS SELECT 1 AS x; PREPARE TRANSACTION 'd';
			BEGIN; CREATE TABLE later (v int); INSERT INTO later VALUES (1);
			ALTER TABLE later ADD w int DEFAULT 5; PREPARE TRANSACTION 'e';
			SET perfopt.cache = force; $rows; $rows;
			BEGIN; ALTER TABLE locked ALTER w TYPE numeric USING w + 1; PREPARE TRANSACTION 'table'});
		my $before = 15 * $factor;
		is(served($standby, $definitions) =~ s/ .*//r, $before, "$how, $end: prepared");
		$standby->stop($how);
		$standby->start;
		my $client = raw_client($standby);
		answer($client, "PREPARE s AS $definitions");
		is(answer($client, "$definitions; EXECUTE s; EXECUTE s"),
			"$before $before $before", "$how, $end: restarted");
		is(served($standby, "$definitions; $definitions"),
			"$before $before served 0", "$how, $end: nothing is served");
		rows_are($client, '55P03', "$how, $end: the table is locked");
		$standby->safe_psql('postgres', "$end PREPARED 'd'; $end PREPARED 'table'");
		$w++ if $end eq 'COMMIT';
		rows_are($client, "(1,$w)", "$how, $end: the table is not");
		$factor = $next if $end eq 'COMMIT';
		my $after = 15 * $factor;
		is(answer($client, "$definitions; EXECUTE s; EXECUTE s"),
			"$after $after $after", "$how, $end: ended");
		is(served($standby, "$definitions; $definitions"),
			"$after $after served 0", "$how, $end: another is still prepared");
		$standby->safe_psql('postgres', "$end PREPARED 'e'");
		is(answer($client, "$definitions; EXECUTE s; EXECUTE s"),
			"$after $after $after", "$how, $end: all ended");
		like(served($standby, "$definitions; $definitions"),
			qr/^$after $after served [12]$/, "$how, $end: served again");
		is(served($standby, 'SELECT v, w FROM later; SELECT v, w FROM later'),
			'1|5 1|5 served 1', "$how, $end: the new table")
		  if $end eq 'COMMIT';
		$standby->safe_psql('postgres', 'DROP TABLE IF EXISTS later');
		$client->close;
	}
}

is(stats($standby, 'errors'), '0', 'nothing failed');
$standby->stop;
check_log($_) for $primary, $standby, $behind;
done_testing();
