/*-------------------------------------------------------------------------
 *
 * observe.h
 *	  What the cache would save if it were switched on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_OBSERVE_H
#define PFO_OBSERVE_H

#include "executor/execdesc.h"
#include "nodes/plannodes.h"
#include "portability/instr_time.h"

#include "cache/key.h"
#include "base/reason.h"

/*
 * Is a key of this statement worth computing?  Only if executions of its
 * family (its query id; 0: not known) take perfopt.cache_min_time, or are
 * not known yet, and nothing rules it out.
 */
extern bool pfo_observe_wants_key(Query *query, int64 family);

/* A statement was planned whose key is not wanted. */
extern void pfo_observe_cheap(PlannedStmt *stmt);

/* The family cannot be cached. */
extern void pfo_observe_reason(int64 family, PfoReason reason);

/* A statement was planned that might be executed now. */
extern void pfo_observe_planned(int64 family, const PfoQueryKey *key,
								List *folded, PlannedStmt *stmt,
								List *depends);

/* Around an execution.  False if it is not observed. */
extern bool pfo_observe_starts(QueryDesc *queryDesc, instr_time *start);
extern void pfo_observe_ends(QueryDesc *queryDesc, instr_time start);

#endif							/* PFO_OBSERVE_H */
