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

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/contain.h"
#include "base/guc.h"
#include "cache/generation.h"
#include "cache/verdict.h"

#define MAX_VERDICTS	512

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
	verdict->generation = generation;
	return verdict;
}
