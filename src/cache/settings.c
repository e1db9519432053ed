/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  The settings that expressions, output or the planner can read, as one
 *	  hash: part of each key.
 *
 * Three kinds of settings belong here: those that expressions read while
 * they run, often behind an IMMUTABLE label (quote_ident, text of bytea or
 * float); those that turn values into text; and the planner's, so that
 * somebody who studies plans sees them run.  client_min_messages is among
 * them because a statement whose messages nobody asked for must not be
 * served to somebody who wants them; settings that turn an error into a
 * warning, for a like reason.
 *
 * What is not here is listed, with the reason, in the regression test
 * "settings", which compares both lists with pg_settings: a setting of a new
 * major version that nobody looked at makes it fail.
 *
 * search_path matters only where names are looked up at run time.  Functions
 * that do so are not cached; what default_text_search_config leads to, fold.c
 * sees to.
 *
 * This runs for each statement, so it reads the C variables themselves and
 * hashes them only when one differs from the last time; no catalog is read
 * here.  Variables that not every major version has are declared weak: their
 * address is null where they are missing.  Copies of strings live in
 * TopMemoryContext.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/gin.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "jit/jit.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "optimizer/geqo.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "pgtime.h"
#include "postmaster/bgworker.h"
#include "storage/bufmgr.h"
#include "tsearch/ts_cache.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/memutils.h"
/* for the names of locales; ICU and its headers have no part in it */
#undef USE_ICU
#include "utils/pg_locale.h"
#include "utils/xml.h"

#include "base/compat.h"
#include "cache/settings.h"

/*
 * The list, sorted by name as pg_settings sorts: INT for integers, enums and
 * booleans, REAL for floats, WEAK for what not every version has, NAME for
 * what is dealt with apart.  RUN are those that matter for how a statement is
 * planned and run, but not for the value of an expression; so are all of REAL.
 */
#define PFO_SETTINGS(INT, WEAKINT, RUNINT, RUNWEAKINT, RUNWEAKBOOL, REAL, NAME) \
	INT("array_nulls", Array_nulls) \
	INT("bytea_output", bytea_output) \
	RUNINT("client_min_messages", client_min_messages) \
	WEAKINT("composite_type_mismatch", composite_type_mismatch) \
	RUNINT("constraint_exclusion", constraint_exclusion) \
	REAL("cpu_index_tuple_cost", cpu_index_tuple_cost) \
	REAL("cpu_operator_cost", cpu_operator_cost) \
	REAL("cpu_tuple_cost", cpu_tuple_cost) \
	REAL("cursor_tuple_fraction", cursor_tuple_fraction) \
	NAME("DateStyle") \
	RUNWEAKINT("debug_parallel_query", debug_parallel_query) \
	NAME("default_text_search_config") \
	RUNINT("effective_cache_size", effective_cache_size) \
	RUNINT("enable_async_append", enable_async_append) \
	RUNINT("enable_bitmapscan", enable_bitmapscan) \
	RUNWEAKBOOL("enable_distinct_reordering", enable_distinct_reordering) \
	RUNWEAKBOOL("enable_eager_aggregate", enable_eager_aggregate) \
	RUNINT("enable_gathermerge", enable_gathermerge) \
	RUNWEAKBOOL("enable_group_by_reordering", enable_group_by_reordering) \
	RUNINT("enable_hashagg", enable_hashagg) \
	RUNINT("enable_hashjoin", enable_hashjoin) \
	RUNINT("enable_incremental_sort", enable_incremental_sort) \
	RUNINT("enable_indexonlyscan", enable_indexonlyscan) \
	RUNINT("enable_indexscan", enable_indexscan) \
	RUNINT("enable_material", enable_material) \
	RUNINT("enable_memoize", enable_memoize) \
	RUNINT("enable_mergejoin", enable_mergejoin) \
	RUNINT("enable_nestloop", enable_nestloop) \
	RUNINT("enable_parallel_append", enable_parallel_append) \
	RUNINT("enable_parallel_hash", enable_parallel_hash) \
	RUNINT("enable_partition_pruning", enable_partition_pruning) \
	RUNINT("enable_partitionwise_aggregate", enable_partitionwise_aggregate) \
	RUNINT("enable_partitionwise_join", enable_partitionwise_join) \
	RUNWEAKBOOL("enable_presorted_aggregate", enable_presorted_aggregate) \
	RUNWEAKBOOL("enable_self_join_elimination", enable_self_join_elimination) \
	RUNINT("enable_seqscan", enable_seqscan) \
	RUNINT("enable_sort", enable_sort) \
	RUNINT("enable_tidscan", enable_tidscan) \
	INT("extra_float_digits", extra_float_digits) \
	RUNWEAKINT("force_parallel_mode", force_parallel_mode) \
	RUNINT("from_collapse_limit", from_collapse_limit) \
	RUNINT("geqo", enable_geqo) \
	RUNINT("geqo_effort", Geqo_effort) \
	RUNINT("geqo_generations", Geqo_generations) \
	RUNINT("geqo_pool_size", Geqo_pool_size) \
	REAL("geqo_seed", Geqo_seed) \
	REAL("geqo_selection_bias", Geqo_selection_bias) \
	RUNINT("geqo_threshold", geqo_threshold) \
	NAME("gin_fuzzy_search_limit") \
	REAL("hash_mem_multiplier", hash_mem_multiplier) \
	RUNWEAKBOOL("ignore_checksum_failure", ignore_checksum_failure) \
	RUNINT("ignore_system_indexes", IgnoreSystemIndexes) \
	INT("IntervalStyle", IntervalStyle) \
	RUNINT("jit", jit_enabled) \
	REAL("jit_above_cost", jit_above_cost) \
	RUNINT("jit_expressions", jit_expressions) \
	REAL("jit_inline_above_cost", jit_inline_above_cost) \
	REAL("jit_optimize_above_cost", jit_optimize_above_cost) \
	RUNINT("jit_tuple_deforming", jit_tuple_deforming) \
	RUNINT("join_collapse_limit", join_collapse_limit) \
	NAME("lc_monetary") \
	NAME("lc_numeric") \
	NAME("lc_time") \
	RUNINT("max_parallel_workers", max_parallel_workers) \
	RUNINT("max_parallel_workers_per_gather", max_parallel_workers_per_gather) \
	RUNINT("min_parallel_index_scan_size", min_parallel_index_scan_size) \
	RUNINT("min_parallel_table_scan_size", min_parallel_table_scan_size) \
	RUNINT("parallel_leader_participation", parallel_leader_participation) \
	REAL("parallel_setup_cost", parallel_setup_cost) \
	REAL("parallel_tuple_cost", parallel_tuple_cost) \
	INT("quote_all_identifiers", quote_all_identifiers) \
	REAL("random_page_cost", random_page_cost) \
	REAL("recursive_worktable_factor", recursive_worktable_factor) \
	REAL("seq_page_cost", seq_page_cost) \
	RUNINT("synchronize_seqscans", synchronize_seqscans) \
	NAME("TimeZone") \
	NAME("timezone_abbreviations") \
	RUNINT("work_mem", work_mem) \
	INT("xmlbinary", xmlbinary) \
	INT("xmloption", xmloption) \
	RUNINT("zero_damaged_pages", zero_damaged_pages)

/* ways to expand a line of the list */
#define PFO_NO_VAR(name, var)
#define PFO_NO_NAME(name)
#define PFO_NAME_VAR(name, var)		name,
#define PFO_NAME_ALONE(name)		name,
#define PFO_COUNT_VAR(name, var)	+ 1
#define PFO_DECLARE_INT(name, var) \
	extern PGDLLIMPORT int var __attribute__((weak));
#define PFO_DECLARE_BOOL(name, var) \
	extern PGDLLIMPORT bool var __attribute__((weak));
#define PFO_READ(name, var)			numbers->values[v++] = (int32) var;
#define PFO_READ_WEAK(name, var)	numbers->values[v++] = &var ? (int32) var : -1;
#define PFO_READ_RUN(name, var)		numbers->runs[i++] = (int32) var;
#define PFO_READ_RUNWEAK(name, var) numbers->runs[i++] = &var ? (int32) var : -1;
#define PFO_READ_REAL(name, var)	numbers->reals[r++] = var;
#define PFO_SEE(name, var)			changed |= numbers->values[v++] ^ (int32) var;
#define PFO_SEE_WEAK(name, var) \
	changed |= numbers->values[v++] ^ (&var ? (int32) var : -1);
#define PFO_SEE_RUN(name, var)		changed |= numbers->runs[i++] ^ (int32) var;
#define PFO_SEE_RUNWEAK(name, var) \
	changed |= numbers->runs[i++] ^ (&var ? (int32) var : -1);
#define PFO_SEE_REAL(name, var)		changed |= numbers->reals[r++] != var;

PFO_SETTINGS(PFO_NO_VAR, PFO_DECLARE_INT, PFO_NO_VAR, PFO_DECLARE_INT,
			 PFO_DECLARE_BOOL, PFO_NO_VAR, PFO_NO_NAME)

/* and two for DateStyle */
#define PFO_NVALUES \
	(2 PFO_SETTINGS(PFO_COUNT_VAR, PFO_COUNT_VAR, PFO_NO_VAR, PFO_NO_VAR, \
					PFO_NO_VAR, PFO_NO_VAR, PFO_NO_NAME))
#define PFO_NRUNS \
	(0 PFO_SETTINGS(PFO_NO_VAR, PFO_NO_VAR, PFO_COUNT_VAR, PFO_COUNT_VAR, \
					PFO_COUNT_VAR, PFO_NO_VAR, PFO_NO_NAME))
#define PFO_NREALS \
	(0 PFO_SETTINGS(PFO_NO_VAR, PFO_NO_VAR, PFO_NO_VAR, PFO_NO_VAR, \
					PFO_NO_VAR, PFO_COUNT_VAR, PFO_NO_NAME))

typedef struct PfoNumbers
{
	double		reals[PFO_NREALS];
	int32		runs[PFO_NRUNS];
	int32		values[PFO_NVALUES];
} PfoNumbers;

typedef enum PfoSettingString
{
	PFO_STRING_LC_MONETARY,
	PFO_STRING_LC_NUMERIC,
	PFO_STRING_LC_TIME,
	PFO_STRING_TEXT_SEARCH,
	PFO_STRING_ABBREVIATIONS,
	PFO_NSTRINGS
} PfoSettingString;

/* what the last hash was made of */
static struct
{
	bool		valid;
	PfoNumbers	numbers;
	pg_tz	   *zone;			/* one per name and process, never freed */
	char	   *strings[PFO_NSTRINGS];
	PfoHash		values;			/* of what the value of an expression reads */
	PfoHash		hash;			/* of all */
}			last;

static const char *const setting_names[] = {
	PFO_SETTINGS(PFO_NAME_VAR, PFO_NAME_VAR, PFO_NAME_VAR, PFO_NAME_VAR,
				 PFO_NAME_VAR, PFO_NAME_VAR, PFO_NAME_ALONE)
	NULL
};

/* timezone_abbreviations has no C variable that others can see. */
static char **
pfo_abbreviations_variable(void)
{
	static char **variable = NULL;

	if (variable == NULL)
	{
		int			nvars;
		struct config_generic **vars = PFO_GUC_VARIABLES(&nvars);

		for (int i = 0; i < nvars; i++)
		{
			if (strcmp(vars[i]->name, "timezone_abbreviations") == 0)
			{
				variable = PFO_GUC_STRING_VARIABLE(vars[i]);
				break;
			}
		}
		if (variable == NULL)
			elog(ERROR, "setting \"timezone_abbreviations\" not found");
	}
	return variable;
}

static void
pfo_read_numbers(PfoNumbers *numbers)
{
	int			v = 0;
	int			i = 0;
	int			r = 0;

	PFO_SETTINGS(PFO_READ, PFO_READ_WEAK, PFO_READ_RUN, PFO_READ_RUNWEAK,
				 PFO_READ_RUNWEAK, PFO_READ_REAL, PFO_NO_NAME)
	numbers->values[v++] = DateStyle;
	numbers->values[v++] = DateOrder;
	Assert(v == PFO_NVALUES && i == PFO_NRUNS && r == PFO_NREALS);
}

/* Are they what they were? */
static bool
pfo_same_numbers(const PfoNumbers *numbers)
{
	int32		changed = 0;
	int			v = 0;
	int			i = 0;
	int			r = 0;

	PFO_SETTINGS(PFO_SEE, PFO_SEE_WEAK, PFO_SEE_RUN, PFO_SEE_RUNWEAK,
				 PFO_SEE_RUNWEAK, PFO_SEE_REAL, PFO_NO_NAME)
	changed |= numbers->values[v++] ^ DateStyle;
	changed |= numbers->values[v++] ^ DateOrder;
	return changed == 0;
}

/* Most of these are short; a call of strcmp() each would be half the cost. */
static inline bool
pfo_same_string(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	while (*a == *b)
	{
		if (*a == '\0')
			return true;
		a++;
		b++;
	}
	return false;
}

static void
pfo_remember_string(int which, const char *value)
{
	if (last.strings[which] != NULL)
		pfree(last.strings[which]);
	last.strings[which] = NULL;
	if (value != NULL)
		last.strings[which] = MemoryContextStrdup(TopMemoryContext, value);
}

static void
pfo_hash_last(void)
{
	PfoHasher	hasher;
	const char *zone = pg_get_timezone_name(last.zone);

	pfo_hasher_init(&hasher);
	pfo_hasher_add(&hasher, last.numbers.values, sizeof(last.numbers.values));
	pfo_hasher_add(&hasher, zone, strlen(zone) + 1);
	for (int i = 0; i < PFO_NSTRINGS; i++)
	{
		const char *value = last.strings[i];

		pfo_hasher_add(&hasher, value ? "+" : "-", 1);
		if (value != NULL)
			pfo_hasher_add(&hasher, value, strlen(value) + 1);
	}
	last.values = pfo_hasher_final(&hasher);

	pfo_hasher_init(&hasher);
	pfo_hasher_add(&hasher, &last.values, sizeof(last.values));
	pfo_hasher_add(&hasher, last.numbers.runs, sizeof(last.numbers.runs));
	pfo_hasher_add(&hasher, last.numbers.reals, sizeof(last.numbers.reals));
	last.hash = pfo_hasher_final(&hasher);
}

bool
pfo_settings_hash(PfoHash *hash, PfoHash *values)
{
	const char *strings[PFO_NSTRINGS];
	bool		same;

	if (GinFuzzySearchLimit != 0)
		return false;

	strings[PFO_STRING_LC_MONETARY] = locale_monetary;
	strings[PFO_STRING_LC_NUMERIC] = locale_numeric;
	strings[PFO_STRING_LC_TIME] = locale_time;
	strings[PFO_STRING_TEXT_SEARCH] = TSCurrentConfig;
	strings[PFO_STRING_ABBREVIATIONS] = *pfo_abbreviations_variable();

	same = last.valid && pfo_same_numbers(&last.numbers) &&
		session_timezone == last.zone;
	for (int i = 0; same && i < PFO_NSTRINGS; i++)
		same = pfo_same_string(strings[i], last.strings[i]);

	if (!same)
	{
		/* an error halfway leaves nothing that could be taken for valid */
		last.valid = false;
		pfo_read_numbers(&last.numbers);
		last.zone = session_timezone;
		for (int i = 0; i < PFO_NSTRINGS; i++)
			pfo_remember_string(i, strings[i]);
		pfo_hash_last();
		last.valid = true;
	}

	*hash = last.hash;
	*values = last.values;
	return true;
}

const char *const *
pfo_settings_names(void)
{
	return setting_names;
}
