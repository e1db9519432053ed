/*-------------------------------------------------------------------------
 *
 * breakage.h
 *	  Leaving out one rule of the validity protocol at a time, to see that
 *	  the tests notice, and failing at one place at a time, to see that no
 *	  statement does.  Only in a library compiled with PFO_TEST_BREAKAGE;
 *	  otherwise each question is a constant false and nothing of it remains.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_BREAKAGE_H
#define PFO_BREAKAGE_H

typedef enum PfoBreakage
{
	PFO_BREAK_NONE,
	PFO_BREAK_ANNOUNCE,			/* rule 1: the xid is not pushed */
	PFO_BREAK_ANNOUNCE_LATE,	/* rule 1: after the commit is visible */
	PFO_BREAK_SETTLED,			/* rule 3: unfinished announcers ignored */
	PFO_BREAK_VERSION,			/* rule 5: the version is not compared */
	PFO_BREAK_OWN_WRITES,		/* rules 4 and 5: own changes ignored */
	PFO_BREAK_FIRST_XID,		/* rule 7: prepared before the start ignored */
	PFO_BREAK_DEFINITIONS,		/* rule 8: DDL is not announced */
	PFO_BREAK_TRACKING			/* track_counts off is not noticed */
} PfoBreakage;

#ifdef PFO_TEST_BREAKAGE
extern int	pfo_breakage;
#define PFO_BROKEN(rule) (pfo_breakage == PFO_BREAK_##rule)

/* counts down; at 0 whoever asks must raise an error */
extern int	pfo_fail_after;
#define PFO_FAILS_NOW() (pfo_fail_after > 0 && --pfo_fail_after == 0)
#else
#define PFO_BROKEN(rule) false
#define PFO_FAILS_NOW() false
#endif

#endif							/* PFO_BREAKAGE_H */
