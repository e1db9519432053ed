#
# Rows that another library writes while a transaction commits: seen whichever
# of the libraries was loaded first, by a statement or below every hook.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $late = build_library('late');
my $node = new_node('late', library => $late);

for my $order ('perfopt, late', 'late, perfopt')
{
	$node->append_conf('postgresql.conf',
		"shared_preload_libraries = '$order'\n");
	my $size = -s $node->logfile || 0;
	$node->start;
	my $log = substr(slurp_file($node->logfile), $size);
	my $warned = $log =~ /perfopt is not the first/ ? 'warning' : 'none';
	is($warned, $order =~ /^perfopt/ ? 'none' : 'warning',
		"$order: is the order warned of?");

	$node->safe_psql(
		'postgres', q{
		CREATE EXTENSION IF NOT EXISTS perfopt;
		DROP TABLE IF EXISTS a, b;
		DROP FUNCTION IF EXISTS late_write, late_sleep;
		CREATE FUNCTION late_write(regclass, text) RETURNS void LANGUAGE c AS 'late';
		CREATE FUNCTION late_sleep(int) RETURNS void LANGUAGE c AS 'late';
		CREATE TABLE a (id int, v int);
		CREATE TABLE b (id int, v int);
	});

	my $rows = 0;
	for my $how ('spi', 'heap')
	{
		for my $end ('COMMIT', "PREPARE TRANSACTION 'l'; COMMIT PREPARED 'l'")
		{
			my $what = "$order, $how, " . ($end =~ /^PRE/ ? 'prepared' : 'committed');
			like(served($node, 'SELECT count(*) FROM b; SELECT count(*) FROM b'),
				qr{^$rows $rows served [12]$}, "$what: served before");
			$node->safe_psql('postgres',
				"BEGIN; INSERT INTO a VALUES (1, 1); SELECT late_write('b', '$how'); $end");
			$rows++;
			is(served($node, 'SELECT count(*) FROM b'),
				"$rows served 0", "$what: the new row is seen");
		}
	}

	# between the commit's becoming visible and its end; the second time it had
	# no xid yet when perfopt was called, unless that was called last
	for my $own ('INSERT INTO a VALUES (2, 2)', 'SELECT 1')
	{
		served($node, 'SELECT count(*) FROM b');
		my $out = '';
		my $handle = IPC::Run::start(
			[
				'psql', '-XAtq', '-d', $node->connstr('postgres'),
				'-c', 'BEGIN', '-c', 'SELECT late_sleep(2000)',
				'-c', $own,
				'-c', "SELECT late_write('b', 'heap')", '-c', 'COMMIT'
			],
			'>', \$out, '2>', \$out);
		$rows++;
		$node->poll_query_until('postgres',
			"SELECT count(*) = $rows FROM b")
		  or die 'the row did not become visible';
		# if perfopt is first it knows of all rows by now, else it must wait
		is( served($node, 'SELECT count(*) FROM b; SELECT count(*) FROM b'),
			"$rows $rows served " . ($order =~ /^perfopt/ ? 1 : 0),
			"$order: visible, but not yet settled, after $own");
		$handle->finish;
		like(served($node, 'SELECT count(*) FROM b; SELECT count(*) FROM b'),
			qr{^$rows $rows served [12]$}, "$order: served again afterwards");
	}
	$node->stop;
}

check_log($node);
done_testing();
