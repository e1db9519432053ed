#
# A failure inside perfopt is a miss and is counted: each beginning and end of
# what perfopt does by itself fails in turn, in every way a statement comes to
# the cache, and the statement must give its answer nevertheless.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = broken_node(
	'contained',
	conf => "fsync = off\nperfopt.cache_min_time = 0\n");
$node->safe_psql(
	'postgres', q{
	CREATE TYPE colour AS ENUM ('red', 'green');
	CREATE TABLE t (id int, c colour, v numeric) PARTITION BY RANGE (id);
	CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (10);
	CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20);
	INSERT INTO t SELECT g, CASE WHEN g % 2 = 0 THEN 'red'::colour
		ELSE 'green' END, g * 1.5 FROM generate_series(1, 19) AS g;
	ALTER DATABASE postgres SET app.c = 'red';
	CREATE TABLE wide (id int, body text);
	ALTER TABLE wide ALTER body SET STORAGE EXTERNAL;
	INSERT INTO wide SELECT g, repeat(g::text, 3000) FROM generate_series(1, 3) AS g;
	-- what a page of an index is locked for while it compares
	CREATE FUNCTION compare(int, int) RETURNS int LANGUAGE plpgsql AS
		'BEGIN RETURN (SELECT sign($1 - $2)::int FROM wide WHERE id = 1); END';
	CREATE OPERATOR CLASS compared FOR TYPE int USING btree AS
		OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
		FUNCTION 1 compare(int, int);
	CREATE TABLE c (i int);
	INSERT INTO c VALUES (1), (2), (3);
	CREATE INDEX ON c (i compared);
});

my $select = "SELECT c, sum(v), lower(c::text) FROM t WHERE id < 15 GROUP BY c ORDER BY c";
my $folded = "SELECT id, v, current_schema FROM t WHERE c::text = current_setting('app.c', true) AND current_user <> '' AND CURRENT_DATE > '2000-01-01' ORDER BY id";
my $prepare = "PREPARE p(colour) AS SELECT id, v FROM t WHERE c = \$1 ORDER BY id";

# name => [what goes before in the session, the statement]
my @ways = (
	[ 'miss', 'SET perfopt.cache = force; SELECT perfopt_invalidate_all()', $select ],
	[ 'hit', "SET perfopt.cache = force; $select", $select ],
	[ 'hit of others', 'SET perfopt.cache = force', $select ],
	[ 'prepared miss', "SET perfopt.cache = force; SELECT perfopt_invalidate_all(); $prepare", "EXECUTE p('red')" ],
	[ 'prepared hit', "SET perfopt.cache = force; $prepare; EXECUTE p('red')", "EXECUTE p('red')" ],
	[ 'generic', "SET plan_cache_mode = force_generic_plan; SET perfopt.cache = force; $prepare; EXECUTE p('red')", "EXECUTE p('red')" ],
	[ 'folded miss', "SET perfopt.cache = force; SELECT perfopt_invalidate_all()", $folded ],
	[ 'folded hit', "SET perfopt.cache = force; $folded", $folded ],
	[ 'folded hit of others', "SET perfopt.cache = force", $folded ],
	[ 'verified', "SET perfopt.cache = force; $select; SET perfopt.cache_verify = 1", $select ],
	[ 'reserved', 'SET perfopt.cache = force; SET perfopt.debug_reserve = on; SELECT perfopt_invalidate_all()', $select ],
	[ 'auto', "SET perfopt.cache = auto; SELECT perfopt_invalidate_all(); $select", $select ],
	[ 'observed', "SET perfopt.cache = observe", $select ],
	[ 'observed again', "SET perfopt.cache = observe; $select; $select", $select ],
	[ 'out of line', 'SET perfopt.cache = force; SELECT perfopt_invalidate_all()', 'SELECT * FROM wide ORDER BY id' ],
	[ 'explained', "SET perfopt.cache = force; $select", "EXPLAIN (COSTS OFF) $select" ],
	[ 'kept as slow', "SET perfopt.cache = off; SET perfopt.slow_query_time = 0; SET perfopt.log_slow_queries = on", $select ],
	[ 'kept as slow, miss', "SET perfopt.cache = force; SELECT perfopt_invalidate_all(); SET perfopt.slow_query_time = 0", $select ],
	[ 'kept as slow, parameters', "SET perfopt.cache = off; SET plan_cache_mode = force_generic_plan; SET perfopt.slow_query_parameters = on; SET perfopt.slow_query_time = 0; $prepare", "EXECUTE p('red')" ],
	[ 'under a page lock', 'SET enable_seqscan = off; SET perfopt.cache = force; SELECT compare(1, 2)', 'SELECT i FROM c WHERE i < 2 /* perfopt: nocache */' ],
	[ 'in a transaction', "SET perfopt.cache = force; SELECT perfopt_invalidate_all()", "BEGIN ISOLATION LEVEL REPEATABLE READ; $select; SAVEPOINT s; INSERT INTO wide VALUES (4, 'x'); SELECT count(*) FROM wide; ROLLBACK TO s; $select; COMMIT" ]
);
my $most = 60;

for my $way (@ways)
{
	my ($name, $before, $statement) = @$way;
	my $plain = $name eq 'explained' ? qr/Sort|GroupAggregate/ : undef;
	my $expected = $node->safe_psql('postgres',
		($statement =~ /EXECUTE/ ? "$prepare;" : '')
		  . "SET perfopt.cache = off; $statement");
	my $errors = stats($node, 'errors');
	my $script = '';
	for my $n (1 .. $most)
	{
		$script .= "\\c -\n\\o /dev/null\n$before;\n"
		  . "SET perfopt.debug_fail = $n;\n\\o\n$statement;\n"
		  . "\\echo left\nSHOW perfopt.debug_fail;\n";
	}
	my ($stdout, $stderr);
	$node->psql('postgres', $script, stdout => \$stdout, stderr => \$stderr);
	is($stderr, '', "$name: no error");

	my @answers = split /^left\n/m, "\n$stdout";
	my ($fired, $wrong, $unfired) = (0, 0, 0);
	my $answer = shift @answers;
	for (@answers)
	{
		my ($left, $next) = /^(\d+)\n?(.*)$/s or die "not understood: $_";
		$answer =~ s/^\n//;
		$answer =~ s/\n$//;
		$wrong++ if $plain ? $answer !~ $plain : $answer ne $expected;
		diag("$name: $answer\ninstead of $expected") if !$plain && $answer ne $expected;
		if ($left == 0) { $fired++; $unfired = 0 } else { $unfired++ }
		$answer = $next;
	}
	is(scalar @answers, $most, "$name: all were run");
	is($wrong, 0, "$name: all answers are right");
	cmp_ok($fired, '>', 0, "$name: $fired places failed");
	cmp_ok($unfired, '>', 0, "$name: these are all there are");
	is(stats($node, 'errors') - $errors, $fired, "$name: each is counted");
	is(stats($node, 'bytes_pinned'), 0, "$name: nothing stays pinned");
}

is( served($node, "$select; $select"),
	served($node, "$select; $select"),
	'the cache works as before');
is($node->safe_psql('postgres',
		q{SELECT sum(count) > 0 FROM perfopt_cache_reasons WHERE reason = 'internal'}),
	't', 'the reason is counted');
like(slurp_file($node->logfile),
	qr/a failure of its own was contained/, 'the log tells');

# EXECUTE can run a command of transactions, which takes effect at the end of
# the message only: in between no subtransaction can be begun
my $distinct = 0;
for my $command ('BEGIN', 'SAVEPOINT s', 'RELEASE r', 'ROLLBACK TO r', 'ROLLBACK', 'COMMIT', 'COMMIT AND CHAIN')
{
	for my $pipelined (0, 1)
	{
		$distinct++;
		my @steps = map { "SELECT count(*) + $_ FROM t WHERE id > $distinct" } 1 .. 3;
		my @got = map {
			my $client = raw_client($node, 'postgres', "-c perfopt.cache=$_");
			my $messages = $command eq 'BEGIN' ? '' : message('Q', "BEGIN; SAVEPOINT r\0");
			$messages .= message('P', "x\0$command\0\0\0") . message('S', '');
			$messages .= $pipelined ?
			  join('', map { message('P', "\0$_\0\0\0") . message('B', "\0\0" . "\0" x 6) . message('E', "\0" . "\0" x 4) } 'EXECUTE x', @steps)
			  . message('S', '') :
			  message('Q', join('; ', 'EXECUTE x', @steps) . "\0");
			my $stream = eval { exchange($client, $messages . message('Q', "$steps[0]; ROLLBACK\0")) } // $@;
			close $client;
			$stream;
		} 'off', 'force', 'force', 'force -c perfopt.slow_query_time=0';
		is($got[$_], $got[0], "$command by EXECUTE" . ($pipelined ? ', in a pipeline' : '')) for 1 .. 3;
	}
}
check_log($node);
$node->stop;
done_testing();
