/*-------------------------------------------------------------------------
 *
 * planwalk.h
 *	  Facts about a finished plan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_PLANWALK_H
#define PFO_PLANWALK_H

#include "nodes/plannodes.h"

#define PFO_MAX_INDEXES 64

/* The OIDs of the indexes that the plan uses, the first PFO_MAX_INDEXES. */
extern int	pfo_plan_indexes(PlannedStmt *stmt, Oid *indexes);

/*
 * Is a partition of one of these relations, which must be locked, about to be
 * detached concurrently?  Then it depends on the snapshot of planning whether
 * a plan reads it.
 */
extern bool pfo_plan_detach_pending(List *relations);

#endif							/* PFO_PLANWALK_H */
