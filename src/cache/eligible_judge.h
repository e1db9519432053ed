/*-------------------------------------------------------------------------
 *
 * eligible_judge.h
 *	  What the walks that judge a statement carry along.
 *
 * For eligible.c, eligible_expr.c, eligible_calls.c and eligible_body.c only;
 * what others need is in eligible.h.  Functions called pfo_judge_... return
 * true if they refuse, as tree walkers do that have seen enough.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_ELIGIBLE_JUDGE_H
#define PFO_ELIGIBLE_JUDGE_H

#include "base/compat.h"
#include "cache/eligible.h"
#include "cache/eligible_types.h"
#include "cache/eligible_values.h"

typedef struct PfoJudge
{
	PfoEligibility *result;
	PfoLevel   *level;			/* around the expression being judged */
	PfoUsedTypes types;
	bool		any_relation;
	int			depth;			/* bodies of functions around it */
	bool		constant;		/* one of them is labelled IMMUTABLE */
	int			nfolds;			/* calls found that must be folded */
	int			nbodies;		/* looked into so far */
	List	   *bodies[PFO_BODY_DEPTH]; /* functions found fine, by depth */
} PfoJudge;

/* Says no.  True, which ends a walk. */
static inline bool
pfo_refuse(PfoJudge *judge, PfoReason reason, Oid object)
{
	judge->result->reason = reason;
	judge->result->object = object;
	return true;
}

/* eligible_expr.c: all that runs in a query */
extern bool pfo_judge_query(PfoJudge *judge, Query *query);

#endif							/* PFO_ELIGIBLE_JUDGE_H */
