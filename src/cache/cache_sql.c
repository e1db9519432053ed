/*-------------------------------------------------------------------------
 *
 * cache_sql.c
 *	  The cache's functions in SQL.
 *
 * No logic lives here: a function checks its arguments and the caller's
 * rights, calls a module, and forms rows of what that says.  Object names and
 * sums are the business of the views in the extension's script.
 *
 * C names bear the version of the extension that introduced them, so that an
 * old script can meet a new library.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/normalize.h"
#include "base/sql.h"
#include "cache/check.h"
#include "cache/counters.h"
#include "cache/policy.h"
#include "cache/settings.h"
#include "cache/store.h"
#include "cache/versions.h"

/* PostgreSQL 15 declares them without marking them for export */
extern PGDLLEXPORT Datum perfopt_cache_stats_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_cache_usage_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_cache_entries_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_cache_reasons_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_cache_savings_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_cache_settings_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_cache_check_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_invalidate_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_invalidate_all_1_0(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(perfopt_cache_stats_1_0);
PG_FUNCTION_INFO_V1(perfopt_cache_usage_1_0);
PG_FUNCTION_INFO_V1(perfopt_cache_entries_1_0);
PG_FUNCTION_INFO_V1(perfopt_cache_reasons_1_0);
PG_FUNCTION_INFO_V1(perfopt_cache_savings_1_0);
PG_FUNCTION_INFO_V1(perfopt_cache_settings_1_0);
PG_FUNCTION_INFO_V1(perfopt_cache_check_1_0);
PG_FUNCTION_INFO_V1(perfopt_invalidate_1_0);
PG_FUNCTION_INFO_V1(perfopt_invalidate_all_1_0);

static ArrayType *
oid_array(const Oid *oids, int n)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		values[i] = ObjectIdGetDatum(oids[i]);
	return construct_array(values, n, OIDOID, sizeof(Oid), true,
						   TYPALIGN_INT);
}

/*
 * Counters
 */

static void
put_stats(const PfoDatabaseCounts *counts, void *arg)
{
	/* the database, and in the function's order what counters.h lists */
	static const PfoCounter order[] = {
		PFO_COUNT_SELECTS, PFO_COUNT_ELIGIBLE, PFO_COUNT_HITS,
		PFO_COUNT_WIRE_HITS, PFO_COUNT_MISSES, PFO_COUNT_STORES,
		PFO_COUNT_INVALIDATIONS, PFO_COUNT_EVICTIONS, PFO_COUNT_VERIFIED,
		PFO_COUNT_DIFFERENCES, PFO_COUNT_BYPASSES, PFO_COUNT_LATE_WRITES,
		PFO_COUNT_ERRORS
	};
	Datum		values[lengthof(order) + 2];
	bool		nulls[lengthof(order) + 2] = {0};
	bool		any = false;
	int			n = 0;

	values[n++] = ObjectIdGetDatum(counts->dbid);
	for (int i = 0; i < lengthof(order); i++)
	{
		values[n++] = Int64GetDatum((int64) counts->counters[order[i]]);
		any |= counts->counters[order[i]] != 0;
	}
	values[n++] =
		Float8GetDatum(counts->counters[PFO_COUNT_SAVED_US] / 1000.0);
	if (any || OidIsValid(counts->dbid))
		pfo_put_row(arg, values, nulls);
}

Datum
perfopt_cache_stats_1_0(PG_FUNCTION_ARGS)
{
	pfo_counters_foreach(put_stats, pfo_begin_rows(fcinfo));
	return (Datum) 0;
}

static void
put_reasons(const PfoDatabaseCounts *counts, void *arg)
{
	for (int i = PFO_REASON_NONE + 1; i < PFO_NREASONS; i++)
	{
		const PfoReasonCount *reason = &counts->reasons[i];
		Datum		values[5];
		bool		nulls[5] = {0};

		if (reason->count == 0)
			continue;
		values[0] = ObjectIdGetDatum(counts->dbid);
		values[1] = CStringGetTextDatum(pfo_reason_name(i));
		values[2] = Int64GetDatum((int64) reason->count);
		values[3] = Int64GetDatum(reason->last_queryid);
		nulls[3] = reason->last_queryid == 0 || !pfo_reads_all_stats();
		values[4] = CStringGetTextDatum(pfo_reason_advice(i));
		pfo_put_row(arg, values, nulls);
	}
}

Datum
perfopt_cache_reasons_1_0(PG_FUNCTION_ARGS)
{
	pfo_counters_foreach(put_reasons, pfo_begin_rows(fcinfo));
	return (Datum) 0;
}

Datum
perfopt_cache_usage_1_0(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	PfoStoreUsage usage;
	Datum		values[4];
	bool		nulls[4] = {0};

	pfo_require_preloading();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	pfo_store_usage(&usage);
	values[0] = Int64GetDatum((int64) usage.bytes_total);
	values[1] = Int64GetDatum((int64) usage.bytes_used);
	values[2] = Int64GetDatum((int64) usage.bytes_pinned);
	values[3] = Int64GetDatum((int64) usage.entries);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/*
 * Entries and families
 */

static void
put_entry(PfoEntry *entry, void *arg)
{
	const PfoEntryInfo *info = &entry->info;
	bool		may_read = pfo_reads_all_stats() ||
		has_privs_of_role(GetUserId(), info->roleid);
	uint64		last_hit = pg_atomic_read_u64(&entry->last_hit);
	Datum		values[14];
	bool		nulls[14] = {0};
	int			n = 0;

	values[n++] = ObjectIdGetDatum(info->dbid);
	values[n++] = ObjectIdGetDatum(info->roleid);
	nulls[n] = !may_read;
	values[n++] = Int64GetDatum(info->queryid);
	values[n++] =
		CStringGetTextDatum(may_read ?
							pfo_text_here(pfo_entry_array(entry, text, char),
										  info->encoding) :
							PFO_INSUFFICIENT_PRIVILEGE);
	values[n++] = Int64GetDatum(info->nrows);
	values[n++] = Int64GetDatum((int64) entry->size);
	values[n++] = Int64GetDatum((int64) pg_atomic_read_u64(&entry->hits));
	values[n++] =
		Float8GetDatum(pg_atomic_read_u64(&entry->saved_us) / 1000.0);
	values[n++] = Float8GetDatum(info->cost_ms);
	values[n++] = TimestampTzGetDatum(info->created);
	nulls[n] = last_hit == 0;
	values[n++] = TimestampTzGetDatum((TimestampTz) last_hit);
	values[n++] =
		PointerGetDatum(oid_array(pfo_entry_array(entry, relids, Oid),
								  info->nrelids));
	values[n++] =
		PointerGetDatum(oid_array(pfo_entry_array(entry, indexes, Oid),
								  info->nindexes));
	values[n++] = BoolGetDatum(!pfo_entry_is_outdated(entry));
	pfo_put_row(arg, values, nulls);
}

Datum
perfopt_cache_entries_1_0(PG_FUNCTION_ARGS)
{
	pfo_store_foreach(put_entry, pfo_begin_rows(fcinfo));
	return (Datum) 0;
}

static void
put_family(const PfoFamily *family, void *arg)
{
	Datum		values[10];
	bool		nulls[10] = {0};
	bool		may_read = pfo_reads_all_stats();
	int			n = 0;

	values[n++] = ObjectIdGetDatum(family->dbid);
	nulls[n] = !may_read;
	values[n++] = Int64GetDatum(family->queryid);
	nulls[n] = may_read && family->text[0] == '\0';
	values[n++] = CStringGetTextDatum(may_read ?
									  pfo_text_here(family->text,
													family->encoding) :
									  PFO_INSUFFICIENT_PRIVILEGE);
	values[n++] = Int64GetDatum((int64) family->calls);
	values[n++] = Int64GetDatum((int64) family->hits);
	values[n++] = Int64GetDatum((int64) family->would_hit);
	values[n++] = Float8GetDatum(family->total_ms);
	values[n++] = Float8GetDatum(family->saved_ms);
	values[n++] = Float8GetDatum(family->would_save_ms);
	values[n++] = BoolGetDatum(family->disabled);
	pfo_put_row(arg, values, nulls);
}

Datum
perfopt_cache_savings_1_0(PG_FUNCTION_ARGS)
{
	pfo_policy_foreach(put_family, pfo_begin_rows(fcinfo));
	return (Datum) 0;
}

Datum
perfopt_cache_settings_1_0(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	pfo_require_preloading();
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (const char *const *name = pfo_settings_names(); *name != NULL; name++)
	{
		Datum		values[1] = {CStringGetTextDatum(*name)};
		bool		nulls[1] = {false};

		pfo_put_row(rsinfo, values, nulls);
	}
	return (Datum) 0;
}

/*
 * Checking a statement
 */

static ArrayType *
regclass_array(List *relations)
{
	Datum	   *values = palloc(sizeof(Datum) *
								Max(list_length(relations), 1));
	ListCell   *lc;

	foreach(lc, relations)
		values[foreach_current_index(lc)] = ObjectIdGetDatum(lfirst_oid(lc));
	return construct_array(values, list_length(relations), REGCLASSOID,
						   sizeof(Oid), true, TYPALIGN_INT);
}

static ArrayType *
text_array(List *texts)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(list_length(texts), 1));
	ListCell   *lc;

	foreach(lc, texts)
		values[foreach_current_index(lc)] =
			CStringGetTextDatum((char *) lfirst(lc));
	return construct_array(values, list_length(texts), TEXTOID, -1, false,
						   TYPALIGN_INT);
}

Datum
perfopt_cache_check_1_0(PG_FUNCTION_ARGS)
{
	char	   *sql = text_to_cstring(PG_GETARG_TEXT_PP(0));
	TupleDesc	desc;
	PfoCheck	check;
	Datum		values[6];
	bool		nulls[6] = {0};

	pfo_require_preloading();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	pfo_check_statement(sql, &check);
	values[0] = BoolGetDatum(check.reason == PFO_REASON_NONE);
	nulls[1] = check.reason == PFO_REASON_NONE;
	values[1] = CStringGetTextDatum(pfo_reason_name(check.reason));
	nulls[2] = nulls[1];
	values[2] = CStringGetTextDatum(pfo_reason_advice(check.reason));
	nulls[3] = check.object == NULL;
	if (check.object != NULL)
		values[3] = CStringGetTextDatum(check.object);
	nulls[4] = check.relations == NIL;
	values[4] = PointerGetDatum(regclass_array(check.relations));
	values[5] = PointerGetDatum(text_array(check.folded));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/*
 * Changing
 */

/* Is it of a kind that answers are noted to depend on? */
static bool
answers_depend_on(char relkind)
{
	return relkind == RELKIND_RELATION ||
		relkind == RELKIND_PARTITIONED_TABLE ||
		relkind == RELKIND_VIEW || relkind == RELKIND_MATVIEW ||
		relkind == RELKIND_COMPOSITE_TYPE;
}

/* Who may change a table's rows can make its answers be forgotten. */
static void
require_write_access(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;
	char		relkind;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	relkind = ((Form_pg_class) GETSTRUCT(tuple))->relkind;
	ReleaseSysCache(tuple);

	/* doing nothing, silently, would not be what was asked for */
	if (!answers_depend_on(relkind))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("no cached answer depends on relation \"%s\"",
						get_rel_name(relid)),
				 errdetail_relkind_not_supported(relkind),
				 errhint("Name the table, view or materialized view that was read.")));

	if (!has_privs_of_role(GetUserId(), owner) &&
		pg_class_aclmask(relid, GetUserId(),
						 ACL_INSERT | ACL_UPDATE | ACL_DELETE | ACL_TRUNCATE,
						 ACLMASK_ANY) == 0 &&
		pg_attribute_aclcheck_all(relid, GetUserId(),
								  ACL_INSERT | ACL_UPDATE,
								  ACLMASK_ANY) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to invalidate relation \"%s\"",
						get_rel_name(relid)),
				 errdetail("It takes INSERT, UPDATE, DELETE or TRUNCATE on the relation, or being its owner.")));
}

/* Without locks: a child that comes or goes meanwhile announces itself. */
Datum
perfopt_invalidate_1_0(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	ListCell   *lc;

	pfo_require_preloading();
	require_write_access(relid);
	foreach(lc, find_all_inheritors(relid, NoLock, NULL))
		pfo_versions_invalidate(pfo_slot_of_relation(MyDatabaseId,
													 lfirst_oid(lc)));
	PG_RETURN_VOID();
}

Datum
perfopt_invalidate_all_1_0(PG_FUNCTION_ARGS)
{
	pfo_require_preloading();
	pfo_versions_invalidate(pfo_slot_of_database(MyDatabaseId));
	PG_RETURN_VOID();
}
