/*-------------------------------------------------------------------------
 *
 * compare.h
 *	  Does an entry hold the same rows as an execution returned?
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_COMPARE_H
#define PFO_COMPARE_H

#include "cache/capture.h"
#include "cache/store.h"

/*
 * Compares rows as a multiset, values by their detoasted image: the order of
 * a result without ORDER BY, and how a value is packed, are not its content.
 * The digests are for a message.
 */
extern bool pfo_compare(const PfoCapture *capture, PfoEntry *entry,
						TupleDesc desc, uint64 *executed, uint64 *cached);

#endif							/* PFO_COMPARE_H */
