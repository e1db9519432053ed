/*-------------------------------------------------------------------------
 *
 * eligible_body.h
 *	  SQL functions that are judged by what they do.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_ELIGIBLE_BODY_H
#define PFO_ELIGIBLE_BODY_H

#include "cache/eligible_judge.h"

/* Is it a user's SQL function whose body was parsed when it was defined? */
extern bool pfo_function_has_body(Oid funcid);

/*
 * Judge such a function, called with so many arguments, by its body.  True if
 * refused.  What the arguments run is not looked at.
 */
extern bool pfo_judge_body(PfoJudge *judge, Oid funcid, int nargs);

#endif							/* PFO_ELIGIBLE_BODY_H */
