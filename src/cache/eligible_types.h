/*-------------------------------------------------------------------------
 *
 * eligible_types.h
 *	  What comes with a type: the functions that type-independent code runs
 *	  for it, and the relations that define it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_ELIGIBLE_TYPES_H
#define PFO_ELIGIBLE_TYPES_H

#include "nodes/pg_list.h"

#include "cache/eligible_functions.h"

/* the types that a statement uses; all zeroes: none yet */
typedef struct PfoUsedTypes
{
	List	   *seen;			/* types whose relations were collected */
	List	   *relations;		/* of the composite ones among them */
} PfoUsedTypes;

/*
 * May functions that work on any type be given this one, when they need that
 * much of it (PFO_NEEDS_...)?  An anonymous record is refused: whoever knows
 * the expression asks eligible_values.h instead.
 */
extern bool pfo_type_ok(Oid typid, int needs);
extern bool pfo_types_ok(List *typids, int needs);

/* Does the domain have constraints, which run when a value enters it? */
extern bool pfo_domain_is_checked(Oid typid);

/* Collect the relations behind the row types in a type. */
extern void pfo_note_type(PfoUsedTypes *types, Oid typid);

/* Collect the row types in the columns of a relation that is read. */
extern void pfo_note_columns(PfoUsedTypes *types, Oid relid);

#endif							/* PFO_ELIGIBLE_TYPES_H */
