/*-------------------------------------------------------------------------
 *
 * latency_ring.c
 *	  Durations in rings of time slots, for windows that end now.
 *
 * Time is cut into slots of one width per window, numbered from its origin;
 * slot n is in place n modulo the ring's size.  Nothing turns the rings: who
 * adds takes over a place whose slot is outdated, and who reads passes over
 * what is not in the window.  A window consists of the slot of now and of
 * those before it, so it covers all but one slot of its period, and as much of
 * that one as has passed:
 *
 *		1 minute	 6 slots of 10 s	50 to 60 s
 *		5 minutes	 6 slots of 50 s	4 min 10 s to 5 min
 *		1 hour		 6 slots of 10 min	50 to 60 min
 *		24 hours	12 slots of 2 h		22 to 24 h
 *
 * MEMORY.  A slot has 1,024 buckets of 4 bytes, and 48 bytes besides, which
 * makes 124,320 bytes for the four rings.  Buckets are cleared when a slot
 * begins: those of windows that nobody has come to take no pages.
 *
 * No locks are taken here, no errors raised, and no clock is asked: who calls
 * holds the ring's lock, and says what time it is.
 *
 * CAVEATS.  If the clock is set back, slots that are later than now are in no
 * window, until they are taken over or their time comes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "workload/latency_ring.h"

#define SECOND	INT64CONST(1000000)

const PfoWindow pfo_windows[PFO_NWINDOWS] = {
	{60 * SECOND, 6, 0},
	{5 * 60 * SECOND, 6, 6},
	{60 * 60 * SECOND, 6, 12},
	{24 * 60 * 60 * SECOND, 12, 18}
};

const int64 pfo_longest_window = 24 * 60 * 60 * SECOND;

StaticAssertDecl(sizeof(((PfoRing *) NULL)->buckets) +
				 sizeof(((PfoRing *) NULL)->heads) == 124320,
				 "the size of a ring is told in the header and in documents");

static int64
slot_width(const PfoWindow *window)
{
	return window->period / window->nslots;
}

/* Where the slot of this number is. */
static int
slot_place(const PfoWindow *window, int64 number)
{
	return window->first + (int) ((uint64) number % window->nslots);
}

static uint32
add_saturated(uint32 a, uint32 b)
{
	return a > PG_UINT32_MAX - b ? PG_UINT32_MAX : a + b;
}

static void
add_sums(PfoLatencySums *to, const PfoLatencySums *from)
{
	to->calls += from->calls;
	to->errors += from->errors;
	to->timed += from->timed;
	to->total_ns += from->total_ns;
	to->max_ns = Max(to->max_ns, from->max_ns);
}

void
pfo_tally_add(PfoTally *tally, bool failed, bool ran, uint64 ns)
{
	PfoLatencySums *sums = &tally->sums;
	int			bucket;

	if (failed)
		sums->errors++;
	else
		sums->calls++;
	if (!ran)
		return;
	sums->timed++;
	sums->total_ns += ns;
	sums->max_ns = Max(sums->max_ns, ns);
	bucket = pfo_histogram_bucket(ns, PFO_LATENCY_BITS);
	if (tally->buckets[bucket] == 0)
		tally->touched[tally->ntouched++] = bucket;
	tally->buckets[bucket] = add_saturated(tally->buckets[bucket], 1);
}

void
pfo_tally_clear(PfoTally *tally)
{
	for (int i = 0; i < tally->ntouched; i++)
		tally->buckets[tally->touched[i]] = 0;
	tally->ntouched = 0;
	memset(&tally->sums, 0, sizeof(tally->sums));
}

static void
add_to_window(PfoRing *ring, const PfoWindow *window, const PfoTally *tally,
			  int64 time, int64 now)
{
	int64		number = time / slot_width(window);
	int64		last = now / slot_width(window);
	int			place = slot_place(window, number);
	uint32	   *buckets = ring->buckets[place];

	if (number <= last - window->nslots)
		return;
	if (ring->heads[place].number != number)
	{
		ring->heads[place].number = number;
		memset(&ring->heads[place].sums, 0, sizeof(PfoLatencySums));
		memset(buckets, 0, sizeof(ring->buckets[place]));
	}
	add_sums(&ring->heads[place].sums, &tally->sums);
	for (int i = 0; i < tally->ntouched; i++)
	{
		int			bucket = tally->touched[i];

		buckets[bucket] = add_saturated(buckets[bucket],
										tally->buckets[bucket]);
	}
}

void
pfo_ring_add(PfoRing *ring, const PfoTally *tally, int64 time, int64 now)
{
	for (int i = 0; i < PFO_NWINDOWS; i++)
		add_to_window(ring, &pfo_windows[i], tally, time, now);
}

int64
pfo_ring_read(const PfoRing *ring, int window, int64 now,
			  PfoLatencySums *sums, uint64 *buckets)
{
	const PfoWindow *shape = &pfo_windows[window];
	int64		last = now / slot_width(shape);
	int64		first = last - shape->nslots + 1;

	memset(sums, 0, sizeof(*sums));
	memset(buckets, 0, sizeof(uint64) * PFO_LATENCY_BUCKETS);
	for (int64 number = first; number <= last; number++)
	{
		int			place = slot_place(shape, number);

		if (ring->heads[place].number != number)
			continue;
		add_sums(sums, &ring->heads[place].sums);
		if (ring->heads[place].sums.timed == 0)
			continue;
		for (int i = 0; i < PFO_LATENCY_BUCKETS; i++)
			buckets[i] += ring->buckets[place][i];
	}
	return first * slot_width(shape);
}

void
pfo_ring_clear(PfoRing *ring)
{
	memset(ring->heads, 0, sizeof(ring->heads));
}

/*
 * More than a histogram can count is divided by a power of two.  The longest
 * duration is known exactly, and no percentile is longer.
 */
double
pfo_latency_percentile(const PfoLatencySums *sums, const uint64 *buckets,
					   double p)
{
	uint32		counts[PFO_LATENCY_BUCKETS];
	uint64		largest = 0;
	int			shift = 0;
	double		ns;

	for (int i = 0; i < PFO_LATENCY_BUCKETS; i++)
		largest = Max(largest, buckets[i]);
	while (largest >> shift > PG_UINT32_MAX)
		shift++;
	for (int i = 0; i < PFO_LATENCY_BUCKETS; i++)
		counts[i] = (uint32) (buckets[i] >> shift);
	ns = pfo_histogram_percentile(counts, PFO_LATENCY_BITS, p);
	return Min(ns, (double) sums->max_ns);
}
