/*-------------------------------------------------------------------------
 *
 * cursors.c
 *	  Cursors over the same statement, one with the comment that keeps the
 *	  cache away, moved alike and compared at each step; COPY (SELECT).
 *
 * Portals of the protocol, run for some rows at a time, are in portals.c.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stress.h"

/* ordered completely, so that any part of the rows is the same */
static const char *const ordered[] = {
	"SELECT id, v, s FROM t%d WHERE k = %s ORDER BY v, id",
	"SELECT id, v FROM t%d WHERE k <> %s ORDER BY id",
	"SELECT a.id, a.v, b.v FROM t%d a JOIN t14 b USING (id) WHERE a.k = %s ORDER BY a.id",
	"SELECT k, count(*), sum(v) FROM t%d WHERE k > %s GROUP BY k ORDER BY k",
	"SELECT id, v, rank() OVER (PARTITION BY k ORDER BY v, id) FROM t%d WHERE k > %s ORDER BY id",
	"SELECT id FROM t%d WHERE k = %s UNION SELECT id + 7 FROM t15 WHERE k = 2 ORDER BY id",
	"SELECT id, v FROM t%d WHERE k = %s ORDER BY v DESC, id LIMIT 7",
};

#define NORDERED	((int) (sizeof(ordered) / sizeof(ordered[0])))

static int	favoured;			/* the table last asked for */

/* few, so that they come again; more often over what is not written often */
static void
spell_ordered(char *sql, size_t size, const char *value)
{
	favoured = percent(30) ? upto(NBUSY) : NBUSY + upto(6);
	snprintf(sql, size, ordered[upto(NORDERED)], favoured, value);
}

static bool
write_own(void)
{
	int			table = percent(80) ? favoured : upto(NTABLES);

	if (percent(40))
		return run("SAVEPOINT own") &&
			run("UPDATE t%d SET v = v + 1, k = (k + 1) %% 10 WHERE id = %d",
				table, 1 + upto(NROWS)) &&
			run("ROLLBACK TO own");
	return run("UPDATE t%d SET v = v + 1 WHERE id = %d OR k = %d AND id < 60",
			   table, 1 + upto(NROWS), 1 + upto(2));
}

static void
spell_fetch(char *text, size_t size, bool scroll)
{
	static const char *const ways[] = {
		"FETCH %d FROM", "FETCH FORWARD %d FROM", "MOVE %d FROM",
		"FETCH BACKWARD %d FROM", "FETCH ABSOLUTE %d FROM",
		"FETCH RELATIVE -%d FROM", "FETCH LAST FROM", "FETCH PRIOR FROM",
		"FETCH FIRST FROM"
	};

	if (percent(10))
		snprintf(text, size, "FETCH ALL FROM");
	else
		snprintf(text, size, ways[upto(scroll ? 9 : 3)], 1 + upto(5));
}

/* The two cursors say the same of themselves. */
static bool
describe(const char *name, char *text, size_t size)
{
	PGresult   *res;
	bool		ok;
	size_t		used = 0;

	action("describe %s", name);
	res = looked_at("describe", PQdescribePortal(conn, name));
	ok = PQresultStatus(res) == PGRES_COMMAND_OK;
	text[0] = '\0';
	for (int i = 0; ok && i < PQnfields(res) && used < size; i++)
		used += (size_t) snprintf(text + used, size - used, "%s %u %d;",
								  PQfname(res, i), PQftype(res, i),
								  PQfmod(res, i));
	PQclear(res);
	return ok;
}

typedef struct Cursor
{
	char		sql[300];
	const char *scroll;
	bool		hold;
	bool		served;
} Cursor;

static bool
fetch_both(Cursor *cursor, Kind kind)
{
	char		fetch[60];
	char		one[100];
	char		twin[100];
	char		what[500];
	long		before = scans();
	long		between;
	char	   *answer;
	char	   *executed = NULL;
	bool		ok;

	spell_fetch(fetch, sizeof(fetch), strcmp(cursor->scroll, "SCROLL") == 0);
	snprintf(one, sizeof(one), "%s cc", fetch);
	snprintf(twin, sizeof(twin), "%s cn", fetch);
	snprintf(what, sizeof(what), "%s %s", fetch, cursor->sql);
	answer = give_ordered(one);
	between = scans();
	if (answer != NULL)
		executed = give_ordered(twin);
	ok = executed != NULL;
	if (ok)
	{
		if (before >= 0 && between - before < scans() - between)
			cursor->served = true;
		compared(kind, what, executed, answer, cursor->served, NO_STEPS);
	}
	free(answer);
	free(executed);
	return ok;
}

static void
compare_cursors(void)
{
	static const char *const scrolls[] = {"", "SCROLL", "NO SCROLL"};
	Cursor		cursor = {{0}};
	char		one[300];
	char		twin[300];
	bool		ok;
	bool		twin_first = percent(50);

	spell_ordered(cursor.sql, sizeof(cursor.sql), percent(50) ? "1" : "2");
	cursor.scroll = scrolls[upto(3)];
	cursor.hold = percent(30);
	ok = begin_repeatable();
	if (ok && percent(50))
		ok = run("%s", cursor.sql); /* read to its end, hence kept */
	if (ok && percent(30))
		ok = write_own();
	for (int i = 0; ok && i < 2; i++)
	{
		bool		calm = (i == 0) == twin_first;

		ok = run("DECLARE %s %s CURSOR %s FOR %s %s", calm ? "cn" : "cc",
				 cursor.scroll, cursor.hold ? "WITH HOLD" : "", cursor.sql,
				 calm ? CALM : "");
	}
	for (int n = 1 + upto(6); ok && n > 0; n--)
	{
		ok = fetch_both(&cursor, KIND_CURSOR);
		if (ok && percent(30))
			ok = write_own();
	}
	if (ok && describe("cc", one, sizeof(one)) &&
		describe("cn", twin, sizeof(twin)))
		compared(KIND_CURSOR, cursor.sql, twin, one, cursor.served, NO_STEPS);
	if (PQtransactionStatus(conn) != PQTRANS_INTRANS)
		ok = false;
	if (!run("%s", ok && (cursor.hold || percent(50)) ? "COMMIT" : "ROLLBACK") ||
		!cursor.hold || !ok)
		return;

	/* what is held does not change, whoever writes what */
	run("BEGIN");
	for (int n = 1 + upto(4); ok && n > 0; n--)
	{
		if (percent(50))
			ok = write_own();
		ok = ok && fetch_both(&cursor, KIND_HOLD);
	}
	run("COMMIT");
	run("CLOSE ALL");
}

/* WHERE CURRENT OF changes the row that was fetched. */
static void
compare_current(void)
{
	int			table = upto(NTABLES);
	bool		ok = begin_repeatable();

	favoured = table;
	ok = ok && run("DECLARE cc CURSOR FOR SELECT id, v FROM t%d WHERE k = %d%s",
				   table, 1 + upto(4), percent(30) ? " FOR UPDATE" : "");
	for (int n = 1 + upto(4); ok && n > 0; n--)
	{
		PGresult   *res = query("FETCH cc");
		char		fetched[20];
		char		sql[200];

		ok = PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1;
		if (ok)
			snprintf(fetched, sizeof(fetched), "%s", PQgetvalue(res, 0, 0));
		PQclear(res);
		if (!ok)
			break;
		if (percent(20))
			ok = write_own();
		if (percent(30))
			snprintf(sql, sizeof(sql), "DELETE FROM t%d WHERE CURRENT OF cc"
					 " RETURNING id", table);
		else
			snprintf(sql, sizeof(sql), "UPDATE t%d SET v = v + 1"
					 " WHERE CURRENT OF cc RETURNING id", table);
		res = query(sql);
		ok = ok && PQresultStatus(res) == PGRES_TUPLES_OK;
		/* no row: write_own() changed it, which the cursor does not see */
		if (ok && PQntuples(res) == 1)
			compared(KIND_CURRENT_OF, sql, fetched, PQgetvalue(res, 0, 0),
					 false, NO_STEPS);
		PQclear(res);
	}
	run("%s", percent(50) ? "COMMIT" : "ROLLBACK");
}

static char *
give_copy(void *sql)
{
	PGresult   *res = query(sql);
	char	   *all = strdup("");
	char	   *line;
	bool		ok = PQresultStatus(res) == PGRES_COPY_OUT;

	PQclear(res);
	while (ok && PQgetCopyData(conn, &line, 0) > 0)
	{
		all = realloc(all, strlen(all) + strlen(line) + 1);
		strcat(all, line);
		PQfreemem(line);
	}
	while ((res = PQgetResult(conn)) != NULL)
	{
		looked_at(sql, res);
		ok = ok && PQresultStatus(res) == PGRES_COMMAND_OK;
		PQclear(res);
	}
	if (ok)
		return all;
	free(all);
	return NULL;
}

static void
compare_copy(void)
{
	char		sql[300];
	char		one[400];
	char		twin[400];
	bool		ok = begin_repeatable();

	for (int n = 1 + upto(4); ok && n > 0; n--)
	{
		spell_ordered(sql, sizeof(sql), percent(50) ? "1" : "2");
		if (percent(50))
			ok = run("%s", sql);
		snprintf(one, sizeof(one), "COPY (%s) TO STDOUT", sql);
		snprintf(twin, sizeof(twin), "COPY (%s " CALM ") TO STDOUT", sql);
		ok = ok && compare_twins(KIND_COPY, one, give_copy, one, give_copy, twin,
						   NO_STEPS);
	}
	run("COMMIT");
}

static void
compare_some_portals(void)
{
	bool		ok = begin_repeatable();

	for (int n = 1 + upto(2); ok && n > 0; n--)
	{
		int			value = 1 + upto(2);
		char		sql[300];

		spell_ordered(sql, sizeof(sql), "$1");
		if (percent(50))
		{
			char		number[20];
			const char *values[1] = {number};

			snprintf(number, sizeof(number), "%d", value);
			action("(%d) %s", value, sql);
			PQclear(looked_at(sql, PQexecParams(conn, sql, 1, NULL, values,
												NULL, NULL, 0)));
		}
		if (percent(20))
			ok = write_own();
		ok = ok && compare_portals(sql, value, write_own);
		if (ok && n > 1)
			ok = run("ROLLBACK") && begin_repeatable();
	}
	run("COMMIT");
}

void
fetcher(int me)
{
	while (!stopped())
	{
		int			kind = upto(100);

		reconnect_if_lost();
		if (kind < 50)
			compare_cursors();
		else if (kind < 75)
			compare_some_portals();
		else if (kind < 87)
			compare_current();
		else
			compare_copy();
	}
}
