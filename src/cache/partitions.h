/*-------------------------------------------------------------------------
 *
 * partitions.h
 *	  Does this backend know the partitions that there are?
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_PARTITIONS_H
#define PFO_PARTITIONS_H

#include "nodes/pg_list.h"

/*
 * Are the partitions of these relations, as this backend plans with them,
 * those that the catalog has now?  False also if one is about to be detached.
 * The relations must be locked.  Accepts messages, and locks a catalog if it
 * can be had at once: to be called in a subtransaction that is rolled back.
 */
extern bool pfo_partitions_are_current(List *relids);

#endif							/* PFO_PARTITIONS_H */
