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
 * How many rows the plan can give at most; PG_UINT64_MAX if that is not known
 * from its shape.  Opens indexes, which must be locked.
 */
extern uint64 pfo_plan_max_rows(PlannedStmt *stmt);

/* Would WHERE CURRENT OF find the row of a table that the plan is at? */
extern bool pfo_plan_is_updatable(PlannedStmt *stmt);

#endif							/* PFO_PLANWALK_H */
