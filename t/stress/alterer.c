/*-------------------------------------------------------------------------
 *
 * alterer.c
 *	  A session that changes definitions: columns, types, functions, views,
 *	  indexes, partitions, inheritance, privileges, policies; rewrites tables;
 *	  prepares or rolls back some of it.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>

#include "stress.h"

static void
alter_alone(void)
{
	switch (upto(7))
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
			run("VACUUM FULL t%d", 6 + upto(10));
			break;
		case 4:
			run("VACUUM FULL mv");
			break;
		case 5:
			run("REINDEX TABLE t%d", upto(NTABLES));
			break;
		default:
			run("VACUUM t7");
			break;
	}
}

static bool
make_again(const char *table)
{
	return run("DROP TABLE %s; CREATE TABLE %s (id int PRIMARY KEY, k int, v int, s text);"
			   " INSERT INTO %s SELECT g, g %% 10, %d, 'anew' FROM generate_series(1, %d) g",
			   table, table, table, upto(1000), NROWS);
}

/* A table can have 1600 columns in its life. */
static bool
add_column(void)
{
	static int	added = 0;

	if (++added % 1000 == 0)
		return make_again("t5");
	return run("ALTER TABLE t5 ADD COLUMN x int DEFAULT %d", upto(100));
}

/*
 * NO INHERIT tells nobody that the parent changed: a generic plan that was
 * being made meanwhile, and waited for the child's lock, keeps the child for
 * ever, with the cache or without.  So the parent is altered as well.
 */
static bool
alter_inheritance(void)
{
	return run("ALTER TABLE ihc %s ih; ALTER TABLE ih SET (fillfactor = %d)",
			   percent(50) ? "INHERIT" : "NO INHERIT", 50 + upto(50));
}

static bool
alter_something(void)
{
	switch (upto(22))
	{
		case 0:
			return add_column();
		case 1:
			return run("ALTER TABLE t5 DROP COLUMN IF EXISTS x");
		case 2:
			return run("ALTER TABLE t5 ALTER v TYPE %s",
					   percent(50) ? "bigint" : "int");
		case 3:
		case 4:
		case 5:
			return run("%s", replace_something());
		case 6:
			return make_again("t22");
		case 7:
			return run("ALTER TABLE part DETACH PARTITION part3");
		case 8:
			return run("ALTER TABLE part ATTACH PARTITION part3 FOR VALUES FROM (200) TO (300)");
		case 9:
			return run("ALTER TABLE part4 DETACH PARTITION part4b");
		case 10:
			return run("ALTER TABLE part4 ATTACH PARTITION part4b FOR VALUES FROM (350) TO (400)");
		case 11:
			return alter_inheritance();
		case 12:
			return run("CREATE OR REPLACE VIEW swap AS SELECT * FROM %s",
					   percent(50) ? "swap_a" : "swap_b");
		case 13:
		case 14:
		case 15:
		case 16:
			return run("%s", replace_function());
		case 17:
		case 18:
		case 19:
		case 20:
			return run("%s", alter_privileges());
		default:
			return run("REFRESH MATERIALIZED VIEW mv");
	}
}

void
alterer(int me)
{
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
