#
# What administrators do while others read: tables are rewritten and indexes
# made and dropped under load; databases are copied, moved, dropped and made
# anew, and leave the memory of their answers to others.
#
use strict;
use warnings;

use File::Temp;
use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('maintenance', conf => "autovacuum = off\nperfopt.cache_size = 2MB\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION perfopt;' . load_schema());

#
# Under load
#
my @work = (
	'VACUUM FULL load.a',
	'VACUUM (FREEZE) load.p',
	'CLUSTER load.a USING a_pkey',
	'CREATE INDEX CONCURRENTLY a_v ON load.a (v)',
	'REINDEX INDEX CONCURRENTLY load.a_v',
	'REINDEX TABLE CONCURRENTLY load.a',
	'DROP INDEX CONCURRENTLY load.a_v',
	'REFRESH MATERIALIZED VIEW CONCURRENTLY load.m',
	'REFRESH MATERIALIZED VIEW load.m',
	'ANALYZE load.a, load.p',
	'VACUUM FULL load.p',
	'CREATE INDEX p_v ON load.p (v); DROP INDEX load.p_v',
	'REINDEX TABLE load.a',
	'ALTER TABLE load.a SET (fillfactor = 70)',
	'ALTER TABLE load.p1 ALTER v SET STATISTICS 50',
	'BEGIN; ALTER MATERIALIZED VIEW load.m RENAME TO n; ALTER MATERIALIZED VIEW load.n RENAME TO m; COMMIT');

for my $protocol ('prepared', 'extended')
{
	my $load = start_load($node, protocol => $protocol, readers => 3, writers => 1);
	hits_grow($node, 50);
	for my $work (@work)
	{
		my (undef, undef, $stderr) = $node->psql('postgres', $work);
		is($stderr, '', "$protocol: $work");
		hits_grow($node, 20);
	}
	is(end_load($load), '', "$protocol: nothing differed");
}
is(stats($node, 'errors'), '0', 'nothing failed');
accounted($node, 'work under load');

# New indexes and statistics outdate nothing; a table that is rewritten is
# another, and indexes that are made anew may differ from those before
my $sum = 'SELECT sum(v) FROM load.a';
my ($value) = served($node, "$sum; $sum") =~ /^(\d+)/;
for (
	[ 'VACUUM FULL load.a', 1 ],
	[ 'CLUSTER load.a', 1 ],
	[ 'CREATE INDEX CONCURRENTLY a_v ON load.a (v)', 2 ],
	[ 'REINDEX TABLE CONCURRENTLY load.a', 1 ],
	[ 'ANALYZE load.a', 2 ])
{
	my ($work, $hits) = @$_;
	$node->safe_psql('postgres', $work);
	is(served($node, "$sum; $sum"), "$value $value served $hits", "after $work");
}

#
# What was at odds with the rows: an index over a function that was replaced
# since, and a constraint.  What is done about it changes what is read.
#
my $by_index = 'SET enable_seqscan = off; SELECT count(*) FROM odd WHERE f(v) = 1';
my $by_constraint = 'SET constraint_exclusion = on; SET enable_indexscan = off; SET enable_bitmapscan = off; SELECT count(*) FROM odd WHERE f(v) = 3';
for (
	[ 'REINDEX INDEX odd_f', $by_index ],
	[ 'REINDEX INDEX CONCURRENTLY odd_f', $by_index ],
	[ 'REINDEX TABLE odd', $by_index ],
	[ 'REINDEX SCHEMA public', $by_index ],
	[ 'REINDEX (CONCURRENTLY) DATABASE postgres', $by_index ],
	[ 'DROP INDEX odd_f', $by_index ],
	[ 'DROP INDEX CONCURRENTLY odd_f', $by_index ],
	[ 'ALTER TABLE odd DROP CONSTRAINT small', $by_constraint ])
{
	my ($repair, $odd) = @$_;
	$node->safe_psql('postgres', $_) for (
		'DROP TABLE IF EXISTS odd',
		'CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE RETURN $1 % 3',
		'CREATE TABLE odd (v int, CONSTRAINT small CHECK (f(v) < 3))',
		'INSERT INTO odd SELECT generate_series(1, 1200)',
		'CREATE INDEX odd_f ON odd (f(v)); ANALYZE odd',
		'CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE RETURN $1 % 4');
	my $before = $odd eq $by_index ? '400' : '0';
	is(served($node, "$odd; $odd"), "$before $before served 1", "before $repair");
	$node->psql('postgres', $repair);
	is(served($node, "$odd; $odd"), '300 300 served 1', "after $repair");
}

# Temporary tables come and go without a trace, however few slots there are.
is(served($node, "$sum; $sum"), "$value $value served 1", 'an answer');
$node->safe_psql('postgres', q{
	DO $$
	BEGIN
		FOR i IN 1 .. 300
		LOOP
			CREATE TEMPORARY TABLE mine (id serial PRIMARY KEY, t text);
			COMMIT;
			INSERT INTO mine (t) VALUES ('a');
			ALTER TABLE mine ADD COLUMN v int DEFAULT 1, DROP COLUMN t;
			COMMIT;
			TRUNCATE mine;
			DROP TABLE mine;
			COMMIT;
		END LOOP;
	END $$});
is(served($node, $sum), "$value served 1", 'after many temporary tables');

#
# Databases.  What their answers take is had again when they are gone.
#
my $entries_of = q{SELECT count(*) FROM perfopt_cache_entries() AS e
	LEFT JOIN pg_database AS d ON d.oid = e.dbid WHERE };
my $sum_t = 'SELECT sum(v) FROM t';

sub fill
{
	my ($db) = @_;
	$node->safe_psql($db, 'SET perfopt.cache = force; '
		  . join('; ', map { "SELECT repeat('x', 1000), g, $_ FROM t, generate_series(1, 50) g" } 1 .. 60));
	return;
}

sub make
{
	my ($db, $number, $how) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db " . ($how || ''));
	$node->safe_psql($db, "CREATE EXTENSION perfopt; CREATE TABLE t AS SELECT $number AS v")
	  unless $how;
	return;
}

for my $number (1 .. 3)
{
	make('again', $number);
	is(served($node, "$sum_t; $sum_t", db => 'again'),
		"$number $number served 1", "database $number of the same name");
	fill('again');
	cmp_ok($node->safe_psql('postgres', "$entries_of d.datname = 'again'"),
		'>', 10, "database $number fills the cache");
	my $force = $number == 2 ? ' WITH (FORCE)' : '';
	my $reader = $force && raw_client($node, 'again');
	answer($reader, "BEGIN; SET perfopt.cache = force; $sum_t") if $force;
	$node->safe_psql('postgres', "DROP DATABASE again$force");
	is( $node->safe_psql('postgres', "$entries_of d.oid IS NULL AND valid"),
		'0', "database $number is gone: so are its answers");
}
is(served($node, "$sum; $sum"), "$value $value served 1", 'others can be served');
accounted($node, 'dropped databases');
is( $node->safe_psql('postgres', q{
		SELECT count(*) FROM perfopt_cache_stats()
		WHERE dbid <> 0 AND dbid NOT IN (SELECT oid FROM pg_database)}),
	'0', 'dropped databases: their counters are had again');
is($node->safe_psql('postgres', "$entries_of d.oid IS NULL"),
	'0', 'dropped databases: their memory is had again');

# copies of a database with answers
make('mother', 10);
for my $strategy ('wal_log', 'file_copy')
{
	is(served($node, "$sum_t; $sum_t", db => 'mother'), '10 10 served 1', "$strategy: a database");
	make('daughter', 10, "TEMPLATE mother STRATEGY $strategy");
	is(served($node, "$sum_t; $sum_t", db => 'daughter'), '10 10 served 1', "$strategy: a copy");
	$node->safe_psql('daughter', 'UPDATE t SET v = 11');
	is(served($node, $sum_t, db => 'mother'), '10 served 1', "$strategy: a change of the copy");
	$node->safe_psql('mother', 'UPDATE t SET v = 12');
	is(served($node, $sum_t, db => 'daughter'), '11 served 0', "$strategy: the copy");
	is(served($node, "$sum_t; $sum_t", db => 'mother'), '12 12 served 1', "$strategy: and the other way");
	is(served($node, $sum_t, db => 'daughter'), '11 served 1', "$strategy: the copy again");
	$node->safe_psql('mother', 'UPDATE t SET v = 10');
	$node->safe_psql('postgres', 'DROP DATABASE daughter');
}

# a database that moves, changes in between, and moves back
my $dir = File::Temp::tempdir(CLEANUP => 1);
mkdir "$dir/there" or die "$dir: $!";
$node->safe_psql('postgres', "CREATE TABLESPACE there LOCATION '$dir/there'");
is(served($node, "$sum_t; $sum_t", db => 'mother'), '10 10 served 1', 'before the move');
$value = 10;
for my $where ('there', 'pg_default')
{
	$node->safe_psql('postgres', "ALTER DATABASE mother SET TABLESPACE $where");
	like(served($node, "$sum_t; $sum_t", db => 'mother'),
		qr/^$value $value served [12]$/, "moved to $where");
	$value++;
	$node->safe_psql('mother', 'UPDATE t SET v = v + 1');
	is(served($node, "$sum_t; $sum_t", db => 'mother'),
		"$value $value served 1", "changed in $where");
}
# a table that does
for my $where ('there', 'pg_default')
{
	$node->safe_psql('mother', "ALTER TABLE t SET TABLESPACE $where");
	like(served($node, "$sum_t; $sum_t", db => 'mother'),
		qr/^$value $value served [12]$/, "its table moved to $where");
}

is(stats($node, 'errors'), '0', 'nothing failed');
$node->safe_psql('postgres', 'DROP DATABASE mother; DROP TABLESPACE there');
accounted($node, 'after all');
$node->stop;
check_log($node);
done_testing();
