/*-------------------------------------------------------------------------
 *
 * latency.c
 *	  How long executions take, over the last minutes and hours: of the
 *	  server, and per database, role and application.
 *
 * What is counted is what clients send: executions at top level, planning
 * included, whether the cache answers or not.
 *
 * An execution is counted in the memory of its backend, once per role and
 * application it was executed as.  When a transaction ends, that is added to
 * the scopes if the last time is FLUSH_AFTER ago; and in any case when there
 * is no place here, when nothing was executed for PAUSE (so that what comes
 * next is not taken for something of that time), before the backend ends, and
 * before it looks.  Added to a window is the time of the latest execution, not
 * that of adding.
 *
 * Scopes are in an array.  The first ones are the server, and what found no
 * place, per kind; others are taken by whoever comes.  One that nothing was
 * added to for as long as the longest window holds nothing, and is taken over.
 * What finds no place is counted in (other) of its kind: sums stay exact.
 *
 * LOCKING, in this order:
 * - the table: shared to find a scope, exclusive to take one;
 * - a scope: exclusive to add, shared to read.
 * Each is held for some microseconds, and nothing is waited for under it but
 * the second under the first.  At the end of a transaction nobody waits for
 * either: what could not be added stays for the next time.
 *
 * MEMORY.  Shared: some 124,500 bytes per scope (latency_ring.c), 8 MB for the
 * 64 of the default, of which only those in use are touched.  Of a backend:
 * MAX_BATCHES of 6 kB, fixed, of which mostly one is touched.
 *
 * CAVEATS.  What an idle backend counted in its last FLUSH_AFTER is not yet
 * visible to others; when it is added, it is added where it belongs.  What is
 * in one batch is counted at one time, that of the latest in it: a tenth of a
 * second, or as long as a transaction of statements without a PAUSE takes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "base/guc.h"
#include "workload/latency.h"

#define MAX_BATCHES		4
#define FLUSH_AFTER		INT64CONST(100000)	/* us */
#define PAUSE			INT64CONST(1000000) /* us */
#define LONG			UINT64CONST(1000000)	/* ns */

/* The server is the first place, and what found none follows by its kind. */
#define NRESERVED		PFO_NSCOPE_KINDS
#define NPLACES			pfo_max_latency_scopes

typedef struct Place
{
	LWLock		lock;			/* of since and ring */
	PfoScope	scope;			/* guarded by the table's lock */
	TimestampTz since;
	PfoRing		ring;
} Place;

typedef struct Table
{
	int			tranche;
	LWLock		lock;			/* of keys, and of the places' scopes */
} Table;

static Table *table = NULL;
static pg_atomic_uint64 *last_used = NULL;	/* a time, per place */
static uint64 *keys = NULL;		/* per place; 0: nobody's */
static Place *places = NULL;

typedef struct Batch
{
	bool		used;
	uint32		added;			/* kinds of scopes it was added to already */
	TimestampTz since;			/* the end of its first execution */
	Oid			userid;
	char		application[NAMEDATALEN];
	PfoTally	tally;
} Batch;

static struct
{
	Batch		batches[MAX_BATCHES];
	int			nused;
	bool		flushes_at_exit;
	TimestampTz latest;			/* the end of the latest execution */
	TimestampTz last_flush;
}			local;

/* ----------------------------------------------------------------
 *						shared memory
 * ----------------------------------------------------------------
 */

static Size
index_size(void)
{
	return CACHELINEALIGN(mul_size(NPLACES, sizeof(pg_atomic_uint64))) +
		CACHELINEALIGN(mul_size(NPLACES, sizeof(uint64)));
}

Size
pfo_latency_shmem_size(void)
{
	return CACHELINEALIGN(sizeof(Table)) + index_size() +
		mul_size(NPLACES, sizeof(Place));
}

static void
make_table(void)
{
	memset(table, 0, sizeof(Table));
	table->tranche = LWLockNewTrancheId();
	LWLockInitialize(&table->lock, table->tranche);
	for (int i = 0; i < NPLACES; i++)
	{
		Place	   *place = &places[i];

		pg_atomic_init_u64(&last_used[i], 0);
		keys[i] = 0;
		LWLockInitialize(&place->lock, table->tranche);
		memset(&place->scope, 0, sizeof(PfoScope));
		if (i < NRESERVED)
		{
			place->scope.kind = i;
			place->scope.other = i != PFO_SCOPE_SERVER;
		}
		place->since = GetCurrentTimestamp();
		pfo_ring_clear(&place->ring);
	}
}

void
pfo_latency_shmem_init(void)
{
	bool		found;

	table = ShmemInitStruct("perfopt latency", pfo_latency_shmem_size(),
							&found);
	last_used = (pg_atomic_uint64 *)
		((char *) table + CACHELINEALIGN(sizeof(Table)));
	keys = (uint64 *) ((char *) last_used +
					   CACHELINEALIGN(NPLACES * sizeof(pg_atomic_uint64)));
	places = (Place *) ((char *) last_used + index_size());
	if (!found)
		make_table();
	LWLockRegisterTranche(table->tranche, "perfopt_latency");
}

/* ----------------------------------------------------------------
 *						finding and making room
 * ----------------------------------------------------------------
 */

static bool
lock(LWLock *what, LWLockMode mode, bool wait)
{
	if (!wait)
		return LWLockConditionalAcquire(what, mode);
	LWLockAcquire(what, mode);
	return true;
}

/* Not 0, since the server's place is not looked for. */
static uint64
key_of(const PfoScope *scope)
{
	uint32		id = scope->oid;

	if (scope->kind == PFO_SCOPE_APPLICATION)
		id = hash_bytes((const unsigned char *) scope->name,
						strlen(scope->name));
	return (uint64) scope->kind << 32 | id;
}

static bool
is_reserved(const PfoScope *scope)
{
	return scope->kind == PFO_SCOPE_SERVER || scope->other ||
		(scope->kind == PFO_SCOPE_APPLICATION &&
		 strcmp(scope->name, PFO_SCOPE_OTHER) == 0);
}

/* Where the scope is, or -1.  The table is locked. */
static int
find_place(const PfoScope *scope)
{
	uint64		key;

	Assert(LWLockHeldByMe(&table->lock));
	if (is_reserved(scope))
		return scope->kind;
	key = key_of(scope);
	for (int i = NRESERVED; i < NPLACES; i++)
	{
		if (keys[i] == key &&
			(scope->kind != PFO_SCOPE_APPLICATION ||
			 strcmp(places[i].scope.name, scope->name) == 0))
			return i;
	}
	return -1;
}

/* A place that nobody has or needs any more, or -1.  The table is locked. */
static int
find_room(TimestampTz now)
{
	int			outdated = -1;

	Assert(LWLockHeldByMe(&table->lock));
	for (int i = NRESERVED; i < NPLACES; i++)
	{
		if (keys[i] == 0)
			return i;
		if ((TimestampTz) pg_atomic_read_u64(&last_used[i]) <
			now - pfo_longest_window)
			outdated = i;
	}
	return outdated;
}

/* The table is locked exclusively. */
static void
take_place(int i, const PfoScope *scope, TimestampTz now)
{
	Place	   *place = &places[i];

	LWLockAcquire(&place->lock, LW_EXCLUSIVE);
	keys[i] = key_of(scope);
	place->scope = *scope;
	place->since = now;
	pfo_ring_clear(&place->ring);
	pg_atomic_write_u64(&last_used[i], now);
	LWLockRelease(&place->lock);
}

/*
 * The scope's place, taken if there is room, or that of others; the table is
 * locked then.  -1 without a lock, if that would have to be waited for.
 */
static int
make_place(const PfoScope *scope, TimestampTz now, bool wait)
{
	int			i;
	int			room;

	if (!lock(&table->lock, LW_SHARED, wait))
		return -1;
	i = find_place(scope);
	if (i < 0 && find_room(now) >= 0)
	{
		LWLockRelease(&table->lock);
		if (!lock(&table->lock, LW_EXCLUSIVE, wait))
			return -1;
		/* somebody may have been faster */
		i = find_place(scope);
		room = i < 0 ? find_room(now) : -1;
		if (room >= 0)
		{
			take_place(room, scope, now);
			i = room;
		}
	}
	return i < 0 ? (int) scope->kind : i;
}

/* ----------------------------------------------------------------
 *						adding
 * ----------------------------------------------------------------
 */

/* False if somebody else has a lock; not if it is to be waited for. */
static bool
add_to_scope(const PfoScope *scope, const Batch *batch, TimestampTz time,
			 TimestampTz now, bool wait)
{
	int			i = make_place(scope, now, wait);
	bool		added;

	if (i < 0)
		return false;
	added = lock(&places[i].lock, LW_EXCLUSIVE, wait);
	LWLockRelease(&table->lock);
	if (!added)
		return false;
	pfo_ring_add(&places[i].ring, &batch->tally, time, now);
	places[i].since = Min(places[i].since, batch->since);
	pg_atomic_write_u64(&last_used[i], now);
	LWLockRelease(&places[i].lock);
	return true;
}

/* False if that is not in all its scopes yet. */
static bool
add_batch(Batch *batch, TimestampTz time, TimestampTz now, bool wait)
{
	bool		all = true;

	for (int kind = 0; kind < PFO_NSCOPE_KINDS; kind++)
	{
		PfoScope	scope = {.kind = kind};

		if (batch->added & (1 << kind))
			continue;
		if (kind == PFO_SCOPE_DATABASE)
			scope.oid = MyDatabaseId;
		else if (kind == PFO_SCOPE_ROLE)
			scope.oid = batch->userid;
		else if (kind == PFO_SCOPE_APPLICATION)
			strlcpy(scope.name, batch->application, NAMEDATALEN);
		if (add_to_scope(&scope, batch, time, now, wait))
			batch->added |= 1 << kind;
		else
			all = false;
	}
	return all;
}

void
pfo_latency_flush(bool now)
{
	TimestampTz begin;
	TimestampTz current;

	if (local.nused == 0)
		return;
	begin = GetCurrentStatementStartTimestamp();
	if (!now && begin >= local.last_flush &&
		begin - local.last_flush < FLUSH_AFTER)
		return;
	local.last_flush = begin;
	current = GetCurrentTimestamp();
	/* unless the clock was set back */
	local.latest = Min(local.latest, current);
	for (int i = 0; i < MAX_BATCHES; i++)
	{
		Batch	   *batch = &local.batches[i];

		if (batch->used && add_batch(batch, local.latest, current, now))
		{
			pfo_tally_clear(&batch->tally);
			batch->used = false;
			local.nused--;
		}
	}
}

static void
flush_at_exit(int code, Datum arg)
{
	pfo_latency_flush(true);
}

static Batch *
find_batch(Oid userid, const char *application)
{
	for (int i = 0; i < MAX_BATCHES; i++)
	{
		Batch	   *batch = &local.batches[i];

		/* one that was added to some scopes must not grow */
		if (batch->used && batch->added == 0 && batch->userid == userid &&
			strncmp(batch->application, application, NAMEDATALEN - 1) == 0)
			return batch;
	}
	return NULL;
}

/* Where the execution is counted. */
static Batch *
batch_of(const PfoExecution *execution, TimestampTz time)
{
	const char *application = application_name ? application_name : "";
	Batch	   *batch = find_batch(execution->userid, application);
	int			i = 0;

	if (batch != NULL)
		return batch;
	if (local.nused == MAX_BATCHES)
		pfo_latency_flush(true);
	while (local.batches[i].used)
		i++;
	batch = &local.batches[i];
	batch->used = true;
	batch->added = 0;
	batch->since = time;
	batch->userid = execution->userid;
	strlcpy(batch->application, application, NAMEDATALEN);
	local.nused++;
	return batch;
}

/*
 * About when the execution ended.  The clock is not asked for a short one,
 * which ends when its statement came, or follows the one before it.
 */
static TimestampTz
end_of_execution(uint64 ns)
{
	TimestampTz time = ns < LONG ? GetCurrentStatementStartTimestamp() :
		GetCurrentTimestamp();

	return Max(time, local.latest);
}

void
pfo_latency_executed(const PfoExecution *execution)
{
	uint64		ns = execution->plan_ns + execution->exec_ns;
	TimestampTz time;
	Batch	   *batch;

	if (!execution->top)
		return;
	if (!local.flushes_at_exit)
	{
		before_shmem_exit(flush_at_exit, (Datum) 0);
		local.flushes_at_exit = true;
	}
	time = end_of_execution(ns);
	/* what failed may hold locks that others wait for: do not wait then */
	if (time - local.latest > PAUSE)
		pfo_latency_flush(!execution->failed);
	batch = batch_of(execution, time);
	pfo_tally_add(&batch->tally, execution->failed, execution->ran, ns);
	local.latest = time;
}

/* ----------------------------------------------------------------
 *						reading and emptying
 * ----------------------------------------------------------------
 */

/* What a window of the place holds.  The place is locked. */
static bool
read_window(const Place *place, int window, TimestampTz now,
			PfoLatency *latency)
{
	TimestampTz begin = pfo_ring_read(&place->ring, window, now,
									  &latency->sums, latency->buckets);

	latency->window = window;
	latency->since = Max(begin, place->since);
	return latency->sums.calls + latency->sums.errors > 0;
}

bool
pfo_latency_read(const PfoScope *scope, int window, PfoLatency *latency)
{
	int			i;
	bool		any;

	pfo_latency_flush(true);
	LWLockAcquire(&table->lock, LW_SHARED);
	i = find_place(scope);
	if (i < 0)
	{
		LWLockRelease(&table->lock);
		return false;
	}
	latency->scope = places[i].scope;
	LWLockAcquire(&places[i].lock, LW_SHARED);
	LWLockRelease(&table->lock);
	any = read_window(&places[i], window, GetCurrentTimestamp(), latency);
	LWLockRelease(&places[i].lock);
	return any;
}

void
pfo_latency_foreach(PfoLatencyCallback callback, void *arg)
{
	PfoLatency *latencies = palloc(sizeof(PfoLatency) * PFO_NWINDOWS);
	bool		any[PFO_NWINDOWS];

	pfo_latency_flush(true);
	for (int i = 0; i < NPLACES; i++)
	{
		PfoScope	scope;
		TimestampTz now;

		CHECK_FOR_INTERRUPTS();
		LWLockAcquire(&table->lock, LW_SHARED);
		if (i >= NRESERVED && keys[i] == 0)
		{
			LWLockRelease(&table->lock);
			continue;
		}
		scope = places[i].scope;
		LWLockAcquire(&places[i].lock, LW_SHARED);
		LWLockRelease(&table->lock);
		now = GetCurrentTimestamp();
		for (int w = 0; w < PFO_NWINDOWS; w++)
			any[w] = read_window(&places[i], w, now, &latencies[w]);
		LWLockRelease(&places[i].lock);

		for (int w = 0; w < PFO_NWINDOWS; w++)
		{
			latencies[w].scope = scope;
			if (any[w])
				callback(&latencies[w], arg);
		}
	}
	pfree(latencies);
}

/* What other backends have not added yet is added later. */
void
pfo_latency_reset(uint64 queryid)
{
	TimestampTz now = GetCurrentTimestamp();

	if (queryid != 0)
		return;
	pfo_latency_flush(true);
	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	for (int i = 0; i < NPLACES; i++)
	{
		LWLockAcquire(&places[i].lock, LW_EXCLUSIVE);
		keys[i] = 0;
		places[i].since = now;
		pfo_ring_clear(&places[i].ring);
		LWLockRelease(&places[i].lock);
	}
	LWLockRelease(&table->lock);
}
