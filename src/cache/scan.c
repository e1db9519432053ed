/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  The CustomScan at the top of a cached statement's plan.
 *
 * What a run is to do is decided in scan_start.c, when it begins: only then
 * the row limit and the destination are known.  The node has one of these
 * sources:
 *
 *	SOURCE_ENTRY	the rows of an entry: a small one stays pinned and is read
 *					in shared memory; a larger one is copied and unpinned,
 *					since a client that stops reading would keep it for ever,
 *					and so is that of a cursor
 *	SOURCE_WIRE		the same rows as the bytes to send, all at once (wire.c)
 *	SOURCE_CHILD	the statement itself, its rows perhaps captured
 *	SOURCE_REPLAY	rows captured before any was given out: for verifying and
 *					for debug_reserve, when the entry is not to be used
 *
 * On a hit the child is not initialised, and if it was never planned, not
 * planned either.  A plan made at a miss is kept in the memory of the plan
 * that our node belongs to, so that a prepared statement makes it once.
 *
 * MEMORY.  The state and its pin live in the executor's query context; a
 * callback of that context drops the pin however the query ends.  Capturing
 * is bounded by perfopt.cache_max_result.
 *
 * FAILURE.  What we do beside executing the statement is contained; what
 * cannot be done is a miss with a reason.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "executor/instrument.h"
#include "portability/instr_time.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/contain.h"
#include "base/execution.h"
#include "base/guc.h"
#include "base/marks.h"
#include "cache/capture.h"
#include "cache/cheap.h"
#include "cache/child.h"
#include "cache/compare.h"
#include "cache/counters.h"
#include "cache/lookup.h"
#include "cache/messages.h"
#include "cache/policy.h"
#include "cache/publish.h"
#include "cache/scan.h"
#include "cache/scan_state.h"

static void begin(CustomScanState *css, EState *estate, int eflags);
static TupleTableSlot *next_row(CustomScanState *css);
static void end(CustomScanState *css);
static void rescan(CustomScanState *css);
static void shutdown(CustomScanState *css);

static const CustomExecMethods exec_methods = {
	.CustomName = "perfopt",
	.BeginCustomScan = begin,
	.ExecCustomScan = next_row,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
	.ShutdownCustomScan = shutdown,
	.ExplainCustomScan = pfo_scan_explain
};

/* ----------------------------------------------------------------
 *						starting
 * ----------------------------------------------------------------
 */

PfoScanState *
pfo_scan_state_of(PfoPlanInfo *info)
{
	PfoScanState *state = (PfoScanState *) newNode(sizeof(PfoScanState),
												   T_CustomScanState);

	state->css.methods = &exec_methods;
	state->info = info;
	return state;
}

Node *
pfo_scan_create_state(CustomScan *scan)
{
	return (Node *) pfo_scan_state_of(linitial(scan->custom_private));
}

void
pfo_scan_drop_pin(void *arg)
{
	PfoScanState *state = arg;

	if (state->attempt.entry != NULL)
		pfo_store_unpin(state->attempt.entry);
	state->attempt.entry = NULL;
}

static void
begin(CustomScanState *css, EState *estate, int eflags)
{
	PfoScanState *state = (PfoScanState *) css;
	Plan	   *outer = outerPlan(css->ss.ps.plan);

	state->eflags = eflags;
	state->position = -1;
	state->drop_pin.func = pfo_scan_drop_pin;
	state->drop_pin.arg = state;
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &state->drop_pin);

	/* made by pfo_scan_before_explain() */
	if (outer != NULL)
	{
		state->explaining = true;
		outerPlanState(css) = ExecInitNode(outer, estate, eflags);
	}
	else
		pfo_scan_begin(state);
}

static PfoScanState *
state_of(QueryDesc *queryDesc)
{
	PlanState  *planstate = queryDesc->planstate;

	if (planstate == NULL || !IsA(planstate, CustomScanState) ||
		((CustomScanState *) planstate)->methods != &exec_methods)
		return NULL;
	return (PfoScanState *) planstate;
}

void
pfo_scan_before_run(QueryDesc *queryDesc, ScanDirection direction,
					uint64 count)
{
	PfoScanState *state = state_of(queryDesc);
	MemoryContext old;

	if (state == NULL || state->explaining ||
		ScanDirectionIsNoMovement(direction))
		return;
	INSTR_TIME_SET_CURRENT(state->start);
	if (state->source != SOURCE_UNDECIDED)
	{
		pfo_scan_continue(state, direction);
		return;
	}

	state->stmt_location = queryDesc->plannedstmt->stmt_location;
	state->stmt_len = queryDesc->plannedstmt->stmt_len;
	old = MemoryContextSwitchTo(queryDesc->estate->es_query_cxt);
	pfo_scan_decide(state, queryDesc, direction, count);
	MemoryContextSwitchTo(old);
}

/* ----------------------------------------------------------------
 *						running
 * ----------------------------------------------------------------
 */

/* In milliseconds, without what passed between one run and the next. */
static double
time_spent(PfoScanState *state)
{
	instr_time	spent;

	INSTR_TIME_SET_CURRENT(spent);
	INSTR_TIME_SUBTRACT(spent, state->start);
	return state->spent_ms + INSTR_TIME_GET_MILLISEC(spent);
}

/* The last row is given out: account for what that saved. */
static void
finish_hit(PfoScanState *state)
{
	PfoEntry   *entry = state->attempt.entry;
	double		saved_ms;
	uint64		saved_us;

	state->finished = true;
	saved_ms = Max(state->cost_ms - time_spent(state), 0);
	saved_us = (uint64) (saved_ms * 1000);
	pfo_count(PFO_COUNT_SAVED_US, saved_us);
	pfo_policy_served(state->info->queryid, saved_ms);
	if (pfo_running != NULL)
		pfo_running->saved_ms = saved_ms;
	if (entry != NULL)
		pg_atomic_fetch_add_u64(&entry->saved_us, saved_us);
	else if ((entry = pfo_store_lookup(&state->attempt.key)) != NULL)
	{
		/* the rows were copied, and the entry was let go */
		pg_atomic_fetch_add_u64(&entry->saved_us, saved_us);
		pfo_store_unpin(entry);
	}
}

static TupleTableSlot *
next_of_entry(PfoScanState *state)
{
	int64		nrows = state->nrows;
	bool		forward;

	forward = !ScanDirectionIsBackward(state->css.ss.ps.state->es_direction);
	state->position += forward ? 1 : -1;
	if (state->position < 0 || state->position >= nrows)
	{
		state->position = forward ? nrows : -1;
		if (forward && !state->finished)
			finish_hit(state);
		return ExecClearTuple(state->slot);
	}
	return ExecStoreMinimalTuple((MinimalTuple)
								 (state->rows + state->offsets[state->position]),
								 state->slot, false);
}

/* All of the rows at once, which the executor then need not be given. */
static TupleTableSlot *
next_of_wire(PfoScanState *state)
{
	PlanState  *ps = &state->css.ss.ps;

	if (state->finished)
		return NULL;
	pfo_wire_send(state->wire, pfo_scan_drop_pin, state);
	ps->state->es_processed += state->nrows;
	if (ps->instrument != NULL)
		InstrUpdateTupleCount(ps->instrument, state->nrows);
	pfo_count(PFO_COUNT_WIRE_HITS, 1);
	finish_hit(state);
	pfo_scan_drop_pin(state);
	return NULL;
}

static PfoReason
why_overflowed(const PfoCapture *capture)
{
	return capture->out_of_memory ? PFO_REASON_NO_MEMORY :
		PFO_REASON_TOO_LARGE;
}

static void
publish(void *arg)
{
	PfoScanState *state = arg;
	PfoAttempt *attempt = &state->attempt;

	if (!pfo_publish(attempt, state->capture,
					 ExecGetResultType(&state->css.ss.ps), state->cost_ms,
					 state->css.ss.ps.state->es_sourceText,
					 state->stmt_location, state->stmt_len))
		attempt->reason = PFO_REASON_NO_MEMORY;
	else
		attempt->stored = true;
}

/* The child has given its last row: record it, and store it if it may be. */
static void
finish_child(PfoScanState *state)
{
	PfoAttempt *attempt = &state->attempt;

	state->finished = true;
	state->cost_ms = time_spent(state) + state->info->plan_ms;
	state->info->plan_ms = 0;	/* a plan that is kept is made once */
	if (pfo_cache_mode == PFO_CACHE_AUTO &&
		pfo_cheap_ran(state->info->queryid, state->cost_ms) &&
		!state->info->asked)
		pfo_make_anew(pfo_mark_of(&state->info->skeleton));
	if (pfo_mode_serves(pfo_cache_mode) && !attempt->bypassed)
		pfo_policy_executed(state->info->queryid, state->cost_ms, false);
	if (state->capture == NULL || attempt->deps == NULL)
		return;

	if (state->capture->overflowed)
		attempt->reason = why_overflowed(state->capture);
	else if (pfo_messages_sent() != state->messages)
		attempt->reason = PFO_REASON_MESSAGES;
	else if (!pfo_attempt_values_hold(attempt))
		attempt->reason = PFO_REASON_CATALOG_CHANGED;
	else if (pfo_cache_mode == PFO_CACHE_AUTO && !state->info->asked &&
			 state->cost_ms < pfo_cache_min_time)
		attempt->reason = PFO_REASON_CHEAP;
	else if (!pfo_contain(publish, state))
		attempt->reason = PFO_REASON_INTERNAL;
	attempt->deps = NULL;
}

static void
finish_child_counted(PfoScanState *state)
{
	finish_child(state);
	if (state->capture != NULL)
		pfo_scan_count_miss(state);
}

static TupleTableSlot *
next_of_child(PfoScanState *state)
{
	TupleTableSlot *slot = pfo_child_next(state->child);

	if (state->finished ||
		ScanDirectionIsBackward(state->css.ss.ps.state->es_direction))
		return slot;
	if (TupIsNull(slot))
		finish_child_counted(state);
	else if (state->capture != NULL && state->attempt.deps != NULL)
	{
		state->given++;
		if (!pfo_capture_slot(state->capture, slot))
		{
			/* too large: what follows costs nothing any more */
			state->attempt.deps = NULL;
			state->attempt.reason = why_overflowed(state->capture);
		}
	}
	return slot;
}

static TupleTableSlot *
next_of_replay(PfoScanState *state)
{
	while (state->chunk != NULL && state->chunk_at >= state->chunk->used)
	{
		state->chunk = state->chunk->next;
		state->chunk_at = 0;
	}
	if (state->chunk != NULL)
	{
		MinimalTuple tuple = (MinimalTuple) (state->chunk->data +
											 state->chunk_at);

		state->chunk_at += MAXALIGN(tuple->t_len);
		return ExecStoreMinimalTuple(tuple, state->slot, false);
	}
	if (state->overflow != NULL)
	{
		TupleTableSlot *slot = state->overflow;

		state->overflow = NULL;
		return slot;
	}
	/* the rest, if there was more than fits */
	if (!state->finished)
		return pfo_child_next(state->child);
	return ExecClearTuple(state->slot);
}

/* What is compared, as pfo_contain() is told. */
typedef struct Comparing
{
	PfoScanState *state;
	bool		same;
	uint64		executed;
	uint64		cached;
} Comparing;

static void
compare(void *arg)
{
	Comparing  *comparing = arg;
	PfoScanState *state = comparing->state;

	comparing->same = pfo_compare(state->capture, state->attempt.entry,
								  ExecGetResultType(&state->css.ss.ps),
								  &comparing->executed, &comparing->cached);
}

static void
verify(PfoScanState *state)
{
	PfoAttempt *attempt = &state->attempt;
	Comparing	comparing = {state};

	attempt->reason = why_overflowed(state->capture);
	if (state->capture->overflowed)
		return;
	attempt->reason = PFO_REASON_CATALOG_CHANGED;
	if (!pfo_attempt_values_hold(attempt))
		return;
	attempt->reason = PFO_REASON_INTERNAL;
	if (!pfo_contain(compare, &comparing))
		return;
	pfo_count(PFO_COUNT_VERIFIED, 1);
	if (comparing.same)
	{
		attempt->reason = PFO_REASON_NONE;
		pfo_scan_count_hit(state);
		pfo_scan_use_entry(state);
		return;
	}
	attempt->reason = PFO_REASON_DIFFERED;
	pfo_count(PFO_COUNT_DIFFERENCES, 1);
	pfo_store_remove(attempt->entry);
	if (!pfo_policy_disable(state->info->queryid))
		return;
	ereport(LOG,
			(errmsg("perfopt: a cached answer differed from its execution"),
			 errdetail("Query id " INT64_FORMAT ", executed %u rows " UINT64_FORMAT ", cached %u rows " UINT64_FORMAT ".",
					   state->info->queryid, state->capture->nrows,
					   comparing.executed, attempt->entry->info.nrows,
					   comparing.cached),
			 errhint("The statement is no longer served. Please report it.")));
}

/*
 * Run the child before any row is given out, then choose the source: the
 * entry if it was verified or just stored, else the rows captured.
 */
static void
fill_first(PfoScanState *state)
{
	MemoryContext old =
		MemoryContextSwitchTo(state->css.ss.ps.state->es_query_cxt);

	state->fill_first = false;
	for (;;)
	{
		TupleTableSlot *slot = pfo_child_next(state->child);

		if (TupIsNull(slot))
			break;
		if (!pfo_capture_slot(state->capture, slot))
		{
			state->overflow = slot;
			break;
		}
	}

	state->source = SOURCE_REPLAY;
	state->chunk = state->capture->first;
	if (state->attempt.entry != NULL)
	{
		verify(state);
		if (state->source == SOURCE_REPLAY)
		{
			state->finished = !state->capture->overflowed;
			pfo_scan_count_miss(state);
		}
	}
	else if (!state->capture->overflowed)
	{
		finish_child(state);
		pfo_scan_count_miss(state);
		if (state->attempt.reason == PFO_REASON_NONE &&
			pfo_attempt_again(&state->attempt,
							  ExecGetResultType(&state->css.ss.ps)))
		{
			state->finished = false;
			pfo_scan_count_hit(state);
			pfo_scan_use_entry(state);
		}
	}
	else
	{
		state->attempt.reason = why_overflowed(state->capture);
		pfo_scan_count_miss(state);
	}
	MemoryContextSwitchTo(old);
}

static TupleTableSlot *
next_row(CustomScanState *css)
{
	PfoScanState *state = (PfoScanState *) css;

	if (state->explaining)
		return ExecProcNode(outerPlanState(css));
	if (state->source == SOURCE_UNDECIDED)
	{
		/* run by somebody who calls no hooks */
		INSTR_TIME_SET_CURRENT(state->start);
		pfo_scan_start_child(state);
	}
	if (state->fill_first)
		fill_first(state);

	switch (state->source)
	{
		case SOURCE_ENTRY:
			return next_of_entry(state);
		case SOURCE_WIRE:
			if (state->finished ||
				pfo_wire_client_holds(&state->attempt.client))
				return next_of_wire(state);
			pfo_scan_leave_wire(state);
			return next_row(css);
		case SOURCE_REPLAY:
			return next_of_replay(state);
		default:
			return next_of_child(state);
	}
}

void
pfo_scan_after_run(QueryDesc *queryDesc)
{
	PfoScanState *state = state_of(queryDesc);

	if (state == NULL || state->explaining || state->finished ||
		state->source == SOURCE_UNDECIDED)
		return;
	if (state->source == SOURCE_ENTRY)
		finish_hit(state);
	else if (state->limited && state->capture != NULL &&
			 state->attempt.deps != NULL && state->given >= state->max_rows)
		finish_child_counted(state);
	state->spent_ms = time_spent(state);
}

static void
rescan(CustomScanState *css)
{
	PfoScanState *state = (PfoScanState *) css;

	if (state->explaining)
		ExecReScan(outerPlanState(css));
	else if (state->source == SOURCE_ENTRY)
		state->position = -1;
	else if (state->source != SOURCE_UNDECIDED)
	{
		/* what was captured so far is no whole result */
		state->source = SOURCE_CHILD;
		state->fill_first = false;
		state->attempt.deps = NULL;
		state->overflow = NULL;
		pfo_child_rescan(state->child);
	}
}

static void
shutdown(CustomScanState *css)
{
	PfoScanState *state = (PfoScanState *) css;

	if (state->child != NULL)
		pfo_child_shutdown(state->child);
}

static void
end(CustomScanState *css)
{
	PfoScanState *state = (PfoScanState *) css;

	if (state->explaining)
		ExecEndNode(outerPlanState(css));
	if (state->child != NULL)
	{
		if (state->capture != NULL && !state->finished &&
			state->source == SOURCE_CHILD)
		{
			if (state->attempt.reason == PFO_REASON_NONE)
				state->attempt.reason = PFO_REASON_INCOMPLETE;
			pfo_scan_count_miss(state);
		}
		pfo_child_end(state->child);
		state->child = NULL;
	}
	if (state->capture != NULL)
		pfo_capture_end(state->capture);
	state->capture = NULL;
	pfo_scan_drop_pin(state);
}
