/*-------------------------------------------------------------------------
 *
 * slow.h
 *	  Capture of slow executions, for the view perfopt_slow_queries.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_SLOW_H
#define PFO_SLOW_H

#include "base/execution.h"
#include "base/guc.h"

/*
 * Before the executor starts: count the rows of its nodes if it may become
 * slow.  Says whether they are.
 */
extern bool pfo_slow_watch(QueryDesc *queryDesc);

/* Before each run; raises nothing but what is the statement's own. */
extern void pfo_slow_prepare(PfoExecution *execution);

static inline void
pfo_slow_before_run(PfoExecution *execution)
{
	if (execution->watched && execution->prepared == NULL && !execution->ran)
		pfo_slow_prepare(execution);
}

/* One that took at least half of perfopt.slow_query_time, or was watched. */
extern void pfo_slow_look(PfoExecution *execution);

/*
 * An execution has ended, or failed.  If it failed nothing is allocated and no
 * catalog is read.
 */
static inline void
pfo_slow_executed(PfoExecution *execution)
{
	if (pfo_slow_query_time >= 0 &&
		(execution->watched ||
		 execution->plan_ns + execution->exec_ns >=
		 (uint64) pfo_slow_query_time * (1000000 / 2)))
		pfo_slow_look(execution);
}

#endif							/* PFO_SLOW_H */
