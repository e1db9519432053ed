/*-------------------------------------------------------------------------
 *
 * statement_counts.c
 *	  Adding up what executions of a statement took.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "workload/statement_counts.h"

/* By the formula of Welford, as in pg_stat_statements. */
void
pfo_times_add(PfoTimes *times, uint64 ns)
{
	double		ms = ns / 1e6;
	double		mean = times->n > 0 ? times->total_ns / 1e6 / times->n : 0;

	times->min_ns = times->n > 0 ? Min(times->min_ns, ns) : ns;
	times->max_ns = Max(times->max_ns, ns);
	times->n++;
	times->total_ns += ns;
	times->m2 += (ms - mean) * (ms - times->total_ns / 1e6 / times->n);
}

static void
times_merge(PfoTimes *to, const PfoTimes *from)
{
	double		distance;

	if (from->n == 0)
		return;
	if (to->n == 0)
	{
		*to = *from;
		return;
	}
	/* by Chan, Golub and LeVeque */
	distance = (from->total_ns / 1e6) / from->n - (to->total_ns / 1e6) / to->n;
	to->m2 += from->m2 + distance * distance *
		((double) to->n * from->n / (to->n + from->n));
	to->min_ns = Min(to->min_ns, from->min_ns);
	to->max_ns = Max(to->max_ns, from->max_ns);
	to->n += from->n;
	to->total_ns += from->total_ns;
}

void
pfo_counts_vote(PfoStatementCounts *to, PfoReason reason, uint64 votes)
{
	if (to->reason == reason)
		to->reason_votes += votes;
	else if (to->reason_votes >= votes)
		to->reason_votes -= votes;
	else
	{
		to->reason_votes = votes - to->reason_votes;
		to->reason = reason;
	}
}

void
pfo_counts_merge(PfoStatementCounts *to, const PfoStatementCounts *from)
{
	to->calls += from->calls;
	to->errors += from->errors;
	to->rows += from->rows;
	times_merge(&to->exec, &from->exec);
	times_merge(&to->plan, &from->plan);
	for (int i = 0; i < PFO_NBLOCKS; i++)
		to->blocks[i] += from->blocks[i];
	for (int i = 0; i < PFO_NBLOCK_TIMES; i++)
		to->block_ns[i] += from->block_ns[i];
	to->wal_records += from->wal_records;
	to->wal_fpi += from->wal_fpi;
	to->wal_bytes += from->wal_bytes;
	to->jit_functions += from->jit_functions;
	to->jit_ns += from->jit_ns;
	to->workers_planned += from->workers_planned;
	to->workers_launched += from->workers_launched;
	to->hits += from->hits;
	to->misses += from->misses;
	to->stored += from->stored;
	to->bypassed += from->bypassed;
	to->saved_us += from->saved_us;
	pfo_counts_vote(to, from->reason, from->reason_votes);
	to->last_seen = Max(to->last_seen, from->last_seen);
}
