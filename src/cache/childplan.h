/*-------------------------------------------------------------------------
 *
 * childplan.h
 *	  Planning a cached statement itself: with our node above it, or put off
 *	  until a miss.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_CHILDPLAN_H
#define PFO_CHILDPLAN_H

#include "nodes/params.h"

#include "cache/planinfo.h"
#include "cache/store.h"

/* The planner that runs when we do not: the next hook or the standard one. */
typedef PlannedStmt *(*PfoPlanner) (Query *query, const char *query_string,
									int cursor_options, ParamListInfo params);

extern void pfo_childplan_set_planner(PfoPlanner planner);

/*
 * Plan the query, which planning scribbles on, and note in the info what it
 * took.  Raises no error but the planner's.
 */
extern PlannedStmt *pfo_childplan_make(PfoPlanInfo *info, Query *query,
									   const char *query_string,
									   int cursor_options,
									   ParamListInfo params);

/*
 * Note what the plan was made from: its relations are added to what the answer
 * depends on, and what the verdict rests on to what makes the plan anew.
 */
extern void pfo_childplan_note(PfoPlanInfo *info, PlannedStmt *stmt);

/* A plan or its like was made from these functions, too. */
extern void pfo_childplan_add_functions(PlannedStmt *stmt, List *functions);

/* Put one of the marks of marks.h on a plan. */
extern void pfo_childplan_mark(PlannedStmt *stmt, uint32 mark);

/* Plan at last what was put off; the plan lives as long as the info. */
extern void pfo_childplan_complete(PfoPlanInfo *info,
								   const char *query_string);

/* The catalog rows a plan was made from; allocated in the current context. */
extern PfoInvalItem *pfo_childplan_inval_items(PlannedStmt *stmt,
											   uint32 *nitems);

#endif							/* PFO_CHILDPLAN_H */
