/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  The planner side of the cache.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_PLAN_H
#define PFO_PLAN_H

#include "cache/childplan.h"
#include "base/reason.h"

/* Plan a statement: wrapped, or from an entry, if it may be cached. */
extern PlannedStmt *pfo_plan(Query *query, const char *query_string,
							 int cursor_options, ParamListInfo params,
							 PfoPlanner planner);

#endif							/* PFO_PLAN_H */
