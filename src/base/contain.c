/*-------------------------------------------------------------------------
 *
 * contain.c
 *	  Keeping failures inside perfopt from becoming errors of statements.
 *
 * What fails while a statement is judged, looked up or stored must be a miss,
 * and a plan that cannot be explained is not kept.
 * Two ways, as the error leaves behind more or less:
 *
 * Code that only allocates memory holds nothing that a transaction's abort
 * would have to release, but for LWLocks.  Its errors are caught as they are.
 *
 * Code that reads catalogs can fail with buffers pinned, relations open and
 * locks held.  It runs in an internal subtransaction, as a PL/pgSQL block with
 * EXCEPTION does, which is rolled back in any case: it changed nothing, gets
 * no id, and committing it would begin a new command in the middle of one, so
 * that what an outer one has changed so far would be seen.
 *
 * While COMMIT or PREPARE TRANSACTION ends a block, deferred triggers and
 * cursors WITH HOLD are run, and a subtransaction can be begun; but PostgreSQL
 * asserts that none is rolled back then.  So nothing is read there, which
 * makes a miss of what would need it.
 *
 * A command like BEGIN takes effect right after it.  If EXECUTE ran it, as it
 * can if it was prepared by the protocol, it does when the client's message or
 * pipeline of messages ends.  What follows in there finds the block in a state
 * in which beginning a subtransaction ends the session.  Nothing tells when
 * that is over, so nothing is read in the rest of such a transaction.
 *
 * The server's log has the first such failure of each session; the counter
 * "errors" has all.
 *
 * Not contained, on purpose: planning, initialising and running the statement
 * itself, waiting for locks that it would take anyway, and fetching its own
 * values from where they are stored.  Nor is beginning that subtransaction,
 * which takes some hundred bytes: PostgreSQL cannot go on halfway through it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/elog.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "base/breakage.h"
#include "base/compat.h"
#include "base/contain.h"

/* the last transaction that can have no subtransaction any more */
static LocalTransactionId closed = InvalidLocalTransactionId;

/* where failures are counted */
static void (*count_failure) (void) = NULL;

void
pfo_contain_count_by(void (*count) (void))
{
	count_failure = count;
}

void
pfo_contain_after_utility(Node *statement, bool top_level)
{
	if (IsA(statement, TransactionStmt) &&
		(!top_level ||
		 ((TransactionStmt *) statement)->kind == TRANS_STMT_COMMIT ||
		 ((TransactionStmt *) statement)->kind == TRANS_STMT_PREPARE))
		closed = PFO_PROC_LXID(MyProc);
}

static bool
is_closed(void)
{
	return closed == PFO_PROC_LXID(MyProc);
}

/* Does the error tell of the statement rather than of us? */
static bool
is_passed_on(int code)
{
	return ERRCODE_TO_CATEGORY(code) == ERRCODE_OPERATOR_INTERVENTION ||
		ERRCODE_TO_CATEGORY(code) == ERRCODE_TRANSACTION_ROLLBACK ||
		code == ERRCODE_LOCK_NOT_AVAILABLE;
}

/* What happened, for the log; nothing is copied where memory is short. */
static void
record(int code)
{
	static bool logged = false;
	ErrorData  *error = NULL;

	if (count_failure != NULL)
		count_failure();
	if (!logged && code != ERRCODE_OUT_OF_MEMORY)
		error = CopyErrorData();
	FlushErrorState();
	if (logged)
		return;
	logged = true;
	ereport(LOG,
			(errcode(code),
			 errmsg("perfopt: a failure of its own was contained"),
			 error != NULL ?
			 errdetail_internal("%s (%s:%d)", error->message, error->filename,
								error->lineno) :
			 errdetail("There was no memory."),
			 errhint("Further ones of this session are counted in perfopt_cache_stats.errors.")));
	if (error != NULL)
		FreeErrorData(error);
}

/* Raise an error where a test asks for it: before the work, or after. */
static void
fail_if_due(void)
{
	if (PFO_FAILS_NOW())
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("failure injected by perfopt.debug_fail")));
}

/*
 * Call work(arg).  False if it raised an error: then that is recorded, or is
 * left to be passed on.
 */
static bool
attempt(PfoWork work, void *arg, ErrorData **passed_on)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool done = false;

	PG_TRY();
	{
		fail_if_due();
		work(arg);
		fail_if_due();
		done = true;
	}
	PG_CATCH();
	{
		int			code = geterrcode();

		MemoryContextSwitchTo(context);
		if (is_passed_on(code))
		{
			*passed_on = CopyErrorData();
			FlushErrorState();
		}
		else
			record(code);
	}
	PG_END_TRY();
	return done;
}

bool
pfo_contain(PfoWork work, void *arg)
{
	ErrorData  *error = NULL;
	uint32		holdoff = InterruptHoldoffCount;
	bool		done = attempt(work, arg, &error);

	/*
	 * Looking at transactions takes locks.  Who holds interrupts off above us,
	 * as an index does that has a page locked, keeps his, and the count, which
	 * the error has set to 0.
	 */
	if (!done && holdoff == 0)
		LWLockReleaseAll();
	else if (!done)
		InterruptHoldoffCount = holdoff;
	if (error != NULL)
		ReThrowError(error);
	return done;
}

/* The report of a command, perhaps an outer one; rolling back would end it. */
typedef struct Progress
{
	ProgressCommandType command;
	Oid			target;
	int64		params[PGSTAT_NUM_PROGRESS_PARAM];
} Progress;

static void
save_progress(Progress *progress)
{
	progress->command = PROGRESS_COMMAND_INVALID;
	if (MyBEEntry == NULL || !pgstat_track_activities)
		return;
	progress->command = MyBEEntry->st_progress_command;
	progress->target = MyBEEntry->st_progress_command_target;
	memcpy(progress->params, MyBEEntry->st_progress_param,
		   sizeof(progress->params));
}

static void
restore_progress(const Progress *progress)
{
	int			indexes[PGSTAT_NUM_PROGRESS_PARAM];

	if (progress->command == PROGRESS_COMMAND_INVALID)
		return;
	for (int i = 0; i < PGSTAT_NUM_PROGRESS_PARAM; i++)
		indexes[i] = i;
	pgstat_progress_start_command(progress->command, progress->target);
	pgstat_progress_update_multi_param(PGSTAT_NUM_PROGRESS_PARAM, indexes,
									   progress->params);
}

bool
pfo_contain_catalogs(PfoWork work, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *error = NULL;
	Progress	progress;
	bool		done;

	/*
	 * In parallel mode none can be begun; nothing that is cached runs there.
	 * Nor where interrupts are held off, as they are under any LWLock: an
	 * index calls functions with a page locked, and rolling back would release
	 * that.
	 */
	if (IsInParallelMode() || is_closed() || InterruptHoldoffCount > 0)
		return false;

	save_progress(&progress);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	done = attempt(work, arg, &error);
	RollbackAndReleaseCurrentSubTransaction();
	restore_progress(&progress);
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error != NULL)
		ReThrowError(error);
	return done;
}

PfoReason
pfo_contain_reason(void)
{
	return is_closed() ? PFO_REASON_MAINTENANCE : PFO_REASON_INTERNAL;
}
