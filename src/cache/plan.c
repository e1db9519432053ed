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
 * FAILURE.  What is done before and after the statement's own planning is
 * contained: if it fails, the statement gets the plan it would have without
 * us.  Locks are taken outside of that, since planning would take them, too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"

#include "base/compat.h"
#include "base/contain.h"
#include "base/execution.h"
#include "base/guc.h"
#include "base/marks.h"
#include "base/statement.h"
#include "base/tags.h"
#include "cache/cheap.h"
#include "cache/counters.h"
#include "cache/eligible.h"
#include "cache/fold.h"
#include "cache/key.h"
#include "cache/lookup.h"
#include "cache/observe.h"
#include "cache/permissions.h"
#include "cache/plan.h"
#include "cache/scan_plan.h"
#include "cache/settings.h"
#include "cache/verdict.h"

/* each hit validates them one by one */
#define MAX_DEPENDS		1000

/* what a statement or cursor may ask for */
#define KNOWN_OPTIONS \
	(CURSOR_OPT_BINARY | CURSOR_OPT_SCROLL | CURSOR_OPT_NO_SCROLL | \
	 CURSOR_OPT_INSENSITIVE | CURSOR_OPT_ASENSITIVE | CURSOR_OPT_HOLD | \
	 CURSOR_OPT_FAST_PLAN | CURSOR_OPT_GENERIC_PLAN | \
	 CURSOR_OPT_CUSTOM_PLAN | CURSOR_OPT_PARALLEL_OK)

/* A statement on its way through the planner. */
typedef struct Planning
{
	Query	   *query;
	const char *query_string;
	int			cursor_options;
	ParamListInfo params;

	/* of prepare() */
	PfoReason	reason;			/* why it is not wrapped */
	PfoQueryKey key;
	PfoVerdict *verdict;
	PfoTag		tag;
	int64		family;
	List	   *folded;			/* expressions whose values join the key */
	PfoHash		settings;		/* that the values of expressions depend on */
	PfoPlanInfo *info;
	List	   *permissions;
	TupleDesc	result;			/* of the query, which planning scribbles on */
	List	   *depends;		/* for observing */
	PfoEntry   *entry;			/* that is likely to answer it, pinned */
	List	   *relations;		/* that its plan reads and nobody has locked */

	PlannedStmt *child;			/* the statement's own plan */
	PlannedStmt *stmt;			/* ours */
} Planning;

static int64
family_of(Query *query, const PfoQueryKey *key)
{
	return query->queryId != 0 ? (int64) query->queryId :
		(int64) key->skeleton.lo;
}

/* Calls to be folded: known with the constants only, so no verdict tells. */
static PfoReason
fold(Planning *p)
{
	const PfoEligibility *eligibility = &p->verdict->eligibility;
	Oid			object;

	p->folded = copyObject(eligibility->folded);
	return eligibility->folds ?
		pfo_fold_collect(p->query, true, &p->folded, &object) :
		PFO_REASON_NONE;
}

static bool
passes_over_cheap(const Planning *p)
{
	return pfo_cache_mode == PFO_CACHE_AUTO && p->tag != PFO_TAG_CACHE;
}

/*
 * The reason why the statement is not wrapped; otherwise its key and
 * verdict.
 */
static PfoReason
judge(Planning *p)
{
	Query	   *query = p->query;
	PfoReason	reason;
	bool		known;

	if (p->cursor_options & ~KNOWN_OPTIONS)
		return PFO_REASON_OPTIONS;
	/* so says the verdict, too, but health checks send many of these */
	if (query->rtable == NIL && query->cteList == NIL && !query->hasSubLinks)
		return PFO_REASON_NO_RELATION;
	p->tag = pfo_tag_of(p->query_string, query->stmt_location,
						query->stmt_len);
	if (passes_over_cheap(p) && query->queryId != 0 &&
		pfo_is_cheap((int64) query->queryId))
		return PFO_REASON_CHEAP;
	known = pfo_key_query(query, &p->key);
	p->verdict = pfo_verdict(query, &p->key);
	if (p->verdict == NULL)
		return pfo_contain_reason();
	if (p->verdict->eligibility.reason != PFO_REASON_NONE)
		return p->verdict->eligibility.reason;
	if (!known)
		return PFO_REASON_UNKNOWN_NODE;
	reason = fold(p);
	if (reason != PFO_REASON_NONE)
		return reason;
	if (p->tag == PFO_TAG_NOCACHE)
		return PFO_REASON_NOCACHE_COMMENT;
	p->family = family_of(query, &p->key);
	return PFO_REASON_NONE;
}

/*
 * A comment with hints for the planner: other hints, another plan, another
 * key.  It is not known to us which of them matter.
 */
static bool
add_hints(Planning *p)
{
	PfoHasher	hasher;

	if (p->query_string == NULL || strstr(p->query_string, "/*+") == NULL)
		return false;
	pfo_hasher_init(&hasher);
	pfo_hasher_add(&hasher, &p->key.tree, sizeof(p->key.tree));
	pfo_hasher_add(&hasher, p->query_string, strlen(p->query_string));
	p->key.tree = pfo_hasher_final(&hasher);
	return true;
}

static PfoPlanInfo *
make_info(Planning *p)
{
	PfoPlanInfo *info = pfo_planinfo_make();
	PfoVerdict *verdict = p->verdict;

	info->tree = p->key.tree;
	info->skeleton = p->key.skeleton;
	info->queryid = p->family;
	info->asked = p->tag == PFO_TAG_CACHE;
	info->plain_parents = verdict->eligibility.plain_parents;
	info->bodies = verdict->eligibility.bodies;
	info->reads_settings = verdict->eligibility.reads_settings;
	info->generation = verdict->generation;
	info->settings = p->settings;
	info->cursor_options = p->cursor_options;
	info->functions = list_copy(verdict->eligibility.functions);
	info->depends = list_copy(verdict->eligibility.typrelids);
	/* checked here, so that the same statement need not be checked again */
	pfo_permissions_in_advance(info->functions, &verdict->granted);
	info->granted = verdict->granted;
	info->params = p->key.params;
	info->folded = p->folded;
	return info;
}

/* All that is done before something is planned. */
static void
prepare(void *arg)
{
	Planning   *p = arg;
	PfoHash		settings;
	bool		hinted;

	p->reason = judge(p);
	if (p->reason == PFO_REASON_NONE && passes_over_cheap(p) &&
		p->query->queryId == 0 && pfo_is_cheap(p->family))
		p->reason = PFO_REASON_CHEAP;
	if (p->reason != PFO_REASON_NONE)
		return;

	if (!pfo_settings_hash(&settings, &p->settings))
	{
		p->reason = PFO_REASON_SETTING;
		return;
	}
	hinted = add_hints(p);
	p->info = make_info(p);
	p->permissions = pfo_permissions_of_query(p->query);

	/* a cursor is planned in any case, before it is started (scan_start.c) */
	if (p->params == NULL && bms_is_empty(p->key.params) && !hinted &&
		!pfo_is_explaining() &&
		(p->cursor_options & CURSOR_OPT_FAST_PLAN) == 0)
		p->entry = pfo_lookup_likely(&p->key.tree, p->folded);
}

/* Relations of the statement itself are locked since it was analysed. */
static bool
is_locked(const Planning *p, Oid relid)
{
	ListCell   *lc;

	foreach(lc, p->permissions)
	{
		if (((PfoPermission *) lfirst(lc))->relid == relid)
			return true;
	}
	return false;
}

/*
 * Range table entries for what the entry's plan read beyond the statement's
 * own: partitions and children.  A plan cache that reuses the plan locks them.
 */
static List *
range_table(Planning *p, const PfoEntry *entry)
{
	const Oid  *relids = pfo_entry_array(entry, relids, Oid);
	const char *relkinds = pfo_entry_array(entry, relkinds, char);
	List	   *rtable = NIL;

	for (uint32 i = 0; i < entry->info.nrelids; i++)
	{
		RangeTblEntry *rte;

		if (relkinds[i] == PFO_NOT_READ)
			continue;
		rte = makeNode(RangeTblEntry);
		rte->rtekind = RTE_RELATION;
		rte->relid = relids[i];
		rte->relkind = relkinds[i];
		rte->rellockmode = AccessShareLock;
		rte->eref = makeAlias("", NIL);
		rtable = lappend(rtable, rte);
		if (!is_locked(p, relids[i]))
			p->relations = lappend_oid(p->relations, relids[i]);
	}
	return rtable;
}

static void
plan_from_entry(void *arg)
{
	Planning   *p = arg;
	PfoEntry   *entry = p->entry;
	PfoPlanInfo *info = p->info;
	PlannedStmt *like = makeNode(PlannedStmt);
	PlannedStmt *stmt;
	bool		backward;
	const Oid  *relids = pfo_entry_array(entry, relids, Oid);
	const PfoInvalItem *items = pfo_entry_array(entry, invals, PfoInvalItem);

	like->commandType = CMD_SELECT;
	like->queryId = p->query->queryId;
	like->canSetTag = p->query->canSetTag;
	like->stmt_location = p->query->stmt_location;
	like->stmt_len = p->query->stmt_len;
	like->dependsOnRole = (entry->info.flags & PFO_ENTRY_ROLE) != 0;
	like->parallelModeNeeded = (entry->info.flags & PFO_ENTRY_PARALLEL) != 0;
	like->rtable = range_table(p, entry);
	pfo_set_plan_permissions(like, list_copy(p->permissions));
	for (uint32 i = 0; i < entry->info.ninvals; i++)
	{
		PlanInvalItem *item = makeNode(PlanInvalItem);

		item->cacheId = items[i].cache_id;
		item->hashValue = items[i].hash_value;
		like->invalItems = lappend(like->invalItems, item);
	}
	pfo_childplan_add_functions(like, info->functions);
	pfo_childplan_mark(like, PFO_MARK_PUT_OFF);
	pfo_childplan_mark(like, pfo_mark_of(&info->skeleton));
	like->planTree = (Plan *) makeNode(Result);
	like->planTree->startup_cost = entry->info.startup_cost;
	like->planTree->total_cost = entry->info.total_cost;
	like->planTree->plan_rows = entry->info.plan_rows;
	like->planTree->plan_width = entry->info.plan_width;

	info->depends = NIL;
	for (uint32 i = 0; i < entry->info.nrelids; i++)
		info->depends = lappend_oid(info->depends, relids[i]);
	/* what is promised here, planning for a scrollable cursor sees to */
	backward = (entry->info.flags & PFO_ENTRY_BACKWARD) != 0 ||
		(p->cursor_options & CURSOR_OPT_SCROLL) != 0;
	if (backward)
		info->cursor_options |= CURSOR_OPT_SCROLL;
	stmt = pfo_scan_make_plan(like, p->query->targetList, info, backward);
	info->skip_planning = true;
	info->query = p->query;
	p->stmt = stmt;
}

/*
 * The relations are locked as the planner would have locked them, once the
 * entry is let go: who waits for a lock can be terminated.
 */
static bool
try_entry(Planning *p)
{
	ListCell   *lc;

	if (p->entry == NULL)
		return false;
	(void) pfo_contain(plan_from_entry, p);
	pfo_store_unpin(p->entry);
	if (p->stmt == NULL)
		return false;
	foreach(lc, p->relations)
		LockRelationOid(lfirst_oid(lc), AccessShareLock);
	return true;
}

/*
 * Does the plan's result look as the query's?  Where planning simplifies an
 * expression, its length can become known: CASE WHEN true THEN a ... is as
 * long as a.  Clients are told, and CREATE TABLE AS makes columns of it.
 */
static bool
same_result(TupleDesc query, PlannedStmt *stmt)
{
	TupleDesc	plan = ExecCleanTypeFromTL(stmt->planTree->targetlist);

	for (int i = 0; i < query->natts; i++)
	{
		Form_pg_attribute a = TupleDescAttr(query, i);
		Form_pg_attribute b = TupleDescAttr(plan, i);

		if (a->atttypid != b->atttypid || a->atttypmod != b->atttypmod ||
			a->attcollation != b->attcollation)
			return false;
	}
	return true;
}

/* Our node above the plan that was made, unless that reads something else. */
static void
wrap(void *arg)
{
	Planning   *p = arg;
	PfoPlanInfo *info = p->info;
	PlannedStmt *child = p->child;
	Oid			relid;

	pfo_childplan_note(info, child);
	p->reason = list_length(info->depends) > MAX_DEPENDS ?
		PFO_REASON_TOO_MANY_RELATIONS :
		pfo_eligible_relations(child->relationOids, &relid);
	if (p->reason != PFO_REASON_NONE)
		return;
	info->child = child;
	info->skip_planning = p->result != NULL &&
		pfo_permissions_same(p->permissions, child) &&
		same_result(p->result, child);
	p->stmt = pfo_scan_make_plan(child, child->planTree->targetlist, info,
								 ExecSupportsBackwardScan(child->planTree));
}

/* The statement is planned as without us; say why. */
static void
pass_over(PfoReason reason, int64 family)
{
	pfo_count(PFO_COUNT_BYPASSES, 1);
	pfo_count_reason(reason, family);
	pfo_execution_passed_over(reason);
}

static void
describe_result(void *arg)
{
	Planning   *p = arg;

	p->result = ExecCleanTypeFromTL(p->query->targetList);
}

static PlannedStmt *
plan_and_wrap(Planning *p)
{
	if (!pfo_contain(describe_result, p))
		p->result = NULL;
	p->child = pfo_childplan_make(p->info, p->query, p->query_string,
								  p->cursor_options, p->params);
	if (!pfo_contain_catalogs(wrap, p))
		p->reason = pfo_contain_reason();
	if (p->reason == PFO_REASON_NONE)
		return p->stmt;
	pass_over(p->reason, p->family);
	return p->child;
}

static void
judge_observed(void *arg)
{
	Planning   *p = arg;

	p->reason = judge(p);
	if (p->reason == PFO_REASON_NONE)
		p->depends = list_copy(p->verdict->eligibility.typrelids);
	else if (p->query->queryId != 0)
		pfo_observe_reason((int64) p->query->queryId, p->reason);
}

static void
note_observed(void *arg)
{
	Planning   *p = arg;

	p->depends = list_concat(p->depends, p->child->relationOids);
	if (list_length(p->depends) <= MAX_DEPENDS)
		pfo_observe_planned(p->family, &p->key, p->folded, p->child,
							p->depends);
}

/*
 * Observing: the statement is planned as without us; what would be needed to
 * serve it is noted if its family takes long enough to be worth it.
 */
static PlannedStmt *
plan_observed(Planning *p, PfoPlanner planner)
{
	bool		wanted;
	bool		judged;

	/* without a query id it would not be known again */
	if (pfo_is_nested() && p->query->queryId == 0)
		return planner(p->query, p->query_string, p->cursor_options,
					   p->params);
	wanted = pfo_observe_wants_key(p->query, (int64) p->query->queryId);
	judged = wanted && pfo_contain(judge_observed, p);

	p->child = planner(p->query, p->query_string, p->cursor_options,
					   p->params);
	if (!wanted)
		pfo_observe_cheap(p->child);
	else if (judged && p->reason == PFO_REASON_NONE)
		(void) pfo_contain(note_observed, p);
	return p->child;
}

/* Nothing is served: to be planned anew when something is. */
static PlannedStmt *
plan_unserved(Planning *p, PfoPlanner planner)
{
	PlannedStmt *stmt = pfo_cache_mode == PFO_CACHE_OBSERVE ?
		plan_observed(p, planner) :
		planner(p->query, p->query_string, p->cursor_options, p->params);

	pfo_childplan_mark(stmt, PFO_MARK_UNSERVED);
	return stmt;
}

/* Functions in PL/pgSQL plan many of these, and expect no node at the top. */
static bool
is_plain_expression(Query *query)
{
	return pfo_is_nested() && query->rtable == NIL && !query->hasSubLinks;
}

PlannedStmt *
pfo_plan(Query *query, const char *query_string, int cursor_options,
		 ParamListInfo params, PfoPlanner planner)
{
	Planning	p;

	if (query->commandType != CMD_SELECT || query->utilityStmt != NULL ||
		IsInParallelMode() || pfo_is_maintenance() ||
		is_plain_expression(query))
		return planner(query, query_string, cursor_options, params);

	memset(&p, 0, sizeof(p));
	p.query = query;
	p.query_string = query_string;
	p.cursor_options = cursor_options;
	p.params = params;
	if (!pfo_mode_serves(pfo_cache_mode))
		return plan_unserved(&p, planner);

	if (!pfo_contain(prepare, &p))
	{
		if (p.entry != NULL)
			pfo_store_unpin(p.entry);
		p.reason = PFO_REASON_INTERNAL;
	}
	if (p.reason != PFO_REASON_NONE)
	{
		pass_over(p.reason, (int64) query->queryId);
		return planner(query, query_string, cursor_options, params);
	}
	pfo_childplan_set_planner(planner);
	return try_entry(&p) ? p.stmt : plan_and_wrap(&p);
}
