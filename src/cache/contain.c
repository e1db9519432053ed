/*-------------------------------------------------------------------------
 *
 * contain.c
 *	  Keeping failures inside perfopt from becoming errors of statements.
 *
 * What fails while a statement is judged, looked up or stored must be a miss.
 * Two ways, as the error leaves behind more or less:
 *
 * Code that only allocates memory holds nothing that a transaction's abort
 * would have to release, but for LWLocks.  Its errors are caught as they are.
 *
 * Code that reads catalogs can fail with buffers pinned, relations open and
 * locks held.  It runs in an internal subtransaction, as a PL/pgSQL block with
 * EXCEPTION does, and its failure rolls that back.  No id is assigned to it.
 *
 * The server's log has the first such failure of each session; the counter
 * "errors" has all.
 *
 * Not contained, on purpose: planning, initialising and running the statement
 * itself, waiting for locks that it would take anyway, and fetching its own
 * values from where they are stored.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "storage/lwlock.h"
#include "utils/elog.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "base/breakage.h"
#include "cache/contain.h"
#include "cache/counters.h"

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

	pfo_count(PFO_COUNT_ERRORS, 1);
	if (!logged && code != ERRCODE_OUT_OF_MEMORY)
		error = CopyErrorData();
	FlushErrorState();
	if (logged)
		return;
	logged = true;
	ereport(LOG,
			(errcode(code),
			 errmsg("perfopt: a failure was taken for a miss"),
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

bool
pfo_contain(PfoWork work, void *arg)
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

		if (is_passed_on(code))
			PG_RE_THROW();
		/* looking at transactions takes locks; nobody above us holds one */
		LWLockReleaseAll();
		MemoryContextSwitchTo(context);
		record(code);
	}
	PG_END_TRY();
	return done;
}

bool
pfo_contain_catalogs(PfoWork work, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	/* none can be begun; nothing that is cached runs there */
	if (IsInParallelMode())
		return false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		fail_if_due();
		work(arg);
		fail_if_due();
		ReleaseCurrentSubTransaction();
		done = true;
	}
	PG_CATCH();
	{
		int			code = geterrcode();
		ErrorData  *error = NULL;

		MemoryContextSwitchTo(context);
		if (is_passed_on(code))
		{
			error = CopyErrorData();
			FlushErrorState();
		}
		else
			record(code);
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (error != NULL)
			ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return done;
}
