/*-------------------------------------------------------------------------
 *
 * fold.c
 *	  Calls that tell of the session or of the moment, whose value becomes
 *	  part of what identifies an answer.
 *
 * current_user, current_setting('app.tenant') and CURRENT_DATE depend on no
 * table and on nothing that the key holds otherwise.  They are evaluated at
 * each look-up, and their values join the key.  The statement's own plan is
 * not touched: whoever executes it calls the functions as ever.
 *
 * WHY THAT IS EXACT.  What is folded is STABLE in the strict sense: it gives
 * the same value wherever and whenever it is called during one run of a
 * statement, in parallel workers too.  So the rows are a function of the
 * tables and of the values, whichever of the calls an execution reaches, and
 * the values at the look-up are those of the run that follows.  That rests on:
 *
 *	- Settings change by commands between statements, and by set_config() and
 *	  functions with a SET clause, which no statement that is kept can call.
 *	  Look-up and run are one call of the executor.  A portal that is fetched
 *	  in pieces is none: a SET between two pieces reaches the second.  So
 *	  what is fetched in pieces is neither stored nor served (scan_start.c).
 *	- now() is that of the transaction.  statement_timestamp() is that of the
 *	  client's latest message, and the message that runs a portal is the one
 *	  in which it is looked up.
 *	- Names of roles, schemas and databases are in catalogs; somebody can
 *	  rename a role while the statement runs.  What this backend believes
 *	  changes only when it hears of that, so messages about these catalogs
 *	  are counted (pfo_fold_generation()): an answer during whose making one
 *	  came is not kept.
 *	- The planner does not evaluate STABLE functions but for estimates.  It
 *	  does evaluate a user's function labelled IMMUTABLE, whatever its body
 *	  calls, and keeps the value in a prepared plan: in the body of one that
 *	  bears this label nothing is folded, and the statement is refused.
 *
 * NO ERRORS.  What is evaluated here, the execution might not reach: it can
 * stand in an arm of CASE.  So it must be unable to fail.  Candidates are
 * calls on the reviewed list of functions.c (FOLDABLE) with constants and
 * parameters as arguments, which are looked at before the call: a setting
 * must exist and be for everybody to see.  If not, the execution is
 * not looked up, with a reason, and PostgreSQL raises the error that there may
 * be.  What stands above a folded call, as the cast in
 * current_setting('app.tenant')::int, is not evaluated: the same value gives
 * the same result.
 *
 * THE MOMENT.  now() and its kin differ in each transaction, so that an answer
 * under such a key would never be asked for again.  They are folded together
 * with what makes a date or a whole second of them, if that is above (COARSENS
 * and, in between, SHIFTS).  The largest such part is taken.  A moment
 * without is refused as unstable.  This is a matter of use, not of exactness.
 *
 * Which calls there are follows from the tree, which is in the key, and for
 * those in bodies of functions from definitions that are compared before a hit
 * and before storing.  So values are in the key by their order alone.
 *
 * TEXT SEARCH.  default_text_search_config is a name; what it leads to is
 * looked up at its first use in a session, which then keeps to that whatever
 * becomes of the name: along another search_path, after schemas were renamed.
 * So a statement that uses it has what it stands for in this session in its
 * key.  A name without schema, which the configuration file can bring (SET
 * adds the schema), depends on the path of that moment.  To look it up where
 * the statement itself would not would be noticed, so with such a name there
 * is no value.
 *
 * CAVEATS.  A setting whose text is made by a function of the library that
 * defines it could change by itself in the middle of a statement.  None of
 * PostgreSQL's does where answers are served.
 *
 * Here they are found; fold_value.c evaluates them.
 *
 * MEMORY.  What is collected is copied to the current context, which is that
 * of the plan.  Evaluating allocates some bytes in the current context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"

#include "cache/fold.h"
#include "cache/fold_call.h"
#include "cache/functions.h"

/* a statement with more of them than this is not worth the effort */
#define MAX_FOLDED		64

/* What an expression is to folding */
typedef enum FoldClass
{
	FOLD_NONE,					/* nothing by itself */
	FOLD_REFUSED,				/* foldable but for its arguments */
	FOLD_MOMENT,				/* the moment, or one at a distance from it */
	FOLD_SHIFTED,				/* a value at a distance from a folded one */
	FOLD_VALUE					/* can be folded */
} FoldClass;

static bool
is_input(Node *node, bool with_params)
{
	node = pfo_fold_strip_labels(node);
	return IsA(node, Const) ||
		(with_params && IsA(node, Param) &&
		 ((Param *) node)->paramkind == PARAM_EXTERN);
}

static FoldClass
classify_value_function(const SQLValueFunction *svf)
{
	switch (svf->op)
	{
		case SVFOP_CURRENT_DATE:
		case SVFOP_CURRENT_ROLE:
		case SVFOP_CURRENT_USER:
		case SVFOP_USER:
		case SVFOP_SESSION_USER:
		case SVFOP_CURRENT_CATALOG:
		case SVFOP_CURRENT_SCHEMA:
			return FOLD_VALUE;

		case SVFOP_CURRENT_TIMESTAMP_N:
		case SVFOP_LOCALTIMESTAMP_N:
			return svf->typmod == 0 ? FOLD_VALUE : FOLD_MOMENT;

			/* nor does anything here coarsen times of the day */
		default:
			return FOLD_MOMENT;
	}
}

static FoldClass classify(Node *node, bool with_params);

/* What shifts or coarsens, if there is a moment to work on */
static FoldClass
classify_above(const PfoFoldCall *call, int flags, bool with_params)
{
	int			position = pfo_fold_moment_position(call->funcid);
	FoldClass	below = FOLD_NONE;

	for (int i = 0; i < list_length(call->args); i++)
	{
		Node	   *arg = (Node *) list_nth(call->args, i);

		if (i == position)
		{
			below = classify(arg, with_params);
			if (below != FOLD_MOMENT && below != FOLD_SHIFTED &&
				below != FOLD_VALUE)
				return FOLD_NONE;
			continue;
		}
		if (!is_input(arg, with_params))
			return FOLD_NONE;
		arg = pfo_fold_strip_labels(arg);
		if (IsA(arg, Const) ?
			((Const *) arg)->constisnull ||
			!pfo_fold_argument_fits(call->funcid, i, ((Const *) arg)->constvalue) :
			(flags & PFO_FUNCTION_COARSENS) != 0)
			return FOLD_NONE;
	}
	if (flags & PFO_FUNCTION_COARSENS)
		return FOLD_VALUE;
	return below == FOLD_MOMENT ? FOLD_MOMENT : FOLD_SHIFTED;
}

static FoldClass
classify(Node *node, bool with_params)
{
	PfoFoldCall call;
	int			flags;
	ListCell   *lc;

	if (IsA(node, SQLValueFunction))
		return classify_value_function((SQLValueFunction *) node);

	check_stack_depth();
	pfo_fold_call_of(node, &call);
	if (!OidIsValid(call.funcid) || list_length(call.args) > PFO_FOLD_MAX_ARGS)
		return FOLD_NONE;
	flags = pfo_function_flags(call.funcid);
	if (flags & PFO_FUNCTION_MOMENT)
		return FOLD_MOMENT;
	if (flags & (PFO_FUNCTION_SHIFTS | PFO_FUNCTION_COARSENS))
		return classify_above(&call, flags, with_params);
	if (!(flags & PFO_FUNCTION_FOLDABLE))
		return FOLD_NONE;
	foreach(lc, call.args)
	{
		if (!is_input((Node *) lfirst(lc), with_params))
			return FOLD_REFUSED;
	}
	return FOLD_VALUE;
}

typedef struct Collecting
{
	bool		with_params;
	List	   *folded;
	PfoReason	reason;
	Oid			object;
} Collecting;

/* The function that tells the moment, below what shifts it, or of the call */
static Oid
named_function(Node *node)
{
	PfoFoldCall call;

	for (;;)
	{
		pfo_fold_call_of(node, &call);
		if (!(pfo_function_flags(call.funcid) & PFO_FUNCTION_SHIFTS))
			return call.funcid;
		node = (Node *) list_nth(call.args,
								 pfo_fold_moment_position(call.funcid));
	}
}

static bool
collect(Node *node, Collecting *collecting)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, collect, (void *) collecting,
								 0);

	switch (classify(node, collecting->with_params))
	{
		case FOLD_VALUE:
			if (list_member(collecting->folded, node))
				return false;
			if (list_length(collecting->folded) < MAX_FOLDED)
			{
				collecting->folded = lappend(collecting->folded,
											 copyObject(node));
				return false;
			}
			collecting->reason = PFO_REASON_NEEDS_FOLDING;
			break;
		case FOLD_MOMENT:
			collecting->reason = PFO_REASON_UNSTABLE_FOLD;
			break;
		case FOLD_REFUSED:
			collecting->reason = PFO_REASON_NEEDS_FOLDING;
			break;
		default:
			return expression_tree_walker(node, collect, (void *) collecting);
	}
	collecting->object = named_function(node);
	return true;
}

void
pfo_fold_text_search(List **folded)
{
	*folded = list_append_unique(*folded,
								 makeFuncExpr(F_GET_CURRENT_TS_CONFIG,
											  REGCONFIGOID, NIL, InvalidOid,
											  InvalidOid,
											  COERCE_EXPLICIT_CALL));
}

PfoReason
pfo_fold_collect(Query *query, bool with_params, List **folded, Oid *object)
{
	Collecting	collecting = {with_params, *folded};

	(void) collect((Node *) query, &collecting);
	*folded = collecting.folded;
	if (collecting.reason != PFO_REASON_NONE)
		*object = collecting.object;
	return collecting.reason;
}
