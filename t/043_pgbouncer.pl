#
# PgBouncer: clients that take turns in a session of the server, transaction
# by transaction, are answered as without the cache.
#
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/stress", "$FindBin::RealBin/drivers";

use File::Temp;
use IPC::Run;
use PfoPage;
use PfoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $python = -x '/usr/bin/python3' ? '/usr/bin/python3' : 'python3';
my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}),
  '/usr/sbin', '/usr/local/sbin';
plan skip_all => 'no pgbouncer' unless $pgbouncer;
my $lacking = lacks([ $python, '-c', 'import psycopg2' ]);
plan skip_all => $lacking if $lacking;
my $lacks_3 = lacks([ $python, '-c', 'import psycopg' ]);

my $node = page_node('pooled');
my $user = getpwuid($<);
my $dir = File::Temp::tempdir(CLEANUP => 1);
my $port = PostgreSQL::Test::Cluster::get_free_port();

# The port names a socket in our own directory; nothing listens on a network.
sub start_pooler
{
	my ($mode, $sessions) = @_;
	my $host = $node->host;
	my $server_port = $node->port;
	unlink "$dir/log", "$dir/ini", "$dir/.s.PGSQL.$port";
	append_to_file("$dir/users", qq{"$user" ""\n}) unless -e "$dir/users";
	append_to_file("$dir/ini", <<"CONF");
[databases]
* = host=$host port=$server_port user=$user
[pgbouncer]
listen_addr =
listen_port = $port
unix_socket_dir = $dir
auth_type = trust
auth_file = $dir/users
admin_users = $user
pool_mode = $mode
default_pool_size = $sessions
server_reset_query = DISCARD ALL
ignore_startup_parameters = extra_float_digits
logfile = $dir/log
pidfile = $dir/pid
CONF
	my $pooler = IPC::Run::start([ $pgbouncer, "$dir/ini" ],
		'<', \undef, '>', '/dev/null', '2>&1');
	for (1 .. 100)
	{
		last if -S "$dir/.s.PGSQL.$port";
		select(undef, undef, undef, 0.1);
	}
	ok(-S "$dir/.s.PGSQL.$port", "PgBouncer gives a session for a $mode")
	  or diag(-e "$dir/log" ? slurp_file("$dir/log") : 'no log');
	return $pooler;
}

sub conninfo
{
	return "host=$dir port=$port user=$user dbname=$_[0]";
}

# An application's page, by what the pooler gives.
sub page
{
	my ($version, @pooled) = @_;
	my $label = "psycopg $version " . ($pooled[0] || 'session');
	compare_pages(
		$node, $label,
		sub {
			return [
				$python, "$drivers/page.py", $version, conninfo($_[0]), 2,
				@pooled ];
		},
		modes => ['force'],
		lines => 200,
		hits => 20);
	return;
}

my $pooler = start_pooler('transaction', 1);
my $out = compare_pages($node, 'turns',
	sub { return [ $python, "$drivers/pooler.py", conninfo($_[0]), 3 ] },
	modes => [ 'force', 'verify' ]);
like($out, qr/^1 session$/m, 'all were in one session');
unlike($out, qr/^\d+ blue .*'r[12]'/m, 'blue sees nothing of red');
$pooler->kill_kill;

# the page has two clients that are in transactions at a time
$pooler = start_pooler('transaction', 2);
page(2, 'pooled');
SKIP:
{
	skip $lacks_3, 1 if $lacks_3;
	page(3, 'pooled');
}
$pooler->kill_kill;

$pooler = start_pooler('session', 2);

# a mode that is given to a database reaches the sessions that come then
sub through
{
	my ($db, $sql) = @_;
	my ($out, $err);
	IPC::Run::run([ 'psql', '-XAtq', '-d', conninfo($db), '-c', $sql ],
		'>', \$out, '2>', \$err, IPC::Run::timeout(60));
	return $out . $err;
}
my $db = page_database($node, 'later', 'off');
is(through($db, 'SHOW perfopt.cache'), "off\n", 'not for this database');
$node->safe_psql('postgres', "ALTER DATABASE $db SET perfopt.cache = force");
is(through($db, 'SHOW perfopt.cache'), "off\n", 'the pooler keeps sessions');
is(through('pgbouncer', "RECONNECT $db"), '', 'and replaces them');
is(through($db, 'SHOW perfopt.cache'), "force\n", 'by others');

page(2);
SKIP:
{
	skip $lacks_3, 1 if $lacks_3;
	page(3);
}
$pooler->kill_kill;

$node->stop;
check_log($node);
done_testing();
