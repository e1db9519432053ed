/*-------------------------------------------------------------------------
 *
 * diagnose_run.c
 *	  Checks of a statement as a whole: compiling, planning, locks, reads.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "workload/diagnose_check.h"

/*
 * Compiling pays if it takes a small part of what it speeds up; below ten
 * milliseconds nobody waits for it.
 */
#define MIN_JIT_SHARE		0.25
#define MIN_JIT_MS			10.0

/*
 * The first planning in a session reads catalogs and takes some milliseconds
 * for any statement.
 */
#define MIN_PLANNING_MS		10.0

/* Shorter waits are how locks work. */
#define MIN_LOCK_SHARE		0.10
#define MIN_LOCK_MS			10.0

/* 8 MB: what is read in a moment from any disk. */
#define MIN_READ_BLOCKS		1000
#define MIN_READ_SHARE		0.50

/* The most processes that any part of the plan ran in. */
static double
most_processes(const PfoPlan *plan)
{
	double		most = 1;
	ListCell   *lc;

	foreach(lc, plan->nodes)
		most = Max(most, ((PfoPlanNode *) lfirst(lc))->processes);
	return most;
}

/* EXPLAIN gives the sum of all processes. */
static void
check_jit(PfoDiagnosis *d)
{
	const PfoPlan *plan = d->plan;
	JsonbContainer *jit = pfo_json_object(plan->json, "JIT");
	JsonbContainer *timing = jit ? pfo_json_object(jit, "Timing") : NULL;
	double		total_ms = timing ? pfo_json_number(timing, "Total") : -1;
	double		cost = pfo_json_number(plan->top->json, "Total Cost");
	char	   *advice = NULL;

	total_ms /= most_processes(plan);
	if (total_ms < MIN_JIT_MS || total_ms < plan->run_ms * MIN_JIT_SHARE)
		return;
	if (cost >= 0)
		advice = psprintf("SET jit = off; -- or SET jit_above_cost = %.0f, as the cost of this plan is %.0f",
						  cost * 2, cost);
	pfo_report(d, PFO_DIAGNOSIS_JIT_DOMINATES, NULL, total_ms, 0, advice,
			   "%.1f of %.1f ms, for %.0f functions", total_ms,
			   Max(plan->run_ms, total_ms),
			   Max(pfo_json_number(jit, "Functions"), 0));
}

static void
check_planning(PfoDiagnosis *d)
{
	double		planning_ms = pfo_json_number(d->plan->json, "Planning Time");

	if (planning_ms < MIN_PLANNING_MS || d->plan->run_ms < 0 ||
		planning_ms <= d->plan->run_ms)
		return;
	pfo_report(d, PFO_DIAGNOSIS_PLANNING_DOMINATES, NULL, planning_ms, 0, NULL,
			   "%.1f ms, and %.1f ms to run; nodes in the plan: %d",
			   planning_ms, d->plan->run_ms, list_length(d->plan->nodes));
}

static void
check_lock_wait(PfoDiagnosis *d)
{
	double		wait_ms = pfo_json_number(d->plan->json, "Lock Wait Time");
	char	   *whom = pfo_json_text(d->plan->json, "Lock Wait For");

	if (wait_ms < MIN_LOCK_MS || wait_ms < d->plan->run_ms * MIN_LOCK_SHARE)
		return;
	pfo_report(d, PFO_DIAGNOSIS_LOCK_WAIT, NULL, wait_ms, 0, NULL,
			   "%.1f ms%s%s", wait_ms, whom ? ", for " : "",
			   whom ? pfo_clip(whom) : "");
}

/* Since 17 each kind of blocks has a key of its own. */
static double
read_ms(const PfoPlanNode *node)
{
	double		ms = pfo_json_number(node->json, "Shared I/O Read Time");

	if (ms < 0)
		ms = pfo_json_number(node->json, "I/O Read Time");
	return ms > 0 ? ms : -1;
}

/*
 * The top node has the blocks of all; told of is the node that read most of
 * them itself.  Times of reading are of all processes.
 */
static void
check_reads(PfoDiagnosis *d)
{
	const PfoPlanNode *top = d->plan->top;
	double		hit = Max(pfo_json_number(top->json, "Shared Hit Blocks"), 0);
	double		read = pfo_json_number(top->json, "Shared Read Blocks");
	double		ms = pfo_share_of_ms(read_ms(top),
									 1 / most_processes(d->plan));
	const PfoPlanNode *reader = top;
	double		most = 0;
	ListCell   *lc;

	if (read < MIN_READ_BLOCKS || read < (hit + read) * MIN_READ_SHARE)
		return;
	foreach(lc, d->plan->nodes)
	{
		const PfoPlanNode *node = lfirst(lc);
		double		own = pfo_node_own(node, "Shared Read Blocks");

		if (own > most)
		{
			most = own;
			reader = node;
		}
	}
	pfo_report(d, PFO_DIAGNOSIS_COLD_READS, reader, ms, read, NULL,
			   "the statement read %.0f of %.0f blocks, %.0f of them here, %s",
			   read, hit + read, most,
			   ms < 0 ? "in a time that is not known (track_io_timing)" :
			   psprintf("in %.1f ms", ms));
}

void
pfo_diagnose_run(PfoDiagnosis *d)
{
	check_jit(d);
	check_planning(d);
	check_lock_wait(d);
	check_reads(d);
}
