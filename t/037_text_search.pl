#
# default_text_search_config without a schema, which only the configuration
# file can bring: what it means depends on the search_path of a session's first
# use of it.  And with a schema that gets another name.
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

check_log($node);
$node->stop;
done_testing();
