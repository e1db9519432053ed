/*-------------------------------------------------------------------------
 *
 * diagnose_sql.c
 *	  perfopt_diagnose() in SQL.
 *
 * No logic lives here.  The function needs nothing of shared memory, so that
 * it works in a session that loaded the library by calling it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "workload/diagnose.h"

/* PostgreSQL 15 declares it without marking it for export */
extern PGDLLEXPORT Datum perfopt_diagnose_1_0(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(perfopt_diagnose_1_0);

static void
put_finding(ReturnSetInfo *rsinfo, const PfoFinding *finding)
{
	Datum		values[6] = {0};
	bool		nulls[6] = {0};

	values[0] = CStringGetTextDatum(pfo_diagnosis_name(finding->code));
	nulls[1] = finding->node_number == 0;
	values[1] = Int32GetDatum(finding->node_number);
	nulls[2] = finding->node == NULL;
	if (finding->node != NULL)
		values[2] = CStringGetTextDatum(finding->node);
	values[3] = CStringGetTextDatum(finding->detail);
	values[4] = CStringGetTextDatum(finding->advice);
	nulls[5] = finding->wasted_ms < 0;
	values[5] = Float8GetDatum(finding->wasted_ms);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

Datum
perfopt_diagnose_1_0(PG_FUNCTION_ARGS)
{
	char	   *input = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Datum		json = DirectFunctionCall1(jsonb_in, CStringGetDatum(input));
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, pfo_diagnose(DatumGetJsonbP(json)))
		put_finding((ReturnSetInfo *) fcinfo->resultinfo, lfirst(lc));
	return (Datum) 0;
}
