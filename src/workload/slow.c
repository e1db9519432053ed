/*-------------------------------------------------------------------------
 *
 * slow.c
 *	  Capture of slow executions.
 *
 * An execution that ended or failed, whose planning and execution together
 * took perfopt.slow_query_time, is kept with who ran it, what it cost, and its
 * plan (slow_plan.c) in shared memory (slow_ring.c).
 *
 * WHAT IS INSTRUMENTED.  The plan has rows and loops if the executor was told
 * to count them before it started, which is when it is not known yet how long
 * it will take.  That is done for
 * - a statement one execution of which took at least half of the setting, in
 *	 whatever session, and fewer than eight since that took less;
 * - one that nothing is known of, if the cost of its plan could reach the
 *	 setting at COST_NS per unit; until it turned out to be fast three times;
 * - all, if the setting is 0.
 * Rows are counted, times are not taken: 3 to 10 ns per row.  What is
 * watched so is explained once before it runs, for the case that it fails, if
 * the setting is 0 or at least PREPARE_FROM, so that this is next to nothing
 * of it.  Others have an EXPLAIN without rows.  What other libraries, or
 * EXPLAIN ANALYZE, have switched on is left as it is, and used.
 *
 * FAILURE.  What fails in here fails no statement: EXPLAIN is contained, and
 * after an error only memory is copied.  A line in the log is left out if that
 * error was a lack of memory.
 *
 * MEMORY.  One record per session, in which it is put together.
 *
 * CAVEATS.  Time before planning is not in it: parsing, and waiting for the
 * locks that parsing takes.  PostgreSQL does not tell how long an execution
 * waited for locks; but LOCK does nothing else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/ip.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/scansup.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/contain.h"
#include "base/normalize.h"
#include "base/statement.h"
#include "workload/slow.h"
#include "workload/slow_plan.h"
#include "workload/slow_ring.h"

/*
 * A page of a table costs some 2 units with its rows and takes some 10 us if
 * it is in memory, one that is read some 100 us: 10 us per unit is more than
 * most plans take, and a plan that is far below the setting by this measure
 * will hardly reach it.
 */
#define COST_NS			10000.0

#define PREPARE_FROM	10		/* ms */

/* the record that is put together */
static PfoSlow record;

static uint64
limit_ns(void)
{
	return (uint64) pfo_slow_query_time * 1000000;
}

bool
pfo_slow_watch(QueryDesc *queryDesc)
{
	PlannedStmt *stmt = queryDesc->plannedstmt;
	PfoSlowFamily family;

	if (pfo_slow_query_time < 0 || !pfo_slow_ring_exists() ||
		pfo_is_explaining())
		return false;
	if (pfo_slow_query_time > 0)
	{
		family = pfo_slow_family(stmt->queryId);
		if (family == PFO_FAMILY_FAST ||
			(family == PFO_FAMILY_UNKNOWN &&
			 stmt->planTree->total_cost * COST_NS < limit_ns()))
			return false;
	}
	queryDesc->instrument_options |= INSTRUMENT_ROWS;
	return true;
}

void
pfo_slow_prepare(PfoExecution *execution)
{
	if (pfo_slow_query_time == 0 || pfo_slow_query_time >= PREPARE_FROM)
		pfo_slow_plan_prepare(execution);
}

/* ----------------------------------------------------------------
 *						the record
 * ----------------------------------------------------------------
 */

static void
take_text(const PfoExecution *execution)
{
	const char *text = execution->text;
	int			len;
	int			clipped;

	record.text[0] = '\0';
	record.text_cut = false;
	if (text == NULL)
		return;
	if (execution->location > 0)
		text += execution->location;
	len = strnlen(text, execution->len > 0 ?
				  Min(execution->len, PFO_SLOW_TEXT) : PFO_SLOW_TEXT);
	while (len > 0 && scanner_isspace(*text))
		text++, len--;
	clipped = pg_mbcliplen(text, len, PFO_SLOW_TEXT - 1);
	memcpy(record.text, text, clipped);
	record.text[clipped] = '\0';
	record.text_cut = len == PFO_SLOW_TEXT || clipped < len;
}

/* The address is found out once: it does not change. */
static void
take_client(void)
{
	static char address[sizeof(record.client)];
	static bool known = false;
	const SockAddr *client = MyBEEntry != NULL ? &MyBEEntry->st_clientaddr :
		NULL;

	if (!known && client != NULL &&
		(client->addr.ss_family == AF_INET ||
		 client->addr.ss_family == AF_INET6) &&
		pg_getnameinfo_all(&client->addr, client->salen,
						   address, sizeof(address), NULL, 0,
						   NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		address[0] = '\0';
	/* as inet wants it: without the zone of IPv6 */
	address[strcspn(address, "%")] = '\0';
	known = true;
	strcpy(record.client, address);
}

static void
take_execution(const PfoExecution *execution)
{
	uint64		ns = execution->plan_ns + execution->exec_ns;

	record.started = execution->started != 0 ? execution->started :
		GetCurrentTimestamp() - (TimestampTz) (ns / 1000);
	record.plan_ns = execution->plan_ns;
	record.exec_ns = execution->exec_ns;
	record.rows = execution->rows;
	record.buffers = execution->buffers;
	record.wal = execution->wal;
	record.queryid = execution->queryid;
	record.saved_ms = execution->saved_ms;
	record.dbid = MyDatabaseId;
	record.userid = execution->userid;
	record.pid = MyProcPid;
	record.encoding = GetDatabaseEncoding();
	record.sqlstate = execution->sqlstate;
	record.served = execution->served;
	record.reason = execution->reason;
	record.top = execution->top;
	record.utility = execution->utility;
	record.planned = execution->planned;
	record.failed = execution->failed;
	record.waited_only = execution->only_waits;
	record.constants = pfo_slow_query_parameters == PFO_PARAMETERS_ON;
	record.application[0] = '\0';
	if (application_name != NULL)
		pfo_copy_text(record.application, application_name,
					  sizeof(record.application));
	take_text(execution);
	take_client();
}

/*
 * The plan comes first: forming it can execute statements, in functions that
 * print values, which use the record as well.
 */
static void
take_plan(PfoExecution *execution, PfoSlowPlan *plan, char *parameters)
{
	if (execution->failed || execution->query == NULL)
		pfo_slow_plan_failed(execution, plan, parameters);
	else
		pfo_slow_plan_ended(execution, plan, parameters);
	if (execution->utility)
		plan->note = PFO_PLAN_UTILITY;
}

/* ----------------------------------------------------------------
 *						the log
 * ----------------------------------------------------------------
 */

static void
write_line(const char *text, uint64 suppressed)
{
	ereport(LOG_SERVER_ONLY,
			(errmsg("perfopt: slow query %llu%s%s%s: %.3f ms, query id %lld%s%s",
					(unsigned long long) record.id,
					record.top ? "" : " (nested)",
					record.failed ? ", failed with " : "",
					record.failed ? unpack_sql_state(record.sqlstate) : "",
					(record.plan_ns + record.exec_ns) / 1e6,
					(long long) record.queryid,
					text[0] != '\0' ? ": " : "", text),
			 suppressed > 0 ?
			 errdetail("%llu others were not logged.",
					   (unsigned long long) suppressed) : 0,
			 errhidestmt(true), errhidecontext(true)));
}

static void
write_normalized_line(void *arg)
{
	char	   *text = palloc(PFO_SLOW_TEXT);

	pfo_normalize(record.text, 0, 0, text, PFO_SLOW_TEXT);
	write_line(text, *(uint64 *) arg);
	pfree(text);
}

/*
 * Of an execution that failed the text cannot be normalised any more, which
 * takes memory and may raise errors; the error's own lines have it.  Neither
 * cancels nor callbacks that give context may come in between.
 */
static void
log_record(void)
{
	ErrorContextCallback *callbacks = error_context_stack;
	uint32		holdoff = QueryCancelHoldoffCount;
	uint64		suppressed;

	/* under somebody's LWLock nothing may fail; the line is short there, too */
	bool		plain = record.failed || InterruptHoldoffCount > 0;

	if (record.sqlstate == ERRCODE_OUT_OF_MEMORY ||
		!pfo_slow_may_log(&suppressed))
		return;
	error_context_stack = NULL;
	if (plain)
	{
		InterruptHoldoffCount++;
		write_line("", suppressed);
		InterruptHoldoffCount--;
	}
	else
	{
		QueryCancelHoldoffCount++;
		(void) pfo_contain(write_normalized_line, &suppressed);
		QueryCancelHoldoffCount = holdoff;
	}
	error_context_stack = callbacks;
}

/* ----------------------------------------------------------------
 *						looking
 * ----------------------------------------------------------------
 */

static void
capture(PfoExecution *execution)
{
	PfoSlowPrepared *work = NULL;

	if (execution->query == NULL || execution->failed)
		take_plan(execution, &record.plan, record.parameters);
	else
	{
		work = MemoryContextAllocExtended(CurrentMemoryContext,
										  sizeof(PfoSlowPrepared),
										  MCXT_ALLOC_NO_OOM);
		if (work == NULL)
			return;
		take_plan(execution, &work->plan, work->parameters);
		memcpy(&record.plan, &work->plan,
			   offsetof(PfoSlowPlan, data) + work->plan.size);
		strcpy(record.parameters, work->parameters);
		pfree(work);
	}
	take_execution(execution);
	pfo_slow_ring_add(&record);
	if (pfo_log_slow_queries)
		log_record();
}

void
pfo_slow_look(PfoExecution *execution)
{
	uint64		ns = execution->plan_ns + execution->exec_ns;
	bool		near = ns * 2 >= limit_ns();

	if (!pfo_slow_ring_exists())
		return;
	if (execution->query != NULL && pfo_slow_query_time > 0 &&
		(near || !execution->failed))
		pfo_slow_family_note(execution->queryid, near);
	if (ns >= limit_ns())
		capture(execution);
}
