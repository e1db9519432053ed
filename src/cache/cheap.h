/*-------------------------------------------------------------------------
 *
 * cheap.h
 *	  Which statements take too little for mode auto to bother, as far as this
 *	  backend knows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_CHEAP_H
#define PFO_CHEAP_H

/*
 * An execution of the family took so long, planning included.  Tells, now and
 * then, that it is cheap: a plan that is kept should be made anew without us.
 * It has us again when it is made after that, as after ANALYZE of a grown
 * table.
 */
extern bool pfo_cheap_ran(int64 family, double ms);

/*
 * Is the family known to be cheap?  Says no once in a while, and a minute
 * after the last time, so that it is timed again: tables grow.
 */
extern bool pfo_is_cheap(int64 family);

#endif							/* PFO_CHEAP_H */
