/*-------------------------------------------------------------------------
 *
 * diagnose.c
 *	  What is wrong in a plan?
 *
 * A plan is read into a tree (plan_json.c), each node of which goes through
 * the checks; a few checks look at the tree or the statement as a whole:
 *
 *	diagnose_scan.c		how rows are found
 *	diagnose_memory.c	what did not fit in memory
 *	diagnose_join.c		loops and workers
 *	diagnose_rows.c		where estimates begin to be off
 *	diagnose_run.c		the statement: compiling, planning, locks, reads
 *
 * This file holds what they report.
 *
 * Silence is part of the answer: a good plan has no finding.  So each check
 * wants amounts that are worth somebody's time, not ratios alone, and where
 * the plan has times a finding that could win only a small share of them is
 * dropped, whatever its ratios.
 *
 * wasted_ms is an upper bound: the time of the node, or the part of it that
 * the finding is about.  Findings of a plan overlap, so that their sum means
 * nothing.
 *
 * The plan and its findings are in the caller's memory context; what a check
 * needs is in another that is emptied after each node, as reading a filter
 * takes many times its length.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "workload/diagnose.h"
#include "workload/diagnose_check.h"

/* What is less of the run is within what repeating it would vary. */
#define MIN_SHARE_OF_RUN	0.05

/* Noted before they are put in order: a plan that has more is beyond help. */
#define MAX_NOTED			1000

/* Filters can list thousands of values. */
#define MAX_CLIPPED			300

typedef struct PfoDiagnosisText
{
	const char *name;
	const char *meaning;
	const char *advice;
} PfoDiagnosisText;

static const PfoDiagnosisText texts[] = {
#define PFO_DIAGNOSIS_TEXT(sym, name, meaning, advice) \
	[PFO_DIAGNOSIS_##sym] = {name, meaning, advice},
	PFO_DIAGNOSES(PFO_DIAGNOSIS_TEXT)
#undef PFO_DIAGNOSIS_TEXT
};

StaticAssertDecl(lengthof(texts) == PFO_NDIAGNOSES,
				 "each code has its texts");

const char *
pfo_diagnosis_name(PfoDiagnosisCode code)
{
	return texts[code].name;
}

char *
pfo_clip(const char *text)
{
	int			len = strlen(text);
	int			clipped = pg_mbcliplen(text, len, MAX_CLIPPED);

	return clipped == len ? pstrdup(text) :
		psprintf("%.*s...", clipped, text);
}

/*
 * Partitions that are read the same way are told of once: add this to the
 * finding that an earlier member of the same Append has.
 */
static bool
is_like_a_sibling(PfoDiagnosis *d, PfoDiagnosisCode code,
				  const PfoPlanNode *node, double wasted_ms, double weight)
{
	ListCell   *lc;

	if (node == NULL || node->link != PFO_LINK_MEMBER)
		return false;
	foreach(lc, d->findings)
	{
		PfoFinding *finding = lfirst(lc);

		if (finding->code != code || finding->parent != node->parent)
			continue;
		finding->similar++;
		finding->weight += weight;
		if (wasted_ms >= 0)
			finding->wasted_ms = Max(finding->wasted_ms, 0) + wasted_ms;
		return true;
	}
	return false;
}

/* After all checks, so that what many members share is judged by its sum. */
static bool
is_worth_telling(const PfoDiagnosis *d, const PfoFinding *finding)
{
	return finding->wasted_ms < 0 || d->plan->run_ms <= 0 ||
		finding->wasted_ms >= d->plan->run_ms * MIN_SHARE_OF_RUN;
}

void
pfo_report(PfoDiagnosis *d, PfoDiagnosisCode code, const PfoPlanNode *node,
		   double wasted_ms, double weight, const char *advice,
		   const char *evidence,...)
{
	PfoFinding *finding;
	StringInfoData detail;
	MemoryContext old;

	if (is_like_a_sibling(d, code, node, wasted_ms, weight) ||
		list_length(d->findings) >= MAX_NOTED)
		return;

	old = MemoryContextSwitchTo(d->result);
	initStringInfo(&detail);
	appendStringInfo(&detail, "%s: ", texts[code].meaning);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, evidence);
		needed = appendStringInfoVA(&detail, evidence, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&detail, needed);
	}

	finding = palloc0(sizeof(PfoFinding));
	finding->code = code;
	finding->node_number = node ? node->number : 0;
	finding->node = node ? pfo_node_title(node) : NULL;
	finding->detail = detail.data;
	finding->advice = advice ? pstrdup(advice) : texts[code].advice;
	finding->wasted_ms = wasted_ms;
	finding->weight = weight;
	finding->parent =
		node && node->link == PFO_LINK_MEMBER ? node->parent : NULL;
	d->findings = lappend(d->findings, finding);
	MemoryContextSwitchTo(old);
}

/* What is known to cost most, then what has most rows; as in the plan. */
static int
compare_findings(const ListCell *a, const ListCell *b)
{
	const PfoFinding *fa = lfirst(a);
	const PfoFinding *fb = lfirst(b);

	if (fa->wasted_ms != fb->wasted_ms)
		return fa->wasted_ms > fb->wasted_ms ? -1 : 1;
	if (fa->weight != fb->weight)
		return fa->weight > fb->weight ? -1 : 1;
	if (fa->node_number != fb->node_number)
		return fa->node_number < fb->node_number ? -1 : 1;
	return (int) fa->code - (int) fb->code;
}

static List *
diagnose_plan(const PfoPlan *plan)
{
	PfoDiagnosis d = {.plan = plan, .result = CurrentMemoryContext};
	List	   *worth = NIL;
	ListCell   *lc;

	d.work = AllocSetContextCreate(CurrentMemoryContext, "perfopt diagnosis",
								   ALLOCSET_DEFAULT_SIZES);
	foreach(lc, plan->nodes)
	{
		const PfoPlanNode *node = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(d.work);
		pfo_diagnose_scan(&d, node);
		pfo_diagnose_memory(&d, node);
		pfo_diagnose_join(&d, node);
		MemoryContextSwitchTo(d.result);
		MemoryContextReset(d.work);
	}
	pfo_diagnose_estimates(&d);
	pfo_diagnose_run(&d);
	MemoryContextDelete(d.work);

	foreach(lc, d.findings)
	{
		PfoFinding *finding = lfirst(lc);

		if (!is_worth_telling(&d, finding))
			continue;
		if (finding->wasted_ms >= 0)
			finding->wasted_ms = rint(finding->wasted_ms * 1000) / 1000;
		if (finding->similar > 0)
			finding->detail =
				psprintf("%s; so it is with %d more below the same node",
						 finding->detail, finding->similar);
		worth = lappend(worth, finding);
	}
	return worth;
}

List *
pfo_diagnose(Jsonb *json)
{
	List	   *findings = NIL;
	ListCell   *lc;

	foreach(lc, pfo_plans_read(json))
		findings = list_concat(findings, diagnose_plan(lfirst(lc)));
	list_sort(findings, compare_findings);
	return list_truncate(findings, PFO_MAX_FINDINGS);
}
