#
# psycopg 2 and 3: what they send, in a page of an application, is answered
# as without the cache.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress", "$FindBin::RealBin/drivers";

use PfoPage;
use PfoTest;
use Test::More;

my $python = -x '/usr/bin/python3' ? '/usr/bin/python3' : 'python3';
my %missing = (
	2 => lacks([ $python, '-c', 'import psycopg2' ]),
	3 => lacks([ $python, '-c', 'import psycopg' ]));
plan skip_all => "$missing{2}, $missing{3}" if $missing{2} && $missing{3};

my $node = page_node('psycopg');
for my $version (2, 3)
{
  SKIP:
	{
		skip $missing{$version}, 1 if $missing{$version};
		my $out = compare_pages(
			$node,
			"psycopg $version",
			sub {
				return [
					$python, "$drivers/page.py", $version,
					$node->connstr($_[0]), 2 ];
			},
			lines => 400,
			hits => 200);
		ok($out =~ /cached plan must not change result type/,
			'a plan that changed was met')
		  if $version == 3;
	}
}

$node->stop;
check_log($node);
done_testing();
