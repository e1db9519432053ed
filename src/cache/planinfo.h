/*-------------------------------------------------------------------------
 *
 * planinfo.h
 *	  What the planner side tells the executor side: the private node of our
 *	  CustomScan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_PLANINFO_H
#define PFO_PLANINFO_H

#include "nodes/extensible.h"
#include "nodes/plannodes.h"

#include "base/hash.h"
#include "cache/permissions.h"
#include "base/reason.h"

#define PFO_PLANINFO_NAME "PerfoptPlanInfo"

typedef struct PfoPlanInfo
{
	ExtensibleNode node;
	PfoHash		tree;			/* the statement, with its constants */
	PfoHash		skeleton;		/* without them */
	int64		queryid;		/* names the family */
	bool		asked;			/* the comment perfopt: cache */
	bool		plain_parents;	/* reads plain tables that have children */
	bool		bodies;			/* functions were judged by their bodies */
	bool		reads_settings; /* while it runs */
	bool		skip_planning;	/* an entry may save the planning */
	bool		planning_spoke; /* planning sent messages to the client, or
								 * nobody could tell */
	uint64		generation;		/* before the verdict and the planning */
	PfoReason	outgrown;		/* why the statement may not be cached any
								 * more, when planned after all */
	PfoHash		settings;		/* of the planning */
	double		plan_ms;		/* what planning took, until an execution
								 * has accounted for it */
	int			cursor_options;
	List	   *functions;		/* OIDs whose EXECUTE a hit checks */
	PfoGranted	granted;		/* that check, when it last succeeded */
	List	   *depends;		/* OIDs of relations the answer depends on */
	Bitmapset  *params;			/* external parameters in the tree */
	List	   *folded;			/* expressions whose values join the key */
	PlannedStmt *child;			/* runs on a miss; NULL: not planned yet */
	Query	   *query;			/* to be planned on a miss; NULL if planned */
} PfoPlanInfo;

extern void pfo_planinfo_register(void);
extern PfoPlanInfo *pfo_planinfo_make(void);

/* The info in a plan that is ours, else NULL. */
extern PfoPlanInfo *pfo_planinfo_of(Plan *plan);

#endif							/* PFO_PLANINFO_H */
