/*-------------------------------------------------------------------------
 *
 * diagnose_rows.c
 *	  Where do the planner's estimates begin to be off?
 *
 * A wrong estimate makes all above it wrong.  So a node is told of only if
 * none is that its rows come from; two branches can each have one.
 *
 * What a node returned is not always what it would have:
 *
 * - Below a LIMIT, an EXISTS, a merge join, and on the inner side of a join
 *	 that wants one match, reading may stop early: fewer rows than expected say
 *	 nothing.  It ends below what reads all of its input before it returns a
 *	 row, as a sort does.
 * - The inner side of a merge join reads rows with equal keys again, and
 *	 counts them again: more rows than expected say nothing there.
 * - In a parallel part the plan's figure is of one process, assuming that all
 *	 planned ones take part.
 *
 * The rows of a CTE Scan come from the CTE's plan, which EXPLAIN prints
 * elsewhere, before the scan.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "workload/diagnose_check.h"
#include "workload/diagnose_filter.h"

/* Estimates are of the right magnitude at best. */
#define MIN_FACTOR		10.0

/* With fewer rows than this the best plan is not much better. */
#define MIN_ROWS_OFF	1000.0

typedef struct Trust
{
	bool		may_stop;		/* fewer rows say nothing */
	bool		may_repeat;		/* more rows say nothing */
} Trust;

typedef struct Walk
{
	PfoDiagnosis *d;
	List	   *off_ctes;		/* names of CTEs whose estimates are off */
} Walk;

/* Does it read all of its input, once, before it returns a row? */
static bool
reads_all_first(const PfoPlanNode *node)
{
	char	   *strategy;

	if (pfo_node_is(node, "Sort") || pfo_node_is(node, "Hash"))
		return true;
	if (!pfo_node_is(node, "Aggregate"))
		return false;
	strategy = pfo_json_text(node->json, "Strategy");
	return strategy != NULL &&
		(strcmp(strategy, "Hashed") == 0 || strcmp(strategy, "Plain") == 0);
}

/* Is one match enough for each row of the outer side? */
static bool
wants_one_match(const PfoPlanNode *join)
{
	char	   *type = pfo_json_text(join->json, "Join Type");

	return pfo_json_true(join->json, "Inner Unique") ||
		(type != NULL &&
		 (strcmp(type, "Semi") == 0 || strcmp(type, "Anti") == 0));
}

/* A hash join whose table is empty reads a row of the outer side at most. */
static bool
hash_is_empty(const PfoPlanNode *join)
{
	const PfoPlanNode *hash = pfo_node_child(join, PFO_LINK_INNER);

	return hash == NULL || hash->rows <= 0;
}

static Trust
trust_in_child(const PfoPlanNode *node, const PfoPlanNode *child,
			   Trust trust)
{
	if (child->link == PFO_LINK_INITPLAN || child->link == PFO_LINK_SUBPLAN)
		return (Trust) {.may_stop = true};
	if (reads_all_first(node))
		return (Trust) {0};
	if (pfo_node_is(node, "Limit"))
		trust.may_stop = true;
	else if (pfo_node_is(node, "Merge Join"))
	{
		trust.may_stop = true;
		trust.may_repeat |= child->link == PFO_LINK_INNER;
	}
	else if (pfo_node_is(node, "Nested Loop"))
		trust.may_stop |=
			child->link == PFO_LINK_INNER && wants_one_match(node);
	else if (pfo_node_is(node, "Hash Join"))
		trust.may_stop |=
			child->link == PFO_LINK_OUTER && hash_is_empty(node);
	return trust;
}

/* Bitmaps count pages or nothing, and a modification returns nothing. */
static bool
is_comparable(const PfoPlanNode *node)
{
	static const char *const others[] = {
		"Bitmap Index Scan", "BitmapAnd", "BitmapOr", "ModifyTable"
	};

	for (int i = 0; i < lengthof(others); i++)
	{
		if (pfo_node_is(node, others[i]))
			return false;
	}
	return pfo_node_ran(node) && node->plan_rows >= 0;
}

/*
 * Is there nothing to add?  The size of a recursion is a fixed guess.  And who
 * is told of an index defeated by an expression knows the cause: expressions
 * have no statistics.
 */
static bool
is_known(const PfoDiagnosis *d, const PfoPlanNode *node)
{
	ListCell   *lc;

	if (pfo_node_is(node, "Recursive Union") ||
		pfo_node_is(node, "WorkTable Scan"))
		return true;
	foreach(lc, d->findings)
	{
		const PfoFinding *finding = lfirst(lc);

		if (finding->code == PFO_DIAGNOSIS_INDEX_DEFEATED &&
			finding->node_number == node->number)
			return true;
	}
	return false;
}

/* By what factor, the larger of both over the smaller?  0: not comparable. */
static double
factor_off(const PfoPlanNode *node, Trust trust)
{
	double		expected = Max(node->plan_rows, 1);
	double		actual = Max(node->rows, 1);

	if (!is_comparable(node) ||
		fabs(node->rows - node->plan_rows) * node->loops < MIN_ROWS_OFF)
		return 0;
	if (actual < expected)
		return trust.may_stop ? 0 : expected / actual;
	if (node->processes < node->planned_processes)
		actual *= node->processes / node->planned_processes;
	return trust.may_repeat ? 0 : actual / expected;
}

/*
 * Did the planner choose anything by it?  How a relation is scanned always,
 * all else if something above it could have been done in another way.
 */
static bool
matters(const PfoPlanNode *node)
{
	static const char *const passive[] = {
		"Limit", "Gather", "Gather Merge", "Result", "Custom Scan", "Append",
		"Subquery Scan", "LockRows", "ModifyTable", "ProjectSet"
	};

	if (node->relation != NULL || node->cte != NULL)
		return true;
	for (node = node->parent; node != NULL; node = node->parent)
	{
		int			i;

		for (i = 0; i < lengthof(passive); i++)
		{
			if (pfo_node_is(node, passive[i]))
				break;
		}
		if (i == lengthof(passive))
			return true;
	}
	return false;
}

/*
 * What a scan's conditions say of its columns tells whether statistics of them
 * together could help.
 */
static char *
scan_advice(const PfoPlanNode *node)
{
	static const char *const keys[] = {"Index Cond", "Recheck Cond", "Filter"};
	char	   *relation = pfo_node_relation(node);
	List	   *columns = NIL;
	bool		has_condition = false;
	char	   *list;

	for (int i = 0; i < lengthof(keys); i++)
	{
		char	   *condition = pfo_json_text(node->json, keys[i]);

		if (condition == NULL)
			continue;
		has_condition = true;
		columns = pfo_columns_union(columns,
									pfo_condition_columns(condition,
														  node->alias));
	}
	list = pfo_columns_text(columns);
	if (!has_condition)
		return psprintf("ANALYZE %s;", relation);
	if (columns == NIL)
		return psprintf("ANALYZE %s; -- expressions have statistics only by: CREATE STATISTICS ON (...) FROM %s",
						relation, relation);
	if (list_length(columns) == 1)
		return psprintf("ANALYZE %s; -- if that is not enough: ALTER TABLE %s ALTER COLUMN %s SET STATISTICS 1000, and ANALYZE again",
						relation, relation, list);
	return psprintf("CREATE STATISTICS (dependencies, mcv) ON %s FROM %s; ANALYZE %s; -- ANALYZE alone, if the columns do not depend on each other",
					list, relation, relation);
}

static char *
estimate_advice(const PfoPlanNode *node)
{
	char	   *function = pfo_json_text(node->json, "Function Name");

	if (node->relation != NULL)
		return scan_advice(node);
	if (function != NULL)
		return psprintf("ALTER FUNCTION %s ROWS %.0f; -- if the function is yours; the planner guesses 1000",
						quote_identifier(function), Max(node->rows, 1));
	if (pfo_node_is(node, "Aggregate") || pfo_node_is(node, "Unique") ||
		pfo_node_is(node, "Group"))
		return "ANALYZE the tables; for groups by several columns of one: CREATE STATISTICS (ndistinct) ON a, b FROM t";
	if (pfo_node_child(node, PFO_LINK_INNER) != NULL)
		return "the inputs of the join are estimated well, how they match is not: ANALYZE both tables, raise SET STATISTICS of the columns joined on, and say in the statement what one side implies of the other";
	return NULL;
}

static void
report_estimate(PfoDiagnosis *d, const PfoPlanNode *node, double factor)
{
	MemoryContext old = MemoryContextSwitchTo(d->work);

	pfo_report(d, PFO_DIAGNOSIS_ESTIMATE_OFF, node, -1,
			   fabs(node->rows - node->plan_rows) * node->loops,
			   estimate_advice(node),
			   "%.0f expected, %.0f came%s, %s by a factor of %.0f",
			   node->plan_rows, node->rows,
			   node->loops > 1 ?
			   psprintf(" in each of %.0f loops", node->loops) : "",
			   node->rows > node->plan_rows ? "more" : "fewer", factor);
	MemoryContextSwitchTo(old);
	MemoryContextReset(d->work);
}

/* Is the scan one of a CTE that is off? */
static bool
reads_off_cte(const Walk *walk, const PfoPlanNode *node)
{
	char	   *name = pfo_json_text(node->json, "CTE Name");
	ListCell   *lc;

	if (name == NULL || !pfo_node_is(node, "CTE Scan"))
		return false;
	foreach(lc, walk->off_ctes)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

/* Returns whether this or what its rows come from is off. */
static bool
check_subtree(Walk *walk, const PfoPlanNode *node, Trust trust)
{
	double		factor = factor_off(node, trust);
	bool		off_below = false;
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, node->children)
	{
		const PfoPlanNode *child = lfirst(lc);
		bool		off = check_subtree(walk, child,
										trust_in_child(node, child, trust));

		if (off && child->cte != NULL)
			walk->off_ctes = lappend(walk->off_ctes, (char *) child->cte);
		off_below |= off && child->link != PFO_LINK_INITPLAN &&
			child->link != PFO_LINK_SUBPLAN;
	}
	/* the CTE's plan may be one of the scan's own children */
	off_below |= reads_off_cte(walk, node);

	if (off_below || factor < MIN_FACTOR)
		return off_below;
	if (matters(node) && !is_known(walk->d, node))
		report_estimate(walk->d, node, factor);
	return true;
}

void
pfo_diagnose_estimates(PfoDiagnosis *d)
{
	Walk		walk = {.d = d};

	check_subtree(&walk, d->plan->top, (Trust) {0});
}
