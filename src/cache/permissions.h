/*-------------------------------------------------------------------------
 *
 * permissions.h
 *	  What a hit must check for the current user.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_PERMISSIONS_H
#define PFO_PERMISSIONS_H

#include "catalog/objectaccess.h"
#include "catalog/pg_aggregate.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"

/* For whom EXECUTE was found granted, and when. */
typedef struct PfoGranted
{
	Oid			roleid;
	uint64		generation;		/* see generation.h */
} PfoGranted;

/* The functions that an aggregate is made of; InvalidOid: it has none such. */
#define PFO_AGGREGATE_PARTS		8
extern void pfo_aggregate_parts(Form_pg_aggregate aggregate, Oid *parts);

/*
 * True if the current user may execute all these functions; remembered in
 * granted.  Calls the object access hook for each, as execution would.
 */
extern bool pfo_permissions_functions(List *functions, PfoGranted *granted);

/*
 * The same without an answer, before there is a hit.  Where others have a hook
 * nothing is remembered: theirs is to be called at each hit, not before, and
 * may do anything, such as planning statements.
 */
extern void pfo_permissions_in_advance(List *functions, PfoGranted *granted);

/* The hook that may be alone in place: then there is nobody else to call. */
extern void pfo_permissions_own_hook(object_access_hook_type hook);

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
