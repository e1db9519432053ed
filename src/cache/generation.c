/*-------------------------------------------------------------------------
 *
 * generation.c
 *	  Has this backend learnt of a changed definition since a plan was made?
 *
 * A plan may be older than its snapshot: it was made from a definition that
 * a transaction visible to the snapshot has replaced.  Its rows must not be
 * stored (rule 8 of versions.c).  So invalidation messages are counted: each
 * gets the next number of a clock, remembered at the relation or catalog row
 * it concerns, hashed into a fixed array.  A plan is young enough if nothing
 * it was made from bears a number later than the clock before planning.
 *
 * The clock is read before planning, not before parse analysis: whatever
 * parse analysis and rewriting took from the catalogs is part of the tree
 * and thereby of the key.
 *
 * Backend-local, no locking.  A collision of hashes only keeps an answer
 * from being stored.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "nodes/plannodes.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#include "base/guc.h"
#include "base/marks.h"
#include "cache/generation.h"

#define NPLACES	4096

/*
 * Catalogs whose rows plans do not name one by one, though planning may take
 * something from them: folding a constant reads dictionaries, for instance.
 */
static const int unnamed[] = {
	AGGFNOID, AMOPOPID, AMPROCNUM, CASTSOURCETARGET, CLAOID, COLLOID,
	ENUMOID, LANGOID, OPEROID, RANGETYPE, TSCONFIGMAP, TSCONFIGOID,
	TSDICTOID, TSPARSEROID, TSTEMPLATEOID
};

static uint64 now = 1;
static uint64 everything = 0;	/* when all of it was invalidated */
static uint64 permissions = 0;
static uint64 names = 0;		/* a clock of its own: no plan depends on it */
static uint64 functions = 0;	/* when all of them were invalidated */
static uint64 relations[NPLACES];
static uint64 rows[NPLACES];

static uint64 *
relation_place(Oid relid)
{
	return &relations[murmurhash32(relid) % NPLACES];
}

static uint64 *
row_place(int cache_id, uint32 hash_value)
{
	return &rows[hash_combine(murmurhash32(cache_id), hash_value) % NPLACES];
}

static void
relation_changed(Datum arg, Oid relid)
{
	now++;
	if (OidIsValid(relid))
		*relation_place(relid) = now;
	else
		everything = now;
}

static void
row_changed(Datum arg, int cache_id, uint32 hash_value)
{
	if (pfo_is_making_anew(cache_id, hash_value))
		return;
	now++;
	if (hash_value != 0)
		*row_place(cache_id, hash_value) = now;
	else
		everything = now;
	if (cache_id == PROCOID)
		permissions = now;
	if (cache_id == PROCOID && hash_value == 0)
		functions = now;
}

/*
 * PostgreSQL keeps cached plans after most of these.  Ours could be used for
 * hits, but nothing would ever be stored from them again, so they are made
 * anew.
 */
static void
any_changed(Datum arg, int cache_id, uint32 hash_value)
{
	everything = ++now;
	if (pfo_mode_serves(pfo_cache_mode))
		pfo_make_anew(PFO_MARK_ANY_DEFINITION);
}

static void
roles_changed(Datum arg, int cache_id, uint32 hash_value)
{
	permissions = ++now;
	names++;
}

static void
schemas_changed(Datum arg, int cache_id, uint32 hash_value)
{
	names++;
}

void
pfo_generation_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, row_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, row_changed, (Datum) 0);
	for (int i = 0; i < lengthof(unnamed); i++)
		CacheRegisterSyscacheCallback(unnamed[i], any_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, roles_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMMEMROLE, roles_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, schemas_changed, (Datum) 0);
	/* who owns the database is a member of pg_database_owner */
	CacheRegisterSyscacheCallback(DATABASEOID, roles_changed, (Datum) 0);
}

uint64
pfo_generation_now(void)
{
	return now;
}

uint64
pfo_generation_of_relation(Oid relid)
{
	return Max(*relation_place(relid), everything);
}

bool
pfo_generation_unchanged(uint64 since, List *relids, List *inval_items)
{
	ListCell   *lc;

	if (since == now)
		return true;
	if (everything > since)
		return false;
	foreach(lc, relids)
	{
		if (*relation_place(lfirst_oid(lc)) > since)
			return false;
	}
	foreach(lc, inval_items)
	{
		PlanInvalItem *item = lfirst_node(PlanInvalItem, lc);

		if (*row_place(item->cacheId, item->hashValue) > since)
			return false;
	}
	return true;
}

bool
pfo_generation_functions_unchanged(uint64 since, List *funcids)
{
	ListCell   *lc;

	if (since == now)
		return true;
	if (functions > since)
		return false;
	foreach(lc, funcids)
	{
		Datum		funcid = ObjectIdGetDatum(lfirst_oid(lc));

		if (*row_place(PROCOID, GetSysCacheHashValue1(PROCOID, funcid)) > since)
			return false;
	}
	return true;
}

uint64
pfo_generation_of_permissions(void)
{
	return Max(permissions, everything);
}

uint64
pfo_generation_of_names(void)
{
	return names;
}
