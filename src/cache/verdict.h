/*-------------------------------------------------------------------------
 *
 * verdict.h
 *	  What this backend knows of a statement's eligibility, by its skeleton.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_VERDICT_H
#define PFO_VERDICT_H

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
} PfoVerdict;

/*
 * The verdict about a query with this key, NULL if none could be found.  Stays
 * valid until the next call.
 */
extern PfoVerdict *pfo_verdict(Query *query, const PfoQueryKey *key);

#endif							/* PFO_VERDICT_H */
