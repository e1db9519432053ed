/*-------------------------------------------------------------------------
 *
 * counters.c
 *	  What the cache counts, per database.
 *
 * A statement counts in the memory of its backend; at the end of a
 * transaction the sums are added to shared memory if the last time is
 * FLUSH_AFTER ago, and in any case before the backend ends or looks.
 *
 * LOCKING.  Shared counters are atomics.  A database's row is claimed by
 * setting its OID with a compare-and-swap, and given back when the database is
 * dropped; while all rows are taken, further databases share the last one.
 *
 * CAVEATS.  What an idle backend counted in its last FLUSH_AFTER is not yet
 * visible to others.  A reset while others flush may leave their last sums.
 * If two backends claim the first row of a database just when another database
 * gives back its own, there can be two rows for it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "cache/counters.h"
#include "cache/policy.h"

#define MAX_DATABASES	128		/* rows; the last is for all others */
#define FLUSH_AFTER		100		/* ms */

typedef struct SharedReason
{
	pg_atomic_uint64 count;
	pg_atomic_uint64 last_queryid;
} SharedReason;

typedef struct SharedCounts
{
	pg_atomic_uint32 dbid;
	pg_atomic_uint64 counters[PFO_NCOUNTERS];
	SharedReason reasons[PFO_NREASONS];
} SharedCounts;

static SharedCounts *shared = NULL;

/* this backend's, not flushed yet */
static PfoDatabaseCounts pending;
static bool any_pending = false;
static bool exit_registered = false;
static TimestampTz last_flush = 0;

Size
pfo_counters_shmem_size(void)
{
	return CACHELINEALIGN(MAX_DATABASES * sizeof(SharedCounts));
}

static void
zero(SharedCounts *row)
{
	for (int i = 0; i < PFO_NCOUNTERS; i++)
		pg_atomic_write_u64(&row->counters[i], 0);
	for (int i = 0; i < PFO_NREASONS; i++)
	{
		pg_atomic_write_u64(&row->reasons[i].count, 0);
		pg_atomic_write_u64(&row->reasons[i].last_queryid, 0);
	}
}

void
pfo_counters_shmem_init(void)
{
	bool		found;

	shared = ShmemInitStruct("perfopt counters", pfo_counters_shmem_size(),
							 &found);
	if (found)
		return;
	for (int d = 0; d < MAX_DATABASES; d++)
	{
		SharedCounts *row = &shared[d];

		pg_atomic_init_u32(&row->dbid, InvalidOid);
		for (int i = 0; i < PFO_NCOUNTERS; i++)
			pg_atomic_init_u64(&row->counters[i], 0);
		for (int i = 0; i < PFO_NREASONS; i++)
		{
			pg_atomic_init_u64(&row->reasons[i].count, 0);
			pg_atomic_init_u64(&row->reasons[i].last_queryid, 0);
		}
	}
}

/* The row that the database has, or else the one for all others. */
static SharedCounts *
find_row(Oid dbid)
{
	int			i = 0;

	while (i < MAX_DATABASES - 1 &&
		   pg_atomic_read_u32(&shared[i].dbid) != dbid)
		i++;
	return &shared[i];
}

static SharedCounts *
row_of(Oid dbid)
{
	SharedCounts *row = find_row(dbid);

	for (int i = 0; i < MAX_DATABASES - 1 &&
		 row == &shared[MAX_DATABASES - 1]; i++)
	{
		uint32		owner = InvalidOid;

		if (pg_atomic_compare_exchange_u32(&shared[i].dbid, &owner, dbid) ||
			owner == dbid)
			row = &shared[i];
	}
	return row;
}

void
pfo_counters_forget(Oid dbid)
{
	SharedCounts *row = find_row(dbid);

	if (row == &shared[MAX_DATABASES - 1])
		return;
	zero(row);
	pg_atomic_write_u32(&row->dbid, InvalidOid);
}

static void
flush_at_exit(int code, Datum arg)
{
	pfo_counters_flush(true);
	pfo_policy_flush();
}

static void
note_pending(void)
{
	any_pending = true;
	if (!exit_registered)
	{
		before_shmem_exit(flush_at_exit, (Datum) 0);
		exit_registered = true;
	}
}

void
pfo_count(PfoCounter counter, uint64 n)
{
	pending.counters[counter] += n;
	note_pending();
}

void
pfo_count_reason(PfoReason reason, int64 queryid)
{
	pending.reasons[reason].count++;
	pending.reasons[reason].last_queryid = queryid;
	note_pending();
}

void
pfo_count_shared(Oid dbid, PfoCounter counter, uint64 n)
{
	/* nothing is claimed for a database that may be gone */
	SharedCounts *row = dbid == MyDatabaseId ? row_of(dbid) : find_row(dbid);

	pg_atomic_fetch_add_u64(&row->counters[counter], n);
}

bool
pfo_counters_flush(bool now)
{
	TimestampTz time;
	SharedCounts *row;

	if (!any_pending)
		return false;
	time = GetCurrentStatementStartTimestamp();
	if (!now && time - last_flush < FLUSH_AFTER * INT64CONST(1000))
		return false;
	last_flush = time;

	row = row_of(MyDatabaseId);
	for (int i = 0; i < PFO_NCOUNTERS; i++)
	{
		if (pending.counters[i] != 0)
			pg_atomic_fetch_add_u64(&row->counters[i], pending.counters[i]);
	}
	for (int i = 0; i < PFO_NREASONS; i++)
	{
		if (pending.reasons[i].count == 0)
			continue;
		pg_atomic_fetch_add_u64(&row->reasons[i].count,
								pending.reasons[i].count);
		pg_atomic_write_u64(&row->reasons[i].last_queryid,
							(uint64) pending.reasons[i].last_queryid);
	}
	memset(&pending, 0, sizeof(pending));
	any_pending = false;
	return true;
}

void
pfo_counters_foreach(PfoCountsCallback callback, void *arg)
{
	pfo_counters_flush(true);
	for (int d = 0; d < MAX_DATABASES; d++)
	{
		SharedCounts *row = &shared[d];
		PfoDatabaseCounts counts;

		counts.dbid = pg_atomic_read_u32(&row->dbid);
		if (counts.dbid == InvalidOid && d < MAX_DATABASES - 1)
			continue;
		for (int i = 0; i < PFO_NCOUNTERS; i++)
			counts.counters[i] = pg_atomic_read_u64(&row->counters[i]);
		for (int i = 0; i < PFO_NREASONS; i++)
		{
			counts.reasons[i].count =
				pg_atomic_read_u64(&row->reasons[i].count);
			counts.reasons[i].last_queryid =
				(int64) pg_atomic_read_u64(&row->reasons[i].last_queryid);
		}
		callback(&counts, arg);
	}
}

void
pfo_counters_reset(uint64 queryid)
{
	if (queryid != 0)
		return;
	memset(&pending, 0, sizeof(pending));
	any_pending = false;
	for (int d = 0; d < MAX_DATABASES; d++)
		zero(&shared[d]);
}
