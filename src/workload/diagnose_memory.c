/*-------------------------------------------------------------------------
 *
 * diagnose_memory.c
 *	  Checks of nodes that wrote what did not fit in memory to disk, and what
 *	  work_mem would have held it.
 *
 * The plan says what a node wrote or held, which is less than what memory
 * would hold.  Each estimate says on what it is based:
 *
 * - A sort writes rows without what surrounds them in memory: the entry of the
 *	 array that is sorted, which grows by doubling, and the chunk's header and
 *	 alignment.  That is 73 to 76 bytes a row on PostgreSQL 15, and two to
 *	 three times what is on disk for rows of some 30 bytes.
 * - A hash join holds one batch in memory at a time.  Batches are about equal,
 *	 unless a few values are in most of the rows.
 * - An aggregate writes rows, not groups, and the same ones again at each
 *	 level of partitions, so that what it wrote says little.  It would hold the
 *	 groups, each with some 100 bytes and its row, and what its aggregates
 *	 gather, which for sums of numeric is more than they return.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "workload/diagnose_check.h"

#define SORT_ROW_OVERHEAD		80
#define UNEVEN_SHARES			1.25
#define GROUP_OVERHEAD			128

/* the default since PostgreSQL 15; EXPLAIN (SETTINGS) shows another value */
#define HASH_MEM_MULTIPLIER		2.0

/* A statement that wants more than this had better be written otherwise. */
#define MAX_WORK_MEM_MB			1024

/* Beyond some megabytes a round figure is as good, and easier to compare. */
static double
rounded_mb(double kilobytes)
{
	double		mb = ceil(kilobytes / 1024);

	if (mb > 16)
		mb = ceil(mb / 8) * 8;
	return Max(mb, 1);
}

char *
pfo_work_mem_advice(double kilobytes, const char *basis, const char *otherwise)
{
	double		mb = rounded_mb(kilobytes);

	if (mb > MAX_WORK_MEM_MB)
		return psprintf("%s: work_mem would have to be about %.0f MB (%s)",
						otherwise, mb, basis);
	return psprintf("SET work_mem = '%.0fMB'; -- %s; or %s", mb, basis,
					otherwise);
}

/* A setting that EXPLAIN (SETTINGS) shows, or its default. */
static double
hash_mem_multiplier(const PfoPlan *plan)
{
	JsonbContainer *settings = pfo_json_object(plan->json, "Settings");
	char	   *value = settings ?
		pfo_json_text(settings, "hash_mem_multiplier") : NULL;
	double		multiplier = value ? strtod(value, NULL) : 0;

	return multiplier >= 1 && multiplier <= 1000 ?
		multiplier : HASH_MEM_MULTIPLIER;
}

/*
 * Sorts
 */

/* Kilobytes on disk of a process, which is a node or one of its workers. */
static double
process_disk(JsonbContainer *process)
{
	static const char *const groups[] = {
		"Full-sort Groups", "Pre-sorted Groups"
	};
	char	   *type = pfo_json_text(process, "Sort Space Type");
	double		most = 0;

	if (type != NULL && strcmp(type, "Disk") == 0)
		most = Max(pfo_json_number(process, "Sort Space Used"), 0);
	for (int i = 0; i < lengthof(groups); i++)
	{
		JsonbContainer *group = pfo_json_object(process, groups[i]);
		JsonbContainer *disk =
			group ? pfo_json_object(group, "Sort Space Disk") : NULL;

		if (disk != NULL)
			most = Max(most, pfo_json_number(disk, "Peak Sort Space Used"));
	}
	return most;
}

/*
 * That of the process that wrote most, and how much more this is than what
 * they wrote on average: so many more of the rows it had.
 */
static double
sort_disk(const PfoPlanNode *node, double *lead)
{
	List	   *workers = pfo_json_objects(node->json, "Workers");
	double		most = process_disk(node->json);
	double		sum = most;
	int			writers = most > 0 ? 1 : 0;
	ListCell   *lc;

	foreach(lc, workers)
	{
		double		disk = process_disk(lfirst(lc));

		most = Max(most, disk);
		sum += disk;
		writers += disk > 0 ? 1 : 0;
	}
	*lead = writers > 0 ? most * writers / sum : 1;
	return most;
}

static char *
keys_of(const PfoPlanNode *node, const char *key)
{
	StringInfoData keys;
	ListCell   *lc;

	initStringInfo(&keys);
	foreach(lc, pfo_json_texts(node->json, key))
		appendStringInfo(&keys, "%s%s", keys.len ? ", " : "",
						 (char *) lfirst(lc));
	return pfo_clip(keys.data);
}

/* Rows of one sort: those that came in, for a LIMIT above ends the reading. */
static double
sorted_rows(const PfoPlanNode *node)
{
	const PfoPlanNode *child = pfo_node_child(node, PFO_LINK_OUTER);

	if (child == NULL || !pfo_node_ran(child))
		return Max(node->rows, 0);
	return child->rows * child->loops / Max(node->loops, 1);
}

/*
 * An incremental sort has a group in memory at a time: those that share the
 * columns the rows come ordered by, of which the largest is not known.
 */
static double
sort_groups(const PfoPlanNode *node)
{
	static const char *const kinds[] = {
		"Pre-sorted Groups", "Full-sort Groups"
	};

	for (int i = 0; i < lengthof(kinds); i++)
	{
		JsonbContainer *groups = pfo_json_object(node->json, kinds[i]);
		double		count =
			groups ? pfo_json_number(groups, "Group Count") : 0;

		if (count > 0)
			return count;
	}
	return 1;
}

static void
check_sort(PfoDiagnosis *d, const PfoPlanNode *node)
{
	bool		shared = node->processes > 1;
	double		lead;
	double		disk = sort_disk(node, &lead);
	double		rows = sorted_rows(node);
	double		wanted;
	char	   *keys;

	if (disk <= 0)
		return;
	wanted = disk +
		rows * lead / sort_groups(node) * SORT_ROW_OVERHEAD / 1024;
	if (shared)
		wanted *= UNEVEN_SHARES;
	keys = keys_of(node, "Sort Key");
	pfo_report(d, PFO_DIAGNOSIS_SORT_SPILLED, node, node->own_ms,
			   rows * Max(node->loops, 1),
			   pfo_work_mem_advice(wanted,
								   psprintf("what is on disk, %d bytes a row%s",
											SORT_ROW_OVERHEAD,
											shared ? ", and a quarter as processes differ" : ""),
								   psprintf("read the rows in the order of %s from an index",
											keys)),
			   "%.0f rows by %s, %.0f kB on disk%s", rows, keys, disk,
			   shared ? " in one process" : "");
}

/*
 * Hashes
 */

static void
check_hash(PfoDiagnosis *d, const PfoPlanNode *node)
{
	double		batches = pfo_json_number(node->json, "Hash Batches");
	double		planned = pfo_json_number(node->json, "Original Hash Batches");
	double		peak = pfo_json_number(node->json, "Peak Memory Usage");
	double		multiplier = hash_mem_multiplier(d->plan);
	double		sharing = 1;
	double		wasted_ms = node->own_ms;
	double		rows = Max(node->rows * node->loops, 0);

	if (batches <= 1 || peak < 0)
		return;
	/* processes that build one table pool what each may use */
	if (pfo_json_true(node->json, "Parallel Aware"))
		sharing = node->planned_processes;
	if (wasted_ms >= 0 && node->parent != NULL && node->parent->own_ms >= 0)
		wasted_ms += node->parent->own_ms;
	pfo_report(d, PFO_DIAGNOSIS_HASH_SPILLED, node, wasted_ms, rows,
			   pfo_work_mem_advice(peak * batches / multiplier / sharing,
								   psprintf("%.0f kB in %.0f batches, hash_mem_multiplier %g%s",
											peak, batches, multiplier,
											sharing > 1 ? ", shared by the processes" : ""),
								   "hash fewer rows or columns"),
			   "%.0f rows in %.0f batches%s, of %.0f kB in memory", rows,
			   batches,
			   planned >= 0 && planned < batches ?
			   psprintf(" where %.0f were planned", planned) : "", peak);
}

/* Of the process that wrote most, as each makes groups of its own. */
static void
check_aggregate(PfoDiagnosis *d, const PfoPlanNode *node)
{
	List	   *processes = lcons(node->json,
								  pfo_json_objects(node->json, "Workers"));
	double		groups = node->rows +
		Max(pfo_json_number(node->json, "Rows Removed by Filter"), 0);
	double		width = Max(pfo_json_number(node->json, "Plan Width"), 0);
	double		batches = 0;
	double		disk = 0;
	double		peak = 0;
	double		wanted;
	double		multiplier = hash_mem_multiplier(d->plan);
	ListCell   *lc;

	foreach(lc, processes)
	{
		JsonbContainer *process = lfirst(lc);

		batches = Max(batches, pfo_json_number(process, "HashAgg Batches"));
		disk = Max(disk, pfo_json_number(process, "Disk Usage"));
		peak = Max(peak, pfo_json_number(process, "Peak Memory Usage"));
	}
	if (batches <= 1 || disk <= 0)
		return;
	wanted = Max(groups * (2 * width + GROUP_OVERHEAD) / 1024, peak * 2);
	pfo_report(d, PFO_DIAGNOSIS_HASH_SPILLED, node, node->own_ms,
			   groups * node->loops,
			   pfo_work_mem_advice(wanted / multiplier,
								   psprintf("%.0f groups of twice %.0f bytes and %d, hash_mem_multiplier %g",
											groups, width, GROUP_OVERHEAD,
											multiplier),
								   "group fewer rows"),
			   "%.0f groups in %.0f batches, %.0f kB on disk, %.0f kB in memory",
			   groups, batches, disk, peak);
}

void
pfo_diagnose_memory(PfoDiagnosis *d, const PfoPlanNode *node)
{
	if (!pfo_node_ran(node))
		return;
	if (pfo_node_is(node, "Sort") || pfo_node_is(node, "Incremental Sort"))
		check_sort(d, node);
	else if (pfo_node_is(node, "Hash"))
		check_hash(d, node);
	else if (pfo_node_is(node, "Aggregate"))
		check_aggregate(d, node);
}
