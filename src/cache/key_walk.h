/*-------------------------------------------------------------------------
 *
 * key_walk.h
 *	  The walk over a query tree that makes its key: where it writes, and
 *	  how.
 *
 * For the key_*.c files only; what others need is in key.h.  The writers are
 * inline, since a walk is little else than calls of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_KEY_WALK_H
#define PFO_KEY_WALK_H

#include "nodes/bitmapset.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"

#include "base/hash.h"

/* a node begins with its tag and up to 20 bits of small fields */
#define PFO_TAG_BITS	12

/* bits that say which parts of a type follow, see pfo_put_type() */
#define PFO_TYPE_TYPMOD		0x01
#define PFO_TYPE_COLLATION	0x02

typedef struct PfoWalk
{
	PfoHasher	skeleton;		/* all but the values of constants */
	PfoHasher	constants;		/* these values */
	Bitmapset  *params;			/* numbers of external parameters */
	NodeTag		unknown;		/* the node that was not known, if any */
	bool		names;			/* are the columns of the range table named? */
	bool		whole_rows;		/* a row as a value, which shows their names */
} PfoWalk;

/* Write some numbers of 32 bits. */
#define PFO_PUT(walk, ...) \
	do { \
		const uint32 words_[] = {__VA_ARGS__}; \
		pfo_hasher_add(&(walk)->skeleton, words_, sizeof(words_)); \
	} while (0)

/*
 * The parts of the walk.  Each is false if it meets a node that is not known;
 * the walk is then over.
 */

/* key_walk.c: lists, and how to give up */
extern bool pfo_walk_unknown(PfoWalk *walk, NodeTag tag);
extern bool pfo_walk_list(PfoWalk *walk, const List *list);
extern bool pfo_walk_numbers(PfoWalk *walk, const List *list);
extern bool pfo_walk_names(PfoWalk *walk, const List *list);

/* key_expr.c: any node, or none */
extern bool pfo_walk_node(PfoWalk *walk, const Node *node);

/* key.c: what a query is built of, other than expressions */
extern bool pfo_walk_structure(PfoWalk *walk, const Node *node);
extern bool pfo_walk_target(PfoWalk *walk, const TargetEntry *tle,
							bool title);

#define PFO_WALK(walk, node)	pfo_walk_node(walk, (const Node *) (node))

/* Begin a node: its tag and what fits beside it. */
static inline void
pfo_put_head(PfoWalk *walk, NodeTag tag, uint32 extra)
{
	Assert((uint32) tag < (1U << PFO_TAG_BITS));
	Assert(extra < (1U << (32 - PFO_TAG_BITS)));

	PFO_PUT(walk, (uint32) tag | (extra << PFO_TAG_BITS));
}

/* A number that is nearly always small: one byte, or a mark and four. */
static inline void
pfo_put_count(PfoWalk *walk, uint32 count)
{
	uint8		byte = Min(count, PG_UINT8_MAX);

	pfo_hasher_add(&walk->skeleton, &byte, 1);
	if (unlikely(byte == PG_UINT8_MAX))
		PFO_PUT(walk, count);
}

/* A type with its modifier and collation, which most types do not have. */
static inline void
pfo_put_type(PfoWalk *walk, Oid type, int32 typmod, Oid collation)
{
	uint8		parts = 0;

	if (typmod != -1)
		parts |= PFO_TYPE_TYPMOD;
	if (OidIsValid(collation))
		parts |= PFO_TYPE_COLLATION;

	pfo_hasher_add(&walk->skeleton, &parts, 1);
	PFO_PUT(walk, type);
	if (typmod != -1)
		PFO_PUT(walk, typmod);
	if (OidIsValid(collation))
		PFO_PUT(walk, collation);
}

/* A string that is there. */
static inline void
pfo_put_name(PfoWalk *walk, const char *name)
{
	pfo_hasher_add(&walk->skeleton, name, strlen(name) + 1);
}

/* A string that may be missing. */
static inline void
pfo_put_string(PfoWalk *walk, const char *string)
{
	uint8		there = (string != NULL);

	pfo_hasher_add(&walk->skeleton, &there, 1);
	if (there)
		pfo_put_name(walk, string);
}

static inline void
pfo_put_bitmapset(PfoWalk *walk, const Bitmapset *set)
{
	int			nwords = (set == NULL) ? 0 : set->nwords;

	pfo_put_count(walk, nwords);
	if (nwords > 0)
		pfo_hasher_add(&walk->skeleton, set->words,
					   nwords * sizeof(bitmapword));
}

#endif							/* PFO_KEY_WALK_H */
