/*-------------------------------------------------------------------------
 *
 * diagnose_catalog.h
 *	  What this database's catalogs know of a column that a plan names.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_DIAGNOSE_CATALOG_H
#define PFO_DIAGNOSE_CATALOG_H

typedef struct PfoColumnFacts
{
	bool		found;			/* else nothing below is set */
	const char *type;			/* as shown, below a domain */
	bool		is_text;		/* indexes on it see it as text */
	const char *index;			/* one that begins with the column, or NULL */
	bool		has_expression;	/* an index begins with the expression */
} PfoColumnFacts;

/*
 * schema and expression may be NULL; the expression is as EXPLAIN prints it,
 * without qualifiers.
 */
extern PfoColumnFacts pfo_column_facts(const char *schema,
									   const char *relation,
									   const char *column,
									   const char *expression);

#endif							/* PFO_DIAGNOSE_CATALOG_H */
