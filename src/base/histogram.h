/*-------------------------------------------------------------------------
 *
 * histogram.h
 *	  Log-linear histograms of durations.
 *
 * Each octave, from 1,024 ns on, is cut into 2^bits buckets of one width, as
 * in HdrHistogram and YugabyteDB's yb_latency_histogram.  What is known of a
 * duration is its bucket; told is the middle of that, so the relative error is
 * at most 1 / 2^(bits + 1): 6.25 % with 3 bits, 1.6 % with 5.  Shorter ones
 * are in the first bucket, which therefore begins at 0 and tells less, and
 * longer ones than 2^42 ns (73 minutes) in the last.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_HISTOGRAM_H
#define PFO_HISTOGRAM_H

#include "port/pg_bitutils.h"

#define PFO_HISTOGRAM_FIRST		10	/* log2 of the first octave, in ns */
#define PFO_HISTOGRAM_OCTAVES	32
#define PFO_HISTOGRAM_BUCKETS(bits)	(PFO_HISTOGRAM_OCTAVES << (bits))

static inline int
pfo_histogram_bucket(uint64 ns, int bits)
{
	int			octave;
	int			bucket;

	if (ns < UINT64CONST(1) << PFO_HISTOGRAM_FIRST)
		return 0;
	octave = pg_leftmost_one_pos64(ns);
	bucket = (octave - PFO_HISTOGRAM_FIRST) << bits |
		(int) (ns >> (octave - bits) & ((1 << bits) - 1));
	return Min(bucket, PFO_HISTOGRAM_BUCKETS(bits) - 1);
}

/* Where the bucket begins, in ns; the next one begins where it ends. */
static inline uint64
pfo_histogram_low(int bucket, int bits)
{
	int			octave = PFO_HISTOGRAM_FIRST + (bucket >> bits);
	uint64		part = (UINT64CONST(1) << bits) | (bucket & ((1 << bits) - 1));

	return bucket == 0 ? 0 : part << (octave - bits);
}

/*
 * The duration, in ns, that a share p of the counted ones does not exceed.
 * Zero if none was counted.
 */
extern double pfo_histogram_percentile(const uint32 *counts, int bits,
									   double p);

#endif							/* PFO_HISTOGRAM_H */
