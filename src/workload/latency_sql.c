/*-------------------------------------------------------------------------
 *
 * latency_sql.c
 *	  perfopt_latency and perfopt_percentile in SQL.
 *
 * No logic lives here: a function checks its arguments and the caller's
 * rights, calls latency.c, and forms rows of what that says.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/dbcommands.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/guc.h"
#include "base/sql.h"
#include "workload/latency.h"

#define ROW_KB	1				/* of a window, at most */

/* PostgreSQL 15 declares them without marking them for export */
extern PGDLLEXPORT Datum perfopt_latency_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_percentile_1_0(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(perfopt_latency_1_0);
PG_FUNCTION_INFO_V1(perfopt_percentile_1_0);

/* by PfoScopeKind */
static const char *const kind_names[PFO_NSCOPE_KINDS] = {
	"server", "database", "role", "application"
};

/* Names of applications are shown as in pg_stat_activity: not to everyone. */
static bool
may_read(PfoScopeKind kind)
{
	return kind != PFO_SCOPE_APPLICATION || pfo_reads_all_stats();
}

static Interval *
period_of(int window)
{
	Interval   *period = palloc0(sizeof(Interval));

	period->time = pfo_windows[window].period;
	return period;
}

static double
percentile_ms(const PfoLatency *latency, double p)
{
	return pfo_latency_percentile(&latency->sums, latency->buckets, p) / 1e6;
}

static void
put_latency(const PfoLatency *latency, void *arg)
{
	const PfoScope *scope = &latency->scope;
	const PfoLatencySums *sums = &latency->sums;
	Datum		values[12];
	bool		nulls[12] = {0};
	bool		none = sums->timed == 0;
	int			n = 0;

	if (!may_read(scope->kind))
		return;
	values[n++] = CStringGetTextDatum(kind_names[scope->kind]);
	nulls[n] = !OidIsValid(scope->oid);
	values[n++] = ObjectIdGetDatum(scope->oid);
	values[n++] = CStringGetTextDatum(scope->other ? PFO_SCOPE_OTHER :
									  scope->name);
	values[n++] = IntervalPGetDatum(period_of(latency->window));
	values[n++] = Int64GetDatum((int64) sums->calls);
	values[n++] = Int64GetDatum((int64) sums->errors);
	for (int i = n; i < n + 5; i++)
		nulls[i] = none;
	values[n++] = Float8GetDatum(sums->total_ns / 1e6 / Max(sums->timed, 1));
	values[n++] = Float8GetDatum(percentile_ms(latency, 0.5));
	values[n++] = Float8GetDatum(percentile_ms(latency, 0.95));
	values[n++] = Float8GetDatum(percentile_ms(latency, 0.99));
	values[n++] = Float8GetDatum(sums->max_ns / 1e6);
	values[n++] = TimestampTzGetDatum(latency->since);
	pfo_put_row(arg, values, nulls);
}

Datum
perfopt_latency_1_0(PG_FUNCTION_ARGS)
{
	pfo_latency_foreach(put_latency,
						pfo_begin_many_rows(fcinfo, pfo_max_latency_scopes *
											PFO_NWINDOWS * ROW_KB));
	return (Datum) 0;
}

static PfoScopeKind
check_kind(const char *kind)
{
	for (int i = 0; i < PFO_NSCOPE_KINDS; i++)
	{
		if (strcmp(kind, kind_names[i]) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("scope \"%s\" is not known", kind),
			 errdetail("Scopes are server, database, role and application."),
			 errhint("Run: SELECT perfopt_percentile('database', current_database(), 0.95);")));
}

static int
check_period(Interval *period)
{
	for (int i = 0; i < PFO_NWINDOWS; i++)
	{
		if (DatumGetBool(DirectFunctionCall2(interval_eq,
											 IntervalPGetDatum(period),
											 IntervalPGetDatum(period_of(i)))))
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no window of that period"),
			 errdetail("Periods are 1 minute, 5 minutes, 1 hour and 24 hours."),
			 errhint("Run: SELECT perfopt_percentile('server', '', 0.95, '1 hour');")));
}

/* Who asks for "95" means 0.95. */
static void
check_share(double p, const char *kind, const char *name)
{
	double		meant = p > 1 && p < 100 ? p / 100 : 0.95;

	if (p > 0 && p < 1)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%g is not a share that has a percentile", p),
			 errdetail("The share must be greater than 0 and less than 1."),
			 errhint("Run: SELECT perfopt_percentile(%s, %s, %g); the longest time is in perfopt_latency.max_ms.",
					 quote_literal_cstr(kind), quote_literal_cstr(name),
					 meant)));
}

static void
check_right(PfoScopeKind kind)
{
	char	   *role;

	if (may_read(kind))
		return;
	role = GetUserNameFromId(GetUserId(), false);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to read latencies of applications"),
			 errdetail("It takes the privileges of the role pg_read_all_stats."),
			 errhint("Ask an administrator to run: GRANT pg_read_all_stats TO %s;",
					 quote_identifier(role))));
}

/* False if there is nothing of that name. */
static bool
find_scope(PfoScopeKind kind, const char *name, PfoScope *scope)
{
	memset(scope, 0, sizeof(*scope));
	scope->kind = kind;
	switch (kind)
	{
		case PFO_SCOPE_SERVER:
			return name[0] == '\0';
		case PFO_SCOPE_DATABASE:
			scope->oid = get_database_oid(name, true);
			break;
		case PFO_SCOPE_ROLE:
			scope->oid = get_role_oid(name, true);
			break;
		case PFO_SCOPE_APPLICATION:
			strlcpy(scope->name, name, NAMEDATALEN);
			return true;
	}
	scope->other = !OidIsValid(scope->oid) &&
		strcmp(name, PFO_SCOPE_OTHER) == 0;
	return OidIsValid(scope->oid) || scope->other;
}

Datum
perfopt_percentile_1_0(PG_FUNCTION_ARGS)
{
	char	   *kind_name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	double		p = PG_GETARG_FLOAT8(2);
	PfoScopeKind kind;
	int			window;
	PfoScope	scope;
	PfoLatency *latency = palloc(sizeof(PfoLatency));

	pfo_require_preloading();
	kind = check_kind(kind_name);
	check_share(p, kind_name, name);
	window = check_period(PG_GETARG_INTERVAL_P(3));
	check_right(kind);
	if (!find_scope(kind, name, &scope) ||
		!pfo_latency_read(&scope, window, latency) ||
		latency->sums.timed == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(percentile_ms(latency, p));
}
