/*-------------------------------------------------------------------------
 *
 * counters.h
 *	  What the cache counts, per database: events and reasons.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_COUNTERS_H
#define PFO_COUNTERS_H

#include "base/reason.h"

typedef enum PfoCounter
{
	PFO_COUNT_SELECTS,			/* top-level SELECTs that came by */
	PFO_COUNT_ELIGIBLE,			/* executions that may be cached, nested too */
	PFO_COUNT_HITS,
	PFO_COUNT_WIRE_HITS,		/* of these, sent as bytes */
	PFO_COUNT_MISSES,			/* eligible, looked up, executed */
	PFO_COUNT_STORES,
	PFO_COUNT_INVALIDATIONS,	/* entries found outdated */
	PFO_COUNT_EVICTIONS,
	PFO_COUNT_VERIFIED,
	PFO_COUNT_DIFFERENCES,
	PFO_COUNT_BYPASSES,			/* executed without being looked up */
	PFO_COUNT_SAVED_US,
	PFO_COUNT_LATE_WRITES,
	PFO_COUNT_ERRORS,			/* failures inside perfopt, each a miss */
	PFO_NCOUNTERS
} PfoCounter;

typedef struct PfoReasonCount
{
	uint64		count;
	int64		last_queryid;
} PfoReasonCount;

typedef struct PfoDatabaseCounts
{
	Oid			dbid;			/* InvalidOid: databases beyond the bound */
	uint64		counters[PFO_NCOUNTERS];
	PfoReasonCount reasons[PFO_NREASONS];
} PfoDatabaseCounts;

extern Size pfo_counters_shmem_size(void);
extern void pfo_counters_shmem_init(void);

/* Count for the current database; backend-local until flushed. */
extern void pfo_count(PfoCounter counter, uint64 n);
extern void pfo_count_reason(PfoReason reason, int64 queryid);

/* Count at once for any database. */
extern void pfo_count_shared(Oid dbid, PfoCounter counter, uint64 n);

/* The database was dropped, or made under an OID that another had. */
extern void pfo_counters_forget(Oid dbid);

/* Flush if it is time, or regardless.  True if something was flushed. */
extern bool pfo_counters_flush(bool now);

typedef void (*PfoCountsCallback) (const PfoDatabaseCounts *counts, void *arg);
extern void pfo_counters_foreach(PfoCountsCallback callback, void *arg);

/* All to zero; counters are not by query id, so not of one. */
extern void pfo_counters_reset(uint64 queryid);

#endif							/* PFO_COUNTERS_H */
