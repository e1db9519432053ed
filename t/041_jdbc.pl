#
# JDBC: what it sends, in each of its query modes, is answered as without the
# cache.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress", "$FindBin::RealBin/drivers";

use PfoPage;
use PfoTest;
use Test::More;

my $jar = '/usr/share/java/postgresql.jar';
plan skip_all => "no $jar (libpostgresql-jdbc-java)" unless -e $jar;
my $lacking = lacks([ 'java', '--list-modules' ],
	[ 'java', '-XX:TieredStopAtLevel=1', '--describe-module', 'jdk.compiler' ]);
plan skip_all => "$lacking (a JDK, 11 or later)" if $lacking;

my $node = page_node('jdbc', conf => "listen_addresses = '127.0.0.1'\n");
my $user = getpwuid($<);
my $out = compare_pages(
	$node, 'JDBC',
	sub {
		my ($db) = @_;
		return [
			'java', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', $jar,
			"$drivers/Page.java",
			'jdbc:postgresql://127.0.0.1:' . $node->port . "/$db?user=$user",
			2,
			'prepareThreshold=5', 'prepareThreshold=1',
			'prepareThreshold=-1', 'prepareThreshold=1&binaryTransfer=false',
			'prepareThreshold=1&autosave=conservative',
			'preferQueryMode=simple',
			'preferQueryMode=extendedCacheEverything' ];
	},
	modes => [ 'force', 'verify' ],
	lines => 2000,
	hits => 1000);
ok($out =~ /cached plan must not change result type/,
	'a plan that changed was met');

$node->stop;
check_log($node);
done_testing();
