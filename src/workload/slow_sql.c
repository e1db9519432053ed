/*-------------------------------------------------------------------------
 *
 * slow_sql.c
 *	  The functions in SQL about slow executions.
 *
 * No logic lives here.  Names of databases and roles are the business of the
 * view in the extension's script.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/normalize.h"
#include "base/sql.h"
#include "workload/slow_ring.h"
#include "workload/slow_show.h"

/* PostgreSQL 15 declares them without marking them for export */
extern PGDLLEXPORT Datum perfopt_slow_queries_1_0(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(perfopt_slow_queries_1_0);

#define ROWS_MEMORY	(64 * 1024) /* kB, before rows go to a file */

static const char *
served_name(PfoServed served)
{
	switch (served)
	{
		case PFO_SERVED_NOT_ASKED:
			return NULL;
		case PFO_SERVED_BYPASS:
			return "bypassed";
		case PFO_SERVED_MISS:
			return "miss";
		case PFO_SERVED_STORED:
			return "stored";
		case PFO_SERVED_HIT:
			return "hit";
	}
	return NULL;
}

static void
put_buffers(PfoRow *row, const BufferUsage *usage)
{
	pfo_add_count(row, usage->shared_blks_hit);
	pfo_add_count(row, usage->shared_blks_read);
	pfo_add_count(row, usage->shared_blks_dirtied);
	pfo_add_count(row, usage->shared_blks_written);
	pfo_add_count(row, usage->local_blks_hit);
	pfo_add_count(row, usage->local_blks_read);
	pfo_add_count(row, usage->local_blks_dirtied);
	pfo_add_count(row, usage->local_blks_written);
	pfo_add_count(row, usage->temp_blks_read);
	pfo_add_count(row, usage->temp_blks_written);
	pfo_add_ms(row, PFO_INSTR_TIME_NS(PFO_BLOCK_READ_TIME(usage)));
	pfo_add_ms(row, PFO_INSTR_TIME_NS(PFO_BLOCK_WRITE_TIME(usage)));
	pfo_add_ms(row, PFO_INSTR_TIME_NS(PFO_LOCAL_READ_TIME(usage)));
	pfo_add_ms(row, PFO_INSTR_TIME_NS(PFO_LOCAL_WRITE_TIME(usage)));
	pfo_add_ms(row, PFO_INSTR_TIME_NS(usage->temp_blk_read_time));
	pfo_add_ms(row, PFO_INSTR_TIME_NS(usage->temp_blk_write_time));
}

/* Text, parameters and plan are for who may read the role's statements. */
static void
put_texts(PfoRow *row, const PfoSlow *slow, bool may_read)
{
	pfo_add_text(row, may_read ? pfo_slow_show_text(slow) :
			 PFO_INSUFFICIENT_PRIVILEGE);
	pfo_add_text(row, may_read ? pfo_text_here(slow->parameters, slow->encoding) :
			 NULL);
}

static void
put_plan(PfoRow *row, const PfoSlow *slow, bool may_read)
{
	char	   *json = may_read ? pfo_slow_show_json(slow) : NULL;

	pfo_add_text(row, json);
	pfo_add_text(row, json != NULL ? pfo_slow_show_plan(json) : NULL);
	pfo_add_text(row, may_read ? pfo_slow_show_note(slow) : NULL);
}

static void
form_row(PfoRow *row, const PfoSlow *slow)
{
	bool		may_read = pfo_reads_all_stats() ||
		has_privs_of_role(GetUserId(), slow->userid);

	row->n = 0;
	pfo_add_count(row, slow->id);
	pfo_add_value(row, TimestampTzGetDatum(slow->started), false);
	pfo_add_value(row, ObjectIdGetDatum(slow->dbid), false);
	pfo_add_value(row, ObjectIdGetDatum(slow->userid), false);
	pfo_add_text(row, may_read ? pfo_text_here(slow->application, slow->encoding) :
			 NULL);
	pfo_add_text(row, may_read ? slow->client : NULL);
	pfo_add_value(row, Int32GetDatum(slow->pid), false);
	pfo_add_value(row, Int64GetDatum((int64) slow->queryid),
			  slow->queryid == 0 || !may_read);
	pfo_add_value(row, BoolGetDatum(slow->top), false);
	put_texts(row, slow, may_read);
	pfo_add_ms(row, slow->plan_ns + slow->exec_ns);
	pfo_add_ms(row, slow->plan_ns);
	row->nulls[row->n - 1] = !slow->planned && slow->plan_ns == 0;
	pfo_add_ms(row, slow->exec_ns);
	pfo_add_ms(row, slow->exec_ns);
	row->nulls[row->n - 1] = !slow->waited_only;
	pfo_add_count(row, slow->rows);
	put_buffers(row, &slow->buffers);
	pfo_add_count(row, slow->wal.wal_records);
	pfo_add_count(row, slow->wal.wal_fpi);
	pfo_add_count(row, slow->wal.wal_bytes);
	pfo_add_text(row, served_name(slow->served));
	pfo_add_text(row, slow->reason != PFO_REASON_NONE ?
			 pfo_reason_name(slow->reason) : NULL);
	pfo_add_value(row, BoolGetDatum(slow->failed), false);
	pfo_add_text(row, slow->failed ? unpack_sql_state(slow->sqlstate) : NULL);
	put_plan(row, slow, may_read);
}

static bool
is_among(uint64 id, const uint64 *ids, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (ids[i] == id)
			return true;
	}
	return false;
}

Datum
perfopt_slow_queries_1_0(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = pfo_begin_many_rows(fcinfo, ROWS_MEMORY);
	int			places = pfo_slow_ring_places();
	uint64	   *ids = palloc(sizeof(uint64) * Max(places, 1));
	PfoSlow    *slow = palloc0(sizeof(PfoSlow));
	MemoryContext context;
	int			n = 0;

	context = AllocSetContextCreate(CurrentMemoryContext, "perfopt slow rows",
									ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < places; i++)
	{
		PfoRow		row;
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		/* one of the worst can be one of the last, too */
		if (!pfo_slow_ring_read(i, slow) || is_among(slow->id, ids, n))
			continue;
		ids[n++] = slow->id;
		old = MemoryContextSwitchTo(context);
		form_row(&row, slow);
		pfo_put_row(rsinfo, row.values, row.nulls);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
	MemoryContextDelete(context);
	return (Datum) 0;
}
