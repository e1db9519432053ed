
# What the tests of races and faults share.

package PfoTest;

use strict;
use warnings;

use Cwd;
use Exporter 'import';
use File::Basename;
use File::Temp;
use IO::Socket::UNIX;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_node stats served check_log build_stress build_library
  build_broken stress_seed raw_client ask extended ready);

my $top = dirname(dirname(Cwd::abs_path(dirname(__FILE__))));

sub pg_config
{
	my ($what) = @_;
	my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
	chomp(my $answer = `$pg_config --$what`);
	return $answer;
}

sub run_or_die
{
	my $out = `@_ 2>&1`;
	die "@_: $out" if $?;
	return;
}

# A server that was initialised but not started, with lines for its
# configuration; "library", a directory, is where a library other than the
# installed one is found.
sub new_node
{
	my ($name, %arg) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(allows_streaming => $arg{streaming} || 0);
	$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'perfopt'
max_prepared_transactions = 40
max_connections = 50
log_line_prefix = '%m [%p] '
log_statement = none
log_min_messages = warning
autovacuum_naptime = 5s
@{[ $arg{library} ? "dynamic_library_path = '$arg{library}:\$libdir'" : '' ]}
@{[ $arg{conf} || '' ]}
CONF
	return $node;
}

# A counter of perfopt_cache_stats over all databases, or a column of it that
# is of the whole cache.
sub stats
{
	my ($node, $column, $db) = @_;
	my $how = $column =~ /^bytes_(free|pinned)$/ ? 'max' : 'sum';
	return $node->safe_psql($db || 'postgres',
		"SELECT coalesce($how($column), 0) FROM perfopt_cache_stats");
}

# Runs a statement in a session of its own and says what it gave, and how
# often the cache answered: "6 served 1".  The session itself reads the
# counters, since others see them with a delay.
sub served
{
	my ($node, $sql, %arg) = @_;
	my $hits = 'SELECT coalesce(sum(hits), 0) FROM perfopt_cache_stats';
	my @out = split /\n/, $node->safe_psql($arg{db} || 'postgres',
			"$hits; SET perfopt.cache = force; "
		  . ($arg{before} ? "$arg{before}; " : '')
		  . "$sql; SET perfopt.cache = off; $hits");
	my $before = shift @out;
	my $after = pop @out;
	return join(' ', @out, 'served', $after - $before);
}

# The log must not tell of a leak, a failed assertion or a crash.  A test that
# kills a backend says so.
sub check_log
{
	my ($node, $may) = @_;
	my @bad = grep {
		/leak|TRAP:|PANIC:|terminated by signal|cached answer differed/
		  && !($may && /$may/)
	} split /\n/, slurp_file($node->logfile);
	is(join("\n", @bad), '', $node->name . "'s log tells of no fault");
	return;
}

# A client that sends and reads only what it is told to.
sub raw_client
{
	my ($node) = @_;
	my $user = getpwuid($<);
	my $socket = IO::Socket::UNIX->new($node->host . '/.s.PGSQL.' . $node->port)
	  or die "no connection: $!";
	my $words = "user\0$user\0database\0postgres\0\0";
	print $socket pack('NN', 8 + length $words, 196608), $words;
	$socket->flush;
	ready($socket);
	return $socket;
}

# A simple query.
sub ask
{
	my ($socket, $sql) = @_;
	print $socket 'Q', pack('N', 5 + length $sql), $sql, "\0";
	$socket->flush;
	return;
}

# Steps of the extended protocol, and a Sync: Parse and Bind of the portal "p",
# if there is a statement; Execute of it for so many rows (0: all), if told.
sub extended
{
	my ($socket, $sql, $rows) = @_;
	my @messages = ();
	push @messages, [ 'P', "\0$sql\0\0\0" ], [ 'B', "p\0\0" . "\0" x 6 ]
	  if defined $sql;
	push @messages, [ 'E', "p\0" . pack('N', $rows) ] if defined $rows;
	print $socket $_->[0], pack('N', 4 + length $_->[1]), $_->[1]
	  for @messages, [ 'S', '' ];
	$socket->flush;
	return;
}

# Reads up to ReadyForQuery; gives the rows' number and the SQLSTATE, if any.
# With a list for it, also the first column of each row.
sub ready
{
	my ($socket, $values) = @_;
	my ($rows, $state) = (0, '');
	while (1)
	{
		read($socket, my $head, 5) == 5 or return ($rows, 'closed');
		my ($type, $length) = unpack('aN', $head);
		read($socket, my $body, $length - 4) == $length - 4
		  or $length == 4
		  or return ($rows, 'closed');
		$rows++ if $type eq 'D';
		push @$values, unpack('x2 N/a', $body) if $type eq 'D' && $values;
		($state) = $body =~ /\0C(\w{5})\0/ if $type eq 'E';
		return ($rows, $state) if $type eq 'Z';
	}
}

sub build_stress
{
	my $dir = File::Temp::tempdir(CLEANUP => 1);
	my @sources = map { "$top/t/stress/$_.c" } qw(stress session compare tables
	  readers functions cursors portals roles interrupts writers alterer);
	run_or_die(
		"gcc -O2 -Wall -Werror -I", pg_config('includedir'), @sources,
		"-L", pg_config('libdir'), "-lpq -o $dir/stress");
	return "$dir/stress";
}

# A library of t/stress for the server; gives the directory it is in.
sub build_library
{
	my ($name) = @_;
	my $dir = File::Temp::tempdir(CLEANUP => 1);
	chmod 0755, $dir;
	run_or_die(
		"gcc -O2 -Wall -Werror -fPIC -shared -I",
		pg_config('includedir-server'),
		"$top/t/stress/$name.c -o $dir/$name.so");
	return $dir;
}

# perfopt itself, so that rules can be left out; gives the directory.
sub build_broken
{
	my $dir = File::Temp::tempdir(CLEANUP => 1);
	chmod 0755, $dir;
	run_or_die(
		"tar -C $top --exclude='*.o' --exclude='*.so' --exclude='*.bc' -cf -",
		"src Makefile perfopt.control perfopt--1.0.sql",
		"| tar -C $dir -xf -");
	run_or_die("env -u MAKELEVEL -u MAKEFLAGS make -s -j2 -C $dir",
		"PG_CONFIG=" . ($ENV{PG_CONFIG} || 'pg_config'),
		"COPT=-DPFO_TEST_BREAKAGE perfopt.so");
	return $dir;
}

# The same in each run of CI would try the same again; PFO_SEED repeats one.
sub stress_seed
{
	return $ENV{PFO_SEED} || time;
}

1;
