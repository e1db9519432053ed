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
#include "base/statement.h"
#include "cache/contain.h"
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

static planner_hook_type prev_planner = NULL;
static ExecutorStart_hook_type prev_executor_start = NULL;
static ExecutorRun_hook_type prev_executor_run = NULL;
static ExecutorFinish_hook_type prev_executor_finish = NULL;
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

static PlannedStmt *
planner(PFO_PLANNER_PARAMS)
{
	return pfo_plan(parse, query_string, cursorOptions, boundParams,
					next_planner);
}

static void
executor_start(QueryDesc *queryDesc, int eflags)
{
	pfo_modified_check_tracking();
	if (pfo_is_explaining())
		pfo_scan_before_explain(queryDesc);
	else
		pfo_scan_before_start(queryDesc);
	(prev_executor_start ? prev_executor_start : standard_ExecutorStart)
		(queryDesc, eflags);
}

static void
executor_run(PFO_EXECUTOR_RUN_PARAMS)
{
	instr_time	start;
	bool		observed = pfo_observe_starts(queryDesc, &start);

	pfo_scan_before_run(queryDesc, direction, count);
	pfo_nesting_level++;
	PG_TRY();
	{
		(prev_executor_run ? prev_executor_run : standard_ExecutorRun)
			(PFO_EXECUTOR_RUN_ARGS);
	}
	PG_FINALLY();
	{
		pfo_nesting_level--;
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
	pfo_nesting_level++;
	PG_TRY();
	{
		next_executor_finish(queryDesc);
	}
	PG_FINALLY();
	{
		pfo_nesting_level--;
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

	pfo_modified_check_tracking();
	pfo_modified_utility(statement);
	pfo_maintenance_level += maintenance;
	pfo_reindexing_level += reindexing;
	if (IsA(statement, ExplainStmt))
		pfo_explaining_level = pfo_nesting_level;
	pfo_nesting_level += nesting;
	PG_TRY();
	{
		(prev_process_utility ? prev_process_utility : standard_ProcessUtility)
			(pstmt, queryString, readOnlyTree, context, params, queryEnv,
			 dest, qc);
	}
	PG_FINALLY();
	{
		pfo_nesting_level -= nesting;
		pfo_maintenance_level -= maintenance;
		pfo_reindexing_level -= reindexing;
		pfo_explaining_level = explaining;
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
	if ((event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT) &&
		pfo_counters_flush(false))
		pfo_policy_flush();
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
