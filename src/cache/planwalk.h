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

#endif							/* PFO_PLANWALK_H */
