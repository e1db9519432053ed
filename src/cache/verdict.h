/*-------------------------------------------------------------------------
 *
 * verdict.h
 *	  What this backend knows of a statement's eligibility, by its skeleton.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_VERDICT_H
#define PFO_VERDICT_H

#include "datatype/timestamp.h"

#include "cache/eligible.h"
#include "cache/key.h"
#include "cache/permissions.h"

typedef struct PfoVerdict
{
	PfoHash		skeleton;
	uint64		generation;		/* when it was judged; see generation.h */
	PfoEligibility eligibility;
	MemoryContext folded;		/* of the list of that name; NULL if empty */
	PfoGranted	granted;		/* EXECUTE on its functions */
	uint32		runs;			/* executions that were timed */
	double		mean_ms;		/* of these, planning included */
	TimestampTz timed;			/* the last of them */
	uint32		passed_over;	/* plannings since it was found cheap */
} PfoVerdict;

/*
 * The verdict about a query with this key, NULL if none could be found.  Stays
 * valid until the next call.
 */
extern PfoVerdict *pfo_verdict(Query *query, const PfoQueryKey *key);

/*
 * An execution took so long, planning included.  Tells, now and then, that the
 * statement is cheap: a plan that is kept should be made anew without us.  It
 * has us again when it is made after that, as after ANALYZE of a grown table.
 */
extern bool pfo_verdict_ran(const PfoHash *skeleton, double ms);

/*
 * Is the statement known to take too little for mode auto to bother?  Says
 * no once in a while, and a minute after the last time, so that it is timed
 * again: tables grow.
 */
extern bool pfo_verdict_cheap(PfoVerdict *verdict);

#endif							/* PFO_VERDICT_H */
