
# What the tests of drivers share: a program sends its page of statements in
# databases that differ in perfopt's mode only, and prints a line per step.

package PfoPage;

use strict;
use warnings;

use Cwd;
use Exporter 'import';
use File::Basename;
use IPC::Run;
use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw($drivers page_node page_database output_of compare_pages
  lacks);

our $drivers = dirname(Cwd::abs_path(__FILE__));

# "verify" executes each hit as well, "reserve" answers the execution that
# fills the cache from it.
my %modes = (
	off => 'perfopt.cache = off',
	force => 'perfopt.cache = force',
	verify => 'perfopt.cache = force; perfopt.cache_verify = 1',
	reserve => 'perfopt.cache = force; perfopt.debug_reserve = on');

# A running server with what the pages read.
sub page_node
{
	my ($name, %arg) = @_;
	my $node = new_node($name,
		conf => "TimeZone = 'Europe/Vienna'\nfsync = off\nautovacuum = off\n"
		  . ($arg{conf} || ''));
	$node->start;
	$node->safe_psql(
		'postgres', q{
		CREATE EXTENSION perfopt;
		CREATE ROLE page_red;
		CREATE ROLE page_blue;
		CREATE DATABASE page TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';});
	$node->safe_psql('page', slurp_file("$drivers/shop.sql"));
	return $node;
}

# A database like all others of the test, OIDs included, in a mode.
sub page_database
{
	my ($node, $name, $mode) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE page");
	for my $setting (split /; */, $modes{$mode})
	{
		$node->safe_psql('postgres', "ALTER DATABASE $name SET $setting");
	}
	return $name;
}

# What a program prints; what it complains of is a failure.
sub output_of
{
	my ($label, $command) = @_;
	my ($out, $err) = ('', '');
	my $done = eval {
		IPC::Run::run($command, '>', \$out, '2>', \$err,
			IPC::Run::timeout(60));
	};
	$err .= $@ if $@;
	$err =~ s/^Picked up .*\n//mg;
	is($err, '', "$label: nothing to complain of");
	ok($done, "$label: runs to its end");
	return $out;
}

# Runs what "command" gives for a database's name in each mode, compares what
# is printed, and looks at the counters.  Gives what is printed without the
# cache.
sub compare_pages
{
	my ($node, $label, $command, %arg) = @_;
	my @expected;
	my $n = 0;
	(my $prefix = lc $label) =~ s/\W+/_/g;

	for my $mode ('off', @{ $arg{modes} || [ 'force', 'verify', 'reserve' ] })
	{
		my $db = page_database($node, "${prefix}_$mode", $mode);
		my @lines = split /\n/, output_of("$label, $mode", $command->($db));
		if ($mode eq 'off')
		{
			@expected = @lines;
			cmp_ok(scalar @lines, '>=', $arg{lines} || 100,
				"$label: enough steps");
			next;
		}
		my @differ = grep { ($lines[$_] // 'nothing') ne ($expected[$_] // 'nothing') }
		  0 .. ($#lines > $#expected ? $#lines : $#expected);
		is(scalar @differ, 0, "$label, $mode: as without the cache");
		diag("without: ", $expected[$_] // 'nothing', "\nwith:    ",
			$lines[$_] // 'nothing')
		  for grep { defined } @differ[0 .. 4];
		my ($hits, $verified, $differences) = split /\|/,
		  $node->safe_psql('postgres',
			"SELECT hits, verified, differences FROM perfopt_cache_stats WHERE datname = '$db'");
		cmp_ok($hits, '>=', $arg{hits} || 50, "$label, $mode: $hits hits");
		is($differences, 0, "$label, $mode: nothing differed");
		cmp_ok($verified, '>', 0, "$label, $mode: answers were verified")
		  if $mode eq 'verify';
	}
	return join("\n", @expected);
}

# Why a program cannot be run, or nothing: the first of the commands that
# fails.
sub lacks
{
	my (@commands) = @_;
	for my $command (@commands)
	{
		my ($out, $done) = ('');
		$done = eval {
			IPC::Run::run($command, '<', \undef, '>&', \$out,
				IPC::Run::timeout(60));
		};
		return "\"@$command\" does not work here" unless $done;
	}
	return undef;
}

1;
