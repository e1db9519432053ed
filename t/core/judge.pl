#!/usr/bin/perl
#
# judge.pl [--failed] RUN SUITE SUITE_DIR SCHEDULE OUT [ALLOWED.tsv]
#
# Says of each test of one run of a suite (see "suite") whether it passed.  A
# test passes if its output equals one of its expected files, or differs from
# the nearest of them only in what ALLOWED.tsv lists for it.  Fails besides: a
# test of the schedule that did not run, an allowed difference that no longer
# appears, and a line of the server's log that tells of a leak or a crash.
#
# ALLOWED.tsv, separated by tabs: run (or * for each), suite, test, hash, how
# often, reason.  A difference is one hunk of diff -U0; its hash is over the
# changed lines alone, so that it outlives a minor release which moves lines.
# A new one is printed with the line to add, should there be a good reason.
#
# In a suite of several modules a test's name is MODULE/TEST, its files are in
# MODULE/expected and MODULE/results.
#
# With --failed: nothing but the names of tests that the driver saw fail.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);

my $names_only = @ARGV && $ARGV[0] eq '--failed' && shift;
my ($run, $suite, $dir, $schedule, $out, $allowed_file) = @ARGV;
my ($passed, $failed) = (0, 0);
my $lines_shown = 40;

sub lines
{
	my ($file) = @_;
	open(my $fh, '<:raw', $file) or return;
	return map { chomp; $_ } <$fh>;
}

sub fault
{
	print "  $suite: ", @_, "\n" unless $names_only;
	$failed++;
}

# The driver's report: "test a ... ok", "    b ... FAILED" up to 15, and
# "ok 1 - a", "not ok 2 + b" from 16 on.
my %state;
for (lines("$out/run.log"))
{
	my ($test, $ok);
	if (m{^(?:test\s|\s{4,})\s*([a-z0-9_./-]+)\s+\.\.\. (ok|FAILED|failed)})
	{
		($test, $ok) = ($1, $2 eq 'ok');
	}
	elsif (m{^(not )?ok \d+\s+[-+] ([a-z0-9_./-]+)})
	{
		($test, $ok) = ($2, !$1);
	}
	else { next }
	$state{$test} = $ok ? 'ok' : /test process/ ? 'died' : 'differs';
}
if ($names_only)
{
	print map { "$_\n" } grep { $state{$_} ne 'ok' } sort keys %state;
	exit 0;
}

# [hash, text] of each hunk between a test's result and its nearest expectation
sub hunks
{
	my ($module, $test) = $_[0] =~ m{^(.*/)?(.*)$};
	$module //= '';
	my @best;
	my $least;
	for my $expected ("$dir/${module}expected/$test.out",
		map { "$dir/${module}expected/${test}_$_.out" } 0 .. 9)
	{
		next unless -e $expected;
		my @diff = split /\n/,
		  `diff -w -a -U0 '$expected' '$out/${module}results/$test.out' 2>&1`;
		next if defined $least && @diff >= $least;
		$least = @diff;
		@best = ();
		for (@diff)
		{
			if (/^@@/) { push @best, [] }
			elsif (@best) { push @{ $best[-1] }, $_ }
		}
		@best = ([@diff]) if @diff && !@best;
	}
	return map { my $text = join "\n", @$_; [ substr(sha256_hex($text), 0, 12), $text ] }
	  @best;
}

my %allowed;
for ($allowed_file ? lines($allowed_file) : ())
{
	next if /^#/ || /^\s*$/;
	my ($of, $in, $test, $hash, $times, $reason) = split /\t/;
	if (($reason // '') !~ /\w/ || $times !~ /^\d+$/)
	{
		fault("not an allowed difference with a reason: $_");
		next;
	}
	$allowed{$test}{$hash} = $times if ($of eq '*' || $of eq $run) && $in eq $suite;
}

my @scheduled = map { /^test:\s*(.*)/ ? split(' ', $1) : () } lines($schedule);
fault("$schedule names no test") unless @scheduled;
for my $test (@scheduled)
{
	my $state = $state{$test} // 'missing';
	my $left = delete $allowed{$test} // {};
	my $bad = 0;

	if ($state eq 'missing' || $state eq 'died')
	{
		fault("$test ", $state eq 'died' ? 'died' : 'did not run');
		next;
	}
	my @new;
	if ($state eq 'differs')
	{
		my @hunks = hunks($test);
		$bad = 1 unless @hunks;
		for (@hunks)
		{
			if ($left->{ $_->[0] }) { $left->{ $_->[0] }-- }
			else { push @new, $_ }
		}
	}
	if ($bad || @new)
	{
		fault("$test differs in ", scalar(@new), " places that are not allowed");
		my %count;
		$count{ $_->[0] }++ for @new;
		for (@new)
		{
			my ($hash, $text) = @$_;
			next unless my $times = delete $count{$hash};
			my @text = split /\n/, $text;
			splice @text, $lines_shown, @text - $lines_shown, '    ...'
			  if @text > $lines_shown;
			print "    $run\t$suite\t$test\t$hash\t$times\t<reason>\n",
			  map { "      $_\n" } @text;
		}
	}
	else { $passed++ }
	fault("$test no longer has the allowed difference $_ ($left->{$_} times)")
	  for grep { $left->{$_} } sort keys %$left;
}
fault("there is no test $_ to allow a difference for") for sort keys %allowed;

# Only what the server itself says, not statements or names (f_leak) it quotes.
my @log = lines("$out/postmaster.log");
fault("the server left no log") unless @log;
my $shown = 0;
for (grep { /WARNING: .*leak|TRAP:|terminated by signal|PANIC:/ } @log)
{
	fault("log: $_") if $shown++ < 10;
}
fault($shown - 10, " more such lines in the log") if $shown > 10;

print "$suite: $passed passed, $failed failed\n";
exit($failed ? 1 : 0);
