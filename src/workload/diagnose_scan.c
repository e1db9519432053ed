/*-------------------------------------------------------------------------
 *
 * diagnose_scan.c
 *	  Checks of how rows are found: what was read and then discarded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "workload/diagnose_catalog.h"
#include "workload/diagnose_check.h"
#include "workload/diagnose_defeat.h"
#include "workload/diagnose_filter.h"

/*
 * A table of some thousand rows is read faster than an index is descended, and
 * an index pays up to about a tenth of a table's rows.
 */
#define MIN_SEQ_ROWS			10000.0
#define MIN_SEQ_ROWS_A_SCAN		1000.0
#define MIN_SEQ_DISCARDED		0.90

/* About what reading so many rows costs, for a plan that was not executed. */
#define MIN_SEQ_COST			200.0

/*
 * A row that an index led to costs more than one of a sequential scan: it may
 * be on a page of its own.
 */
#define MIN_INDEX_ROWS			5000.0
#define MIN_INDEX_DISCARDED		0.80
#define MIN_LOSSY_DISCARDED		0.50

/* Recently changed pages are never all-visible. */
#define MIN_HEAP_FETCHES		1000.0
#define MIN_FETCHED_SHARE		0.20

/* As autovacuum's scale factor: it ought to have come by. */
#define MIN_DEAD_ROWS			10000.0
#define MIN_DEAD_SHARE			0.20

/* tidbitmap.c: PagetableEntry of pages of 8 kB, and what a hash table adds */
#define BITMAP_PAGE_BYTES		64

/* An index that begins with one of the columns, if the catalogs tell. */
static const char *
existing_index(const PfoPlanNode *node, const char *filter)
{
	ListCell   *lc;

	foreach(lc, pfo_condition_comparisons(filter, node->alias))
	{
		const PfoComparison *comparison = lfirst(lc);
		const PfoExpr *column = pfo_expr_bare_column(comparison->subject,
													 node->alias);
		PfoColumnFacts facts;

		if (column == NULL || comparison->op[0] == '~')
			continue;
		facts = pfo_column_facts(node->schema, node->relation, column->name,
								 NULL);
		if (facts.found && facts.index != NULL)
			return quote_identifier(facts.index);
	}
	return NULL;
}

/*
 * A column compared with LIKE 'prefix%', which an index in the order of a
 * language does not serve.
 */
static char *
prefix_advice(const PfoPlanNode *node, const char *condition)
{
	ListCell   *lc;

	foreach(lc, pfo_condition_comparisons(condition, node->alias))
	{
		const PfoComparison *comparison = lfirst(lc);
		const PfoExpr *column = pfo_expr_bare_column(comparison->subject,
													 node->alias);

		if (column != NULL && strcmp(comparison->op, "~~") == 0 &&
			comparison->value->kind == PFO_EXPR_CONST &&
			comparison->value->name != NULL)
			return psprintf("CREATE INDEX CONCURRENTLY ON %s (%s text_pattern_ops);",
							pfo_node_relation(node),
							quote_identifier(column->name));
	}
	return NULL;
}

static char *
index_advice(const PfoPlanNode *node, const char *condition)
{
	List	   *columns = pfo_condition_columns(condition, node->alias);

	if (columns == NIL)
		return prefix_advice(node, condition);
	return psprintf("CREATE INDEX CONCURRENTLY ON %s (%s);",
					pfo_node_relation(node), pfo_columns_text(columns));
}

static char *
seq_scan_advice(const PfoPlanNode *node, const char *filter)
{
	const char *index = existing_index(node, filter);

	if (index == NULL)
		return index_advice(node, filter);
	return psprintf("ANALYZE %s; -- the index %s was not chosen: see what it would cost, after SET enable_seqscan = off",
					pfo_node_relation(node), index);
}

/* What a subquery gives is in no index. */
static bool
asks_subplan_only(const PfoPlanNode *node, const char *filter)
{
	return strstr(filter, "SubPlan") != NULL &&
		index_advice(node, filter) == NULL;
}

static char *
in_loops(double loops)
{
	return loops > 1 ? psprintf(" in %.0f scans", loops) : "";
}

/* How often was the table read?  Processes can share a scan. */
static double
count_scans(const PfoPlanNode *node)
{
	return pfo_json_true(node->json, "Parallel Aware") ?
		node->loops / node->processes : node->loops;
}

bool
pfo_seq_scan_discards_most(const PfoPlanNode *node)
{
	double		removed = pfo_node_total(node, "Rows Removed by Filter");
	double		read = removed + node->rows * node->loops;

	return pfo_node_is(node, "Seq Scan") && pfo_node_ran(node) &&
		read >= MIN_SEQ_ROWS &&
		read >= count_scans(node) * MIN_SEQ_ROWS_A_SCAN &&
		removed >= read * MIN_SEQ_DISCARDED;
}

static void
check_seq_scan(PfoDiagnosis *d, const PfoPlanNode *node)
{
	char	   *filter = pfo_json_text(node->json, "Filter");
	double		removed = pfo_node_total(node, "Rows Removed by Filter");
	double		read = removed + node->rows * node->loops;
	double		scans = count_scans(node);
	PfoDefeat	defeat;
	double		wasted_ms;

	if (filter == NULL || !pfo_seq_scan_discards_most(node))
		return;

	wasted_ms = pfo_share_of_ms(node->own_ms, removed / read);
	if (pfo_find_defeat(node, filter, &defeat))
		pfo_report(d, PFO_DIAGNOSIS_INDEX_DEFEATED, node, wasted_ms, removed,
				   defeat.advice, "%s; %.0f of %.0f rows discarded%s",
				   defeat.evidence, removed, read, in_loops(scans));
	else if (!asks_subplan_only(node, filter))
		pfo_report(d, PFO_DIAGNOSIS_SEQ_SCAN_DISCARDS_MOST, node, wasted_ms,
				   removed, seq_scan_advice(node, filter),
				   "%.0f of %.0f rows discarded%s by the filter %s",
				   removed, read, in_loops(scans), pfo_clip(filter));
}

/* How many rows are read is not known; a range may be of most of them. */
static void
check_planned_seq_scan(PfoDiagnosis *d, const PfoPlanNode *node)
{
	char	   *filter = pfo_json_text(node->json, "Filter");
	double		cost = pfo_json_number(node->json, "Total Cost");
	PfoDefeat	defeat;

	if (filter != NULL && cost >= MIN_SEQ_COST &&
		pfo_find_defeat(node, filter, &defeat))
		pfo_report(d, PFO_DIAGNOSIS_INDEX_DEFEATED, node, -1, cost,
				   defeat.advice, "%s; the cost of the scan is %.0f",
				   defeat.evidence, cost);
}

/*
 * Indexes
 */

static bool
is_index_scan(const PfoPlanNode *node)
{
	return pfo_node_is(node, "Index Scan") ||
		pfo_node_is(node, "Index Only Scan") ||
		pfo_node_is(node, "Bitmap Heap Scan");
}

/*
 * Pages of a bitmap, over all loops.  Until 16 EXPLAIN gave those of one
 * process only, since 17 it gives the workers' beside the leader's.
 */
static double
heap_blocks(const PfoPlanNode *node, const char *key)
{
	double		blocks = Max(pfo_json_number(node->json, key), 0);
	double		of_workers = 0;
	ListCell   *lc;

	foreach(lc, pfo_json_objects(node->json, "Workers"))
		of_workers += Max(pfo_json_number(lfirst(lc), key), 0);
	return of_workers > 0 ? blocks + of_workers : blocks * node->processes;
}

/*
 * An index without rows' addresses, as BRIN is, gives lossy pages only; a
 * bitmap that was cut keeps exact ones.
 */
static bool
check_lossy(PfoDiagnosis *d, const PfoPlanNode *node, double rechecked,
			double read)
{
	double		exact = heap_blocks(node, "Exact Heap Blocks");
	double		lossy = heap_blocks(node, "Lossy Heap Blocks");
	double		kilobytes;

	if (exact <= 0 || lossy <= 0 || rechecked < MIN_INDEX_ROWS ||
		rechecked < read * MIN_LOSSY_DISCARDED)
		return false;
	kilobytes = (exact + lossy) * BITMAP_PAGE_BYTES / 1024;
	if (!pfo_json_true(node->json, "Parallel Aware"))
		kilobytes /= node->loops;
	pfo_report(d, PFO_DIAGNOSIS_BITMAP_LOSSY, node,
			   pfo_share_of_ms(node->own_ms, rechecked / read), rechecked,
			   pfo_work_mem_advice(kilobytes,
								   psprintf("%d bytes a page",
											BITMAP_PAGE_BYTES),
								   "let an index with more of the columns find fewer rows"),
			   "%.0f of %.0f rows discarded, %.0f of %.0f pages lossy",
			   rechecked, read, lossy, exact + lossy);
	return true;
}

static char *
index_filter_advice(const PfoPlanNode *node, const char *condition,
					const char *filter, double filtered, double rechecked)
{
	if (rechecked > filtered)
		return pfo_json_number(node->json, "Lossy Heap Blocks") > 0 ?
			"the index knows ranges of pages only: cluster the table by the column, lower pages_per_range, or create a btree index" :
			"the index finds candidates only: ask for a longer pattern, or create an index of a type that is exact for this condition";
	if (filter == NULL)
		return NULL;
	if (pfo_condition_columns(filter, node->alias) == NIL)
		return NULL;
	return index_advice(node, condition == NULL ? filter :
						psprintf("(%s AND %s)", condition, filter));
}

static void
check_index_scan(PfoDiagnosis *d, const PfoPlanNode *node)
{
	char	   *filter = pfo_json_text(node->json, "Filter");
	char	   *condition = pfo_json_text(node->json, "Index Cond");
	double		filtered = pfo_node_total(node, "Rows Removed by Filter");
	double		rechecked = pfo_node_total(node, "Rows Removed by Index Recheck");
	double		read = node->rows * node->loops + filtered + rechecked;

	if (condition == NULL)
		condition = pfo_json_text(node->json, "Recheck Cond");
	if (check_lossy(d, node, rechecked, read))
		rechecked = 0;
	if (filtered + rechecked < MIN_INDEX_ROWS ||
		filtered + rechecked < read * MIN_INDEX_DISCARDED)
		return;
	pfo_report(d, PFO_DIAGNOSIS_INDEX_FILTERED_ROWS, node,
			   pfo_share_of_ms(node->own_ms, (filtered + rechecked) / read),
			   filtered + rechecked,
			   index_filter_advice(node, condition, filter, filtered,
								   rechecked),
			   "%.0f of %.0f rows discarded%s, %.0f of them by a recheck%s%s",
			   filtered + rechecked, read, in_loops(node->loops), rechecked,
			   filter ? "; filter " : "", filter ? pfo_clip(filter) : "");
}

/* Fetches are counted over all loops. */
static void
check_heap_fetches(PfoDiagnosis *d, const PfoPlanNode *node)
{
	double		fetches = pfo_json_number(node->json, "Heap Fetches");
	double		read = node->rows * node->loops +
		pfo_node_total(node, "Rows Removed by Filter") +
		pfo_node_total(node, "Rows Removed by Index Recheck");
	double		share = Min(fetches / Max(read, 1), 1);
	char	   *relation = pfo_node_relation(node);

	if (fetches < MIN_HEAP_FETCHES || share < MIN_FETCHED_SHARE)
		return;
	pfo_report(d, PFO_DIAGNOSIS_HEAP_FETCHES, node,
			   pfo_share_of_ms(node->own_ms, share), fetches,
			   relation ? psprintf("VACUUM %s; -- and if this comes back: ALTER TABLE %s SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);",
								   relation, relation) : NULL,
			   "%.0f fetches for %.0f rows", fetches, read);
}

/*
 * Dead rows, which perfopt knows and EXPLAIN does not
 */

/* A table can be read by many nodes. */
static bool
was_advised(const PfoDiagnosis *d, const char *advice)
{
	ListCell   *lc;

	foreach(lc, d->findings)
	{
		if (strcmp(((PfoFinding *) lfirst(lc))->advice, advice) == 0)
			return true;
	}
	return false;
}

static void
check_dead_rows(PfoDiagnosis *d, const PfoPlanNode *node)
{
	double		dead = pfo_json_number(node->json, "Dead Tuples");
	double		live = pfo_json_number(node->json, "Live Tuples");
	double		share = dead / Max(dead + live, 1);
	char	   *advice;

	if (live < 0 || dead < MIN_DEAD_ROWS || share < MIN_DEAD_SHARE)
		return;
	advice = psprintf("VACUUM %s; -- if rows stay dead, old transactions keep them: SELECT pid, xact_start, state FROM pg_stat_activity WHERE backend_xmin IS NOT NULL ORDER BY xact_start;",
					  pfo_node_relation(node));
	if (was_advised(d, advice))
		return;
	pfo_report(d, PFO_DIAGNOSIS_DEAD_ROWS, node,
			   pfo_node_is(node, "Seq Scan") ?
			   pfo_share_of_ms(node->own_ms, share) : -1,
			   dead, advice, "%.0f dead, %.0f live", dead, live);
}

void
pfo_diagnose_scan(PfoDiagnosis *d, const PfoPlanNode *node)
{
	if (node->relation != NULL)
		check_dead_rows(d, node);
	if (pfo_node_is(node, "Seq Scan") && node->relation != NULL)
	{
		if (pfo_node_ran(node))
			check_seq_scan(d, node);
		else if (node->loops < 0)
			check_planned_seq_scan(d, node);
	}
	else if (is_index_scan(node) && node->relation != NULL &&
			 pfo_node_ran(node))
	{
		check_index_scan(d, node);
		check_heap_fetches(d, node);
	}
}
