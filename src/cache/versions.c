/*-------------------------------------------------------------------------
 *
 * versions.c
 *	  The validity protocol of the result cache.
 *
 * A fixed array of slots, indexed by a hash of (database, relation).  A slot
 * knows how often a change of its relations was announced (version), which
 * transactions announced lately (recent), and maxima over those it forgot.
 *
 * THE ARGUMENT.  Let t be the moment a slot's version V is read, and S a
 * snapshot taken before t.  What was announced by t is finished for S: that
 * is what "settled" requires.  What was not announced by t is not visible at
 * t, because a transaction announces before it becomes visible, hence it is
 * not visible in S.  So the content of the slot's relations under S depends
 * on V alone.  The session that filled an entry and the session that reads
 * it both satisfy this with the same V; hence their contents are equal.  It
 * holds slot by slot, so an answer that depends on several relations, and
 * relations that share a slot by collision, need nothing more.
 *
 * The rules, as numbered in docs/DESIGN.md and checked by model/:
 * 1. Announce, before the commit is visible: push the top-level full xid,
 *	  then version + 1.  A version alone would be stale for good.
 * 2. Settle, after the transaction left the ProcArray: find the entry by
 *	  xid and set done to the completion count read now.
 * 3. Settled for S: each recent entry is finished for S, by its done or by
 *	  its xid, and so is what left the slot (the maxima).
 * 4., 5. are the users': store and hit only if settled and not modified by
 *	  the own transaction.
 * 6. Reading takes no lock.  A writer holds the slot's spinlock, writes
 *	  entries and maxima first and the version last; a reader reads the
 *	  version first.  Whoever reads an entry being overwritten has read the
 *	  version before it, so the announcement is not among those of V.
 * 7. Transactions prepared before the server started may be unannounced:
 *	  nothing is said under a snapshot older than the first xid of this
 *	  start, nor, because of rule 8, before each of them has released the
 *	  lock on its xid, which it does after its invalidation messages.
 * 8. Catalog announcements (an entry whose xid word bears CATALOG_BIT): a
 *	  session may still hold the old definition when the xid is finished, so
 *	  only done counts, and done is written after the invalidation messages
 *	  were sent.  Such an entry leaves the slot only when done.
 *
 * LOCKING.  A slot's spinlock protects its writers; nothing else is taken or
 * called under it (reading the completion count is reading a variable).  The
 * oldest running xid is read before, since that takes LWLocks.  The spinlock
 * is never held by a reader.
 *
 * MEMORY.  Fixed at server start.  A slot without room forgets xids into its
 * maxima, which only makes it unsettled for longer.
 *
 * CAVEATS.  The completion count and the next xid are read without their
 * locks; each is a single aligned 64-bit load, and the reader's own increments
 * happened before.  A database slot without room for a catalog announcement
 * stays unusable until restart: that takes PFO_DB_RECENT transactions with DDL
 * at the same time in one database.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/twophase.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "replication/walsender.h"
#include "storage/lwlock.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/snapmgr.h"

#include "base/breakage.h"
#include "base/compat.h"
#include "base/guc.h"
#include "cache/versions.h"

#define PFO_RECENT		6		/* a relation's slot fills two cache lines */
#define PFO_DB_RECENT	32
#define PFO_DB_SLOTS	64
#define PFO_SLOTS_MIN	256
#define PFO_SLOTS_MAX	65536

/* top bit of an entry's xid word: only done counts */
#define CATALOG_BIT		(UINT64CONST(1) << 63)
/* top bit of a fence: the xid is this one or a later one */
#define EARLY_BIT		(UINT64CONST(1) << 63)
#define INFINITE		PG_UINT64_MAX
#define DB_SLOT			((PfoSlotId) 1 << 31)

typedef struct PfoRecent
{
	pg_atomic_uint64 xid;		/* full, perhaps with CATALOG_BIT; 0: free */
	pg_atomic_uint64 done;		/* completion count once finished, else 0 */
} PfoRecent;

typedef struct PfoSlotHead
{
	pg_atomic_uint64 version;	/* counts announcements; from 1 */
	pg_atomic_uint64 evicted_done;	/* maxima over what left recent[] */
	pg_atomic_uint64 evicted_xid;
	slock_t		lock;			/* for writers */
} PfoSlotHead;

typedef struct PfoRelSlot
{
	PfoSlotHead head;
	PfoRecent	recent[PFO_RECENT];
} PfoRelSlot;

StaticAssertDecl(sizeof(PfoRelSlot) == 128, "a slot fills two cache lines");

typedef struct PfoDbSlot
{
	PfoSlotHead head;
	PfoRecent	recent[PFO_DB_RECENT];
} PfoDbSlot;

typedef struct PfoVersions
{
	pg_atomic_uint64 first_xid; /* rule 7's N; 0 until known */
	uint32		slot_mask;
	uint32		nfences;
	pg_atomic_uint32 nlost;		/* of lost[], until all are gone */
	PfoDbSlot	databases[PFO_DB_SLOTS];
} PfoVersions;

static PfoVersions *versions = NULL;
static PfoRelSlot *rel_slots = NULL;
static pg_atomic_uint64 *fences = NULL; /* one per backend */
static pg_atomic_uint32 *lost = NULL;	/* xids prepared before the start; 0:
										 * gone */

static bool fence_armed = false;

/* for pfo_view_init() */
static Snapshot static_snapshot = NULL;
static uint64 last_xact_completion = 0;
static bool imported_snapshot = false;

/* a reference to a slot of either kind */
typedef struct SlotRef
{
	PfoSlotHead *head;
	PfoRecent  *recent;
	int			nrecent;
} SlotRef;

static uint32
slot_count(void)
{
	uint32		n = PFO_SLOTS_MIN;

	/* one slot per 8 kB of cache */
	while (n < PFO_SLOTS_MAX && n < (uint32) (pfo_cache_size / 8))
		n *= 2;
	return n;
}

static uint32
fence_count(void)
{
	/* prepared transactions' dummy processes never announce */
	return MaxBackends + NUM_AUXILIARY_PROCS;
}

Size
pfo_versions_shmem_size(void)
{
	Size		size = CACHELINEALIGN(sizeof(PfoVersions));

	size = add_size(size, mul_size(slot_count(), sizeof(PfoRelSlot)));
	size = add_size(size, mul_size(fence_count(), sizeof(pg_atomic_uint64)));
	return add_size(size, mul_size(max_prepared_xacts,
								   sizeof(pg_atomic_uint32)));
}

static void
init_slot(PfoSlotHead *head, PfoRecent *recent, int nrecent)
{
	SpinLockInit(&head->lock);
	pg_atomic_init_u64(&head->version, 1);
	pg_atomic_init_u64(&head->evicted_done, 0);
	pg_atomic_init_u64(&head->evicted_xid, 0);
	for (int i = 0; i < nrecent; i++)
	{
		pg_atomic_init_u64(&recent[i].xid, 0);
		pg_atomic_init_u64(&recent[i].done, 0);
	}
}

void
pfo_versions_shmem_init(void)
{
	bool		found;
	char	   *base;

	base = ShmemInitStruct("perfopt versions", pfo_versions_shmem_size(),
						   &found);
	versions = (PfoVersions *) base;
	rel_slots = (PfoRelSlot *) (base + CACHELINEALIGN(sizeof(PfoVersions)));
	fences = (pg_atomic_uint64 *) (rel_slots + slot_count());
	lost = (pg_atomic_uint32 *) (fences + fence_count());
	if (found)
		return;

	pg_atomic_init_u64(&versions->first_xid, 0);
	versions->slot_mask = slot_count() - 1;
	versions->nfences = fence_count();
	for (int i = 0; i < PFO_DB_SLOTS; i++)
		init_slot(&versions->databases[i].head,
				  versions->databases[i].recent, PFO_DB_RECENT);
	for (uint32 i = 0; i <= versions->slot_mask; i++)
		init_slot(&rel_slots[i].head, rel_slots[i].recent, PFO_RECENT);
	for (uint32 i = 0; i < versions->nfences; i++)
		pg_atomic_init_u64(&fences[i], 0);
	pg_atomic_init_u32(&versions->nlost, 0);
	for (int i = 0; i < max_prepared_xacts; i++)
		pg_atomic_init_u32(&lost[i], InvalidTransactionId);
}

PfoSlotId
pfo_slot_of_relation(Oid dbid, Oid relid)
{
	return hash_combine(murmurhash32(dbid), murmurhash32(relid)) &
		versions->slot_mask;
}

PfoSlotId
pfo_slot_of_database(Oid dbid)
{
	return DB_SLOT | (murmurhash32(dbid) % PFO_DB_SLOTS);
}

static SlotRef
slot_ref(PfoSlotId id)
{
	SlotRef		ref;

	if (id & DB_SLOT)
	{
		PfoDbSlot  *slot = &versions->databases[id & ~DB_SLOT];

		ref.head = &slot->head;
		ref.recent = slot->recent;
		ref.nrecent = PFO_DB_RECENT;
	}
	else
	{
		PfoRelSlot *slot = &rel_slots[id];

		ref.head = &slot->head;
		ref.recent = slot->recent;
		ref.nrecent = PFO_RECENT;
	}
	return ref;
}

static void
raise_to(pg_atomic_uint64 *maximum, uint64 value)
{
	if (pg_atomic_read_u64(maximum) < value)
		pg_atomic_write_u64(maximum, value);
}

/*
 * Find the place for an announcement, under the slot's lock: the entry of
 * the same transaction, a free one, or one that is finished and whose
 * maxima are kept.  NULL if there is none.  Every xid below oldest is known
 * to be finished (0: not read).
 */
static PfoRecent *
find_room(SlotRef *ref, uint64 xid, uint64 oldest)
{
	PfoRecent  *room = NULL;
	uint64		room_done = INFINITE;

	for (int i = 0; i < ref->nrecent; i++)
	{
		PfoRecent  *r = &ref->recent[i];
		uint64		word = pg_atomic_read_u64(&r->xid);
		uint64		done = pg_atomic_read_u64(&r->done);

		if ((word & ~CATALOG_BIT) == xid)
			return r;
		if (word == 0)
			done = 0;			/* better than any that must be evicted */
		else if (done == 0)
		{
			if ((word & CATALOG_BIT) || word >= oldest)
				continue;
			done = PFO_COMPLETION_COUNT();	/* read after it was finished */
			pg_atomic_write_u64(&r->done, done);
		}
		if (room == NULL || done < room_done)
		{
			room = r;
			room_done = done;
		}
	}

	if (room != NULL && pg_atomic_read_u64(&room->xid) != 0)
	{
		raise_to(&ref->head->evicted_done, room_done);
		raise_to(&ref->head->evicted_xid,
				 pg_atomic_read_u64(&room->xid) & ~CATALOG_BIT);
	}
	return room;
}

bool
pfo_versions_announce(PfoSlotId id, FullTransactionId fxid, bool catalog)
{
	SlotRef		ref = slot_ref(id);
	PfoSlotHead *head = ref.head;
	uint64		xid = U64FromFullTransactionId(fxid);
	uint64		oldest = 0;
	PfoRecent  *room;

	SpinLockAcquire(&head->lock);
	room = find_room(&ref, xid, oldest);
	if (room == NULL || pg_atomic_read_u64(&head->evicted_done) == INFINITE)
	{
		SpinLockRelease(&head->lock);
		oldest = pfo_full_xid(GetOldestActiveTransactionId(), xid);
		SpinLockAcquire(&head->lock);
		if (pg_atomic_read_u64(&head->evicted_done) == INFINITE &&
			pg_atomic_read_u64(&head->evicted_xid) < oldest)
			pg_atomic_write_u64(&head->evicted_done, PFO_COMPLETION_COUNT());
		room = find_room(&ref, xid, oldest);
	}

	if (PFO_BROKEN(ANNOUNCE))
		;
	else if (room != NULL)
	{
		uint64		word = pg_atomic_read_u64(&room->xid);

		if ((word & ~CATALOG_BIT) == xid)
			catalog |= (word & CATALOG_BIT) != 0;
		pg_atomic_write_u64(&room->done, 0);
		pg_atomic_write_u64(&room->xid, xid | (catalog ? CATALOG_BIT : 0));
	}
	else if (!catalog)
	{
		raise_to(&head->evicted_xid, xid);
		pg_atomic_write_u64(&head->evicted_done, INFINITE);
	}
	else if (id & DB_SLOT)
	{
		pg_atomic_write_u64(&head->evicted_xid, INFINITE);
		pg_atomic_write_u64(&head->evicted_done, INFINITE);
	}
	else
	{
		SpinLockRelease(&head->lock);
		return false;
	}

	pg_write_barrier();
	pg_atomic_write_u64(&head->version,
						pg_atomic_read_u64(&head->version) + 1);
	SpinLockRelease(&head->lock);
	return true;
}

void
pfo_versions_settle(PfoSlotId id, FullTransactionId fxid, bool catalog)
{
	SlotRef		ref = slot_ref(id);
	uint64		word = U64FromFullTransactionId(fxid) |
		(catalog ? CATALOG_BIT : 0);
	uint64		now = PFO_COMPLETION_COUNT();

	SpinLockAcquire(&ref.head->lock);
	for (int i = 0; i < ref.nrecent; i++)
	{
		if (pg_atomic_read_u64(&ref.recent[i].xid) == word &&
			pg_atomic_read_u64(&ref.recent[i].done) == 0)
			pg_atomic_write_u64(&ref.recent[i].done, now);
	}
	SpinLockRelease(&ref.head->lock);
}

void
pfo_versions_invalidate(PfoSlotId id)
{
	PfoSlotHead *head = slot_ref(id).head;

	SpinLockAcquire(&head->lock);
	pg_atomic_write_u64(&head->version,
						pg_atomic_read_u64(&head->version) + 1);
	SpinLockRelease(&head->lock);
}

/*
 * Another library's PRE_COMMIT callback that runs after ours might modify
 * rows.  Then a cell per backend holds the transaction's xid from
 * PRE_COMMIT until its late writes are announced and settled, and nothing
 * is said under a snapshot for which a cell's xid is finished.  A transaction
 * that has no xid by then might still get one: its cell holds the least that
 * can be, and nothing is said under a snapshot that any such might be finished
 * for.
 */
void
pfo_versions_arm_fence(void)
{
	fence_armed = true;
}

bool
pfo_versions_fence_armed(void)
{
	return fence_armed;
}

void
pfo_versions_fence(FullTransactionId xid)
{
	pg_atomic_write_u64(&fences[PFO_MY_PROC_INDEX],
						U64FromFullTransactionId(xid));
	pg_memory_barrier();
}

/* Reading the next xid is reading a variable; an older one does as well. */
void
pfo_versions_fence_early(void)
{
	pg_atomic_write_u64(&fences[PFO_MY_PROC_INDEX],
						U64FromFullTransactionId(PFO_NEXT_XID()) | EARLY_BIT);
	pg_memory_barrier();
}

/*
 * Rule 7: the first xid of this start, 0 while it cannot be known.  Whoever
 * finds it out also notes what is prepared.  A backend does so at the end of
 * its very first transaction, hence before it can commit any of that.
 */
static uint64
first_xid(void)
{
	uint64		first = pg_atomic_read_u64(&versions->first_xid);

	if (first != 0 || RecoveryInProgress())
		return first;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	first = pg_atomic_read_u64(&versions->first_xid);
	if (first == 0)
	{
		uint32		n = 0;

		first = U64FromFullTransactionId(ReadNextFullTransactionId());
		for (int i = 0; i < max_prepared_xacts; i++)
		{
			TransactionId xid = PreparedXactProcs[i].xid;

			if (TransactionIdIsValid(xid))
				pg_atomic_write_u32(&lost[n++], xid);
		}
		pg_atomic_write_u32(&versions->nlost, n);
		pg_write_barrier();
		pg_atomic_write_u64(&versions->first_xid, first);
	}
	LWLockRelease(AddinShmemInitLock);
	return first;
}

/* Have all that were prepared before the start sent their messages? */
static bool
lost_are_gone(void)
{
	uint32		n = pg_atomic_read_u32(&versions->nlost);

	for (uint32 i = 0; i < n; i++)
	{
		TransactionId xid = pg_atomic_read_u32(&lost[i]);

		if (!TransactionIdIsValid(xid))
			continue;
		if (!pfo_xact_lock_is_free(xid))
			return false;
		pg_atomic_write_u32(&lost[i], InvalidTransactionId);
	}
	pg_atomic_write_u32(&versions->nlost, 0);
	return true;
}

/*
 * Whatever was counted by the end of the session's last transaction was
 * counted before any snapshot of the next one is taken.
 */
void
pfo_versions_end_of_xact(void)
{
	last_xact_completion = PFO_COMPLETION_COUNT();
	imported_snapshot = false;

	/* known before this session can commit what was prepared before */
	(void) first_xid();
}

/* SET TRANSACTION SNAPSHOT: the snapshot may be older than the session. */
void
pfo_versions_imported_snapshot(void)
{
	imported_snapshot = true;
}

static bool
same_content(Snapshot a, Snapshot b)
{
	return a->xmin == b->xmin && a->xmax == b->xmax &&
		a->xcnt == b->xcnt && a->subxcnt == b->subxcnt &&
		a->suboverflowed == b->suboverflowed &&
		a->takenDuringRecovery == b->takenDuringRecovery &&
		memcmp(a->xip, b->xip, a->xcnt * sizeof(TransactionId)) == 0 &&
		(a->subxcnt <= 0 ||
		 memcmp(a->subxip, b->subxip,
				a->subxcnt * sizeof(TransactionId)) == 0);
}

/*
 * completion(S).  Copies of a snapshot lose their completion count, but the
 * static one they were copied from keeps it as long as no other snapshot is
 * taken; equal contents make its count true for the copy.  Its address is
 * learnt by taking one, which is harmless in READ COMMITTED only.
 */
static uint64
completion_of(Snapshot snapshot)
{
	if (static_snapshot == NULL && XactIsoLevel == XACT_READ_COMMITTED &&
		FirstSnapshotSet)
		static_snapshot = GetTransactionSnapshot();

	if (static_snapshot != NULL &&
		static_snapshot->snapXactCompletionCount != 0 &&
		same_content(static_snapshot, snapshot))
		return static_snapshot->snapXactCompletionCount;

	return imported_snapshot ? 0 : last_xact_completion;
}

/* Is this transaction finished for the snapshot? */
static bool
xid_finished(const PfoView *view, uint64 xid)
{
	if (xid < view->xmin)
		return true;
	return !XidInMVCCSnapshot((TransactionId) xid, view->snapshot);
}

/* Might a transaction be finished for the snapshot that is behind a fence? */
static bool
is_fenced(const PfoView *view)
{
	bool		fenced = false;

	pg_memory_barrier();
	for (uint32 i = 0; i < versions->nfences && !fenced; i++)
	{
		uint64		xid = pg_atomic_read_u64(&fences[i]);

		if (xid & EARLY_BIT)
			fenced = (xid & ~EARLY_BIT) <
				pfo_full_xid(view->snapshot->xmax, view->xmin);
		else if (xid != 0)
			fenced = xid_finished(view, xid);
	}
	pg_read_barrier();
	return fenced;
}

PfoReason
pfo_view_init(PfoView *view, Snapshot snapshot)
{
	uint64		first = first_xid();
	uint64		next;

	if (first == 0)
		return PFO_REASON_RECOVERY;
	if (snapshot == NULL || snapshot->snapshot_type != SNAPSHOT_MVCC ||
		snapshot->takenDuringRecovery || am_walsender)
		return PFO_REASON_SNAPSHOT;

	/* reading the next xid is reading a variable; no snapshot is far from it */
	next = U64FromFullTransactionId(PFO_NEXT_XID());
	view->snapshot = snapshot;
	view->xmin = pfo_full_xid(snapshot->xmin, next);
	if ((view->xmin < first || !lost_are_gone()) && !PFO_BROKEN(FIRST_XID))
		return PFO_REASON_PREPARED_BEFORE_START;
	view->completion = completion_of(snapshot);

	if (fence_armed && is_fenced(view))
		return PFO_REASON_UNSETTLED;
	return PFO_REASON_NONE;
}

/*
 * A catalog announcement of a prepared transaction is settled by nobody
 * who ran it.  Its lock is released after its invalidation messages were
 * sent, by whoever commits it; once the lock is free, done may be written.
 */
static void
help_settle(SlotRef *ref, uint64 word)
{
	if (!pfo_xact_lock_is_free((TransactionId) word))
		return;
	SpinLockAcquire(&ref->head->lock);
	for (int i = 0; i < ref->nrecent; i++)
	{
		if (pg_atomic_read_u64(&ref->recent[i].xid) == word &&
			pg_atomic_read_u64(&ref->recent[i].done) == 0)
			pg_atomic_write_u64(&ref->recent[i].done, PFO_COMPLETION_COUNT());
	}
	SpinLockRelease(&ref->head->lock);
}

bool
pfo_versions_read(const PfoView *view, PfoSlotId id, uint64 *version)
{
	SlotRef		ref = slot_ref(id);
	uint64		evicted_done;

	*version = pg_atomic_read_u64(&ref.head->version);
	pg_read_barrier();
	if (PFO_BROKEN(SETTLED))
		return true;

	for (int i = 0; i < ref.nrecent; i++)
	{
		uint64		word = pg_atomic_read_u64(&ref.recent[i].xid);
		uint64		done;

		if (word == 0)
			continue;
		done = pg_atomic_read_u64(&ref.recent[i].done);
		if (done != 0 && done <= view->completion)
			continue;
		if (word & CATALOG_BIT)
		{
			/* the first snapshots after it find it settled, not this one */
			if (done == 0 && (word & ~CATALOG_BIT) < view->xmin)
				help_settle(&ref, word);
			return false;
		}
		if (!xid_finished(view, word))
			return false;
	}

	evicted_done = pg_atomic_read_u64(&ref.head->evicted_done);
	return evicted_done <= view->completion ||
		pg_atomic_read_u64(&ref.head->evicted_xid) < view->xmin;
}

uint64
pfo_versions_peek(PfoSlotId id)
{
	return pg_atomic_read_u64(&slot_ref(id).head->version);
}
