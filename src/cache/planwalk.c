/*-------------------------------------------------------------------------
 *
 * planwalk.c
 *	  Facts about a finished plan.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "cache/planwalk.h"

typedef struct Indexes
{
	Oid		   *oids;
	int			n;
} Indexes;

static void
add_index(Indexes *indexes, Oid index)
{
	for (int i = 0; i < indexes->n; i++)
	{
		if (indexes->oids[i] == index)
			return;
	}
	if (indexes->n < PFO_MAX_INDEXES)
		indexes->oids[indexes->n++] = index;
}

static void walk(Plan *plan, Indexes *indexes);

static void
walk_list(List *plans, Indexes *indexes)
{
	ListCell   *lc;

	foreach(lc, plans)
		walk((Plan *) lfirst(lc), indexes);
}

static void
walk(Plan *plan, Indexes *indexes)
{
	if (plan == NULL)
		return;
	check_stack_depth();

	switch (nodeTag(plan))
	{
		case T_IndexScan:
			add_index(indexes, ((IndexScan *) plan)->indexid);
			break;
		case T_IndexOnlyScan:
			add_index(indexes, ((IndexOnlyScan *) plan)->indexid);
			break;
		case T_BitmapIndexScan:
			add_index(indexes, ((BitmapIndexScan *) plan)->indexid);
			break;
		case T_Append:
			walk_list(((Append *) plan)->appendplans, indexes);
			break;
		case T_MergeAppend:
			walk_list(((MergeAppend *) plan)->mergeplans, indexes);
			break;
		case T_BitmapAnd:
			walk_list(((BitmapAnd *) plan)->bitmapplans, indexes);
			break;
		case T_BitmapOr:
			walk_list(((BitmapOr *) plan)->bitmapplans, indexes);
			break;
		case T_SubqueryScan:
			walk(((SubqueryScan *) plan)->subplan, indexes);
			break;
		case T_CustomScan:
			walk_list(((CustomScan *) plan)->custom_plans, indexes);
			break;
		default:
			break;
	}
	walk(plan->lefttree, indexes);
	walk(plan->righttree, indexes);
}

int
pfo_plan_indexes(PlannedStmt *stmt, Oid *oids)
{
	Indexes		indexes = {oids, 0};

	walk(stmt->planTree, &indexes);
	walk_list(stmt->subplans, &indexes);
	return indexes.n;
}

/*
 * Does the scan look for one value in each column of a unique index?  One that
 * is checked at commit only can hold duplicates until then.
 */
static bool
is_unique_lookup(Oid indexid, List *quals)
{
	Relation	index = index_open(indexid, NoLock);
	int			ncolumns = IndexRelationGetNumberOfKeyAttributes(index);
	Bitmapset  *found = NULL;
	bool		unique;
	ListCell   *lc;

	unique = index->rd_index->indisunique && index->rd_index->indimmediate &&
		index->rd_index->indisvalid;
	foreach(lc, quals)
	{
		OpExpr	   *qual = lfirst(lc);
		Var		   *column;
		Oid			opfamily;

		if (!IsA(qual, OpExpr))
			continue;
		column = linitial(qual->args);
		if (IsA(column, RelabelType))
			column = (Var *) ((RelabelType *) column)->arg;
		if (!IsA(column, Var) || column->varno != INDEX_VAR ||
			column->varattno > ncolumns)
			continue;
		opfamily = index->rd_opfamily[column->varattno - 1];
		if (get_op_opfamily_strategy(qual->opno, opfamily) ==
			BTEqualStrategyNumber)
			found = bms_add_member(found, column->varattno);
	}
	unique = unique && bms_num_members(found) == ncolumns;
	index_close(index, NoLock);
	return unique;
}

static uint64
limit_rows(Limit *limit, uint64 rows)
{
	Const	   *count = (Const *) limit->limitCount;

	if (count == NULL || !IsA(count, Const) || count->constisnull ||
		limit->limitOption != LIMIT_OPTION_COUNT)
		return rows;
	return Min(rows, (uint64) Max(DatumGetInt64(count->constvalue), 0));
}

static uint64
product(uint64 a, uint64 b)
{
	if (a == 0 || b == 0)
		return 0;
	return a > PG_UINT64_MAX / b ? PG_UINT64_MAX : a * b;
}

static uint64
join_rows(Join *join, uint64 outer, uint64 inner)
{
	switch (join->jointype)
	{
		case JOIN_INNER:
			return product(outer, inner);
		case JOIN_LEFT:
			return product(outer, Max(inner, 1));
		case JOIN_SEMI:
		case JOIN_ANTI:
			return outer;
		default:
			return PG_UINT64_MAX;
	}
}

static uint64
max_rows(Plan *plan)
{
	check_stack_depth();

	switch (nodeTag(plan))
	{
		case T_Agg:
			if (((Agg *) plan)->aggstrategy == AGG_PLAIN &&
				((Agg *) plan)->groupingSets == NIL)
				return 1;
			return ((Agg *) plan)->groupingSets == NIL ?
				max_rows(outerPlan(plan)) : PG_UINT64_MAX;
		case T_Result:
			return outerPlan(plan) ? max_rows(outerPlan(plan)) : 1;
		case T_Sort:
		case T_IncrementalSort:
		case T_Material:
		case T_Unique:
		case T_Group:
		case T_WindowAgg:
			return max_rows(outerPlan(plan));
		case T_Limit:
			return limit_rows((Limit *) plan, max_rows(outerPlan(plan)));
		case T_SubqueryScan:
			return max_rows(((SubqueryScan *) plan)->subplan);
		case T_NestLoop:
		case T_HashJoin:
		case T_MergeJoin:
			/* the inner side of a hash join is below its Hash */
			return join_rows((Join *) plan, max_rows(outerPlan(plan)),
							 max_rows(innerPlan(plan)));
		case T_Hash:
			return max_rows(outerPlan(plan));
		case T_IndexScan:
			return is_unique_lookup(((IndexScan *) plan)->indexid,
									((IndexScan *) plan)->indexqual) ?
				1 : PG_UINT64_MAX;
		case T_IndexOnlyScan:
			return is_unique_lookup(((IndexOnlyScan *) plan)->indexid,
									((IndexOnlyScan *) plan)->indexqual) ?
				1 : PG_UINT64_MAX;
		default:
			return PG_UINT64_MAX;
	}
}

uint64
pfo_plan_max_rows(PlannedStmt *stmt)
{
	return max_rows(stmt->planTree);
}

/* As search_plan_tree() in execCurrent.c, but for which table. */
static bool
is_updatable(Plan *plan)
{
	ListCell   *lc;

	if (plan == NULL)
		return false;
	check_stack_depth();

	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_ForeignScan:
		case T_CustomScan:
			return true;
		case T_Append:
			foreach(lc, ((Append *) plan)->appendplans)
			{
				if (is_updatable(lfirst(lc)))
					return true;
			}
			return false;
		case T_Result:
		case T_Limit:
			return is_updatable(outerPlan(plan));
		case T_SubqueryScan:
			return is_updatable(((SubqueryScan *) plan)->subplan);
		default:
			return false;
	}
}

bool
pfo_plan_is_updatable(PlannedStmt *stmt)
{
	return is_updatable(stmt->planTree);
}
