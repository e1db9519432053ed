/*-------------------------------------------------------------------------
 *
 * child.c
 *	  Running the statement itself, below our node.
 *
 * The child runs in an EState of its own, so that on a hit nothing of it is
 * initialised, subplans included, and so that a plan made at run time has
 * its own range table (parallel workers are sent es_plannedstmt).  There is
 * no second QueryDesc: other extensions' executor hooks would count the
 * statement twice.  The snapshot is the outer one's and is not registered
 * again.  Permissions of relations were checked by the outer start.
 *
 * What standard_ExecutorStart, InitPlan and ExecEndPlan do, pfo_child_start
 * and pfo_child_end do for the case of a SELECT without row locks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"

#include "base/compat.h"
#include "cache/child.h"

struct PfoChild
{
	EState	   *outer;
	EState	   *estate;
	PlanState  *planstate;
	JunkFilter *junk;
};

static JunkFilter *
junk_filter(Plan *plan, EState *estate)
{
	ListCell   *lc;

	foreach(lc, plan->targetlist)
	{
		if (lfirst_node(TargetEntry, lc)->resjunk)
			return ExecInitJunkFilter(plan->targetlist,
									  ExecInitExtraTupleSlot(estate, NULL,
															 &TTSOpsVirtual));
	}
	return NULL;
}

PfoChild *
pfo_child_start(PlannedStmt *stmt, EState *outer, int eflags)
{
	MemoryContext old = MemoryContextSwitchTo(outer->es_query_cxt);
	PfoChild   *child = palloc0(sizeof(PfoChild));
	EState	   *estate = CreateExecutorState();
	ListCell   *lc;
	int			i = 1;

	child->outer = outer;
	child->estate = estate;
	MemoryContextSwitchTo(estate->es_query_cxt);

	estate->es_param_list_info = outer->es_param_list_info;
	if (stmt->paramExecTypes != NIL)
		estate->es_param_exec_vals =
			palloc0(list_length(stmt->paramExecTypes) * sizeof(ParamExecData));
	estate->es_sourceText = outer->es_sourceText;
	estate->es_queryEnv = outer->es_queryEnv;
	estate->es_snapshot = outer->es_snapshot;
	estate->es_crosscheck_snapshot = outer->es_crosscheck_snapshot;
	estate->es_output_cid = outer->es_output_cid;
	estate->es_top_eflags = eflags;
	estate->es_instrument = outer->es_instrument;
	estate->es_jit_flags = stmt->jitFlags;
	estate->es_plannedstmt = stmt;
	pfo_init_range_table(estate, stmt);

	foreach(lc, stmt->subplans)
	{
		int			sp_eflags = eflags & (EXEC_FLAG_EXPLAIN_ONLY |
										  EXEC_FLAG_WITH_NO_DATA);

		if (bms_is_member(i++, stmt->rewindPlanIDs))
			sp_eflags |= EXEC_FLAG_REWIND;
		estate->es_subplanstates = lappend(estate->es_subplanstates,
										   ExecInitNode((Plan *) lfirst(lc),
														estate, sp_eflags));
	}
	child->planstate = ExecInitNode(stmt->planTree, estate, eflags);
	child->junk = junk_filter(stmt->planTree, estate);

	MemoryContextSwitchTo(old);
	return child;
}

TupleTableSlot *
pfo_child_next(PfoChild *child)
{
	EState	   *estate = child->estate;
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	TupleTableSlot *slot;

	/* decided by the outer ExecutorRun, which also enters parallel mode */
	estate->es_direction = child->outer->es_direction;
	estate->es_use_parallel_mode = child->outer->es_use_parallel_mode;

	ResetPerTupleExprContext(estate);
	slot = ExecProcNode(child->planstate);
	if (child->junk != NULL && !TupIsNull(slot))
		slot = ExecFilterJunk(child->junk, slot);

	MemoryContextSwitchTo(old);
	return slot;
}

void
pfo_child_rescan(PfoChild *child)
{
	MemoryContext old = MemoryContextSwitchTo(child->estate->es_query_cxt);

	ExecReScan(child->planstate);
	MemoryContextSwitchTo(old);
}

void
pfo_child_shutdown(PfoChild *child)
{
	(void) ExecShutdownNode(child->planstate);
}

void
pfo_child_end(PfoChild *child)
{
	EState	   *estate = child->estate;
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	ListCell   *lc;

	ExecEndNode(child->planstate);
	foreach(lc, estate->es_subplanstates)
		ExecEndNode((PlanState *) lfirst(lc));
	ExecResetTupleTable(estate->es_tupleTable, false);
	ExecCloseRangeTableRelations(estate);
	MemoryContextSwitchTo(old);
	FreeExecutorState(estate);
}

PlanState *
pfo_child_planstate(const PfoChild *child)
{
	return child->planstate;
}
