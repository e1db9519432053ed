/*-------------------------------------------------------------------------
 *
 * key_walk.c
 *	  The bytes that a query tree is turned into.
 *
 * The sequence can be read back in one way only, so two different trees never
 * give the same bytes: each node begins with its tag, a missing node is a tag
 * of zero, a list begins with its length, a string ends with a zero byte (it
 * cannot hold one), and what may be missing begins with a marker.  Which
 * fields follow a tag is fixed by the tag and by what was written before.
 *
 * There are two streams.  The skeleton is everything but the values of
 * constants; statements that agree in it are a family.  The values go to the
 * other stream, one per Const node in the order of the walk.  The skeleton
 * says how many there are and of which type and length, so that a value cannot
 * be taken for a part of its neighbour.  The hash of the tree covers the
 * values and the hash of the skeleton.
 *
 * Numbers and strings are written by the inline functions of key_walk.h; here
 * are the lists, of nodes and of plain values.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/value.h"

#include "cache/key_walk.h"

/* Ends the walk at a node that is not known. */
bool
pfo_walk_unknown(PfoWalk *walk, NodeTag tag)
{
	walk->unknown = tag;
	return false;
}

bool
pfo_walk_list(PfoWalk *walk, const List *list)
{
	ListCell   *lc;

	if (list != NIL && !IsA(list, List))
		return pfo_walk_unknown(walk, nodeTag(list));

	pfo_put_count(walk, list_length(list));
	foreach(lc, list)
	{
		if (!PFO_WALK(walk, lfirst(lc)))
			return false;
	}

	return true;
}

/* A list of integers or of OIDs; the field that holds it decides which. */
bool
pfo_walk_numbers(PfoWalk *walk, const List *list)
{
	ListCell   *lc;

	if (list != NIL && !IsA(list, IntList) && !IsA(list, OidList))
		return pfo_walk_unknown(walk, nodeTag(list));

	pfo_put_count(walk, list_length(list));
	if (list != NIL && IsA(list, OidList))
	{
		foreach(lc, list)
			PFO_PUT(walk, lfirst_oid(lc));
	}
	else
	{
		foreach(lc, list)
			PFO_PUT(walk, lfirst_int(lc));
	}

	return true;
}

/* A list of names, none of which is missing. */
bool
pfo_walk_names(PfoWalk *walk, const List *list)
{
	ListCell   *lc;

	pfo_put_count(walk, list_length(list));
	foreach(lc, list)
	{
		Node	   *name = lfirst(lc);

		if (!IsA(name, String))
			return pfo_walk_unknown(walk, nodeTag(name));
		pfo_put_name(walk, strVal(name));
	}

	return true;
}
