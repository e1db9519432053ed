/*-------------------------------------------------------------------------
 *
 * slow_plan.h
 *	  Plans and parameters of slow executions, for slow.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_SLOW_PLAN_H
#define PFO_SLOW_PLAN_H

#include "base/compat.h"
#include "base/execution.h"
#include "workload/slow_ring.h"

/* What is kept of an execution before it is known how it ends. */
typedef struct PfoSlowPrepared
{
	PfoSlowPlan plan;
	char		parameters[PFO_SLOW_PARAMETERS];
	int			nnodes;			/* in the order of EXPLAIN */
	PlanState  *nodes[PFO_SLOW_NODES];
	int			above[PFO_SLOW_NODES];	/* which node each is below, or -1 */
	int			at;				/* while they are noted: below which */
} PfoSlowPrepared;

/*
 * Before its first run, with memory that lives as long as the execution: what
 * is needed if it fails.  Nothing is raised but what is the statement's own.
 */
extern void pfo_slow_plan_prepare(PfoExecution *execution);

/*
 * It has ended: its plan with rows, and its parameters, if these can be had.
 */
extern void pfo_slow_plan_ended(PfoExecution *execution,
								PfoSlowPlan *plan, char *parameters);

/* It has failed: what was prepared, and the rows until now. */
extern void pfo_slow_plan_failed(const PfoExecution *execution,
								 PfoSlowPlan *plan, char *parameters);

#endif							/* PFO_SLOW_PLAN_H */
