/*-------------------------------------------------------------------------
 *
 * verdict.c
 *	  What this backend knows of a statement's eligibility.
 *
 * Judging a statement reads catalogs; applications send few different ones.
 * So verdicts are remembered by skeleton: the values of constants do not
 * matter.  A verdict holds until an invalidation message arrives that any
 * definition might be concerned by.
 *
 * MEMORY.  Backend-local, in a context of its own that is emptied when it
 * holds MAX_VERDICTS.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/contain.h"
#include "base/guc.h"
#include "cache/generation.h"
#include "cache/verdict.h"

#define MAX_VERDICTS	512
#define ENOUGH_RUNS		4
#define TIME_AGAIN		64		/* one of so many plannings */
#define KNOWN_FOR		60000	/* ms; how long a time is believed */
#define TELL_AGAIN		16		/* one of so many executions */

static MemoryContext context = NULL;
static HTAB *verdicts = NULL;

static void
make_table(void)
{
	HASHCTL		ctl;

	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "perfopt verdicts",
										ALLOCSET_DEFAULT_SIZES);
	else
		MemoryContextReset(context);
	verdicts = NULL;
	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(PfoHash);
	ctl.entrysize = sizeof(PfoVerdict);
	ctl.hcxt = context;
	verdicts = hash_create("perfopt verdicts", MAX_VERDICTS, &ctl,
						   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* What is judged, as pfo_contain_catalogs() is told. */
typedef struct Judging
{
	Query	   *query;
	PfoEligibility result;
} Judging;

static void
judge(void *arg)
{
	Judging    *judging = arg;

	pfo_eligible_query(judging->query, &judging->result);
}

PfoVerdict *
pfo_verdict(Query *query, const PfoQueryKey *key)
{
	PfoVerdict *verdict = NULL;
	Judging		judging = {query};
	uint64		generation = pfo_generation_now();
	MemoryContext old;
	bool		found;

	if (verdicts != NULL)
		verdict = hash_search(verdicts, &key->skeleton, HASH_FIND, NULL);
	if (verdict != NULL && verdict->generation == generation)
		return verdict;

	/* judged first: an error must not leave half a verdict behind */
	if (!pfo_contain_catalogs(judge, &judging))
		return NULL;

	if (verdicts == NULL || hash_get_num_entries(verdicts) >= MAX_VERDICTS)
		make_table();
	verdict = hash_search(verdicts, &key->skeleton, HASH_ENTER, &found);
	if (found)
	{
		list_free(verdict->eligibility.functions);
		list_free(verdict->eligibility.typrelids);
		if (verdict->folded != NULL)
			MemoryContextDelete(verdict->folded);
	}
	verdict->generation = 0;	/* until all of it is there */
	verdict->folded = NULL;
	verdict->eligibility = judging.result;
	verdict->eligibility.folded = NIL;
	verdict->eligibility.functions = NIL;
	verdict->eligibility.typrelids = NIL;
	old = MemoryContextSwitchTo(context);
	verdict->eligibility.functions = list_copy(judging.result.functions);
	verdict->eligibility.typrelids = list_copy(judging.result.typrelids);
	if (judging.result.folded != NIL)
	{
		verdict->folded = AllocSetContextCreate(context, "perfopt folded",
												ALLOCSET_SMALL_SIZES);
		MemoryContextSwitchTo(verdict->folded);
		verdict->eligibility.folded = copyObject(judging.result.folded);
	}
	MemoryContextSwitchTo(old);
	verdict->granted.roleid = InvalidOid;
	if (!found)
	{
		/* how long it takes is not a matter of definitions */
		verdict->runs = 0;
		verdict->mean_ms = 0;
		verdict->timed = 0;
		verdict->passed_over = 0;
	}
	verdict->generation = generation;
	return verdict;
}

static bool
is_cheap(const PfoVerdict *verdict)
{
	/* half, so that what is near the limit is left to the limit itself */
	return verdict->runs >= ENOUGH_RUNS &&
		verdict->mean_ms < pfo_cache_min_time / 2;
}

bool
pfo_verdict_ran(const PfoHash *skeleton, double ms)
{
	PfoVerdict *verdict = NULL;

	if (verdicts != NULL)
		verdict = hash_search(verdicts, skeleton, HASH_FIND, NULL);
	if (verdict == NULL)
		return false;
	verdict->runs++;
	verdict->mean_ms += (ms - verdict->mean_ms) / Min(verdict->runs, 16);
	verdict->timed = GetCurrentStatementStartTimestamp();
	return verdict->runs % TELL_AGAIN == 0 && is_cheap(verdict);
}

bool
pfo_verdict_cheap(PfoVerdict *verdict)
{
	return is_cheap(verdict) &&
		!TimestampDifferenceExceeds(verdict->timed,
									GetCurrentStatementStartTimestamp(),
									KNOWN_FOR) &&
		++verdict->passed_over % TIME_AGAIN != 0;
}
