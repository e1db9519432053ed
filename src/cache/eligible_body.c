/*-------------------------------------------------------------------------
 *
 * eligible_body.c
 *	  SQL functions that are judged by what they do.
 *
 * A function with a body in the style of the SQL standard (RETURN ..., or
 * BEGIN ATOMIC with one statement) was parsed when it was defined: whatever
 * the body names is bound for good, and pg_depend keeps it in place.  If the
 * body is one expression of the parameters, a call is that expression, so the
 * body is judged by the same walk as the statement's own expressions.  The
 * function's labels need not be believed: if all that the body runs depends on
 * its arguments alone, so does the function, inlined by the planner, folded
 * to a constant, or called.
 *
 * A body that is a string remains untrusted.  Its names are looked up when it
 * is run or inlined, along the search_path of that moment, and something newly
 * created can change what they lead to; creating announces nothing.
 *
 * Only calls whose EXECUTE permission is collected come here, so that the
 * functions inside are collected as well, whose permission PostgreSQL asks for
 * when the body is inlined or run.  The verdict holds until one of these
 * functions is changed; all of them are among what the plan was made from
 * (childplan.c).
 *
 * What is refused though it might do no harm: functions that return a set or
 * a record, take any type or any number of arguments, run as their owner or
 * under settings of their own, or have a support function, which may put
 * anything in place of a call; calls that leave arguments to their defaults,
 * which the planner adds after us; bodies whose value is not exactly of the
 * declared type, since a cast is added when they are run; recursion, which
 * ends at the limit of depth.
 *
 * From 18 on PostgreSQL keeps the plans of bodies that it does not inline for
 * the session, as if they were prepared.  What planning such a body folded
 * into a constant can be outdated without anybody being told: the text of a
 * float after extra_float_digits was changed, or the value of a function
 * called by a function called there.  So there, what can be folded may run
 * only what never changes: in a body, what holds no parameter; in one that
 * another body calls, all of it, for that may give it constants.
 *
 * Calls that tell of the session or of the moment are folded as if they stood
 * in the statement, if their arguments are constants (fold.c).
 *
 * Reads catalogs: inside a transaction only.  Memory comes from the current
 * context, that of the planning.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "cache/eligible_body.h"
#include "cache/fold.h"
#include "cache/functions.h"

/* bodies that one verdict may look into */
#define MAX_BODIES	64

bool
pfo_function_has_body(Oid funcid)
{
	HeapTuple	tuple;
	bool		has_body;

	if (funcid < FirstGenbkiObjectId)
		return false;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(tuple))
		return false;
	has_body = ((Form_pg_proc) GETSTRUCT(tuple))->prolang == SQLlanguageId &&
		!heap_attisnull(tuple, Anum_pg_proc_prosqlbody, NULL);
	ReleaseSysCache(tuple);
	return has_body;
}

/* Is a call nothing but its body, with the arguments put in? */
static bool
is_plain_function(HeapTuple tuple, int nargs)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);

	if (form->prokind != PROKIND_FUNCTION || form->proretset ||
		form->prosecdef || OidIsValid(form->provariadic) ||
		OidIsValid(form->prosupport) || form->pronargs != nargs ||
		!heap_attisnull(tuple, Anum_pg_proc_proconfig, NULL))
		return false;

	if (get_typtype(form->prorettype) == TYPTYPE_PSEUDO)
		return false;
	for (int i = 0; i < form->pronargs; i++)
	{
		if (get_typtype(form->proargtypes.values[i]) == TYPTYPE_PSEUDO)
			return false;
	}
	return true;
}

/* RETURN is stored as a query, BEGIN ATOMIC as a list with a list of them. */
static Query *
only_query(Node *body)
{
	for (int layer = 0; layer < 2 && body != NULL && IsA(body, List); layer++)
	{
		if (list_length((List *) body) != 1)
			return NULL;
		body = linitial((List *) body);
	}
	return body != NULL && IsA(body, Query) ? (Query *) body : NULL;
}

/* The same that PostgreSQL asks for before it inlines one, and no less */
static bool
is_expression(const Query *query)
{
	return query->commandType == CMD_SELECT &&
		query->utilityStmt == NULL &&
		!query->hasAggs &&
		!query->hasWindowFuncs &&
		!query->hasTargetSRFs &&
		!query->hasSubLinks &&
		!query->hasForUpdate &&
		query->cteList == NIL &&
		query->rtable == NIL &&
		query->jointree->fromlist == NIL &&
		query->jointree->quals == NULL &&
		query->groupClause == NIL &&
		query->groupingSets == NIL &&
		query->havingQual == NULL &&
		query->windowClause == NIL &&
		query->distinctClause == NIL &&
		query->sortClause == NIL &&
		query->limitOffset == NULL &&
		query->limitCount == NULL &&
		query->rowMarks == NIL &&
		query->setOperations == NULL &&
		list_length(query->targetList) == 1;
}

static Node *
value_of(const Query *query)
{
	return (Node *) linitial_node(TargetEntry, query->targetList)->expr;
}

/* The body, if it is one expression of the declared type; else NULL */
static Query *
body_of(Oid funcid, int nargs)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	Oid			rettype;
	Datum		stored;
	bool		isnull;
	char	   *source = NULL;
	Query	   *query;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	rettype = ((Form_pg_proc) GETSTRUCT(tuple))->prorettype;
	stored = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &isnull);
	if (!isnull && is_plain_function(tuple, nargs))
		source = TextDatumGetCString(stored);
	ReleaseSysCache(tuple);

	query = source == NULL ? NULL : only_query(stringToNode(source));
	if (query == NULL || !is_expression(query))
		return NULL;
	return exprType(value_of(query)) == rettype ? query : NULL;
}

/*
 * What a plan that is kept for the session may fold into a constant
 */

/* A user's type can change, and with it what a function does. */
static bool
is_unchanging(Oid funcid, Oid type)
{
	return type < FirstGenbkiObjectId && pfo_function_unchanging(funcid);
}

/* Is it of those that fold.c knows, and never made a constant, for STABLE? */
static bool
is_called(Oid funcid)
{
	return (pfo_function_flags(funcid) & (PFO_FUNCTION_FOLDABLE |
										  PFO_FUNCTION_SHIFTS |
										  PFO_FUNCTION_COARSENS)) != 0 &&
		func_volatile(funcid) == PROVOLATILE_STABLE;
}

static bool
cast_is_unchanging(CoerceViaIO *expr)
{
	Oid			type = exprType((Node *) expr->arg);
	Oid			output;
	Oid			input;
	Oid			typioparam;
	bool		isvarlena;

	getTypeOutputInfo(type, &output, &isvarlena);
	getTypeInputInfo(expr->resulttype, &input, &typioparam);
	return is_unchanging(output, type) &&
		is_unchanging(input, expr->resulttype);
}

/* True if a constant made of the expression could be outdated one day */
static bool
can_change(Node *node, void *context)
{
	if (node == NULL)
		return false;

	switch (nodeTag(node))
	{
		case T_List:
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_CaseWhen:
			break;

		case T_Const:
		case T_Param:
		case T_CaseExpr:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_RelabelType:
		case T_CollateExpr:
		case T_NamedArgExpr:
		case T_ArrayExpr:
			/* text search configurations are catalogs; so are user's types */
			if (exprType(node) == REGCONFIGOID ||
				exprType(node) == REGDICTIONARYOID ||
				exprType(node) >= FirstGenbkiObjectId)
				return true;
			break;

			/* evaluated at each run, as what is_called() */
		case T_SQLValueFunction:
			break;

		case T_FuncExpr:
			if (!is_called(((FuncExpr *) node)->funcid) &&
				!is_unchanging(((FuncExpr *) node)->funcid, exprType(node)))
				return true;
			break;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			if (!is_called(get_opcode(((OpExpr *) node)->opno)) &&
				!is_unchanging(get_opcode(((OpExpr *) node)->opno),
							   exprType(node)))
				return true;
			break;
		case T_ScalarArrayOpExpr:
			if (!is_unchanging(get_opcode(((ScalarArrayOpExpr *) node)->opno),
							   BOOLOID))
				return true;
			break;
		case T_CoerceViaIO:
			if (!cast_is_unchanging((CoerceViaIO *) node))
				return true;
			break;

		default:
			return true;
	}
	return expression_tree_walker(node, can_change, context);
}

static bool
has_param(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return IsA(node, Param) ||
		expression_tree_walker(node, has_param, context);
}

/* The same for the parts that hold no parameter, hence can be folded */
static bool
folded_can_change(Node *node, void *context)
{
	if (node == NULL || IsA(node, Const))
		return false;
	if (!has_param(node, NULL))
		return can_change(node, context);
	return expression_tree_walker(node, folded_can_change, context);
}

/* A body that another body calls may be given constants there. */
static bool
kept_plan_is_safe(Query *body, bool inside_another)
{
	if (!PFO_KEEPS_PLANS_OF_BODIES)
		return true;
	return inside_another ? !can_change(value_of(body), NULL) :
		!folded_can_change(value_of(body), NULL);
}

/* Calls in the body that must be folded, with what is there to fold them by */
static bool
refuses_fold(PfoJudge *judge, Query *body)
{
	Oid			object = InvalidOid;
	PfoReason	reason = pfo_fold_collect(body, false, &judge->result->folded,
										  &object);

	return reason != PFO_REASON_NONE && pfo_refuse(judge, reason, object);
}

/*
 * The interface
 */

bool
pfo_judge_body(PfoJudge *judge, Oid funcid, int nargs)
{
	int			depth = judge->depth;
	PfoLevel   *level = judge->level;
	bool		constant = judge->constant;
	int			nfolds = judge->nfolds;
	Query	   *body;
	bool		refused;

	judge->result->bodies = true;
	if (depth < PFO_BODY_DEPTH &&
		list_member_oid(judge->bodies[depth], funcid))
		return false;
	if (depth >= PFO_BODY_DEPTH || judge->nbodies++ >= MAX_BODIES)
		return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION, funcid);
	body = body_of(funcid, nargs);
	if (body == NULL)
		return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION, funcid);

	/* it sees its parameters, and nothing of the statement around the call */
	judge->level = NULL;
	judge->depth++;
	judge->constant = constant ||
		func_volatile(funcid) == PROVOLATILE_IMMUTABLE;
	refused = pfo_judge_query(judge, body);
	judge->constant = constant;
	judge->depth--;
	judge->level = level;
	if (refused || (judge->nfolds > nfolds && refuses_fold(judge, body)))
		return true;
	if (!kept_plan_is_safe(body, depth > 0))
		return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION, funcid);

	/* one with calls to be folded is judged anew for each function around */
	if (judge->nfolds == nfolds)
		judge->bodies[depth] = lappend_oid(judge->bodies[depth], funcid);
	return false;
}
