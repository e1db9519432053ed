/*-------------------------------------------------------------------------
 *
 * execution.h
 *	  What features may know of one execution of a statement: who, what, how
 *	  long, how many rows and blocks, and what the cache did.
 *
 * hooks.c makes one from ExecutorStart on, and adds up what each run takes.
 * Features read it when it has ended or failed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_EXECUTION_H
#define PFO_EXECUTION_H

#include "executor/execdesc.h"
#include "executor/instrument.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "tcop/cmdtag.h"
#include "utils/timestamp.h"

#include "base/reason.h"

/* What the cache did for one execution. */
typedef enum PfoServed
{
	PFO_SERVED_NOT_ASKED,		/* no cache, or not wrapped */
	PFO_SERVED_BYPASS,			/* not looked up, see reason */
	PFO_SERVED_MISS,			/* executed; not stored, see reason */
	PFO_SERVED_STORED,			/* executed and stored */
	PFO_SERVED_HIT
} PfoServed;

typedef struct PfoExecution
{
	struct PfoExecution *older; /* of those that have not ended */
	QueryDesc  *query;			/* NULL: a utility statement, or a planning */
	uint64		queryid;		/* 0: none, see compute_query_id */
	Oid			userid;
	bool		top;			/* sent by a client, and not to be explained */
	bool		failed;
	bool		planned;		/* planned for this execution */
	bool		ran;
	const char *text;			/* the statement is a part of it ... */
	int			location;		/* ... from there on (negative: all) ... */
	int			len;			/* ... of this length (0: to the end) */

	uint64		plan_ns;		/* if planned */
	uint64		exec_ns;		/* of all runs */
	uint64		rows;			/* given out, or written */
	BufferUsage buffers;		/* of all runs, parallel workers included */
	WalUsage	wal;

	PfoServed	served;
	PfoReason	reason;
	double		saved_ms;		/* of a hit */
	TimestampTz started;		/* 0: nested, not known */
	PlanState  *child;			/* what the cache's node executes, or NULL */

	int			sqlstate;		/* of the error, if it failed */
	bool		utility;
	bool		only_waits;		/* LOCK TABLE */
	bool		watched;		/* instrumented, as it may be slow */
	struct PfoSlowPrepared *prepared;	/* of workload/slow.c alone */

	/* of hooks.c alone */
	instr_time	start;
	BufferUsage buffers_before;
	WalUsage	wal_before;
	MemoryContextCallback forget;
} PfoExecution;

/* Does this process measure?  Not parallel workers: their leader does. */
extern bool pfo_executions_wanted(void);

/* The execution that runs innermost, NULL if there is none. */
extern PfoExecution *pfo_running;

/* That of the query, NULL if it is not measured. */
extern PfoExecution *pfo_execution_of(const QueryDesc *queryDesc);

/*
 * The query was started: measure it.  The execution lives as long as its
 * executor's memory, or until it has ended.
 */
extern void pfo_execution_started(QueryDesc *queryDesc);

/* One run of it; gives what ran before, for pfo_execution_ran(). */
extern PfoExecution *pfo_execution_runs(PfoExecution *execution);
extern void pfo_execution_ran(PfoExecution *execution, PfoExecution *before);

/* It is over: forget it. */
extern void pfo_execution_ended(PfoExecution *execution);

/*
 * A planning has ended.  The execution of that very plan that comes next takes
 * its time, and what was said meanwhile of why the cache passes it over.
 */
extern void pfo_execution_planned(const PlannedStmt *stmt, uint64 ns);
extern void pfo_execution_passed_over(PfoReason reason);

/* What the cache does for the innermost execution. */
static inline void
pfo_execution_note_served(PfoServed served, PfoReason reason)
{
	if (pfo_running != NULL)
	{
		pfo_running->served = served;
		pfo_running->reason = reason;
	}
}

/* A utility statement; the execution is the caller's. */
extern void pfo_execution_of_utility(PfoExecution *execution,
									 PlannedStmt *stmt, const char *text);

/* The rows that a utility statement gave out or wrote. */
extern uint64 pfo_rows_of_utility(const QueryCompletion *qc);

#endif							/* PFO_EXECUTION_H */
