/*-------------------------------------------------------------------------
 *
 * observe.c
 *	  What the cache would save if it were switched on.
 *
 * In mode observe, plans are not touched.  The backend remembers per family
 * what its executions take; for one that takes perfopt.cache_min_time the
 * key of each execution is computed and its sighting counted, together with
 * a digest of the versions of its relations.  A sighting with the digest of
 * the one before, late enough for admission, is an execution that the cache
 * would have answered.  Only hashes are kept, no rows.
 *
 * An execution is connected with its plan through the query id.  Without
 * query ids (compute_query_id) only a plan that is run at once is known
 * again, which leaves out prepared statements.
 *
 * MEMORY.  Backend-local, in a context of its own that is emptied when it
 * holds MAX_FAMILIES.
 *
 * CAVEATS.  A prediction: it knows nothing of snapshots, of evictions and of
 * results that are too large.  Of what is fetched in pieces, only the first is
 * timed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "common/hashfn.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/contain.h"
#include "base/execution.h"
#include "base/guc.h"
#include "base/normalize.h"
#include "base/statement.h"
#include "cache/counters.h"
#include "cache/lookup.h"
#include "cache/observe.h"
#include "cache/policy.h"

#define MAX_FAMILIES	512
#define ASK_AGAIN		64		/* executions; its record may be displaced */

typedef struct Family
{
	int64		id;				/* hash key */
	PfoReason	reason;
	uint64		calls;
	double		total_ms;
	bool		has_key;
	bool		has_text;		/* when last asked */
	PfoHash		tree;
	Bitmapset  *params;
	List	   *folded;			/* see fold.h */
	MemoryContext folded_context;	/* where that is, if any ever was */
	List	   *depends;
} Family;

static MemoryContext context = NULL;
static HTAB *families = NULL;

/*
 * The plan made last, NULL if it has a query id to be found by.  It may be
 * gone without having been run, and another plan lie at its place: that one's
 * time is then taken for its, no more.
 */
static const PlannedStmt *last_plan = NULL;
static int64 last_family = 0;

/*
 * Without query ids, families can only be told apart by their keys.  What is
 * cheap is told by the shape of the statement instead: the relations it
 * reads.  Statements of one shape share a moving average.
 */
#define FEW_CALLS		4

typedef struct Shape
{
	uint32		shape;
	uint32		calls;
	double		ms;				/* moving average */
} Shape;

static Shape shapes[512];
static Shape *last_shape = NULL;	/* of last_plan */

static Family *
find_family(int64 id, bool make)
{
	Family	   *family;
	bool		found;

	if (families == NULL ||
		(make && hash_get_num_entries(families) >= MAX_FAMILIES))
	{
		HASHCTL		ctl;

		if (!make)
			return NULL;
		if (context == NULL)
			context = AllocSetContextCreate(TopMemoryContext,
											"perfopt families",
											ALLOCSET_DEFAULT_SIZES);
		families = NULL;
		MemoryContextReset(context);
		memset(&ctl, 0, sizeof(ctl));
		ctl.keysize = sizeof(int64);
		ctl.entrysize = sizeof(Family);
		ctl.hcxt = context;
		families = hash_create("perfopt families", MAX_FAMILIES, &ctl,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	family = hash_search(families, &id, make ? HASH_ENTER : HASH_FIND, &found);
	if (make && !found)
	{
		memset(family, 0, sizeof(Family));
		family->id = id;
	}
	return family;
}

static bool
is_slow(const Family *family)
{
	return family->total_ms >= pfo_cache_min_time * family->calls;
}

/* A hash of what a statement reads and roughly does. */
static uint32
shape_of(Query *query)
{
	uint32		shape = list_length(query->targetList) ^
		(query->hasAggs << 8) ^ (query->sortClause != NIL) << 9 ^
		(query->limitCount != NULL) << 10;
	ListCell   *lc;

	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		shape = hash_combine(shape, murmurhash32(rte->relid + rte->rtekind));
	}
	return shape;
}

bool
pfo_observe_wants_key(Query *query, int64 id)
{
	Family	   *family;

	if (id == 0)
	{
		uint32		shape = shape_of(query);

		last_shape = &shapes[shape % lengthof(shapes)];
		if (last_shape->shape != shape)
		{
			last_shape->shape = shape;
			last_shape->calls = 0;
			last_shape->ms = 0;
		}
		return last_shape->calls < FEW_CALLS ||
			last_shape->ms >= pfo_cache_min_time / 2;
	}
	family = find_family(id, false);
	return family == NULL ||
		(family->reason == PFO_REASON_NONE && is_slow(family));
}

void
pfo_observe_reason(int64 id, PfoReason reason)
{
	find_family(id, true)->reason = reason;
}

/* They change with the constants, so they have a context to be freed with. */
static void
keep_folded(Family *family, List *folded)
{
	MemoryContext old;

	if (equal(family->folded, folded))
		return;
	family->folded = NIL;
	if (family->folded_context == NULL)
		family->folded_context = AllocSetContextCreate(context,
													   "perfopt folded",
													   ALLOCSET_SMALL_SIZES);
	MemoryContextReset(family->folded_context);
	old = MemoryContextSwitchTo(family->folded_context);
	family->folded = copyObject(folded);
	MemoryContextSwitchTo(old);
}

static void
note_plan(const PlannedStmt *stmt, int64 id)
{
	last_plan = stmt->queryId == 0 ? stmt : NULL;
	last_family = id;
}

void
pfo_observe_planned(int64 id, const PfoQueryKey *key, List *folded,
					PlannedStmt *stmt, List *depends)
{
	Family	   *family = find_family(id, true);
	MemoryContext old = MemoryContextSwitchTo(context);

	family->tree = key->tree;
	if (!bms_equal(family->params, key->params))
	{
		Bitmapset  *copy = bms_copy(key->params);

		bms_free(family->params);
		family->params = copy;
	}
	keep_folded(family, folded);
	if (!equal(family->depends, depends))
	{
		List	   *copy = list_copy(depends);

		list_free(family->depends);
		family->depends = copy;
	}
	family->has_key = true;
	MemoryContextSwitchTo(old);

	note_plan(stmt, id);
}

void
pfo_observe_cheap(PlannedStmt *stmt)
{
	note_plan(stmt, 0);
}

bool
pfo_observe_starts(QueryDesc *queryDesc, instr_time *start)
{
	if (pfo_cache_mode != PFO_CACHE_OBSERVE || pfo_is_explaining() ||
		queryDesc->operation != CMD_SELECT)
		return false;
	/* a part of an execution: a parallel worker's, or a later piece */
	if (IsInParallelMode() || queryDesc->already_executed)
		return false;
	/* one that runs inside another cannot be the one planned last */
	if (pfo_is_nested() && queryDesc->plannedstmt->queryId == 0)
		return false;
	INSTR_TIME_SET_CURRENT(*start);
	return true;
}

/* Would the cache have answered this execution? */
static bool
would_hit(Family *family, ParamListInfo params)
{
	PfoHash		key;
	PfoReason	reason;
	bool		unchanged;
	uint32		seen;

	if (!family->has_key ||
		!pfo_execution_key(&family->tree, family->params, family->folded,
						   params, NULL, &key, &reason))
		return false;
	seen = pfo_policy_sighting(&key, pfo_version_digest(family->depends),
							   &unchanged);
	return unchanged && seen > (uint32) pfo_cache_min_calls;
}

/* What keeps any execution from being served where and how this one ran. */
static PfoReason
why_none(void)
{
	if (RecoveryInProgress())
		return PFO_REASON_RECOVERY;
	if (IsolationIsSerializable())
		return PFO_REASON_SERIALIZABLE;
	return PFO_REASON_NONE;
}

/* One that comes but once is not worth a text. */
static void
give_text(Family *family, QueryDesc *queryDesc)
{
	char		text[PFO_FAMILY_TEXT];

	if (pfo_policy_needs_text(family->id))
	{
		pfo_normalize(queryDesc->sourceText,
					  queryDesc->plannedstmt->stmt_location,
					  queryDesc->plannedstmt->stmt_len, text, sizeof(text));
		pfo_policy_set_text(family->id, text);
	}
	family->has_text = true;
}

/* An execution that ended, as pfo_contain() is told. */
typedef struct Ended
{
	QueryDesc  *queryDesc;
	double		ms;
} Ended;

static void
account(void *arg)
{
	QueryDesc  *queryDesc = ((Ended *) arg)->queryDesc;
	double		ms = ((Ended *) arg)->ms;
	PlannedStmt *stmt = queryDesc->plannedstmt;
	int64		id = (int64) stmt->queryId;
	Family	   *family;
	PfoReason	reason;
	PfoExecution *execution;

	if (id == 0 && stmt == last_plan)
	{
		id = last_family;
		last_shape->calls++;
		last_shape->ms += (ms - last_shape->ms) / Min(last_shape->calls, 16);
	}
	last_plan = NULL;
	if (id == 0)
		return;

	family = find_family(id, true);
	family->calls++;
	family->total_ms += ms;
	reason = family->reason != PFO_REASON_NONE ? family->reason : why_none();
	if (reason != PFO_REASON_NONE)
	{
		pfo_count(PFO_COUNT_BYPASSES, 1);
		pfo_count_reason(reason, id);
		execution = pfo_execution_of(queryDesc);
		if (execution != NULL)
		{
			execution->served = PFO_SERVED_BYPASS;
			execution->reason = reason;
		}
		return;
	}
	if (!is_slow(family))
		return;
	pfo_policy_executed(id, ms, would_hit(family, queryDesc->params));
	if (family->calls > 1 &&
		(!family->has_text || family->calls % ASK_AGAIN == 0))
		give_text(family, queryDesc);
}

void
pfo_observe_ends(QueryDesc *queryDesc, instr_time start)
{
	Ended		ended = {.queryDesc = queryDesc};
	instr_time	spent;

	INSTR_TIME_SET_CURRENT(spent);
	INSTR_TIME_SUBTRACT(spent, start);
	ended.ms = INSTR_TIME_GET_MILLISEC(spent);
	(void) pfo_contain(account, &ended);
}
