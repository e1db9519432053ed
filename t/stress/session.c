/*-------------------------------------------------------------------------
 *
 * session.c
 *	  One connection: random numbers, errors, what was done last, and the
 *	  comparison of two answers.
 *
 * Each session remembers its last actions in shared memory, where whoever
 * finds a difference reads them.  That is not locked: a line may be half
 * written, which a reader of the report will forgive.
 *
 * A session that may be terminated (a "victim") goes on with failing
 * statements until it comes to reconnect_if_lost(), which is called only
 * between transactions: nothing runs by mistake outside of one.
 *
 *-------------------------------------------------------------------------
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

Shared	   *shared;
const char *conninfo;
PGconn	   *conn;
int			epoch = 0;			/* of the connection: what was prepared is gone */

static uint64_t rng;
static const char *role = "main";
static bool victim = false;
static Session *session = NULL;
static long expected_steps = NO_STEPS;
static long begin_steps;
static bool lost = false;

void
fatal(const char *format,...)
{
	va_list		args;

	fprintf(stderr, "stress: %s: ", role);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	atomic_store(&shared->stop, true);
	exit(2);
}

double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* splitmix64 */
static uint64_t
draw(void)
{
	uint64_t	z = (rng += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void
seed_draws(uint64_t seed)
{
	rng = seed;
}

int
upto(int n)
{
	return (int) (draw() % (uint64_t) n);
}

bool
percent(int p)
{
	return upto(100) < p;
}

void
snooze(int most_us)
{
	if (most_us > 0)
		usleep((useconds_t) upto(most_us));
}

bool
stopped(void)
{
	return atomic_load(&shared->stop);
}

const char *
kind_name(Kind kind)
{
	static const char *const names[] = {
#define KIND_NAME(symbol, name) name,
		KINDS(KIND_NAME)
#undef KIND_NAME
	};

	return names[kind];
}

static void
lock_shared(void)
{
	int			unlocked = 0;

	while (!atomic_compare_exchange_weak(&shared->lock, &unlocked, 1))
		unlocked = 0;
}

static void
unlock_shared(void)
{
	atomic_store(&shared->lock, 0);
}

/* ----------------------------------------------------------------
 *						actions
 * ----------------------------------------------------------------
 */

/* what is about to be sent */
void
action(const char *format,...)
{
	va_list		args;
	Action	   *a;

	if (session == NULL)
		return;
	a = &session->actions[atomic_load(&session->nactions) % NACTIONS];
	a->at = now();
	a->took = -1;
	strcpy(a->outcome, "...");
	va_start(args, format);
	vsnprintf(a->text, sizeof(a->text), format, args);
	va_end(args);
	atomic_fetch_add(&session->nactions, 1);
}

static void
action_done(PGresult *res)
{
	const char *code = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	long		n = session ? atomic_load(&session->nactions) : 0;
	Action	   *a;

	if (n == 0)
		return;
	a = &session->actions[(n - 1) % NACTIONS];
	a->took = now() - a->at;
	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		snprintf(a->outcome, sizeof(a->outcome), "%d rows", PQntuples(res));
	else
		snprintf(a->outcome, sizeof(a->outcome), "%s", code ? code : "ok");
}

typedef struct Line
{
	const Session *session;
	Action		action;
} Line;

static int
by_time(const void *a, const void *b)
{
	double		x = ((const Line *) a)->action.at;
	double		y = ((const Line *) b)->action.at;

	return x < y ? -1 : x > y;
}

/*
 * Tell of a difference at once, with what all sessions did last.  After the
 * first three only the difference itself: they tend to be of one cause.
 */
void
report(const char *text)
{
	static Line lines[MAX_SESSIONS * NACTIONS];
	char		clock[20];
	time_t		seconds = time(NULL);
	int			n = 0;

	if (shared->quiet)
		return;
	/* to find it in the server's log */
	strftime(clock, sizeof(clock), "%H:%M:%S", gmtime(&seconds));
	lock_shared();
	for (int i = 0; shared->nreports < 3 && i < MAX_SESSIONS; i++)
	{
		Session    *s = &shared->sessions[i];
		long		made = atomic_load(&s->nactions);

		for (int j = 0; j < NACTIONS && j < made; j++)
		{
			lines[n].session = s;
			lines[n++].action = s->actions[j];
		}
	}
	shared->nreports++;
	qsort(lines, (size_t) n, sizeof(Line), by_time);
	fprintf(stderr, "difference %d\n%.10000s\nseen by %s (backend %d) at %.6f, %s UTC, seed %llu\n",
			shared->nreports, text, role, session ? session->pid : 0,
			now() - shared->begun, clock, (unsigned long long) shared->seed);
	if (n > 0)
		fprintf(stderr, "the last actions: when, how long, who, result\n");
	for (int i = 0; i < n; i++)
	{
		Action	   *a = &lines[i].action;

		fprintf(stderr, "%10.6f %8.6f %-11s %6d %-7s %.199s\n",
				a->at - shared->begun, a->took, lines[i].session->role,
				lines[i].session->pid, a->outcome, a->text);
	}
	unlock_shared();
}

/* ----------------------------------------------------------------
 *						errors
 * ----------------------------------------------------------------
 */

/*
 * What sessions do to one another without anybody being wrong.  XX000 is
 * none of them, with one exception of PostgreSQL's own.
 */
static bool
is_expected(const char *code, const char *message)
{
	static const char *const codes[] = {
		"40001", "40P01", "55P03", "25P02", "23503", "23505",
		"42704", "42P01", "42703", "42P07", "42701", "0A000",
		"23514", "55000", "42P17", "25001", "42809",
		/* privileges, functions that fail on purpose, cancels, timeouts */
		"42501", "22012", "P0002", "P0003", "57014", "57P01",
		"26000", NULL
	};

	for (int i = 0; codes[i] != NULL; i++)
	{
		if (strcmp(code, codes[i]) == 0)
			return true;
	}
	/* full prepared transactions */
	if (strcmp(code, "53200") == 0 &&
		strstr(message, "maximum number of prepared transactions") != NULL)
		return true;
	return strcmp(code, "XX000") == 0 &&
		strstr(message, "tuple concurrently") != NULL;
}

static void
note_error(const char *sql, PGresult *res)
{
	const char *code = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorMessage(res);
	int			i;

	if (code == NULL)
		code = "-----";
	lock_shared();
	for (i = 0; i < shared->nstates; i++)
	{
		if (strcmp(shared->states[i].code, code) == 0 &&
			shared->states[i].expected == is_expected(code, message))
			break;
	}
	if (i == shared->nstates && shared->nstates < MAX_STATES)
	{
		State	   *s = &shared->states[shared->nstates++];

		snprintf(s->code, sizeof(s->code), "%s", code);
		s->expected = is_expected(code, message);
		snprintf(s->sample, sizeof(s->sample), "%s: %.150s: %.200s", role, sql,
				 message);
	}
	if (i < MAX_STATES)
		shared->states[i].count++;
	unlock_shared();
}

/* ----------------------------------------------------------------
 *						statements
 * ----------------------------------------------------------------
 */

/* Writing to a server that is gone fails before libpq reads that it is. */
static bool
is_gone(PGresult *res)
{
	return PQstatus(conn) != CONNECTION_OK ||
		(PQresultErrorField(res, PG_DIAG_SQLSTATE) == NULL &&
		 strstr(PQresultErrorMessage(res), "server closed the connection"));
}

PGresult *
looked_at(const char *sql, PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	action_done(res);
	atomic_fetch_add(&shared->statements, 1);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
		status == PGRES_SINGLE_TUPLE || status == PGRES_PIPELINE_SYNC ||
		status == PGRES_COPY_IN || status == PGRES_COPY_OUT)
		return res;
	if (lost)
		return res;
	if (!is_gone(res))
		note_error(sql, res);
	else if (!victim)
		fatal("connection lost at: %s: %s", sql, PQerrorMessage(conn));
	return res;
}

PGresult *
query(const char *sql)
{
	if (PQtransactionStatus(conn) == PQTRANS_IDLE)
		begin_steps = atomic_load(&shared->alter_steps);
	action("%s", sql);
	return looked_at(sql, PQexec(conn, sql));
}

/* false on an error */
bool
run(const char *format,...)
{
	char		sql[4000];
	va_list		args;
	PGresult   *res;
	bool		ok;

	va_start(args, format);
	vsnprintf(sql, sizeof(sql), format, args);
	va_end(args);
	res = query(sql);
	ok = PQresultStatus(res) == PGRES_COMMAND_OK ||
		PQresultStatus(res) == PGRES_TUPLES_OK;
	PQclear(res);
	return ok;
}

void
must(const char *sql)
{
	PGresult   *res = PQexec(conn, sql);

	if (PQresultStatus(res) != PGRES_COMMAND_OK &&
		PQresultStatus(res) != PGRES_TUPLES_OK)
		fatal("%s: %s", sql, PQresultErrorMessage(res));
	PQclear(res);
}

/*
 * Functions compare by themselves, see stress.told(), and tell by a notice:
 * "stress KIND served same ANSWER", with t or f for the two in the middle.
 */
static void
hear(void *arg, const PGresult *res)
{
	const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	char		kind[32];
	char		served;
	char		same;
	int			length = 0;

	if (message == NULL ||
		sscanf(message, "stress %31s %c %c %n", kind, &served, &same, &length) != 3)
		return;
	for (int i = 0; i < NKINDS; i++)
	{
		if (strcmp(kind, kind_name(i)) == 0)
			compared(i, "see the answer", "", same == 't' ? "" : message + length,
					 served == 't', expected_steps);
	}
}

/*
 * How far the alterer was when the transaction began: what was altered since
 * a session may learn at any time until it ends.
 */
long
steps_at_begin(void)
{
	if (PQtransactionStatus(conn) == PQTRANS_IDLE)
		begin_steps = atomic_load(&shared->alter_steps);
	return begin_steps;
}

/* How far the alterer was before a statement that tells by notices. */
void
expect_steps(long steps)
{
	expected_steps = steps;
}

bool
set_up_session(void)
{
	return run("SET search_path = stress; SET lock_timeout = '700ms';"
			   "SET deadlock_timeout = '20ms'; SET synchronous_commit = off;"
			   "SET perfopt.cache = force; SET perfopt.cache_verify = 1;"
			   "SET application_name = '%s'",
			   victim ? "stress victim" : "stress");
}

static void
connect_once(void)
{
	/* whoever terminates may be there before the session is set up */
	for (int tries = 0; tries < 10; tries++)
	{
		conn = PQconnectdb(conninfo);
		if (PQstatus(conn) == CONNECTION_OK)
		{
			PQsetNoticeReceiver(conn, hear, NULL);
			session->pid = PQbackendPID(conn);
			if (set_up_session())
				return;
		}
		if (!victim)
			break;
		PQfinish(conn);
	}
	fatal("%s", PQerrorMessage(conn));
}

void
connect_as(int me, const char *name, bool is_victim)
{
	role = name;
	victim = is_victim;
	session = &shared->sessions[me];
	snprintf(session->role, sizeof(session->role), "%s %d", name, me);
	connect_once();
}

/* The server has closed it, which libpq has not noticed yet. */
void
lose_connection(void)
{
	if (!victim)
		fatal("connection lost: %s", PQerrorMessage(conn));
	lost = true;
}

void
reconnect_if_lost(void)
{
	if (!lost && PQstatus(conn) == CONNECTION_OK)
		return;
	lost = false;
	PQfinish(conn);
	epoch++;
	atomic_fetch_add(&shared->reconnected, 1);
	connect_once();
}

/* ----------------------------------------------------------------
 *						answers
 * ----------------------------------------------------------------
 */

static int
by_content(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static char *
row_of(PGresult *res, int row)
{
	size_t		size = 1;
	char	   *text;
	char	   *s;

	for (int j = 0; j < PQnfields(res); j++)
		size += 2 * (size_t) PQgetlength(res, row, j) + 2;
	s = text = malloc(size);
	for (int j = 0; j < PQnfields(res); j++)
	{
		const char *value = PQgetvalue(res, row, j);
		int			length = PQgetlength(res, row, j);

		*s++ = PQgetisnull(res, row, j) ? '~' : '=';
		if (PQfformat(res, j) == 0)
		{
			memcpy(s, value, (size_t) length);
			s += length;
		}
		else
		{
			for (int i = 0; i < length; i++)
				s += sprintf(s, "%02x", (unsigned char) value[i]);
		}
	}
	*s = '\0';
	return text;
}

/*
 * The rows as text; sorted unless the statement orders them, since the order
 * of rows is nobody's promise then.
 */
char *
content(PGresult *res, bool ordered)
{
	int			nrows = PQntuples(res);
	char	  **rows = calloc((size_t) nrows + 1, sizeof(char *));
	size_t		total = 1;
	char	   *all;
	char	   *s;

	for (int i = 0; i < nrows; i++)
	{
		rows[i] = row_of(res, i);
		total += strlen(rows[i]) + 1;
	}
	if (!ordered)
		qsort(rows, (size_t) nrows, sizeof(char *), by_content);
	s = all = malloc(total);
	for (int i = 0; i < nrows; i++)
	{
		size_t		length = strlen(rows[i]);

		memcpy(s, rows[i], length);
		s += length;
		*s++ = '\n';
		free(rows[i]);
	}
	*s = '\0';
	free(rows);
	return all;
}

/*
 * What a result says, to be freed; the result is cleared.  Some errors are
 * answers as well.  NULL if others were the cause that there is none.
 */
char *
answer_of(PGresult *res, bool ordered)
{
	static const char *const codes[] = {
		"42501", "22012", "P0002", "P0003", NULL
	};
	const char *code = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	char	   *answer = NULL;

	if (PQresultStatus(res) == PGRES_TUPLES_OK ||
		PQresultStatus(res) == PGRES_SINGLE_TUPLE)
		answer = content(res, ordered);
	else if (PQresultStatus(res) == PGRES_COMMAND_OK)
		answer = strdup(PQcmdStatus(res));
	for (int i = 0; answer == NULL && code != NULL && codes[i] != NULL; i++)
	{
		if (strcmp(code, codes[i]) == 0)
		{
			answer = malloc(20);
			snprintf(answer, 20, "error %s", code);
		}
	}
	PQclear(res);
	return answer;
}

/*
 * How many scans of tables this transaction began, after some commands that
 * go ahead: fewer than executing takes means that the cache gave an answer.
 * -1 on an error.
 */
long
scans_after(const char *format,...)
{
	char		sql[1000];
	size_t		used;
	va_list		args;
	PGresult   *res;
	long		n = -1;

	va_start(args, format);
	used = (size_t) vsnprintf(sql, sizeof(sql), format, args);
	va_end(args);
	snprintf(sql + used, sizeof(sql) - used, "SELECT scans()");
	res = query(sql);
	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		n = atol(PQgetvalue(res, 0, 0));
	PQclear(res);
	return n;
}

long
scans(void)
{
	return scans_after("%s", "");
}

/*
 * Counts a comparison.  Definitions are not part of a snapshot, and a session
 * may learn of a new one late: where one of them may have changed since
 * "steps" was read, at the begin of the transaction, unequal answers prove
 * nothing.
 */
void
compared(Kind kind, const char *what, const char *executed, const char *answer,
		 bool served, long steps)
{
	Count	   *count = &shared->counts[kind];
	char		snapshot[300] = "see the actions";
	char	   *text;
	size_t		size;

	atomic_fetch_add(&count->compared, 1);
	if (served)
		atomic_fetch_add(&count->served, 1);
	if (strcmp(executed, answer) == 0)
		return;
	if (steps != NO_STEPS &&
		(steps % 2 != 0 || steps != atomic_load(&shared->alter_steps)))
	{
		atomic_fetch_add(&count->undecided, 1);
		return;
	}
	atomic_fetch_add(&count->differed, 1);
	if (PQtransactionStatus(conn) == PQTRANS_INTRANS &&
		PQpipelineStatus(conn) == PQ_PIPELINE_OFF)
	{
		PGresult   *res = PQexec(conn, "SELECT pg_current_snapshot(),"
								 " current_setting('transaction_isolation')");

		if (PQresultStatus(res) == PGRES_TUPLES_OK)
			snprintf(snapshot, sizeof(snapshot), "%.200s, %s",
					 PQgetvalue(res, 0, 0), PQgetvalue(res, 0, 1));
		PQclear(res);
	}
	size = strlen(what) + strlen(executed) + strlen(answer) + 600;
	text = malloc(size);
	snprintf(text, size,
			 "kind: %s\nstatement: %s\nsnapshot: %s\nserved: %s\nexecuted:\n%s\nanswer:\n%s",
			 kind_name(kind), what, snapshot, served ? "yes" : "no or unknown",
			 executed, answer);
	report(text);
	free(text);
}
