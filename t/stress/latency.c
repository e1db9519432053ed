/*-------------------------------------------------------------------------
 *
 * latency.c
 *	  A check of src/base/histogram.c and src/workload/latency_ring.c without
 *	  a server: percentiles against an exact sort, windows against a list of
 *	  what was added.
 *
 * Its argument is the seed.  Prints a line per check, "ok" or "not ok" first.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "base/histogram.h"
#include "workload/latency_ring.h"

/* those of the C library: this is no part of a server */
#undef printf
#undef snprintf
#undef qsort

#define NVALUES		1000000
#define NSTEPS		20000
#define MAX_EVENTS	100000

static uint64 state;

/* xorshift64*, to be the same everywhere */
static uint64
next_random(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64CONST(2685821657736338717);
}

static double
random_share(void)
{
	return ((next_random() >> 11) + 0.5) / 9007199254740992.0;
}

static double
random_normal(void)
{
	return sqrt(-2 * log(random_share())) * cos(6.283185307179586 * random_share());
}

static void
report(bool ok, const char *what)
{
	printf("%sok %s\n", ok ? "" : "not ", what);
}

/*
 * Percentiles
 */

static int
compare_values(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

static void
check_percentiles(const uint64 *values, int bits)
{
	static const double shares[] = {0.0001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9,
	0.95, 0.99, 0.999, 0.9999, 0.99999};
	uint32	   *counts = calloc(PFO_HISTOGRAM_BUCKETS(bits), sizeof(uint32));
	double		allowed = 1.0 / (1 << (bits + 1));
	double		worst = 0;
	char		what[100];

	for (int i = 0; i < NVALUES; i++)
		counts[pfo_histogram_bucket(values[i], bits)]++;
	for (int i = 0; i < lengthof(shares); i++)
	{
		double		exact = values[(int) ceil(shares[i] * NVALUES) - 1];
		double		told = pfo_histogram_percentile(counts, bits, shares[i]);

		worst = fmax(worst, fabs(told - exact) / exact);
	}
	snprintf(what, sizeof(what), "%d bits: %.3f %% off at most, of %.3f %%",
			 bits, 100 * worst, 100 * allowed);
	report(worst <= allowed, what);
	free(counts);
}

/* Buckets follow one another without a gap, and each begins where it says. */
static void
check_buckets(int bits)
{
	bool		ok = true;
	char		what[100];

	for (int i = 1; i < PFO_HISTOGRAM_BUCKETS(bits); i++)
	{
		uint64		low = pfo_histogram_low(i, bits);

		ok &= pfo_histogram_bucket(low, bits) == i;
		ok &= pfo_histogram_bucket(low - 1, bits) == i - 1;
	}
	ok &= pfo_histogram_bucket(0, bits) == 0;
	ok &= pfo_histogram_bucket(PG_UINT64_MAX, bits) ==
		PFO_HISTOGRAM_BUCKETS(bits) - 1;
	snprintf(what, sizeof(what), "%d bits: bounds of the buckets", bits);
	report(ok, what);
}

static void
check_histograms(void)
{
	uint64	   *values = malloc(sizeof(uint64) * NVALUES);

	/* the first bucket begins at 0, and the last has no end */
	for (int i = 0; i < NVALUES; i++)
		values[i] = (uint64) fmin(fmax(exp(14 + 2.5 * random_normal()),
									   pfo_histogram_low(1, 3)), 4e12);
	qsort(values, NVALUES, sizeof(uint64), compare_values);
	check_percentiles(values, 3);
	check_percentiles(values, 5);
	check_buckets(3);
	check_buckets(5);
	free(values);
}

/*
 * Rings
 */

typedef struct Event
{
	int64		time;
	uint64		ns;
	bool		failed;
	bool		ran;
} Event;

static Event events[MAX_EVENTS];
static int	nevents = 0;
static PfoRing ring;
static PfoTally tally;

static void
add_events(int64 time, int64 now)
{
	int			n = 1 + next_random() % 5;

	for (int i = 0; i < n && nevents < MAX_EVENTS; i++)
	{
		Event		event = {.time = time};

		event.failed = next_random() % 10 == 0;
		event.ran = !event.failed || next_random() % 2 == 0;
		event.ns = (uint64) exp(14 + 3 * random_normal());
		pfo_tally_add(&tally, event.failed, event.ran, event.ns);
		events[nevents++] = event;
	}
	pfo_ring_add(&ring, &tally, time, now);
	pfo_tally_clear(&tally);
}

/* Is the window what the list says, and does it cover what it should? */
static bool
window_is_right(int w, int64 now)
{
	static uint64 got_buckets[PFO_LATENCY_BUCKETS];
	static uint64 buckets[PFO_LATENCY_BUCKETS];
	PfoLatencySums got;
	PfoLatencySums sums = {0};
	int64		period = pfo_windows[w].period;
	int64		width = period / pfo_windows[w].nslots;
	int64		since = pfo_ring_read(&ring, w, now, &got, got_buckets);

	memset(buckets, 0, sizeof(buckets));
	for (int i = 0; i < nevents; i++)
	{
		const Event *event = &events[i];

		if (event->time < since)
			continue;
		if (event->failed)
			sums.errors++;
		else
			sums.calls++;
		if (!event->ran)
			continue;
		sums.timed++;
		sums.total_ns += event->ns;
		sums.max_ns = Max(sums.max_ns, event->ns);
		buckets[pfo_histogram_bucket(event->ns, PFO_LATENCY_BITS)]++;
	}
	return since > now - period && since <= now - period + width &&
		memcmp(&sums, &got, sizeof(sums)) == 0 &&
		memcmp(buckets, got_buckets, sizeof(buckets)) == 0;
}

/* What no window reaches is of no interest any more. */
static void
forget_events(int64 now)
{
	int			kept = 0;

	for (int i = 0; i < nevents; i++)
	{
		if (events[i].time > now - pfo_longest_window)
			events[kept++] = events[i];
	}
	nevents = kept;
}

/* Mostly fractions of a second, at times minutes, hours, or days. */
static int64
random_step(void)
{
	static const int64 scales[] = {200000, 200000, 5000000, 60000000,
	600000000, INT64CONST(7200000000), INT64CONST(100000000000)};
	int64		scale = scales[(int) (lengthof(scales) *
									  pow(random_share(), 4))];

	return next_random() % scale;
}

static void
check_rings(void)
{
	int64		now = INT64CONST(800000000000000) + next_random() % 1000000;
	int			wrong = 0;
	char		what[100];

	for (int step = 0; step < NSTEPS; step++)
	{
		int64		late = next_random() % 10 == 0 ? random_step() : 0;

		now += random_step();
		if (next_random() % 2 == 0)
			add_events(now - late, now);
		if (next_random() % 4 == 0)
		{
			for (int w = 0; w < PFO_NWINDOWS; w++)
				wrong += !window_is_right(w, now);
			forget_events(now);
		}
	}
	snprintf(what, sizeof(what), "windows: %d are not what was added", wrong);
	report(wrong == 0, what);

	/* what was later than now is not counted, nor in the way */
	wrong = 0;
	for (int back = 1; back <= 400; back++)
	{
		int64		earlier = now - INT64CONST(7200000000) -
			back * INT64CONST(500000000);

		nevents = 0;
		pfo_ring_clear(&ring);
		for (int i = 0; i < 30; i++)
			add_events(now + i * INT64CONST(7000000000),
					   now + i * INT64CONST(7000000000));
		nevents = 0;
		add_events(earlier, earlier);
		for (int w = 0; w < PFO_NWINDOWS; w++)
			wrong += !window_is_right(w, earlier);
	}
	snprintf(what, sizeof(what), "windows: %d are wrong after the clock was set back",
			 wrong);
	report(wrong == 0, what);
}

/* More than 32 bits can count, in a slot and over slots. */
static void
check_overflow(void)
{
	static uint64 buckets[PFO_LATENCY_BUCKETS];
	PfoLatencySums sums;
	int64		now = INT64CONST(800000000000000);
	double		p50;
	double		p999;

	pfo_ring_clear(&ring);
	for (int i = 0; i < 6; i++)
	{
		pfo_tally_add(&tally, false, true, 2000000);
		tally.buckets[tally.touched[0]] = PG_UINT32_MAX;
		pfo_tally_add(&tally, false, true, 2000000);
		pfo_tally_add(&tally, false, true, 500000000);
		tally.buckets[tally.touched[1]] = PG_UINT32_MAX / 100;
		pfo_ring_add(&ring, &tally, now + i * 10000000, now + i * 10000000);
		pfo_ring_add(&ring, &tally, now + i * 10000000, now + i * 10000000);
		pfo_tally_clear(&tally);
	}
	(void) pfo_ring_read(&ring, 0, now + 50000000, &sums, buckets);
	p50 = pfo_latency_percentile(&sums, buckets, 0.5);
	p999 = pfo_latency_percentile(&sums, buckets, 0.999);
	report(fabs(p50 / 2000000 - 1) < 0.016 && fabs(p999 / 500000000 - 1) < 0.016 &&
		   p999 <= sums.max_ns, "more than a histogram counts");
}

int
main(int argc, char **argv)
{
	state = (argc > 1 ? strtoull(argv[1], NULL, 10) : 1) *
		UINT64CONST(0x9E3779B97F4A7C15) | 1;
	check_histograms();
	check_rings();
	check_overflow();
	return 0;
}
