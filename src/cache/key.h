/*-------------------------------------------------------------------------
 *
 * key.h
 *	  What identifies a statement: hashes of its analysed, rewritten query.
 *
 * The walker knows a list of node types and, of each, every field that can
 * influence the rows.  A node it does not know makes the statement
 * ineligible.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_KEY_H
#define PFO_KEY_H

#include "nodes/bitmapset.h"
#include "nodes/parsenodes.h"

#include "base/hash.h"

typedef struct PfoQueryKey
{
	PfoHash		skeleton;		/* all but the values of constants: a family */
	PfoHash		tree;			/* with the values of constants */
	Bitmapset  *params;			/* ids of external parameters in the tree */
	NodeTag		unknown;		/* the node that was not known, if any */
} PfoQueryKey;

/*
 * Hash a query as it comes from parse analysis and rewriting, before
 * planning scribbles on it.  False if it holds a node that is not known; the
 * hashes then mean nothing.  The set of parameters is allocated in the current
 * memory context.
 */
extern bool pfo_key_query(Query *query, PfoQueryKey *key);

#endif							/* PFO_KEY_H */
