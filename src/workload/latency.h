/*-------------------------------------------------------------------------
 *
 * latency.h
 *	  How long executions take, over the last minutes and hours: of the
 *	  server, and per database, role and application.  For the view
 *	  perfopt_latency.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_LATENCY_H
#define PFO_LATENCY_H

#include "datatype/timestamp.h"

#include "base/execution.h"
#include "workload/latency_ring.h"

typedef enum PfoScopeKind
{
	PFO_SCOPE_SERVER,
	PFO_SCOPE_DATABASE,
	PFO_SCOPE_ROLE,
	PFO_SCOPE_APPLICATION
} PfoScopeKind;

#define PFO_NSCOPE_KINDS	4
#define PFO_SCOPE_OTHER		"(other)"	/* name of what found no place */

/* Whose executions. */
typedef struct PfoScope
{
	PfoScopeKind kind;
	bool		other;			/* those of the kind that found no place */
	Oid			oid;			/* of a database or role */
	char		name[NAMEDATALEN];	/* of an application */
} PfoScope;

/* What a row of the view is made of. */
typedef struct PfoLatency
{
	PfoScope	scope;
	int			window;			/* in pfo_windows */
	TimestampTz since;			/* what the window covers, to now */
	PfoLatencySums sums;
	uint64		buckets[PFO_LATENCY_BUCKETS];
} PfoLatency;

extern Size pfo_latency_shmem_size(void);
extern void pfo_latency_shmem_init(void);

/*
 * An execution has ended, or failed.  Takes locks only after a pause, or when
 * more is to be told apart than there is room for; raises no errors, and
 * allocates nothing.
 */
extern void pfo_latency_executed(const PfoExecution *execution);

/* Add up what this backend counted, if it is time, or regardless. */
extern void pfo_latency_flush(bool now);

/* Windows of one scope, or of all, in which something was executed. */
extern bool pfo_latency_read(const PfoScope *scope, int window,
							 PfoLatency *latency);

typedef void (*PfoLatencyCallback) (const PfoLatency *latency, void *arg);
extern void pfo_latency_foreach(PfoLatencyCallback callback, void *arg);

/* Of everything, unless that is about one query id: these know none. */
extern void pfo_latency_reset(uint64 queryid);

#endif							/* PFO_LATENCY_H */
