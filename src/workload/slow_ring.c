/*-------------------------------------------------------------------------
 *
 * slow_ring.c
 *	  The slow executions that are kept in shared memory.
 *
 * Places of a fixed size.  Three quarters of them are a ring with the last
 * executions, one quarter has the worst of all, those that took longest.  An
 * execution can be in both; readers show it once.
 *
 * Beside them a table of families: for what was slow, or looked slow and was
 * not, a key and a credit in one atomic word.  A slow execution sets the
 * credit, a fast one that was instrumented in vain takes from it; at 0 the
 * family is known to be fast.  Two families that want the same word displace
 * one another, but a fast one does not displace a slow one.
 *
 * LOCKING.  Each place has an LWLock, held for one copy of it: exclusive to
 * write, shared to read.  Nobody holds two, or waits for anything under one.
 * Which place of the ring is next is an atomic counter.  Executions that are
 * not slow take no lock.
 *
 * MEMORY.  PFO_SLOW_SLOT bytes per place, and 8 kB for the families.  It is
 * empty after a restart or a crash.
 *
 * CAVEATS.  A writer that is overtaken by a whole round of the ring loses its
 * record to the later one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "base/guc.h"
#include "workload/slow_ring.h"

#define FAMILIES		1024	/* a power of two */
#define CREDIT_MASK		UINT64CONST(0xff)
#define CREDIT_SLOW		8		/* so many fast ones are instrumented in vain */
#define CREDIT_NEW		2		/* after the first, if only the plan looked slow */
#define LOG_PER_SECOND	10

typedef struct Place
{
	LWLock		lock;
	pg_atomic_uint64 ns;		/* how long it took, for choosing the worst */
	PfoSlow		slow;
} Place;

typedef union PaddedPlace
{
	Place		place;
	char		pad[PFO_SLOW_SLOT];
} PaddedPlace;

StaticAssertDecl(sizeof(Place) <= PFO_SLOW_SLOT,
				 "a slow execution does not fit its place");

typedef struct Ring
{
	int			tranche;
	pg_atomic_uint64 last_id;
	pg_atomic_uint64 logged;	/* second, and lines in it */
	pg_atomic_uint64 suppressed;
	pg_atomic_uint64 families[FAMILIES];
} Ring;

static Ring *ring = NULL;
static PaddedPlace *places = NULL;

/* ----------------------------------------------------------------
 *						shared memory
 * ----------------------------------------------------------------
 */

/* of pfo_slow_queries places; the worst come behind the last */
#define NWORST	(pfo_slow_queries / 4)
#define NLAST	(pfo_slow_queries - NWORST)

Size
pfo_slow_shmem_size(void)
{
	return CACHELINEALIGN(sizeof(Ring)) +
		mul_size(pfo_slow_queries, sizeof(PaddedPlace));
}

void
pfo_slow_shmem_init(void)
{
	bool		found;

	ring = ShmemInitStruct("perfopt slow queries", pfo_slow_shmem_size(),
						   &found);
	places = (PaddedPlace *) ((char *) ring + CACHELINEALIGN(sizeof(Ring)));
	if (!found)
	{
		ring->tranche = LWLockNewTrancheId();
		pg_atomic_init_u64(&ring->last_id, 0);
		pg_atomic_init_u64(&ring->logged, 0);
		pg_atomic_init_u64(&ring->suppressed, 0);
		for (int i = 0; i < FAMILIES; i++)
			pg_atomic_init_u64(&ring->families[i], 0);
		for (int i = 0; i < pfo_slow_queries; i++)
		{
			Place	   *place = &places[i].place;

			LWLockInitialize(&place->lock, ring->tranche);
			pg_atomic_init_u64(&place->ns, 0);
			place->slow.id = 0;
		}
	}
	LWLockRegisterTranche(ring->tranche, "perfopt_slow_queries");
}

bool
pfo_slow_ring_exists(void)
{
	return ring != NULL && pfo_slow_queries > 0;
}

/* ----------------------------------------------------------------
 *						executions
 * ----------------------------------------------------------------
 */

static uint64
duration(const PfoSlow *slow)
{
	/* 0 is for empty places */
	return Max(slow->plan_ns + slow->exec_ns, 1);
}

static void
put(Place *place, const PfoSlow *slow)
{
	memcpy(&place->slow, slow, offsetof(PfoSlow, plan.data) +
		   slow->plan.size);
	pg_atomic_write_u64(&place->ns, duration(slow));
}

/* In place of the least bad one, if it is worse. */
static void
keep_worst(const PfoSlow *slow)
{
	uint64		ns = duration(slow);

	/* somebody may be faster; then the next one is looked for */
	for (int try = 0; try < 4; try++)
	{
		Place	   *least = NULL;
		uint64		least_ns = ns;

		for (int i = NLAST; i < pfo_slow_queries && least_ns > 0; i++)
		{
			uint64		other = pg_atomic_read_u64(&places[i].place.ns);

			if (other < least_ns)
			{
				least = &places[i].place;
				least_ns = other;
			}
		}
		if (least == NULL)
			return;
		LWLockAcquire(&least->lock, LW_EXCLUSIVE);
		if (pg_atomic_read_u64(&least->ns) == least_ns)
		{
			put(least, slow);
			LWLockRelease(&least->lock);
			return;
		}
		LWLockRelease(&least->lock);
	}
}

void
pfo_slow_ring_add(PfoSlow *slow)
{
	Place	   *place;

	slow->id = pg_atomic_add_fetch_u64(&ring->last_id, 1);
	place = &places[(slow->id - 1) % NLAST].place;
	LWLockAcquire(&place->lock, LW_EXCLUSIVE);
	if (place->slow.id < slow->id)
		put(place, slow);
	LWLockRelease(&place->lock);
	keep_worst(slow);
}

int
pfo_slow_ring_places(void)
{
	return pfo_slow_queries;
}

bool
pfo_slow_ring_read(int i, PfoSlow *slow)
{
	Place	   *place = &places[i].place;

	LWLockAcquire(&place->lock, LW_SHARED);
	slow->id = place->slow.id;
	if (slow->id != 0)
		memcpy(slow, &place->slow, offsetof(PfoSlow, plan.data) +
			   place->slow.plan.size);
	LWLockRelease(&place->lock);
	return slow->id != 0;
}

void
pfo_slow_reset(uint64 queryid)
{
	for (int i = 0; i < pfo_slow_queries; i++)
	{
		Place	   *place = &places[i].place;

		LWLockAcquire(&place->lock, LW_EXCLUSIVE);
		if (queryid == 0 || place->slow.queryid == queryid)
		{
			place->slow.id = 0;
			pg_atomic_write_u64(&place->ns, 0);
		}
		LWLockRelease(&place->lock);
	}
	if (queryid != 0)
		return;
	for (int i = 0; i < FAMILIES; i++)
		pg_atomic_write_u64(&ring->families[i], 0);
}

/* ----------------------------------------------------------------
 *						families
 * ----------------------------------------------------------------
 */

/* The family's word without its credit, never 0. */
static uint64
family_key(uint64 queryid)
{
	return (hash_combine64(queryid, MyDatabaseId) | (CREDIT_MASK + 1)) &
		~CREDIT_MASK;
}

static pg_atomic_uint64 *
family_word(uint64 key)
{
	return &ring->families[(key >> 32) % FAMILIES];
}

PfoSlowFamily
pfo_slow_family(uint64 queryid)
{
	uint64		key = family_key(queryid);
	uint64		word = pg_atomic_read_u64(family_word(key));

	if (queryid == 0 || (word & ~CREDIT_MASK) != key)
		return PFO_FAMILY_UNKNOWN;
	return (word & CREDIT_MASK) > 0 ? PFO_FAMILY_SLOW : PFO_FAMILY_FAST;
}

/* Concurrent changes of one word may get lost: the next one says it again. */
void
pfo_slow_family_note(uint64 queryid, bool slow)
{
	uint64		key = family_key(queryid);
	pg_atomic_uint64 *place = family_word(key);
	uint64		word = pg_atomic_read_u64(place);
	uint64		credit = word & CREDIT_MASK;
	uint64		wanted;

	if (queryid == 0)
		return;
	if (slow)
		wanted = key | CREDIT_SLOW;
	else if ((word & ~CREDIT_MASK) == key)
		wanted = key | (credit > 0 ? credit - 1 : 0);
	else if (credit > 0 && word != 0)
		return;
	else
		wanted = key | CREDIT_NEW;
	if (wanted != word)
		pg_atomic_write_u64(place, wanted);
}

/* ----------------------------------------------------------------
 *						the log
 * ----------------------------------------------------------------
 */

bool
pfo_slow_may_log(uint64 *suppressed)
{
	uint64		second = (uint64) GetCurrentTimestamp() / USECS_PER_SEC;
	uint64		seen = pg_atomic_read_u64(&ring->logged);

	for (;;)
	{
		uint64		lines = seen >> 8 == second ? seen & 0xff : 0;

		if (lines >= LOG_PER_SECOND)
		{
			pg_atomic_fetch_add_u64(&ring->suppressed, 1);
			return false;
		}
		if (pg_atomic_compare_exchange_u64(&ring->logged, &seen,
										   second << 8 | (lines + 1)))
			break;
	}
	*suppressed = pg_atomic_exchange_u64(&ring->suppressed, 0);
	return true;
}
