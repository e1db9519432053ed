#
# Random messages of the protocol, sent to two equal databases: without the
# cache and with it.  All that the server sends back must be the same.  There
# are two sessions in each database, whose transactions overlap.  PFO_SECONDS
# makes it longer; PFO_SEED repeats it, and PFO_ROUND with it one of its rounds.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use Digest::MD5 'md5_hex';
use PfoProtocol;
use PfoRandom;
use PfoTest;
use Test::More;
use Time::HiRes 'time';

my $seed = stress_seed();
my $seconds = $ENV{PFO_SECONDS} || 45;
note("seed $seed");

# Rounds, and what both sides of one have set.
my @rounds = (
	{ name => 'as it is', options => '' },
	{ name => 'verified', options => '-c perfopt.cache_verify=1' },
	# what is answered from its own execution fails before its first row, not
	# where the row is that fails
	{ name => 'reserved', options => '-c perfopt.debug_reserve=on', fails_first => 1 },
	{ name => 'tuples only', options => '-c perfopt.cache_wire=off' },
	{ name => 'generic plans', options => '-c plan_cache_mode=force_generic_plan' },
	# by the statements themselves
	{ name => 'switched', options => '-c perfopt.cache_min_calls=1 -c perfopt.cache_min_time=0', switches => \@switches });
my ($round, $trial, $kind, @history, @pairs, $status);

# Nobody else may lock tables; and compiling would take most of the time.
my $node = new_node('protocol', conf => "fsync = off\nautovacuum = off\njit = off\nperfopt.cache_size = 32MB\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION perfopt;
	CREATE ROLE alice;
	CREATE ROLE bob;
	CREATE ROLE carol;
	CREATE DATABASE made TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'});
$node->safe_psql('made', protocol_schema());
my %arguments = protocol_functions();
my @functions = map { { oid => $node->safe_psql('made', "SELECT '$_'::regproc::oid"), name => $_, arguments => $arguments{$_} } }
  sort keys %arguments;
my $last_oid = $node->safe_psql('made', 'SELECT max(oid) FROM (SELECT oid FROM pg_class UNION SELECT oid FROM pg_type) o');

#
# What is compared
#

# Objects made later have other numbers in the other database.
sub number { return $_[0] > $last_oid ? 'new' : $_[0]; }

sub shape
{
	my ($body) = @_;
	my @fields = unpack('x2 (Z* N n N n N n)' . unpack('n', $body), $body);
	my @said = ();
	while (my ($name, $table, $column, $type, @rest) = splice(@fields, 0, 7))
	{
		push @said, join(' ', $name, number($table), $column, number($type), @rest);
	}
	return join(', ', @said);
}

# The messages of a stream.  Errors and notices are without the file, line and
# function of PostgreSQL's that tells them: that is another one if a hit checks
# what the executor would.
sub told
{
	my ($stream) = @_;
	my @said = ();
	for my $message (messages_of($stream))
	{
		my ($type, $body) = @$message;
		$body = shape($body) if $type eq 'T';
		$body = join(' | ', grep { !/^[FLR]/ } split /\0/, $body) if $type =~ /[EN]/;
		pop @said while $type eq 'E' && $kind->{fails_first} && @said && $said[-1] =~ /^[Dd] /;
		push @said, "$type $body";
	}
	return @said;
}

# The first message that differs, without the cache and with it, or nothing.
sub difference
{
	my ($off, $on) = @_;
	return if $off eq $on;
	my @off = told($off);
	my @on = told($on);
	for my $i (0 .. ($#off > $#on ? $#off : $#on))
	{
		my @both = ($off[$i] // 'nothing', $on[$i] // 'nothing');
		return @both if $both[0] ne $both[1];
	}
	return;
}

# What may differ, as docs/DESIGN.md tells.  All that follows can then differ,
# also whether the transaction has failed and what it leaves behind, hence the
# trial ends and the databases are made anew.
sub may_differ
{
	my ($off, $on) = @_;
	my $refused = qr/^E .*C42501 \| Mpermission denied for function/;

	# the permission to call a function is looked at when an execution starts,
	# which for a portal is at Bind, and with the cache when it runs
	return 1 if $off =~ $refused;
	# with the cache a plan may be made later, for another role, which is asked
	# for permission where a function was inlined into the plan of the first
	return 1 if $on =~ $refused;
	# a format is looked at when there is a first row to send, which there is
	# not if a later one fails first
	return 1 if $kind->{fails_first} && $off =~ /^E .*C22023 \| Munsupported format code/ && $on =~ /^E /;
	# a portal that is given an answer does not use its tables
	return $off =~ /^E .*C55006 \| .*being used by active queries/;
}

#
# Trials
#

# a server that ended is told of with the trial's steps
$SIG{PIPE} = 'IGNORE';

my %by_round;
my %count = (trials => 0, units => 0, ended => 0);

sub start_databases
{
	my $common = "-c lock_timeout=30ms -c deadlock_timeout=5s -c perfopt.explain=off $kind->{options}";
	$node->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE made") for 'pfo_off', 'pfo_on';
	@pairs = map { { off => raw_client($node, 'pfo_off', "$common -c perfopt.cache=off"),
		  on => raw_client($node, 'pfo_on', "$common -c perfopt.cache=force") } } 1 .. 2;
	return;
}

# What the trials did with the cache is counted before its database is dropped.
sub end_databases
{
	my @columns = qw(hits wire_hits misses stores verified errors differences);
	my $sql = 'SELECT ' . join(', ', @columns) . q{ FROM perfopt_cache_stats WHERE datname = 'pfo_on'};
	close $_ for map { values %$_ } @pairs;
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE datname IN ('pfo_off', 'pfo_on')});
	my @values = split /\|/, $node->safe_psql('postgres', $sql);
	for my $i (0 .. $#values)
	{
		$count{ $columns[$i] } += $values[$i];
		$by_round{ $kind->{name} }{ $columns[$i] } += $values[$i];
	}
	$node->safe_psql('postgres', "DROP DATABASE $_") for 'pfo_off', 'pfo_on';
	return;
}

# Who is without the cache stays without it, in a statement as long.
sub without
{
	my ($messages) = @_;
	return $messages =~ s/(perfopt\.cache = )'(\w+)'/"$1'off'" . ' ' x (length($2) - 3)/egr;
}

# Both are asked before either answer is read: it is faster.
sub both
{
	my ($pair, $messages) = @_;
	send_messages($pair->{off}, without($messages));
	send_messages($pair->{on}, $messages);
	return map { receive($pair->{$_}, ends($messages)) } 'off', 'on';
}

# Gives false if the trial cannot go on.
sub step
{
	my ($which, @steps) = @_;
	push @history, "session $which: " . join(' ; ', map { $_->[0] } @steps);
	my ($off, $on) = both($pairs[$which], join '', map { $_->[1] } @steps);
	$count{units}++;
	if (my ($without, $with) = difference($off, $on))
	{
		die "without the cache: $without\n   with the cache: $with\n"
		  unless may_differ($without, $with);
		$count{ended}++;
		return 0;
	}
	$status->[$which] = substr($off, -1);
	return 1;
}

sub random_trial
{
	# what other sessions, set otherwise, have left is to be found
	focus_on(\@functions, @{ $kind->{switches} || [] }) if $trial % 5 == 1;
	$status = [ 'I', 'I' ];
	for my $which (0, 1)
	{
		my @first = map { setting() } 1 .. int rand 3;
		push @first, 'BEGIN' . one_of('', '', ' ISOLATION LEVEL REPEATABLE READ') if rand() < 0.4;
		for my $sql (@first)
		{
			step($which, [ "Query $sql", query($sql) ]) or return 0;
		}
	}
	for (1 .. 5 + int rand 40)
	{
		my $which = one_of(0, 0, 0, 1);
		step($which, $status->[$which] eq 'E' ? recovery() : unit()) or return 0;
	}
	return 1;
}

sub settle_down
{
	for my $client (map { values %$_ } @pairs)
	{
		exchange($client, join '', map { query($_) } 'ROLLBACK', 'RESET SESSION AUTHORIZATION', 'DISCARD ALL');
	}
	return;
}

# A trial depends on those before it in its round, since these wrote.
sub run_trial
{
	srand(hex substr(md5_hex("$seed $round $trial"), 0, 8));
	@history = ();
	$count{trials}++;
	my $whole = eval { random_trial() };
	my $wrong = $@;
	alarm 0;
	if ($wrong)
	{
		fail("seed $seed, round $round ($kind->{name}), trial $trial");
		diag(join("\n", @history, $wrong =~ s/([^\n[:print:]])/sprintf '\\x%02x', ord $1/egr));
		return 0;
	}
	if ($whole)
	{
		settle_down();
	}
	else
	{
		end_databases();
		start_databases();
	}
	return 1;
}

# Gives false if something differed: then all after it would.
sub run_round
{
	my ($until) = @_;
	$kind = $rounds[ $round % @rounds ];
	$trial = 0;
	start_databases();
	my $right = 1;
	while ($right && ($trial == 0 || time < $until))
	{
		$trial++;
		$right = run_trial();
	}
	end_databases();
	my $counted = $by_round{ $kind->{name} };
	note("$kind->{name}: $trial trials, " . join(', ', map { "$_ $counted->{$_}" } sort keys %$counted));
	return $right;
}

# As many rounds as there is time for, each kind at least once.
my $each = $seconds / @rounds < 10 ? $seconds / @rounds : 10;
my $end = time + $seconds;
my @which = defined $ENV{PFO_ROUND} ? $ENV{PFO_ROUND} : 0 .. int($seconds / $each + 0.5) - 1;
for (@which)
{
	$round = $_;
	last unless run_round(@which == 1 ? $end : time + $each);
}
pass('nothing differs') if Test::More->builder->is_passing;
note(join(', ', map { "$_ $count{$_}" } sort keys %count));

if (@which > 1 && Test::More->builder->is_passing)
{
	cmp_ok($count{hits}, '>', $count{trials}, 'the cache answered');
	cmp_ok($count{wire_hits}, '>', $count{trials} / 5, 'and with bytes that were kept');
	cmp_ok($count{verified}, '>', $count{trials} / 50, 'and was verified');
	cmp_ok($by_round{$_}{hits}, '>', 0, "$_: answers from the cache") for sort keys %by_round;
	cmp_ok($count{ended}, '<', 1 + $count{trials} / 20, 'few trials ended early');
}
is($count{errors}, 0, 'no failure of the cache');
is($count{differences}, 0, 'nothing that was verified differed');
is(stats($node, 'bytes_pinned'), 0, 'nothing stays pinned');
check_log($node);
$node->stop;
done_testing();
