#
# A standby hears of no announcements: it serves nothing until it is promoted,
# and then nothing wrong, whatever was prepared before.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_node('primary', streaming => 1);
$primary->start;
$primary->safe_psql(
	'postgres', q{
	CREATE EXTENSION perfopt;
	CREATE TABLE t (id int, v int);
	INSERT INTO t SELECT g, 1 FROM generate_series(1, 10) g;
});
$primary->backup('b', backup_options => [ '--checkpoint', 'fast' ]);
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'b', has_streaming => 1);
$standby->start;

my $sum = 'SELECT sum(v) FROM t';
my $twice = "$sum; $sum";

is(served($primary, $twice), '10 10 served 1', 'the primary serves');
is(served($standby, $twice), '10 10 served 0', 'the standby does not');
is( $standby->safe_psql(
		'postgres', q{
	SELECT count(*) > 0 FROM perfopt_cache_reasons WHERE reason = 'recovery'}),
	't',
	'and says why');

is( $standby->safe_psql(
		'postgres', qq{
	SELECT perfopt_reset();
	SET compute_query_id = on; SET perfopt.cache_min_time = 0;
	SET perfopt.cache_min_calls = 1; SET perfopt.cache = observe;
	\\o /dev/null
	} . "$sum; " x 5 . q{
	\o
	SET perfopt.cache = off;
	SELECT count FROM perfopt_cache_reasons WHERE reason = 'recovery';
	SELECT count(*) FROM perfopt_cache_savings WHERE would_hit > 0}),
	"\n5\n0",
	'nor does it predict that it would');

# a session that was there before the promotion, in a transaction of its own
my $old = raw_client($standby);
is(answer($old, "SET perfopt.cache = force; BEGIN ISOLATION LEVEL REPEATABLE READ; $sum"),
	'10', 'a transaction of before the promotion');

$primary->safe_psql('postgres',
	"BEGIN; UPDATE t SET v = 5 WHERE id = 1; PREPARE TRANSACTION 'p'");
$primary->safe_psql('postgres', 'UPDATE t SET v = 2 WHERE id = 2');
$primary->wait_for_catchup($standby);
is(served($standby, $twice), '11 11 served 0', 'the standby follows');
$standby->promote;
$primary->stop;

is(served($standby, $twice), '11 11 served 0',
	'promoted, with a prepared transaction open');
$standby->safe_psql('postgres', 'UPDATE t SET v = 3 WHERE id = 3');
is(served($standby, $twice), '13 13 served 0', 'and changed');
is( answer($old, "$sum; $sum; SELECT reason FROM perfopt_cache_reasons WHERE reason = 'snapshot'"),
	'10 10 snapshot',
	'the old transaction sees what it saw, and why it is not served');
is(answer($old, "COMMIT; $sum"), '13', 'its session sees the change afterwards');
$standby->safe_psql('postgres', "COMMIT PREPARED 'p'");
is(served($standby, $twice), '17 17 served 1', 'healed when it ended');
$standby->safe_psql('postgres', 'UPDATE t SET v = 4 WHERE id = 3');
is(served($standby, $twice), '18 18 served 1', 'an ordinary server now');
$old->close;

$standby->stop;
check_log($standby);
check_log($primary);
done_testing();
