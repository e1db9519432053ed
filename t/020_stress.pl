#
# Random sessions against the cache, each answer of which is executed again in
# the same snapshot: 100,000 comparisons without a difference, and some of
# every kind.  PFO_SEED repeats a run's sessions, PFO_SECONDS makes it longer.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $program = build_stress();
# compiling, which a plan without its index leads to, would take most of the time
my $node = new_node('stress', conf => "fsync = off\njit = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION perfopt');

# How many of a kind must be compared at least, and answered from the cache,
# so that nothing ceases to be exercised unnoticed: far below what is usual.
my %least = (
	statement => [ 200, 40 ],
	after_own_writes => [ 200, 30 ],
	function => [ 100, 20 ],
	stable_function => [ 100, 20 ],
	trigger => [ 300, 30 ],
	block => [ 50, 10 ],
	procedure => [ 20, 5 ],
	cursor => [ 500, 100 ],
	cursor_with_hold => [ 100, 20 ],
	current_of => [ 50, 0 ],	# never served: the executor wants its own scan
	portal => [ 300, 50 ],
	copy => [ 100, 20 ],
	prepared => [ 500, 100 ],
	single_row => [ 100, 20 ],
	pipeline => [ 1000, 200 ],
	role => [ 300, 50 ],
	policy => [ 300, 20 ],
	definer => [ 200, 50 ],
	interrupted => [ 100, 20 ]);

my $seconds = $ENV{PFO_SECONDS} || 60;
my $command = sprintf(
	'%s --seed %s --seconds %d --at-most %d --comparisons 100000 "%s" 2>&1',
	$program, stress_seed(), $seconds, 3 * $seconds,
	$node->connstr('postgres'));
my $output = `$command`;
my $status = $? >> 8;
diag($output) if $status;
note($output);
is($status, 0, 'the sessions ended as they should');
like($output, qr/ differences 0,/, 'no answer differed');
my ($comparisons) = $output =~ / comparisons (\d+)/;
cmp_ok($comparisons || 0, '>=', 100000, 'so many answers were compared');
unlike($output, qr/UNEXPECTED/, 'no error that concurrency does not explain');
my %found = map { /^kind (\w+): compared (\d+), served (\d+)/ ? ($1, [ $2, $3 ]) : () }
  split /\n/, $output;
is_deeply([ sort keys %found ], [ sort keys %least ], 'all kinds are known');
for my $kind (sort keys %least)
{
	my ($compared, $served) = @{ $found{$kind} || [ 0, 0 ] };
	ok($compared >= $least{$kind}[0] && $served >= $least{$kind}[1],
		"$kind: enough is compared and served")
	  or diag("compared $compared, served $served");
}
my ($terminated, $cancelled) = map { $output =~ /\b$_ (\d+)/ ? $1 : 0 }
  qw(reconnected cancelled);
cmp_ok($terminated, '>=', 10, 'sessions were terminated and came back');
cmp_ok($cancelled, '>=', 50, 'statements were cancelled');
is(stats($node, 'bytes_pinned'), '0', 'nothing stays pinned');

$node->stop;
check_log($node);
done_testing();
