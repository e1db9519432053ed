/*-------------------------------------------------------------------------
 *
 * histogram.c
 *	  Percentiles of a histogram.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "base/histogram.h"

double
pfo_histogram_percentile(const uint32 *counts, int bits, double p)
{
	int			nbuckets = PFO_HISTOGRAM_BUCKETS(bits);
	uint64		all = 0;
	uint64		wanted;
	uint64		seen = 0;
	int			bucket = 0;

	for (int i = 0; i < nbuckets; i++)
		all += counts[i];
	if (all == 0)
		return 0;
	wanted = Max((uint64) ceil(p * all), 1);
	while (bucket < nbuckets - 1 && (seen += counts[bucket]) < wanted)
		bucket++;
	return (pfo_histogram_low(bucket, bits) +
			pfo_histogram_low(bucket + 1, bits)) / 2.0;
}
