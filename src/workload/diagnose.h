/*-------------------------------------------------------------------------
 *
 * diagnose.h
 *	  What is wrong in a plan?
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_DIAGNOSE_H
#define PFO_DIAGNOSE_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "workload/diagnose_code.h"

/* the most that is reported of one plan: who has as many begins at the top */
#define PFO_MAX_FINDINGS 100

typedef struct PfoFinding
{
	PfoDiagnosisCode code;
	int			node_number;	/* as EXPLAIN prints them, from 1; 0: none */
	const char *node;			/* its title, or NULL */
	const char *detail;			/* what it means, and the evidence */
	const char *advice;
	double		wasted_ms;		/* the most that could be won; -1: not known */
	double		weight;			/* rows it is about, to order the rest */
	const struct PfoPlanNode *parent;	/* and to say once what all members */
	int			similar;		/* of an Append share */
} PfoFinding;

extern const char *pfo_diagnosis_name(PfoDiagnosisCode code);

/*
 * The findings (PfoFinding) in what EXPLAIN (FORMAT JSON) printed, the most
 * important first.  Raises an error if it is no plan.  May look up relations
 * of this database in its catalogs, but does not depend on their being there.
 */
extern List *pfo_diagnose(Jsonb *json);

#endif							/* PFO_DIAGNOSE_H */
