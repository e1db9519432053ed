/*-------------------------------------------------------------------------
 *
 * marks.h
 *	  Marks on plans, by which a plan cache is told to make them anew.
 *
 * A mark is the hash value of a function that there is not, in the list of
 * functions that a plan was made from.  ResetPlanCache() would have all
 * statements analysed again as well, whose words may mean something else by
 * now, or nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_MARKS_H
#define PFO_MARKS_H

#include "base/hash.h"

/* made from definitions that plans do not name one by one */
#define PFO_MARK_ANY_DEFINITION	0x70666F00
/* what it stands for was not planned yet */
#define PFO_MARK_PUT_OFF		0x70666F01
/* made while nothing was served, so without our node */
#define PFO_MARK_UNSERVED		0x70666F02

/* Of a statement, constants aside.  Zero would stand for all functions. */
static inline uint32
pfo_mark_of(const PfoHash *skeleton)
{
	return (uint32) skeleton->lo | 1;
}

extern void pfo_make_anew(uint32 mark);

/* Is it this that callbacks are called for, and no changed definition? */
extern bool pfo_is_making_anew(int cache_id, uint32 hash_value);

#endif							/* PFO_MARKS_H */
