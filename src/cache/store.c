/*-------------------------------------------------------------------------
 *
 * store.c
 *	  The entries of the cache in shared memory.
 *
 * Entries are allocated from a DSA area that lies in the main segment and
 * cannot grow: its size is the bound of the cache's memory.  A hash table of
 * buckets, chained through the entries, finds them.
 *
 * LOCKING.  Buckets belong to NPARTITIONS partitions, each with an LWLock
 * that protects the chains and the membership of entries.  Looking up takes
 * it shared for the time of a probe; publishing, removing and evicting take
 * it exclusive, one at a time, and allocate and free outside of it.  An
 * entry's contents never change once it is published; its counters are
 * atomic.
 *
 * FORMS.  The rows lie beside the entry, as tuples and as bytes of the
 * protocol, whichever was asked for; a few tuples lie in it, since each size
 * of allocations has blocks of its own.  A form is attached under the
 * exclusive lock, and taken away under it if nobody has the entry pinned: who
 * has sees forms come, never go.
 *
 * PINS.  refs counts the readers and one for the index.  A pin is taken
 * under the partition's lock, when the index's reference is there for sure;
 * whoever drops the last reference frees the memory.  Readers hold no lock
 * while rows go to the client.
 *
 * MEMORY.  When an allocation fails, the eviction hand goes around the
 * buckets like a clock: a form used since the last visit is spared once.  An
 * entry without any is taken, and so is one whose dependencies have moved on;
 * of others the hand takes the forms that nobody used.  It takes a
 * bounded number of steps; if that frees too little, the result is not kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "cache/counters.h"
#include "cache/store.h"

#define NPARTITIONS		64
#define BUCKET_BYTES	4096	/* of cache per bucket */
#define HAND_STEPS		4096	/* entries looked at per allocation */
#define HAND_FORMS		64		/* forms taken from one bucket */
#define MAX_CLASS		8192	/* bytes that DSA has a size class for */
#define MANY_CLASSES	(8 * 1024 * 1024)	/* bytes of area for all of them */
#define SOME_CLASSES	(2 * 1024 * 1024)	/* and for powers of two */
#define INSIDE			4096	/* bytes of tuples that lie in the entry */

typedef struct PfoStore
{
	LWLockPadded locks[NPARTITIONS];
	int			tranche;
	int			dsa_tranche;
	uint32		bucket_mask;
	Size		area_size;
	pg_atomic_uint32 hand;		/* next bucket to visit */
	pg_atomic_uint64 bytes_used;
	pg_atomic_uint64 bytes_dead;	/* removed, but pinned */
	pg_atomic_uint64 entries;
	dsa_pointer buckets[FLEXIBLE_ARRAY_MEMBER];
} PfoStore;

static PfoStore *store = NULL;
static void *area_place = NULL;
static dsa_area *area = NULL;

static uint32
bucket_count(Size available)
{
	uint32		n = NPARTITIONS;

	while ((Size) n * 2 <= available / BUCKET_BYTES)
		n *= 2;
	return n;
}

static Size
index_size(Size available)
{
	return CACHELINEALIGN(offsetof(PfoStore, buckets) +
						  bucket_count(available) * sizeof(dsa_pointer));
}

Size
pfo_store_shmem_size(Size available)
{
	Size		index = index_size(available);
	Size		least = dsa_minimum_size();

	return index + Max(least, available > index ? available - index : 0);
}

void
pfo_store_shmem_init(Size available)
{
	bool		found;
	Size		size = pfo_store_shmem_size(available);
	char	   *base;
	dsa_area   *creator;

	base = ShmemInitStruct("perfopt store", size, &found);
	store = (PfoStore *) base;
	area_place = base + index_size(available);
	if (!found)
	{
		store->tranche = LWLockNewTrancheId();
		store->dsa_tranche = LWLockNewTrancheId();
	}
	LWLockRegisterTranche(store->tranche, "perfopt_store");
	LWLockRegisterTranche(store->dsa_tranche, "perfopt_memory");
	if (found)
		return;

	for (int i = 0; i < NPARTITIONS; i++)
		LWLockInitialize(&store->locks[i].lock, store->tranche);
	store->bucket_mask = bucket_count(available) - 1;
	for (uint32 i = 0; i <= store->bucket_mask; i++)
		store->buckets[i] = InvalidDsaPointer;
	store->area_size = size - index_size(available);
	pg_atomic_init_u32(&store->hand, 0);
	pg_atomic_init_u64(&store->bytes_used, 0);
	pg_atomic_init_u64(&store->bytes_dead, 0);
	pg_atomic_init_u64(&store->entries, 0);

	/* the area may never take memory beyond its place */
	creator = dsa_create_in_place(area_place, store->area_size,
								  store->dsa_tranche, NULL);
	dsa_pin(creator);
	dsa_set_size_limit(creator, store->area_size);
	dsa_detach(creator);
}

/* Attach this backend to the area, once. */
static void
attach(void)
{
	MemoryContext old;

	if (area != NULL)
		return;
	old = MemoryContextSwitchTo(TopMemoryContext);
	area = dsa_attach_in_place(area_place, NULL);
	dsa_pin_mapping(area);
	/* in place there is no segment whose detaching would count us out */
	on_shmem_exit(dsa_on_shmem_exit_release_in_place,
				  PointerGetDatum(area_place));
	MemoryContextSwitchTo(old);
}

static LWLock *
partition_lock(uint32 bucket)
{
	return &store->locks[bucket % NPARTITIONS].lock;
}

static PfoEntry *
entry_at(dsa_pointer pointer)
{
	return (PfoEntry *) dsa_get_address(area, pointer);
}

/* The link that leads to the key's entry, or to the end of its chain. */
static dsa_pointer *
find_link(uint32 bucket, const PfoHash *key)
{
	dsa_pointer *link = &store->buckets[bucket];

	while (DsaPointerIsValid(*link))
	{
		PfoEntry   *entry = entry_at(*link);

		if (pfo_hash_equal(entry->info.key, *key))
			break;
		link = &entry->next;
	}
	return link;
}

PfoEntry *
pfo_store_lookup(const PfoHash *key)
{
	uint32		bucket = key->lo & store->bucket_mask;
	LWLock	   *lock = partition_lock(bucket);
	dsa_pointer *link;
	PfoEntry   *entry = NULL;

	attach();
	LWLockAcquire(lock, LW_SHARED);
	link = find_link(bucket, key);
	if (DsaPointerIsValid(*link))
	{
		entry = entry_at(*link);
		pg_atomic_fetch_add_u32(&entry->refs, 1);
	}
	LWLockRelease(lock);
	return entry;
}

PfoForm *
pfo_entry_form(PfoEntry *entry, PfoFormKind kind)
{
	dsa_pointer pointer = pg_atomic_read_u64(&entry->forms[kind]);

	if (!DsaPointerIsValid(pointer))
		return NULL;
	pg_read_barrier();			/* what it points to was written before */
	return (PfoForm *) dsa_get_address(area, pointer);
}

void
pfo_store_unpin(PfoEntry *entry)
{
	if (pg_atomic_sub_fetch_u32(&entry->refs, 1) == 0)
	{
		pg_atomic_fetch_sub_u64(&store->bytes_used, entry->size);
		pg_atomic_fetch_sub_u64(&store->bytes_dead, entry->size);
		for (int i = 0; i < PFO_NFORMS; i++)
		{
			PfoForm    *form = pfo_entry_form(entry, i);

			if (form != NULL && !form->inside)
				dsa_free(area, form->self);
		}
		dsa_free(area, entry->self);
	}
}

/* A form that no entry has, not any more or not yet. */
static void
free_form(dsa_pointer pointer)
{
	PfoForm    *form = (PfoForm *) dsa_get_address(area, pointer);

	pg_atomic_fetch_sub_u64(&store->bytes_used, form->size);
	dsa_free(area, pointer);
}

/* Take what the link leads to out of its chain; under the exclusive lock. */
static PfoEntry *
unlink_entry(dsa_pointer *link)
{
	PfoEntry   *entry = entry_at(*link);

	*link = entry->next;
	entry->linked = false;
	pg_atomic_fetch_sub_u64(&store->entries, 1);
	pg_atomic_fetch_add_u64(&store->bytes_dead, entry->size);
	return entry;
}

void
pfo_store_remove(PfoEntry *entry)
{
	uint32		bucket = entry->info.key.lo & store->bucket_mask;
	LWLock	   *lock = partition_lock(bucket);
	dsa_pointer *link;
	PfoEntry   *removed = NULL;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	link = find_link(bucket, &entry->info.key);
	if (*link == entry->self)
		removed = unlink_entry(link);
	LWLockRelease(lock);
	if (removed != NULL)
		pfo_store_unpin(removed);
}

bool
pfo_entry_is_outdated(const PfoEntry *entry)
{
	const PfoDependency *deps = pfo_entry_array(entry, deps, PfoDependency);

	for (uint32 i = 0; i < entry->info.ndeps; i++)
	{
		if (pfo_versions_peek(deps[i].slot) != deps[i].version)
			return true;
	}
	return false;
}

/* What the eviction hand found of no use: entries, and forms of others. */
typedef struct Victims
{
	dsa_pointer entries;		/* chained */
	dsa_pointer forms[HAND_FORMS];
	int			nforms;
	Size		freed;			/* or will be, when they are freed */
} Victims;

/*
 * Was any form of the entry used since the last visit?  If so, and nobody is
 * reading, take the others away; under the exclusive lock.
 */
static bool
spare(PfoEntry *entry, Victims *victims)
{
	bool		used[PFO_NFORMS] = {false};
	bool		any = false;

	for (int i = 0; i < PFO_NFORMS; i++)
	{
		PfoForm    *form = pfo_entry_form(entry, i);

		if (form != NULL)
			used[i] = pg_atomic_exchange_u32(&form->used, 0) != 0;
		any |= used[i];
	}
	if (!any || pg_atomic_read_u32(&entry->refs) > 1)
		return any;
	for (int i = 0; i < PFO_NFORMS; i++)
	{
		PfoForm    *form = pfo_entry_form(entry, i);

		if (form == NULL || form->inside || used[i] ||
			victims->nforms == HAND_FORMS)
			continue;
		pg_atomic_write_u64(&entry->forms[i], InvalidDsaPointer);
		entry->size -= form->size;
		victims->freed += form->size;
		victims->forms[victims->nforms++] = form->self;
	}
	return true;
}

static void
visit_bucket(uint32 bucket, Victims *victims, int *steps)
{
	dsa_pointer *link = &store->buckets[bucket];

	while (DsaPointerIsValid(*link))
	{
		PfoEntry   *entry = entry_at(*link);

		(*steps)++;
		if (!pfo_entry_is_outdated(entry) && spare(entry, victims))
		{
			link = &entry->next;
			continue;
		}
		unlink_entry(link);
		if (pg_atomic_read_u32(&entry->refs) == 1)
			victims->freed += entry->size;
		pfo_count_shared(entry->info.dbid, PFO_COUNT_EVICTIONS, 1);
		entry->next = victims->entries;
		victims->entries = entry->self;
	}
}

static void
free_victims(Victims *victims)
{
	while (DsaPointerIsValid(victims->entries))
	{
		PfoEntry   *entry = entry_at(victims->entries);

		victims->entries = entry->next;
		pfo_store_unpin(entry);
	}
	while (victims->nforms > 0)
		free_form(victims->forms[--victims->nforms]);
}

/*
 * Advance the eviction hand until it has freed the bytes wanted, or has
 * looked at its share.  Returns the bytes freed.
 */
static Size
evict(Size wanted)
{
	Victims		victims = {InvalidDsaPointer};
	int			steps = 0;

	/* twice around at most: the first visit may only clear marks */
	for (uint64 n = 0; n < 2 * ((uint64) store->bucket_mask + 1); n++)
	{
		uint32		bucket;
		LWLock	   *lock;

		if (victims.freed >= wanted || steps >= HAND_STEPS)
			break;
		bucket = pg_atomic_fetch_add_u32(&store->hand, 1) & store->bucket_mask;
		if (!DsaPointerIsValid(store->buckets[bucket]))
			continue;			/* a glance without the lock does no harm */

		lock = partition_lock(bucket);
		LWLockAcquire(lock, LW_EXCLUSIVE);
		visit_bucket(bucket, &victims, &steps);
		LWLockRelease(lock);
		free_victims(&victims);
	}
	return victims.freed;
}

/*
 * DSA never takes back the last block of 64 kB of a size class, and has 37 of
 * them for up to 8 kB: a small area would end in blocks of sizes that nobody
 * asks for any more.  So there it is asked for a few sizes only; what is
 * larger takes pages, which come back.
 */
static Size
round_up(Size size)
{
	if (store->area_size >= MANY_CLASSES || size > MAX_CLASS)
		return size;
	if (store->area_size >= SOME_CLASSES)
		return Max(pg_nextpower2_size_t(size), 256);
	return size <= 1024 ? 1024 : MAXALIGN(MAX_CLASS + 1);
}

/*
 * Memory, for which the hand is moved that many times.  What is already there
 * in another form is worth one try; the blocks of its size might all be taken,
 * and nothing that is evicted would help.
 */
static dsa_pointer
allocate(Size size, int tries)
{
	dsa_pointer pointer;

	/* what can never fit must not push out everything else */
	if (size > store->area_size / 4)
		return InvalidDsaPointer;

	for (;;)
	{
		pointer = dsa_allocate_extended(area, size,
										DSA_ALLOC_NO_OOM | DSA_ALLOC_HUGE);
		if (DsaPointerIsValid(pointer))
			return pointer;
		/* free twice the size, for memory is in pieces */
		if (tries-- == 0 || evict(2 * size) == 0)
			return InvalidDsaPointer;
	}
}

/* Lay out one array behind the others. */
static uint32
place(Size *size, Size bytes)
{
	Size		at = *size;

	*size = MAXALIGN(at + bytes);
	return (uint32) at;
}

static Size
form_size(uint32 nindex, uint32 nformats, Size bytes)
{
	return MAXALIGN(sizeof(PfoForm)) +
		MAXALIGN(nindex * sizeof(uint32) + nformats * sizeof(int16)) +
		MAXALIGN(bytes);
}

static PfoForm *
init_form(dsa_pointer self, Size size, uint32 nindex, uint32 nformats,
		  Size bytes)
{
	PfoForm    *form = (PfoForm *) dsa_get_address(area, self);

	Assert(size == MAXALIGN(size));
	form->self = self;
	form->size = size;
	form->inside = false;
	form->bytes = bytes;
	form->nindex = nindex;
	form->nformats = nformats;
	pg_atomic_init_u32(&form->used, 0);
	return form;
}

static PfoForm *
new_form(uint32 nindex, uint32 nformats, Size bytes, int tries)
{
	Size		size;
	dsa_pointer pointer;

	attach();
	size = round_up(form_size(nindex, nformats, bytes));
	pointer = allocate(size, tries);
	if (!DsaPointerIsValid(pointer))
		return NULL;
	pg_atomic_fetch_add_u64(&store->bytes_used, size);
	return init_form(pointer, size, nindex, nformats, bytes);
}

PfoForm *
pfo_store_new_form(uint32 nindex, uint32 nformats, Size bytes)
{
	return new_form(nindex, nformats, bytes, 1);
}

bool
pfo_store_attach_form(PfoEntry *entry, PfoForm *form)
{
	LWLock	   *lock = partition_lock(entry->info.key.lo & store->bucket_mask);
	PfoFormKind kind = PFO_FORM_WIRE;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	while (kind < PFO_NFORMS && pfo_entry_form(entry, kind) != NULL)
		kind++;
	if (kind < PFO_NFORMS && entry->linked)
	{
		entry->size += form->size;
		pg_write_barrier();
		pg_atomic_write_u64(&entry->forms[kind], form->self);
		form = NULL;
	}
	LWLockRelease(lock);
	if (form != NULL)
		free_form(form->self);
	return form == NULL;
}

bool
pfo_store_publish(const PfoDraft *draft)
{
	const PfoEntryInfo *info = &draft->info;
	uint32		bucket = info->key.lo & store->bucket_mask;
	LWLock	   *lock = partition_lock(bucket);
	PfoEntry	head;
	PfoEntry   *entry;
	PfoEntry   *replaced = NULL;
	const PfoCapture *capture = draft->capture;
	Size		tuples_size = form_size(capture->nrows, 0, capture->bytes);
	uint32		tuples_at = 0;
	PfoForm    *form = NULL;
	Size		size = MAXALIGN(sizeof(PfoEntry));
	dsa_pointer pointer;
	dsa_pointer *link;

	attach();

	memset(&head, 0, sizeof(head));
	head.info = *info;
	head.types = place(&size, info->natts * sizeof(Oid));
	head.deps = place(&size, info->ndeps * sizeof(PfoDependency));
	head.relids = place(&size, info->nrelids * sizeof(Oid));
	head.relkinds = place(&size, info->nrelids);
	head.invals = place(&size, info->ninvals * sizeof(PfoInvalItem));
	head.indexes = place(&size, info->nindexes * sizeof(Oid));
	head.text = place(&size, info->text_len + 1);
	if (tuples_size <= INSIDE)
		tuples_at = place(&size, tuples_size);
	else
	{
		form = new_form(capture->nrows, 0, capture->bytes, 4);
		if (form == NULL)
			return false;
	}

	size = round_up(size);
	pointer = size > PG_UINT32_MAX ? InvalidDsaPointer : allocate(size, 4);
	if (!DsaPointerIsValid(pointer))
	{
		if (form != NULL)
			free_form(form->self);
		return false;
	}

	entry = entry_at(pointer);
	*entry = head;
	entry->self = pointer;
	entry->size = size;
	if (form == NULL)
	{
		form = init_form(pointer + tuples_at, tuples_size, capture->nrows, 0,
						 capture->bytes);
		form->inside = true;
	}
	else
		entry->size += form->size;
	pfo_capture_copy(capture, pfo_form_rows(form), pfo_form_index(form));
	entry->linked = true;
	pg_atomic_init_u32(&entry->refs, 1);
	for (int i = 0; i < PFO_NFORMS; i++)
		pg_atomic_init_u64(&entry->forms[i], InvalidDsaPointer);
	pg_atomic_write_u64(&entry->forms[PFO_FORM_TUPLES], form->self);
	pg_atomic_init_u32(&entry->tuples_only, 0);
	pg_atomic_init_u64(&entry->hits, 0);
	pg_atomic_init_u64(&entry->saved_us, 0);
	pg_atomic_init_u64(&entry->last_hit, 0);
#define COPY_ARRAY(member, from, count, type) \
	if ((count) > 0) \
		memcpy(pfo_entry_array(entry, member, type), from, \
			   (count) * sizeof(type))
	COPY_ARRAY(types, draft->types, info->natts, Oid);
	COPY_ARRAY(deps, draft->deps, info->ndeps, PfoDependency);
	COPY_ARRAY(relids, draft->relids, info->nrelids, Oid);
	COPY_ARRAY(relkinds, draft->relkinds, info->nrelids, char);
	COPY_ARRAY(invals, draft->invals, info->ninvals, PfoInvalItem);
	COPY_ARRAY(indexes, draft->indexes, info->nindexes, Oid);
	COPY_ARRAY(text, draft->text, info->text_len, char);
#undef COPY_ARRAY
	pfo_entry_array(entry, text, char)[info->text_len] = '\0';

	pg_atomic_fetch_add_u64(&store->bytes_used, size);

	LWLockAcquire(lock, LW_EXCLUSIVE);
	link = find_link(bucket, &info->key);
	if (DsaPointerIsValid(*link))
		replaced = unlink_entry(link);
	entry->next = store->buckets[bucket];
	store->buckets[bucket] = pointer;
	pg_atomic_fetch_add_u64(&store->entries, 1);
	LWLockRelease(lock);

	if (replaced != NULL)
		pfo_store_unpin(replaced);
	return true;
}

void
pfo_store_usage(PfoStoreUsage *usage)
{
	usage->bytes_total = store->area_size;
	usage->bytes_used = pg_atomic_read_u64(&store->bytes_used);
	usage->bytes_pinned = pg_atomic_read_u64(&store->bytes_dead);
	usage->entries = pg_atomic_read_u64(&store->entries);
}

/* Entries of one bucket, pinned. */
typedef struct Visited
{
	PfoEntry   *entry[32];
	int			n;
} Visited;

static void
pin_bucket(uint32 bucket, Visited *visited)
{
	LWLock	   *lock = partition_lock(bucket);

	visited->n = 0;
	if (!DsaPointerIsValid(store->buckets[bucket]))
		return;
	LWLockAcquire(lock, LW_SHARED);
	for (dsa_pointer p = store->buckets[bucket];
		 DsaPointerIsValid(p) && visited->n < lengthof(visited->entry);
		 p = entry_at(p)->next)
	{
		PfoEntry   *entry = entry_at(p);

		pg_atomic_fetch_add_u32(&entry->refs, 1);
		visited->entry[visited->n++] = entry;
	}
	LWLockRelease(lock);
}

static void
unpin_all(int code, Datum arg)
{
	Visited    *visited = (Visited *) DatumGetPointer(arg);

	while (visited->n > 0)
		pfo_store_unpin(visited->entry[--visited->n]);
}

/*
 * Call back for each, and unpin them all whatever happens: on errors, and if
 * the session is terminated meanwhile, which no PG_CATCH would see.
 */
static void
visit(Visited *visited, PfoEntryCallback callback, void *arg)
{
	PG_ENSURE_ERROR_CLEANUP(unpin_all, PointerGetDatum(visited));
	{
		for (int i = 0; i < visited->n; i++)
			callback(visited->entry[i], arg);
	}
	PG_END_ENSURE_ERROR_CLEANUP(unpin_all, PointerGetDatum(visited));
	unpin_all(0, PointerGetDatum(visited));
}

void
pfo_store_foreach(PfoEntryCallback callback, void *arg)
{
	attach();
	for (uint32 bucket = 0; bucket <= store->bucket_mask; bucket++)
	{
		Visited		visited;

		pin_bucket(bucket, &visited);
		if (visited.n > 0)
			visit(&visited, callback, arg);
	}
}
