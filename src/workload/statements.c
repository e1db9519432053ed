/*-------------------------------------------------------------------------
 *
 * statements.c
 *	  What a backend counts of its statements, until it adds that up.
 *
 * An execution is counted in the memory of its backend.  When a transaction
 * ends, the sums are added to the shared table (statement_table.c) if the last
 * time is FLUSH_AFTER ago; and in any case when there is no place here, before
 * the backend ends, and before it looks.  So the table's locks are taken some
 * ten times a second per statement and backend, however fast statements come.
 *
 * MEMORY.  Fixed: MAX_BATCHES statements, and a buffer for the texts of those
 * that are new.  Nothing is allocated when something failed.
 *
 * CAVEATS.  What an idle backend counted in its last FLUSH_AFTER is not yet
 * visible to others.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "jit/jit.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "storage/ipc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/guc.h"
#include "base/normalize.h"
#include "base/statement.h"
#include "workload/statement_counts.h"
#include "workload/statement_table.h"

#define MAX_BATCHES		64		/* a power of two */
#define FULL			48		/* then they are added up */
#define FLUSH_AFTER		100		/* ms */
#define TEXTS_SIZE		(4 * PFO_STATEMENT_TEXT)

typedef struct Batches
{
	PfoBatch	batches[MAX_BATCHES];	/* open addressing */
	bool		used[MAX_BATCHES];
	int			nused;
	PfoBatch	rest;			/* of statements that are not let in */
	bool		rest_used;
	char		texts[TEXTS_SIZE];
	Size		texts_used;
	TimestampTz last_flush;
} Batches;

static Batches *local = NULL;

bool
pfo_statements_wanted(void)
{
	return (pfo_track == PFO_TRACK_ALL ||
			(pfo_track == PFO_TRACK_TOP && !pfo_is_nested())) &&
		!IsParallelWorker();
}

/* What an EXECUTE or PREPARE does is counted as the statement it names. */
bool
pfo_statements_want_utility(Node *statement)
{
	return pfo_track_utility && pfo_statements_wanted() &&
		!IsA(statement, ExecuteStmt) && !IsA(statement, PrepareStmt) &&
		!IsA(statement, DeallocateStmt);
}

static void
flush_at_exit(int code, Datum arg)
{
	pfo_statements_flush(true);
}

/* There is no place to count in before something succeeded. */
static bool
have_batches(bool may_allocate)
{
	if (local != NULL)
		return true;
	if (!may_allocate)
		return false;
	pfo_statement_table_attach();
	local = MemoryContextAllocExtended(TopMemoryContext, sizeof(Batches),
									   MCXT_ALLOC_NO_OOM);
	if (local == NULL)
		return false;
	/* batches are not touched before they are used: sessions are many */
	memset(local->used, 0, sizeof(local->used));
	memset(&local->rest, 0, sizeof(local->rest));
	local->nused = 0;
	local->rest_used = false;
	local->texts_used = 0;
	local->last_flush = 0;
	before_shmem_exit(flush_at_exit, (Datum) 0);
	return true;
}

/*
 * The lexer may complain of what follows a backslash, or of a text that is cut;
 * its error is dropped, and with it one that is on its way.
 */
static bool
may_normalize(const PfoExecution *execution)
{
	const char *text = execution->text + Max(execution->location, 0);
	Size		len = strnlen(text, execution->len > 0 ?
							  Min(execution->len, PFO_STATEMENT_TEXT) :
							  PFO_STATEMENT_TEXT);

	return !execution->failed ||
		(execution->sqlstate != ERRCODE_OUT_OF_MEMORY &&
		 len < PFO_STATEMENT_TEXT && memchr(text, '\\', len) == NULL);
}

/*
 * Of a new statement whose text nobody has, the text; NULL without room, or
 * until one of its executions ends.
 */
static const char *
take_text(const PfoExecution *execution)
{
	char	   *text = local->texts + local->texts_used;
	Size		room = TEXTS_SIZE - local->texts_used;

	if (execution->queryid == 0 || execution->text == NULL ||
		room < PFO_STATEMENT_TEXT || !may_normalize(execution))
		return NULL;
	pfo_normalize(execution->text, execution->location, execution->len, text,
				  PFO_STATEMENT_TEXT);
	local->texts_used += strlen(text) + 1;
	return text;
}

/* Where the statement is counted. */
static PfoBatch *
batch_of(const PfoExecution *execution)
{
	PfoStatementKey key;
	PfoBatch   *batch;
	bool		wants_text;
	uint32		i;

	memset(&key, 0, sizeof(key));
	key.queryid = execution->queryid;
	key.dbid = MyDatabaseId;
	key.userid = execution->userid;
	key.top = execution->top;

	if (local->nused >= FULL ||
		local->texts_used > TEXTS_SIZE - PFO_STATEMENT_TEXT)
		pfo_statements_flush(true);
	i = murmurhash32((uint32) key.queryid ^ (uint32) (key.queryid >> 32) ^
					 key.userid) + (uint32) key.top;
	for (;; i++)
	{
		i &= MAX_BATCHES - 1;
		if (!local->used[i])
			break;
		if (memcmp(&local->batches[i].key, &key, sizeof(key)) == 0)
			return &local->batches[i];
	}

	if (!pfo_statement_table_wants(&key, execution->plan_ns +
								   execution->exec_ns, &wants_text))
	{
		local->rest_used = true;
		return &local->rest;
	}
	batch = &local->batches[i];
	memset(batch, 0, sizeof(*batch));
	batch->key = key;
	batch->since = GetCurrentStatementStartTimestamp();
	if (wants_text)
		batch->text = take_text(execution);
	local->used[i] = true;
	local->nused++;
	return batch;
}

static void
add_blocks(PfoStatementCounts *counts, const BufferUsage *usage)
{
	uint64	   *blocks = counts->blocks;
	uint64	   *ns = counts->block_ns;

	blocks[PFO_SHARED_HIT] += usage->shared_blks_hit;
	blocks[PFO_SHARED_READ] += usage->shared_blks_read;
	blocks[PFO_SHARED_DIRTIED] += usage->shared_blks_dirtied;
	blocks[PFO_SHARED_WRITTEN] += usage->shared_blks_written;
	blocks[PFO_LOCAL_HIT] += usage->local_blks_hit;
	blocks[PFO_LOCAL_READ] += usage->local_blks_read;
	blocks[PFO_LOCAL_DIRTIED] += usage->local_blks_dirtied;
	blocks[PFO_LOCAL_WRITTEN] += usage->local_blks_written;
	blocks[PFO_TEMP_READ] += usage->temp_blks_read;
	blocks[PFO_TEMP_WRITTEN] += usage->temp_blks_written;
	ns[PFO_SHARED_READ_NS] += PFO_INSTR_TIME_NS(PFO_BLOCK_READ_TIME(usage));
	ns[PFO_SHARED_WRITE_NS] += PFO_INSTR_TIME_NS(PFO_BLOCK_WRITE_TIME(usage));
	ns[PFO_LOCAL_READ_NS] += PFO_INSTR_TIME_NS(PFO_LOCAL_READ_TIME(usage));
	ns[PFO_LOCAL_WRITE_NS] += PFO_INSTR_TIME_NS(PFO_LOCAL_WRITE_TIME(usage));
	ns[PFO_TEMP_READ_NS] += PFO_INSTR_TIME_NS(usage->temp_blk_read_time);
	ns[PFO_TEMP_WRITE_NS] += PFO_INSTR_TIME_NS(usage->temp_blk_write_time);
}

static void
add_jit(PfoStatementCounts *counts, const EState *estate)
{
	const JitInstrumentation *jit;
	instr_time	all;

	if (estate == NULL || estate->es_jit == NULL)
		return;
	jit = &estate->es_jit->instr;
	all = jit->generation_counter;
	INSTR_TIME_ADD(all, jit->inlining_counter);
	INSTR_TIME_ADD(all, jit->optimization_counter);
	INSTR_TIME_ADD(all, jit->emission_counter);
	counts->jit_functions += jit->created_functions;
	counts->jit_ns += PFO_INSTR_TIME_NS(all);
}

static bool
add_workers(PlanState *state, void *arg)
{
	PfoStatementCounts *counts = arg;

	if (state == NULL)
		return false;
	if (IsA(state, GatherState))
	{
		counts->workers_planned += ((Gather *) state->plan)->num_workers;
		counts->workers_launched += ((GatherState *) state)->nworkers_launched;
	}
	else if (IsA(state, GatherMergeState))
	{
		counts->workers_planned += ((GatherMerge *) state->plan)->num_workers;
		counts->workers_launched +=
			((GatherMergeState *) state)->nworkers_launched;
	}
	return planstate_tree_walker(state, add_workers, arg);
}

/* What only the executor's state tells; that of an execution that failed does
 * not always. */
static void
add_executor(PfoStatementCounts *counts, const PfoExecution *execution)
{
	QueryDesc  *query = execution->query;
	PlanState  *child = execution->child;

	add_jit(counts, query->estate);
	if (child != NULL)
		add_jit(counts, child->state);
	if (!query->plannedstmt->parallelModeNeeded)
		return;
	if (child != NULL)
		(void) add_workers(child, counts);
	else
		(void) add_workers(query->planstate, counts);
}

static void
add_served(PfoStatementCounts *counts, const PfoExecution *execution)
{
	switch (execution->served)
	{
		case PFO_SERVED_NOT_ASKED:
			return;
		case PFO_SERVED_BYPASS:
			counts->bypassed++;
			break;
		case PFO_SERVED_MISS:
			counts->misses++;
			break;
		case PFO_SERVED_STORED:
			counts->stored++;
			return;
		case PFO_SERVED_HIT:
			counts->hits++;
			counts->saved_us += (uint64) (execution->saved_ms * 1000);
			return;
	}
	if (execution->reason != PFO_REASON_NONE)
		pfo_counts_vote(counts, execution->reason, 1);
}

/* False if there is no place for another duration. */
static bool
add_latency(PfoBatch *batch, uint64 ns)
{
	uint16		bucket = pfo_histogram_bucket(ns, PFO_STATEMENT_BITS);
	int			i = 0;

	while (i < batch->nlatencies && batch->buckets[i] != bucket)
		i++;
	if (i == PFO_BATCH_LATENCIES)
		return false;
	if (i == batch->nlatencies)
	{
		batch->nlatencies++;
		batch->buckets[i] = bucket;
		batch->latencies[i] = 0;
	}
	batch->latencies[i]++;
	return true;
}

void
pfo_statements_executed(const PfoExecution *execution)
{
	uint64		ns = execution->plan_ns + execution->exec_ns;
	PfoBatch   *batch;
	PfoStatementCounts *counts;

	/* what a command runs below it, which is counted itself */
	if (execution->queryid == 0 && IsQueryIdEnabled())
		return;
	if (!have_batches(!execution->failed))
		return;
	batch = batch_of(execution);
	if (execution->ran && !add_latency(batch, ns))
	{
		pfo_statements_flush(true);
		batch = batch_of(execution);
		(void) add_latency(batch, ns);
	}
	counts = &batch->counts;
	if (execution->failed)
		counts->errors++;
	else
		counts->calls++;
	counts->rows += execution->rows;
	if (execution->ran)
		pfo_times_add(&counts->exec, execution->exec_ns);
	if (execution->planned)
		pfo_times_add(&counts->plan, execution->plan_ns);
	add_blocks(counts, &execution->buffers);
	counts->wal_records += execution->wal.wal_records;
	counts->wal_fpi += execution->wal.wal_fpi;
	counts->wal_bytes += execution->wal.wal_bytes;
	if (execution->query != NULL && !execution->failed)
		add_executor(counts, execution);
	add_served(counts, execution);
	if (batch != &local->rest)
		pfo_source_count(batch->sources, execution);
	counts->last_seen = GetCurrentStatementStartTimestamp();
}

void
pfo_statements_flush(bool now)
{
	TimestampTz time;
	bool		all = true;

	if (local == NULL || (local->nused == 0 && !local->rest_used))
		return;
	time = GetCurrentStatementStartTimestamp();
	if (!now && time - local->last_flush < FLUSH_AFTER * INT64CONST(1000))
		return;
	local->last_flush = time;
	for (int i = 0; i < MAX_BATCHES; i++)
	{
		if (!local->used[i])
			continue;
		if (pfo_statement_table_add(&local->batches[i], now))
		{
			memset(&local->batches[i].counts, 0, sizeof(PfoStatementCounts));
			local->batches[i].nlatencies = 0;
			memset(local->batches[i].sources, 0,
				   sizeof(local->batches[i].sources));
		}
		else
			all = false;
	}
	if (local->rest_used && pfo_statement_table_add(&local->rest, now))
	{
		memset(&local->rest, 0, sizeof(local->rest));
		local->rest_used = false;
	}
	if (!all)
		return;
	memset(local->used, 0, sizeof(local->used));
	local->nused = 0;
	local->texts_used = 0;
}
