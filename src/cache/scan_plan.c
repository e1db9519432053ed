/*-------------------------------------------------------------------------
 *
 * scan_plan.c
 *	  Plans with our CustomScan at their top.
 *
 * The node hides the statement's own plan from PostgreSQL: nothing below it
 * is initialised at executor start.  Only for EXPLAIN it stands above that
 * plan openly.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"

#include "base/compat.h"
#include "cache/scan.h"
#include "cache/scan_plan.h"

static const CustomScanMethods scan_methods = {
	.CustomName = "perfopt",
	.CreateCustomScanState = pfo_scan_create_state
};

void
pfo_scan_register(void)
{
	RegisterCustomScanMethods(&scan_methods);
	pfo_planinfo_register();
}

bool
pfo_scan_is_ours(CustomScan *scan)
{
	return scan->methods == &scan_methods;
}

/*
 * Our node's target list: a Var per result column, with the titles and
 * origins that clients are told.  The columns are those of what the node
 * itself is said to scan, or of its outer plan.
 */
static void
make_targetlists(List *like, int varno, List **targetlist, List **scan_tlist)
{
	AttrNumber	n = 0;
	ListCell   *lc;

	*targetlist = *scan_tlist = NIL;
	foreach(lc, like)
	{
		TargetEntry *tle = lfirst_node(TargetEntry, lc);
		Node	   *expr = (Node *) tle->expr;
		TargetEntry *mine;
		Oid			type = exprType(expr);
		int32		typmod = exprTypmod(expr);
		Oid			collation = exprCollation(expr);

		if (tle->resjunk)
			continue;
		n++;
		mine = makeTargetEntry((Expr *) makeVar(varno, n, type, typmod,
												collation, 0),
							   n, tle->resname, false);
		mine->resorigtbl = tle->resorigtbl;
		mine->resorigcol = tle->resorigcol;
		*targetlist = lappend(*targetlist, mine);
		if (varno == INDEX_VAR)
		{
			Const	   *null = makeNullConst(type, typmod, collation);

			*scan_tlist = lappend(*scan_tlist,
								  makeTargetEntry((Expr *) null, n,
												  tle->resname, false));
		}
	}
}

static CustomScan *
make_scan(const Plan *costs, List *targetlist, int varno, PfoPlanInfo *info)
{
	CustomScan *scan = makeNode(CustomScan);

	scan->scan.plan.startup_cost = costs->startup_cost;
	scan->scan.plan.total_cost = costs->total_cost;
	scan->scan.plan.plan_rows = costs->plan_rows;
	scan->scan.plan.plan_width = costs->plan_width;
	make_targetlists(targetlist, varno, &scan->scan.plan.targetlist,
					 &scan->custom_scan_tlist);
	scan->custom_private = list_make1(info);
	scan->methods = &scan_methods;
	return scan;
}

PlannedStmt *
pfo_scan_make_plan(PlannedStmt *like, List *targetlist, PfoPlanInfo *info,
				   bool backward)
{
	PlannedStmt *stmt = makeNode(PlannedStmt);
	CustomScan *scan = make_scan(like->planTree, targetlist, INDEX_VAR, info);

	scan->flags = backward ? CUSTOMPATH_SUPPORT_BACKWARD_SCAN : 0;
	*stmt = *like;
	/* with types whose change makes a plan cache plan anew, too */
	stmt->relationOids = info->depends;
	stmt->planTree = &scan->scan.plan;
	stmt->subplans = NIL;
	stmt->rewindPlanIDs = NULL;
	stmt->paramExecTypes = NIL;
	stmt->jitFlags = 0;
	pfo_clear_pruning(stmt);
	return stmt;
}

PlannedStmt *
pfo_scan_own_plan(PlannedStmt *ours, PfoPlanInfo *info)
{
	PlannedStmt *stmt = makeNode(PlannedStmt);

	*stmt = *info->child;
	stmt->stmt_location = ours->stmt_location;
	stmt->stmt_len = ours->stmt_len;
	return stmt;
}

Plan *
pfo_scan_put_above(Plan *plan, PfoPlanInfo *info)
{
	CustomScan *scan = make_scan(plan, plan->targetlist, OUTER_VAR, info);

	outerPlan(scan) = plan;
	return &scan->scan.plan;
}
