#
# The views show the texts of all databases in the encoding of the one that
# asks, as far as it can say them, and cut them between characters.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('texts');
$node->start;

my $umlaut = "\xc3\xa4";
my $euro = "\xe2\x82\xac";
for my $encoding (qw(UTF8 LATIN1 SQL_ASCII))
{
	$node->safe_psql('postgres', "CREATE DATABASE $encoding
		ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
	$node->safe_psql(lc $encoding, qq{
		SET client_encoding = utf8;
		CREATE EXTENSION perfopt;
		CREATE TABLE t AS SELECT 1 AS i;
		SET perfopt.cache = force;
		SELECT i AS "of_$encoding", i AS "$umlaut" FROM t});
}
$node->safe_psql('utf8', qq{
	SET client_encoding = utf8;
	SET perfopt.cache = force;
	SELECT i + 1 AS of_euro, i AS "$umlaut$euro" FROM t});

# whole, up to the first character that cannot be said, or as bytes
my $whole = qq{"$umlaut" FROM t};
my %shown = (
	utf8 => { UTF8 => $whole, LATIN1 => $whole, SQL_ASCII => '"', euro => qq{"$umlaut$euro" FROM t} },
	latin1 => { UTF8 => $whole, LATIN1 => $whole, SQL_ASCII => '"', euro => qq{"$umlaut} },
	sql_ascii => { UTF8 => $whole, LATIN1 => qq{"\xe4" FROM t}, SQL_ASCII => $whole, euro => qq{"$umlaut$euro" FROM t} });
for my $db (sort keys %shown)
{
	for my $view ('entries', 'savings')
	{
		for my $of (sort keys %{ $shown{$db} })
		{
			# length() and the conversion for the client look at each character
			is( $node->safe_psql($db, qq{
				SET client_encoding = @{[ $db eq 'sql_ascii' ? 'sql_ascii' : 'utf8' ]};
				SELECT regexp_replace(query, '^.*, i AS ', '')
				FROM perfopt_cache_$view
				WHERE query LIKE '%of_$of%' AND length(query) > 0}),
				$shown{$db}{$of}, "in $db, perfopt_cache_$view: text of $of");
		}
	}
}

# Wherever the text of a statement is cut: perfopt_cache_savings keeps less
# of it than perfopt_cache_entries.
my $columns = join(', ', (qq{i AS "@{[ $umlaut x 30 ]}"}) x 20);
$node->safe_psql('utf8', 'SET client_encoding = utf8; SET perfopt.cache = force;'
	. join(';', map { 'SELECT ' . join(' + ', ('i') x $_) . ' AS ' . 'x' x $_ . ", $columns FROM t" } 2 .. 5));
for my $view ('entries', 'savings')
{
	is( $node->safe_psql('utf8', qq{
		SELECT count(*), bool_and(convert_from(convert_to(query, 'UTF8'), 'UTF8') = query)
		FROM perfopt_cache_$view WHERE query LIKE 'SELECT i + i% AS x%'}),
		'4|t', "perfopt_cache_$view: cut between characters");
}

$node->stop;
check_log($node);
done_testing();
