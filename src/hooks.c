/*-------------------------------------------------------------------------
 *
 * hooks.c
 *	  Where PostgreSQL calls perfopt.
 *
 * Every hook of the features is here, so that their order can be read.  A
 * body is a nesting guard, the previous hook, and calls into modules; it
 * holds no logic of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "optimizer/planner.h"
#include "tcop/utility.h"
#include "utils/resowner.h"

#include "base/compat.h"
#include "base/contain.h"
#include "base/execution.h"
#include "base/statement.h"
#include "cache/counters.h"
#include "cache/generation.h"
#include "cache/modified.h"
#include "cache/observe.h"
#include "cache/permissions.h"
#include "cache/plan.h"
#include "cache/policy.h"
#include "cache/scan.h"
#include "cache/scan_plan.h"
#include "cache/versions.h"
#include "hooks.h"
#include "workload/latency.h"
#include "workload/slow.h"
#include "workload/statements.h"

static planner_hook_type prev_planner = NULL;
static ExecutorStart_hook_type prev_executor_start = NULL;
static ExecutorRun_hook_type prev_executor_run = NULL;
static ExecutorFinish_hook_type prev_executor_finish = NULL;
static ExecutorEnd_hook_type prev_executor_end = NULL;
static ProcessUtility_hook_type prev_process_utility = NULL;
static object_access_hook_type prev_object_access = NULL;

/* What would plan without us; functions folded meanwhile are nested. */
static PlannedStmt *
next_planner(Query *query, const char *query_string, int cursor_options,
			 ParamListInfo params)
{
	PlannedStmt *stmt;

	pfo_nesting_level++;
	PG_TRY();
	{
		stmt = (prev_planner ? prev_planner : standard_planner)
			(query, query_string, cursor_options, params);
	}
	PG_FINALLY();
	{
		pfo_nesting_level--;
	}
	PG_END_TRY();
	return stmt;
}

/*
 * What features learn of an execution that has ended or failed.  They neither
 * raise errors nor read catalogs: it may be one that failed.
 */
static void
tell_of(PfoExecution *execution, bool failed)
{
	execution->failed = failed;
	execution->sqlstate = failed ? geterrcode() : 0;
	pfo_slow_executed(execution);
	pfo_statements_executed(execution);
	pfo_latency_executed(execution);
}

/* An execution failed: it will not be ended. */
static void
fail(PfoExecution *execution)
{
	tell_of(execution, true);
	pfo_execution_ended(execution);
}

/* A planning failed, or a start. */
static void
tell_of_failure(uint64 queryid, const char *text, int location, int len,
				uint64 plan_ns)
{
	PfoExecution execution = {.queryid = queryid, .text = text,
	.location = location, .len = len, .plan_ns = plan_ns};

	execution.userid = GetUserId();
	execution.top = !pfo_is_nested() && !pfo_is_explaining();
	tell_of(&execution, true);
}

static PlannedStmt *
measure_planning(PFO_PLANNER_PARAMS)
{
	PlannedStmt *stmt;
	instr_time	start;
	instr_time	spent;
	uint64		queryid = parse->queryId;
	int			location = parse->stmt_location;
	int			len = parse->stmt_len;

	INSTR_TIME_SET_CURRENT(start);
	PG_TRY();
	{
		stmt = pfo_plan(parse, query_string, cursorOptions, boundParams,
						next_planner);
	}
	PG_CATCH();
	{
		INSTR_TIME_SET_CURRENT(spent);
		INSTR_TIME_SUBTRACT(spent, start);
		tell_of_failure(queryid, query_string, location, len,
						PFO_INSTR_TIME_NS(spent));
		PG_RE_THROW();
	}
	PG_END_TRY();
	INSTR_TIME_SET_CURRENT(spent);
	INSTR_TIME_SUBTRACT(spent, start);
	pfo_execution_planned(stmt, PFO_INSTR_TIME_NS(spent));
	return stmt;
}

static PlannedStmt *
planner(PFO_PLANNER_PARAMS)
{
	if (pfo_statements_wanted())
		return measure_planning(PFO_PLANNER_ARGS);
	return pfo_plan(parse, query_string, cursorOptions, boundParams,
					next_planner);
}

static void
next_executor_start(QueryDesc *queryDesc, int eflags)
{
	(prev_executor_start ? prev_executor_start : standard_ExecutorStart)
		(queryDesc, eflags);
}

static void
measure_start(QueryDesc *queryDesc, int eflags)
{
	bool		watched = pfo_slow_watch(queryDesc);

	PG_TRY();
	{
		next_executor_start(queryDesc, eflags);
	}
	PG_CATCH();
	{
		tell_of_failure(queryDesc->plannedstmt->queryId,
						queryDesc->sourceText,
						queryDesc->plannedstmt->stmt_location,
						queryDesc->plannedstmt->stmt_len, 0);
		PG_RE_THROW();
	}
	PG_END_TRY();
	pfo_execution_started(queryDesc);
	pfo_execution_of(queryDesc)->watched = watched;
}

static void
executor_start(QueryDesc *queryDesc, int eflags)
{
	pfo_modified_check_tracking();
	if (pfo_is_explaining())
		pfo_scan_before_explain(queryDesc);
	else
		pfo_scan_before_start(queryDesc);
	if (pfo_statements_wanted() && (eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
		measure_start(queryDesc, eflags);
	else
		next_executor_start(queryDesc, eflags);
}

static void
executor_run(PFO_EXECUTOR_RUN_PARAMS)
{
	instr_time	start;
	bool		observed = pfo_observe_starts(queryDesc, &start);
	int			level = pfo_nesting_level;
	PfoExecution *execution = pfo_execution_of(queryDesc);
	PfoExecution *before = pfo_execution_runs(execution);
	volatile bool ran = false;

	PG_TRY();
	{
		pfo_scan_before_run(queryDesc, direction, count);
		if (execution != NULL)
			pfo_slow_before_run(execution);
		pfo_nesting_level++;
		(prev_executor_run ? prev_executor_run : standard_ExecutorRun)
			(PFO_EXECUTOR_RUN_ARGS);
		ran = true;
	}
	PG_FINALLY();
	{
		pfo_nesting_level = level;
		pfo_execution_ran(execution, before);
		if (execution != NULL && ran)
			execution->rows += queryDesc->estate->es_processed;
		else if (execution != NULL)
			fail(execution);
	}
	PG_END_TRY();
	pfo_scan_after_run(queryDesc);
	if (observed)
		pfo_observe_ends(queryDesc, start);
}

static void
next_executor_finish(QueryDesc *queryDesc)
{
	(prev_executor_finish ? prev_executor_finish : standard_ExecutorFinish)
		(queryDesc);
}

static void
finish_nested(QueryDesc *queryDesc)
{
	PfoExecution *execution = pfo_execution_of(queryDesc);
	PfoExecution *before = pfo_execution_runs(execution);
	volatile bool ran = false;

	pfo_nesting_level++;
	PG_TRY();
	{
		next_executor_finish(queryDesc);
		ran = true;
	}
	PG_FINALLY();
	{
		pfo_nesting_level--;
		pfo_execution_ran(execution, before);
		if (execution != NULL && !ran)
			fail(execution);
	}
	PG_END_TRY();
}

static void
executor_finish(QueryDesc *queryDesc)
{
	/* of a SELECT without writing WITH nothing is left to be run below it */
	if (queryDesc->estate->es_top_eflags & EXEC_FLAG_SKIP_TRIGGERS)
		next_executor_finish(queryDesc);
	else
		finish_nested(queryDesc);
	pfo_modified_end_of_statement();
}

static void
executor_end(QueryDesc *queryDesc)
{
	PfoExecution *execution = pfo_execution_of(queryDesc);

	if (execution != NULL)
	{
		tell_of(execution, false);
		pfo_execution_ended(execution);
	}
	(prev_executor_end ? prev_executor_end : standard_ExecutorEnd)(queryDesc);
}

/* Utility statements whose inner statement is what the client sent. */
static bool
is_transparent(Node *statement)
{
	return IsA(statement, ExecuteStmt) || IsA(statement, PrepareStmt) ||
		IsA(statement, DeallocateStmt) || IsA(statement, ExplainStmt);
}

/* Commands that only run what can be cached elsewhere, too. */
static bool
is_maintenance(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_CallStmt:
		case T_ClosePortalStmt:
		case T_ConstraintsSetStmt:
		case T_CopyStmt:
		case T_CreateTableAsStmt:
		case T_DeallocateStmt:
		case T_DeclareCursorStmt:
		case T_DiscardStmt:
		case T_DoStmt:
		case T_ExecuteStmt:
		case T_ExplainStmt:
		case T_FetchStmt:
		case T_PrepareStmt:
		case T_RefreshMatViewStmt:
		case T_TransactionStmt:
		case T_VariableSetStmt:
		case T_VariableShowStmt:
			return false;
		default:
			return true;
	}
}

static void
process_utility(PlannedStmt *pstmt, const char *queryString,
				bool readOnlyTree, ProcessUtilityContext context,
				ParamListInfo params, QueryEnvironment *queryEnv,
				DestReceiver *dest, QueryCompletion *qc)
{
	Node	   *statement = pstmt->utilityStmt;
	int			nesting = is_transparent(statement) ? 0 : 1;
	int			maintenance = is_maintenance(statement) ? 1 : 0;
	int			reindexing = IsA(statement, ReindexStmt) ? 1 : 0;
	int			explaining = pfo_explaining_level;
	PfoExecution execution;
	PfoExecution *volatile measured = NULL;
	PfoExecution *before;
	volatile bool ran = false;

	if (pfo_statements_want_utility(statement))
	{
		pfo_execution_of_utility(&execution, pstmt, queryString);
		measured = &execution;
	}
	pfo_modified_check_tracking();
	pfo_modified_utility(statement);
	pfo_maintenance_level += maintenance;
	pfo_reindexing_level += reindexing;
	if (IsA(statement, ExplainStmt))
		pfo_explaining_level = pfo_nesting_level;
	pfo_nesting_level += nesting;
	before = pfo_execution_runs(measured);
	PG_TRY();
	{
		(prev_process_utility ? prev_process_utility : standard_ProcessUtility)
			(pstmt, queryString, readOnlyTree, context, params, queryEnv,
			 dest, qc);
		ran = true;
	}
	PG_FINALLY();
	{
		pfo_nesting_level -= nesting;
		pfo_maintenance_level -= maintenance;
		pfo_reindexing_level -= reindexing;
		pfo_explaining_level = explaining;
		pfo_execution_ran(measured, before);
		if (measured != NULL)
		{
			execution.rows = pfo_rows_of_utility(qc);
			tell_of(&execution, !ran);
		}
	}
	PG_END_TRY();
	pfo_contain_after_utility(statement,
							  context == PROCESS_UTILITY_TOPLEVEL);
	pfo_modified_end_of_statement();
}

static void
object_access(ObjectAccessType access, Oid classId, Oid objectId, int subId,
			  void *arg)
{
	if (prev_object_access)
		prev_object_access(access, classId, objectId, subId, arg);
	pfo_modified_object_access(access, classId, objectId, subId, arg);
}

static void
transaction_event(XactEvent event, void *arg)
{
	uint64		late_writes;

	pfo_modified_xact_event(event);
	late_writes = pfo_modified_take_late_writes();
	if (late_writes > 0)
		pfo_count(PFO_COUNT_LATE_WRITES, late_writes);
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT)
		return;
	if (pfo_counters_flush(false))
		pfo_policy_flush();
	pfo_statements_flush(false);
	pfo_latency_flush(false);
}

static void
resource_release(ResourceReleasePhase phase, bool isCommit, bool isTopLevel,
				 void *arg)
{
	if (phase == RESOURCE_RELEASE_LOCKS && isTopLevel)
		pfo_modified_after_messages();
}

void
pfo_hooks_install(void)
{
	prev_planner = planner_hook;
	planner_hook = planner;
	prev_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
	prev_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = executor_run;
	prev_executor_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = executor_finish;
	prev_executor_end = ExecutorEnd_hook;
	ExecutorEnd_hook = executor_end;
	prev_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
	prev_object_access = object_access_hook;
	object_access_hook = object_access;
	if (prev_object_access == NULL)
		pfo_permissions_own_hook(object_access);
	RegisterXactCallback(transaction_event, NULL);
	RegisterResourceReleaseCallback(resource_release, NULL);
	pfo_generation_init();
	pfo_modified_watch_tracking();
	pfo_scan_register();
}
