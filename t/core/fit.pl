#!/usr/bin/perl
#
# fit.pl REGRESS_DIR TEST...
#
# Makes test scripts written for an older psql fit for a newer one of the same
# major.  Since a security release a psql whose COPY ... FROM STDIN fails at
# once goes on to skip the in-line data, up to a line "\.", as it cannot know
# that there is none; a script without that line loses all that follows.  A
# skipped line is not echoed, so the added "\." leaves the expected output alone.
use strict;
use warnings;

my ($dir, @tests) = @ARGV;

sub slurp
{
	my ($file) = @_;
	open(my $fh, '<:raw', $file) or die "$file: $!\n";
	return map { chomp; $_ } <$fh>;
}

# [first, last] line of each COPY ... FROM STDIN statement
sub copies
{
	my @line = @_;
	my @found;
	for (my $i = 0; $i < @line; $i++)
	{
		next unless $line[$i] =~ /^\s*copy\b.*\bfrom\s+stdin\b/i;
		my $end = $i;
		$end++
		  while ($line[$end] !~ /;\s*(--.*)?$/
			&& $end + 1 < @line
			&& $end - $i < 6);
		push @found, [ $i, $end ];
		$i = $end;
	}
	return @found;
}

for my $test (@tests)
{
	my @sql = slurp("$dir/sql/$test.sql");
	my @out = slurp("$dir/expected/$test.out");
	my @echoed = copies(@out);
	my @at;

	for my $copy (copies(@sql))
	{
		my $text = join "\n", @sql[ $copy->[0] .. $copy->[1] ];

		# The expected output echoes the script, in its order.
		my ($k) = grep {
			join("\n", @out[ $echoed[$_][0] .. $echoed[$_][1] ]) eq $text
		} 0 .. $#echoed;
		next unless defined $k;
		my $next = $echoed[$k][1] + 1;
		splice @echoed, 0, $k + 1;
		next unless ($out[$next] // '') =~ /^ERROR:/;

		# An error of the data itself says where; then the data was read.
		my $in_data = 0;
		for my $line (@out[ $next + 1 .. $next + 5 ])
		{
			last unless ($line // '-') =~ /^(LINE \d|DETAIL|HINT|CONTEXT|\s|$)/;
			$in_data = 1 if $line =~ /^CONTEXT:  COPY/;
		}
		push @at, $copy->[1] unless $in_data;
	}

	my $added = 0;
	for my $i (reverse @at)
	{
		my ($next) = grep { /^\\\./ || /;/ || /^--/ } @sql[ $i + 1 .. $#sql ];
		next if ($next // '') =~ /^\\\./;
		splice @sql, $i + 1, 0, '\.';
		$added++;
	}
	next unless $added;
	open(my $fh, '>:raw', "$dir/sql/$test.sql") or die "$test: $!\n";
	print $fh map { "$_\n" } @sql;
	close $fh or die "$test: $!\n";
	print "$test: $added end-of-data lines added\n";
}
