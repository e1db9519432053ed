/*-------------------------------------------------------------------------
 *
 * childplan.c
 *	  Planning a cached statement itself.
 *
 * What a plan was made from is more than PostgreSQL keeps track of.  It lists
 * functions that are in the plan or were inlined, but neither those that were
 * folded into a constant nor what these call.  A verdict rests on all of them,
 * so all are added: a prepared plan is made again when one is changed, and
 * nothing is stored from a plan that has missed that (generation.c).
 *
 * A plan that was put off can be made long after its verdict.  What has become
 * known in between makes the verdict a new one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "portability/instr_time.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "base/contain.h"
#include "base/marks.h"
#include "cache/childplan.h"
#include "cache/eligible.h"
#include "cache/fold.h"
#include "cache/generation.h"
#include "cache/messages.h"
#include "cache/settings.h"

static PfoPlanner planner = NULL;

void
pfo_childplan_set_planner(PfoPlanner next)
{
	planner = next;
}

static bool
is_listed(List *items, uint32 hash_value)
{
	ListCell   *lc;

	foreach(lc, items)
	{
		PlanInvalItem *item = lfirst_node(PlanInvalItem, lc);

		if (item->cacheId == PROCOID && item->hashValue == hash_value)
			return true;
	}
	return false;
}

static void
add_item(PlannedStmt *stmt, uint32 hash_value)
{
	PlanInvalItem *item;

	if (is_listed(stmt->invalItems, hash_value))
		return;
	item = makeNode(PlanInvalItem);
	item->cacheId = PROCOID;
	item->hashValue = hash_value;
	stmt->invalItems = lappend(stmt->invalItems, item);
}

void
pfo_childplan_mark(PlannedStmt *stmt, uint32 mark)
{
	add_item(stmt, mark);
}

void
pfo_childplan_add_functions(PlannedStmt *stmt, List *functions)
{
	ListCell   *lc;

	foreach(lc, functions)
	{
		/* as PostgreSQL does: its own do not change */
		if (lfirst_oid(lc) >= FirstUnpinnedObjectId)
			add_item(stmt,
					 GetSysCacheHashValue1(PROCOID,
										   ObjectIdGetDatum(lfirst_oid(lc))));
	}
}

PlannedStmt *
pfo_childplan_make(PfoPlanInfo *info, Query *query, const char *query_string,
				   int cursor_options, ParamListInfo params)
{
	PlannedStmt *stmt;
	instr_time	before;
	instr_time	after;
	bool		watched = pfo_messages_watch();
	uint64		messages = pfo_messages_sent();

	INSTR_TIME_SET_CURRENT(before);
	stmt = planner(query, query_string, cursor_options, params);
	INSTR_TIME_SET_CURRENT(after);
	INSTR_TIME_SUBTRACT(after, before);

	info->planning_spoke = !watched || pfo_messages_sent() != messages;
	info->plan_ms = INSTR_TIME_GET_MILLISEC(after);
	return stmt;
}

/* The verdict is from before other statements; what is it now? */
static void
judge_again(void *arg)
{
	PfoPlanInfo *info = arg;
	uint64		generation = pfo_generation_now();
	PfoHash		settings;
	PfoEligibility now;
	MemoryContext old;

	if (!pfo_settings_hash(&settings, &info->settings))
		memset(&info->settings, 0, sizeof(info->settings));
	if (generation == info->generation)
		return;
	pfo_eligible_query(info->query, &now);

	if (now.reason == PFO_REASON_NONE && now.folds)
		now.reason = pfo_fold_collect(info->query, true, &now.folded,
									  &now.object);
	/* this execution has its key already, made of other values */
	if (now.reason == PFO_REASON_NONE && !equal(now.folded, info->folded))
		now.reason = PFO_REASON_CATALOG_CHANGED;
	old = MemoryContextSwitchTo(GetMemoryChunkContext(info));
	info->functions = list_copy(now.functions);
	info->depends = list_concat_copy(info->depends, now.typrelids);
	info->folded = copyObject(now.folded);
	MemoryContextSwitchTo(old);
	info->granted.roleid = InvalidOid;
	info->bodies = now.bodies;
	info->reads_settings = now.reads_settings;
	info->outgrown = now.reason;
	info->generation = generation;
}

void
pfo_childplan_note(PfoPlanInfo *info, PlannedStmt *stmt)
{
	List	   *depends = list_concat_copy(info->depends, stmt->relationOids);

	list_sort(depends, list_oid_cmp);
	list_deduplicate_oid(depends);
	info->depends = depends;
	pfo_childplan_add_functions(stmt, info->functions);
	add_item(stmt, PFO_MARK_ANY_DEFINITION);
	add_item(stmt, pfo_mark_of(&info->skeleton));
}

void
pfo_childplan_complete(PfoPlanInfo *info, const char *query_string)
{
	MemoryContext context = GetMemoryChunkContext(info);
	MemoryContext old;
	PlannedStmt *stmt;

	/* plan in the caller's context, keep only the plan */
	if (!pfo_contain_catalogs(judge_again, info))
		info->outgrown = pfo_contain_reason();
	stmt = pfo_childplan_make(info, copyObject(info->query), query_string,
							  info->cursor_options, NULL);
	info->plan_ms = 0;			/* it is part of the execution's time */
	old = MemoryContextSwitchTo(context);
	pfo_childplan_note(info, stmt);
	info->child = copyObject(stmt);
	MemoryContextSwitchTo(old);

	/*
	 * A plan cache makes such a plan again when old snapshots are gone, but it
	 * was given ours before that was known: let it make that again.  So it
	 * should where COMMIT leaves no way to judge the statement.
	 */
	if (stmt->transientPlan || info->outgrown == PFO_REASON_MAINTENANCE)
		pfo_make_anew(PFO_MARK_PUT_OFF);
}

PfoInvalItem *
pfo_childplan_inval_items(PlannedStmt *stmt, uint32 *nitems)
{
	PfoInvalItem *items;
	ListCell   *lc;

	*nitems = 0;
	items = palloc(sizeof(PfoInvalItem) *
				   Max(list_length(stmt->invalItems), 1));
	foreach(lc, stmt->invalItems)
	{
		PlanInvalItem *item = lfirst_node(PlanInvalItem, lc);

		items[*nitems].cache_id = item->cacheId;
		items[*nitems].hash_value = item->hashValue;
		(*nitems)++;
	}
	return items;
}
