/*-------------------------------------------------------------------------
 *
 * permissions.c
 *	  What a hit must check for the current user.
 *
 * Relations and columns are checked by PostgreSQL itself, since the plan
 * that contains our node bears the statement's permission entries.  What is
 * checked here is what initialising the child would check and a hit does
 * not initialise: EXECUTE on functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"

#include "base/compat.h"
#include "cache/permissions.h"

bool
pfo_permissions_functions(List *functions)
{
	ListCell   *lc;

	foreach(lc, functions)
	{
		Oid			function = lfirst_oid(lc);

		if (!pfo_may_execute(function, GetUserId()))
			return false;
		InvokeFunctionExecuteHook(function);
	}
	return true;
}

static bool
collect(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		pfo_append_query_permissions((Query *) node, context);
		return query_tree_walker((Query *) node, collect, context, 0);
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
