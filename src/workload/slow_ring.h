/*-------------------------------------------------------------------------
 *
 * slow_ring.h
 *	  The slow executions that are kept in shared memory, for slow.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_SLOW_RING_H
#define PFO_SLOW_RING_H

#include "executor/instrument.h"

#include "base/execution.h"

#define PFO_SLOW_SLOT		16384	/* bytes per execution */
#define PFO_SLOW_TEXT		4096
#define PFO_SLOW_PARAMETERS	1024
#define PFO_SLOW_NODES		96	/* whose rows are kept apart from the plan */
#define PFO_SLOW_PLAN		8192	/* bytes of a plan, compressed */

/* What is to be said of a plan, or of there being none. */
typedef enum PfoPlanNote
{
	PFO_PLAN_EXECUTED,			/* with rows */
	PFO_PLAN_FAILED,			/* with rows as of the failure */
	PFO_PLAN_NOT_INSTRUMENTED,
	PFO_PLAN_HIT,
	PFO_PLAN_UTILITY,
	PFO_PLAN_NOT_STARTED,
	PFO_PLAN_TOO_LARGE,
	PFO_PLAN_NOT_MADE
} PfoPlanNote;

/* What a node of a plan has done. */
typedef struct PfoNodeCounts
{
	double		rows;			/* of all loops */
	double		loops;
	double		filtered;		/* of all loops */
} PfoNodeCounts;

/* A plan as EXPLAIN (FORMAT JSON) printed it. */
typedef struct PfoSlowPlan
{
	PfoPlanNote note;
	int32		len;			/* 0: there is none */
	int32		size;			/* in data; that is compressed if it is not len */
	int32		ncounts;		/* 0: what is known is in the plan already */
	PfoNodeCounts counts[PFO_SLOW_NODES];	/* in the order of EXPLAIN */
	char		data[PFO_SLOW_PLAN];
} PfoSlowPlan;

/* A slow execution. */
typedef struct PfoSlow
{
	uint64		id;				/* 0: none */
	TimestampTz started;
	uint64		plan_ns;
	uint64		exec_ns;
	uint64		rows;
	BufferUsage buffers;
	WalUsage	wal;
	uint64		queryid;		/* 0: none */
	double		saved_ms;
	Oid			dbid;
	Oid			userid;
	int			pid;
	int			encoding;		/* of all texts */
	int			sqlstate;		/* of the error, if it failed */
	PfoServed	served;
	PfoReason	reason;
	bool		top;
	bool		utility;
	bool		planned;
	bool		failed;
	bool		waited_only;	/* did nothing but wait for locks */
	bool		constants;		/* these may be shown */
	bool		text_cut;
	char		application[NAMEDATALEN];
	char		client[64];		/* its address; empty: a local socket, or none */
	char		text[PFO_SLOW_TEXT];	/* as it was executed */
	char		parameters[PFO_SLOW_PARAMETERS];	/* empty: none, or not known */
	PfoSlowPlan plan;
} PfoSlow;

extern Size pfo_slow_shmem_size(void);
extern void pfo_slow_shmem_init(void);

/* Is anything kept?  Not if perfopt.slow_queries is 0. */
extern bool pfo_slow_ring_exists(void);

/*
 * Keep it, among the last and perhaps among the worst; gives it an id.  Raises
 * no errors and allocates nothing.
 */
extern void pfo_slow_ring_add(PfoSlow *slow);

/* How many places there are, and what is in one: false if nothing. */
extern int	pfo_slow_ring_places(void);
extern bool pfo_slow_ring_read(int place, PfoSlow *slow);

/* Forget those with the query id, or (0) all, and what is known of families. */
extern void pfo_slow_reset(uint64 queryid);

/*
 * What is known of a family of executions, those of one query id in one
 * database.
 */
typedef enum PfoSlowFamily
{
	PFO_FAMILY_UNKNOWN,
	PFO_FAMILY_SLOW,
	PFO_FAMILY_FAST
} PfoSlowFamily;

extern PfoSlowFamily pfo_slow_family(uint64 queryid);

/* One of them took long, or did not although its plan looked like that. */
extern void pfo_slow_family_note(uint64 queryid, bool slow);

/*
 * May a line be logged now?  If so, gives how many were not logged since the
 * last one.
 */
extern bool pfo_slow_may_log(uint64 *suppressed);

#endif							/* PFO_SLOW_RING_H */
