/*-------------------------------------------------------------------------
 *
 * policy.h
 *	  Which answers are worth keeping: sightings of keys, and the record of
 *	  each statement family (database, query id).
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_POLICY_H
#define PFO_POLICY_H

#include "base/hash.h"
#include "base/reason.h"

#define PFO_FAMILY_TEXT 400		/* bytes of normalised text kept */

typedef struct PfoFamily
{
	Oid			dbid;
	int64		queryid;
	uint64		calls;			/* executions seen, served ones included */
	uint64		hits;
	uint64		would_hit;		/* executions that a cache would have served */
	double		total_ms;		/* of executions that were not served */
	double		saved_ms;		/* by hits */
	double		would_save_ms;
	bool		disabled;		/* a verified answer differed */
	int			encoding;		/* of the text */
	char		text[PFO_FAMILY_TEXT];
} PfoFamily;

extern Size pfo_policy_shmem_size(void);
extern void pfo_policy_shmem_init(void);

/*
 * Count a sighting of the key under the versions it depends on, as a digest,
 * and give the number of sightings so far.  would_hit: the last sighting had
 * the same digest.
 */
extern uint32 pfo_policy_sighting(const PfoHash *key, uint64 digest,
								  bool *would_hit);

/* How often the key was seen so far. */
extern uint32 pfo_policy_sightings(const PfoHash *key);

/* Record an execution of a family. */
extern void pfo_policy_executed(int64 queryid, double ms, bool would_hit);
extern void pfo_policy_served(int64 queryid, double saved_ms);

/* Add what this backend recorded to shared memory. */
extern void pfo_policy_flush(void);

/* Give the family its text, if it has none yet. */
extern bool pfo_policy_needs_text(int64 queryid);
extern void pfo_policy_set_text(int64 queryid, const char *text);

/*
 * A wrong answer was found: nothing of this family is served again.  False if
 * somebody else found one before.
 */
extern bool pfo_policy_disable(int64 queryid);
extern bool pfo_policy_disabled(int64 queryid);

typedef void (*PfoFamilyCallback) (const PfoFamily *family, void *arg);
extern void pfo_policy_foreach(PfoFamilyCallback callback, void *arg);

/* Counters to zero: of the query id, or (0) of all. */
extern void pfo_policy_reset(uint64 queryid);

#endif							/* PFO_POLICY_H */
