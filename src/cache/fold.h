/*-------------------------------------------------------------------------
 *
 * fold.h
 *	  Calls that tell of the session or of the moment, whose value becomes
 *	  part of what identifies an answer.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_FOLD_H
#define PFO_FOLD_H

#include "nodes/params.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"

#include "base/hash.h"
#include "base/reason.h"

/*
 * Collect what is to be folded in a query, its expressions copied and each
 * once, behind what is in the list already.  Otherwise the reason why a call
 * of the kind cannot be, and the function it is about.  Nothing is evaluated;
 * no catalog is read.  In the body of a function there are no parameters of
 * the statement (with_params).
 */
extern PfoReason pfo_fold_collect(Query *query, bool with_params,
								  List **folded, Oid *object);

/*
 * Evaluate them and add the values to a hash.  False if one cannot be had;
 * the hasher is then useless.  Raises no error that the statement might not
 * raise; to be called where failures are contained all the same.
 */
extern bool pfo_fold_add(PfoHasher *h, List *folded, ParamListInfo params);

/* Adds the configuration that default_text_search_config stands for. */
extern void pfo_fold_text_search(List **folded);

/* What the values depend on and others can change: see fold.c. */
extern uint64 pfo_fold_generation(void);

/* Each as "expression = value", as far as there is a value; reads catalogs. */
extern List *pfo_fold_describe(List *folded, bool with_values);

#endif							/* PFO_FOLD_H */
