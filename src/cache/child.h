/*-------------------------------------------------------------------------
 *
 * child.h
 *	  Running the statement itself, below our node.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_CHILD_H
#define PFO_CHILD_H

#include "nodes/execnodes.h"
#include "nodes/plannodes.h"

typedef struct PfoChild PfoChild;

/* Initialise the plan in an executor state of its own below the outer one. */
extern PfoChild *pfo_child_start(PlannedStmt *stmt, EState *outer, int eflags);

/* The next row without its junk columns, or an empty slot. */
extern TupleTableSlot *pfo_child_next(PfoChild *child);
extern void pfo_child_rescan(PfoChild *child);
extern void pfo_child_shutdown(PfoChild *child);
extern void pfo_child_end(PfoChild *child);

/* For EXPLAIN. */
extern PlanState *pfo_child_planstate(const PfoChild *child);

#endif							/* PFO_CHILD_H */
