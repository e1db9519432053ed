/*-------------------------------------------------------------------------
 *
 * scan_explain.c
 *	  What EXPLAIN shows of a cached statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/explain.h"
#include "executor/executor.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/contain.h"
#include "base/guc.h"
#include "cache/child.h"
#include "cache/childplan.h"
#include "cache/planwalk.h"
#include "cache/scan.h"
#include "cache/scan_plan.h"
#include "cache/scan_state.h"

/* An explanation, as pfo_contain_catalogs() is told. */
typedef struct Explaining
{
	PfoPlanInfo *info;
	QueryDesc  *queryDesc;
	bool		shown;
} Explaining;

/* Does the cache hold the answer, or would it keep the next one? */
static void
see_if_shown(void *arg)
{
	Explaining *explaining = arg;
	PfoPlanInfo *info = explaining->info;
	QueryDesc  *queryDesc = explaining->queryDesc;
	TupleDesc	desc = ExecCleanTypeFromTL(info->child->planTree->targetlist);
	PfoScanState *state = pfo_scan_state_of(info);
	PfoAttempt *attempt = &state->attempt;

	/* the pin is dropped with the current context in case of an error */
	state->drop_pin.func = pfo_scan_drop_pin;
	state->drop_pin.arg = state;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &state->drop_pin);
	pfo_attempt_explain(attempt, info, queryDesc->snapshot, queryDesc->params,
						desc);
	explaining->shown = attempt->entry != NULL || attempt->wanted;
	pfo_scan_drop_pin(state);
}

static bool
is_shown(PfoPlanInfo *info, QueryDesc *queryDesc)
{
	Explaining	explaining = {info, queryDesc, false};

	/* EXPLAIN DECLARE of a cursor that gets its own plan, see scan_start.c */
	if ((info->cursor_options & CURSOR_OPT_FAST_PLAN) != 0 &&
		pfo_plan_is_updatable(info->child))
		return false;
	return pfo_contain_catalogs(see_if_shown, &explaining) &&
		explaining.shown;
}

/*
 * EXPLAIN gets the statement's own plan in place of ours, below a node that
 * says what the cache would do if the cache holds or admits the statement.
 */
void
pfo_scan_before_explain(QueryDesc *queryDesc)
{
	PlannedStmt *ours = queryDesc->plannedstmt;
	PfoPlanInfo *info = pfo_planinfo_of(ours->planTree);
	PlannedStmt *stmt;

	if (info == NULL)
		return;
	if (info->child == NULL)
		pfo_childplan_complete(info, queryDesc->sourceText);
	stmt = pfo_scan_own_plan(ours, info);
	if (pfo_explain && pfo_mode_serves(pfo_cache_mode) &&
		is_shown(info, queryDesc))
		stmt->planTree = pfo_scan_put_above(stmt->planTree, info);
	queryDesc->plannedstmt = stmt;
}

/*
 * What was executed below our node, for those who explain a statement after
 * it ran.  It has a range table and subplans of its own, hence it is explained
 * as a plan of its own.  The settings and the query id belong to the whole.
 */
static void
explain_child(PfoScanState *state, ExplainState *es)
{
	ExplainState saved = *es;
	PlannedStmt stmt = *state->stmt;
	QueryDesc	queryDesc = {0};

	stmt.queryId = 0;
	queryDesc.plannedstmt = &stmt;
	queryDesc.planstate = pfo_child_planstate(state->child);
	es->settings = false;
	ExplainPrintPlan(es, &queryDesc);
	*es = saved;
}

void
pfo_scan_explain(CustomScanState *css, List *ancestors, ExplainState *es)
{
	PfoScanState *state = (PfoScanState *) css;
	EState	   *estate = css->ss.ps.state;
	PfoAttempt *attempt = &state->attempt;

	if (!state->explaining)
	{
		ExplainPropertyText("Result Cache",
							pfo_scan_is_hit(state) ? "hit" : "miss", es);
		/* that of a cursor is there also where nothing was executed */
		if (state->child != NULL &&
			(!pfo_scan_is_hit(state) || state->capture != NULL))
			explain_child(state, es);
		return;
	}
	pfo_attempt_explain(attempt, state->info, estate->es_snapshot,
						estate->es_param_list_info,
						ExecGetResultType(&css->ss.ps));
	if (attempt->entry != NULL)
	{
		PfoEntryInfo *info = &attempt->entry->info;

		ExplainPropertyText("Result Cache", "would be served", es);
		ExplainPropertyInteger("Cached Rows", NULL, info->nrows, es);
		if (es->timing || !es->analyze)
		{
			ExplainPropertyFloat("Cached Age", "s",
								 (GetCurrentTimestamp() - info->created) / 1e6,
								 0, es);
			ExplainPropertyFloat("Would Save", "ms", info->cost_ms, 3, es);
		}
	}
	else
	{
		ExplainPropertyText("Result Cache", "would be executed", es);
		/* nothing but that there is no answer yet: the next one is wanted */
		if (attempt->reason != PFO_REASON_COLD)
			ExplainPropertyText("Reason", pfo_reason_name(attempt->reason),
								es);
	}
	pfo_scan_drop_pin(state);
}
