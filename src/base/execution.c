/*-------------------------------------------------------------------------
 *
 * execution.c
 *	  Measuring executions.
 *
 * An execution is known by its QueryDesc from ExecutorStart to ExecutorEnd;
 * cursors make that several at a time.  Each run of it, ExecutorRun and
 * ExecutorFinish, adds the time and the blocks that passed, those of nested
 * statements included.  ExecutorStart and ExecutorEnd are not in it: so does
 * pg_stat_statements, whose numbers these can be compared with.
 *
 * MEMORY.  In the executor's own context, with a callback that forgets the
 * execution when an error took that away without ExecutorEnd.
 *
 * CAVEATS.  Of a planning it is known which statement it is of, not for which
 * execution: the next one of that statement is given its time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"

#include "base/compat.h"
#include "base/execution.h"
#include "base/statement.h"

PfoExecution *pfo_running = NULL;

/* those that were started and have not ended, the latest first */
static PfoExecution *latest = NULL;

/*
 * The planning that nobody has executed yet.  Plan caches run copies of plans,
 * so they are told by the query id; by themselves if there is none.
 */
static const PlannedStmt *last_plan = NULL;
static uint64 last_plan_id = 0;
static uint64 last_plan_ns = 0;
static PfoReason last_plan_reason = PFO_REASON_NONE;

/* of the planning that is going on */
static PfoReason passed_over = PFO_REASON_NONE;

bool
pfo_executions_wanted(void)
{
	return !IsParallelWorker();
}

PfoExecution *
pfo_execution_of(const QueryDesc *queryDesc)
{
	PfoExecution *execution = latest;

	while (execution != NULL && execution->query != queryDesc)
		execution = execution->older;
	return execution;
}

static void
forget(void *arg)
{
	PfoExecution **link = &latest;

	while (*link != NULL && *link != arg)
		link = &(*link)->older;
	if (*link != NULL)
		*link = (*link)->older;
}

void
pfo_execution_started(QueryDesc *queryDesc)
{
	PlannedStmt *stmt = queryDesc->plannedstmt;
	PfoExecution *execution;

	execution = MemoryContextAllocZero(queryDesc->estate->es_query_cxt,
									   sizeof(PfoExecution));
	execution->query = queryDesc;
	execution->queryid = stmt->queryId;
	execution->userid = GetUserId();
	execution->top = !pfo_is_nested() && !pfo_is_explaining();
	if (!pfo_is_nested())
		execution->started = GetCurrentStatementStartTimestamp();
	execution->text = queryDesc->sourceText;
	execution->location = stmt->stmt_location;
	execution->len = stmt->stmt_len;
	if (last_plan != NULL && stmt->queryId == last_plan_id &&
		(last_plan_id != 0 || stmt == last_plan))
	{
		execution->planned = true;
		execution->plan_ns = last_plan_ns;
		execution->reason = last_plan_reason;
		if (last_plan_reason != PFO_REASON_NONE)
			execution->served = PFO_SERVED_BYPASS;
		last_plan = NULL;
	}
	execution->older = latest;
	latest = execution;
	execution->forget.func = forget;
	execution->forget.arg = execution;
	MemoryContextRegisterResetCallback(queryDesc->estate->es_query_cxt,
									   &execution->forget);
}

PfoExecution *
pfo_execution_runs(PfoExecution *execution)
{
	PfoExecution *before = pfo_running;

	pfo_running = execution;
	if (execution != NULL)
	{
		execution->buffers_before = pgBufferUsage;
		execution->wal_before = pgWalUsage;
		INSTR_TIME_SET_CURRENT(execution->start);
	}
	return before;
}

void
pfo_execution_ran(PfoExecution *execution, PfoExecution *before)
{
	instr_time	spent;

	pfo_running = before;
	if (execution == NULL)
		return;
	INSTR_TIME_SET_CURRENT(spent);
	INSTR_TIME_SUBTRACT(spent, execution->start);
	execution->ran = true;
	execution->exec_ns += PFO_INSTR_TIME_NS(spent);
	BufferUsageAccumDiff(&execution->buffers, &pgBufferUsage,
						 &execution->buffers_before);
	WalUsageAccumDiff(&execution->wal, &pgWalUsage, &execution->wal_before);
}

void
pfo_execution_ended(PfoExecution *execution)
{
	forget(execution);
}

void
pfo_execution_planned(const PlannedStmt *stmt, uint64 ns)
{
	last_plan = pfo_is_explaining() ? NULL : stmt;
	last_plan_id = stmt->queryId;
	last_plan_ns = ns;
	last_plan_reason = passed_over;
	passed_over = PFO_REASON_NONE;
}

void
pfo_execution_passed_over(PfoReason reason)
{
	passed_over = reason;
}

void
pfo_execution_of_utility(PfoExecution *execution, PlannedStmt *stmt,
						 const char *text)
{
	memset(execution, 0, sizeof(PfoExecution));
	execution->queryid = pfo_query_id_of_utility(stmt, text);
	execution->userid = GetUserId();
	execution->top = !pfo_is_nested();
	if (!pfo_is_nested())
		execution->started = GetCurrentStatementStartTimestamp();
	execution->utility = true;
	execution->only_waits = IsA(stmt->utilityStmt, LockStmt);
	execution->text = text;
	execution->location = stmt->stmt_location;
	execution->len = stmt->stmt_len;
}

uint64
pfo_rows_of_utility(const QueryCompletion *qc)
{
	if (qc == NULL)
		return 0;
	switch (qc->commandTag)
	{
		case CMDTAG_COPY:
		case CMDTAG_FETCH:
		case CMDTAG_SELECT:
		case CMDTAG_REFRESH_MATERIALIZED_VIEW:
			return qc->nprocessed;
		default:
			return 0;
	}
}
