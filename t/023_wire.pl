#
# What clients are sent: the bytes of the protocol, with the rows executed, made
# of tuples and sent as bytes kept before.  Chosen cases, then random ones of
# types, values, formats, sizes and settings; PFO_SEED repeats those.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress";

use Digest::MD5 'md5_hex';
use PfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = stress_seed();
note("seed $seed");
srand($seed);

my $node = new_node('wire', conf => "fsync = off\nperfopt.cache_size = 16MB\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION perfopt;
	CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
	CREATE DOMAIN name50 AS varchar(50);
	CREATE TABLE r AS SELECT i AS id, i::int2 AS i2, i::int8 * 1000003 AS i8,
		i / 7.0::float8 AS f8, (i / 3.0)::float4 AS f4, (i / 13.0)::numeric(12, 3) AS num,
		repeat(chr(97 + i % 26), i % 200) AS txt, ('n' || i)::name50 AS dom,
		('c' || i)::bpchar(8) AS bp, ('x' || i)::name AS nam, decode(md5(i::text), 'hex') AS raw,
		i % 3 = 0 AS flag, date '1999-12-31' + i AS d, timestamp '2001-02-03 04:05:06.7' + i * interval '7 hours' AS ts,
		timestamptz '2001-02-03 04:05:06.7+00' + i * interval '7 hours' AS tz,
		(i % 1000) * interval '1 mon 3 days 4.5 seconds' AS iv, md5(i::text)::uuid AS u,
		jsonb_build_object('i', i, 't', repeat('y', i % 50)) AS jb, json_build_array(i, NULL, 'z') AS j,
		ARRAY[i, NULL, i + 1] AS ia, ARRAY['a b', NULL, i::text] AS ta, ('10.0.0.' || i % 256)::inet AS ip,
		i::bit(12) AS b, (ARRAY['sad', 'ok', 'happy'])[1 + i % 3]::mood AS m,
		ROW(i, 'q')::text AS row, 'pg_class'::regclass AS rc, point(i, i / 3.0) AS pt, int4range(i, i + 5) AS rg
	FROM generate_series(1, 3000) i;
	CREATE TABLE big AS SELECT i AS id, repeat(md5(i::text), 8) AS t FROM generate_series(1, 6000) i;
	CREATE FUNCTION speak() RETURNS void LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE 'said'; END$$;
	ANALYZE;});
my @columns = split /\n/, $node->safe_psql('postgres',
	"SELECT attname FROM pg_attribute WHERE attrelid = 'r'::regclass AND attnum > 0");
# of these the output reads a catalog, or is not known not to
my %tuples_only = map { $_ => 1 } qw(m rc pt rg);

my $client = raw_client($node);

sub bind_portal
{
	my ($portal, $statement, @formats) = @_;
	return bind_values($portal, $statement, [], @formats);
}

sub stream { return exchange($client, @_); }

sub wire_hits
{
	stream(query('SET perfopt.cache = observe'));
	my ($hits) = stream(query('SELECT sum(wire_hits)::text FROM perfopt_cache_stats')) =~ /D.{4}\x00\x01.{4}(\d+)C/s;
	return $hits;
}

# The same messages executed, stored, made bytes of and answered with these.
# Gives the least number of executions that bytes answered, or what differs.
sub compare
{
	my ($messages, $times) = @_;
	stream(query('SET perfopt.cache = off'));
	my $executed = stream($messages);
	my $before = wire_hits();
	stream(query('SET perfopt.cache = force'));
	for my $n (1 .. $times || 4)
	{
		my $cached = stream($messages);
		next if $cached eq $executed;
		my $at = 0;
		$at++ while substr($cached, $at, 1) eq substr($executed, $at, 1);
		return "time $n differs at byte $at of " . length $executed;
	}
	return wire_hits() - $before;
}

#
# Chosen cases
#
my $plain = 'SELECT id, f8, txt, tz, ia, num FROM r WHERE id < 30 ORDER BY id';
my $large = 'SELECT * FROM big ORDER BY id';
is(compare(query($plain)), 3, 'a simple query');
is(compare(query("SELECT 1; $plain; SELECT 2; SELECT id FROM r WHERE id = 3")), 7, 'among others in one message');
is(compare(query($large)), 3, 'a large one');
is(compare(query('SELECT id FROM r WHERE id < 0')), 0, 'one without rows needs no bytes');
is(compare(query('SELECT FROM r WHERE id < 5')), 3, 'rows without columns');
is(compare(parse('', $plain) . bind_portal('', '') . message('D', "P\0") . execute('') . sync()), 4, 'extended, text');
is(compare(parse('', $plain) . bind_portal('', '', 1) . message('D', "P\0") . execute('') . sync()), 4, 'extended, binary');
is(compare(parse('', $plain) . bind_portal('', '', 0, 1, 0, 1, 1, 0) . execute('') . sync()), 0,
	'a third combination of formats gets tuples');
is(compare(parse('', "$plain -- x") . bind_portal('p', '') . execute('p') . bind_portal('q', '', 1) . execute('q') . execute('p') . sync()),
	8, 'two portals, and one run again at its end');
is(compare(parse('', $plain) . bind_portal('p', '') . execute('p', 10) . execute('p', 10) . execute('p') . sync()), 0,
	'in pieces: tuples');
is(compare(parse('', $large) . (bind_portal('', '') . execute('')) x 3 . sync()), 12, 'a pipeline of large ones');
is(compare(parse('', $plain) . bind_portal('', '') . execute('') . parse('', 'SELECT 1/0') . bind_portal('', '') . execute('')
		  . bind_portal('', '') . execute('') . sync() . parse('', $plain) . bind_portal('', '') . execute('') . sync()),
	8, 'an error between them');
is(compare(parse('', $plain) . bind_portal('', '') . execute('') . parse('', 'SELECT speak()') . bind_portal('', '') . execute('')
		  . parse('', $plain) . bind_portal('', '') . execute('') . sync()), 8, 'a notice between them');
for my $formats ([2], [ 2, 0 ], [ 0, -1 ])
{
	my $sql = "SELECT txt, '@$formats' AS f FROM r WHERE id < 11 ORDER BY id";
	stream(query("SET perfopt.cache = force; $sql; SET perfopt.cache = off"));
	is(compare(parse('', $sql) . bind_portal('', '', @$formats) . execute('') . sync()), 0, "formats that there are not: @$formats");
	is(compare(query($sql)), 4, 'which keep nobody from the bytes');
}
stream(query('SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0'));
like(stream(query("EXPLAIN $large")), qr/Gather/, 'a parallel plan');
is(compare(query($large)), 3, 'of which bytes are made, too');
stream(query('RESET ALL'));
is(compare(parse('', "SELECT $_ FROM r WHERE id < 9") . bind_portal('', '') . execute('') . sync()), 0, "$_: tuples")
  for sort keys %tuples_only;
stream(query("SET client_encoding = 'LATIN1'"));
is(compare(query($plain)), 0, 'another encoding: tuples');
stream(query("SET client_encoding = 'SQL_ASCII'"));
is(compare(query($plain)), 4, 'no encoding');
stream(query('RESET client_encoding'));
stream(query('SET perfopt.cache_wire = off'));
is(compare(query($plain)), 0, 'switched off');
stream(query('RESET perfopt.cache_wire'));
is(compare(query('DECLARE c CURSOR WITH HOLD FOR SELECT id FROM r ORDER BY id; FETCH ALL c; CLOSE c')), 0, 'a cursor: tuples');
is(compare(query('COPY (SELECT id FROM r ORDER BY id) TO STDOUT')), 0, 'COPY: tuples');
stream(query('SET perfopt.debug_reserve = on'));
is(compare(query("SELECT id, txt FROM r ORDER BY id DESC")), 4, 'reserved');
stream(query('RESET perfopt.debug_reserve'));

# who is cancelled while the bytes are made does not keep others from them
my $slowly = 'SELECT num, tz, f8, iv, ts, d, num AS n FROM r, generate_series(1, 8)';
stream(query("SET perfopt.cache_max_result = '64MB'; SET perfopt.cache = force; $slowly; SET statement_timeout = '5ms'"));
like(stream(query($slowly)), qr/C57014/, 'cancelled while the bytes are made');
stream(query('RESET statement_timeout'));
is(compare(query($slowly), 2), 2, 'which are made for the next one');
stream(query('RESET ALL'));

#
# A client that does not read: nothing stays pinned, and it gets everything
#
my $slow = raw_client($node);
ask($slow, 'SET perfopt.cache = force');
ready($slow);
ask($slow, $large) for 1 .. 3;
$node->poll_query_until('postgres',
	"SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'ClientWrite'");
# who finds the answer outdated takes it out; what is pinned would stay then
$node->safe_psql('postgres', "SELECT perfopt_invalidate_all(); SET perfopt.cache = force; $large");
is($node->safe_psql('postgres', 'SELECT bytes_pinned FROM perfopt_cache_usage()'),
	0, 'a client that does not read pins nothing');
is((ready($slow))[0], 6000, 'then it reads everything') for 1 .. 3;

# cancelled and terminated while it does not read
for my $end ('pg_cancel_backend', 'pg_terminate_backend')
{
	ask($slow, 'SELECT pg_backend_pid()');
	my @pid;
	ready($slow, \@pid);
	ask($slow, $large) for 1 .. 4;
	$node->poll_query_until('postgres',
		"SELECT wait_event = 'ClientWrite' FROM pg_stat_activity WHERE pid = $pid[0]");
	$node->safe_psql('postgres', "SELECT $end($pid[0])");
	if ($end eq 'pg_terminate_backend')
	{
		$node->poll_query_until('postgres',
			"SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid[0]");
		pass('terminated');
		last;
	}
	my @got = map { [ ready($slow) ] } 1 .. 4;
	is(join(' ', map { $_->[0] == 6000 || $_->[1] eq '57014' ? 'right' : "@$_" } @got),
		'right right right right', "$end: whole messages, and an error");
}
close $slow;
is(stats($node, 'bytes_pinned'), 0, 'nothing is pinned');

# gone while it is sent to
my $gone = raw_client($node);
ask($gone, 'SET perfopt.cache = force');
ready($gone);
my $told = -s $node->logfile;
ask($gone, $large) for 1 .. 3;
$node->poll_query_until('postgres',
	"SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'ClientWrite'");
close $gone;
$node->wait_for_log(qr/connection to client lost/, $told);
is(scalar(() = slurp_file($node->logfile, $told) =~ /could not send data to client/g), 1,
	'a client that went away is sent nothing more');
$node->poll_query_until('postgres',
	"SELECT count(*) = 0 FROM pg_stat_activity WHERE wait_event = 'ClientWrite'");
is(stats($node, 'bytes_pinned'), 0, 'and pins nothing');

#
# Random ones
#
my %settings = (
	DateStyle => [ 'ISO', 'German', 'SQL, DMY', 'Postgres' ],
	IntervalStyle => [ 'postgres', 'iso_8601', 'sql_standard', 'postgres_verbose' ],
	TimeZone => [ 'UTC', 'Europe/Berlin', 'Asia/Kolkata' ],
	extra_float_digits => [ -3, 0, 1, 3 ],
	bytea_output => [ 'hex', 'escape' ],
	client_encoding => [ 'UTF8', 'UTF8', 'UTF8', 'LATIN1' ],
	work_mem => [ '64kB', '4MB' ]);

sub one_of { return $_[ int rand @_ ]; }

sub random_messages
{
	my @chosen = map { one_of(@columns) } 1 .. 1 + int rand 8;
	my $rows = one_of(0, 1, 2, 10, 100, 500, 3000);
	my $n = 0;
	my $sql = 'SELECT ' . join(', ', map { $n++; rand() < 0.2 ? "nullif(${_}::text, '') AS c$n" : "$_ AS c$n" } @chosen)
	  . " FROM r WHERE id <= $rows ORDER BY id";
	my @settings = map { my $name = $_; "SET $name = '" . one_of(@{ $settings{$name} }) . "'" }
	  grep { rand() < 0.4 } sort keys %settings;
	my $set = @settings ? query(join('; ', @settings)) : '';
	return ($set, $sql, query($sql)) if rand() < 0.3;
	my @formats = rand() < 0.3 ? () : rand() < 0.5 ? (int rand 2) : map { int rand 2 } @chosen;
	my $messages = parse('', $sql);
	for (1 .. one_of(1, 1, 2, 5))
	{
		$messages .= bind_portal('', '', @formats);
		$messages .= message('D', "P\0") if rand() < 0.5;
		$messages .= execute('', 1 + int rand 200) x int(1 + rand 3) if rand() < 0.1;
		$messages .= execute('');
		$messages .= sync() if rand() < 0.3;
	}
	return ($set, "$sql with formats @formats", $messages . sync());
}

my $cases = 150;
my $answered = 0;
my @wrong;
for my $n (1 .. $cases)
{
	my ($set, $what, $messages) = random_messages();
	stream(query('RESET ALL'));
	stream($set) if $set ne '';
	my $result = compare($messages, 3);
	push @wrong, "case $n: $what: $result" unless $result =~ /^\d+$/;
	$answered++ if $result =~ /^\d+$/ && $result > 0;
}
is(join("\n", @wrong), '', "no byte differs in $cases random cases");
cmp_ok($answered, '>', $cases / 5, 'many of them were answered with bytes');

close $client;
is(stats($node, 'errors'), 0, 'no failure');
accounted($node, 'the end');
$node->stop;

#
# Another library that takes the rows for itself, whichever is called first
#
for my $libraries ('perfopt, redirect', 'redirect, perfopt')
{
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '$libraries'");
	$node->append_conf('postgresql.conf', "dynamic_library_path = '" . build_library('redirect') . ":\$libdir'");
	$node->start;
	$client = raw_client($node, 'postgres', '-c perfopt.cache=force');
	for my $sql ($plain, $large)
	{
		my $executed = exchange($client, query("SET perfopt.cache = off; $sql; SET perfopt.cache = force"));
		for my $n (1 .. 3)
		{
			my $cached = exchange($client, query("SET perfopt.cache = force; $sql; SET perfopt.cache = force"));
			is(md5_hex($cached), md5_hex($executed), "$libraries: what it lets through, time $n");
		}
	}
	close $client;
	cmp_ok(stats($node, 'hits'), '>=', 4, "$libraries: answers from the cache");
	is(stats($node, 'bytes_pinned'), 0, "$libraries: nothing is pinned");
	$node->stop;
}
check_log($node);
done_testing();
