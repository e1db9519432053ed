/*-------------------------------------------------------------------------
 *
 * writers.c
 *	  Sessions that write, by all ways there are; what they prepare, another
 *	  one finishes.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "stress.h"

#define MAX_PREPARED 24

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

	switch (upto(18))
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
				run("DELETE FROM part WHERE id = %d AND v = 7", id) &&
				run("INSERT INTO part VALUES (%d, 7)", id);
		case 14:
			return run("UPDATE ih SET v = v + 1 WHERE id = %d", 1 + upto(80));
		case 15:
			return run("UPDATE rls SET v = v + 1, k = %d WHERE id = %d",
					   upto(10), 1 + upto(100));
		case 16:
			return run("UPDATE tenants SET v = v + 1, tenant = 't%d' WHERE id = %d",
					   upto(4), 1 + upto(100));
		default:
			return run("UPDATE swap SET v = v + 1 WHERE id = %d", 1 + upto(40));
	}
}

/*
 * Own writes are seen, also where the answer from before them is there; what
 * they did not touch may still be served.
 */
static bool
compare_after_writes(void)
{
	bool		ok = run("SET LOCAL perfopt.cache_verify = 0");

	if (percent(40))
		ok = ok && (percent(50) ? compare_any : compare_call) (KIND_WRITTEN);
	else
	{
		const Read *r;
		int			table;
		int			value;
		char		sql[600];
		bool		undone = percent(30);

		do
			pick(&r, &table, &value);
		while (r->table == 0);
		spell(sql, sizeof(sql), r, table, value);
		ok = ok && run("%s", sql) &&
			(!undone || run("SAVEPOINT undone")) &&
			run("UPDATE t%d SET v = v + 1 WHERE k = %d", table, value) &&
			(!undone || run("ROLLBACK TO undone")) &&
			compare_read(KIND_WRITTEN, r, table, value);
	}
	return ok && run("SET LOCAL perfopt.cache = force;"
					 " SET LOCAL perfopt.cache_verify = 1");
}

static void
write_transaction(int me, int number)
{
	bool		ok;
	bool		untracked = percent(2);
	bool		repeatable = percent(30);
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
			 repeatable ? "REPEATABLE READ" : "READ COMMITTED");
	if (ok && untracked)
		ok = run("SET LOCAL track_counts = off");
	/* triggers compare by themselves */
	if (ok && percent(50))
		ok = run("SET LOCAL perfopt.cache_verify = 0");
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
		if (ok && repeatable && percent(30))
			ok = compare_after_writes();
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

void
writer(int me)
{
	for (int number = 0; !stopped(); number++)
	{
		reconnect_if_lost();
		write_transaction(me, number);
		/* mostly pauses, so that readers find something still valid */
		snooze(percent(10) ? 60000 : 10000);
	}
}

/*
 * Finish what others prepared, after a while; now and then let many pile up,
 * so that slots run out of room.
 */
void
finisher(int me)
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
