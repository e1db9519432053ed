/*-------------------------------------------------------------------------
 *
 * eligible_values.h
 *	  The value of an expression, judged by its type or by what it is made
 *	  of.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_ELIGIBLE_VALUES_H
#define PFO_ELIGIBLE_VALUES_H

#include "nodes/parsenodes.h"

/* the queries around the expression being judged, for Var.varlevelsup */
typedef struct PfoLevel
{
	Query	   *query;
	struct PfoLevel *up;
} PfoLevel;

/*
 * Like pfo_type_ok() for the value of an expression of that level, and of
 * each expression in a list.
 */
extern bool pfo_value_ok(PfoLevel *level, Node *node, int needs);
extern bool pfo_values_ok(PfoLevel *level, List *nodes, int needs);

#endif							/* PFO_ELIGIBLE_VALUES_H */
