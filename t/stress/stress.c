/*-------------------------------------------------------------------------
 *
 * stress.c
 *	  Random sessions that write, alter and read, with each cached answer
 *	  executed again in the same snapshot.
 *
 * stress [--seed N] [--seconds N] [--comparisons N] [--at-most SECONDS]
 *        [--progress SECONDS] [--until-difference] CONNINFO
 *
 * The database must have the extension perfopt; what the program needs it
 * makes in a schema "stress", and three roles.  It forks:
 *
 *	writers		INSERT, UPDATE, DELETE, MERGE, COPY, TRUNCATE, foreign keys that
 *				cascade, triggers that read, rows that move between partitions;
 *				savepoints, rollbacks, PREPARE TRANSACTION; track_counts
 *				switched off; reads of what they wrote themselves
 *	a finisher	commits or rolls back what writers prepared
 *	an alterer	columns, types, functions, views, indexes, partitions,
 *				inheritance, privileges, policies, table rewrites; some prepared
 *				or rolled back
 *	readers		a fixed pool of SELECTs by both protocols and in pipelines, in
 *				READ COMMITTED and REPEATABLE READ
 *	preparer	prepared statements that live long, binary, row by row
 *	callers		functions, DO, procedures
 *	fetcher		cursors of all kinds, COPY (SELECT)
 *	actor		one statement by several roles
 *	interrupted	cancels and timeouts
 *	terminator	ends other sessions, which come back, or what they do
 *
 * There are two oracles.  perfopt.cache_verify = 1 has the server execute
 * each hit again in the same snapshot and count differences.  In other
 * transactions, without it, the sessions ask twice and compare by themselves
 * (compare.c); only these take the path of an ordinary hit.  Whether their
 * answers came from the cache they know from the number of table scans.
 *
 * The seed fixes what each session does, as far as that does not follow from
 * what others did; not how the sessions interleave.
 *
 * Ends after --seconds if there are --comparisons by then, by both oracles;
 * otherwise when there are, or after --at-most (twice the seconds).
 *
 * Exit status: 0 if that many answers were compared, none differed and no
 * error came that concurrency does not explain; 1 if not; 2 if the program
 * itself could not run.  --until-difference ends with the first difference,
 * found or not found being all that is reported: for a server that is broken
 * on purpose.
 *
 *-------------------------------------------------------------------------
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

static const struct
{
	const char *name;
	void		(*body) (int me);
	int			number;
	bool		victim;
}			sessions[] = {
	{"writer", writer, 4, true},
	{"finisher", finisher, 1, false},
	{"alterer", alterer, 1, false},
	{"reader", reader, 3, true},
	{"preparer", preparer, 1, true},
	{"caller", caller, 3, true},
	{"fetcher", fetcher, 2, true},
	{"actor", actor, 1, true},
	{"interrupted", interrupted, 1, true},
	{"terminator", terminator, 1, false},
};

#define NSESSIONS	(sizeof(sessions) / sizeof(sessions[0]))

static pid_t
start(int me, const char *name, void (*body) (int), bool victim)
{
	pid_t		pid = fork();

	if (pid < 0)
		fatal("fork failed");
	if (pid == 0)
	{
		seed_draws(shared->seed * 1000 + (uint64_t) me);
		connect_as(me, name, victim);
		body(me);
		PQfinish(conn);
		exit(0);
	}
	return pid;
}

/* hits, comparisons, differences and errors, as the server counts them */
static void
server_counts(long counts[4])
{
	PGresult   *res =
		PQexec(conn, "SELECT sum(hits), sum(verified), sum(differences),"
			   " sum(errors) FROM public.perfopt_cache_stats");

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		fatal("%s", PQresultErrorMessage(res));
	for (int i = 0; i < 4; i++)
		counts[i] = atol(PQgetvalue(res, 0, i));
	PQclear(res);
}

static long
checked(void)
{
	long		n = 0;

	for (int i = 0; i < NKINDS; i++)
		n += atomic_load(&shared->counts[i].compared);
	return n;
}

static long
check_differences(void)
{
	long		n = 0;

	for (int i = 0; i < NKINDS; i++)
		n += atomic_load(&shared->counts[i].differed);
	return n;
}

/* A difference that the server saw; it disabled the statement. */
static void
report_server(void)
{
	PGresult   *res =
		PQexec(conn, "SELECT string_agg(queryid || ': ' || query, E'\\n')"
			   " FROM public.perfopt_cache_savings WHERE disabled");
	char		text[2000];

	snprintf(text, sizeof(text), "seen by the server, whose log has more, a moment ago:\n%.1900s",
			 PQresultStatus(res) == PGRES_TUPLES_OK ? PQgetvalue(res, 0, 0) : "?");
	PQclear(res);
	report(text);
}

static void
usage(void)
{
	fprintf(stderr, "usage: stress [--seed N] [--seconds N] [--comparisons N]"
			" [--at-most SECONDS] [--progress SECONDS] [--until-difference]"
			" CONNINFO\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	uint64_t	seed = (uint64_t) time(NULL);
	int			seconds = 60;
	int			at_most = 0;
	int			progress = 0;
	long		least = 0;
	bool		until_difference = false;
	pid_t		pids[MAX_SESSIONS];
	int			n = 0;
	int			died = 0;
	long		before[4];
	long		after[4];
	long		verified;
	long		differences;
	long		unexpected = 0;
	long		reported;
	double		told;
	bool		good;

	for (int i = 1; i < argc; i++)
	{
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "--until-difference") == 0)
			until_difference = true;
		else if (argv[i][0] != '-' && conninfo == NULL)
			conninfo = argv[i];
		else if (value == NULL)
			usage();
		else if (strcmp(argv[i], "--seed") == 0)
			seed = strtoull(value, NULL, 10), i++;
		else if (strcmp(argv[i], "--seconds") == 0)
			seconds = atoi(value), i++;
		else if (strcmp(argv[i], "--at-most") == 0)
			at_most = atoi(value), i++;
		else if (strcmp(argv[i], "--progress") == 0)
			progress = atoi(value), i++;
		else if (strcmp(argv[i], "--comparisons") == 0)
			least = atol(value), i++;
		else
			usage();
	}
	if (conninfo == NULL)
		conninfo = "";
	if (at_most == 0)
		at_most = 2 * seconds;
	shared = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
	{
		perror("mmap");
		return 2;
	}
	shared->seed = seed;
	shared->quiet = until_difference;
	signal(SIGPIPE, SIG_IGN);
	printf("seed %llu\n", (unsigned long long) seed);
	fflush(stdout);

	conn = PQconnectdb(conninfo);
	if (PQstatus(conn) != CONNECTION_OK)
		fatal("%s", PQerrorMessage(conn));
	make_tables();
	make_roles();
	make_functions();
	make_scans();
	server_counts(before);
	reported = before[2];

	told = shared->begun = now();
	for (size_t i = 0; i < NSESSIONS; i++)
	{
		for (int j = 0; j < sessions[i].number; j++, n++)
			pids[n] = start(n, sessions[i].name, sessions[i].body,
							sessions[i].victim);
	}

	/* longer on a slow machine, but not for ever */
	while (!stopped() && now() - shared->begun < at_most)
	{
		double		t = now() - shared->begun;

		usleep(200000);
		server_counts(after);
		if (after[2] > reported)
			report_server();
		reported = after[2];
		if (t >= seconds &&
			(until_difference || after[1] - before[1] + checked() >= least))
			break;
		if (until_difference &&
			(after[2] > before[2] || check_differences() > 0))
			break;
		if (progress > 0 && now() - told >= progress)
		{
			told = now();
			printf("%.0f s: %ld comparisons, differences %ld, errors %ld\n",
				   t, after[1] - before[1] + checked(),
				   after[2] - before[2] + check_differences(),
				   after[3] - before[3]);
			fflush(stdout);
		}
	}
	atomic_store(&shared->stop, true);
	while (n-- > 0)
	{
		int			status;

		if (waitpid(pids[n], &status, 0) != pids[n] || status != 0)
			died++;
	}

	/* nothing is left that would hold the next run up */
	{
		PGresult   *res = PQexec(conn, "SELECT gid FROM pg_prepared_xacts"
								 " WHERE database = current_database()");

		for (int i = 0; i < PQntuples(res); i++)
			run("ROLLBACK PREPARED '%s'", PQgetvalue(res, i, 0));
		PQclear(res);
	}
	server_counts(after);
	PQfinish(conn);

	verified = after[1] - before[1];
	differences = after[2] - before[2] + check_differences();
	printf("seconds %.0f, statements %ld, reads %ld, commits %ld, prepared %ld, alterations %ld\n",
		   now() - shared->begun, atomic_load(&shared->statements),
		   atomic_load(&shared->reads), atomic_load(&shared->committed),
		   atomic_load(&shared->prepared), atomic_load(&shared->altered));
	printf("cancelled %ld, terminated %ld, reconnected %ld\n",
		   atomic_load(&shared->cancelled), atomic_load(&shared->terminated),
		   atomic_load(&shared->reconnected));
	for (int i = 0; i < NKINDS; i++)
	{
		Count	   *c = &shared->counts[i];

		printf("kind %s: compared %ld, served %ld, differed %ld, undecided %ld\n",
			   kind_name(i), atomic_load(&c->compared),
			   atomic_load(&c->served), atomic_load(&c->differed),
			   atomic_load(&c->undecided));
	}
	printf("hits %ld, verified %ld, checked by the client %ld, comparisons %ld, differences %ld, errors %ld\n",
		   after[0] - before[0], verified, checked(), verified + checked(),
		   differences, after[3] - before[3]);
	for (int i = 0; i < shared->nstates; i++)
	{
		State	   *s = &shared->states[i];

		printf("%s %s: %ld%s%s\n", s->expected ? "expected" : "UNEXPECTED",
			   s->code, s->count, s->expected ? "" : ", for example ",
			   s->expected ? "" : s->sample);
		if (!s->expected)
			unexpected += s->count;
	}
	if (died > 0)
		printf("%d of the sessions ended early\n", died);

	good = differences == 0 && unexpected == 0 && died == 0 &&
		after[3] == before[3] && verified + checked() >= least;
	if (until_difference)
		printf("%s\n", differences > 0 ? "difference found" : "no difference found");
	printf("%s\n", good ? "ok" : "not ok");
	return good ? 0 : 1;
}
