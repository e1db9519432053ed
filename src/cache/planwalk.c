/*-------------------------------------------------------------------------
 *
 * planwalk.c
 *	  Facts about a finished plan.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "partitioning/partdesc.h"
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

bool
pfo_plan_detach_pending(List *relations)
{
	ListCell   *lc;

	foreach(lc, relations)
	{
		Oid			relid = lfirst_oid(lc);
		Relation	rel;
		bool		pending;

		if (get_rel_relkind(relid) != RELKIND_PARTITIONED_TABLE)
			continue;
		rel = relation_open(relid, NoLock);
		pending = RelationGetPartitionDesc(rel, false)->detached_exist;
		relation_close(rel, NoLock);
		if (pending)
			return true;
	}
	return false;
}
