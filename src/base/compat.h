/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  What differs between the major versions of PostgreSQL that perfopt is
 *	  built against: the one place that asks PG_VERSION_NUM.
 *
 * Version 15 is the floor.  Each macro is written as if the newest version
 * were the only one; where a version lacks the thing, the macro gives what
 * the thing would be if nobody used it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_COMPAT_H
#define PFO_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "perfopt needs PostgreSQL 15 or later"
#endif

/* the major version */
#define PFO_PG_MAJOR	(PG_VERSION_NUM / 10000)

/* the macros about varlenas left postgres.h for a header of their own */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* a session's number of its transaction */
#if PG_VERSION_NUM >= 170000
#define PFO_PROC_LXID(proc)			((proc)->vxid.lxid)
#else
#define PFO_PROC_LXID(proc)			((proc)->lxid)
#endif

/*
 * Fields of the query tree, for cache/key.c and key_expr.c
 */

/* the outer joins that can make a variable null */
#if PG_VERSION_NUM >= 160000
#define PFO_VAR_NULLINGRELS(var)	((var)->varnullingrels)
#else
#define PFO_VAR_NULLINGRELS(var)	((Bitmapset *) NULL)
#endif

/* XMLSERIALIZE(... INDENT) */
#if PG_VERSION_NUM >= 160000
#define PFO_XMLEXPR_INDENT(xexpr)	((xexpr)->indent)
#else
#define PFO_XMLEXPR_INDENT(xexpr)	false
#endif

/* a table function other than XMLTABLE, that is JSON_TABLE */
#if PG_VERSION_NUM >= 170000
#define PFO_TABLEFUNC_IS_XML(tf)	((tf)->functype == TFT_XMLTABLE)
#else
#define PFO_TABLEFUNC_IS_XML(tf)	true
#endif

/* the kind of a row comparison */
#if PG_VERSION_NUM >= 180000
#define PFO_ROWCOMPARE_TYPE(expr)	((expr)->cmptype)
#else
#define PFO_ROWCOMPARE_TYPE(expr)	((expr)->rctype)
#endif

/* the range table entry that stands for the output of GROUP BY */
#if PG_VERSION_NUM >= 180000
#define PFO_RTE_IS_GROUP(rte)		((rte)->rtekind == RTE_GROUP)
#define PFO_RTE_GROUPEXPRS(rte)		((rte)->groupexprs)
#else
#define PFO_RTE_IS_GROUP(rte)		false
#define PFO_RTE_GROUPEXPRS(rte)		NIL
#endif

/* RESPECT NULLS and IGNORE NULLS of a window function */
#if PG_VERSION_NUM >= 190000
#define PFO_WINDOWFUNC_NULLS(wfunc) ((wfunc)->ignore_nulls)
#else
#define PFO_WINDOWFUNC_NULLS(wfunc) 0
#endif

/*
 * User-defined SQL functions, for cache/eligible_body.c: does the session keep
 * plans of their bodies, and how deep may they call each other?  Of the kept
 * ones, PostgreSQL knows what the body calls itself.
 */
#if PG_VERSION_NUM >= 180000
#define PFO_KEEPS_PLANS_OF_BODIES	true
#define PFO_BODY_DEPTH				2
#else
#define PFO_KEEPS_PLANS_OF_BODIES	false
#define PFO_BODY_DEPTH				8
#endif

/*
 * What the planner will put in place of columns that are not stored, for
 * cache/eligible_expr.c
 */
#include "access/relation.h"
#include "utils/rel.h"
#if PG_VERSION_NUM >= 180000
#include "rewrite/rewriteHandler.h"
#endif

static inline List *
pfo_virtual_columns(Oid relid)
{
	List	   *expressions = NIL;
#if PG_VERSION_NUM >= 180000
	Relation	rel = relation_open(relid, NoLock);
	TupleDesc	desc = RelationGetDescr(rel);

	if (desc->constr != NULL && desc->constr->has_generated_virtual)
	{
		for (int i = 0; i < desc->natts; i++)
		{
			if (TupleDescAttr(desc, i)->attgenerated ==
				ATTRIBUTE_GENERATED_VIRTUAL)
				expressions = lappend(expressions,
									  build_generation_expression(rel, i + 1));
		}
	}
	relation_close(rel, NoLock);
#endif
	return expressions;
}

/*
 * Transactions and snapshots, for cache/versions.c
 */

#include "access/transam.h"
#include "catalog/pg_proc.h"
#if PG_VERSION_NUM >= 180000
#include "executor/execPartition.h"
#endif
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/acl.h"

#if PG_VERSION_NUM >= 170000
#define PFO_COMPLETION_COUNT()	(TransamVariables->xactCompletionCount)
#define PFO_NEXT_XID()			(TransamVariables->nextXid)
#define PFO_MY_PROC_INDEX		(MyProcNumber)
#else
#define PFO_COMPLETION_COUNT()	(ShmemVariableCache->xactCompletionCount)
#define PFO_NEXT_XID()			(ShmemVariableCache->nextXid)
#define PFO_MY_PROC_INDEX		(MyProc->pgprocno)
#endif

/* the full id of an xid that is within 2^31 of a known one */
static inline uint64
pfo_full_xid(TransactionId xid, uint64 known)
{
	return known + (int64) (int32) (xid - (TransactionId) known);
}

/*
 * Has the transaction released the lock on its own id?  It does so after it
 * sent its invalidation messages.
 */
static inline bool
pfo_xact_lock_is_free(TransactionId xid)
{
	LOCKTAG		tag;
	LockAcquireResult result;

	SET_LOCKTAG_TRANSACTION(tag, xid);
#if PG_VERSION_NUM >= 180000
	result = LockAcquireExtended(&tag, ShareLock, false, true, false, NULL,
								 false);
#else
	result = LockAcquireExtended(&tag, ShareLock, false, true, false, NULL);
#endif
	if (result == LOCKACQUIRE_NOT_AVAIL)
		return false;
	LockRelease(&tag, ShareLock, false);
	return true;
}

/*
 * Executor
 */

static inline void
pfo_init_range_table(EState *estate, PlannedStmt *stmt)
{
#if PG_VERSION_NUM >= 180000
	ExecInitRangeTable(estate, stmt->rtable, stmt->permInfos,
					   bms_copy(stmt->unprunableRelids));
	estate->es_part_prune_infos = stmt->partPruneInfos;
	ExecDoInitialPruning(estate);
#elif PG_VERSION_NUM >= 160000
	ExecInitRangeTable(estate, stmt->rtable, stmt->permInfos);
#else
	ExecInitRangeTable(estate, stmt->rtable);
#endif
}

/* a plan without a tree of its own has nothing to prune */
static inline void
pfo_clear_pruning(PlannedStmt *stmt)
{
#if PG_VERSION_NUM >= 180000
	stmt->partPruneInfos = NIL;
	stmt->unprunableRelids = NULL;
#endif
}

/*
 * Permissions
 */

#if PG_VERSION_NUM >= 160000
#define pfo_may_execute(function, role) \
	(object_aclcheck(ProcedureRelationId, function, role, ACL_EXECUTE) == ACLCHECK_OK)
#else
#define pfo_may_execute(function, role) \
	(pg_proc_aclcheck(function, role, ACL_EXECUTE) == ACLCHECK_OK)
#endif

/*
 * An entry that bears permissions: RTEPermissionInfo since 16, before that
 * the range table entry itself.
 */
#if PG_VERSION_NUM >= 160000
typedef RTEPermissionInfo PfoPermission;
#else
typedef RangeTblEntry PfoPermission;
#endif

static inline void
pfo_append_query_permissions(Query *query, List **entries)
{
	ListCell   *lc;

#if PG_VERSION_NUM >= 160000
	foreach(lc, query->rteperminfos)
#else
	foreach(lc, query->rtable)
#endif
	{
		PfoPermission *entry = (PfoPermission *) lfirst(lc);

		if (entry->requiredPerms != 0)
			*entries = lappend(*entries, entry);
	}
}

/* the entries of a plan, as a list of its own */
static inline List *
pfo_plan_permissions(PlannedStmt *stmt)
{
	List	   *entries = NIL;
	ListCell   *lc;

#if PG_VERSION_NUM >= 160000
	foreach(lc, stmt->permInfos)
#else
	foreach(lc, stmt->rtable)
#endif
	{
		PfoPermission *entry = (PfoPermission *) lfirst(lc);

		if (entry->requiredPerms != 0)
			entries = lappend(entries, entry);
	}
	return entries;
}

static inline void
pfo_set_plan_permissions(PlannedStmt *stmt, List *entries)
{
#if PG_VERSION_NUM >= 160000
	stmt->permInfos = entries;
#else
	stmt->rtable = list_concat(entries, stmt->rtable);
#endif
}

static inline bool
pfo_same_permission(const PfoPermission *a, const PfoPermission *b)
{
	return a->relid == b->relid &&
		a->requiredPerms == b->requiredPerms &&
		a->checkAsUser == b->checkAsUser &&
		bms_equal(a->selectedCols, b->selectedCols);
}

/* As at the start of an execution: raises an error if one is denied. */
static inline void
pfo_check_permissions(List *entries)
{
#if PG_VERSION_NUM >= 160000
	List	   *rtable = NIL;
	ListCell   *lc;

	foreach(lc, entries)
	{
		RangeTblEntry *rte = makeNode(RangeTblEntry);

		rte->rtekind = RTE_RELATION;
		rte->relid = ((PfoPermission *) lfirst(lc))->relid;
		rte->perminfoindex = foreach_current_index(lc) + 1;
		rtable = lappend(rtable, rte);
	}
	ExecCheckPermissions(rtable, entries, true);
#else
	ExecCheckRTPerms(entries, true);
#endif
}

/*
 * The table of settings, for cache/settings.c: all of them, and where the
 * value of one that is a string is kept
 */
#if PG_VERSION_NUM >= 160000
#define PFO_GUC_VARIABLES(nvars)	get_guc_variables(nvars)
#else
#define PFO_GUC_VARIABLES(nvars) \
	(*(nvars) = GetNumConfigOptions(), get_guc_variables())
#endif
#if PG_VERSION_NUM >= 190000
#define PFO_GUC_STRING_VARIABLE(gen)	((gen)->_string.variable)
#else
#define PFO_GUC_STRING_VARIABLE(gen) \
	(((struct config_string *) (gen))->variable)
#endif

/*
 * Names that changed
 */

#if PG_VERSION_NUM >= 160000
#define PFO_TABLE_STATUS_RELID(table)	((table)->id)
#define PFO_TABLE_STATUS_SHARED(table)	((table)->shared)
#else
#define PFO_TABLE_STATUS_RELID(table)	((table)->t_id)
#define PFO_TABLE_STATUS_SHARED(table)	((table)->t_shared)
#endif

#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#else
#include "commands/explain.h"
#endif

/* what is called when a setting that is a boolean is assigned */
#if PG_VERSION_NUM >= 190000
#define PFO_GUC_BOOL_ASSIGN_HOOK(gen)	((gen)->_bool.assign_hook)
#else
#define PFO_GUC_BOOL_ASSIGN_HOOK(gen) \
	(((struct config_bool *) (gen))->assign_hook)
#endif

/*
 * Measuring executions, for base/execution.c
 */

#include "portability/instr_time.h"
#if PG_VERSION_NUM >= 160000
#include "nodes/queryjumble.h"
#define PFO_INSTR_TIME_NS(t)		((uint64) INSTR_TIME_GET_NANOSEC(t))
#else
#include "utils/queryjumble.h"
#define PFO_INSTR_TIME_NS(t) \
	((uint64) (t).tv_sec * UINT64CONST(1000000000) + (uint64) (t).tv_nsec)
#endif

/*
 * The query id of a utility statement.  pg_stat_statements takes it away from
 * the statement before it calls the next library, hence it is computed again.
 */
static inline uint64
pfo_query_id_of_utility(PlannedStmt *stmt, const char *text)
{
	Query	   *query;

	if (stmt->queryId != 0 || !IsQueryIdEnabled())
		return stmt->queryId;
	query = makeNode(Query);
	query->commandType = CMD_UTILITY;
	query->utilityStmt = stmt->utilityStmt;
	query->stmt_location = stmt->stmt_location;
	query->stmt_len = stmt->stmt_len;
#if PG_VERSION_NUM >= 160000
	(void) JumbleQuery(query);
#else
	(void) JumbleQuery(query, text);
#endif
	return query->queryId;
}

/* what a node of a plan has done */
#include "executor/instrument.h"
#if PG_VERSION_NUM >= 190000
typedef NodeInstrumentation PfoNodeInstrumentation;
#else
typedef Instrumentation PfoNodeInstrumentation;
#endif

/* blocks of temporary files and of all else: times read and written */
#if PG_VERSION_NUM >= 170000
#define PFO_BLOCK_READ_TIME(u)		((u)->shared_blk_read_time)
#define PFO_BLOCK_WRITE_TIME(u)		((u)->shared_blk_write_time)
#define PFO_LOCAL_READ_TIME(u)		((u)->local_blk_read_time)
#define PFO_LOCAL_WRITE_TIME(u)		((u)->local_blk_write_time)
#else
/* of shared and local blocks together */
#define PFO_BLOCK_READ_TIME(u)		((u)->blk_read_time)
#define PFO_BLOCK_WRITE_TIME(u)		((u)->blk_write_time)
#define PFO_LOCAL_READ_TIME(u)		((instr_time) {0})
#define PFO_LOCAL_WRITE_TIME(u)		((instr_time) {0})
#endif

/*
 * Hooks whose signature differs
 */

#if PG_VERSION_NUM >= 180000
#define PFO_EXECUTOR_RUN_PARAMS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count
#define PFO_EXECUTOR_RUN_ARGS	queryDesc, direction, count
#else
#define PFO_EXECUTOR_RUN_PARAMS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count, \
	bool execute_once
#define PFO_EXECUTOR_RUN_ARGS	queryDesc, direction, count, execute_once
#endif

#if PG_VERSION_NUM >= 190000
#define PFO_PLANNER_PARAMS \
	Query *parse, const char *query_string, int cursorOptions, \
	ParamListInfo boundParams, struct ExplainState *es
#define PFO_PLANNER_ARGS \
	parse, query_string, cursorOptions, boundParams, es
#else
#define PFO_PLANNER_PARAMS \
	Query *parse, const char *query_string, int cursorOptions, \
	ParamListInfo boundParams
#define PFO_PLANNER_ARGS \
	parse, query_string, cursorOptions, boundParams
#endif

#endif							/* PFO_COMPAT_H */
