/*-------------------------------------------------------------------------
 *
 * diagnose_check.h
 *	  What the checks of a plan have in common.  For diagnose*.c alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_DIAGNOSE_CHECK_H
#define PFO_DIAGNOSE_CHECK_H

#include "workload/diagnose.h"
#include "workload/plan_json.h"

typedef struct PfoDiagnosis
{
	const PfoPlan *plan;
	List	   *findings;
	MemoryContext result;		/* where these are */
	MemoryContext work;			/* emptied after each node */
} PfoDiagnosis;

/*
 * Note a finding: node NULL for the statement as a whole, wasted_ms -1 where
 * it is not known, advice NULL for the code's own.  Not noted if what could be
 * won is not worth the work.
 */
extern void pfo_report(PfoDiagnosis *d, PfoDiagnosisCode code,
					   const PfoPlanNode *node, double wasted_ms,
					   double weight, const char *advice,
					   const char *evidence,...) pg_attribute_printf(7, 8);

/* part of a time, which may be unknown */
static inline double
pfo_share_of_ms(double ms, double share)
{
	return ms < 0 ? -1 : ms * share;
}

/* a text that may be long, for a message */
extern char *pfo_clip(const char *text);

/* the checks of a node */
extern void pfo_diagnose_scan(PfoDiagnosis *d, const PfoPlanNode *node);
extern void pfo_diagnose_memory(PfoDiagnosis *d, const PfoPlanNode *node);
extern void pfo_diagnose_join(PfoDiagnosis *d, const PfoPlanNode *node);

/* the checks of a plan as a whole */
extern void pfo_diagnose_estimates(PfoDiagnosis *d);
extern void pfo_diagnose_run(PfoDiagnosis *d);

/* a sequential scan that is told of for that, by whatever name */
extern bool pfo_seq_scan_discards_most(const PfoPlanNode *node);

/* SET work_mem, rounded up; or what else to do if that would be too much */
extern char *pfo_work_mem_advice(double kilobytes, const char *basis,
								 const char *otherwise);

#endif							/* PFO_DIAGNOSE_CHECK_H */
