/*-------------------------------------------------------------------------
 *
 * late.c
 *	  A library that does in transaction callbacks what other libraries may
 *	  do: write rows, and take its time.
 *
 * late_write(table, how) inserts the row (0, 0) when the current transaction
 * is in PRE_COMMIT or PRE_PREPARE: "spi" by a statement, "heap" by the table
 * access method alone, which no hook sees.  That callback is registered when
 * the library is loaded, so it runs after perfopt's if this library is
 * loaded before perfopt.
 *
 * late_sleep(ms) sleeps when the transaction has just become visible.  That
 * callback is registered at the first use, so it runs before perfopt's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);
extern PGDLLEXPORT Datum late_write(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum late_sleep(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(late_write);
PG_FUNCTION_INFO_V1(late_sleep);

static Oid	target = InvalidOid;
static bool by_statement;
static int	sleep_ms = 0;
static bool sleeper_registered = false;

static void
write_row(void)
{
	Relation	rel;
	TupleTableSlot *slot;

	if (by_statement)
	{
		StringInfoData sql;

		initStringInfo(&sql);
		appendStringInfo(&sql, "INSERT INTO %s VALUES (0, 0)",
						 quote_identifier(get_rel_name(target)));
		PushActiveSnapshot(GetTransactionSnapshot());
		SPI_connect();
		if (SPI_execute(sql.data, false, 0) != SPI_OK_INSERT)
			elog(ERROR, "the row was not inserted");
		SPI_finish();
		PopActiveSnapshot();
		return;
	}

	rel = table_open(target, RowExclusiveLock);
	slot = table_slot_create(rel, NULL);
	ExecClearTuple(slot);
	for (int i = 0; i < 2; i++)
	{
		slot->tts_values[i] = Int32GetDatum(0);
		slot->tts_isnull[i] = false;
	}
	ExecStoreVirtualTuple(slot);
	table_tuple_insert(rel, slot, GetCurrentCommandId(true), 0, NULL);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
}

static void
writer(XactEvent event, void *arg)
{
	if ((event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE) &&
		OidIsValid(target))
		write_row();
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
		target = InvalidOid;
}

static void
sleeper(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT && sleep_ms > 0)
		pg_usleep(sleep_ms * 1000L);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		sleep_ms = 0;
}

Datum
late_write(PG_FUNCTION_ARGS)
{
	target = PG_GETARG_OID(0);
	by_statement = strcmp(text_to_cstring(PG_GETARG_TEXT_PP(1)), "spi") == 0;
	PG_RETURN_VOID();
}

Datum
late_sleep(PG_FUNCTION_ARGS)
{
	if (!sleeper_registered)
		RegisterXactCallback(sleeper, NULL);
	sleeper_registered = true;
	sleep_ms = PG_GETARG_INT32(0);
	PG_RETURN_VOID();
}

void
_PG_init(void)
{
	RegisterXactCallback(writer, NULL);
}
