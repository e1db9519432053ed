/*-------------------------------------------------------------------------
 *
 * diagnose_filter.h
 *	  Conditions as EXPLAIN prints them, read as far as can be sure.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_DIAGNOSE_FILTER_H
#define PFO_DIAGNOSE_FILTER_H

#include "nodes/pg_list.h"

typedef enum PfoExprKind
{
	PFO_EXPR_OTHER,				/* anything: what is in it is not known */
	PFO_EXPR_COLUMN,			/* name, qualifier */
	PFO_EXPR_CONST,				/* name: the literal's value, or NULL */
	PFO_EXPR_CAST,				/* name: the type; one argument */
	PFO_EXPR_CALL,				/* name: the function */
	PFO_EXPR_OP,				/* name: the operator; two arguments */
	PFO_EXPR_AND
} PfoExprKind;

typedef struct PfoExpr
{
	PfoExprKind kind;
	const char *name;
	const char *qualifier;		/* of a column, or NULL */
	List	   *args;
	int			from;			/* its tokens, up to but not including to */
	int			to;
	const char *text;			/* columns without qualifiers; see below */
} PfoExpr;

/* A comparison that an index could serve, of something with a constant. */
typedef struct PfoComparison
{
	const PfoExpr *subject;		/* what has a column of the relation in it */
	const char *op;				/* as if the subject stood on the left */
	const PfoExpr *value;		/* what has none */
} PfoComparison;

/* These two have a text, and so do their arguments. */

/*
 * The conditions (PfoComparison) that must all hold, of those that are
 * understood.  A column is the relation's if it has no qualifier, or this one.
 */
extern List *pfo_condition_comparisons(const char *text, const char *alias);

/*
 * The one column of the relation that is in an expression otherwise made of
 * constants, or NULL.
 */
extern const PfoExpr *pfo_expr_only_column(const PfoExpr *expr,
										   const char *alias);

/* The column itself, perhaps as text, as indexes on varchar see it. */
extern const PfoExpr *pfo_expr_bare_column(const PfoExpr *expr,
										   const char *alias);

/*
 * Names of columns, quoted as needed, that an index would serve conditions by:
 * those compared for equality first.  And lists of such names.
 */
extern List *pfo_condition_columns(const char *text, const char *alias);
extern List *pfo_columns_union(List *columns, List *others);
extern char *pfo_columns_text(List *columns);

#endif							/* PFO_DIAGNOSE_FILTER_H */
