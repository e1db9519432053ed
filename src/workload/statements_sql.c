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

#define NCOLUMNS	57
#define ROW_KB		8			/* of a statement, at most */

typedef struct Row
{
	Datum		values[NCOLUMNS];
	bool		nulls[NCOLUMNS];
	int			n;
} Row;

static void
add_count(Row *row, uint64 count)
{
	row->values[row->n++] = Int64GetDatum((int64) count);
}

static void
add_ms(Row *row, double ns)
{
	row->values[row->n++] = Float8GetDatum(ns / 1e6);
}

static void
add_time(Row *row, TimestampTz time)
{
	row->values[row->n++] = TimestampTzGetDatum(time);
}

/* Total, least, most, mean and standard deviation; NULL of nothing. */
static void
add_times(Row *row, const PfoTimes *times)
{
	add_ms(row, times->total_ns);
	for (int i = 0; i < 4; i++)
		row->nulls[row->n + i] = times->n == 0;
	add_ms(row, times->min_ns);
	add_ms(row, times->max_ns);
	add_ms(row, times->n > 0 ? (double) times->total_ns / times->n : 0);
	row->values[row->n++] =
		Float8GetDatum(times->n > 0 ? sqrt(times->m2 / times->n) : 0);
}

static void
add_percentiles(Row *row, const PfoStatement *statement)
{
	static const double shares[] = {0.5, 0.95, 0.99};

	for (int i = 0; i < lengthof(shares); i++)
	{
		double		ns = pfo_histogram_percentile(statement->histogram,
												  PFO_STATEMENT_BITS,
												  shares[i]);

		row->nulls[row->n] = ns == 0;
		add_ms(row, ns);
	}
}

static void
add_text(Row *row, const char *text, int encoding)
{
	row->nulls[row->n] = text[0] == '\0';
	row->values[row->n++] =
		CStringGetTextDatum(text[0] != '\0' ? pfo_text_here(text, encoding) : "");
}

static void
add_cache(Row *row, const PfoStatementCounts *counts)
{
	add_count(row, counts->hits);
	add_count(row, counts->misses);
	add_count(row, counts->stored);
	add_count(row, counts->bypassed);
	row->nulls[row->n] = counts->reason_votes == 0;
	row->values[row->n++] =
		CStringGetTextDatum(pfo_reason_name(counts->reason));
	row->values[row->n++] = Float8GetDatum(counts->saved_us / 1000.0);
}

static void
put_statement(const PfoStatement *statement, void *arg)
{
	const PfoStatementKey *key = &statement->key;
	const PfoStatementCounts *counts = &statement->counts;
	bool		rest = !OidIsValid(key->dbid);
	bool		may_read = pfo_reads_all_stats() ||
		(!rest && has_privs_of_role(GetUserId(), key->userid));
	Row			row = {.n = 0};

	row.nulls[row.n] = rest;
	row.values[row.n++] = ObjectIdGetDatum(key->dbid);
	row.nulls[row.n] = rest;
	row.values[row.n++] = ObjectIdGetDatum(key->userid);
	row.nulls[row.n] = rest || !may_read || key->queryid == 0;
	add_count(&row, key->queryid);
	row.nulls[row.n] = rest;
	row.values[row.n++] = BoolGetDatum(key->top != 0);
	if (rest)
		row.values[row.n++] = CStringGetTextDatum("(other)");
	else if (may_read)
		add_text(&row, statement->text, statement->encoding);
	else
		row.values[row.n++] = CStringGetTextDatum(PFO_INSUFFICIENT_PRIVILEGE);

	add_count(&row, counts->calls);
	add_count(&row, counts->errors);
	add_count(&row, counts->rows);
	add_times(&row, &counts->exec);
	add_count(&row, counts->plan.n);
	add_times(&row, &counts->plan);
	add_percentiles(&row, statement);
	for (int i = 0; i < PFO_NBLOCKS; i++)
		add_count(&row, counts->blocks[i]);
	for (int i = 0; i < PFO_NBLOCK_TIMES; i++)
		add_ms(&row, counts->block_ns[i]);
	add_count(&row, counts->wal_records);
	add_count(&row, counts->wal_fpi);
	add_count(&row, counts->wal_bytes);
	add_count(&row, counts->jit_functions);
	add_ms(&row, counts->jit_ns);
	add_count(&row, counts->workers_planned);
	add_count(&row, counts->workers_launched);
	add_cache(&row, counts);
	add_time(&row, statement->since);
	add_time(&row, counts->last_seen);
	add_text(&row, may_read ? statement->application : "",
			 statement->encoding);
	Assert(row.n <= NCOLUMNS);
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

	/* they tell of others' code */
	if (!pfo_reads_all_stats() &&
		!has_privs_of_role(GetUserId(), key->userid))
		return;
	for (int i = 0; i < PFO_MAX_SOURCES; i++)
	{
		const PfoSource *source = &statement->sources[i];
		Row			row = {.n = 0};

		if (source->calls == 0)
			continue;
		row.values[row.n++] = ObjectIdGetDatum(key->dbid);
		row.values[row.n++] = ObjectIdGetDatum(key->userid);
		row.nulls[row.n] = key->queryid == 0;
		add_count(&row, key->queryid);
		row.values[row.n++] = BoolGetDatum(key->top != 0);
		add_text(&row, statement->text, statement->encoding);
		add_text(&row, source->application, statement->encoding);
		add_text(&row, as_text(source->tags, statement->encoding),
				 GetDatabaseEncoding());
		add_count(&row, source->calls);
		add_count(&row, source->excess);
		add_ms(&row, source->ns);
		add_text(&row, as_text(source->trace, statement->encoding),
				 GetDatabaseEncoding());
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
