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
#include "nodes/params.h"
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

/*
 * Add the values of the parameters to a hash: type, null flag, collation-free
 * detoasted image.  False if a value cannot be had without risking an error,
 * is over the limit, or is an anonymous record; the hasher is then useless.
 * Which type the tree expects is in the hash of the tree: the executor raises
 * an error if a value of another type comes along, so nothing is stored then.
 */
extern bool pfo_key_params(PfoHasher *h, const Bitmapset *params,
						   ParamListInfo values);

#endif							/* PFO_KEY_H */
