/*-------------------------------------------------------------------------
 *
 * eligible.h
 *	  May the answer of a statement be kept at all?  A verdict about the
 *	  analysed query, with a reason.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_ELIGIBLE_H
#define PFO_ELIGIBLE_H

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"

#include "base/reason.h"

typedef struct PfoEligibility
{
	PfoReason	reason;			/* PFO_REASON_NONE: eligible */
	Oid			object;			/* the function or relation it is about, or
								 * InvalidOid */
	List	   *functions;		/* OIDs of all functions, aggregates and
								 * window functions whose EXECUTE permission
								 * executing the query checks; no duplicates */
	List	   *typrelids;		/* relations of the composite types it uses,
								 * recursively (what ALTER TYPE changes) */
	bool		plain_parents;	/* reads a plain table that has children */
	bool		bodies;			/* functions were judged by their bodies */
	bool		reads_settings; /* while it runs */
	bool		folds;			/* calls in the query itself must be folded:
								 * see fold.h, whose verdict is another one
								 * since it depends on constants */
	List	   *folded;			/* those in the bodies, and the text search
								 * configuration that it uses by default */
} PfoEligibility;

/*
 * Judge an analysed and rewritten query.  Reads catalogs, hence inside a
 * transaction only.  Lists are allocated in the current memory context; they
 * are complete only if the verdict is PFO_REASON_NONE.  The query is not
 * modified.
 */
extern void pfo_eligible_query(Query *query, PfoEligibility *result);

/*
 * Judge the relations that a finished plan reads (relationOids of the
 * PlannedStmt: children and partitions are known only there).  Gives the
 * reason and the relation it is about.
 */
extern PfoReason pfo_eligible_relations(List *relation_oids, Oid *relid);

#endif							/* PFO_ELIGIBLE_H */
