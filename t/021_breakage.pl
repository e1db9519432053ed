#
# Negative controls: with one rule of the validity protocol left out at a time
# the other tests' means must find wrong answers, else they prove nothing.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $program = build_stress();
my $node = broken_node(
	'broken',
	library => build_library('late'),
	conf => "fsync = off\nshared_preload_libraries = 'perfopt, late'\n");
$node->safe_psql(
	'postgres', q{
	CREATE FUNCTION late_sleep(int) RETURNS void LANGUAGE c AS 'late';
	CREATE TABLE t (id int, v int);
	INSERT INTO t VALUES (1, 1);
});

# A restart each time: whatever a broken rule left in the cache is gone.
sub leave_out
{
	my ($rule) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET perfopt.debug_break = $rule");
	$node->restart;
	return;
}

for my $rule (
	qw(announce settled version own_writes definitions tracking))
{
	leave_out($rule);
	my $command = sprintf(
		'%s --seed %s --seconds 15 --until-difference "%s" 2>&1',
		$program, stress_seed(), $node->connstr('postgres'));
	my $output = `$command`;
	like($output, qr/^difference found/m, "without $rule the stress notices")
	  or diag($output);
}

# The load of the tests of faults notices, too: its readers end by themselves.
leave_out('version');
$node->safe_psql('postgres', load_schema());
my $writers = start_load($node, readers => 0);
my $readers = start_load($node, writers => 0);
like(end_load($readers, 'wait'), qr/division by zero/,
	'without version the load notices');
is(end_load($writers), '', 'which is not the writers\' fault');

# What the sessions compare by themselves finds it as well, whatever the kind;
# some need more time than there is here.
{
	leave_out('version');
	my $command = sprintf('%s --seed %s --seconds 8 "%s" 2>&1',
		$program, stress_seed(), $node->connstr('postgres'));
	my $output = `$command`;
	my @kinds = $output =~ /^kind (\w+): .* differed [1-9]/mg;
	cmp_ok(scalar @kinds, '>=', 6, 'differences of many kinds are noticed')
	  or diag($output);
	like($output, qr/^difference 1\n(?:.*\n)*?the last actions:/m,
		'they are reported');
}

# A commit that is visible but not yet announced: for a moment only, so it is
# made longer.  With the rule in place the same must give the right answer.
for my $rule (qw(none announce_late))
{
	leave_out($rule);
	$node->safe_psql('postgres', 'UPDATE t SET v = 1');
	is(served($node, 'SELECT sum(v) FROM t'), '1 served 0', "$rule: filled");
	my $out = q{};
	my $handle = IPC::Run::start(
		[
			'psql', '-XAtq', '-d', $node->connstr('postgres'),
			'-c', 'BEGIN', '-c', 'SELECT late_sleep(3000)',
			'-c', 'UPDATE t SET v = 2', '-c', 'COMMIT'
		],
		'>', \$out, '2>', \$out);
	$node->poll_query_until('postgres',
		'SELECT v = 2 FROM t')
	  or die 'the update did not become visible';
	my $answer = served($node, 'SELECT sum(v) FROM t');
	if ($rule eq 'none')
	{
		like($answer, qr/^2 /, 'announced before it is visible');
	}
	else
	{
		is($answer, '1 served 1', "without $rule a stale answer is seen");
	}
	$handle->finish;
}

# Verifying notices what is stale, returns what is right, and serves the
# statement no more.
leave_out('version');
$node->safe_psql('postgres', 'UPDATE t SET v = 1');
is(served($node, 'SELECT sum(v) FROM t'), '1 served 0', 'verify: filled');
$node->safe_psql('postgres', 'UPDATE t SET v = 2');
is(served($node, 'SELECT sum(v) FROM t'), '1 served 1', 'verify: stale');
is( served($node, 'SELECT sum(v) FROM t',
		before => 'SET perfopt.cache_verify = 1'),
	'2 served 0',
	'verify: the answer of the execution');
is(served($node, 'SELECT sum(v) FROM t; SELECT sum(v) FROM t'),
	'2 2 served 0', 'verify: served no more');
is( $node->safe_psql('postgres', q{
		SELECT differences, (SELECT count FROM perfopt_cache_reasons
			WHERE reason = 'differed')
		FROM perfopt_cache_stats WHERE datname = current_database()}),
	'1|3',
	'verify: both are counted');

# A transaction prepared before the server started, which nobody announced in
# this server's memory.
for my $rule (qw(none first_xid))
{
	leave_out($rule);
	$node->safe_psql('postgres',
		"UPDATE t SET v = 1; BEGIN; UPDATE t SET v = 5; PREPARE TRANSACTION 'old'");
	$node->restart;
	is(served($node, 'SELECT sum(v) FROM t; SELECT sum(v) FROM t'),
		$rule eq 'none' ? '1 1 served 0' : '1 1 served 1',
		"$rule: before the old transaction ends");
	$node->safe_psql('postgres', "COMMIT PREPARED 'old'");
	is(served($node, 'SELECT sum(v) FROM t'),
		$rule eq 'none' ? '5 served 0' : '1 served 1',
		"$rule: after it");
}

$node->stop;
done_testing();
