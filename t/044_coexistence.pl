#
# Other libraries beside perfopt, preloaded before it and after it: a page of
# SQL gives what it gives without the cache, and the other library tells of it
# what it tells without the cache.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $pkglibdir = `@{[ $ENV{PG_CONFIG} || 'pg_config' ]} --pkglibdir`;
chomp $pkglibdir;

my $node = new_node('peers', conf => <<'CONF');
autovacuum = off
fsync = off
jit = off
max_parallel_workers_per_gather = 0
compute_query_id = on
track_functions = all
log_min_messages = warning
log_error_verbosity = terse
log_line_prefix = '%a %l '
pg_stat_statements.track = all
auto_explain.log_min_duration = 0
auto_explain.log_timing = off
auto_explain.log_nested_statements = on
pgaudit.log = 'all'
pgaudit.log_catalog = off
pgaudit.log_rows = on
pgaudit.role = 'peer_auditor'
pg_qualstats.sample_rate = 1
plprofiler.enabled = on
plpgsql_check.profiler = on
cron.database_name = 'monitor'
auth_delay.milliseconds = 0
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE monitor');
$node->safe_psql('monitor', 'CREATE EXTENSION perfopt');
$node->safe_psql('postgres',
	slurp_file("$FindBin::RealBin/peers/setup.sql"));

# What is asked of the other libraries is asked from another database, and
# without being told of by perfopt.
sub monitor
{
	my ($sql) = @_;
	return $node->safe_psql('monitor', "SET perfopt.cache = off; $sql");
}

# The page twice, by a session of its own each time, and a statement by the
# extended protocol, in a mode: what is answered, and what the log says of it.
my $page = slurp_file("$FindBin::RealBin/peers/page.sql");

sub page
{
	my ($mode, $more) = @_;
	monitor("ALTER DATABASE postgres SET perfopt.cache = $mode");
	my $from = -s $node->logfile;
	my $answers = '';
	for my $n (1, 2)
	{
		my ($out, $err) = ('', '');
		$node->psql(
			'postgres', $page . ($more || ''),
			stdout => \$out,
			stderr => \$err,
			on_error_stop => 0);
		$answers .= "$out\n$err\n";
	}
	my $client = raw_client($node);
	for my $n (1, 2)
	{
		my @values = ();
		extended($client, 'SELECT id FROM item WHERE id < 10 ORDER BY id', 0);
		my (undef, $state) = ready($client, \@values);
		$answers .= "@values $state\n";
	}
	$client->close;
	$node->poll_query_until('monitor',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'postgres'");
	return ($answers, slurp_file($node->logfile, $from));
}

sub hits
{
	return monitor(
		"SELECT coalesce(sum(hits), 0) FROM perfopt_cache_stats WHERE datname = 'postgres'");
}

# Equal texts; if they are not, the first lines of each that the other lacks.
sub same
{
	my ($got, $expected, $name) = @_;
	ok($got eq $expected, $name) and return;
	my (%got, %expected);
	$got{$_}++ for split /\n/, $got;
	$expected{$_}++ for split /\n/, $expected;
	my @more = grep { $got{$_} > ($expected{$_} // 0) } sort keys %got;
	my @less = grep { $expected{$_} > ($got{$_} // 0) } sort keys %expected;
	diag("not without the cache, or less often: $_") for grep { defined } @more[0 .. 9];
	diag("only without the cache, or more often: $_") for grep { defined } @less[0 .. 9];
	return;
}

# OIDs of what the page makes are others each time, and with them queryids.
my $statements = q{
	SELECT CASE WHEN query LIKE '%made%' THEN 0 ELSE queryid END, toplevel,
		calls, rows, userid::regrole, query
	FROM pg_stat_statements
	WHERE dbid = (SELECT oid FROM pg_database WHERE datname = 'postgres')
	ORDER BY query COLLATE "C", 1, 2, 3, 4, 5};

# Plans as auto_explain logs them, without what is measured.
sub plans
{
	my ($log) = @_;
	my @plans = $log =~ /^[^\n]*LOG:  duration: [^\n]* plan:\n((?:\t[^\n]*\n)+)/mg;
	s/ ?\(cost=[^)]*\)//g for @plans;
	return @plans;
}

# What a plan with our node above it would be without: "hit" if there is none.
sub below
{
	my ($plan) = @_;
	$plan =~ s/^(\tQuery Text: .*?\n)\tCustom Scan \(perfopt\)[^\n]*\n\t  Result Cache: (hit|miss)\n/$1/ms
	  or return "not ours:\n$plan";
	my ($query, $what) = ($1, $2);
	return $what if $what eq 'hit' && $plan eq $query;
	my $child = substr($plan, length $query);
	$child =~ s/^\t  ->  /\t/;
	$child =~ s/^\t {6}/\t/mg;
	return $query . $child;
}

# "extension": where it is made, if there is one; "before": what a run starts
# with; "told": what is compared; "more": SQL of the page for this one.
my %peers = (
	pg_stat_statements => {
		extension => 'monitor',
		before => 'SELECT pg_stat_statements_reset()',
		told => sub { return monitor($statements) }
	},
	# it has no calls of its own: those of which statements
	pg_stat_kcache => {
		extension => 'monitor',
		before => 'SELECT pg_stat_kcache_reset()',
		told => sub {
			return monitor(q{
				SELECT query, top, rolname FROM pg_stat_kcache_detail
				WHERE datname = 'postgres'
				ORDER BY query COLLATE "C", top, rolname});
		}
	},
	pgaudit => {
		extension => 'postgres',
		told => sub {
			my ($log) = @_;
			return join("\n", $log =~ /AUDIT: (.*)$/mg);
		}
	},
	auto_explain => {
		told => sub {
			my ($log) = @_;
			return join("\n", map { /(Query Text: .*)/ } plans($log));
		}
	},
	pg_qualstats => {
		extension => 'monitor',
		before => 'SELECT pg_qualstats_reset()'
	},
	pg_wait_sampling => {
		extension => 'monitor',
		before => 'SELECT pg_wait_sampling_reset_profile()'
	},
	hypopg => {
		extension => 'postgres',
		more => q{
			SELECT count(*) FROM hypopg_create_index('CREATE INDEX ON item (note)');
			EXPLAIN (COSTS off) SELECT id FROM item WHERE note = 'note 9';
			SELECT id FROM item WHERE note = 'note 9';
			SELECT id FROM item WHERE note = 'note 9';
			EXPLAIN (COSTS off) SELECT id FROM item WHERE note = 'note 9';
			PREPARE noted(text) AS SELECT id FROM item WHERE note = $1;
			EXECUTE noted('note 9'); EXECUTE noted('note 9');
			EXPLAIN (COSTS off) EXECUTE noted('note 9');
			EXECUTE noted('note 9');
			EXPLAIN (COSTS off, ANALYZE, TIMING off, SUMMARY off) EXECUTE noted('note 9');
			SELECT hypopg_reset();
			EXPLAIN (COSTS off) SELECT id FROM item WHERE note = 'note 9';
			EXECUTE noted('note 9'); }
	},
	plprofiler => { extension => 'monitor' },
	plpgsql_check => { extension => 'monitor' },
	plugin_debugger => {},
	set_user => {
		extension => 'postgres',
		more => q{
			SELECT set_user('peer_reader');
			SELECT count(*) FROM kind; SELECT count(*) FROM kind;
			SELECT count(*) FROM item;
			SELECT reset_user();
			SELECT count(*) FROM item; }
	},
	pg_cron => { extension => 'monitor' },
	pre_prepare => {},
	auth_delay => {},
	passwordcheck => {});

my @orders = (
	(map { [ 'perfopt', $_ ], [ $_, 'perfopt' ] }
		  qw(pg_stat_statements pgaudit auto_explain hypopg pg_qualstats
		  pg_wait_sampling plpgsql_check set_user)),
	[qw(plprofiler perfopt)],
	[qw(perfopt pg_stat_statements pg_stat_kcache)],
	[qw(pg_stat_statements perfopt pg_stat_kcache)],
	[qw(pg_stat_statements pg_stat_kcache perfopt)],
	[qw(perfopt pg_cron plugin_debugger pre_prepare auth_delay passwordcheck)],
	[qw(passwordcheck auth_delay pre_prepare plugin_debugger pg_cron perfopt)],
	[qw(pg_stat_statements pg_stat_kcache pgaudit perfopt auto_explain
	  pg_qualstats set_user pg_wait_sampling)],
	[qw(auto_explain set_user pg_wait_sampling perfopt pg_qualstats pgaudit
	  pg_stat_statements pg_stat_kcache)]);

for my $order (@orders)
{
	my @others = grep { $_ ne 'perfopt' } @$order;
	my $name = join(', ', @$order);
	my @absent = grep { !-e "$pkglibdir/$_.so" } @others;
  SKIP:
	{
		skip "no $absent[0]", 1 if @absent;

		$node->adjust_conf('postgresql.conf', 'shared_preload_libraries',
			"'$name'");
		$node->restart;
		for my $peer (@others)
		{
			my $db = $peers{$peer}{extension} or next;
			$node->safe_psql($db, "CREATE EXTENSION $peer");
		}
		my $more = join("\n", map { $_->{more} // () } @peers{@others});
		my (%expected, $expected, @expected_plans);
		# auto_explain without and with what ANALYZE adds
		my $analyze = $order->[0] eq 'perfopt' ? 'off' : 'on';
		monitor("ALTER DATABASE postgres SET auto_explain.log_analyze = $analyze")
		  if grep { $_ eq 'auto_explain' } @others;
		for my $mode (qw(off observe force))
		{
			monitor($_) for map { $_->{before} // () } @peers{@others};
			my $hits = hits();
			my ($answers, $log) = page($mode, $more);
			# what hypothetical indexes are called
			$answers =~ s/<\d+>btree/<>btree/g;
			my @plans = plans($log);
			if ($mode eq 'off')
			{
				$expected = $answers;
				ok($answers =~ /<>btree/, "$name: a hypothetical index is used")
				  if grep { $_ eq 'hypopg' } @others;
				@expected_plans = @plans;
			}
			else
			{
				same($answers, $expected, "$name, $mode: answers");
			}
			for my $peer (@others)
			{
				my $told = $peers{$peer}{told} or next;
				my $text = $told->($log);
				if ($mode eq 'off')
				{
					$expected{$peer} = $text;
					cmp_ok(length $text, '>', 1000, "$name: $peer tells something");
					next;
				}
				same($text, $expected{$peer}, "$name, $mode: as told by $peer");
			}
			if ($mode eq 'observe')
			{
				same(join('', @plans), join('', @expected_plans),
					"$name, $mode: plans")
				  if @plans;
				is(hits() - $hits, 0, "$name, $mode: no hits");
			}
			elsif ($mode eq 'force')
			{
				cmp_ok(hits() - $hits, '>', 30, "$name, $mode: hits");
				next unless @plans;
				my @below = map { below($_) } grep { /\(perfopt\)/ } @plans;
				cmp_ok(scalar(grep { $_ eq 'hit' } @below), '>', 30,
					"$name, $mode: hits among the plans");
				my %known = map { $_ => 1 } @expected_plans;
				my @strange = grep { !$known{$_} } grep { $_ ne 'hit' } @below;
				is(join("\n", @strange), '',
					"$name, $mode: misses have the plans that they have without");
			}
		}
		for my $peer (reverse @others)
		{
			my $db = $peers{$peer}{extension} or next;
			$node->safe_psql($db, "DROP EXTENSION $peer");
		}
	}
}

# One library does not ask the others what shared memory they want; that is
# said, and in the other order it works.
$node->stop;
SKIP:
{
	skip 'no plprofiler', 1 unless -e "$pkglibdir/plprofiler.so";
	$node->adjust_conf('postgresql.conf', 'shared_preload_libraries',
		"'perfopt, plprofiler'");
	my $from = -s $node->logfile;
	if ($node->start(fail_ok => 1))
	{
		ok(1, 'perfopt, plprofiler: starts');
		$node->stop;
	}
	else
	{
		like(slurp_file($node->logfile, $from),
			qr/perfopt could not request its shared memory/,
			'perfopt, plprofiler: why the server does not start');
	}
}

check_log($node);
done_testing();
