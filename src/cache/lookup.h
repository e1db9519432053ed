/*-------------------------------------------------------------------------
 *
 * lookup.h
 *	  One execution and the cache: may it use it, is there an answer, may
 *	  this one become an answer?
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_LOOKUP_H
#define PFO_LOOKUP_H

#include "access/tupdesc.h"
#include "nodes/params.h"

#include "cache/planinfo.h"
#include "base/reason.h"
#include "cache/store.h"
#include "cache/wire.h"

typedef struct PfoAttempt
{
	PfoPlanInfo *info;
	PfoReason	reason;			/* why it is not served, or not stored */
	bool		bypassed;		/* not even looked up */
	PfoView		view;
	PfoHash		key;
	uint64		names;			/* pfo_fold_generation() before the key */
	PfoClient	client;			/* to whom the rows go */
	PfoEntry   *entry;			/* pinned and valid, or NULL */
	bool		wanted;			/* admission wants the answer kept */
	bool		stored;
	int			ndeps;
	PfoDependency *deps;		/* as noted for storing; NULL: may not store */
} PfoAttempt;

/*
 * Decide whether this execution may use the cache, compute its key and look
 * it up.  The result is in attempt->entry, else attempt->reason says why
 * not.  The relations are those of the info.
 */
extern void pfo_attempt_lookup(PfoAttempt *attempt, PfoPlanInfo *info,
							   Snapshot snapshot, ParamListInfo params,
							   TupleDesc result, PfoClient client);

/*
 * The same for EXPLAIN: nothing is counted.  wanted tells whether admission
 * would keep the answer of the next execution.
 */
extern void pfo_attempt_explain(PfoAttempt *attempt, PfoPlanInfo *info,
								Snapshot snapshot, ParamListInfo params,
								TupleDesc result);

/* Look the same key up again, as after storing it. */
extern bool pfo_attempt_again(PfoAttempt *attempt, TupleDesc result);

/*
 * After a miss, with the plan that is about to run: note the versions under
 * which its answer can be stored.  False, with a reason, if it cannot.  Also
 * gives, if asked, how many rows the plan can have at most.
 */
extern bool pfo_attempt_prepare_store(PfoAttempt *attempt, uint64 *max_rows);

/*
 * Learn what others have changed by now, and see whether the plan was made
 * with all of it, and under the present settings.  Versions read before the
 * call are those of its answer.
 */
extern bool pfo_attempt_plan_is_current(PfoAttempt *attempt);

/*
 * Has the transaction itself changed definitions by now?  What is read on is
 * made with them, and they can be rolled back.
 */
extern PfoReason pfo_attempt_own_definitions(const PfoAttempt *attempt);

/* Are the folded values that the key holds those of the whole run? */
extern bool pfo_attempt_values_hold(const PfoAttempt *attempt);

/*
 * The key of one execution: the statement's tree, the session's settings, the
 * parameters' values and the folded ones.  False, with the reason, if there is
 * none, or if the plan was made under other settings (planned_under; NULL: no
 * plan) that the values of its expressions can depend on.
 */
extern bool pfo_execution_key(const PfoHash *tree, const Bitmapset *param_ids,
							  List *folded, ParamListInfo params,
							  const PfoHash *planned_under, PfoHash *key,
							  PfoReason *reason);

/* A digest of the relations' versions now, for prediction only. */
extern uint64 pfo_version_digest(List *depends);

/* For statements without parameters, at planning: is a hit likely? */
extern PfoEntry *pfo_lookup_likely(const PfoHash *tree, List *folded);

#endif							/* PFO_LOOKUP_H */
