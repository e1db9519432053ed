/*-------------------------------------------------------------------------
 *
 * statement_counts.h
 *	  Adding up what executions of a statement took.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_STATEMENT_COUNTS_H
#define PFO_STATEMENT_COUNTS_H

#include "workload/statements.h"

/* Another duration. */
extern void pfo_times_add(PfoTimes *times, uint64 ns);

/* So many executions for a reason: the majority vote of Boyer and Moore. */
extern void pfo_counts_vote(PfoStatementCounts *to, PfoReason reason,
							uint64 votes);

extern void pfo_counts_merge(PfoStatementCounts *to,
							 const PfoStatementCounts *from);

#endif							/* PFO_STATEMENT_COUNTS_H */
