#
# Every kind of command that changes what a SELECT gives, its shape or who may
# ask it, in every way to run it.  All of it happens twice, in sessions without
# the cache and in sessions with it: whatever the server says must be the same,
# also where PostgreSQL itself is late.  PFO_ONLY, a pattern, picks commands.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoDefinitions;
use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('definitions',
	conf => "fsync = off\nautovacuum = off\njit = off\nallow_in_place_tablespaces = on\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION perfopt');
$node->safe_psql('postgres', "CREATE TABLESPACE place LOCATION ''");
$node->safe_psql('postgres', q{
	CREATE ROLE alice;
	CREATE ROLE bob;
	CREATE ROLE crew;
	CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
	CREATE TABLE other (i int);
	CREATE TABLE other2 (i int);
	CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.v := 50; RETURN new; END';
});

my $setup = raw_client($node);
answer($setup, 'SET client_min_messages = error');

# What a session is told, in the order of the messages.  OIDs of objects that
# were made meanwhile are numbered as they appear.
my %numbers;

sub number
{
	my ($oid) = @_;
	return $oid if $oid < 16384;
	$numbers{$oid} ||= 'new' . (1 + keys %numbers);
	return $numbers{$oid};
}

sub shape
{
	my ($body) = @_;
	my $n = unpack('n', $body);
	my @fields = unpack("x2 (Z* N n N n N n)$n", $body);
	my @said = ();
	while (my @field = splice(@fields, 0, 7))
	{
		$field[$_] = number($field[$_]) for 1, 3;
		push @said, join(' ', @field);
	}
	return 'columns ' . join(', ', @said);
}

sub told
{
	my ($socket, $sql) = @_;
	my @said = ();
	local $SIG{ALRM} = sub { die "the server does not answer: $sql" };
	alarm $PostgreSQL::Test::Utils::timeout_default;
	while (1)
	{
		die "the server went away: $sql" unless (read($socket, my $head, 5) || 0) == 5;
		my ($type, $length) = unpack('aN', $head);
		read($socket, my $body, $length - 4);
		if ($type eq 'T')
		{
			push @said, shape($body);
		}
		elsif ($type eq 'D')
		{
			my $null = pack('N/a', '(null)');
			my @values = unpack('x2 (N/a)' . unpack('n', $body), $body =~ s/\xff{4}/$null/gr);
			push @said, 'row ' . join('|', @values);
		}
		elsif ($type eq 'E' || $type eq 'N')
		{
			my ($state) = $body =~ /\0C(\w{5})\0/;
			my ($message) = $body =~ /\0M([^\0]*)\0/;
			push @said, "$type $state " . $message =~ s/\b(\d{5,})\b/number($1)/ger;
		}
		elsif ($type eq 'C')
		{
			push @said, unpack('Z*', $body);
		}
		elsif ($type eq 'Z')
		{
			alarm 0;
			push @said, $body;
			return join("\n    ", @said);
		}
	}
	return;
}

# The same sessions for each mode.  A runs the commands and reads itself, R
# only reads; G and C do so by plans made before, generic and custom; S reads
# in an older snapshot, K by cursors.
my %settings = (
	A => '',
	R => '',
	G => 'SET plan_cache_mode = force_generic_plan',
	C => 'SET plan_cache_mode = force_custom_plan',
	S => '',
	K => '');
my %pool;
my $mode;
my %session;
my @said;
my @reads;

sub settle_down
{
	my ($name) = @_;
	answer($session{$name}, "RESET ALL; SET perfopt.cache = $mode;"
		  . " SET lock_timeout = '1ms'; SET search_path = "
		  . ($name eq 'A' ? 'd, early, public;' : 'early, d, public;')
		  . " SET client_min_messages = warning; $settings{$name}");
	return;
}

# Each line of the record says what a session asked and was told.
sub note_told
{
	my ($name, $sql) = @_;
	my $what = told($session{$name}, $sql);
	push @said, "$name: $sql\n    $what";
	return $what;
}

sub step
{
	my ($name, $sql) = @_;
	ask($session{$name}, $sql);
	return note_told($name, $sql);
}

# In a transaction an error must not keep the next statement from being read.
sub read_one
{
	my ($name, $read, $sql, $xact) = @_;
	my ($role) = $read =~ /^(\w+): /;
	my @before = ($xact ? 'SAVEPOINT r' : (), $role ? "SET ROLE $role" : ());
	my @after = ();
	my $what;
	answer($session{$name}, join('; ', @before)) if @before;
	$what = step($name, $sql);
	push @after, $what =~ /E$/ ? 'ROLLBACK TO r' : 'RELEASE r' if $xact;
	push @after, 'RESET ROLE' if $role;
	answer($session{$name}, join('; ', @after)) if @after;
	return;
}

sub plain
{
	my ($read) = @_;
	return $read =~ s/^\w+: //r =~ s/\$1/1/gr;
}

# Outside of a transaction all is asked before any answer is read: it is faster.
sub read_all
{
	my ($name, $sqls, $xact) = @_;
	if ($xact)
	{
		read_one($name, $reads[$_], $sqls->[$_], 1) for 0 .. $#reads;
		return;
	}
	for my $turn ('asked', 'told')
	{
		for my $i (0 .. $#reads)
		{
			my ($role) = $reads[$i] =~ /^(\w+): /;
			for my $sql ($role ? "SET ROLE $role" : (), $sqls->[$i],
				$role ? 'RESET ROLE' : ())
			{
				if ($turn eq 'asked')
				{
					ask($session{$name}, $sql);
				}
				elsif ($sql eq $sqls->[$i])
				{
					note_told($name, $sql);
				}
				else
				{
					told($session{$name}, $sql);
				}
			}
		}
	}
	return;
}

sub by_name
{
	my ($name, $xact) = @_;
	read_all($name, [ map { plain($_) } @reads ], $xact);
	return;
}

sub by_plan
{
	my ($name, $xact) = @_;
	read_all($name, [ map { "EXECUTE p$_ (1)" } 0 .. $#reads ], $xact);
	return;
}

sub reads
{
	my ($name, $xact) = @_;
	by_name($name, $xact) if $name !~ /[GC]/;
	by_plan($name, $xact) if $name =~ /[AGC]/;
	return;
}

my $turn;

# Each time another reader is the first, whose answer the others may get.
sub everybody
{
	my @readers = (
		sub { by_name('R') },
		sub { by_plan($turn % 2 ? 'G' : 'C') },
		sub { $turn % 4 < 2 ? by_plan('A') : by_name('A') });
	push @said, "-- $_[0]";
	push @readers, shift @readers for 1 .. $turn % 3;
	$_->() for @readers;
	$turn++;
	return;
}

sub make
{
	my ($group, $command) = @_;
	my $made;
	answer($setup, 'DROP SCHEMA IF EXISTS d, early, x, y CASCADE');
	$made = answer($setup, 'CREATE SCHEMA d; CREATE SCHEMA early; GRANT ALL ON SCHEMA d, early TO PUBLIC; SET search_path = d, public; '
		  . $group->{make} . ($command->{make} || ''));
	die "$command->{sql}: cannot make: $made" if $made =~ /\b(?!00000)[0-9A-Z]{5}$/;
	for my $name ('A', 'G', 'C')
	{
		settle_down($name);
		answer($session{$name}, 'DEALLOCATE ALL');
		read_one($name, $reads[$_], "PREPARE p$_ (int) AS " . $reads[$_] =~ s/^\w+: //r)
		  for 0 .. $#reads;
	}
	reads($_) for 'R', 'G', 'C', 'A';
	return;
}

sub unmake
{
	my ($command) = @_;
	answer($setup, $command->{undo}) if $command->{undo};
	return;
}

# Reads through cursors that were opened, and read in part, before.
sub with_cursors
{
	my ($name, $command) = @_;
	step($name, 'BEGIN');
	for my $i (0 .. $#reads)
	{
		read_one($name, $reads[$i], "DECLARE c$i CURSOR FOR " . plain($reads[$i]), 1);
		read_one($name, '', "FETCH 1 FROM c$i", 1);
	}
	if ($name eq 'A')
	{
		read_one($name, '', $command, 1);
	}
	else
	{
		step('A', 'BEGIN');
		step('A', $command);
	}
	read_one($name, '', "FETCH ALL FROM c$_", 1) for 0 .. $#reads;
	step('A', 'ROLLBACK');
	step($name, 'COMMIT') unless $name eq 'A';
	everybody("cursors of $name");
	return;
}

my %ways = (
	# first what leaves everything as it was
	undone => sub {
		my ($command, %more) = @_;
		push @said, '-- rolled back';
		step('A', 'BEGIN');
		reads('A', 1);
		step('A', $command);
		reads('A', 1);
		reads('R');
		reads('G');
		step('A', 'ROLLBACK');
		everybody('rolled back');
		step('A', 'BEGIN');
		step('A', 'SAVEPOINT s');
		step('A', $command);
		reads('A', 1);
		step('A', 'ROLLBACK TO s');
		reads('A', 1);
		reads('C');
		step('A', 'COMMIT');
		everybody('savepoint rolled back');
		step('A', 'BEGIN');
		step('A', $command);
		step('A', q{PREPARE TRANSACTION 'x'});
		reads('R');
		reads('A');
		step('A', q{ROLLBACK PREPARED 'x'});
		everybody('prepared, rolled back');
		with_cursors($_, $command) for $more{indexes} ? () : ('A', 'K');
	},
	committed => sub {
		my ($command, %more) = @_;
		my $then = $more{then};
		# what is done concurrently waits for others
		my @older = $command =~ /CONCURRENTLY/ && !$then || $more{indexes} ? () : ('S', 'K');
		push @said, '-- committed, older snapshots';
		for my $name (@older)
		{
			step($name, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
			step($name, 'SELECT count(*) FROM public.other');
		}
		reads('K', 1) if @older;
		if (step('A', $command) =~ /^E 55P03/m)
		{
			everybody('waiting') if $then;
			step('K', 'COMMIT');
			if (!$then && step('A', $command) =~ /^E 55P03/m || $then)
			{
				step('S', 'COMMIT');
				step('A', $then || $command);
			}
		}
		# who has not heard of it yet could still use a role of that name
		step('S', 'SELECT count(*) FROM public.other2');
		reads('S', 1);
		everybody('committed');
		reads('S', 1);
		reads('K', 1);
		step('S', 'COMMIT');
		step('K', 'COMMIT');
		$session{N} = raw_client($node);
		answer($session{N}, "SET perfopt.cache = $mode; SET search_path = early, d, public");
		reads('N');
		reads('N');
		close($session{N});
	},
	own => sub {
		my ($command) = @_;
		push @said, '-- committed by who reads';
		step('A', 'BEGIN');
		reads('A', 1);
		step('A', $command);
		reads('A', 1);
		step('A', 'COMMIT');
		everybody('own, committed');
	},
	prepared => sub {
		my ($command) = @_;
		push @said, '-- prepared';
		step('A', 'BEGIN');
		step('A', $command);
		step('A', q{PREPARE TRANSACTION 'x'});
		reads('C');
		step('A', q{COMMIT PREPARED 'x'});
		everybody('prepared, committed');
	});

sub play
{
	my ($group, $command, $as) = @_;
	my $in_blocks = $command->{sql} !~ /CONCURRENTLY (?!mv)|CONCURRENTLY$|^VACUUM|^REINDEX SCHEMA/;
	$mode = $as;
	$pool{$mode} ||= { map { $_ => raw_client($node) } keys %settings };
	%session = %{ $pool{$mode} };
	settle_down($_) for keys %session;
	@said = ();
	@reads = (@{ $group->{reads} }, @{ $command->{reads} || [] });
	%numbers = ();
	$turn = 0;
	for my $way ($in_blocks ? ('undone prepared', 'own') : (), 'committed')
	{
		make($group, $command);
		$ways{$_}->($command->{sql}, %$command) for split / /, $way;
		unmake($command);
	}
	# a session that had a temporary table is served less
	if ($command->{sql} =~ / TEMP |REFRESH .* CONCURRENTLY/)
	{
		close($pool{$mode}{A});
		$pool{$mode}{A} = raw_client($node);
	}
	return @said;
}

my ($commands, $statements) = (0, 0);
my $only = $ENV{PFO_ONLY} || '';

for my $group (definition_groups())
{
	for my $entry (@{ $group->{ddl} })
	{
		my ($sql, %more) = ref $entry ? @$entry : $entry;
		my $what = "$group->{name}: $sql";
		next if $only && $what !~ /$only/;
		next if $more{until} && pg_major() > $more{until};
		my @without = play($group, { sql => $sql, %more }, 'off');
		my @with = play($group, { sql => $sql, %more }, 'force');
		my $way = '';
		my @wrong = ();
		push @with, '' while @with < @without;
		push @without, '' while @without < @with;
		for my $i (0 .. $#with)
		{
			$way = $with[$i] if $with[$i] =~ /^--/;
			push @wrong, "$way\n  without $without[$i]\n  with    $with[$i]"
			  if $with[$i] ne $without[$i]
			  && !($more{except} && $without[$i] =~ /$more{except}/)
			  && !($more{indexes} && $without[$i] =~ /^    E 55P03/m);
		}
		my @ran = grep { /^A: \Q@{[ $more{then} || $sql ]}\E\n/ } @without;
		push @wrong, "the command fails: $ran[0]"
		  unless $more{fails} || grep { !/^    E /m } @ran;
		is(scalar @wrong, 0, $what)
		  or diag(join("\n", @wrong > 4 ? @wrong[ 0 .. 3 ] : @wrong));
		$commands++;
		$statements += @with;
	}
}

answer($setup, 'SELECT 1');
close($_) for map { values %$_ } values %pool;
$node->poll_query_until('postgres', q{SELECT count(*) <= 2 FROM pg_stat_activity WHERE backend_type = 'client backend'});
note("$commands commands, $statements steps, " . stats($node, 'hits') . ' hits, ' . stats($node, 'misses') . ' misses');
cmp_ok(stats($node, 'hits'), '>', $commands * 20, 'the cache took part') unless $only;
check_log($node);
$node->stop;
done_testing();
