
# Random messages of the protocol for t/026_protocol.pl, made of what
# t/stress/PfoProtocol.pm lists.
#
# A unit is a list of steps, [ what is told of it, its message ], that are sent
# together; the last one asks for ReadyForQuery.
#
# Some faults of PostgreSQL's own end the server or a session that meets them,
# hence such units are not made; each place has a comment.

package PfoRandom;

use strict;
use warnings;

use Exporter 'import';
use PfoProtocol;
use PfoTest;

our @EXPORT = qw(one_of focus_on setting unit recovery);

my @statements = ('', 's1', 's2');
my @portals = ('', 'p1', 'p2', 'c0');
my @cursors = ('c0', 'c1', 'rc');

# What these trials often ask for and set, what else they can set, and which
# functions they can call by number.
my (@focus, @set_often, @may_set, @functions);

sub one_of { return $_[ int rand @_ ]; }

# The cache has little to answer if each statement is run once, and little to
# tell apart if each setting is made once.
sub focus_on
{
	my ($functions, @more_settings) = @_;
	@focus = map { one_of(@selects) } 1 .. 2 + int rand 4;
	@set_often = map { one_of(@settings) } 1 .. 4;
	@functions = @$functions;
	@may_set = @more_settings;
	return;
}

sub setting
{
	return one_of(@may_set) if @may_set && rand() < 0.4;
	return one_of(rand() < 0.7 ? @set_often : @settings);
}

sub row_limit { return one_of(0, 0, 0, 1, 2, 5, 24, 25, 26); }

sub select_statement { return rand() < 0.8 ? one_of(@focus) : one_of(@selects); }

sub written
{
	return one_of(@writes) =~ s/%d/one_of(1, 2, 4, 7, 11, 20)/er;
}

sub moved
{
	my ($cursor, @from) = @_;
	my $move = one_of(@from) =~ s/%d/one_of(1, 2, 3, 5, 9, 12, 30)/er;
	return "$move $cursor";
}

sub moved_somehow
{
	return moved(one_of(@cursors, 'p1', 'p2'), rand() < 0.4 ? @moves[ 0 .. 2 ] : @moves);
}

sub declared
{
	my ($cursor, $scroll, $sql) = @_;
	return "DECLARE $cursor "
	  . join('', one_of('', '', 'BINARY '), one_of('', '', 'INSENSITIVE '), $scroll)
	  . 'CURSOR ' . one_of('', '', 'WITH HOLD ') . "FOR $sql";
}

sub declared_somehow
{
	return declared(one_of(@cursors), one_of('', 'SCROLL ', 'NO SCROLL '), select_statement());
}

sub updated_where_it_stands
{
	my $update = one_of(q{dup SET v = v || 'c'}, 'part SET k = 9', 't SET n = 0');
	return "UPDATE $update WHERE CURRENT OF " . one_of(@cursors);
}

# Plans over tables that are written depend on their number of pages.
sub explained
{
	return 'EXPLAIN (COSTS OFF' . one_of('', ', ANALYZE, TIMING OFF, SUMMARY OFF') . ') '
	  . one_of(grep { /FROM (accents|wide|par|huge)\b/ } @selects);
}

# Kinds of statements, and how often in a hundred.
my @kinds = (
	[ 22, \&select_statement ],
	[ 8, \&setting ],
	[ 12, \&written ],
	[ 13, sub { one_of(@transactions) } ],
	[ 10, \&declared_somehow ],
	[ 15, \&moved_somehow ],
	[ 1, sub { 'CLOSE ' . one_of(@cursors, 'ALL') } ],
	[ 3, sub { 'PREPARE ' . one_of('s1', 's2', 'q1', 'q2') . ' AS ' . select_statement() } ],
	[ 5, sub { 'EXECUTE ' . one_of('s1', 's2', 'q1', 'q2') } ],
	[ 1, sub { 'DEALLOCATE ' . one_of('s1', 's2', 'q1', 'q2', 'ALL') } ],
	[ 3, sub { 'COPY (' . select_statement() . ') TO STDOUT ' . one_of('', '(FORMAT csv)', '(FORMAT binary)') } ],
	[ 1, sub { 'CREATE TEMP TABLE made' . int(rand 10) . ' ON COMMIT DROP AS ' . select_statement() } ],
	[ 2, \&explained ],
	[ 1, sub { q{SELECT f_ref('} . one_of(@cursors) . q{', $$} . select_statement() . '$$)' } ],
	[ 1, sub { 'SELECT f_refq()' } ],
	[ 1, \&updated_where_it_stands ],
	[ 1, sub { 'DISCARD ' . one_of('PLANS', 'PLANS', 'TEMP') } ]);

sub statement
{
	my $which = rand 100;
	for my $kind (@kinds)
	{
		$which -= $kind->[0];
		return $kind->[1]->() if $which < 0;
	}
	return select_statement();
}

# One that can be parsed ahead.  A statement that executes a prepared one of its
# own name calls itself without end: none are parsed.
sub parsable
{
	my $sql;
	do { $sql = statement(); } while $sql =~ /EXECUTE/;
	return $sql;
}

sub formats
{
	my $which = rand;
	return $which < 0.5 ? ()
	  : $which < 0.6 ? (0)
	  : $which < 0.75 ? (1)
	  : $which < 0.98 ? map({ int rand 2 } 1 .. one_of(1, 2, 2, 2, 3, 4, 5, 20))
	  : one_of(2, -1);
}

# Which names a statement and its portal get.  To describe a FETCH is to look
# at its cursor, without looking whether it is still there; and a portal that
# has ended a transaction, run again, is one whose statement was let go.  So
# such ones have names by which nothing else is asked.
sub names
{
	my ($sql) = @_;
	return ('fetch', 'fetch') if $sql =~ /^(FETCH|MOVE)/;
	return ('end', 'end') if $sql =~ /^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|CALL)/;
	return (one_of(@statements), one_of(@portals));
}

sub describe_step
{
	my ($kind, $name) = @_;
	return [ "Describe $kind '$name'", message('D', "$kind$name\0") ];
}

sub close_step
{
	my ($kind, $name) = @_;
	return [ "Close $kind '$name'", message('C', "$kind$name\0") ];
}

sub bind_step
{
	my ($portal, $statement, $values) = @_;
	my @formats = formats();
	my $told = join ', ', map { $_ // 'NULL' } @$values;
	return [ "Bind '$portal' of '$statement' ($told), formats (@formats)",
		bind_values($portal, $statement, $values, @formats) ];
}

sub execute_step
{
	my ($portal) = @_;
	my $rows = row_limit();
	return [ "Execute '$portal' for $rows", execute($portal, $rows) ];
}

sub query_step
{
	my ($sql) = @_;
	return [ "Query $sql", query($sql) ];
}

# Parse and Bind and mostly Execute, with what can be between them.
sub whole_statement
{
	my $sql = rand() < 0.3 ? one_of(@with_parameters)
	  : rand() < 0.8 ? select_statement() : parsable();
	my ($statement, $portal) = names($sql);
	my @values = map { one_of('1', '3', '8', '30', undef) } 1 .. (() = $sql =~ /\$\d/g);
	my $hidden = $statement =~ /fetch|end/;
	my @steps = ();
	push @steps, close_step('S', $statement)
	  if $hidden || $statement ne '' && rand() < 0.5;
	push @steps, close_step('P', $portal) if $hidden;
	push @steps, [ "Parse '$statement' $sql", parse($statement, $sql) ];
	push @steps, describe_step('S', $statement) if !$hidden && rand() < 0.3;
	push @steps, bind_step($portal, $statement, \@values);
	push @steps, describe_step('P', $portal) if !$hidden && rand() < 0.5;
	push @steps, execute_step($portal) if rand() < 0.8;
	return ($portal, @steps);
}

sub bound_again
{
	my $portal = one_of(@portals);
	my @steps = (bind_step($portal, one_of(@statements), []));
	push @steps, execute_step($portal) if rand() < 0.8;
	return ($portal, @steps);
}

sub described_or_closed
{
	my $kind = one_of('S', 'P');
	my $name = one_of($kind eq 'S' ? @statements : @portals);
	return rand() < 0.6 ? describe_step($kind, $name) : close_step($kind, $name);
}

# After a Sync within a pipeline nobody knows yet whether the transaction has
# failed.  Of its portals some are then without the statement that an Execute
# looks at: only those are run that were bound since.
sub pipeline
{
	my @steps = ();
	my @known = @portals;
	for (1 .. 1 + int rand 9)
	{
		my $which = rand;
		my $bound;
		my @more = ();
		if ($which < 0.5)
		{
			($bound, @more) = $which < 0.3 ? whole_statement() : bound_again();
			push @known, $bound unless $bound =~ /fetch|end/;
		}
		elsif ($which < 0.72)
		{
			@more = (execute_step(one_of(@known))) if @known;
		}
		elsif ($which < 0.85)
		{
			@more = (described_or_closed());
		}
		elsif ($which < 0.96)
		{
			@more = $which < 0.92 ? [ 'Sync', sync() ] : [ 'Flush', message('H', '') ];
		}
		else
		{
			@more = ([ 'Sync', sync() ], query_step(statement()));
		}
		@known = () if grep { $_->[0] =~ /^(Sync|Query)/ } @more;
		push @steps, @more;
	}
	return (@steps, [ 'Sync', sync() ]);
}

# A statement, and again after a change of what it might depend on.
sub asked_again
{
	my $sql = select_statement();
	my $change = rand() < 0.7 ? setting() : written();
	return map { query_step($_) } ($sql) x one_of(1, 3), $change, $sql;
}

# A cursor that is moved about in, over what is stored by then.  By chance that
# would need a transaction that neither ends nor fails meanwhile.
sub scrolled
{
	my $sql = select_statement();
	my $cursor = one_of(@cursors);
	my @steps = ($sql, 'CLOSE ALL', 'BEGIN',
		declared($cursor, one_of('', 'SCROLL ', 'SCROLL '), $sql));
	push @steps, moved($cursor, @moves) for 1 .. 2 + int rand 7;
	return map { query_step($_) } @steps;
}

# Its data are sent at once: a server that refuses it ignores them.
sub copied_in
{
	my $rows = join '', map { int(rand 60) . "\t$_\tcopied\n" } 1 .. int rand 4;
	my $sql = 'COPY part (id, k, v) FROM STDIN';
	my $end = rand() < 0.8 ? message('c', '') : message('f', "no more\0");
	return [ "Query $sql", query($sql) . message('d', $rows) . $end ];
}

sub called
{
	my $function = one_of(@functions);
	my @values = (one_of(1, 3, 7, 20)) x $function->{arguments};
	my $format = int rand 2;
	return [ "call of $function->{name} (@values) for format $format",
		message('F', pack('N n n', $function->{oid}, 0, scalar @values)
			  . join('', map { pack('N/a*', $_) } @values) . pack('n', $format)) ];
}

sub unit
{
	my $which = rand;
	return pipeline() if $which < 0.5;
	return called() if $which < 0.52;
	return copied_in() if $which < 0.53;
	return scrolled() if $which < 0.58;
	return asked_again() if $which < 0.63;
	return query_step(join '; ', map { statement() } 1 .. (rand() < 0.08 ? 3 : 1));
}

# What is sent to a session whose transaction has failed.
sub recovery
{
	return query_step(one_of(('ROLLBACK') x 3, 'ROLLBACK TO a', 'COMMIT', 'ROLLBACK AND CHAIN', 'SELECT 1'));
}

1;
