/*-------------------------------------------------------------------------
 *
 * lookup.c
 *	  One execution and the cache.
 *
 * The order matters and is that of rules 3 to 5 and 8 of versions.c: the
 * snapshot exists before anything is read; the own transaction's writes are
 * looked at for the relations of the entry found; for storing, versions are
 * noted after the plan was made, invalidation messages are accepted after
 * that, and then the plan must not be older than any of them.
 *
 * The plan must also have been made under the settings of the execution, which
 * are those of the key, as far as they reach the constants that planning makes
 * of expressions (settings.h).  A prepared statement keeps such constants:
 * what it gives is neither stored nor replaced by what a new plan would give.
 *
 * What can fail is contained, so that it makes the attempt come to nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/inval.h"

#include "base/breakage.h"
#include "base/contain.h"
#include "base/guc.h"
#include "base/statement.h"
#include "cache/counters.h"
#include "cache/eligible.h"
#include "cache/fold.h"
#include "cache/generation.h"
#include "cache/key_values.h"
#include "cache/lookup.h"
#include "cache/modified.h"
#include "cache/partitions.h"
#include "cache/permissions.h"
#include "cache/planwalk.h"
#include "cache/policy.h"
#include "cache/settings.h"

static bool
owns_temp_namespace(void)
{
	Oid			temp;
	Oid			toast;

	GetTempNamespaceState(&temp, &toast);
	return OidIsValid(temp);
}

/* What the session or the statement say against using the cache at all. */
static PfoReason
why_not(const PfoPlanInfo *info)
{
	if (IsInParallelMode())
		return PFO_REASON_PARALLEL;
	if (pfo_is_maintenance())
		return PFO_REASON_MAINTENANCE;
	if (IsolationIsSerializable())
		return PFO_REASON_SERIALIZABLE;
	if (pfo_cache_mode == PFO_CACHE_MANUAL && !info->asked)
		return PFO_REASON_NOT_ASKED;
	if (info->plain_parents && owns_temp_namespace())
		return PFO_REASON_TEMP_CHILDREN;
	if (pfo_policy_disabled(info->queryid))
		return PFO_REASON_DIFFERED;
	return PFO_REASON_NONE;
}

bool
pfo_execution_key(const PfoHash *tree, const Bitmapset *param_ids,
				  List *folded, ParamListInfo params,
				  const PfoHash *planned_under, PfoHash *key,
				  PfoReason *reason)
{
	PfoHasher	hasher;
	PfoHash		settings;
	PfoHash		values;

	if (!pfo_settings_hash(&settings, &values))
	{
		*reason = PFO_REASON_SETTING;
		return false;
	}
	if (planned_under != NULL && !pfo_hash_equal(values, *planned_under))
	{
		*reason = PFO_REASON_CATALOG_CHANGED;
		return false;
	}
	*key = pfo_hash_combine(pfo_hash_combine(*tree, settings),
							(PfoHash) {MyDatabaseId, MyDatabaseId});
	if (bms_is_empty(param_ids) && folded == NIL)
		return true;

	pfo_hasher_init(&hasher);
	pfo_hasher_add(&hasher, key, sizeof(*key));
	if (!bms_is_empty(param_ids) &&
		!pfo_key_params(&hasher, param_ids, params))
	{
		*reason = PFO_REASON_PARAMETER;
		return false;
	}
	if (folded != NIL && !pfo_fold_add(&hasher, folded, params))
	{
		*reason = PFO_REASON_UNKNOWN_SETTING;
		return false;
	}
	*key = pfo_hasher_final(&hasher);
	return true;
}

/* What is cheap to compare, so that equal hashes alone serve nobody. */
static bool
same_statement(const PfoEntry *entry, const PfoHash *tree, TupleDesc result)
{
	const Oid  *types = pfo_entry_array(entry, types, Oid);

	if (entry->info.dbid != MyDatabaseId ||
		!pfo_hash_equal(entry->info.tree, *tree) ||
		entry->info.natts != result->natts)
		return false;
	for (int i = 0; i < result->natts; i++)
	{
		if (types[i] != TupleDescAttr(result, i)->atttypid)
			return false;
	}
	return true;
}

/* Rule 5, but for the permissions. */
static PfoReason
validate(PfoEntry *entry, const PfoView *view)
{
	PfoDependency *deps = pfo_entry_array(entry, deps, PfoDependency);
	bool		settled = true;

	for (uint32 i = 0; i < entry->info.ndeps; i++)
	{
		uint64		version;

		settled &= pfo_versions_read(view, deps[i].slot, &version);
		if (version != deps[i].version && !PFO_BROKEN(VERSION))
		{
			pfo_count(PFO_COUNT_INVALIDATIONS, 1);
			pfo_store_remove(entry);
			return PFO_REASON_COLD;
		}
	}
	if (!settled)
		return PFO_REASON_UNSETTLED;
	return pfo_modified_by_own(pfo_entry_array(entry, relids, Oid),
							   entry->info.nrelids);
}

/* Functions that were judged, as pfo_contain_catalogs() is told. */
typedef struct Judged
{
	const PfoPlanInfo *info;
	bool		unchanged;
} Judged;

static void
see_functions(void *arg)
{
	Judged	   *judged = arg;

	AcceptInvalidationMessages();
	judged->unchanged =
		pfo_generation_functions_unchanged(judged->info->generation,
										   judged->info->functions);
}

/*
 * An answer that is valid may be younger than the verdict that is asked about
 * it, and what must be checked for it is then not what the verdict found.
 * Whoever stored it saw to it that its definitions had been sent to all.
 */
static bool
functions_are_current(const PfoPlanInfo *info)
{
	Judged		judged = {info, false};

	if (!info->bodies)
		return true;			/* the key tells all of them */
	return pfo_contain_catalogs(see_functions, &judged) && judged.unchanged;
}

/* Are the rows there in a form that this execution can give out? */
static bool
has_form(const PfoAttempt *attempt)
{
	return pfo_entry_form(attempt->entry, PFO_FORM_TUPLES) != NULL ||
		pfo_wire_find(attempt->entry, &attempt->client) != NULL;
}

/* Sets entry, or the reason why there is none to use. */
static void
find_entry(PfoAttempt *attempt, TupleDesc result)
{
	PfoEntry   *entry = pfo_store_lookup(&attempt->key);

	/* in the attempt from the start: on an error its owner drops the pin */
	attempt->entry = entry;
	attempt->reason = PFO_REASON_COLD;
	if (entry == NULL)
		return;
	if (same_statement(entry, &attempt->info->tree, result))
	{
		attempt->reason = validate(entry, &attempt->view);
		if (attempt->reason == PFO_REASON_NONE &&
			!functions_are_current(attempt->info))
			attempt->reason = PFO_REASON_CATALOG_CHANGED;
		if (attempt->reason == PFO_REASON_NONE &&
			!pfo_permissions_functions(attempt->info->functions,
									   &attempt->info->granted))
			attempt->reason = PFO_REASON_PERMISSION;
	}
	else
	{
		/* equal hashes of different statements */
		pfo_count(PFO_COUNT_ERRORS, 1);
		attempt->reason = PFO_REASON_INTERNAL;
	}
	if (attempt->reason == PFO_REASON_NONE && !has_form(attempt))
		attempt->reason = PFO_REASON_COLD;
	if (attempt->reason != PFO_REASON_NONE)
	{
		attempt->entry = NULL;
		pfo_store_unpin(entry);
	}
}

uint64
pfo_version_digest(List *depends)
{
	uint64		digest = pfo_versions_peek(pfo_slot_of_database(MyDatabaseId));
	ListCell   *lc;

	foreach(lc, depends)
	{
		PfoSlotId	slot = pfo_slot_of_relation(MyDatabaseId, lfirst_oid(lc));

		digest = hash_combine64(digest, pfo_versions_peek(slot));
	}
	return digest;
}

static void
admission(PfoAttempt *attempt)
{
	bool		unchanged;
	uint32		seen;

	if (pfo_cache_mode == PFO_CACHE_FORCE || attempt->info->asked)
	{
		attempt->wanted = true;
		return;
	}
	seen = pfo_policy_sighting(&attempt->key, 0, &unchanged);
	attempt->wanted = seen >= (uint32) pfo_cache_min_calls;
}

/* What a look-up is made of, as pfo_contain() is told. */
typedef struct Execution
{
	PfoAttempt *attempt;
	Snapshot	snapshot;
	ParamListInfo params;
	TupleDesc	result;
} Execution;

static void
look_up(void *arg)
{
	Execution  *execution = arg;
	PfoAttempt *attempt = execution->attempt;
	PfoPlanInfo *info = attempt->info;

	attempt->reason = why_not(info);
	if (attempt->reason != PFO_REASON_NONE)
		return;
	attempt->reason = pfo_view_init(&attempt->view, execution->snapshot);
	if (attempt->reason != PFO_REASON_NONE)
		return;
	attempt->names = pfo_fold_generation();
	if (!pfo_execution_key(&info->tree, info->params, info->folded,
						   execution->params, &info->settings, &attempt->key,
						   &attempt->reason))
		return;

	attempt->bypassed = false;
	find_entry(attempt, execution->result);
}

/* To the state of an attempt that came to nothing. */
static void
give_up(PfoAttempt *attempt)
{
	if (attempt->entry != NULL)
		pfo_store_unpin(attempt->entry);
	attempt->entry = NULL;
	attempt->deps = NULL;
	attempt->wanted = false;
	attempt->reason = PFO_REASON_INTERNAL;
}

static void
look_up_contained(PfoAttempt *attempt, PfoPlanInfo *info, Snapshot snapshot,
				  ParamListInfo params, TupleDesc result, PfoClient client)
{
	Execution	execution = {attempt, snapshot, params, result};

	memset(attempt, 0, sizeof(*attempt));
	attempt->info = info;
	attempt->client = client;
	attempt->bypassed = true;
	if (!pfo_contain(look_up, &execution))
	{
		attempt->bypassed = true;
		give_up(attempt);
	}
}

void
pfo_attempt_lookup(PfoAttempt *attempt, PfoPlanInfo *info,
				   Snapshot snapshot, ParamListInfo params, TupleDesc result,
				   PfoClient client)
{
	look_up_contained(attempt, info, snapshot, params, result, client);
	if (attempt->bypassed || attempt->entry != NULL)
		return;
	/* why it is not stored is another question, and not always asked */
	if (attempt->reason == PFO_REASON_PERMISSION ||
		attempt->reason == PFO_REASON_INTERNAL)
		pfo_count_reason(attempt->reason, info->queryid);
	admission(attempt);
}

typedef PfoReason (*OwnCheck) (const Oid *relids, int nrelids);

/* What does the transaction itself say against these relations? */
static PfoReason
ask_own(List *depends, OwnCheck check)
{
	int			n = list_length(depends);
	Oid		   *relids = palloc(sizeof(Oid) * Max(n, 1));
	PfoReason	reason;

	for (int i = 0; i < n; i++)
		relids[i] = list_nth_oid(depends, i);
	reason = check(relids, n);
	pfree(relids);
	return reason;
}

/* Would the transaction's own writes keep an answer from being stored? */
static PfoReason
own_writes(List *depends)
{
	return ask_own(depends, pfo_modified_by_own);
}

PfoReason
pfo_attempt_own_definitions(const PfoAttempt *attempt)
{
	return ask_own(attempt->info->depends, pfo_defined_by_own);
}

void
pfo_attempt_explain(PfoAttempt *attempt, PfoPlanInfo *info,
					Snapshot snapshot, ParamListInfo params, TupleDesc result)
{
	look_up_contained(attempt, info, snapshot, params, result,
					  (PfoClient) {NULL});
	if (!attempt->bypassed && attempt->entry == NULL)
	{
		PfoReason	own = own_writes(info->depends);

		if (own != PFO_REASON_NONE)
			attempt->reason = own;
	}
	attempt->wanted = !attempt->bypassed &&
		(pfo_cache_mode == PFO_CACHE_FORCE || info->asked ||
		 pfo_policy_sightings(&attempt->key) + 1 >=
		 (uint32) pfo_cache_min_calls);
}

static void
find_again(void *arg)
{
	Execution  *execution = arg;

	find_entry(execution->attempt, execution->result);
}

bool
pfo_attempt_again(PfoAttempt *attempt, TupleDesc result)
{
	Execution	execution = {.attempt = attempt,.result = result};

	if (!pfo_contain(find_again, &execution))
		give_up(attempt);
	return attempt->entry != NULL;
}

bool
pfo_attempt_values_hold(const PfoAttempt *attempt)
{
	return attempt->info->folded == NIL ||
		attempt->names == pfo_fold_generation();
}

static bool
note(PfoAttempt *attempt, Oid relid, PfoSlotId slot)
{
	PfoDependency *dep = &attempt->deps[attempt->ndeps++];

	dep->relid = relid;
	dep->slot = slot;
	return pfo_versions_read(&attempt->view, slot, &dep->version);
}

static bool
plan_is_current(const PfoPlanInfo *info)
{
	/* whether there are messages is asked without a lock */
	pg_read_barrier();
	AcceptInvalidationMessages();

	/*
	 * Reading the list of partitions may accept more messages.  Only what the
	 * plan reads is locked, row types are not.
	 */
	return pfo_partitions_are_current(info->child->relationOids) &&
		pfo_generation_unchanged(info->generation, info->depends,
								 info->child->invalItems);
}

static void
see_if_current(void *arg)
{
	PfoAttempt *attempt = arg;

	attempt->reason = plan_is_current(attempt->info) ? PFO_REASON_NONE :
		PFO_REASON_CATALOG_CHANGED;
}

bool
pfo_attempt_plan_is_current(PfoAttempt *attempt)
{
	return pfo_contain_catalogs(see_if_current, attempt) &&
		attempt->reason == PFO_REASON_NONE;
}

/* What is to be stored, as pfo_contain_catalogs() is told. */
typedef struct Storing
{
	PfoAttempt *attempt;
	uint64	   *max_rows;
} Storing;

static void
prepare_store(void *arg)
{
	Storing    *storing = arg;
	PfoAttempt *attempt = storing->attempt;
	const PfoPlanInfo *info = attempt->info;
	int			nrelids = list_length(info->depends);
	PfoDependency *deps;
	bool		settled;
	ListCell   *lc;
	Oid			relid;

	/*
	 * A plan that was put off may read more than the one it stands for: a
	 * partition attached meanwhile can be a foreign table.
	 */
	if (info->query != NULL)
	{
		attempt->reason = info->outgrown;
		if (attempt->reason == PFO_REASON_NONE)
			attempt->reason =
				pfo_eligible_relations(info->child->relationOids, &relid);
		if (attempt->reason != PFO_REASON_NONE)
			return;
	}

	deps = palloc(sizeof(PfoDependency) * (nrelids + 1));
	attempt->deps = deps;
	attempt->ndeps = 0;
	settled = note(attempt, InvalidOid, pfo_slot_of_database(MyDatabaseId));
	foreach(lc, info->depends)
		settled &= note(attempt, lfirst_oid(lc),
						pfo_slot_of_relation(MyDatabaseId, lfirst_oid(lc)));

	attempt->reason = settled ? own_writes(info->depends) :
		PFO_REASON_UNSETTLED;
	if (attempt->reason == PFO_REASON_NONE && !plan_is_current(info))
		attempt->reason = PFO_REASON_CATALOG_CHANGED;
	if (attempt->reason != PFO_REASON_NONE)
		attempt->deps = NULL;
	else if (storing->max_rows != NULL)
		*storing->max_rows = pfo_plan_max_rows(info->child);
}

bool
pfo_attempt_prepare_store(PfoAttempt *attempt, uint64 *max_rows)
{
	Storing		storing = {attempt, max_rows};

	if (!attempt->wanted)
	{
		attempt->reason = PFO_REASON_COLD;
		return false;
	}
	if (!pfo_contain_catalogs(prepare_store, &storing))
	{
		give_up(attempt);
		attempt->reason = pfo_contain_reason();
	}
	return attempt->deps != NULL;
}

PfoEntry *
pfo_lookup_likely(const PfoHash *tree, List *folded)
{
	PfoHash		key;
	PfoReason	reason;
	PfoEntry   *entry;

	if (!pfo_execution_key(tree, NULL, folded, NULL, NULL, &key, &reason))
		return NULL;
	entry = pfo_store_lookup(&key);
	if (entry == NULL)
		return NULL;
	if ((entry->info.flags & PFO_ENTRY_SKIP_PLANNING) &&
		entry->info.dbid == MyDatabaseId &&
		pfo_hash_equal(entry->info.tree, *tree) &&
		!pfo_entry_is_outdated(entry))
		return entry;
	pfo_store_unpin(entry);
	return NULL;
}
