/*-------------------------------------------------------------------------
 *
 * generation.h
 *	  Has this backend learnt of a changed definition since a plan was made?
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_GENERATION_H
#define PFO_GENERATION_H

#include "nodes/pg_list.h"

extern void pfo_generation_init(void);

/* A point in this backend's stream of invalidation messages. */
extern uint64 pfo_generation_now(void);

/*
 * True if no message since that point concerned these relations (OIDs) or
 * these catalog rows (PlanInvalItems).
 */
extern bool pfo_generation_unchanged(uint64 since, List *relids,
									 List *inval_items);

/* The point of the latest message about this relation. */
extern uint64 pfo_generation_of_relation(Oid relid);

/*
 * As pfo_generation_unchanged() for functions, and for nothing else: a change
 * of a catalog whose rows are not told apart does not count.
 */
extern bool pfo_generation_functions_unchanged(uint64 since, List *funcids);

/* Advances when functions, roles or memberships change: permissions. */
extern uint64 pfo_generation_of_permissions(void);

/* Advances when roles, schemas or databases change: names of the session. */
extern uint64 pfo_generation_of_names(void);

#endif							/* PFO_GENERATION_H */
