/*-------------------------------------------------------------------------
 *
 * scan.h
 *	  The CustomScan at the top of a cached statement's plan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_SCAN_H
#define PFO_SCAN_H

#include "executor/execdesc.h"
#include "nodes/plannodes.h"

#include "cache/planinfo.h"

/* The executor's entry; see scan_plan.c. */
extern Node *pfo_scan_create_state(CustomScan *scan);

/*
 * To be called before a plan is started, whosever it is: counts it.  A cursor
 * that WHERE CURRENT OF could be used on gets the statement's own plan.
 */
extern void pfo_scan_before_start(QueryDesc *queryDesc);

/*
 * To be called before a plan runs, up to count rows (0: all): looks up, and
 * prepares what will run; and after it has run.
 */
extern void pfo_scan_before_run(QueryDesc *queryDesc, ScanDirection direction,
								uint64 count);
extern void pfo_scan_after_run(QueryDesc *queryDesc);

/* EXPLAIN looks at the statement's own plan. */
extern void pfo_scan_before_explain(QueryDesc *queryDesc);

#endif							/* PFO_SCAN_H */
