/*-------------------------------------------------------------------------
 *
 * eligible_calls.h
 *	  Calls: functions together with what they are given.
 *
 * All return true if they refuse.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_ELIGIBLE_CALLS_H
#define PFO_ELIGIBLE_CALLS_H

#include "nodes/primnodes.h"

#include "cache/eligible_judge.h"

/* A call of a function with these arguments */
extern bool pfo_judge_call(PfoJudge *judge, Oid funcid, List *args,
						   Oid rettype);

/* A call whose EXECUTE permission the executor checks */
extern bool pfo_judge_checked_call(PfoJudge *judge, Oid funcid, List *args,
								   Oid rettype);

/* The same by an operator, with what may be put in its place */
extern bool pfo_judge_operator(PfoJudge *judge, Oid opno, List *args,
							   Oid rettype);

/*
 * A call that may only run if it is folded (fold.h).  Without a function: a
 * node that PostgreSQL has for it.
 */
extern bool pfo_judge_foldable(PfoJudge *judge, Oid funcid);

/*
 * Operators by which values are sorted, grouped or hashed, together with the
 * support functions of their families; for a value or, without one, a type.
 */
extern bool pfo_judge_grouping(PfoJudge *judge, Oid eqop, Oid sortop,
							   Node *value, Oid typid);

/* ORDER BY, GROUP BY, DISTINCT: clauses that refer to a target list */
extern bool pfo_judge_sort_clauses(PfoJudge *judge, List *clauses,
								   List *tlist);

/* Nodes that are more than one call, without what is in their arguments */
extern bool pfo_judge_aggregate(PfoJudge *judge, Aggref *aggref);
extern bool pfo_judge_window_function(PfoJudge *judge, WindowFunc *wfunc);
extern bool pfo_judge_array_operator(PfoJudge *judge, ScalarArrayOpExpr *expr);
extern bool pfo_judge_io_cast(PfoJudge *judge, CoerceViaIO *expr);

#endif							/* PFO_ELIGIBLE_CALLS_H */
