/*-------------------------------------------------------------------------
 *
 * fold_call.h
 *	  Calls that can be folded, and what they may be given; for fold.c and
 *	  fold_value.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_FOLD_CALL_H
#define PFO_FOLD_CALL_H

#include "nodes/pg_list.h"
#include "nodes/nodes.h"
#include "utils/timestamp.h"

#define PFO_FOLD_MAX_ARGS	3

/* A call, by whatever node */
typedef struct PfoFoldCall
{
	Oid			funcid;			/* InvalidOid: none that matters here */
	Oid			collation;
	List	   *args;
} PfoFoldCall;

/* The call that a node is; its funcid says if it is one that matters. */
extern void pfo_fold_call_of(Node *node, PfoFoldCall *call);

/* Where the moment is among the arguments of what shifts or coarsens it. */
extern int	pfo_fold_moment_position(Oid funcid);

/*
 * Can a function that shifts or coarsens a moment work with this value beside
 * it?  It can neither fail then, nor give what changes within a second.
 */
extern bool pfo_fold_argument_fits(Oid funcid, int position, Datum value);

/* Can it work with this moment, with or without time zone? */
extern bool pfo_fold_is_near(Timestamp moment);

/* What is below casts that change nothing but the type's name. */
extern Node *pfo_fold_strip_labels(Node *node);

#endif							/* PFO_FOLD_CALL_H */
