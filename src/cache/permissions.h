/*-------------------------------------------------------------------------
 *
 * permissions.h
 *	  What a hit must check for the current user.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_PERMISSIONS_H
#define PFO_PERMISSIONS_H

#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"

/*
 * True if the current user may execute all these functions.  Calls the
 * object access hook for each, as execution would.
 */
extern bool pfo_permissions_functions(List *functions);

/*
 * The entries of a query, in all its subqueries, that bear permissions; to
 * be taken before planning, which moves them around.
 */
extern List *pfo_permissions_of_query(Query *query);

/*
 * Does the plan check exactly these?  Functions inlined by the planner bring
 * entries of their own.
 */
extern bool pfo_permissions_same(List *wanted, PlannedStmt *stmt);

#endif							/* PFO_PERMISSIONS_H */
