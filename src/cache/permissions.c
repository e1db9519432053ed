/*-------------------------------------------------------------------------
 *
 * permissions.c
 *	  What a hit must check for the current user.
 *
 * Relations and columns are checked by PostgreSQL itself, since the plan
 * that contains our node bears the statement's permission entries.  What is
 * checked here is what initialising the child would check and a hit does
 * not initialise: EXECUTE on functions.  What an aggregate is made of, its
 * owner must be allowed to execute, whoever asks.  PostgreSQL looks at those
 * parts that the plan uses; here it is all of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/contain.h"
#include "cache/generation.h"
#include "cache/permissions.h"

static object_access_hook_type own_hook = NULL;

void
pfo_permissions_own_hook(object_access_hook_type hook)
{
	own_hook = hook;
}

void
pfo_aggregate_parts(Form_pg_aggregate aggregate, Oid *parts)
{
	parts[0] = aggregate->aggtransfn;
	parts[1] = aggregate->aggfinalfn;
	parts[2] = aggregate->aggcombinefn;
	parts[3] = aggregate->aggserialfn;
	parts[4] = aggregate->aggdeserialfn;
	parts[5] = aggregate->aggmtransfn;
	parts[6] = aggregate->aggminvtransfn;
	parts[7] = aggregate->aggmfinalfn;
}

static Oid
owner_of(Oid funcid)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* PostgreSQL's own aggregates belong to who owns the parts. */
static bool
owner_may_execute_parts(Oid funcid)
{
	HeapTuple	tuple;
	Oid			parts[PFO_AGGREGATE_PARTS];
	Oid			owner;

	if (funcid < FirstGenbkiObjectId)
		return true;
	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(tuple))
		return true;			/* a plain function */
	pfo_aggregate_parts((Form_pg_aggregate) GETSTRUCT(tuple), parts);
	ReleaseSysCache(tuple);

	owner = owner_of(funcid);
	for (int i = 0; i < lengthof(parts); i++)
	{
		if (OidIsValid(parts[i]) && !pfo_may_execute(parts[i], owner))
			return false;
	}
	return true;
}

/* Functions to be checked, as pfo_contain_catalogs() is told. */
typedef struct Checking
{
	List	   *functions;
	bool		granted;
} Checking;

static void
check_functions(void *arg)
{
	Checking   *checking = arg;
	ListCell   *lc;

	foreach(lc, checking->functions)
	{
		if (!pfo_may_execute(lfirst_oid(lc), GetUserId()) ||
			!owner_may_execute_parts(lfirst_oid(lc)))
			return;
	}
	checking->granted = true;
}

bool
pfo_permissions_functions(List *functions, PfoGranted *granted)
{
	bool		alone = object_access_hook == own_hook;
	Checking	checking = {functions, false};
	uint64		generation = pfo_generation_of_permissions();
	ListCell   *lc;

	if (alone && granted->roleid == GetUserId() &&
		granted->generation == generation)
		return true;

	if (functions != NIL &&
		!(pfo_contain_catalogs(check_functions, &checking) &&
		  checking.granted))
		return false;
	if (!alone)
	{
		foreach(lc, functions)
			InvokeFunctionExecuteHook(lfirst_oid(lc));
	}
	/* messages can arrive meanwhile, about what was checked first */
	granted->roleid = GetUserId();
	granted->generation = generation;
	return true;
}

void
pfo_permissions_in_advance(List *functions, PfoGranted *granted)
{
	if (object_access_hook == own_hook)
		(void) pfo_permissions_functions(functions, granted);
}

static bool
collect(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;
		ListCell   *lc;

		pfo_append_query_permissions(query, context);
		if (query->hasSubLinks)
			return query_tree_walker(query, collect, context, 0);
		/* then no expression holds a query: spare these */
		foreach(lc, query->rtable)
			(void) collect((Node *) lfirst_node(RangeTblEntry, lc)->subquery,
						   context);
		foreach(lc, query->cteList)
			(void) collect(lfirst_node(CommonTableExpr, lc)->ctequery,
						   context);
		return false;
	}
	return expression_tree_walker(node, collect, context);
}

List *
pfo_permissions_of_query(Query *query)
{
	List	   *entries = NIL;

	(void) collect((Node *) query, &entries);
	return entries;
}

bool
pfo_permissions_same(List *wanted, PlannedStmt *stmt)
{
	List	   *found = pfo_plan_permissions(stmt);
	ListCell   *lc;

	if (list_length(wanted) != list_length(found))
		return false;
	foreach(lc, wanted)
	{
		ListCell   *lc2;
		bool		match = false;

		foreach(lc2, found)
		{
			if (pfo_same_permission(lfirst(lc), lfirst(lc2)))
			{
				found = foreach_delete_current(found, lc2);
				match = true;
				break;
			}
		}
		if (!match)
			return false;
	}
	return true;
}
