/*-------------------------------------------------------------------------
 *
 * statements.h
 *	  What each statement costs: counters and a histogram per (query id,
 *	  database, role, top level or nested), for the view perfopt_statements.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_STATEMENTS_H
#define PFO_STATEMENTS_H

#include "base/execution.h"
#include "base/histogram.h"
#include "workload/sources.h"

#define PFO_STATEMENT_BITS		3	/* of the histogram */
#define PFO_STATEMENT_BUCKETS	PFO_HISTOGRAM_BUCKETS(PFO_STATEMENT_BITS)
#define PFO_STATEMENT_TEXT		4096	/* bytes of normalised text, at most */

/* Without padding, since it is hashed as bytes. */
typedef struct PfoStatementKey
{
	uint64		queryid;		/* all 0: the rest, (other) */
	Oid			dbid;
	Oid			userid;
	uint64		top;			/* sent by a client: 1 */
} PfoStatementKey;

/* Durations that were added up. */
typedef struct PfoTimes
{
	uint64		n;
	uint64		total_ns;
	uint64		min_ns;
	uint64		max_ns;
	double		m2;				/* squared distances from the mean, ms^2 */
} PfoTimes;

/* Places in the array of block counters. */
typedef enum PfoBlocks
{
	PFO_SHARED_HIT, PFO_SHARED_READ, PFO_SHARED_DIRTIED, PFO_SHARED_WRITTEN,
	PFO_LOCAL_HIT, PFO_LOCAL_READ, PFO_LOCAL_DIRTIED, PFO_LOCAL_WRITTEN,
	PFO_TEMP_READ, PFO_TEMP_WRITTEN,
	PFO_NBLOCKS
} PfoBlocks;

typedef enum PfoBlockTimes
{
	PFO_SHARED_READ_NS, PFO_SHARED_WRITE_NS,	/* before 17, with local ones */
	PFO_LOCAL_READ_NS, PFO_LOCAL_WRITE_NS,
	PFO_TEMP_READ_NS, PFO_TEMP_WRITE_NS,
	PFO_NBLOCK_TIMES
} PfoBlockTimes;

typedef struct PfoStatementCounts
{
	uint64		calls;			/* executions that ended */
	uint64		errors;			/* that failed, or plannings that did */
	uint64		rows;
	PfoTimes	exec;			/* of calls and failed executions */
	PfoTimes	plan;
	uint64		blocks[PFO_NBLOCKS];
	uint64		block_ns[PFO_NBLOCK_TIMES];
	uint64		wal_records;
	uint64		wal_fpi;
	uint64		wal_bytes;
	uint64		jit_functions;
	uint64		jit_ns;
	uint64		workers_planned;
	uint64		workers_launched;
	uint64		hits;
	uint64		misses;			/* executed and not stored */
	uint64		stored;
	uint64		bypassed;
	uint64		saved_us;
	uint64		reason_votes;	/* majority vote of Boyer and Moore */
	PfoReason	reason;			/* the commonest, if it is more than half */
	TimestampTz last_seen;
} PfoStatementCounts;

/* What a row of the view is made of. */
typedef struct PfoStatement
{
	PfoStatementKey key;
	PfoStatementCounts counts;
	TimestampTz since;
	uint32		histogram[PFO_STATEMENT_BUCKETS];	/* planned and executed */
	PfoSource	sources[PFO_MAX_SOURCES];
	char		application[NAMEDATALEN];	/* of the last execution */
	int			encoding;		/* of text, application and sources */
	char		text[PFO_STATEMENT_TEXT];	/* empty: not known */
} PfoStatement;

extern Size pfo_statements_shmem_size(void);
extern void pfo_statements_shmem_init(void);

/* Is what is planned or started now to be measured? */
extern bool pfo_statements_wanted(void);
extern bool pfo_statements_want_utility(Node *statement);

/*
 * An execution has ended, or failed.  Takes no exclusive lock, does not raise
 * errors, and allocates nothing.
 */
extern void pfo_statements_executed(const PfoExecution *execution);

/* Add up what this backend counted, if it is time, or regardless. */
extern void pfo_statements_flush(bool now);

typedef void (*PfoStatementCallback) (const PfoStatement *statement,
									  void *arg);
extern void pfo_statements_foreach(PfoStatementCallback callback, void *arg);

/* Statements that were pushed out, or found no place. */
extern uint64 pfo_statements_lost(void);

/* The server start, or when everything was reset. */
extern TimestampTz pfo_statements_since(void);

/* All of them, or (queryid not 0) those with that id. */
extern void pfo_statements_reset(uint64 queryid);

#endif							/* PFO_STATEMENTS_H */
