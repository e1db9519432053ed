/*-------------------------------------------------------------------------
 *
 * scan_plan.h
 *	  Plans with our CustomScan at their top.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_SCAN_PLAN_H
#define PFO_SCAN_PLAN_H

#include "nodes/plannodes.h"

#include "cache/planinfo.h"

extern void pfo_scan_register(void);

/*
 * A plan whose top is our node.  Takes costs, result columns and everything
 * outside the plan tree from the template.
 */
extern PlannedStmt *pfo_scan_make_plan(PlannedStmt *like, List *targetlist,
									   PfoPlanInfo *info, bool backward);

/* The statement's own plan, which was made, at the place of ours. */
extern PlannedStmt *pfo_scan_own_plan(PlannedStmt *ours, PfoPlanInfo *info);

extern bool pfo_scan_is_ours(CustomScan *scan);

/* For EXPLAIN: our node above the statement's own plan. */
extern Plan *pfo_scan_put_above(Plan *plan, PfoPlanInfo *info);

#endif							/* PFO_SCAN_PLAN_H */
