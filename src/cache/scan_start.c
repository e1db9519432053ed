/*-------------------------------------------------------------------------
 *
 * scan_start.c
 *	  What a run of our CustomScan is to do: give out an entry, or execute the
 *	  statement and perhaps keep what it gives.
 *
 * IN PIECES.  A cursor, a row limit in the protocol or SELECT INTO in PL/pgSQL
 * run the plan up to a number of rows, perhaps several times.  The answer is
 * looked up, and the versions are noted, at the first run; the snapshot is the
 * same for all.  What the child gives is complete if it came to its end, or if
 * it gave as many rows as its shape can give at all.  It is never asked for a
 * row more than was wanted: that could raise an error nobody would have seen.
 * Other commands run between one piece and the next.  After one that changed a
 * setting, what the child gives belongs to no key; after one that changed a
 * definition, it is made of what may be rolled back.  Neither is stored.  A
 * statement that reads settings, or has something folded, is looked up only if
 * its first run is certainly the only one: a hit would go on with the old
 * ones.
 *
 * FAILURE.  What we do beside executing the statement is contained; what
 * cannot be done is a miss with a reason.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/pg_prng.h"
#include "executor/executor.h"
#include "tcop/pquery.h"
#include "utils/memutils.h"
#include "utils/portal.h"

#include "base/compat.h"
#include "base/contain.h"
#include "base/execution.h"
#include "base/guc.h"
#include "base/statement.h"
#include "cache/childplan.h"
#include "cache/counters.h"
#include "cache/messages.h"
#include "cache/planwalk.h"
#include "cache/scan.h"
#include "cache/scan_plan.h"
#include "cache/scan_state.h"
#include "cache/settings.h"

/*
 * The most that a pinned entry's rows may take.  They fit in the buffer of a
 * connection, so a client that stops reading stops after its rows were read.
 */
#define PINNED_ROWS	8192

/*
 * Is a portal being started that others can reach before it is run: one that
 * has a name, or a cursor that DECLARE or a procedural language made?  A loop
 * of PL/pgSQL is fetched from at once; of those who let SPI choose a name, it
 * alone rules out scrolling.  The portal of EXECUTE is named likewise, but is
 * not to be seen.
 */
static bool
is_cursor(const PfoPlanInfo *info)
{
	if (ActivePortal == NULL || ActivePortal->status != PORTAL_DEFINED)
		return false;
	if ((info->cursor_options & CURSOR_OPT_FAST_PLAN) != 0)
		return true;
	if (strncmp(ActivePortal->name, "<unnamed portal ", 16) == 0)
		return ActivePortal->visible &&
			(info->cursor_options & CURSOR_OPT_NO_SCROLL) == 0;
	return ActivePortal->name[0] != '\0';
}

void
pfo_scan_before_start(QueryDesc *queryDesc)
{
	PfoPlanInfo *info = pfo_planinfo_of(queryDesc->plannedstmt->planTree);

	/* here, as a prepared one is planned once; workers start it as well */
	if (queryDesc->operation == CMD_SELECT &&
		pfo_cache_mode != PFO_CACHE_OFF && !pfo_is_nested() &&
		!IsInParallelMode())
		pfo_count(PFO_COUNT_SELECTS, 1);

	if (info == NULL || !is_cursor(info))
		return;
	if (info->child == NULL)
		pfo_childplan_complete(info, queryDesc->sourceText);
	if (!pfo_plan_is_updatable(info->child))
		return;
	pfo_count(PFO_COUNT_BYPASSES, 1);
	pfo_count_reason(PFO_REASON_CURSOR, info->queryid);
	queryDesc->plannedstmt = pfo_scan_own_plan(queryDesc->plannedstmt, info);
}

/* The plan to run on a miss; made now if it was put off. */
static PlannedStmt *
miss_plan(PfoScanState *state)
{
	PfoPlanInfo *info = state->info;

	if (info->child == NULL)
		pfo_childplan_complete(info, state->css.ss.ps.state->es_sourceText);
	return info->child;
}

static void
note_settings(void *arg)
{
	PfoScanState *state = arg;
	PfoHash		values;

	state->settings_known = pfo_settings_hash(&state->settings, &values);
}

static void
init_child(PfoScanState *state)
{
	state->stmt = miss_plan(state);
	if (!pfo_contain(note_settings, state))
		state->settings_known = false;
	state->child = pfo_child_start(state->stmt, state->css.ss.ps.state,
								   state->eflags);
}

/*
 * The child of a cursor is there from its start, since other commands can run
 * before it is fetched from: until then the relations must be in use, so that
 * nobody can truncate or alter them, and functions belong to the user of the
 * start, who may be the owner of a SECURITY DEFINER function.
 */
void
pfo_scan_begin(PfoScanState *state)
{
	if (is_cursor(state->info))
		init_child(state);
}

void
pfo_scan_start_child(PfoScanState *state)
{
	state->source = SOURCE_CHILD;
	if (state->child == NULL)
		init_child(state);
	if (pfo_running != NULL)
		pfo_running->child = pfo_child_planstate(state->child);
}

/* A comparison of settings, as pfo_contain() is told. */
typedef struct Settings
{
	PfoScanState *state;
	bool		same;
} Settings;

static void
compare_settings(void *arg)
{
	Settings   *settings = arg;
	PfoScanState *state = settings->state;
	PfoHash		now;
	PfoHash		values;

	settings->same = state->settings_known &&
		pfo_settings_hash(&now, &values) &&
		pfo_hash_equal(now, state->settings);
}

/* Are the settings those under which the child was initialised? */
static bool
settings_hold(PfoScanState *state)
{
	Settings	settings = {state, false};

	return pfo_contain(compare_settings, &settings) && settings.same;
}

static void
ask_own_definitions(void *arg)
{
	PfoAttempt *attempt = arg;

	attempt->reason = pfo_attempt_own_definitions(attempt);
}

void
pfo_scan_continue(PfoScanState *state, ScanDirection direction)
{
	PfoAttempt *attempt = &state->attempt;

	if (attempt->deps == NULL)
		return;
	/* what is captured is a beginning, and stays one */
	if (direction != ForwardScanDirection)
		attempt->reason = PFO_REASON_INCOMPLETE;
	else if (!pfo_mode_serves(pfo_cache_mode) || !settings_hold(state))
		attempt->reason = PFO_REASON_PIECES;
	else if (!pfo_contain(ask_own_definitions, attempt))
		attempt->reason = PFO_REASON_INTERNAL;
	if (attempt->reason != PFO_REASON_NONE)
		attempt->deps = NULL;
}

/* Count an execution that the cache did not answer. */
void
pfo_scan_count_miss(PfoScanState *state)
{
	PfoAttempt *attempt = &state->attempt;

	pfo_count(attempt->bypassed ? PFO_COUNT_BYPASSES : PFO_COUNT_MISSES, 1);
	if (attempt->reason != PFO_REASON_NONE)
		pfo_count_reason(attempt->reason, state->info->queryid);
	pfo_execution_note_served(attempt->bypassed ? PFO_SERVED_BYPASS :
							  attempt->stored ? PFO_SERVED_STORED :
							  PFO_SERVED_MISS, attempt->reason);
}

static bool
to_be_verified(void)
{
	return pfo_cache_verify > 0 &&
		pg_prng_double(&pg_global_prng_state) < pfo_cache_verify;
}

/* Take the rows out of shared memory, so that the pin can be dropped. */
static void
copy_rows(PfoScanState *state, Size rows_size)
{
	EState	   *estate = state->css.ss.ps.state;
	Size		offsets_size = MAXALIGN(state->nrows * sizeof(uint32));
	char	   *copy;

	copy = MemoryContextAllocExtended(estate->es_query_cxt,
									  offsets_size + rows_size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (copy == NULL)
		return;					/* read it where it is */
	memcpy(copy, state->offsets, state->nrows * sizeof(uint32));
	memcpy(copy + offsets_size, state->rows, rows_size);
	state->offsets = (uint32 *) copy;
	state->rows = copy + offsets_size;
	pfo_scan_drop_pin(state);
}

/* What gives out rows that are stored; the first thing that can fail. */
static void
make_slot(void *arg)
{
	PfoScanState *state = arg;

	if (state->slot == NULL)
		state->slot = ExecInitExtraTupleSlot(state->css.ss.ps.state,
											 ExecGetResultType(&state->css.ss.ps),
											 &TTSOpsMinimalTuple);
}

static void
make_wire(void *arg)
{
	PfoScanState *state = arg;

	state->wire = pfo_wire_make(state->attempt.entry, &state->attempt.client,
								state->slot);
}

/*
 * The bytes to send, if a client is to be sent any; made now at the first hit.
 * That reads catalogs, so not where the plan's run is parallel already.
 */
static PfoForm *
find_wire(PfoScanState *state)
{
	PfoEntry   *entry = state->attempt.entry;
	PfoClient  *client = &state->attempt.client;
	PfoForm    *form = pfo_wire_find(entry, client);

	if (form != NULL || client->portal == NULL ||
		pg_atomic_read_u32(&entry->tuples_only) != 0 ||
		!pfo_contain_catalogs(make_wire, state))
		return form;
	return state->wire;
}

/* To be called once the hit is counted; there is a slot, if one is needed. */
void
pfo_scan_use_entry(PfoScanState *state)
{
	PfoEntry   *entry = state->attempt.entry;
	PfoForm    *form = find_wire(state);

	state->position = -1;
	state->nrows = entry->info.nrows;
	state->cost_ms = entry->info.cost_ms;
	if (form != NULL)
	{
		state->source = SOURCE_WIRE;
		state->wire = form;
	}
	else
	{
		form = pfo_entry_form(entry, PFO_FORM_TUPLES);
		state->source = SOURCE_ENTRY;
		state->rows = pfo_form_rows(form);
		state->offsets = pfo_form_index(form);
	}
	pfo_form_mark_used(form);
	/* what is read in pieces, or by a cursor, may be read much later */
	if (state->source == SOURCE_ENTRY &&
		(form->bytes > PINNED_ROWS || state->limited || state->child != NULL))
		copy_rows(state, form->bytes);
}

void
pfo_scan_leave_wire(PfoScanState *state)
{
	PfoEntry   *entry = state->attempt.entry;

	state->attempt.client = (PfoClient) {NULL};
	if (pfo_entry_form(entry, PFO_FORM_TUPLES) != NULL &&
		pfo_contain(make_slot, state))
		pfo_scan_use_entry(state);
	else
	{
		pfo_scan_drop_pin(state);
		pfo_scan_start_child(state);
	}
}

/* A hit: counted when it is given out. */
void
pfo_scan_count_hit(PfoScanState *state)
{
	PfoEntry   *entry = state->attempt.entry;

	pfo_count(PFO_COUNT_HITS, 1);
	pfo_execution_note_served(PFO_SERVED_HIT, PFO_REASON_NONE);
	pg_atomic_fetch_add_u64(&entry->hits, 1);
	pg_atomic_write_u64(&entry->last_hit,
						(uint64) GetCurrentStatementStartTimestamp());
}

/* The execution does not use the cache. */
static void
bypass(PfoScanState *state, PfoReason reason)
{
	memset(&state->attempt, 0, sizeof(state->attempt));
	state->attempt.bypassed = true;
	state->attempt.reason = reason;
}

/* There is an answer, but it cannot be given out, or is not to be. */
static void
leave_entry(PfoScanState *state, PfoReason reason)
{
	pfo_scan_drop_pin(state);
	state->attempt.bypassed = true;
	state->attempt.reason = reason;
}

/* Where rows are wanted in pieces or backward, none is drawn in advance. */
static bool
may_fill_first(PfoScanState *state)
{
	return !state->limited && (state->eflags & EXEC_FLAG_BACKWARD) == 0;
}

static bool
may_reserve(PfoScanState *state)
{
	return pfo_debug_reserve && may_fill_first(state);
}

static void
begin_capture(void *arg)
{
	PfoScanState *state = arg;
	PfoCapture *capture =
		pfo_capture_begin((Size) pfo_cache_max_result * 1024);

	if (state->attempt.entry != NULL || may_reserve(state))
	{
		make_slot(state);
		state->fill_first = true;
	}
	state->capture = capture;
}

/* Capture the rows that the child is about to give. */
static void
capture(PfoScanState *state)
{
	if (pfo_contain(begin_capture, state))
		return;
	state->capture = NULL;
	state->fill_first = false;
	leave_entry(state, PFO_REASON_INTERNAL);
}

/* May what the child gives be stored? */
static bool
may_store(PfoScanState *state)
{
	PfoAttempt *attempt = &state->attempt;

	if (attempt->bypassed ||
		!pfo_attempt_prepare_store(attempt,
								   state->limited ? &state->max_rows : NULL))
		return false;
	if (!pfo_messages_watch())
	{
		attempt->reason = PFO_REASON_MESSAGES;
		return false;
	}
	state->messages = pfo_messages_sent();
	return true;
}

/*
 * Is this run certainly the only one?  Where rows are wanted in pieces, only
 * of a statement that SPI runs without a portal, as SELECT INTO.
 */
static bool
is_single_run(PfoScanState *state, QueryDesc *queryDesc)
{
	if (!state->limited)
		return (state->eflags & (EXEC_FLAG_BACKWARD | EXEC_FLAG_REWIND)) == 0;
	return queryDesc->dest->mydest == DestSPI &&
		(ActivePortal == NULL || ActivePortal->queryDesc != queryDesc);
}

/* Are the rows of its entry given out one by one? */
static bool
needs_slot(const PfoAttempt *attempt)
{
	return pfo_wire_find(attempt->entry, &attempt->client) == NULL;
}

/*
 * Can what the statement asks the session for have changed since the child was
 * initialised, which prunes partitions, or change before the last row?
 */
static bool
is_in_pieces(PfoScanState *state, QueryDesc *queryDesc)
{
	const PfoPlanInfo *info = state->info;

	if ((info->folded != NIL || info->reads_settings) &&
		!is_single_run(state, queryDesc))
		return true;
	return state->child != NULL &&
		(info->folded != NIL || !settings_hold(state));
}

void
pfo_scan_decide(PfoScanState *state, QueryDesc *queryDesc,
				ScanDirection direction, uint64 count)
{
	EState	   *estate = state->css.ss.ps.state;
	PfoAttempt *attempt = &state->attempt;
	PfoClient	client = {NULL};
	bool		verify = false;

	if (!pfo_mode_serves(pfo_cache_mode))
	{
		pfo_scan_start_child(state);
		return;
	}
	pfo_count(PFO_COUNT_ELIGIBLE, 1);
	state->limited = count != 0;
	if (direction != ForwardScanDirection)
		bypass(state, PFO_REASON_INCOMPLETE);
	else if (is_in_pieces(state, queryDesc))
		bypass(state, PFO_REASON_PIECES);
	else if (estate->es_crosscheck_snapshot != InvalidSnapshot)
		bypass(state, PFO_REASON_SNAPSHOT);
	else
	{
		/*
		 * What is to be compared is planned before the look-up: a plan made
		 * later might know a partition that was attached since.
		 */
		if (may_fill_first(state))
		{
			client = pfo_wire_client(queryDesc);
			verify = to_be_verified();
		}
		if (verify)
			(void) miss_plan(state);
		pfo_attempt_lookup(attempt, state->info, estate->es_snapshot,
						   estate->es_param_list_info,
						   ExecGetResultType(&state->css.ss.ps), client);
	}
	if (attempt->entry != NULL && needs_slot(attempt) &&
		!pfo_contain(make_slot, state))
		leave_entry(state, PFO_REASON_INTERNAL);

	/* an answer is compared with what a plan gives that is no older */
	if (attempt->entry != NULL &&
		!(verify && pfo_entry_form(attempt->entry, PFO_FORM_TUPLES) != NULL &&
		  pfo_attempt_plan_is_current(attempt)))
	{
		pfo_scan_count_hit(state);
		pfo_scan_use_entry(state);
		return;
	}

	pfo_scan_start_child(state);
	if (attempt->entry != NULL || may_store(state))
		capture(state);
	if (state->capture == NULL)
		pfo_scan_count_miss(state);
}
