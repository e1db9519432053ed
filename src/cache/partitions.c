/*-------------------------------------------------------------------------
 *
 * partitions.c
 *	  Does this backend know the partitions that there are?
 *
 * A plan that has missed no message (generation.c) can still lack a partition.
 *
 *	- RelationBuildPartitionDesc() of partdesc.c reads pg_inherits first and
 *	  opens pg_class, perhaps, before it keeps what it read.  Opening accepts
 *	  messages.  The one of an ATTACH that was committed in between empties the
 *	  relation's cache too early: the list without the new partition is put
 *	  into it afterwards, and this backend plans with that until the table
 *	  changes again.  Others do not, so its answers are not for them.
 *	- A plan made under a snapshot older than the mark of DETACH CONCURRENTLY
 *	  reads the marked partition, one made later does not; there is no message
 *	  for a snapshot that becomes old enough.
 *
 * So before an answer is stored or compared the list is read once more, unless
 * it was found right before and no message about the table came since.
 *
 * Backend-local, no locking.  Whoever looks does not wait for those who lock
 * the catalog: they are few, and the answer is then left.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_inherits.h"
#include "common/hashfn.h"
#include "partitioning/partdesc.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "cache/generation.h"
#include "cache/partitions.h"

/* Lists that were found right; a collision of hashes has one read again. */
#define NLISTS	1024

typedef struct RightList
{
	Oid			relid;
	uint64		generation;		/* of the table, when the list was read */
} RightList;

static RightList lists[NLISTS];

/* Is what the backend plans with what the catalog has? */
static bool
equals_catalog(Oid relid)
{
	bool		detach_pending = false;
	List	   *partitions;
	Relation	rel;
	PartitionDesc known;
	bool		same;

	if (!ConditionalLockRelationOid(InheritsRelationId, AccessShareLock) ||
		!ConditionalLockRelationOid(InheritsParentIndexId, AccessShareLock))
		return false;			/* what is locked is let go by the caller */
	partitions = find_inheritance_children_extended(relid, false, NoLock,
													&detach_pending, NULL);
	rel = relation_open(relid, NoLock);
	known = RelationGetPartitionDesc(rel, false);
	same = known->nparts == list_length(partitions) &&
		!detach_pending && !known->detached_exist;
	if (same && known->nparts > 0)
	{
		Size		size = sizeof(Oid) * known->nparts;
		Oid		   *oids = palloc(size);

		/* the catalog's are in the order of their OIDs */
		memcpy(oids, known->oids, size);
		qsort(oids, known->nparts, sizeof(Oid), oid_cmp);
		for (int i = 0; i < known->nparts; i++)
			same &= oids[i] == list_nth_oid(partitions, i);
	}
	relation_close(rel, NoLock);
	return same;
}

static bool
is_current(Oid relid)
{
	RightList  *list = &lists[murmurhash32(relid) % NLISTS];
	uint64		generation = pfo_generation_of_relation(relid);

	if (list->relid == relid && list->generation == generation)
		return true;
	if (!equals_catalog(relid))
		return false;
	list->relid = relid;
	list->generation = generation;
	return true;
}

bool
pfo_partitions_are_current(List *relids)
{
	ListCell   *lc;

	foreach(lc, relids)
	{
		Oid			relid = lfirst_oid(lc);

		if (get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE &&
			!is_current(relid))
			return false;
	}
	return true;
}
