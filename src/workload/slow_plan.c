/*-------------------------------------------------------------------------
 *
 * slow_plan.c
 *	  Plans and parameters of slow executions.
 *
 * EXPLAIN reads catalogs and allocates memory, so it is contained, in an
 * internal subtransaction that is rolled back.  Once an execution has failed
 * neither can be done.  Therefore one that is watched is explained before its
 * first run, without rows, and the nodes of its plan are noted in the order in
 * which EXPLAIN shows them; if it fails, their rows are copied beside that
 * (slow_show.c puts them in).  If it ends, it is explained with all that
 * EXPLAIN ANALYZE tells.
 *
 * What the cache's node executes is shown as the plan, without that node.
 *
 * MEMORY.  What is prepared, some 11 kB, is in the executor's memory.  EXPLAIN
 * works in a context that is deleted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "commands/explain.h"
#include "common/pg_lzcompress.h"
#include "executor/executor.h"
#include "mb/stringinfo_mb.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/contain.h"
#include "base/guc.h"
#include "base/normalize.h"
#include "workload/slow_plan.h"

#define MAX_JSON		(128 * 1024)	/* larger plans are not kept ... */
#define MAX_NODES		500		/* ... nor those with more nodes */
#define MAX_VALUE		256		/* bytes of a parameter */

/* ----------------------------------------------------------------
 *						nodes
 * ----------------------------------------------------------------
 */

/* What was executed. */
static PlanState *
planstate_of(const PfoExecution *execution)
{
	return execution->child != NULL ? execution->child :
		execution->query->planstate;
}

static bool
count_node(PlanState *state, void *arg)
{
	int		   *n = arg;

	if (++*n > MAX_NODES)
		return true;
	return planstate_tree_walker(state, count_node, arg);
}

static bool
note_node(PlanState *state, void *arg)
{
	PfoSlowPrepared *prepared = arg;
	int			above = prepared->at;
	bool		full;

	/* a subplan that several expressions use is shown once */
	for (int i = 0; i < prepared->nnodes; i++)
	{
		if (prepared->nodes[i] == state)
			return false;
	}
	if (prepared->nnodes == PFO_SLOW_NODES)
	{
		prepared->nnodes = 0;
		return true;
	}
	prepared->above[prepared->nnodes] = above;
	prepared->at = prepared->nnodes;
	prepared->nodes[prepared->nnodes++] = state;
	full = planstate_tree_walker(state, note_node, arg);
	prepared->at = above;
	return full;
}

static void
note_nodes(PlanState *state, PfoSlowPrepared *prepared)
{
	prepared->nnodes = 0;
	prepared->at = -1;
	/* as EXPLAIN, which hides that of debug_parallel_query */
	if (IsA(state, GatherState) && ((Gather *) state->plan)->invisible)
		state = outerPlanState(state);
	(void) note_node(state, prepared);
}

static bool
is_join(const PlanState *state)
{
	return IsA(state, NestLoopState) || IsA(state, MergeJoinState) ||
		IsA(state, HashJoinState);
}

/* Does not disturb the counting, which may be going on. */
static void
read_counts(const PlanState *state, PfoNodeCounts *counts)
{
	const PfoNodeInstrumentation *instrument = state->instrument;

	memset(counts, 0, sizeof(*counts));
	if (instrument == NULL)
		return;
	counts->rows = instrument->ntuples + instrument->tuplecount;
	counts->loops = instrument->nloops + (instrument->running ? 1 : 0);
	/* that of joins has another name */
	if (!is_join(state))
		counts->filtered = instrument->nfiltered1;
}

/* ----------------------------------------------------------------
 *						explaining
 * ----------------------------------------------------------------
 */

static void
set_data(PfoSlowPlan *plan, const char *json, int len)
{
	char	   *compressed = palloc(PGLZ_MAX_OUTPUT(len));
	int			size = pglz_compress(json, len, compressed,
									 PGLZ_strategy_default);

	plan->len = 0;
	plan->size = 0;
	if (size < 0)
	{
		compressed = unconstify(char *, json);
		size = len;
	}
	if (size > PFO_SLOW_PLAN)
	{
		plan->note = PFO_PLAN_TOO_LARGE;
		return;
	}
	memcpy(plan->data, compressed, size);
	plan->len = len;
	plan->size = size;
}

static void
explain(const PfoExecution *execution, bool analyze, PfoSlowPlan *plan)
{
	PlanState  *state = planstate_of(execution);
	ExplainState *es = NewExplainState();
	QueryDesc	query = *execution->query;
	int			options = query.instrument_options;
	int			n = 0;

	if (count_node(state, &n))
	{
		plan->note = PFO_PLAN_TOO_LARGE;
		return;
	}
	es->format = EXPLAIN_FORMAT_JSON;
	es->analyze = analyze;
	es->timing = analyze && (options & INSTRUMENT_TIMER) != 0;
	es->buffers = analyze && (options & INSTRUMENT_BUFFERS) != 0;
	if (execution->child != NULL)
	{
		query.plannedstmt = state->state->es_plannedstmt;
		query.planstate = state;
		query.estate = state->state;
	}

	ExplainBeginOutput(es);
	ExplainPrintPlan(es, &query);
	if (analyze && execution->child == NULL)
		ExplainPrintTriggers(es, &query);
	ExplainPrintJITSummary(es, &query);
	ExplainEndOutput(es);

	/* an object, not an array of one */
	if (es->str->len > 0 && es->str->data[es->str->len - 1] == '\n')
		es->str->data[--es->str->len] = '\0';
	es->str->data[0] = '{';
	es->str->data[es->str->len - 1] = '}';
	if (es->str->len > MAX_JSON)
		plan->note = PFO_PLAN_TOO_LARGE;
	else
		set_data(plan, es->str->data, es->str->len);
}

/* ----------------------------------------------------------------
 *						parameters
 * ----------------------------------------------------------------
 */

static int
value_length(Datum value, Oid type)
{
	int16		len;
	bool		by_value;

	get_typlenbyval(type, &len, &by_value);
	if (len == -1)
		return toast_raw_datum_size(value) - VARHDRSZ;
	if (len == -2)
		return strlen(DatumGetCString(value));
	return len;
}

/* A value in quotes, or its type and length. */
static void
append_value(StringInfo text, Datum value, Oid type)
{
	Oid			output;
	bool		is_varlena;
	char	   *s;

	if (pfo_slow_query_parameters != PFO_PARAMETERS_ON)
	{
		appendStringInfo(text, "%s(%d)", format_type_be(type),
						 value_length(value, type));
		return;
	}
	getTypeOutputInfo(type, &output, &is_varlena);
	s = OidOutputFunctionCall(output, value);
	appendStringInfoStringQuoted(text, s, MAX_VALUE);
}

static void
write_parameters(ParamListInfo params, char *out)
{
	StringInfoData text;

	out[0] = '\0';
	/* values of PL/pgSQL's variables may be others by now */
	if (params == NULL || params->paramFetch != NULL ||
		pfo_slow_query_parameters == PFO_PARAMETERS_OFF)
		return;
	initStringInfo(&text);
	for (int i = 0; i < params->numParams && text.len < PFO_SLOW_PARAMETERS;
		 i++)
	{
		ParamExternData *param = &params->params[i];

		appendStringInfo(&text, "%s$%d = ", i > 0 ? ", " : "", i + 1);
		if (param->isnull || !OidIsValid(param->ptype))
			appendStringInfoString(&text, "NULL");
		else
			append_value(&text, param->value, param->ptype);
	}
	pfo_copy_text(out, text.data, PFO_SLOW_PARAMETERS);
}

/* ----------------------------------------------------------------
 *						what slow.c calls
 * ----------------------------------------------------------------
 */

typedef struct Explaining
{
	PfoExecution *execution;
	bool		analyze;
	PfoSlowPrepared *prepared;	/* whose nodes are to be noted, or NULL */
	PfoSlowPlan *plan;
	char	   *parameters;
} Explaining;

static void
explain_it(void *arg)
{
	Explaining *explaining = arg;
	PfoExecution *execution = explaining->execution;

	explain(execution, explaining->analyze, explaining->plan);
	if (explaining->prepared != NULL)
		note_nodes(planstate_of(execution), explaining->prepared);
	write_parameters(execution->query->params, explaining->parameters);
}

/* False if it could not be done; the memory that takes is given back. */
static bool
explain_contained(Explaining *explaining)
{
	MemoryContext context;
	MemoryContext old;
	bool		done;

	context = AllocSetContextCreate(CurrentMemoryContext, "perfopt explain",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	done = pfo_contain_catalogs(explain_it, explaining);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return done;
}

static bool
is_hit(const PfoExecution *execution)
{
	return execution->served == PFO_SERVED_HIT && execution->child == NULL;
}

/* What was prepared must not be used if it could not be done. */
void
pfo_slow_plan_prepare(PfoExecution *execution)
{
	PfoSlowPrepared *prepared;
	Explaining	explaining = {execution, false};

	if (is_hit(execution))
		return;
	prepared = MemoryContextAllocExtended(execution->query->estate->es_query_cxt,
										  sizeof(PfoSlowPrepared),
										  MCXT_ALLOC_NO_OOM);
	if (prepared == NULL)
		return;
	prepared->plan.note = PFO_PLAN_FAILED;
	prepared->plan.len = 0;
	prepared->plan.size = 0;
	prepared->parameters[0] = '\0';
	explaining.prepared = prepared;
	explaining.plan = &prepared->plan;
	explaining.parameters = prepared->parameters;
	if (!explain_contained(&explaining))
		return;
	execution->prepared = prepared;
}

void
pfo_slow_plan_failed(const PfoExecution *execution,
					 PfoSlowPlan *plan, char *parameters)
{
	const PfoSlowPrepared *prepared = execution->prepared;

	plan->len = 0;
	plan->size = 0;
	plan->ncounts = 0;
	parameters[0] = '\0';
	if (prepared == NULL)
	{
		plan->note = execution->query == NULL ? PFO_PLAN_NOT_STARTED :
			is_hit(execution) ? PFO_PLAN_HIT : PFO_PLAN_NOT_INSTRUMENTED;
		return;
	}
	strcpy(parameters, prepared->parameters);
	plan->note = prepared->plan.note;
	plan->len = prepared->plan.len;
	plan->size = prepared->plan.size;
	memcpy(plan->data, prepared->plan.data, plan->size);
	if (prepared->nnodes > 0 && prepared->nodes[0]->instrument == NULL)
	{
		plan->note = PFO_PLAN_NOT_INSTRUMENTED;
		return;
	}
	plan->ncounts = prepared->nnodes;
	for (int i = 0; i < prepared->nnodes; i++)
		read_counts(prepared->nodes[i], &plan->counts[i]);

	/* one that has not given a row yet is known by those below it */
	for (int i = plan->ncounts - 1; i >= 0; i--)
	{
		int			above = prepared->above[i];

		if (above >= 0 && plan->counts[i].loops > 0 &&
			plan->counts[above].loops == 0)
			plan->counts[above].loops = 1;
	}
}

/*
 * A cancel waits until this is done: it would become an error of a statement
 * that has given all it had to.
 */
void
pfo_slow_plan_ended(PfoExecution *execution,
					PfoSlowPlan *plan, char *parameters)
{
	bool		instrumented = execution->query->instrument_options != 0;
	Explaining	explaining = {execution, instrumented, NULL, plan, parameters};
	uint32		holdoff = QueryCancelHoldoffCount;
	bool		done;

	plan->note = is_hit(execution) ? PFO_PLAN_HIT :
		instrumented ? PFO_PLAN_EXECUTED : PFO_PLAN_NOT_INSTRUMENTED;
	plan->len = 0;
	plan->size = 0;
	plan->ncounts = 0;
	parameters[0] = '\0';
	QueryCancelHoldoffCount++;
	done = explain_contained(&explaining);
	/* an error has set it to 0 */
	QueryCancelHoldoffCount = holdoff;
	if (done)
		return;
	if (execution->prepared != NULL)
	{
		pfo_slow_plan_failed(execution, plan, parameters);
		if (plan->note == PFO_PLAN_FAILED)
			plan->note = PFO_PLAN_EXECUTED;
		return;
	}
	plan->note = PFO_PLAN_NOT_MADE;
	plan->len = 0;
	plan->size = 0;
}
