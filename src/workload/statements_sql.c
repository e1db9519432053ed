/*-------------------------------------------------------------------------
 *
 * statements_sql.c
 *	  The functions in SQL over statements.
 *
 * No logic lives here: a function checks its arguments and the caller's
 * rights, calls a module, and forms rows of what that says.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/guc.h"
#include "base/normalize.h"
#include "base/sql.h"
#include "workload/statements.h"

extern PGDLLEXPORT Datum perfopt_statements_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_statements_lost_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_statement_sources_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_collecting_since_1_0(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum perfopt_histogram_1_0(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(perfopt_statements_1_0);
PG_FUNCTION_INFO_V1(perfopt_statements_lost_1_0);
PG_FUNCTION_INFO_V1(perfopt_statement_sources_1_0);
PG_FUNCTION_INFO_V1(perfopt_collecting_since_1_0);
PG_FUNCTION_INFO_V1(perfopt_histogram_1_0);

#define ROW_KB		8			/* of a statement, at most */

/* Total, least, most, mean and standard deviation; NULL of nothing. */
static void
add_times(PfoRow *row, const PfoTimes *times)
{
	bool		none = times->n == 0;
	double		n = Max(times->n, 1);

	pfo_add_ms(row, times->total_ns);
	pfo_add_value(row, Float8GetDatum(times->min_ns / 1e6), none);
	pfo_add_value(row, Float8GetDatum(times->max_ns / 1e6), none);
	pfo_add_value(row, Float8GetDatum(times->total_ns / 1e6 / n), none);
	pfo_add_value(row, Float8GetDatum(sqrt(times->m2 / n)), none);
}

static void
add_percentiles(PfoRow *row, const PfoStatement *statement)
{
	static const double shares[] = {0.5, 0.95, 0.99};

	for (int i = 0; i < lengthof(shares); i++)
	{
		double		ns = pfo_histogram_percentile(statement->histogram,
												  PFO_STATEMENT_BITS,
												  shares[i]);

		pfo_add_value(row, Float8GetDatum(ns / 1e6), ns == 0);
	}
}

static void
add_cache(PfoRow *row, const PfoStatementCounts *counts)
{
	pfo_add_count(row, counts->hits);
	pfo_add_count(row, counts->misses);
	pfo_add_count(row, counts->stored);
	pfo_add_count(row, counts->bypassed);
	pfo_add_text(row, counts->reason_votes > 0 ?
				 pfo_reason_name(counts->reason) : NULL);
	pfo_add_value(row, Float8GetDatum(counts->saved_us / 1000.0), false);
}

static void
put_statement(const PfoStatement *statement, void *arg)
{
	const PfoStatementKey *key = &statement->key;
	const PfoStatementCounts *counts = &statement->counts;
	bool		rest = !OidIsValid(key->dbid);
	bool		may_read = pfo_reads_all_stats() ||
		(!rest && has_privs_of_role(GetUserId(), key->userid));
	PfoRow		row = {.n = 0};

	pfo_add_value(&row, ObjectIdGetDatum(key->dbid), rest);
	pfo_add_value(&row, ObjectIdGetDatum(key->userid), rest);
	pfo_add_value(&row, Int64GetDatum((int64) key->queryid),
				  rest || !may_read || key->queryid == 0);
	pfo_add_value(&row, BoolGetDatum(key->top != 0), rest);
	pfo_add_text(&row, rest ? "(other)" : !may_read ?
				 PFO_INSUFFICIENT_PRIVILEGE :
				 pfo_text_here(statement->text, statement->encoding));

	pfo_add_count(&row, counts->calls);
	pfo_add_count(&row, counts->errors);
	pfo_add_count(&row, counts->rows);
	add_times(&row, &counts->exec);
	pfo_add_count(&row, counts->plan.n);
	add_times(&row, &counts->plan);
	add_percentiles(&row, statement);
	for (int i = 0; i < PFO_NBLOCKS; i++)
		pfo_add_count(&row, counts->blocks[i]);
	for (int i = 0; i < PFO_NBLOCK_TIMES; i++)
		pfo_add_ms(&row, counts->block_ns[i]);
	pfo_add_count(&row, counts->wal_records);
	pfo_add_count(&row, counts->wal_fpi);
	pfo_add_count(&row, counts->wal_bytes);
	pfo_add_count(&row, counts->jit_functions);
	pfo_add_ms(&row, counts->jit_ns);
	pfo_add_count(&row, counts->workers_planned);
	pfo_add_count(&row, counts->workers_launched);
	add_cache(&row, counts);
	pfo_add_value(&row, TimestampTzGetDatum(statement->since), false);
	pfo_add_value(&row, TimestampTzGetDatum(counts->last_seen), false);
	pfo_add_text(&row, may_read ?
				 pfo_text_here(statement->application, statement->encoding) :
				 NULL);
	pfo_put_row(arg, row.values, row.nulls);
}

Datum
perfopt_statements_1_0(PG_FUNCTION_ARGS)
{
	pfo_require_preloading();
	pfo_statements_foreach(put_statement,
						   pfo_begin_many_rows(fcinfo,
											   (pfo_max_statements + 1) *
											   ROW_KB));
	return (Datum) 0;
}

/* What a comment held, decoded, need not be text of any encoding. */
static char *
as_text(const char *tags, int encoding)
{
	char	   *text = pstrdup(tags);

	if (pg_encoding_verifymbstr(encoding, text, strlen(text)) !=
		(int) strlen(text))
	{
		for (char *c = text; *c != '\0'; c++)
		{
			if (IS_HIGHBIT_SET(*c))
				*c = '?';
		}
	}
	return pfo_text_here(text, encoding);
}

static void
put_sources(const PfoStatement *statement, void *arg)
{
	const PfoStatementKey *key = &statement->key;
	int			encoding = statement->encoding;

	/* they tell of others' code */
	if (!pfo_reads_all_stats() &&
		!has_privs_of_role(GetUserId(), key->userid))
		return;
	for (int i = 0; i < PFO_MAX_SOURCES; i++)
	{
		const PfoSource *source = &statement->sources[i];
		PfoRow		row = {.n = 0};

		if (source->calls == 0)
			continue;
		pfo_add_value(&row, ObjectIdGetDatum(key->dbid), false);
		pfo_add_value(&row, ObjectIdGetDatum(key->userid), false);
		pfo_add_value(&row, Int64GetDatum((int64) key->queryid),
					  key->queryid == 0);
		pfo_add_value(&row, BoolGetDatum(key->top != 0), false);
		pfo_add_text(&row, pfo_text_here(statement->text, encoding));
		pfo_add_text(&row, pfo_text_here(source->application, encoding));
		pfo_add_text(&row, as_text(source->tags, encoding));
		pfo_add_count(&row, source->calls);
		pfo_add_count(&row, source->excess);
		pfo_add_ms(&row, source->ns);
		pfo_add_text(&row, as_text(source->trace, encoding));
		pfo_put_row(arg, row.values, row.nulls);
	}
}

Datum
perfopt_statement_sources_1_0(PG_FUNCTION_ARGS)
{
	pfo_require_preloading();
	pfo_statements_foreach(put_sources,
						   pfo_begin_many_rows(fcinfo,
											   (pfo_max_statements + 1) *
											   ROW_KB));
	return (Datum) 0;
}

Datum
perfopt_statements_lost_1_0(PG_FUNCTION_ARGS)
{
	pfo_require_preloading();
	PG_RETURN_INT64((int64) pfo_statements_lost());
}

Datum
perfopt_collecting_since_1_0(PG_FUNCTION_ARGS)
{
	pfo_require_preloading();
	PG_RETURN_TIMESTAMPTZ(pfo_statements_since());
}

/* A histogram that is summed up, as pfo_statements_foreach() is told. */
typedef struct Sum
{
	uint64		queryid;
	uint64		counts[PFO_STATEMENT_BUCKETS];
} Sum;

static void
add_histogram(const PfoStatement *statement, void *arg)
{
	Sum		   *sum = arg;

	if (statement->key.queryid != sum->queryid ||
		!OidIsValid(statement->key.dbid))
		return;
	if (!pfo_reads_all_stats() &&
		!has_privs_of_role(GetUserId(), statement->key.userid))
		return;
	for (int i = 0; i < PFO_STATEMENT_BUCKETS; i++)
		sum->counts[i] += statement->histogram[i];
}

Datum
perfopt_histogram_1_0(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = pfo_begin_rows(fcinfo);
	Sum		   *sum = palloc0(sizeof(Sum));

	sum->queryid = (uint64) PG_GETARG_INT64(0);
	pfo_statements_foreach(add_histogram, sum);
	for (int i = 0; i < PFO_STATEMENT_BUCKETS; i++)
	{
		Datum		values[3];
		bool		nulls[3] = {0};

		if (sum->counts[i] == 0)
			continue;
		values[0] = Float8GetDatum(pfo_histogram_low(i, PFO_STATEMENT_BITS) /
								   1e6);
		values[1] = Float8GetDatum(pfo_histogram_low(i + 1, PFO_STATEMENT_BITS) /
								   1e6);
		nulls[1] = i == PFO_STATEMENT_BUCKETS - 1;
		values[2] = Int64GetDatum((int64) sum->counts[i]);
		pfo_put_row(rsinfo, values, nulls);
	}
	return (Datum) 0;
}
