/*-------------------------------------------------------------------------
 *
 * guc.c
 *	  Definition of the settings perfopt.*, with their checks.
 *
 * Nothing but settings lives here; what a setting does is said where it is
 * read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/parallel.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "base/breakage.h"
#include "base/guc.h"
#include "base/marks.h"

/*
 * How SELECTs are answered.  An administrator switches serving on with
 * ALTER DATABASE ... SET perfopt.cache = auto, or for a role; anyone may
 * choose for his own session, but force, which asks no question at all, is
 * for superusers.
 */
int			pfo_cache_mode = PFO_CACHE_OBSERVE;

/*
 * All the shared memory of the cache: entries, version slots, statistics.
 * Reserved at server start.
 */
int			pfo_cache_size = PFO_CACHE_SIZE_DEFAULT;

/* A result larger than this is not kept; capturing it stops there. */
int			pfo_cache_max_result = PFO_MAX_RESULT_DEFAULT;

/*
 * In mode auto, statements that take less than this, planning included, are
 * not kept: reading them from the cache would save too little.
 */
double		pfo_cache_min_time = PFO_MIN_TIME_DEFAULT;

/* In mode auto, how often the same key must be seen before it is kept. */
int			pfo_cache_min_calls = PFO_MIN_CALLS_DEFAULT;

/*
 * The share of hits that are executed nevertheless, in the same snapshot,
 * and compared.  1 proves each answer and saves nothing.
 */
double		pfo_cache_verify = 0.0;

/* Keep answers as the messages of the protocol, beside their tuples. */
bool		pfo_cache_wire = true;

/*
 * Which executions are counted in perfopt_statements and perfopt_latency.
 * Who is watched does not decide that.
 */
int			pfo_track = PFO_TRACK_ALL;

/* Whether statements other than SELECT, INSERT, UPDATE, DELETE and MERGE are. */
bool		pfo_track_utility = true;

/* How many different statements are counted apart.  Reserved at start. */
int			pfo_max_statements = PFO_MAX_STATEMENTS_DEFAULT;

/*
 * How many databases, roles and applications have latencies of their own, all
 * told.  Reserved at start.
 */
int			pfo_max_latency_scopes = PFO_MAX_LATENCY_SCOPES_DEFAULT;

/*
 * Executions that take so long, planning included, are kept with their plan in
 * perfopt_slow_queries.  0 keeps all, -1 none.  An administrator can choose
 * for a role or a database.
 */
int			pfo_slow_query_time = PFO_SLOW_TIME_DEFAULT;

/* Whether the values of their parameters and constants are kept. */
int			pfo_slow_query_parameters = PFO_PARAMETERS_OFF;

/* Whether the server's log has a line for each of them, ten per second. */
bool		pfo_log_slow_queries = false;

/* How many of them are kept.  Reserved at start. */
int			pfo_slow_queries = PFO_SLOW_QUERIES_DEFAULT;

/* Whether EXPLAIN shows what the cache does. */
bool		pfo_explain = true;

/*
 * For tests: an execution that fills the cache is answered from the entry
 * that it just stored.
 */
bool		pfo_debug_reserve = false;

static const struct config_enum_entry cache_modes[] = {
	{"off", PFO_CACHE_OFF, false},
	{"observe", PFO_CACHE_OBSERVE, false},
	{"manual", PFO_CACHE_MANUAL, false},
	{"auto", PFO_CACHE_AUTO, false},
	{"force", PFO_CACHE_FORCE, false},
	{NULL, 0, false}
};

static const struct config_enum_entry tracks[] = {
	{"none", PFO_TRACK_NONE, false},
	{"top", PFO_TRACK_TOP, false},
	{"all", PFO_TRACK_ALL, false},
	{NULL, 0, false}
};

static const struct config_enum_entry parameters[] = {
	{"off", PFO_PARAMETERS_OFF, false},
	{"redacted", PFO_PARAMETERS_REDACTED, false},
	{"on", PFO_PARAMETERS_ON, false},
	{NULL, 0, false}
};

#ifdef PFO_TEST_BREAKAGE
int			pfo_breakage = PFO_BREAK_NONE;
int			pfo_fail_after = 0;

static const struct config_enum_entry breakages[] = {
	{"none", PFO_BREAK_NONE, false},
	{"announce", PFO_BREAK_ANNOUNCE, false},
	{"announce_late", PFO_BREAK_ANNOUNCE_LATE, false},
	{"settled", PFO_BREAK_SETTLED, false},
	{"version", PFO_BREAK_VERSION, false},
	{"own_writes", PFO_BREAK_OWN_WRITES, false},
	{"first_xid", PFO_BREAK_FIRST_XID, false},
	{"definitions", PFO_BREAK_DEFINITIONS, false},
	{"tracking", PFO_BREAK_TRACKING, false},
	{NULL, 0, false}
};
#endif

/*
 * The role is looked at only where somebody asks for himself or for a role
 * or database; settings files are the administrator's.
 */
static bool
check_cache_mode(int *newval, void **extra, GucSource source)
{
	if (*newval != PFO_CACHE_FORCE)
		return true;
	if (source != PGC_S_TEST && source != PGC_S_CLIENT &&
		source != PGC_S_SESSION)
		return true;
	if (!IsUnderPostmaster || InitializingParallelWorker || superuser())
		return true;

	GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	GUC_check_errmsg("permission denied to set parameter \"perfopt.cache\" to \"force\"");
	GUC_check_errdetail("This mode is for tests, and for superusers.");
	GUC_check_errhint("Use SET perfopt.cache = 'auto'.");
	return false;
}

/*
 * Plans made while nothing was served do not contain our node; if they were
 * kept, a pooled session's prepared statements would never be served.
 */
static void
assign_cache_mode(int newval, void *extra)
{
	if (IsUnderPostmaster && !InitializingParallelWorker &&
		pfo_mode_serves(newval) && !pfo_mode_serves(pfo_cache_mode))
		pfo_make_anew(PFO_MARK_UNSERVED);
}

void
pfo_guc_init(void)
{
	DefineCustomEnumVariable("perfopt.cache",
							 "How SELECTs are answered from the result cache.",
							 "off, observe (count and predict only), manual (asked for by comment), auto, force (superusers).",
							 &pfo_cache_mode, PFO_CACHE_OBSERVE, cache_modes,
							 PGC_USERSET, 0,
							 check_cache_mode, assign_cache_mode, NULL);
	DefineCustomIntVariable("perfopt.cache_size",
							"Shared memory of the result cache.",
							NULL,
							&pfo_cache_size, PFO_CACHE_SIZE_DEFAULT,
							PFO_CACHE_SIZE_MIN, PFO_CACHE_SIZE_MAX,
							PGC_POSTMASTER, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("perfopt.cache_max_result",
							"Results larger than this are not cached.",
							NULL,
							&pfo_cache_max_result, PFO_MAX_RESULT_DEFAULT,
							PFO_MAX_RESULT_MIN, PFO_MAX_RESULT_MAX,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomRealVariable("perfopt.cache_min_time",
							 "Statements that take less time, planning included, are not cached in mode auto.",
							 NULL,
							 &pfo_cache_min_time, PFO_MIN_TIME_DEFAULT,
							 0.0, PFO_MIN_TIME_MAX,
							 PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("perfopt.cache_min_calls",
							"How often the same statement must be seen before it is cached in mode auto.",
							NULL,
							&pfo_cache_min_calls, PFO_MIN_CALLS_DEFAULT,
							1, PFO_MIN_CALLS_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("perfopt.cache_verify",
							 "Share of hits that are executed as well and compared.",
							 "0 trusts the cache, 1 verifies each answer.",
							 &pfo_cache_verify, 0.0, 0.0, 1.0,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("perfopt.cache_wire",
							 "Keeps answers also as the bytes that clients are sent.",
							 "Off saves their memory, and each hit makes them anew.",
							 &pfo_cache_wire, true,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("perfopt.track",
							 "Which executions are measured.",
							 "none, top (what clients send), all (what functions execute, too).",
							 &pfo_track, PFO_TRACK_ALL, tracks,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("perfopt.track_utility",
							 "Measures commands other than SELECT, INSERT, UPDATE, DELETE and MERGE, too.",
							 NULL,
							 &pfo_track_utility, true,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("perfopt.max_statements",
							"How many different statements are counted apart.",
							"Each takes some 3.5 kB of shared memory.",
							&pfo_max_statements, PFO_MAX_STATEMENTS_DEFAULT,
							PFO_MAX_STATEMENTS_MIN, PFO_MAX_STATEMENTS_MAX,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("perfopt.max_latency_scopes",
							"How many databases, roles and applications have latencies of their own.",
							"Each takes some 122 kB of shared memory; four are the server's and those of the rest.",
							&pfo_max_latency_scopes,
							PFO_MAX_LATENCY_SCOPES_DEFAULT,
							PFO_MAX_LATENCY_SCOPES_MIN,
							PFO_MAX_LATENCY_SCOPES_MAX,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("perfopt.slow_query_time",
							"Executions that take so long, planning included, are kept with their plan.",
							"0 keeps all, -1 none.",
							&pfo_slow_query_time, PFO_SLOW_TIME_DEFAULT,
							-1, INT_MAX,
							PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomEnumVariable("perfopt.slow_query_parameters",
							 "Keeps parameters and constants of slow executions.",
							 "off, redacted (types and lengths of parameters), on.",
							 &pfo_slow_query_parameters, PFO_PARAMETERS_OFF,
							 parameters,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("perfopt.log_slow_queries",
							 "Logs a line for each slow execution, ten per second at most.",
							 NULL,
							 &pfo_log_slow_queries, false,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("perfopt.slow_queries",
							"How many slow executions are kept.",
							"A quarter of them are the slowest of all. Each takes 16 kB of shared memory.",
							&pfo_slow_queries, PFO_SLOW_QUERIES_DEFAULT,
							0, PFO_SLOW_QUERIES_MAX,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("perfopt.explain",
							 "Lets EXPLAIN show what the cache does.",
							 NULL,
							 &pfo_explain, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("perfopt.debug_reserve",
							 "For tests: answers an execution from the entry it just stored.",
							 NULL,
							 &pfo_debug_reserve, false,
							 PGC_SUSET, GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
#ifdef PFO_TEST_BREAKAGE
	DefineCustomEnumVariable("perfopt.debug_break",
							 "For tests: leaves out one rule of the validity protocol.",
							 NULL,
							 &pfo_breakage, PFO_BREAK_NONE, breakages,
							 PGC_SUSET, GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
	DefineCustomIntVariable("perfopt.debug_fail",
							"For tests: the place from now at which perfopt fails.",
							"Counts down at each beginning and end of what is contained; 0 fails nowhere.",
							&pfo_fail_after, 0, 0, INT_MAX,
							PGC_SUSET, GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
#endif
	MarkGUCPrefixReserved("perfopt");
}
