/*-------------------------------------------------------------------------
 *
 * diagnose_defeat.h
 *	  Filters that no plain index on their column can serve.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_DIAGNOSE_DEFEAT_H
#define PFO_DIAGNOSE_DEFEAT_H

#include "workload/plan_json.h"

typedef struct PfoDefeat
{
	const char *evidence;		/* what is in the way, and of which index */
	const char *advice;
} PfoDefeat;

/* Is there a condition of this kind in the filter of a scan? */
extern bool pfo_find_defeat(const PfoPlanNode *scan, const char *filter,
							PfoDefeat *defeat);

#endif							/* PFO_DIAGNOSE_DEFEAT_H */
