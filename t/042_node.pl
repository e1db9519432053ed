#
# node-postgres: what it sends is answered as without the cache.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress", "$FindBin::RealBin/drivers";

use File::Temp;
use PfoPage;
use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

# Debian's package if it is there, else what npm can get; cursors are optional
my $dir = File::Temp::tempdir(CLEANUP => 1);
my $lacking = lacks([ 'node', '--version' ]);
plan skip_all => $lacking if $lacking;
if (lacks([ 'node', '-e', 'require("pg"); require("pg-cursor")' ]))
{
	# with --prefix, npm would not read the machine's configuration
	local $ENV{npm_config_cache} = "$dir/cache";
	append_to_file("$dir/package.json", "{}\n");
	$lacking = lacks([
		'sh', '-c', "cd '$dir' && npm install --no-save --no-audit --no-fund"
		  . ' --fetch-retries=0 --fetch-timeout=15000 pg pg-cursor' ])
	  && 'npm cannot install pg';
	plan skip_all => "$lacking, nor is there node-pg"
	  if $lacking && lacks([ 'node', '-e', 'require("pg")' ]);
	$ENV{NODE_PATH} = "$dir/node_modules" unless $lacking;
}

my $node = page_node('node');
my $user = getpwuid($<);
my $out = compare_pages(
	$node, 'node',
	sub {
		return [
			'node', '--no-deprecation', "$drivers/page.js", $node->host,
			$node->port, $user, $_[0], 2 ];
	},
	lines => 400,
	hits => 200);
ok($out =~ /cached plan must not change result type/,
	'a plan that changed was met');

$node->stop;
check_log($node);
done_testing();
