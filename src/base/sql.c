/*-------------------------------------------------------------------------
 *
 * sql.c
 *	  What the features' functions in SQL share.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"
#include "utils/varlena.h"

#include "base/sql.h"

#define MAX_RESETS	8

extern PGDLLEXPORT Datum perfopt_reset_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_reset_queryid_1_0(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(perfopt_reset_1_0);
PG_FUNCTION_INFO_V1(perfopt_reset_queryid_1_0);

static bool preloaded = false;	/* inherited by all processes */
static PfoReset resets[MAX_RESETS];
static int	nresets = 0;

void
pfo_set_preloaded(void)
{
	preloaded = true;
}

/* The value of shared_preload_libraries with perfopt put first. */
static char *
wanted_libraries(void)
{
	StringInfoData value;
	List	   *names;
	ListCell   *lc;

	initStringInfo(&value);
	appendStringInfoString(&value, "'perfopt'");
	if (SplitGUCList(pstrdup(shared_preload_libraries_string), ',', &names))
	{
		foreach(lc, names)
			appendStringInfo(&value, ", %s",
							 quote_literal_cstr((char *) lfirst(lc)));
	}
	return value.data;
}

/* The setting's value is not for all to see; who may not has no use for it. */
void
pfo_require_preloading(void)
{
	if (preloaded)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("perfopt must be loaded by shared_preload_libraries"),
			 errdetail("The cache lives in shared memory, which is reserved when the server starts."),
			 has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_SETTINGS) ?
			 errhint("Run: ALTER SYSTEM SET shared_preload_libraries = %s; and restart the server.",
					 wanted_libraries()) :
			 errhint("Ask an administrator to put perfopt first in shared_preload_libraries, and to restart the server.")));
}

bool
pfo_reads_all_stats(void)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

ReturnSetInfo *
pfo_begin_rows(FunctionCallInfo fcinfo)
{
	pfo_require_preloading();
	InitMaterializedSRF(fcinfo, 0);
	return (ReturnSetInfo *) fcinfo->resultinfo;
}

ReturnSetInfo *
pfo_begin_many_rows(FunctionCallInfo fcinfo, int memory_kb)
{
	ReturnSetInfo *rsinfo = pfo_begin_rows(fcinfo);
	MemoryContext old =
		MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);

	/* the store that is there bears work_mem */
	tuplestore_end(rsinfo->setResult);
	rsinfo->setResult =
		tuplestore_begin_heap((rsinfo->allowedModes &
							   SFRM_Materialize_Random) != 0,
							  false, memory_kb);
	MemoryContextSwitchTo(old);
	return rsinfo;
}

void
pfo_put_row(ReturnSetInfo *rsinfo, Datum *values, bool *nulls)
{
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

void
pfo_add_value(PfoRow *row, Datum value, bool isnull)
{
	Assert(row->n < PFO_MAX_COLUMNS);
	row->values[row->n] = value;
	row->nulls[row->n++] = isnull;
}

void
pfo_add_count(PfoRow *row, int64 count)
{
	pfo_add_value(row, Int64GetDatum(count), false);
}

void
pfo_add_ms(PfoRow *row, double ns)
{
	pfo_add_value(row, Float8GetDatum(ns / 1e6), false);
}

void
pfo_add_text(PfoRow *row, const char *text)
{
	bool		isnull = text == NULL || text[0] == '\0';

	pfo_add_value(row, isnull ? (Datum) 0 : CStringGetTextDatum(text), isnull);
}

void
pfo_on_reset(PfoReset reset)
{
	Assert(nresets < MAX_RESETS);
	resets[nresets++] = reset;
}

Datum
perfopt_reset_1_0(PG_FUNCTION_ARGS)
{
	pfo_require_preloading();
	for (int i = 0; i < nresets; i++)
		resets[i] (0);
	PG_RETURN_VOID();
}

Datum
perfopt_reset_queryid_1_0(PG_FUNCTION_ARGS)
{
	int64		queryid = PG_GETARG_INT64(0);

	pfo_require_preloading();
	if (queryid == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("0 is no query id"),
				 errdetail("What was executed without one is not told apart."),
				 errhint("Use SELECT perfopt_reset() to reset all statistics.")));
	for (int i = 0; i < nresets; i++)
		resets[i] ((uint64) queryid);
	PG_RETURN_VOID();
}
