/*-------------------------------------------------------------------------
 *
 * modified.h
 *	  What the current transaction modified, and its announcements.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_MODIFIED_H
#define PFO_MODIFIED_H

#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "nodes/nodes.h"

#include "base/reason.h"

/* At load: notice whenever track_counts is switched off. */
extern void pfo_modified_watch_tracking(void);

/* To be called at each executor start and utility statement, at any level. */
extern void pfo_modified_check_tracking(void);

/* To be called when such a statement ends: announces late writes at once. */
extern void pfo_modified_end_of_statement(void);

/* An object_access_hook event. */
extern void pfo_modified_object_access(ObjectAccessType access, Oid class_id,
									   Oid object_id, int sub_id, void *arg);

/* A utility statement is about to run: what no other event tells. */
extern void pfo_modified_utility(Node *statement);

extern void pfo_modified_xact_event(XactEvent event);

/* The transaction's invalidation messages are sent (ResourceRelease). */
extern void pfo_modified_after_messages(void);

/*
 * May the transaction use the cache for an answer that depends on these
 * relations?  PFO_REASON_OWN_WRITES or PFO_REASON_UNTRACKED if not.
 */
extern PfoReason pfo_modified_by_own(const Oid *relids, int nrelids);

/*
 * The same of definitions alone, for an execution that goes on: rows that were
 * written since are not in its snapshot.
 */
extern PfoReason pfo_defined_by_own(const Oid *relids, int nrelids);

/* writes found after the announcement since the last call */
extern uint64 pfo_modified_take_late_writes(void);

#endif							/* PFO_MODIFIED_H */
