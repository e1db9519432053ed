/*-------------------------------------------------------------------------
 *
 * cheap.c
 *	  Which statements take too little for mode auto to bother.
 *
 * Known by their query id, if they have one, before anything else is looked
 * at: computing the key of a statement by primary key takes a twentieth of its
 * time.  How long a statement takes is not a matter of definitions, so none
 * that changes makes it unknown.
 *
 * MEMORY.  A fixed array in the backend; of two families at one place each
 * makes the other unknown, which costs only time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "utils/timestamp.h"

#include "base/guc.h"
#include "cache/cheap.h"

#define NPLACES			512
#define ENOUGH_RUNS		4
#define TIME_AGAIN		64		/* one of so many plannings */
#define KNOWN_FOR		60000	/* ms; how long a time is believed */
#define TELL_AGAIN		16		/* one of so many executions */

typedef struct Timed
{
	int64		family;
	uint32		runs;			/* executions that were timed */
	uint32		passed_over;	/* plannings since it was found cheap */
	double		mean_ms;		/* of the runs */
	TimestampTz last;			/* of them */
} Timed;

static Timed places[NPLACES];

static Timed *
place_of(int64 family)
{
	return &places[murmurhash32((uint32) family ^ (uint32) (family >> 32)) %
				   NPLACES];
}

static bool
is_cheap(const Timed *timed)
{
	/* half, so that what is near the limit is left to the limit itself */
	return timed->runs >= ENOUGH_RUNS &&
		timed->mean_ms < pfo_cache_min_time / 2;
}

bool
pfo_cheap_ran(int64 family, double ms)
{
	Timed	   *timed = place_of(family);

	if (timed->family != family)
		*timed = (Timed) {.family = family};
	timed->runs++;
	timed->mean_ms += (ms - timed->mean_ms) / Min(timed->runs, 16);
	timed->last = GetCurrentStatementStartTimestamp();
	return timed->runs % TELL_AGAIN == 0 && is_cheap(timed);
}

bool
pfo_is_cheap(int64 family)
{
	Timed	   *timed = place_of(family);

	return timed->family == family && is_cheap(timed) &&
		!TimestampDifferenceExceeds(timed->last,
									GetCurrentStatementStartTimestamp(),
									KNOWN_FOR) &&
		++timed->passed_over % TIME_AGAIN != 0;
}
