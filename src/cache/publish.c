/*-------------------------------------------------------------------------
 *
 * publish.c
 *	  Turning a complete result into an entry.
 *
 * An entry holds, beside the rows and what they depend on, what a plan made
 * from it must not lie about: costs, relations and catalog rows that
 * invalidate it, the needs of the plan it stands for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/normalize.h"
#include "cache/childplan.h"
#include "cache/counters.h"
#include "cache/planwalk.h"
#include "cache/policy.h"
#include "cache/publish.h"

#define ENTRY_TEXT	1024		/* bytes of normalised text in an entry */

static Oid *
result_types(TupleDesc desc)
{
	Oid		   *types = palloc(sizeof(Oid) * Max(desc->natts, 1));

	for (int i = 0; i < desc->natts; i++)
		types[i] = TupleDescAttr(desc, i)->atttypid;
	return types;
}

/* The relations, which are sorted, as an array. */
static Oid *
relation_array(List *relations)
{
	Oid		   *relids = palloc(sizeof(Oid) * Max(list_length(relations), 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, relations)
		relids[n++] = lfirst_oid(lc);
	return relids;
}

/* Their kinds, as far as the plan reads them. */
static char *
relation_kinds(const Oid *relids, int n, List *rtable)
{
	char	   *kinds = palloc(Max(n, 1));
	ListCell   *lc;

	memset(kinds, PFO_NOT_READ, n);
	foreach(lc, rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);
		const Oid  *found;

		/* from 16 on, the entry of a view is that of its subquery */
		if (!OidIsValid(rte->relid))
			continue;
		found = bsearch(&rte->relid, relids, n, sizeof(Oid), oid_cmp);
		if (found != NULL)
			kinds[found - relids] = rte->relkind;
	}
	return kinds;
}

static uint32
entry_flags(const PfoPlanInfo *info)
{
	uint32		flags = 0;

	/* folding a constant can warn; who skips the planning would not hear it */
	if (info->skip_planning && !info->planning_spoke)
		flags |= PFO_ENTRY_SKIP_PLANNING;
	if (info->child->parallelModeNeeded)
		flags |= PFO_ENTRY_PARALLEL;
	if (info->child->dependsOnRole)
		flags |= PFO_ENTRY_ROLE;
	if (ExecSupportsBackwardScan(info->child->planTree))
		flags |= PFO_ENTRY_BACKWARD;
	return flags;
}

bool
pfo_publish(const PfoAttempt *attempt, const PfoCapture *capture,
			TupleDesc desc, double cost_ms, const char *text, int location,
			int len)
{
	const PfoPlanInfo *info = attempt->info;
	const Plan *plan = info->child->planTree;
	char		normalized[ENTRY_TEXT];
	Oid			indexes[PFO_MAX_INDEXES];
	PfoDraft	draft;

	pfo_normalize(text, location, len, normalized, sizeof(normalized));

	memset(&draft, 0, sizeof(draft));
	draft.info.key = attempt->key;
	draft.info.tree = info->tree;
	draft.info.dbid = MyDatabaseId;
	draft.info.roleid = GetUserId();
	draft.info.queryid = info->queryid;
	draft.info.encoding = GetDatabaseEncoding();
	draft.info.flags = entry_flags(info);
	draft.info.nrows = capture->nrows;
	draft.info.natts = desc->natts;
	draft.info.ndeps = attempt->ndeps;
	draft.info.nrelids = list_length(info->depends);
	draft.info.nindexes = pfo_plan_indexes(info->child, indexes);
	draft.info.text_len = strlen(normalized);
	draft.info.cost_ms = cost_ms;
	draft.info.created = GetCurrentTimestamp();
	draft.info.startup_cost = plan->startup_cost;
	draft.info.total_cost = plan->total_cost;
	draft.info.plan_rows = plan->plan_rows;
	draft.info.plan_width = plan->plan_width;
	draft.types = result_types(desc);
	draft.deps = attempt->deps;
	draft.relids = relation_array(info->depends);
	draft.relkinds = relation_kinds(draft.relids, draft.info.nrelids,
									info->child->rtable);
	draft.invals = pfo_childplan_inval_items(info->child, &draft.info.ninvals);
	draft.indexes = indexes;
	draft.text = normalized;
	draft.capture = capture;

	if (!pfo_store_publish(&draft))
		return false;
	pfo_count(PFO_COUNT_STORES, 1);
	if (pfo_policy_needs_text(info->queryid))
		pfo_policy_set_text(info->queryid, normalized);
	return true;
}
