/*-------------------------------------------------------------------------
 *
 * versions.h
 *	  The validity protocol: when is the content of a relation under one
 *	  snapshot known to be the same as under another?
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_VERSIONS_H
#define PFO_VERSIONS_H

#include "access/transam.h"
#include "utils/snapshot.h"

#include "base/reason.h"

/* Names a slot.  Relations and databases have slots of their own. */
typedef uint32 PfoSlotId;

/* What the rules need to know of a snapshot. */
typedef struct PfoView
{
	Snapshot	snapshot;
	uint64		xmin;			/* its xmin as a full transaction id */
	uint64		completion;		/* completion(S): a lower bound, 0 unknown */
} PfoView;

extern Size pfo_versions_shmem_size(void);
extern void pfo_versions_shmem_init(void);

extern PfoSlotId pfo_slot_of_relation(Oid dbid, Oid relid);
extern PfoSlotId pfo_slot_of_database(Oid dbid);

/*
 * Rule 1.  To be called before the transaction becomes visible to anyone.
 * False if a catalog announcement found no room in the relation's slot: the
 * caller announces the database instead.  A database's slot always takes it.
 */
extern bool pfo_versions_announce(PfoSlotId slot, FullTransactionId xid,
								  bool catalog);

/*
 * Rule 2.  To be called after the transaction left the ProcArray, for
 * catalog announcements after its invalidation messages were sent.
 */
extern void pfo_versions_settle(PfoSlotId slot, FullTransactionId xid,
								bool catalog);

/* Advance the version without a transaction: entries become unreachable. */
extern void pfo_versions_invalidate(PfoSlotId slot);

/* The fence for writes after the announcement; see versions.c. */
extern void pfo_versions_arm_fence(void);
extern bool pfo_versions_fence_armed(void);
extern void pfo_versions_fence(FullTransactionId xid);
extern void pfo_versions_fence_early(void);

/* What the session learns about snapshots; see pfo_view_init(). */
extern void pfo_versions_end_of_xact(void);
extern void pfo_versions_imported_snapshot(void);

/*
 * Prepare a view of the executing snapshot.  Otherwise the reason why
 * nothing can be said under it.
 */
extern PfoReason pfo_view_init(PfoView *view, Snapshot snapshot);

/* Rule 3 and 6: the version, and whether the slot is settled for the view. */
extern bool pfo_versions_read(const PfoView *view, PfoSlotId slot,
							  uint64 *version);

/* Only the version, for prediction; says nothing about validity. */
extern uint64 pfo_versions_peek(PfoSlotId slot);

#endif							/* PFO_VERSIONS_H */
