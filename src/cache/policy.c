/*-------------------------------------------------------------------------
 *
 * policy.c
 *	  Which answers are worth keeping.
 *
 * Two tables in shared memory, both set-associative: a key hashes to a set
 * of WAYS places and, when they are taken, displaces the one of least use.
 * So they need no eviction of their own, and forgetting costs at most a
 * later admission.
 *
 * Sightings ("ghosts"): how often a key was seen, and a digest of the
 * versions its relations had.  Families: what a statement cost and saved.
 *
 * LOCKING.  One spinlock per set, held for a few loads and stores; the text
 * of a family is copied under it once.  Nothing else is taken under it.
 * Executions are added up in the backend first and flushed with the other
 * counters, so that hits of one statement do not meet at its set.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"
#include "storage/spin.h"

#include "base/guc.h"
#include "base/normalize.h"
#include "cache/policy.h"

#define WAYS			8
#define SIGHTING_BYTES	(2 * 1024)	/* of cache per sighting */
#define FAMILY_BYTES	(32 * 1024) /* of cache per family */

typedef struct Sighting
{
	uint64		key;			/* the low half is plenty for counting */
	uint64		digest;
	uint32		count;
} Sighting;

typedef struct SightingSet
{
	slock_t		lock;
	Sighting	way[WAYS];
} SightingSet;

typedef struct FamilySet
{
	slock_t		lock;
	bool		overflowed;		/* one that differed found no place */
	PfoFamily	way[WAYS];
} FamilySet;

typedef struct PolicyShared
{
	pg_atomic_uint32 ndisabled;
} PolicyShared;

static PolicyShared *shared = NULL;
static SightingSet *sightings = NULL;
static FamilySet *families = NULL;

/* what this backend has seen of a family and not flushed yet */
#define NPENDING	32

typedef struct Pending
{
	int64		queryid;
	uint64		calls;
	uint64		hits;
	uint64		would_hit;
	double		total_ms;
	double		saved_ms;
	double		would_save_ms;
} Pending;

static Pending pending[NPENDING];

static uint32
set_count(Size bytes_each)
{
	uint32		n = 8;

	while ((Size) n * 2 * WAYS * bytes_each <= (Size) pfo_cache_size * 1024)
		n *= 2;
	return n;
}

Size
pfo_policy_shmem_size(void)
{
	return CACHELINEALIGN(sizeof(PolicyShared)) +
		CACHELINEALIGN(set_count(SIGHTING_BYTES) * sizeof(SightingSet)) +
		CACHELINEALIGN(set_count(FAMILY_BYTES) * sizeof(FamilySet));
}

void
pfo_policy_shmem_init(void)
{
	bool		found;
	char	   *base;

	base = ShmemInitStruct("perfopt policy", pfo_policy_shmem_size(), &found);
	shared = (PolicyShared *) base;
	base += CACHELINEALIGN(sizeof(PolicyShared));
	sightings = (SightingSet *) base;
	base += CACHELINEALIGN(set_count(SIGHTING_BYTES) * sizeof(SightingSet));
	families = (FamilySet *) base;
	if (found)
		return;
	memset(shared, 0, pfo_policy_shmem_size());
	pg_atomic_init_u32(&shared->ndisabled, 0);
	for (uint32 i = 0; i < set_count(SIGHTING_BYTES); i++)
		SpinLockInit(&sightings[i].lock);
	for (uint32 i = 0; i < set_count(FAMILY_BYTES); i++)
		SpinLockInit(&families[i].lock);
}

uint32
pfo_policy_sighting(const PfoHash *key, uint64 digest, bool *would_hit)
{
	SightingSet *set = &sightings[key->hi & (set_count(SIGHTING_BYTES) - 1)];
	Sighting   *place = &set->way[0];
	uint32		count;

	SpinLockAcquire(&set->lock);
	for (int i = 0; i < WAYS; i++)
	{
		if (set->way[i].key == key->lo)
		{
			place = &set->way[i];
			break;
		}
		if (set->way[i].count < place->count)
			place = &set->way[i];
	}
	if (place->key != key->lo)
	{
		/* what stays ages, so that old favourites give way in time */
		for (int i = 0; i < WAYS; i++)
			set->way[i].count -= set->way[i].count / 8;
		place->key = key->lo;
		place->count = 0;
		place->digest = 0;
	}
	*would_hit = place->count > 0 && place->digest == digest;
	place->digest = digest;
	count = ++place->count;
	SpinLockRelease(&set->lock);
	return count;
}

uint32
pfo_policy_sightings(const PfoHash *key)
{
	SightingSet *set = &sightings[key->hi & (set_count(SIGHTING_BYTES) - 1)];
	uint32		count = 0;

	SpinLockAcquire(&set->lock);
	for (int i = 0; i < WAYS; i++)
	{
		if (set->way[i].key == key->lo)
			count = set->way[i].count;
	}
	SpinLockRelease(&set->lock);
	return count;
}

/*
 * The family's place, under the lock of its set, which the caller releases.
 * NULL if it has none and none is to be made.
 */
static PfoFamily *
lock_family(int64 queryid, bool make, FamilySet **locked)
{
	uint32		n = murmurhash32((uint32) queryid ^
								 murmurhash32(MyDatabaseId));
	FamilySet  *set = &families[n & (set_count(FAMILY_BYTES) - 1)];
	PfoFamily  *place = NULL;

	*locked = set;
	SpinLockAcquire(&set->lock);
	for (int i = 0; i < WAYS; i++)
	{
		PfoFamily  *family = &set->way[i];

		if (family->dbid == MyDatabaseId && family->queryid == queryid)
			return family;

		/*
		 * A disabled family must not be forgotten, nor one whose calls are yet
		 * to be flushed while there are places that nobody has.
		 */
		if (!family->disabled &&
			(place == NULL || (OidIsValid(place->dbid) &&
							   (!OidIsValid(family->dbid) ||
								family->calls < place->calls))))
			place = family;
	}
	if (!make || place == NULL)
		return NULL;
	memset(place, 0, sizeof(PfoFamily));
	place->dbid = MyDatabaseId;
	place->queryid = queryid;
	return place;
}

/* Add one backend's sums to the shared record. */
static void
flush_one(Pending *p)
{
	FamilySet  *set;
	PfoFamily  *family;

	if (p->calls == 0)
		return;
	family = lock_family(p->queryid, true, &set);
	if (family != NULL)
	{
		family->calls += p->calls;
		family->hits += p->hits;
		family->would_hit += p->would_hit;
		family->total_ms += p->total_ms;
		family->saved_ms += p->saved_ms;
		family->would_save_ms += p->would_save_ms;
	}
	SpinLockRelease(&set->lock);
	memset(p, 0, sizeof(*p));
}

static Pending *
pending_of(int64 queryid)
{
	Pending    *p = &pending[(uint64) queryid % NPENDING];

	if (p->queryid != queryid)
	{
		flush_one(p);
		p->queryid = queryid;
	}
	p->calls++;
	return p;
}

void
pfo_policy_executed(int64 queryid, double ms, bool would_hit)
{
	Pending    *p = pending_of(queryid);

	p->total_ms += ms;
	if (would_hit)
	{
		p->would_hit++;
		p->would_save_ms += ms;
	}
}

void
pfo_policy_served(int64 queryid, double saved_ms)
{
	Pending    *p = pending_of(queryid);

	p->hits++;
	p->saved_ms += saved_ms;
}

void
pfo_policy_flush(void)
{
	for (int i = 0; i < NPENDING; i++)
		flush_one(&pending[i]);
}

bool
pfo_policy_needs_text(int64 queryid)
{
	FamilySet  *set;
	PfoFamily  *family = lock_family(queryid, true, &set);
	bool		result = family != NULL && family->text[0] == '\0';

	SpinLockRelease(&set->lock);
	return result;
}

void
pfo_policy_set_text(int64 queryid, const char *text)
{
	char		cut[PFO_FAMILY_TEXT];
	FamilySet  *set;
	PfoFamily  *family;

	pfo_copy_text(cut, text, sizeof(cut));
	family = lock_family(queryid, false, &set);
	if (family != NULL && family->text[0] == '\0')
	{
		strcpy(family->text, cut);
		family->encoding = GetDatabaseEncoding();
	}
	SpinLockRelease(&set->lock);
}

bool
pfo_policy_disable(int64 queryid)
{
	FamilySet  *set;
	PfoFamily  *family = lock_family(queryid, true, &set);
	bool		first = family == NULL || !family->disabled;

	if (family != NULL)
		family->disabled = true;
	else
		set->overflowed = true;
	SpinLockRelease(&set->lock);
	if (first)
		pg_atomic_fetch_add_u32(&shared->ndisabled, 1);
	return first;
}

bool
pfo_policy_disabled(int64 queryid)
{
	FamilySet  *set;
	PfoFamily  *family;
	bool		result;

	if (pg_atomic_read_u32(&shared->ndisabled) == 0)
		return false;
	family = lock_family(queryid, false, &set);
	/* where one found no place, all that have none are taken for it */
	result = family != NULL ? family->disabled : set->overflowed;
	SpinLockRelease(&set->lock);
	return result;
}

void
pfo_policy_foreach(PfoFamilyCallback callback, void *arg)
{
	pfo_policy_flush();
	for (uint32 s = 0; s < set_count(FAMILY_BYTES); s++)
	{
		for (int i = 0; i < WAYS; i++)
		{
			PfoFamily	copy;

			SpinLockAcquire(&families[s].lock);
			memcpy(&copy, &families[s].way[i], sizeof(copy));
			SpinLockRelease(&families[s].lock);
			if (copy.calls > 0 || copy.disabled)
				callback(&copy, arg);
		}
	}
}

/*
 * Zero what was counted.  What is disabled stays so; and the texts stay, which
 * are noted when an answer is stored: those that are there are served on.
 */
void
pfo_policy_reset(uint64 queryid)
{
	pfo_policy_flush();
	for (uint32 s = 0; s < set_count(FAMILY_BYTES); s++)
	{
		SpinLockAcquire(&families[s].lock);
		for (int i = 0; i < WAYS; i++)
		{
			PfoFamily  *family = &families[s].way[i];

			if (queryid != 0 && family->queryid != (int64) queryid)
				continue;
			family->calls = 0;
			family->hits = 0;
			family->would_hit = 0;
			family->total_ms = 0;
			family->saved_ms = 0;
			family->would_save_ms = 0;
		}
		SpinLockRelease(&families[s].lock);
	}
}
