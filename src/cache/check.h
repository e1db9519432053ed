/*-------------------------------------------------------------------------
 *
 * check.h
 *	  Would this statement be cached, and if not, why?
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_CHECK_H
#define PFO_CHECK_H

#include "nodes/pg_list.h"

#include "base/reason.h"

typedef struct PfoCheck
{
	PfoReason	reason;			/* PFO_REASON_NONE: it may be cached */
	char	   *object;			/* what the reason is about, or NULL */
	List	   *relations;		/* OIDs that the plan reads, sorted; NIL if it
								 * was not planned */
	List	   *folded;			/* text of what is folded, with the present
								 * values, if it may be cached */
} PfoCheck;

/*
 * Parse, analyse and, if it is eligible, plan the one statement in the text,
 * as EXPLAIN would: with the caller's permissions, and executing nothing.
 * Raises an error, with a position in the text, for what is no statement.
 */
extern void pfo_check_statement(const char *sql, PfoCheck *check);

#endif							/* PFO_CHECK_H */
