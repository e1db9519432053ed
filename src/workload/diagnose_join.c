/*-------------------------------------------------------------------------
 *
 * diagnose_join.c
 *	  Checks of how rows are put together: loops, and processes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "workload/diagnose_check.h"
#include "workload/diagnose_filter.h"

/*
 * An inner side that is read as a whole is meant to be small, or read seldom:
 * a million rows looked at take a tenth of a second.
 */
#define MIN_LOOPS				100.0
#define MIN_ROWS_LOOKED_AT		1000000.0
#define MAX_SHARE_JOINED		0.10

/*
 * Looking up each row is right if the planner knew how many there are; if not,
 * or where there are more than anybody expects, a hash join may do better.
 */
#define MIN_UNEXPECTED_LOOPS	10000.0
#define UNEXPECTED_FACTOR		10.0
#define MIN_LOOKUPS				1000000.0

typedef struct Loops
{
	const PfoPlanNode *inner;	/* what is repeated */
	double		count;
	double		expected;
	double		looked_at;		/* rows, in all loops */
	double		joined;			/* rows that came out */
	bool		ran;
} Loops;

static bool
is_lookup(const PfoPlanNode *node)
{
	return pfo_node_is(node, "Index Scan") ||
		pfo_node_is(node, "Index Only Scan") ||
		pfo_node_is(node, "Bitmap Heap Scan");
}

/* Of what was executed, or of what is planned. */
static bool
count_loops(const PfoPlanNode *join, Loops *loops)
{
	const PfoPlanNode *outer = pfo_node_child(join, PFO_LINK_OUTER);
	const PfoPlanNode *inner = pfo_node_child(join, PFO_LINK_INNER);

	/* what Memoize had was not executed again */
	while (inner != NULL && pfo_node_is(inner, "Memoize"))
		inner = pfo_node_child(inner, PFO_LINK_OUTER);
	if (outer == NULL || inner == NULL)
		return false;
	loops->inner = inner;
	loops->ran = pfo_node_ran(join) && pfo_node_ran(inner);
	loops->expected = Max(outer->plan_rows, 1);
	if (loops->ran)
	{
		loops->expected *= Max(join->loops, 1);
		loops->count = inner->loops;
		loops->looked_at = inner->rows * inner->loops +
			pfo_node_total(inner, "Rows Removed by Filter");
		loops->joined = join->rows * join->loops;
	}
	else if (join->loops < 0)
	{
		loops->count = loops->expected;
		loops->looked_at = Max(inner->plan_rows, 0) * loops->count;
		loops->joined = Max(join->plan_rows, 0);
	}
	else
		return false;
	return true;
}

static bool
is_too_many(const Loops *loops)
{
	if (is_lookup(loops->inner))
		return loops->ran &&
			(loops->count >= MIN_LOOKUPS ||
			 (loops->count >= MIN_UNEXPECTED_LOOPS &&
			  loops->count >= loops->expected * UNEXPECTED_FACTOR));
	/* a scan that discards most of what it reads is told of as such */
	return loops->count >= MIN_LOOPS &&
		loops->looked_at >= MIN_ROWS_LOOKED_AT &&
		loops->joined <= loops->looked_at * MAX_SHARE_JOINED &&
		!pfo_seq_scan_discards_most(loops->inner);
}

/* An index that would make a look-up of each loop. */
static char *
loop_advice(const PfoPlanNode *join, const PfoPlanNode *inner)
{
	char	   *condition = pfo_json_text(join->json, "Join Filter");
	List	   *columns;

	if (is_lookup(inner))
		return "ANALYZE the tables of the outer side, so that the planner knows how many loops there are; a hash join reads the inner side once";
	while (inner->relation == NULL && list_length(inner->children) == 1)
		inner = linitial(inner->children);
	if (condition == NULL)
		condition = pfo_json_text(inner->json, "Filter");
	if (condition == NULL || inner->relation == NULL)
		return NULL;
	columns = pfo_condition_columns(condition, inner->alias);
	if (columns == NIL)
		return NULL;
	return psprintf("CREATE INDEX CONCURRENTLY ON %s (%s); -- so that each loop is a look-up",
					pfo_node_relation(inner), pfo_columns_text(columns));
}

static void
check_nested_loop(PfoDiagnosis *d, const PfoPlanNode *join)
{
	const PfoPlanNode *side = pfo_node_child(join, PFO_LINK_INNER);
	Loops		loops;
	double		wasted_ms;

	if (!count_loops(join, &loops) || !is_too_many(&loops))
		return;
	/* comparing is the join's own work, and in vain if few rows match */
	wasted_ms = side->total_ms;
	if (wasted_ms >= 0 && !is_lookup(loops.inner))
		wasted_ms += Max(join->own_ms, 0);
	pfo_report(d, PFO_DIAGNOSIS_NESTED_LOOP_MANY, join, wasted_ms,
			   Max(loops.looked_at, loops.count),
			   loop_advice(join, loops.inner),
			   "%.0f loops%s, %.0f rows looked at and %.0f joined, below it %s",
			   loops.count,
			   loops.ran ? psprintf(" where %.0f were expected",
									loops.expected) : " are planned",
			   loops.looked_at, loops.joined, pfo_node_title(loops.inner));
}

static void
check_workers(PfoDiagnosis *d, const PfoPlanNode *gather)
{
	double		planned = pfo_json_number(gather->json, "Workers Planned");
	double		launched = pfo_json_number(gather->json, "Workers Launched");

	if (!pfo_node_ran(gather) || launched < 0 || launched >= planned)
		return;
	pfo_report(d, PFO_DIAGNOSIS_MISSING_PARALLEL_WORKERS, gather,
			   pfo_share_of_ms(gather->total_ms,
							   1 - (launched + 1) / (planned + 1)),
			   gather->rows * gather->loops, NULL,
			   "%.0f of %.0f launched", launched, planned);
}

void
pfo_diagnose_join(PfoDiagnosis *d, const PfoPlanNode *node)
{
	if (pfo_node_is(node, "Nested Loop"))
		check_nested_loop(d, node);
	else if (pfo_node_is(node, "Gather") || pfo_node_is(node, "Gather Merge"))
		check_workers(d, node);
}
