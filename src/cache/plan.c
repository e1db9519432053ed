/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  The planner side of the cache.
 *
 * A SELECT that may be cached gets a plan whose top is our CustomScan, with
 * the statement's own plan inside.  If it has no parameters, its key is
 * known here; when an entry of that key is likely to be valid, the
 * statement's own plan is not made at all.  That is only a hint: the
 * executor looks up again, with its own snapshot.
 *
 * Statements that are not eligible pass through, with their reason counted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/guc.h"
#include "base/statement.h"
#include "base/tags.h"
#include "cache/counters.h"
#include "cache/eligible.h"
#include "cache/key.h"
#include "cache/lookup.h"
#include "cache/observe.h"
#include "cache/permissions.h"
#include "cache/plan.h"
#include "cache/scan_plan.h"
#include "cache/verdict.h"

/* each hit validates them one by one */
#define MAX_DEPENDS		1000

/* what a client's ordinary statement may carry */
#define ORDINARY_OPTIONS \
	(CURSOR_OPT_PARALLEL_OK | CURSOR_OPT_GENERIC_PLAN | CURSOR_OPT_CUSTOM_PLAN)

static int64
family_of(Query *query, const PfoQueryKey *key)
{
	return query->queryId != 0 ? (int64) query->queryId :
		(int64) key->skeleton.lo;
}

static PfoPlanInfo *
make_info(Query *query, const PfoQueryKey *key, PfoVerdict *verdict,
		  PfoTag tag, int cursor_options)
{
	PfoPlanInfo *info = pfo_planinfo_make();

	info->tree = key->tree;
	info->skeleton = key->skeleton;
	info->queryid = family_of(query, key);
	info->asked = tag == PFO_TAG_CACHE;
	info->plain_parents = verdict->eligibility.plain_parents;
	info->bodies = verdict->eligibility.bodies;
	info->generation = verdict->generation;
	info->cursor_options = cursor_options;
	info->functions = list_copy(verdict->eligibility.functions);
	info->depends = list_copy(verdict->eligibility.typrelids);
	/* checked here, so that the same statement need not be checked again */
	if (pfo_permissions_functions(info->functions, &verdict->granted))
		info->granted = verdict->granted;
	info->params = key->params;
	return info;
}

/*
 * Range table entries for what the entry's plan read beyond the statement's
 * own: partitions and children.  They are locked as the planner would have
 * locked them, now and whenever a plan cache reuses the plan.
 */
static List *
lock_relations(const PfoEntry *entry)
{
	const Oid  *relids = pfo_entry_array(entry, relids, Oid);
	List	   *rtable = NIL;

	for (uint32 i = 0; i < entry->info.nrelids; i++)
	{
		RangeTblEntry *rte;
		char		relkind;

		LockRelationOid(relids[i], AccessShareLock);
		relkind = get_rel_relkind(relids[i]);
		if (relkind == '\0' || relkind == RELKIND_COMPOSITE_TYPE)
			continue;
		rte = makeNode(RangeTblEntry);
		rte->rtekind = RTE_RELATION;
		rte->relid = relids[i];
		rte->relkind = relkind;
		rte->rellockmode = AccessShareLock;
		rte->eref = makeAlias("", NIL);
		rtable = lappend(rtable, rte);
	}
	return rtable;
}

static PlannedStmt *
plan_from_entry(PfoEntry *entry, Query *query, PfoPlanInfo *info)
{
	PlannedStmt *like = makeNode(PlannedStmt);
	const Oid  *relids = pfo_entry_array(entry, relids, Oid);
	const PfoInvalItem *items = pfo_entry_array(entry, invals, PfoInvalItem);

	like->commandType = CMD_SELECT;
	like->queryId = query->queryId;
	like->canSetTag = query->canSetTag;
	like->stmt_location = query->stmt_location;
	like->stmt_len = query->stmt_len;
	like->dependsOnRole = (entry->info.flags & PFO_ENTRY_ROLE) != 0;
	like->parallelModeNeeded = (entry->info.flags & PFO_ENTRY_PARALLEL) != 0;
	like->rtable = lock_relations(entry);
	pfo_set_plan_permissions(like, pfo_permissions_of_query(query));
	for (uint32 i = 0; i < entry->info.nrelids; i++)
		like->relationOids = lappend_oid(like->relationOids, relids[i]);
	for (uint32 i = 0; i < entry->info.ninvals; i++)
	{
		PlanInvalItem *item = makeNode(PlanInvalItem);

		item->cacheId = items[i].cache_id;
		item->hashValue = items[i].hash_value;
		like->invalItems = lappend(like->invalItems, item);
	}
	pfo_childplan_add_functions(like, info->functions);
	like->planTree = (Plan *) makeNode(Result);
	like->planTree->startup_cost = entry->info.startup_cost;
	like->planTree->total_cost = entry->info.total_cost;
	like->planTree->plan_rows = entry->info.plan_rows;
	like->planTree->plan_width = entry->info.plan_width;

	info->depends = list_copy(like->relationOids);
	info->skip_planning = true;
	info->query = query;
	return pfo_scan_make_plan(like, query->targetList, info,
							  (entry->info.flags & PFO_ENTRY_BACKWARD) != 0);
}

/*
 * A comment with hints for the planner: other hints, another plan, another
 * key.  It is not known to us which of them matter.
 */
static bool
add_hints(PfoQueryKey *key, const char *query_string)
{
	PfoHasher	hasher;

	if (query_string == NULL || strstr(query_string, "/*+") == NULL)
		return false;
	pfo_hasher_init(&hasher);
	pfo_hasher_add(&hasher, &key->tree, sizeof(key->tree));
	pfo_hasher_add(&hasher, query_string, strlen(query_string));
	key->tree = pfo_hasher_final(&hasher);
	return true;
}

/* NULL if no entry is likely to answer the statement. */
static PlannedStmt *
try_entry(Query *query, const PfoQueryKey *key, PfoPlanInfo *info)
{
	PfoEntry   *entry = pfo_lookup_likely(&key->tree);
	PlannedStmt *volatile stmt;

	if (entry == NULL)
		return NULL;
	PG_TRY();
	{
		stmt = plan_from_entry(entry, query, info);
	}
	PG_FINALLY();
	{
		pfo_store_unpin(entry);
	}
	PG_END_TRY();
	return stmt;
}

static PlannedStmt *
plan_and_wrap(Query *query, const char *query_string, int cursor_options,
			  ParamListInfo params, PfoPlanInfo *info)
{
	List	   *permissions = pfo_permissions_of_query(query);
	PlannedStmt *child;
	PfoReason	reason;
	Oid			relid;

	child = pfo_childplan_make(info, query, query_string, cursor_options,
							   params);
	reason = list_length(info->depends) > MAX_DEPENDS ?
		PFO_REASON_TOO_MANY_RELATIONS :
		pfo_eligible_relations(child->relationOids, &relid);
	if (reason != PFO_REASON_NONE)
	{
		pfo_count(PFO_COUNT_BYPASSES, 1);
		pfo_count_reason(reason, info->queryid);
		return child;
	}
	info->child = child;
	info->skip_planning = pfo_permissions_same(permissions, child);
	return pfo_scan_make_plan(child, child->planTree->targetlist, info,
							  ExecSupportsBackwardScan(child->planTree));
}

/*
 * The reason why the statement is not wrapped; otherwise its key and
 * verdict.
 */
static PfoReason
judge(Query *query, const char *query_string, int cursor_options,
	  PfoQueryKey *key, PfoVerdict **verdict, PfoTag *tag)
{
	bool		known;

	if (cursor_options & ~ORDINARY_OPTIONS)
		return PFO_REASON_PARTIAL;
	known = pfo_key_query(query, key);
	*verdict = pfo_verdict(query, key);
	if ((*verdict)->eligibility.reason != PFO_REASON_NONE)
		return (*verdict)->eligibility.reason;
	if (!known)
		return PFO_REASON_UNKNOWN_NODE;
	*tag = pfo_tag_of(query_string, query->stmt_location, query->stmt_len);
	if (*tag == PFO_TAG_NOCACHE)
		return PFO_REASON_NOCACHE_COMMENT;
	return PFO_REASON_NONE;
}

/*
 * Observing: the statement is planned as without us; what would be needed to
 * serve it is noted if its family takes long enough to be worth it.
 */
static PlannedStmt *
plan_observed(Query *query, const char *query_string, int cursor_options,
			  ParamListInfo params, PfoPlanner planner)
{
	PfoQueryKey key;
	PfoVerdict *verdict;
	PfoTag		tag;
	PfoReason	reason;
	PlannedStmt *stmt;
	int64		family = (int64) query->queryId;
	List	   *typrelids;

	if (!pfo_observe_wants_key(query, family))
	{
		stmt = planner(query, query_string, cursor_options, params);
		pfo_observe_cheap(stmt);
		return stmt;
	}

	memset(&key, 0, sizeof(key));
	reason = judge(query, query_string, cursor_options, &key, &verdict, &tag);
	if (reason != PFO_REASON_NONE)
	{
		if (family != 0)
			pfo_observe_reason(family, reason);
		return planner(query, query_string, cursor_options, params);
	}
	family = family_of(query, &key);
	typrelids = list_copy(verdict->eligibility.typrelids);
	stmt = planner(query, query_string, cursor_options, params);
	if (list_length(stmt->relationOids) <= MAX_DEPENDS)
		pfo_observe_planned(family, &key, stmt,
							list_concat_copy(typrelids, stmt->relationOids));
	return stmt;
}

PlannedStmt *
pfo_plan(Query *query, const char *query_string, int cursor_options,
		 ParamListInfo params, PfoPlanner planner)
{
	PfoQueryKey key;
	PfoVerdict *verdict;
	PfoTag		tag;
	PfoReason	reason;
	PfoPlanInfo *info;
	PlannedStmt *stmt = NULL;
	bool		hinted;

	if (pfo_cache_mode == PFO_CACHE_OFF || query->commandType != CMD_SELECT ||
		query->utilityStmt != NULL || IsParallelWorker())
		return planner(query, query_string, cursor_options, params);
	if (pfo_is_nested())
	{
		pfo_count_reason(PFO_REASON_NESTED, (int64) query->queryId);
		return planner(query, query_string, cursor_options, params);
	}
	if (pfo_cache_mode == PFO_CACHE_OBSERVE)
		return plan_observed(query, query_string, cursor_options, params,
							 planner);

	memset(&key, 0, sizeof(key));
	pfo_count(PFO_COUNT_SELECTS, 1);
	reason = judge(query, query_string, cursor_options, &key, &verdict, &tag);
	if (reason == PFO_REASON_NONE && pfo_cache_mode == PFO_CACHE_AUTO &&
		tag != PFO_TAG_CACHE && pfo_verdict_cheap(verdict))
		reason = PFO_REASON_CHEAP;
	if (reason != PFO_REASON_NONE)
	{
		pfo_count(PFO_COUNT_BYPASSES, 1);
		pfo_count_reason(reason, (int64) query->queryId);
		return planner(query, query_string, cursor_options, params);
	}

	pfo_childplan_set_planner(planner);
	hinted = add_hints(&key, query_string);
	info = make_info(query, &key, verdict, tag, cursor_options);
	if (params == NULL && bms_is_empty(key.params) && !hinted &&
		!pfo_is_explaining())
		stmt = try_entry(query, &key, info);
	if (stmt == NULL)
		stmt = plan_and_wrap(query, query_string, cursor_options, params,
							 info);
	return stmt;
}
