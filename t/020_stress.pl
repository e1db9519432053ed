#
# Random sessions against the cache, each answer of which is executed again in
# the same snapshot: 100,000 comparisons without a difference.  PFO_SEED
# repeats a run's sessions.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $program = build_stress();
my $node = new_node('stress', conf => "fsync = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION perfopt');

my $output = '';
my $status = 0;
my $command = sprintf('%s --seed %s --seconds 60 --least 100000 "%s" 2>&1',
	$program, stress_seed(), $node->connstr('postgres'));
$output = `$command`;
$status = $? >> 8;
diag($output) if $status;
note($output);
is($status, 0, 'the sessions ended as they should');
like($output, qr/ differences 0,/, 'no answer differed');
my ($verified) = $output =~ /verified (\d+)/;
cmp_ok($verified || 0, '>=', 100000, 'so many answers were compared');
unlike($output, qr/UNEXPECTED/, 'no error that concurrency does not explain');
is(stats($node, 'bytes_pinned'), '0', 'nothing stays pinned');

$node->stop;
check_log($node);
done_testing();
