#
# default_text_search_config without a schema, which only the configuration
# file can bring: what it means depends on the search_path of a session's first
# use of it.  And with a schema that gets another name.  The same of the
# dictionary that a thesaurus names.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use PfoTest;
use Test::More;

my $node = new_node('text_search', conf => "default_text_search_config = 'words'\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION perfopt;
CREATE SCHEMA a;
CREATE SCHEMA b;
CREATE TEXT SEARCH CONFIGURATION a.words (COPY = pg_catalog.simple);
CREATE TEXT SEARCH CONFIGURATION b.words (COPY = pg_catalog.english);
CREATE TABLE t (v text);
INSERT INTO t VALUES ('running');
CREATE TABLE none (v text);
CREATE FUNCTION vector(v text) RETURNS tsvector RETURN to_tsvector(v);
SQL
my $simple = "'running':1";
my $english = "'run':1";

# A session keeps to what it found first, others do not.
my $older = raw_client($node);
my $younger = raw_client($node);
for my $sql ('SELECT to_tsvector(v) FROM t', 'SELECT vector(v) FROM t',
	'SELECT v FROM t WHERE to_tsvector(v) @@ to_tsquery(\'running\')',
	'SELECT v FROM t WHERE v @@ \'running\'')
{
	my $expected = $sql =~ /WHERE/ ? 'running' : $english;
	answer($older, 'SET search_path = a, public; SELECT get_current_ts_config(); SET search_path = b, public; SET perfopt.cache = force');
	answer($younger, 'SET search_path = b, public; SET perfopt.cache = force');
	answer($older, $sql);
	is(answer($younger, $sql), $expected, "$sql: not the answer of another configuration");
	is(answer($older, $sql), $expected =~ /running$/ ? 'running' : $simple, "$sql: the session's own");
}

# Nor does a look-up decide what the session finds: this executes none.
my $third = raw_client($node);
answer($third, 'SET perfopt.cache = force; SET search_path = a, public; SELECT to_tsvector(v) FROM none; SET search_path = b, public');
is(answer($third, 'SELECT to_tsvector(v) FROM t'), $english, 'not found before it is used');

# With a schema it is served, as what it is for the session.
for my $client ($older, $younger)
{
	answer($client, 'SET default_text_search_config = \'a.words\'');
	is(answer($client, 'SELECT to_tsvector(v) FROM t'), $simple, 'with a schema');
}
is(served($node, 'SELECT to_tsvector(v) FROM t', before => 'SET default_text_search_config = \'a.words\''),
	"$simple served 1", 'with a schema: served');
answer($younger, 'ALTER SCHEMA a RENAME TO c; ALTER SCHEMA b RENAME TO a');
is(answer($older, 'SELECT to_tsvector(v) FROM t'), $simple, 'renamed: the session keeps to what it found');
is(served($node, 'SELECT to_tsvector(v) FROM t', before => 'SET default_text_search_config = \'a.words\''),
	"$english served 0", 'renamed: another session finds another one');

#
# A thesaurus and the dictionary it normalises words by: as it was found by the
# session that used it first.  Functions with a configuration are IMMUTABLE.
#
$node->safe_psql('postgres', 'CREATE DATABASE words');
$node->safe_psql('words', <<'SQL');
CREATE EXTENSION perfopt;
CREATE SCHEMA a;
CREATE SCHEMA b;
CREATE TEXT SEARCH DICTIONARY a.sub (TEMPLATE = simple);
CREATE TEXT SEARCH DICTIONARY b.sub (TEMPLATE = snowball, Language = english);
CREATE TEXT SEARCH CONFIGURATION sky (COPY = english);
CREATE TABLE t AS SELECT 'supernova star' AS v;
CREATE FUNCTION vector(v text) RETURNS tsvector RETURN to_tsvector('sky', v);
SQL
my $unknown = "'star':2 'supernova':1";
my $known = "'sn':1";
my $vector = 'SELECT to_tsvector(\'sky\', v) FROM t';
my $in_words = sub { return served($node, $_[0], db => 'words', before => $_[1]) };
is($in_words->($vector), "$unknown served 0", 'no thesaurus: kept');
is($in_words->($vector), "$unknown served 1", 'no thesaurus: served');

# what may be the thesaurus, who has it by which dictionary, and what serves
sub thesaurus
{
	my ($template, $dictionary) = @_;
	$node->safe_psql('words', <<"SQL");
SET search_path = a, public;
ALTER TEXT SEARCH CONFIGURATION public.sky ALTER MAPPING FOR asciiword WITH english_stem;
DROP TEXT SEARCH DICTIONARY IF EXISTS public.thes;
CREATE TEXT SEARCH DICTIONARY public.thes (TEMPLATE = $template, DictFile = thesaurus_sample, Dictionary = $dictionary);
ALTER TEXT SEARCH CONFIGURATION public.sky ALTER MAPPING FOR asciiword WITH thes, english_stem;
SQL
	return;
}

$node->safe_psql('words', 'CREATE TEXT SEARCH TEMPLATE mine (INIT = thesaurus_init, LEXIZE = thesaurus_lexize)');
for my $template ('thesaurus', 'mine')
{
	thesaurus($template, 'sub');
	my @both = map { raw_client($node, 'words') } 1 .. 2;
	answer($both[0], 'SET search_path = a, public; SELECT to_tsvector(\'sky\', \'one\'); SET perfopt.cache = force');
	answer($both[1], 'SET search_path = b, public; SELECT to_tsvector(\'sky\', \'one\'); SET perfopt.cache = force');
	for my $sql ($vector,
		'SELECT vector(v) FROM t',
		'SELECT ts_lexize(\'thes\', split_part(v, \' \', 1)) FROM t',
		'SELECT plainto_tsquery(\'sky\', v) FROM t',
		'SELECT v FROM t WHERE to_tsvector(\'sky\', v) @@ plainto_tsquery(\'simple\', \'sn\')',
		'SELECT ts_headline(\'sky\', v, \'sn\') FROM t')
	{
		my @executed = map { answer($_, "SET perfopt.cache = off; $sql; SET perfopt.cache = force") } @both;
		isnt($executed[0], $executed[1], "$template: $sql: sessions differ");
		is(answer($both[$_], $sql), $executed[$_], "$template: $sql: the session's own") for 0, 1, 0;
	}
	is($in_words->($vector, 'SET search_path = a, public') . ' ' . $in_words->($vector, 'SET search_path = a, public'),
		"$unknown served 0 $unknown served 0", "$template: not served");
}

# Another schema than pg_catalog can get another name.
thesaurus('thesaurus', 'a.sub');
my $first = raw_client($node, 'words');
answer($first, 'SET perfopt.cache = force; SELECT to_tsvector(\'sky\', \'one\')');
$node->safe_psql('words', 'ALTER SCHEMA a RENAME TO c; ALTER SCHEMA b RENAME TO a');
is(answer($first, $vector), $unknown, 'renamed: the session keeps to what it found');
is($in_words->($vector), "$known served 0", 'renamed: another session finds another one');
$node->safe_psql('words', 'ALTER SCHEMA a RENAME TO b; ALTER SCHEMA c RENAME TO a');

thesaurus('thesaurus', 'pg_catalog.english_stem');
is($in_words->($vector) . ' ' . $in_words->($vector), "$known served 0 $known served 1", 'in pg_catalog: served');

check_log($node);
$node->stop;
done_testing();
