/*-------------------------------------------------------------------------
 *
 * latency_ring.h
 *	  Durations in rings of time slots, for windows that end now.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_LATENCY_RING_H
#define PFO_LATENCY_RING_H

#include "base/histogram.h"

#define PFO_LATENCY_BITS	5	/* of the histograms: 1.6 % */
#define PFO_LATENCY_BUCKETS PFO_HISTOGRAM_BUCKETS(PFO_LATENCY_BITS)

/* A window: a ring of slots of one width. */
typedef struct PfoWindow
{
	int64		period;			/* in us */
	int			nslots;
	int			first;			/* of its slots, among those of all windows */
} PfoWindow;

#define PFO_NWINDOWS		4
#define PFO_RING_SLOTS		30	/* of all windows */

extern const PfoWindow pfo_windows[PFO_NWINDOWS];
extern const int64 pfo_longest_window;

/* What is known besides the histogram. */
typedef struct PfoLatencySums
{
	uint64		calls;			/* executions that ended */
	uint64		errors;
	uint64		timed;			/* of both, that ran */
	uint64		total_ns;
	uint64		max_ns;
} PfoLatencySums;

/* Executions that are added to a ring at a time. */
typedef struct PfoTally
{
	PfoLatencySums sums;
	int			ntouched;
	uint16		touched[PFO_LATENCY_BUCKETS];	/* that are not zero */
	uint32		buckets[PFO_LATENCY_BUCKETS];
} PfoTally;

/* Valid if all is zero: nothing was counted. */
typedef struct PfoRing
{
	struct
	{
		int64		number;		/* of the slot's time: time / width */
		PfoLatencySums sums;
	}			heads[PFO_RING_SLOTS];
	uint32		buckets[PFO_RING_SLOTS][PFO_LATENCY_BUCKETS];
} PfoRing;

/* One more execution: did it fail, did it run, and how long? */
extern void pfo_tally_add(PfoTally *tally, bool failed, bool ran, uint64 ns);
extern void pfo_tally_clear(PfoTally *tally);

/*
 * Add executions of that time, which is not later than now, to all windows
 * that reach back so far.  Times are microseconds since whenever.
 */
extern void pfo_ring_add(PfoRing *ring, const PfoTally *tally, int64 time,
						 int64 now);

/* What a window that ends now is made of; gives the time it begins. */
extern int64 pfo_ring_read(const PfoRing *ring, int window, int64 now,
						   PfoLatencySums *sums, uint64 *buckets);

/* Nothing was counted.  The buckets are not touched. */
extern void pfo_ring_clear(PfoRing *ring);

/* As pfo_histogram_percentile(), of what pfo_ring_read() gave. */
extern double pfo_latency_percentile(const PfoLatencySums *sums,
									 const uint64 *buckets, double p);

#endif							/* PFO_LATENCY_RING_H */
