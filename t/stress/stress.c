/*-------------------------------------------------------------------------
 *
 * stress.c
 *	  Random sessions that write, alter and read, with each cached answer
 *	  executed again in the same snapshot.
 *
 * stress [--seed N] [--seconds N] [--least N] [--until-difference] CONNINFO
 *
 * The database must have the extension perfopt; what the program needs it
 * makes in a schema "stress".  It forks:
 *
 *	writers		INSERT, UPDATE, DELETE, MERGE, COPY, TRUNCATE, foreign keys that
 *				cascade, rows that move between partitions; savepoints,
 *				rollbacks, PREPARE TRANSACTION; track_counts switched off; reads
 *				of what they wrote themselves
 *	a finisher	commits or rolls back what writers prepared
 *	an alterer	columns, types, functions, views, indexes, partitions,
 *				inheritance, table rewrites; some prepared or rolled back
 *	readers		a fixed pool of SELECTs by both protocols, in READ COMMITTED
 *				and REPEATABLE READ
 *
 * There are two oracles.  perfopt.cache_verify = 1 has the server execute
 * each hit again in the same snapshot and count differences.  Some REPEATABLE
 * READ transactions do without it: they read the same with the cache off,
 * on and off, and compare here; only these take the path of an ordinary hit.
 *
 * The seed fixes what each session does, not how the sessions interleave.
 *
 * Exit status: 0 if at least --least answers were compared, none differed and
 * no error came that concurrency does not explain; 1 if not; 2 if the program
 * itself could not run.  --until-difference ends with the first difference,
 * found or not found being all that is reported: for a server that is broken
 * on purpose.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#define NTABLES		24
#define NBUSY		6			/* of them are written more often */
#define NROWS		150
#define NWRITERS	4
#define NREADERS	6
#define MAX_STATES	64
#define MAX_PREPARED 24

typedef struct State
{
	char		code[6];
	bool		expected;
	long		count;
	char		sample[400];
} State;

/* what the processes share */
typedef struct Shared
{
	atomic_bool stop;
	atomic_long statements;
	atomic_long committed;
	atomic_long prepared;
	atomic_long altered;
	atomic_long alter_steps;	/* begins and ends of changes; odd within one */
	atomic_long reads;
	atomic_long checks;
	atomic_long check_differences;
	atomic_int	lock;			/* for states */
	int			nstates;
	State		states[MAX_STATES];
	char		first_difference[1000];
} Shared;

static Shared *shared;
static const char *conninfo;
static uint64_t rng;
static PGconn *conn;
static const char *role = "main";

static void
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

/* splitmix64 */
static uint64_t
draw(void)
{
	uint64_t	z = (rng += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int
upto(int n)
{
	return (int) (draw() % (uint64_t) n);
}

static bool
percent(int p)
{
	return upto(100) < p;
}

static void
snooze(int most_us)
{
	if (most_us > 0)
		usleep((useconds_t) upto(most_us));
}

static bool
stopped(void)
{
	return atomic_load(&shared->stop);
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
		"23514", "55000", "42P17", "25001", "42809", NULL
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
	int			unlocked = 0;
	int			i;

	if (code == NULL)
		code = "-----";
	while (!atomic_compare_exchange_weak(&shared->lock, &unlocked, 1))
		unlocked = 0;
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
	atomic_store(&shared->lock, 0);
}

static PGresult *
looked_at(const char *sql, PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	atomic_fetch_add(&shared->statements, 1);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
		status != PGRES_COPY_IN)
	{
		note_error(sql, res);
		if (PQstatus(conn) != CONNECTION_OK)
			fatal("connection lost at: %s: %s", sql, PQerrorMessage(conn));
	}
	return res;
}

static PGresult *
query(const char *sql)
{
	return looked_at(sql, PQexec(conn, sql));
}

/* false on an error */
static bool
run(const char *format,...) __attribute__((format(printf, 1, 2)));

static bool
run(const char *format,...)
{
	char		sql[2000];
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

static void
must(const char *sql)
{
	PGresult   *res = PQexec(conn, sql);

	if (PQresultStatus(res) != PGRES_COMMAND_OK &&
		PQresultStatus(res) != PGRES_TUPLES_OK)
		fatal("%s: %s", sql, PQresultErrorMessage(res));
	PQclear(res);
}

static void
silent(void *arg, const PGresult *res)
{
}

static void
connect_as(const char *name)
{
	role = name;
	conn = PQconnectdb(conninfo);
	if (PQstatus(conn) != CONNECTION_OK)
		fatal("%s", PQerrorMessage(conn));
	PQsetNoticeReceiver(conn, silent, NULL);
	must("SET search_path = stress");
	must("SET lock_timeout = '700ms'");
	must("SET deadlock_timeout = '20ms'");
	must("SET synchronous_commit = off");
	must("SET perfopt.cache = force");
	must("SET perfopt.cache_verify = 1");
}

/* ----------------------------------------------------------------
 *						the tables
 * ----------------------------------------------------------------
 */

/* a function and a view that the alterer replaces; %d varies */
#define FUNCTION_F \
	"CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql STABLE" \
	" AS 'SELECT $1 * %d'"
#define FUNCTION_ROWS \
	"CREATE OR REPLACE FUNCTION frows(int) RETURNS SETOF t1 LANGUAGE sql" \
	" STABLE AS 'SELECT * FROM t1 WHERE k < $1 + %d'"
#define VIEW_V \
	"CREATE OR REPLACE VIEW w AS SELECT id, v + %d AS v FROM t2"

static void
set_up(void)
{
	char		sql[1000];

	must("SET client_min_messages = warning");
	must("DROP SCHEMA IF EXISTS stress CASCADE");
	must("CREATE SCHEMA stress");
	must("SET search_path = stress");
	for (int i = 0; i < NTABLES; i++)
	{
		snprintf(sql, sizeof(sql),
				 "CREATE TABLE t%d (id int PRIMARY KEY, k int, v int, s text)", i);
		must(sql);
		snprintf(sql, sizeof(sql),
				 "INSERT INTO t%d SELECT g, g %% 10, g, repeat('x', g %% 20)"
				 " FROM generate_series(1, %d) g", i, NROWS);
		must(sql);
	}
	must("CREATE INDEX t3_k ON t3 (k)");
	must("CREATE TABLE p (id int PRIMARY KEY, v int)");
	must("CREATE TABLE c (id int PRIMARY KEY, pid int REFERENCES p"
		 " ON DELETE CASCADE ON UPDATE CASCADE, v int)");
	must("INSERT INTO p SELECT g, g FROM generate_series(1, 60) g");
	must("INSERT INTO c SELECT g, 1 + g % 60, g FROM generate_series(1, 180) g");
	must("CREATE TABLE part (id int NOT NULL, v int) PARTITION BY RANGE (id)");
	must("CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (100)");
	must("CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (100) TO (200)");
	must("CREATE TABLE part3 PARTITION OF part FOR VALUES FROM (200) TO (300)");
	must("CREATE TABLE part4 PARTITION OF part FOR VALUES FROM (300) TO (400)"
		 " PARTITION BY RANGE (id)");
	must("CREATE TABLE part4a PARTITION OF part4 FOR VALUES FROM (300) TO (350)");
	must("CREATE TABLE part4b PARTITION OF part4 FOR VALUES FROM (350) TO (400)");
	must("INSERT INTO part SELECT g, g FROM generate_series(0, 399) g");
	must("CREATE TABLE ih (id int, v int)");
	must("CREATE TABLE ihc () INHERITS (ih)");
	must("INSERT INTO ih SELECT g, g FROM generate_series(1, 40) g");
	must("INSERT INTO ihc SELECT g, g FROM generate_series(41, 80) g");
	must("CREATE TABLE swap_a (id int, v int)");
	must("CREATE TABLE swap_b (id int, v int)");
	must("INSERT INTO swap_a SELECT g, g FROM generate_series(1, 40) g");
	must("INSERT INTO swap_b SELECT g, -g FROM generate_series(1, 40) g");
	must("CREATE MATERIALIZED VIEW mv AS SELECT k, sum(v) AS v FROM t4 GROUP BY k");
	snprintf(sql, sizeof(sql), FUNCTION_F, 1);
	must(sql);
	snprintf(sql, sizeof(sql), FUNCTION_ROWS, 1);
	must(sql);
	snprintf(sql, sizeof(sql), VIEW_V, 1);
	must(sql);
	must("ANALYZE");
}

/* ----------------------------------------------------------------
 *						reading
 * ----------------------------------------------------------------
 */

typedef struct Read
{
	const char *sql;			/* $1, if there is one, is a small int */
	int			table;			/* %d in the text, up to this; 0: none */
	bool		param;
	bool		altered;		/* its definitions change without a lock */
} Read;

static const Read pool[] = {
	{"SELECT count(*), sum(id), sum(v) FROM t%d", NTABLES, false, false},
	{"SELECT count(*), sum(v), max(s) FROM t%d WHERE k = $1", NTABLES, true, false},
	{"SELECT id, v, s FROM t%d WHERE k = $1", NTABLES, true, false},
	{"SELECT id, v FROM t%d WHERE id = $1", NTABLES, true, false},
	{"SELECT k, count(*), sum(v) FROM t%d GROUP BY k", NTABLES, false, false},
	{"SELECT t FROM t%d t WHERE k = $1", NTABLES, true, false},
	{"SELECT a.id, b.v FROM t0 a JOIN t1 b USING (id) WHERE a.k = $1", 0, true, false},
	{"SELECT count(*) FROM t5 a WHERE NOT EXISTS (SELECT FROM t6 b WHERE b.id = a.id)", 0, false, false},
	{"SELECT count(*), sum(c.v), sum(p.v) FROM p JOIN c ON c.pid = p.id", 0, false, false},
	{"SELECT count(*) FROM c WHERE pid = $1", 0, true, false},
	{"SELECT count(*), sum(id), sum(v) FROM part", 0, false, true},
	{"SELECT count(*), sum(v) FROM part WHERE id BETWEEN 150 AND 250", 0, false, true},
	{"SELECT v FROM part WHERE id = 200 + $1", 0, true, true},
	{"SELECT count(*), sum(v) FROM part4", 0, false, true},
	{"SELECT tableoid::regclass::text = 'part2', v FROM part2 WHERE id < 110", 0, false, true},
	{"SELECT count(*), sum(v) FROM ih", 0, false, true},
	{"SELECT count(*), sum(v) FROM swap", 0, false, true},
	{"SELECT count(*), sum(v) FROM w", 0, false, true},
	{"SELECT k, v FROM mv", 0, false, false},
	{"SELECT sum(f(v)) FROM t3", 0, false, true},
	{"SELECT count(*), sum(v) FROM frows(3)", 0, false, true},
	{"SELECT * FROM t5 WHERE k = $1", 0, true, false},
	{"SELECT (SELECT sum(v) FROM t7), (SELECT sum(v) FROM t8)", 0, false, false},
	{"SELECT v FROM t9 WHERE id < 20 UNION ALL SELECT v FROM t8 WHERE id < 20", 0, false, false},
};

#define NPOOL	((int) (sizeof(pool) / sizeof(pool[0])))

/* the text with its table, and with the value in place of $1 if wanted */
static void
spell(char *sql, size_t size, const Read *r, int table, int value)
{
	char		text[500];
	char	   *dollar;

	snprintf(text, sizeof(text), r->sql, table);
	dollar = value >= 0 ? strstr(text, "$1") : NULL;
	if (dollar != NULL)
		snprintf(sql, size, "%.*s%d%s", (int) (dollar - text), text, value,
				 dollar + 2);
	else
		snprintf(sql, size, "%s", text);
}

static void
pick(const Read **r, int *table, int *value)
{
	*r = &pool[upto(NPOOL)];
	*table = (*r)->table ? upto((*r)->table) : 0;
	*value = 1 + upto(4);
}

/* NULL on an error */
static PGresult *
read_simple(const Read *r, int table, int value)
{
	char		sql[600];
	PGresult   *res;

	spell(sql, sizeof(sql), r, table, value);
	res = query(sql);
	atomic_fetch_add(&shared->reads, 1);
	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		return res;
	PQclear(res);
	return NULL;
}

static PGresult *
read_prepared(const Read *r, int table, int value)
{
	static bool made[NPOOL][NTABLES];
	bool	   *mine = &made[r - pool][table];
	char		name[40];
	char		number[20];
	const char *values[1] = {number};
	PGresult   *res;

	snprintf(name, sizeof(name), "r%d_%d", (int) (r - pool), table);
	snprintf(number, sizeof(number), "%d", value);
	if (!*mine)
	{
		char		sql[600];
		bool		ok;

		spell(sql, sizeof(sql), r, table, -1);
		res = looked_at(sql, PQprepare(conn, name, sql, 0, NULL));
		ok = PQresultStatus(res) == PGRES_COMMAND_OK;
		PQclear(res);
		if (!ok)
			return NULL;
		*mine = true;
	}
	res = looked_at(name, PQexecPrepared(conn, name, r->param ? 1 : 0, values,
										 NULL, NULL, upto(2)));
	atomic_fetch_add(&shared->reads, 1);
	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		return res;
	/* a result type that changed stays an error until prepared anew */
	if (PQtransactionStatus(conn) == PQTRANS_IDLE)
	{
		run("DEALLOCATE %s", name);
		*mine = false;
	}
	PQclear(res);
	return NULL;
}

static bool
read_any(void)
{
	const Read *r;
	int			table;
	int			value;
	PGresult   *res;

	pick(&r, &table, &value);
	res = percent(50) ? read_simple(r, table, value) :
		read_prepared(r, table, value);
	PQclear(res);
	return res != NULL;
}

static int
by_content(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The rows as text, sorted: the order of rows is nobody's promise. */
static char *
content(PGresult *res)
{
	int			nrows = PQntuples(res);
	char	  **rows = calloc((size_t) nrows + 1, sizeof(char *));
	size_t		total = 1;
	char	   *all;

	for (int i = 0; i < nrows; i++)
	{
		size_t		length = 1;

		for (int j = 0; j < PQnfields(res); j++)
			length += (size_t) PQgetlength(res, i, j) + 2;
		rows[i] = calloc(1, length);
		for (int j = 0; j < PQnfields(res); j++)
		{
			strcat(rows[i], PQgetisnull(res, i, j) ? "~" : "=");
			strcat(rows[i], PQgetvalue(res, i, j));
		}
		total += length + 1;
	}
	qsort(rows, (size_t) nrows, sizeof(char *), by_content);
	all = calloc(1, total);
	for (int i = 0; i < nrows; i++)
	{
		strcat(all, rows[i]);
		strcat(all, "\n");
		free(rows[i]);
	}
	free(rows);
	return all;
}

static PGresult *
read_params(const Read *r, int table, int value)
{
	char		sql[600];
	char		number[20];
	const char *values[1] = {number};
	PGresult   *res;

	snprintf(number, sizeof(number), "%d", value);
	spell(sql, sizeof(sql), r, table, -1);
	res = looked_at(sql, PQexecParams(conn, sql, r->param ? 1 : 0, NULL,
									  values, NULL, NULL, 0));
	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		return res;
	PQclear(res);
	return NULL;
}

/*
 * Execute, let the cache answer, and execute again: in one snapshot all
 * three must be equal.  But definitions are not part of a snapshot, and a
 * session may learn of a new one late, so where one of them may have changed
 * since the transaction began, unequal answers prove nothing.
 */
static bool
check_one(long steps)
{
	static const char *const modes[3] = {"off", "force", "off"};
	char	   *answers[3] = {NULL, NULL, NULL};
	const Read *r;
	int			table;
	int			value;
	bool		ok = true;

	pick(&r, &table, &value);
	for (int i = 0; i < 3 && ok; i++)
	{
		PGresult   *res;

		if (!run("SET LOCAL perfopt.cache = %s", modes[i]))
			return false;
		res = percent(50) ? read_simple(r, table, value) :
			read_params(r, table, value);
		ok = res != NULL;
		if (ok)
			answers[i] = content(res);
		PQclear(res);
	}
	if (ok)
	{
		atomic_fetch_add(&shared->checks, 1);
		if ((strcmp(answers[0], answers[1]) != 0 ||
			 strcmp(answers[2], answers[1]) != 0) &&
			!(r->altered && (steps % 2 != 0 ||
							 steps != atomic_load(&shared->alter_steps))) &&
			atomic_fetch_add(&shared->check_differences, 1) == 0)
			snprintf(shared->first_difference,
					 sizeof(shared->first_difference),
					 "%s, table %d, value %d\nexecuted:\n%.250sserved:\n%.250sexecuted:\n%.250s",
					 r->sql, table, value, answers[0], answers[1], answers[2]);
	}
	for (int i = 0; i < 3; i++)
		free(answers[i]);
	return ok;
}

static void
check_in_client(void)
{
	long		steps = atomic_load(&shared->alter_steps);
	bool		ok = run("BEGIN ISOLATION LEVEL REPEATABLE READ");

	ok = ok && run("SET LOCAL perfopt.cache_verify = 0");
	if (ok && percent(50))
		ok = read_any();		/* the snapshot grows old */
	if (percent(30))
		snooze(3000);
	for (int n = 1 + upto(3); ok && n > 0; n--)
		ok = check_one(steps);
	run("ROLLBACK");
}

static void
reader(void)
{
	while (!stopped())
	{
		int			kind = upto(100);

		if (kind < 12)
			check_in_client();
		else if (kind < 30)
		{
			bool		ok = run("BEGIN ISOLATION LEVEL REPEATABLE READ");

			for (int n = 2 + upto(8); ok && n > 0; n--)
			{
				ok = read_any();
				if (percent(10))
					snooze(2000);
			}
			run("COMMIT");
		}
		else if (kind < 32)
		{
			run("BEGIN ISOLATION LEVEL SERIALIZABLE");
			read_any();
			run("COMMIT");
		}
		else
		{
			for (int n = 0; n < 20 && !stopped(); n++)
				read_any();
		}
	}
}

/* ----------------------------------------------------------------
 *						writing
 * ----------------------------------------------------------------
 */

static bool
copy_in(int table)
{
	char		sql[100];
	PGresult   *res;
	bool		ok;

	snprintf(sql, sizeof(sql), "COPY t%d (id, k, v, s) FROM STDIN", table);
	res = query(sql);
	ok = PQresultStatus(res) == PGRES_COPY_IN;
	PQclear(res);
	if (!ok)
		return false;
	for (int n = 1 + upto(5); n > 0; n--)
	{
		char		line[100];

		snprintf(line, sizeof(line), "%d\t%d\t%d\tcopied\n",
				 NROWS + upto(1000000), upto(10), upto(1000));
		PQputCopyData(conn, line, (int) strlen(line));
	}
	PQputCopyEnd(conn, NULL);
	while ((res = PQgetResult(conn)) != NULL)
	{
		looked_at(sql, res);
		ok = ok && PQresultStatus(res) == PGRES_COMMAND_OK;
		PQclear(res);
	}
	return ok;
}

static bool
write_something(void)
{
	int			t = percent(80) ? upto(NBUSY) : upto(NTABLES);
	int			id = 1 + upto(NROWS);

	switch (upto(16))
	{
		case 0:
		case 1:
			return run("UPDATE t%d SET v = v + 1 WHERE id = %d", t, id);
		case 2:
			return run("UPDATE t%d SET k = (k + 1) %% 10, v = v + 3 WHERE k = %d",
					   t, upto(10));
		case 3:
			return run("INSERT INTO t%d VALUES (%d, %d, %d, 'new') ON CONFLICT (id)"
					   " DO UPDATE SET v = excluded.v", t, id, upto(10), upto(1000));
		case 4:
			return run("DELETE FROM t%d WHERE id = %d OR id > %d", t, id, 4 * NROWS);
		case 5:
			return run("WITH d AS (DELETE FROM t%d WHERE id = %d RETURNING *)"
					   " INSERT INTO t%d SELECT id + 1000000 + %d, k, v, s FROM d",
					   t, id, upto(NTABLES), upto(1000000));
		case 6:
			return run("MERGE INTO t%d t USING (SELECT %d AS id, %d AS v) s ON t.id = s.id"
					   " WHEN MATCHED AND s.v < 300 THEN DELETE"
					   " WHEN MATCHED THEN UPDATE SET v = s.v"
					   " WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.id %% 10, s.v, 'm')",
					   t, id, upto(1000));
		case 7:
			return copy_in(t);
		case 8:
			/* empty for a moment, in the same transaction */
			if (!percent(20))
				return true;
			return run("TRUNCATE t%d", t) &&
				run("INSERT INTO t%d SELECT g, g %% 10, %d, 'again'"
					" FROM generate_series(1, %d) g", t, upto(1000), NROWS);
		case 9:
			return run("DELETE FROM p WHERE id = %d", 1 + upto(60));
		case 10:
			return run("UPDATE p SET id = %d, v = v + 1 WHERE id = %d",
					   1 + upto(60), 1 + upto(60));
		case 11:
			return run("INSERT INTO p VALUES (%d, 0) ON CONFLICT DO NOTHING",
					   1 + upto(60)) &&
				run("INSERT INTO c SELECT %d, id, 1 FROM p WHERE id = %d"
					" ON CONFLICT DO NOTHING", 1 + upto(500), 1 + upto(60));
		case 12:
			return run("UPDATE part SET v = v + 1 WHERE id = %d", upto(400));
		case 13:
			/* a row that moves to another partition, and one that comes back */
			id = upto(400);
			return run("UPDATE part SET id = %d WHERE id = %d", upto(400), id) &&
				run("INSERT INTO part VALUES (%d, 7)", id);
		case 14:
			return run("UPDATE ih SET v = v + 1 WHERE id = %d", 1 + upto(80));
		default:
			return run("UPDATE swap SET v = v + 1 WHERE id = %d", 1 + upto(40));
	}
}

static void
write_transaction(int me, int number)
{
	bool		ok;
	bool		untracked = percent(2);
	int			end;

	if (untracked && percent(50))
		run("SET track_counts = off");
	if (percent(25))
	{
		ok = write_something();
		run("SET track_counts = on");
		return;
	}
	ok = run("BEGIN ISOLATION LEVEL %s",
			 percent(70) ? "READ COMMITTED" : "REPEATABLE READ");
	if (ok && untracked)
		ok = run("SET LOCAL track_counts = off");
	for (int n = 1 + upto(3); ok && n > 0; n--)
	{
		if (percent(20))
		{
			ok = run("SAVEPOINT a") && write_something();
			if (PQtransactionStatus(conn) == PQTRANS_INERROR)
				ok = true;
			if (ok && percent(30))
				ok = read_any();
			ok = run(percent(60) ? "ROLLBACK TO a" : "RELEASE a") && ok;
		}
		else
			ok = write_something();
		if (ok && untracked && percent(30))
			ok = run("SET LOCAL track_counts = on");
		if (ok && percent(40))
			ok = read_any();
	}
	end = upto(100);
	snooze(end < 30 ? 3000 : 0);
	if (!ok || end < 12)
		run("ROLLBACK");
	else if (end < 35 && !(untracked && percent(70)))
	{
		if (run("PREPARE TRANSACTION 's%d_%d'", me, number))
			atomic_fetch_add(&shared->prepared, 1);
		else
			run("ROLLBACK");
	}
	else if (run("COMMIT"))
		atomic_fetch_add(&shared->committed, 1);
	run("SET track_counts = on");
}

static void
writer(int me)
{
	for (int number = 0; !stopped(); number++)
	{
		write_transaction(me, number);
		/* mostly pauses, so that readers find something still valid */
		snooze(percent(10) ? 60000 : 10000);
	}
}

/*
 * Finish what others prepared, after a while; now and then let many pile up,
 * so that slots run out of room.
 */
static void
finisher(void)
{
	while (!stopped())
	{
		PGresult   *res;
		int			keep = percent(20) ? MAX_PREPARED / 2 : upto(4);

		res = query("SELECT gid FROM pg_prepared_xacts"
					" WHERE gid LIKE 's%' AND database = current_database()"
					" ORDER BY prepared");
		for (int i = 0; i < PQntuples(res) - keep; i++)
		{
			if (run("%s PREPARED '%s'", percent(75) ? "COMMIT" : "ROLLBACK",
					PQgetvalue(res, i, 0)))
				atomic_fetch_add(&shared->committed, 1);
		}
		PQclear(res);
		snooze(40000);
	}
}

/* ----------------------------------------------------------------
 *						altering
 * ----------------------------------------------------------------
 */

static void
alter_alone(void)
{
	switch (upto(5))
	{
		case 0:
			run("DROP INDEX CONCURRENTLY IF EXISTS t3_k");
			break;
		case 1:
			run("CREATE INDEX CONCURRENTLY IF NOT EXISTS t3_k ON t3 (k)");
			break;
		case 2:
			run("SET lock_timeout = '2s'");
			if (!run("ALTER TABLE part DETACH PARTITION part2 CONCURRENTLY"))
				run("ALTER TABLE part DETACH PARTITION part2 FINALIZE");
			snooze(5000);
			run("ALTER TABLE part ATTACH PARTITION part2 FOR VALUES FROM (100) TO (200)");
			run("SET lock_timeout = '700ms'");
			break;
		case 3:
			run("VACUUM FULL t6");
			break;
		default:
			run("VACUUM t7");
			break;
	}
}

static bool
alter_something(void)
{
	switch (upto(14))
	{
		case 0:
			return run("ALTER TABLE t5 ADD COLUMN x int DEFAULT %d", upto(100));
		case 1:
			return run("ALTER TABLE t5 DROP COLUMN IF EXISTS x");
		case 2:
			return run("ALTER TABLE t5 ALTER v TYPE %s",
					   percent(50) ? "bigint" : "int");
		case 3:
		case 4:
			return run(FUNCTION_F, upto(1000));
		case 5:
			return run(FUNCTION_ROWS, upto(5));
		case 6:
			return run(VIEW_V, upto(1000));
		case 7:
			return run("ALTER TABLE part DETACH PARTITION part3");
		case 8:
			return run("ALTER TABLE part ATTACH PARTITION part3 FOR VALUES FROM (200) TO (300)");
		case 9:
			return run("ALTER TABLE part4 DETACH PARTITION part4b");
		case 10:
			return run("ALTER TABLE part4 ATTACH PARTITION part4b FOR VALUES FROM (350) TO (400)");
		case 11:
			return run("ALTER TABLE ihc %s ih", percent(50) ? "INHERIT" : "NO INHERIT");
		case 12:
			return run("CREATE OR REPLACE VIEW swap AS SELECT * FROM %s",
					   percent(50) ? "swap_a" : "swap_b");
		default:
			return run("REFRESH MATERIALIZED VIEW mv");
	}
}

static void
alterer(void)
{
	run("CREATE OR REPLACE VIEW swap AS SELECT * FROM swap_a");
	for (int number = 0; !stopped(); number++)
	{
		int			how = upto(100);

		atomic_fetch_add(&shared->alter_steps, 1);
		if (how < 10)
			alter_alone();
		else if (how < 45)
			alter_something();
		else
		{
			bool		ok = run("BEGIN");

			for (int n = 1 + upto(2); ok && n > 0; n--)
				ok = alter_something() && (!percent(30) || read_any());
			if (!ok || how < 60)
				run("ROLLBACK");
			else if (how < 70)
			{
				/* others wait for it, so not for long */
				if (run("PREPARE TRANSACTION 'd%d'", number))
				{
					snooze(15000);
					run("%s PREPARED 'd%d'",
						percent(70) ? "COMMIT" : "ROLLBACK", number);
				}
				else
					run("ROLLBACK");
			}
			else
				run("COMMIT");
		}
		atomic_fetch_add(&shared->alter_steps, 1);
		atomic_fetch_add(&shared->altered, 1);
		snooze(60000);
	}
	run("ALTER TABLE part ATTACH PARTITION part3 FOR VALUES FROM (200) TO (300)");
}

/* ----------------------------------------------------------------
 *						all of them
 * ----------------------------------------------------------------
 */

static pid_t
start(void (*body) (int), void (*plain) (void), int me, const char *name,
	  uint64_t seed)
{
	pid_t		pid = fork();

	if (pid < 0)
	{
		perror("fork");
		exit(2);
	}
	if (pid == 0)
	{
		rng = seed * 1000 + (uint64_t) me;
		connect_as(name);
		if (body)
			body(me);
		else
			plain();
		PQfinish(conn);
		exit(0);
	}
	return pid;
}

/* hits, comparisons and differences, as the server counts them */
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

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	uint64_t	seed = (uint64_t) time(NULL);
	int			seconds = 60;
	long		least = 0;
	bool		until_difference = false;
	pid_t		pids[NWRITERS + NREADERS + 2];
	int			n = 0;
	int			died = 0;
	long		before[4];
	long		after[4];
	long		verified;
	long		differences;
	long		unexpected = 0;
	double		begun;
	bool		good;

	for (int i = 1; i < argc; i++)
	{
		if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
			seconds = atoi(argv[++i]);
		else if (strcmp(argv[i], "--least") == 0 && i + 1 < argc)
			least = atol(argv[++i]);
		else if (strcmp(argv[i], "--until-difference") == 0)
			until_difference = true;
		else if (argv[i][0] != '-' && conninfo == NULL)
			conninfo = argv[i];
		else
		{
			fprintf(stderr, "usage: stress [--seed N] [--seconds N] [--least N]"
					" [--until-difference] CONNINFO\n");
			return 2;
		}
	}
	if (conninfo == NULL)
		conninfo = "";
	shared = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
	{
		perror("mmap");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	printf("seed %llu\n", (unsigned long long) seed);
	fflush(stdout);

	conn = PQconnectdb(conninfo);
	if (PQstatus(conn) != CONNECTION_OK)
		fatal("%s", PQerrorMessage(conn));
	set_up();
	server_counts(before);

	begun = now();
	for (int i = 0; i < NWRITERS; i++, n++)
		pids[n] = start(writer, NULL, n, "writer", seed);
	pids[n] = start(NULL, finisher, n, "finisher", seed);
	n++;
	pids[n] = start(NULL, alterer, n, "alterer", seed);
	n++;
	for (int i = 0; i < NREADERS; i++, n++)
		pids[n] = start(NULL, reader, n, "reader", seed);

	/* longer on a slow machine, but not for ever */
	while (!stopped() && now() - begun < 2 * seconds)
	{
		usleep(200000);
		server_counts(after);
		if (now() - begun >= seconds &&
			(until_difference || after[1] - before[1] >= least))
			break;
		if (until_difference &&
			(after[2] > before[2] || atomic_load(&shared->check_differences) > 0))
			break;
	}
	atomic_store(&shared->stop, true);
	while (n-- > 0)
	{
		int			status;

		if (waitpid(pids[n], &status, 0) != pids[n] || status != 0)
			died++;
	}

	/* nothing is left that would hold the next run up */
	role = "main";
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
	differences = after[2] - before[2] +
		atomic_load(&shared->check_differences);
	printf("seconds %.0f, statements %ld, reads %ld, commits %ld, prepared %ld, alterations %ld\n",
		   now() - begun, atomic_load(&shared->statements),
		   atomic_load(&shared->reads), atomic_load(&shared->committed),
		   atomic_load(&shared->prepared), atomic_load(&shared->altered));
	printf("hits %ld, verified %ld, checked by the client %ld, differences %ld, errors %ld\n",
		   after[0] - before[0], verified, atomic_load(&shared->checks),
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
	if (shared->first_difference[0] != '\0')
		printf("first difference seen by the client: %s\n",
			   shared->first_difference);
	if (died > 0)
		printf("%d of the sessions ended early\n", died);

	good = differences == 0 && unexpected == 0 && died == 0 &&
		after[3] == before[3] && verified >= least;
	if (until_difference)
		printf("%s\n", differences > 0 ? "difference found" : "no difference found");
	printf("%s\n", good ? "ok" : "not ok");
	return good ? 0 : 1;
}
