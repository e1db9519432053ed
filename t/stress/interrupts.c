/*-------------------------------------------------------------------------
 *
 * interrupts.c
 *	  Cancels, timeouts and terminated backends, at any moment; what is asked
 *	  again afterwards must be right.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stress.h"

/* some that take time, so that there is something to interrupt */
static const char *const slow[] = {
	"SELECT count(*), sum(a.v), sum(c.v) FROM t0 a JOIN t1 b ON a.k = b.k JOIN t13 c ON c.k = b.k",
	"SELECT a.id, b.id, a.s FROM t14 a JOIN t15 b ON a.k = b.k ORDER BY 1, 2",
	"SELECT fn_many(2)",
	"SELECT fn_nested(3)",
	"SELECT * FROM fn_rows(2)",
	"SELECT k, count(*), sum(v) FROM t2 GROUP BY k",
	"SELECT a.k, sum(a.v + b.v) FROM t16 a, t17 b WHERE a.id < 60 GROUP BY a.k",
};

#define NSLOW	((int) (sizeof(slow) / sizeof(slow[0])))

static void
cancel(void)
{
	PGcancel   *handle = PQgetCancel(conn);
	char		error[256];

	if (handle != NULL && PQcancel(handle, error, sizeof(error)))
		atomic_fetch_add(&shared->cancelled, 1);
	PQfreeCancel(handle);
}

static bool
is_interrupted(PGresult *res)
{
	const char *code = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	return code != NULL && strcmp(code, "57014") == 0;
}

/*
 * Interrupted perhaps; if so, asked again.  The answer of what came through
 * in spite of it counts as well.
 */
static char *
give_interrupted(void *sql)
{
	bool		by_timeout = percent(30);
	PGresult   *res = NULL;
	PGresult   *last;

	if (!run("SAVEPOINT here%s", by_timeout ?
			 "; SET LOCAL statement_timeout = 1" : ""))
		return NULL;
	action("%s, interrupted", (char *) sql);
	if (!PQsendQuery(conn, sql))
		return NULL;
	if (!by_timeout)
	{
		snooze(percent(50) ? 300 : 3000);
		if (percent(70))
			cancel();
	}
	while ((last = PQgetResult(conn)) != NULL)
	{
		PQclear(res);
		res = last;
	}
	looked_at(sql, res);
	if (is_interrupted(res))
	{
		PQclear(res);
		res = NULL;
	}
	/* a cancel can be late */
	while (!run("%s here", PQtransactionStatus(conn) == PQTRANS_INERROR ?
				"ROLLBACK TO" : "RELEASE"))
	{
		if (PQtransactionStatus(conn) != PQTRANS_INERROR)
		{
			PQclear(res);
			return NULL;
		}
	}
	if (!run("SET LOCAL statement_timeout = 0"))
	{
		PQclear(res);
		return NULL;
	}
	if (res == NULL)
		res = query(sql);
	return answer_of(res, false);
}

void
interrupted(int me)
{
	while (!stopped())
	{
		bool		ok;

		reconnect_if_lost();
		if (percent(20))
		{
			/* with the server's own comparison */
			run("SET statement_timeout = 1");
			for (int n = 0; n < 5; n++)
				run("%s", slow[upto(NSLOW)]);
			run("RESET statement_timeout");
			continue;
		}
		ok = begin_repeatable();
		for (int n = 1 + upto(4); ok && n > 0; n--)
		{
			char		sql[300];
			char		twin[300];

			snprintf(sql, sizeof(sql), "%s", slow[upto(NSLOW)]);
			snprintf(twin, sizeof(twin), "%s", sql);
			if (strncmp(sql, "SELECT fn_many", 14) == 0)
				strcpy(twin, "SELECT fn_many_n(2)");
			else if (strncmp(sql, "SELECT fn_nested", 16) == 0)
				strcpy(twin, "SELECT fn_nested_n(3)");
			else if (strncmp(sql, "SELECT * FROM fn_rows", 21) == 0)
				strcpy(twin, "SELECT * FROM fn_rows_n(2)");
			else
				strcat(twin, " " CALM);
			ok = compare_twins(KIND_INTERRUPTED, sql, give_interrupted, sql,
							   give_interrupted, twin, NO_STEPS);
		}
		run("ROLLBACK");
	}
}

/* Ends sessions, or only what they are just doing. */
void
terminator(int me)
{
	while (!stopped())
	{
		bool		end = percent(50);
		char		sql[300];
		PGresult   *res;

		snprintf(sql, sizeof(sql), "SELECT %s(pid) FROM (SELECT pid"
				 " FROM pg_stat_activity WHERE datname = current_database()"
				 " AND application_name = 'stress victim' ORDER BY pid"
				 " OFFSET %d LIMIT 1) x",
				 end ? "pg_terminate_backend" : "pg_cancel_backend", upto(14));
		res = query(sql);
		if (PQntuples(res) == 1)
			atomic_fetch_add(end ? &shared->terminated : &shared->cancelled, 1);
		PQclear(res);
		snooze(500000);
	}
}
