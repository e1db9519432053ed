/*-------------------------------------------------------------------------
 *
 * childplan.c
 *	  Planning a cached statement itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "portability/instr_time.h"
#include "utils/memutils.h"

#include "cache/childplan.h"
#include "cache/generation.h"
#include "cache/messages.h"
#include "cache/settings.h"

static PfoPlanner planner = NULL;

void
pfo_childplan_set_planner(PfoPlanner next)
{
	planner = next;
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

	/* before anything is read from the catalogs; see generation.c */
	info->generation = pfo_generation_now();
	if (!pfo_settings_hash(&info->settings))
		memset(&info->settings, 0, sizeof(info->settings));
	INSTR_TIME_SET_CURRENT(before);
	stmt = planner(query, query_string, cursor_options, params);
	INSTR_TIME_SET_CURRENT(after);
	INSTR_TIME_SUBTRACT(after, before);

	info->planning_spoke = !watched || pfo_messages_sent() != messages;
	info->plan_ms = INSTR_TIME_GET_MILLISEC(after);
	info->depends = list_concat_copy(info->depends, stmt->relationOids);
	list_sort(info->depends, list_oid_cmp);
	list_deduplicate_oid(info->depends);
	return stmt;
}

void
pfo_childplan_complete(PfoPlanInfo *info, const char *query_string)
{
	MemoryContext context = GetMemoryChunkContext(info);
	MemoryContext old;
	PlannedStmt *stmt;

	/* plan in the caller's context, keep only the plan */
	stmt = pfo_childplan_make(info, copyObject(info->query), query_string,
							  info->cursor_options, NULL);
	info->plan_ms = 0;			/* it is part of the execution's time */
	old = MemoryContextSwitchTo(context);
	info->child = copyObject(stmt);
	info->depends = list_copy(info->depends);
	MemoryContextSwitchTo(old);
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
