#
# The library and the extension come and go: with and without preloading, over
# a clean restart and over a crash, and without a trace in the server's log.
#
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

my $stderr;
$node->psql(
	'postgres', q{
	CREATE EXTENSION perfopt;
	TABLE perfopt_cache_stats;
}, stderr => \$stderr);
like(
	$stderr,
	qr/shared_preload_libraries/,
	'without preloading, what is missing is named');

# the hint can be pasted, and tells what is loaded to whom SHOW would
$node->safe_psql('postgres', 'CREATE ROLE plain');
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = 'auto_explain'\n");
$node->restart;
$node->psql('postgres', 'TABLE perfopt_cache_stats', stderr => \$stderr);
like($stderr, qr/ SET shared_preload_libraries = 'perfopt', 'auto_explain';/,
	'what is loaded already is kept');
$node->psql('postgres', 'SET ROLE plain; TABLE perfopt_cache_stats',
	stderr => \$stderr);
like($stderr, qr/HINT:  Ask an administrator/, 'others are told whom to ask');
unlike($stderr, qr/auto_explain/, 'and not what is loaded');
$node->safe_psql('postgres', 'DROP EXTENSION perfopt');

$node->append_conf('postgresql.conf',
	"shared_preload_libraries = 'perfopt'\n");
$node->restart;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION perfopt;
	CREATE TABLE kept AS SELECT g AS id FROM generate_series(1, 100) g;
});
is($node->safe_psql('postgres', 'SHOW perfopt.cache'),
	'observe', 'preloading alone serves nothing');
is( $node->safe_psql(
		'postgres', q{
	SELECT string_agg(pg_describe_object(classid, objid, 0), ', ')
	FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
	  AND classid <> 'pg_type'::regclass
	  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'perfopt')
	  AND obj_description(objid, classid::regclass::name) IS NULL
}),
	'',
	'every object of the extension has a comment');

# alone with the server: no client, hence nobody who would miss a notice later
$node->stop;
my $commands = join("\n",
	'SET perfopt.cache = force',
	('SELECT count(*) FROM kept') x 2,
	q{SELECT reason, count FROM perfopt_cache_reasons WHERE reason IN ('messages', 'snapshot')}, '');
my $told;
IPC::Run::run([ 'postgres', '--single', '-D', $node->data_dir, 'postgres' ],
	'<', \$commands, '>', \$told, '2>', '/dev/null');
is(join(' ', $told =~ /= "([^"]*)"/g), '100 100 messages 2',
	'single-user mode: executed, and why');
$node->start;

for my $how ('fast', 'immediate')
{
	$node->stop($how);
	$node->start;
	is($node->safe_psql('postgres', 'SELECT count(*) FROM kept'),
		'100', "answers after $how shutdown");
	is($node->safe_psql('postgres', 'SELECT count(*) >= 0 FROM perfopt_cache_stats'),
		't', "statistics after $how shutdown");
}

$node->safe_psql('postgres', 'DROP EXTENSION perfopt');
is($node->safe_psql('postgres', 'SELECT count(*) FROM kept'),
	'100', 'the library works on without the extension');

$node->stop;
my $log = slurp_file($node->logfile);
unlike(
	$log,
	qr/WARNING: .*leak|TRAP:|terminated by signal|PANIC:/,
	'the log tells of no leak and no crash');

done_testing();
