/*-------------------------------------------------------------------------
 *
 * readers.c
 *	  Sessions that only read: statements of the pool by both protocols, in
 *	  pipelines, prepared and read in pieces of the protocol.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stress.h"

#define MAX_POOL	40

/* ----------------------------------------------------------------
 *						single reads
 * ----------------------------------------------------------------
 */

/* of the connection whose number this is */
static int	made_in[MAX_POOL][NTABLES];

static bool
is_made(const Read *r, int table)
{
	return made_in[r - pool][table] == epoch + 1;
}

static void
name_of(char *name, size_t size, const Read *r, int table)
{
	snprintf(name, size, "r%d_%d", (int) (r - pool), table);
}

/* an error is the caller's to see */
static PGresult *
read_simple(const Read *r, int table, int value)
{
	char		sql[600];

	spell(sql, sizeof(sql), r, table, value);
	atomic_fetch_add(&shared->reads, 1);
	return query(sql);
}

static bool
make_prepared(const Read *r, int table)
{
	char		name[40];
	char		sql[600];
	PGresult   *res;
	bool		ok;

	if (is_made(r, table))
		return true;
	name_of(name, sizeof(name), r, table);
	spell(sql, sizeof(sql), r, table, -1);
	action("prepare %s: %s", name, sql);
	res = looked_at(sql, PQprepare(conn, name, sql, 0, NULL));
	ok = PQresultStatus(res) == PGRES_COMMAND_OK;
	PQclear(res);
	if (ok)
		made_in[r - pool][table] = epoch + 1;
	return ok;
}

static PGresult *
read_prepared(const Read *r, int table, int value)
{
	char		name[40];
	char		number[20];
	const char *values[1] = {number};
	PGresult   *res;

	if (!make_prepared(r, table))
		return NULL;
	name_of(name, sizeof(name), r, table);
	snprintf(number, sizeof(number), "%d", value);
	action("%s(%d)", name, value);
	res = looked_at(name, PQexecPrepared(conn, name, r->param ? 1 : 0, values,
										 NULL, NULL, upto(2)));
	atomic_fetch_add(&shared->reads, 1);
	/* a result type that changed stays an error until prepared anew */
	if (PQresultStatus(res) != PGRES_TUPLES_OK &&
		PQtransactionStatus(conn) == PQTRANS_IDLE)
	{
		run("DEALLOCATE %s", name);
		made_in[r - pool][table] = 0;
	}
	return res;
}

static PGresult *
read_params(const Read *r, int table, int value)
{
	char		sql[600];
	char		number[20];
	const char *values[1] = {number};

	snprintf(number, sizeof(number), "%d", value);
	spell(sql, sizeof(sql), r, table, -1);
	action("(%d) %s", value, sql);
	return looked_at(sql, PQexecParams(conn, sql, r->param ? 1 : 0, NULL,
									   values, NULL, NULL, 0));
}

bool
read_any(void)
{
	const Read *r;
	int			table;
	int			value;
	PGresult   *res;
	bool		ok;

	pick(&r, &table, &value);
	res = percent(50) ? read_simple(r, table, value) :
		read_prepared(r, table, value);
	ok = PQresultStatus(res) == PGRES_TUPLES_OK;
	PQclear(res);
	return ok;
}

/*
 * Many reads sent at once, each a transaction of its own.  Errors are as
 * ever, but a statement whose type has changed is only known by its place.
 */
static void
read_pipelined(int n)
{
	const Read *r[20];
	int			table[20];
	int			value[20];
	int			sent = 0;

	for (int i = 0; i < n; i++)
	{
		pick(&r[i], &table[i], &value[i]);
		if (!make_prepared(r[i], table[i]))
			return;
	}
	if (!PQenterPipelineMode(conn))
		return;
	for (; sent < n; sent++)
	{
		char		name[40];
		char		number[20];
		const char *values[1] = {number};

		name_of(name, sizeof(name), r[sent], table[sent]);
		snprintf(number, sizeof(number), "%d", value[sent]);
		action("pipelined %s(%d)", name, value[sent]);
		if (!PQsendQueryPrepared(conn, name, r[sent]->param ? 1 : 0, values,
								 NULL, NULL, upto(2)) ||
			!PQpipelineSync(conn))
			break;
	}
	for (int i = 0; i < sent && PQstatus(conn) == CONNECTION_OK; i++)
	{
		PGresult   *res = PQgetResult(conn);

		if (res == NULL)
		{
			lose_connection();
			return;
		}
		looked_at("pipelined", res);
		atomic_fetch_add(&shared->reads, 1);
		if (PQresultStatus(res) != PGRES_TUPLES_OK)
			made_in[r[i] - pool][table[i]] = 0;
		PQclear(res);
		PQclear(PQgetResult(conn)); /* the end of the statement */
		PQclear(PQgetResult(conn)); /* the Sync */
	}
	PQexitPipelineMode(conn);
	for (int i = 0; i < sent; i++)
	{
		if (!is_made(r[i], table[i]))
			run("DEALLOCATE r%d_%d", (int) (r[i] - pool), table[i]);
	}
}

/* ----------------------------------------------------------------
 *						comparing
 * ----------------------------------------------------------------
 */

typedef struct Ask
{
	const Read *read;
	int			table;
	int			value;
} Ask;

static char *
give_read(void *arg)
{
	Ask		   *ask = arg;

	return answer_of((percent(50) ? read_simple : read_params)
					 (ask->read, ask->table, ask->value), false);
}

bool
compare_read(Kind kind, const Read *r, int table, int value)
{
	long		steps = steps_at_begin();
	char		sql[600];
	Ask			ask = {r, table, value};

	spell(sql, sizeof(sql), r, table, value);
	return compare_modes(kind, sql, give_read, &ask, "", false,
						 r->altered ? steps : NO_STEPS);
}

/* Within a transaction of one snapshot: any statement of the pool. */
bool
compare_any(Kind kind)
{
	const Read *r;
	int			table;
	int			value;

	pick(&r, &table, &value);
	return compare_read(kind, r, table, value);
}

static void
check_in_client(void)
{
	bool		ok = begin_repeatable();

	if (ok && percent(50))
		ok = read_any();		/* the snapshot grows old */
	if (percent(30))
		snooze(3000);
	for (int n = 1 + upto(3); ok && n > 0; n--)
		ok = compare_any(KIND_STATEMENT);
	run("ROLLBACK");
}

void
reader(int me)
{
	while (!stopped())
	{
		int			kind = upto(100);

		reconnect_if_lost();
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
		else if (kind < 80)
		{
			for (int n = 0; n < 4 && !stopped(); n++)
				read_pipelined(20);
		}
		else
		{
			for (int n = 0; n < 20 && !stopped(); n++)
				read_any();
		}
	}
}

/* ----------------------------------------------------------------
 *						prepared statements
 * ----------------------------------------------------------------
 */

#define NPREPARED	16

/* a statement and the twin that is never served */
typedef struct Pair
{
	const Read *read;			/* NULL: there is none */
	int			table;
} Pair;

static Pair pairs[NPREPARED];

/* one execution of one of the two */
typedef struct Execution
{
	int			pair;
	bool		calm;
	int			value;
	int			binary;
	bool		single_row;
} Execution;

static bool
send_prepared(const Execution *e)
{
	char		name[20];
	char		number[20];
	const char *values[1] = {number};

	snprintf(name, sizeof(name), "%s%d", e->calm ? "n" : "c", e->pair);
	snprintf(number, sizeof(number), "%d", e->value);
	action("%s(%d)%s%s", name, e->value, e->binary ? " binary" : "",
		   e->single_row ? " row by row" : "");
	return PQsendQueryPrepared(conn, name, pairs[e->pair].read->param ? 1 : 0,
							   values, NULL, NULL, e->binary) == 1;
}

/*
 * The results up to the end of the statement, as one answer.  None at all
 * comes from a connection that was just closed.
 */
static char *
receive(void)
{
	PGresult   *res;
	char	   *rows = strdup("");
	bool		ok = false;

	while ((res = PQgetResult(conn)) != NULL)
	{
		char	   *more;
		bool		aborted = PQresultStatus(res) == PGRES_PIPELINE_ABORTED;

		if (PQresultStatus(res) != PGRES_SINGLE_TUPLE && !aborted)
			looked_at("prepared", res);
		more = answer_of(res, true);
		ok = more != NULL;
		if (ok)
		{
			rows = realloc(rows, strlen(rows) + strlen(more) + 1);
			strcat(rows, more);
		}
		free(more);
	}
	if (ok)
		return rows;
	free(rows);
	return NULL;
}

static char *
give_execution(void *arg)
{
	Execution  *e = arg;

	if (!send_prepared(e))
		return NULL;
	if (e->single_row)
		PQsetSingleRowMode(conn);
	return receive();
}

static bool
prepare_one(int pair, bool calm, const char *sql)
{
	char		name[20];
	char		text[700];
	PGresult   *res;
	bool		ok;

	snprintf(name, sizeof(name), "%s%d", calm ? "n" : "c", pair);
	snprintf(text, sizeof(text), "%s %s", sql, calm ? CALM : "");
	if (pair % 4 == 0)
		return run("PREPARE %s%s AS %s", name,
				   pairs[pair].read->param ? "(int)" : "", text);
	action("prepare %s: %s", name, text);
	res = looked_at(text, PQprepare(conn, name, text, 0, NULL));
	ok = PQresultStatus(res) == PGRES_COMMAND_OK;
	PQclear(res);
	return ok;
}

static void
forget(int pair)
{
	if (pairs[pair].read == NULL)
		return;
	run("DEALLOCATE c%d", pair);
	run("DEALLOCATE n%d", pair);
	pairs[pair].read = NULL;
}

static void
forget_all(void)
{
	for (int i = 0; i < NPREPARED; i++)
		pairs[i].read = NULL;
}

/* Outside of a transaction, so that an error leaves nothing half made. */
static void
prepare_some(void)
{
	for (int i = 0; i < NPREPARED; i++)
	{
		Pair	   *p = &pairs[i];
		char		sql[600];
		int			value;

		if (p->read != NULL)
			continue;
		pick(&p->read, &p->table, &value);
		spell(sql, sizeof(sql), p->read, p->table, -1);
		if (!prepare_one(i, false, sql) || !prepare_one(i, true, sql))
			forget(i);
	}
}

/*
 * Sorting is done by the client where the statement does not, which the two
 * halves of an answer read row by row do not allow: they are compared sorted
 * as a whole, being lines.
 */
static int
by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static char *
sorted(char *rows)
{
	size_t		size = strlen(rows) + 1;
	char	   *all = malloc(size + 1);
	char	  **lines = calloc(size, sizeof(char *));
	int			n = 0;

	for (char *line = strtok(rows, "\n"); line != NULL; line = strtok(NULL, "\n"))
		lines[n++] = line;
	qsort(lines, (size_t) n, sizeof(char *), by_line);
	all[0] = '\0';
	for (int i = 0; i < n; i++)
	{
		strcat(all, lines[i]);
		strcat(all, "\n");
	}
	free(lines);
	free(rows);
	return all;
}

static char *
give_sorted(void *arg)
{
	char	   *rows = give_execution(arg);

	return rows ? sorted(rows) : NULL;
}

static void
draw_execution(Execution *e, bool single_row)
{
	do
		e->pair = upto(NPREPARED);
	while (pairs[e->pair].read == NULL);
	e->calm = false;
	e->value = 1 + upto(4);
	e->binary = upto(2);
	e->single_row = single_row;
}

static bool
compare_prepared(void)
{
	bool		single_row = percent(25);
	long		steps = steps_at_begin();
	Execution	e;
	Execution	twin;
	char		sql[600];
	bool		ok;

	draw_execution(&e, single_row);
	twin = e;
	twin.calm = true;
	twin.single_row = single_row && percent(50);
	spell(sql, sizeof(sql), pairs[e.pair].read, pairs[e.pair].table, e.value);
	ok = compare_twins(single_row ? KIND_SINGLE_ROW : KIND_PREPARED, sql,
					   give_sorted, &e, give_sorted, &twin,
					   pairs[e.pair].read->altered ? steps : NO_STEPS);
	if (!ok)
	{
		run("ROLLBACK");
		forget(e.pair);
	}
	return ok;
}

#define NPIPELINED	8

/*
 * Pairs in one go.  Between the two a scan count, so that it is known what
 * was served: c, count, n, count.
 */
static bool
compare_pipelined(void)
{
	long		steps = steps_at_begin();
	Execution	e[NPIPELINED] = {{0}};
	int			n = 2 + upto(NPIPELINED - 1);
	long		count = 0;
	bool		ok = PQenterPipelineMode(conn) == 1;

	for (int i = 0; ok && i < 2 * n; i++)
	{
		if (i % 2 == 0)
			draw_execution(&e[i / 2], false);
		e[i / 2].calm = i % 2 == 1;
		ok = (i > 0 || PQsendQueryPrepared(conn, "scans", 0, NULL, NULL, NULL, 0)) &&
			send_prepared(&e[i / 2]) &&
			PQsendQueryPrepared(conn, "scans", 0, NULL, NULL, NULL, 0);
	}
	ok = PQpipelineSync(conn) == 1 && ok;
	for (int i = 0; i <= 2 * n && PQstatus(conn) == CONNECTION_OK; i++)
	{
		static char *answers[2];
		static long served;
		char	   *counted;
		long		before = count;

		if (i > 0)
		{
			char	   *rows = ok ? receive() : NULL;

			if (!ok)
				free(receive());
			answers[(i - 1) % 2] = rows ? sorted(rows) : NULL;
			ok = rows != NULL;
		}
		counted = receive();
		count = counted ? atol(counted + 1) : 0;
		free(counted);
		if (i > 0 && i % 2 == 1)
			served = count - before;
		if (i > 0 && i % 2 == 0)
		{
			char		sql[600];
			Execution  *x = &e[i / 2 - 1];
			const Read *r = pairs[x->pair].read;

			spell(sql, sizeof(sql), r, pairs[x->pair].table, x->value);
			if (ok)
				compared(KIND_PIPELINE, sql, answers[1], answers[0],
						 served < count - before,
						 r->altered ? steps : NO_STEPS);
			free(answers[0]);
			free(answers[1]);
			answers[0] = answers[1] = NULL;
		}
	}
	if (PQstatus(conn) == CONNECTION_OK)
		PQclear(PQgetResult(conn)); /* the Sync */
	if (!PQexitPipelineMode(conn))
	{
		lose_connection();
		return false;
	}
	if (!ok)
	{
		run("ROLLBACK");
		for (int i = 0; i < n; i++)
			forget(e[i].pair);
	}
	return ok;
}

/*
 * Statements that live long, with custom and generic plans, and are thrown
 * away now and then by all means there are.
 */
void
preparer(int me)
{
	int			mine = -1;

	while (!stopped())
	{
		bool		ok;

		reconnect_if_lost();
		if (mine != epoch)
		{
			mine = epoch;
			forget_all();
			PQclear(PQprepare(conn, "scans", "SELECT scans()", 0, NULL));
		}
		prepare_some();
		ok = begin_repeatable();
		if (ok && percent(30))
			ok = run("SET LOCAL plan_cache_mode = %s",
					 percent(50) ? "force_generic_plan" : "force_custom_plan");
		for (int n = 1 + upto(6); ok && n > 0; n--)
			ok = percent(70) ? compare_prepared() : compare_pipelined();
		run("COMMIT");
		if (percent(2))
			run("DISCARD PLANS");
		else if (percent(4))
			forget(upto(NPREPARED));
		else if (percent(1))
		{
			run("%s", percent(50) ? "DEALLOCATE ALL" : "DISCARD ALL");
			forget_all();
			set_up_session();
			PQclear(PQprepare(conn, "scans", "SELECT scans()", 0, NULL));
		}
	}
}
