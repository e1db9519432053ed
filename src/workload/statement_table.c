/*-------------------------------------------------------------------------
 *
 * statement_table.c
 *	  The shared table of statements.
 *
 * An array of slots, and a partitioned hash table from keys to slots.  While
 * fewer than three quarters of the slots are taken, each new statement gets
 * one.  From then on one that is seen for the first time only leaves a
 * fingerprint, unless it took EXPENSIVE: so a storm of statements that never
 * come again, literals in their names for instance, neither pushes out those
 * that do nor makes anybody wait.  When all slots are taken, the least useful
 * of SAMPLE makes room: that with the least time per minute that it was not
 * seen.  What is pushed out, or finds no place, is added to the rest, a slot of
 * its own, so sums stay exact.
 *
 * LOCKING, in this order:
 * - a partition of the hash table: shared to find a slot, exclusive to put one
 *	 in or take one out, some microseconds; never two at a time;
 * - a slot: exclusive to add or take out, shared to read.
 * Neither is held while anything else is waited for but DSA's own lock, when a
 * text is put in or freed.  Readers take one slot's lock at a time.
 *
 * MEMORY.  All of it in the main shared memory; texts in a DSA area there that
 * does not grow.  A text that has no room is missing.
 *
 * CAVEATS.  Fingerprints are written without a lock, so one may be lost: that
 * statement is let in one time later.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "port/pg_bitutils.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/dsa.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/guc.h"
#include "base/normalize.h"
#include "workload/statement_counts.h"
#include "workload/statement_table.h"

#define NPARTITIONS		16
#define SAMPLE			8
#define EXPENSIVE		UINT64CONST(100000000)	/* ns */
#define SEEN_PER_SLOT	4		/* fingerprints */
#define TEXT_PER_SLOT	512		/* bytes of the area, on average ... */
#define TEXT_SPARE		(1024 * 1024)	/* ... and for DSA's own blocks */

/* States of a slot.  FREE to TAKEN by compare-and-swap. */
#define SLOT_FREE		0
#define SLOT_TAKEN		1		/* by a backend that is about to use it */
#define SLOT_USED		2

typedef struct Slot
{
	LWLock		lock;			/* of all but state */
	pg_atomic_uint32 state;
	PfoStatementKey key;
	PfoStatementCounts counts;
	TimestampTz since;
	uint32		histogram[PFO_STATEMENT_BUCKETS];
	PfoSource	sources[PFO_MAX_SOURCES];
	char		application[NAMEDATALEN];
	int			encoding;
	dsa_pointer text;
} Slot;

/* An entry of the hash table. */
typedef struct Place
{
	PfoStatementKey key;
	uint32		slot;
} Place;

typedef struct Table
{
	int			tranche;
	int			dsa_tranche;
	LWLock		partitions[NPARTITIONS];
	pg_atomic_uint32 nslots;	/* that were ever taken */
	pg_atomic_uint32 hand;		/* where to look for room next */
	pg_atomic_uint64 lost;
} Table;

static Table *table = NULL;
static Slot *slots = NULL;		/* pfo_max_statements, and one for the rest */
static pg_atomic_uint32 *seen = NULL;	/* fingerprints */
static HTAB *places = NULL;
static void *text_place = NULL;
static dsa_area *texts = NULL;

/* ----------------------------------------------------------------
 *						shared memory
 * ----------------------------------------------------------------
 */

#define REST	((uint32) pfo_max_statements)

static Size
slots_size(void)
{
	return CACHELINEALIGN(mul_size(pfo_max_statements + 1, sizeof(Slot)));
}

static Size
seen_size(void)
{
	return CACHELINEALIGN(mul_size(pfo_max_statements * SEEN_PER_SLOT,
								   sizeof(pg_atomic_uint32)));
}

static Size
texts_size(void)
{
	return MAXALIGN(mul_size(pfo_max_statements, TEXT_PER_SLOT) + TEXT_SPARE);
}

static Size
table_size(void)
{
	return CACHELINEALIGN(sizeof(Table)) + slots_size() + seen_size() +
		texts_size();
}

Size
pfo_statements_shmem_size(void)
{
	return table_size() +
		hash_estimate_size(pfo_max_statements + NPARTITIONS, sizeof(Place));
}

static void
make_table(void)
{
	dsa_area   *creator;

	memset(table, 0, sizeof(Table));
	table->tranche = LWLockNewTrancheId();
	table->dsa_tranche = LWLockNewTrancheId();
	for (int i = 0; i < NPARTITIONS; i++)
		LWLockInitialize(&table->partitions[i], table->tranche);
	pg_atomic_init_u32(&table->nslots, 0);
	pg_atomic_init_u32(&table->hand, 0);
	pg_atomic_init_u64(&table->lost, 0);
	memset(slots, 0, slots_size());
	for (uint32 i = 0; i <= REST; i++)
	{
		LWLockInitialize(&slots[i].lock, table->tranche);
		pg_atomic_init_u32(&slots[i].state, SLOT_FREE);
	}
	slots[REST].since = GetCurrentTimestamp();
	for (uint32 i = 0; i < REST * SEEN_PER_SLOT; i++)
		pg_atomic_init_u32(&seen[i], 0);
	creator = dsa_create_in_place(text_place, texts_size(),
								  table->dsa_tranche, NULL);
	dsa_pin(creator);
	dsa_set_size_limit(creator, texts_size());
	dsa_detach(creator);
}

static uint32
hash_of_key(const void *key, Size keysize)
{
	return hash_bytes(key, keysize);
}

void
pfo_statements_shmem_init(void)
{
	HASHCTL		ctl;
	bool		found;

	texts = NULL;				/* after a crash it is another place */
	table = ShmemInitStruct("perfopt statements", table_size(), &found);
	slots = (Slot *) ((char *) table + CACHELINEALIGN(sizeof(Table)));
	seen = (pg_atomic_uint32 *) ((char *) slots + slots_size());
	text_place = (char *) seen + seen_size();

	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(PfoStatementKey);
	ctl.entrysize = sizeof(Place);
	ctl.hash = hash_of_key;
	ctl.num_partitions = NPARTITIONS;
	places = ShmemInitHash("perfopt statement places",
						   pfo_max_statements + NPARTITIONS,
						   pfo_max_statements + NPARTITIONS, &ctl,
						   HASH_ELEM | HASH_FUNCTION | HASH_PARTITION |
						   HASH_FIXED_SIZE);
	if (!found)
		make_table();
	LWLockRegisterTranche(table->tranche, "perfopt_statements");
	LWLockRegisterTranche(table->dsa_tranche, "perfopt_statement_texts");
	pfo_statement_file_init(found);
}

void
pfo_statement_table_attach(void)
{
	MemoryContext old;

	if (texts != NULL)
		return;
	old = MemoryContextSwitchTo(TopMemoryContext);
	texts = dsa_attach_in_place(text_place, NULL);
	dsa_pin_mapping(texts);
	/* in place there is no segment whose detaching would count us out */
	on_shmem_exit(dsa_on_shmem_exit_release_in_place,
				  PointerGetDatum(text_place));
	MemoryContextSwitchTo(old);
}

/* ----------------------------------------------------------------
 *						finding and making room
 * ----------------------------------------------------------------
 */

static LWLock *
partition_of(uint32 hash)
{
	return &table->partitions[hash % NPARTITIONS];
}

/* With the partition locked. */
static Slot *
find_slot(const PfoStatementKey *key, uint32 hash)
{
	Place	   *place = hash_search_with_hash_value(places, key, hash,
													HASH_FIND, NULL);

	return place != NULL ? &slots[place->slot] : NULL;
}

static void
free_text(Slot *slot)
{
	if (DsaPointerIsValid(slot->text))
		dsa_free(texts, slot->text);
	slot->text = InvalidDsaPointer;
}

/* A slot that nobody has, unless it stays a candidate: see take_slot(). */
static bool
take_free_slot(uint32 i)
{
	uint32		state = SLOT_FREE;

	return pg_atomic_compare_exchange_u32(&slots[i].state, &state, SLOT_TAKEN);
}

/* What is taken out goes on being counted.  The slot is locked. */
static void
add_to_rest(const Slot *slot)
{
	Slot	   *rest = &slots[REST];

	LWLockAcquire(&rest->lock, LW_EXCLUSIVE);
	pfo_counts_merge(&rest->counts, &slot->counts);
	for (int i = 0; i < PFO_STATEMENT_BUCKETS; i++)
		rest->histogram[i] += slot->histogram[i];
	LWLockRelease(&rest->lock);
	pg_atomic_fetch_add_u64(&table->lost, 1);
}

/*
 * Take the statement out of its slot, which is then TAKEN, if it is still the
 * one that was looked at.
 */
static bool
take_out(uint32 i, const PfoStatementKey *key, bool keep_counts)
{
	uint32		hash = get_hash_value(places, key);
	LWLock	   *partition = partition_of(hash);
	Slot	   *slot = &slots[i];

	LWLockAcquire(partition, LW_EXCLUSIVE);
	if (find_slot(key, hash) != slot)
	{
		LWLockRelease(partition);
		return false;
	}
	(void) hash_search_with_hash_value(places, key, hash, HASH_REMOVE, NULL);
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	LWLockRelease(partition);
	pg_atomic_write_u32(&slot->state, SLOT_TAKEN);
	if (keep_counts)
		add_to_rest(slot);
	free_text(slot);
	LWLockRelease(&slot->lock);
	return true;
}

/*
 * How much would be missed: time per minute that it was not seen.  Read
 * without a lock, since it only chooses.
 */
static double
usefulness(const Slot *slot, TimestampTz now)
{
	double		minutes = (now - slot->counts.last_seen) / 60e6;

	return (slot->counts.exec.total_ns + slot->counts.plan.total_ns) /
		(1 + Max(minutes, 0));
}

/*
 * A slot to be used, TAKEN, for a statement that took so long; or nothing, if
 * that is less useful than all that were looked at.
 */
static bool
take_slot(uint64 ns, uint32 *taken)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	uint32		first;
	uint32		worst = 0;
	double		worst_use = ns;
	PfoStatementKey key;
	bool		found = false;

	if (pg_atomic_read_u32(&table->nslots) < REST)
	{
		*taken = pg_atomic_fetch_add_u32(&table->nslots, 1);
		if (*taken < REST && take_free_slot(*taken))
			return true;
	}

	first = pg_atomic_fetch_add_u32(&table->hand, SAMPLE);
	for (uint32 k = 0; k < SAMPLE; k++)
	{
		uint32		i = (first + k) % REST;
		double		use;

		if (take_free_slot(i))
		{
			*taken = i;
			return true;
		}
		if (pg_atomic_read_u32(&slots[i].state) != SLOT_USED)
			continue;
		use = usefulness(&slots[i], now);
		if (use <= worst_use)
		{
			worst = i;
			worst_use = use;
			found = true;
		}
	}
	if (!found)
		return false;
	LWLockAcquire(&slots[worst].lock, LW_SHARED);
	key = slots[worst].key;
	LWLockRelease(&slots[worst].lock);
	*taken = worst;
	return take_out(worst, &key, true);
}

/* The statement's slot, made if there is room.  Its partition gets locked. */
static Slot *
make_slot(const PfoStatementKey *key, uint32 hash, uint64 ns,
		  TimestampTz since)
{
	Place	   *place;
	Slot	   *slot;
	uint32		i;
	bool		found;

	if (!take_slot(ns, &i))
	{
		LWLockAcquire(partition_of(hash), LW_SHARED);
		return find_slot(key, hash);
	}
	LWLockAcquire(partition_of(hash), LW_EXCLUSIVE);
	place = hash_search_with_hash_value(places, key, hash, HASH_ENTER_NULL,
										&found);
	if (place == NULL || found)
	{
		/* somebody was faster */
		pg_atomic_write_u32(&slots[i].state, SLOT_FREE);
		return place != NULL ? &slots[place->slot] : NULL;
	}
	place->slot = i;
	slot = &slots[i];
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	slot->key = *key;
	memset(&slot->counts, 0, sizeof(slot->counts));
	memset(slot->histogram, 0, sizeof(slot->histogram));
	slot->since = since;
	memset(slot->sources, 0, sizeof(slot->sources));
	slot->application[0] = '\0';
	slot->encoding = GetDatabaseEncoding();
	slot->text = InvalidDsaPointer;
	pg_atomic_write_u32(&slot->state, SLOT_USED);
	LWLockRelease(&slot->lock);
	return slot;
}

/* ----------------------------------------------------------------
 *						adding
 * ----------------------------------------------------------------
 */

/* Was it seen before?  It was now. */
static bool
was_seen(uint32 hash)
{
	pg_atomic_uint32 *place = &seen[hash % (REST * SEEN_PER_SLOT)];

	if (pg_atomic_read_u32(place) == hash)
		return true;
	pg_atomic_write_u32(place, hash);
	return false;
}

bool
pfo_statement_table_wants(const PfoStatementKey *key, uint64 ns,
						  bool *wants_text)
{
	uint32		hash = get_hash_value(places, key);
	Slot	   *slot;

	*wants_text = true;
	LWLockAcquire(partition_of(hash), LW_SHARED);
	slot = find_slot(key, hash);
	if (slot != NULL)
		*wants_text = !DsaPointerIsValid(slot->text);
	LWLockRelease(partition_of(hash));
	return slot != NULL || ns >= EXPENSIVE ||
		pg_atomic_read_u32(&table->nslots) < REST - REST / 4 ||
		was_seen(hash);
}

static void
put_text(Slot *slot, const char *text)
{
	Size		size = strlen(text) + 1;

	if (size == 1)
		return;
	/* DSA keeps a block of 64 kB for each size: so there are few */
	slot->text = dsa_allocate_extended(texts,
									   Max(pg_nextpower2_size_t(size), 128),
									   DSA_ALLOC_NO_OOM);
	if (DsaPointerIsValid(slot->text))
		memcpy(dsa_get_address(texts, slot->text), text, size);
}

/* The slot is locked. */
static void
add_batch(Slot *slot, const PfoBatch *batch)
{
	pfo_counts_merge(&slot->counts, &batch->counts);
	for (int i = 0; i < batch->nlatencies; i++)
		slot->histogram[batch->buckets[i]] += batch->latencies[i];
	if (slot == &slots[REST])
		return;
	for (int i = 0; i < PFO_MAX_SOURCES; i++)
	{
		if (batch->sources[i].calls > 0)
			pfo_source_add(slot->sources, &batch->sources[i]);
	}
	if (batch->text != NULL && !DsaPointerIsValid(slot->text))
		put_text(slot, batch->text);
	if (application_name != NULL)
		pfo_copy_text(slot->application, application_name,
					  sizeof(slot->application));
}

bool
pfo_statement_table_add(const PfoBatch *batch, bool now)
{
	const PfoStatementCounts *counts = &batch->counts;
	uint32		hash;
	LWLock	   *partition;
	Slot	   *slot;
	bool		added;

	if (counts->calls + counts->errors == 0)
		return true;
	if (!OidIsValid(batch->key.dbid))
	{
		slot = &slots[REST];
		LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
		add_batch(slot, batch);
		LWLockRelease(&slot->lock);
		pg_atomic_fetch_add_u64(&table->lost, 1);
		return true;
	}

	hash = get_hash_value(places, &batch->key);
	partition = partition_of(hash);
	LWLockAcquire(partition, LW_SHARED);
	slot = find_slot(&batch->key, hash);
	if (slot == NULL)
	{
		LWLockRelease(partition);
		slot = make_slot(&batch->key, hash, counts->exec.total_ns +
						 counts->plan.total_ns, batch->since);
	}
	if (slot == NULL)
	{
		pg_atomic_fetch_add_u64(&table->lost, 1);
		slot = &slots[REST];
	}
	added = now;
	if (now)
		LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	else
		added = LWLockConditionalAcquire(&slot->lock, LW_EXCLUSIVE);
	LWLockRelease(partition);
	if (added)
	{
		add_batch(slot, batch);
		LWLockRelease(&slot->lock);
	}
	return added;
}

void
pfo_statement_table_restore(const PfoStatement *statement)
{
	uint32		hash = get_hash_value(places, &statement->key);
	bool		rest = !OidIsValid(statement->key.dbid);
	Slot	   *slot;

	pfo_statement_table_attach();
	slot = rest ? NULL : make_slot(&statement->key, hash, 0,
									statement->since);
	if (slot != NULL)
	{
		memcpy(slot->sources, statement->sources, sizeof(slot->sources));
		strlcpy(slot->application, statement->application,
				sizeof(slot->application));
		slot->encoding = statement->encoding;
		put_text(slot, statement->text);
	}
	if (!rest)
		LWLockRelease(partition_of(hash));
	if (slot == NULL)
		slot = &slots[REST];
	pfo_counts_merge(&slot->counts, &statement->counts);
	for (int i = 0; i < PFO_STATEMENT_BUCKETS; i++)
		slot->histogram[i] += statement->histogram[i];
}

/* ----------------------------------------------------------------
 *						reading and emptying
 * ----------------------------------------------------------------
 */

/*
 * False if there is no statement in it; or, in the postmaster at its end, if
 * somebody died with the lock.
 */
static bool
read_slot(uint32 i, PfoStatement *statement)
{
	Slot	   *slot = &slots[i];
	bool		used;

	if (IsUnderPostmaster)
		LWLockAcquire(&slot->lock, LW_SHARED);
	else if (!LWLockConditionalAcquire(&slot->lock, LW_SHARED))
		return false;
	used = pg_atomic_read_u32(&slot->state) == SLOT_USED || i == REST;
	if (used)
	{
		statement->key = slot->key;
		statement->counts = slot->counts;
		statement->since = slot->since;
		memcpy(statement->histogram, slot->histogram, sizeof(slot->histogram));
		memcpy(statement->sources, slot->sources, sizeof(slot->sources));
		memcpy(statement->application, slot->application,
			   sizeof(slot->application));
		statement->encoding = slot->encoding;
		statement->text[0] = '\0';
		if (DsaPointerIsValid(slot->text))
			strlcpy(statement->text, dsa_get_address(texts, slot->text),
					sizeof(statement->text));
	}
	LWLockRelease(&slot->lock);
	return used;
}

void
pfo_statements_foreach(PfoStatementCallback callback, void *arg)
{
	PfoStatement *statement = palloc(sizeof(PfoStatement));

	pfo_statement_table_attach();
	pfo_statements_flush(true);
	for (uint32 i = 0; i <= REST; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (read_slot(i, statement) &&
			statement->counts.calls + statement->counts.errors > 0)
			callback(statement, arg);
	}
	pfree(statement);
}

uint64
pfo_statements_lost(void)
{
	return pg_atomic_read_u64(&table->lost);
}

TimestampTz
pfo_statements_since(void)
{
	TimestampTz since;

	LWLockAcquire(&slots[REST].lock, LW_SHARED);
	since = slots[REST].since;
	LWLockRelease(&slots[REST].lock);
	return since;
}

void
pfo_statements_reset(uint64 queryid)
{
	Slot	   *rest = &slots[REST];

	pfo_statement_table_attach();
	pfo_statements_flush(true);
	for (uint32 i = 0; i < REST; i++)
	{
		PfoStatementKey key;
		bool		used;

		LWLockAcquire(&slots[i].lock, LW_SHARED);
		used = pg_atomic_read_u32(&slots[i].state) == SLOT_USED;
		key = slots[i].key;
		LWLockRelease(&slots[i].lock);
		if (used && (queryid == 0 || key.queryid == queryid) &&
			take_out(i, &key, false))
			pg_atomic_write_u32(&slots[i].state, SLOT_FREE);
	}
	if (queryid != 0)
		return;
	LWLockAcquire(&rest->lock, LW_EXCLUSIVE);
	memset(&rest->counts, 0, sizeof(rest->counts));
	memset(rest->histogram, 0, sizeof(rest->histogram));
	rest->since = GetCurrentTimestamp();
	LWLockRelease(&rest->lock);
	pg_atomic_write_u64(&table->lost, 0);
	/* there is room again: a new one need not be seen twice */
	pg_atomic_write_u32(&table->nslots, 0);
}
