/*-------------------------------------------------------------------------
 *
 * eligible_expr.c
 *	  What runs in a query: the walk over its expressions.
 *
 * All code that an expression can reach is judged, also behind operators,
 * casts, domains, aggregates, sorting and grouping.  The walk knows a list of
 * node types and refuses others; each node is judged for what it runs by
 * itself, and its children when the walk comes to them.
 *
 * On the way the types are collected that the query uses, with the columns of
 * the relations it reads.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "cache/eligible_calls.h"
#include "cache/eligible_judge.h"
#include "cache/functions.h"

static bool pfo_expression_walker(Node *node, PfoJudge *judge);

/*
 * Parts of queries
 */

/* Clauses that name operators and functions outside of expressions */
static bool
pfo_judge_clauses(PfoJudge *judge, Query *query)
{
	ListCell   *lc;

	if (pfo_judge_sort_clauses(judge, query->sortClause, query->targetList) ||
		pfo_judge_sort_clauses(judge, query->groupClause, query->targetList) ||
		pfo_judge_sort_clauses(judge, query->distinctClause,
							   query->targetList))
		return true;

	foreach(lc, query->windowClause)
	{
		WindowClause *window = lfirst_node(WindowClause, lc);

		if (pfo_judge_sort_clauses(judge, window->partitionClause,
								   query->targetList) ||
			pfo_judge_sort_clauses(judge, window->orderClause,
								   query->targetList))
			return true;
		if (OidIsValid(window->startInRangeFunc) &&
			pfo_judge_call(judge, window->startInRangeFunc, NIL, BOOLOID))
			return true;
		if (OidIsValid(window->endInRangeFunc) &&
			pfo_judge_call(judge, window->endInRangeFunc, NIL, BOOLOID))
			return true;
	}
	return false;
}

/* UNION and its kin compare whole rows. */
static bool
pfo_judge_setop(PfoJudge *judge, SetOperationStmt *setop)
{
	ListCell   *type;
	ListCell   *group;

	/* UNION ALL compares nothing */
	if (setop->groupClauses == NIL)
		return false;
	forboth(type, setop->colTypes, group, setop->groupClauses)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, group);

		if (pfo_judge_grouping(judge, clause->eqop, clause->sortop, NULL,
							   lfirst_oid(type)))
			return true;
	}
	return false;
}

/* Columns given to a function that returns rows of text or JSON values */
static bool
pfo_judge_from_function(PfoJudge *judge, RangeTblFunction *rtfunc)
{
	ListCell   *lc;
	Oid			funcid;

	foreach(lc, rtfunc->funccoltypes)
		pfo_note_type(&judge->types, lfirst_oid(lc));

	if (rtfunc->funcexpr == NULL || !IsA(rtfunc->funcexpr, FuncExpr))
		return false;
	funcid = ((FuncExpr *) rtfunc->funcexpr)->funcid;
	if (!pfo_types_ok(rtfunc->funccoltypes, PFO_NEEDS_INPUT) &&
		(pfo_function_flags(funcid) & PFO_FUNCTION_INPUT ||
		 funcid >= FirstGenbkiObjectId))
		return pfo_refuse(judge, PFO_REASON_STABLE_FUNCTION, funcid);
	return false;
}

/* XMLTABLE makes its columns from text. */
static bool
pfo_judge_table_function(PfoJudge *judge, TableFunc *tf)
{
	ListCell   *lc;

	if (!PFO_TABLEFUNC_IS_XML(tf))
		return pfo_refuse(judge, PFO_REASON_UNKNOWN_NODE, InvalidOid);
	judge->result->reads_settings = true;
	foreach(lc, tf->coltypes)
	{
		Oid			funcid;
		Oid			typioparam;

		pfo_note_type(&judge->types, lfirst_oid(lc));
		if (!pfo_type_ok(lfirst_oid(lc), PFO_NEEDS_INPUT))
		{
			getTypeInputInfo(lfirst_oid(lc), &funcid, &typioparam);
			return pfo_refuse(judge, PFO_REASON_STABLE_FUNCTION, funcid);
		}
	}
	return false;
}

/*
 * Expressions
 */

/* Each pair of columns is compared by an operator of its own. */
static bool
pfo_judge_row_comparison(PfoJudge *judge, RowCompareExpr *expr)
{
	ListCell   *op;
	ListCell   *arg;

	forboth(op, expr->opnos, arg, expr->largs)
	{
		if (pfo_judge_grouping(judge, InvalidOid, lfirst_oid(op),
							   (Node *) lfirst(arg), InvalidOid))
			return true;
	}
	return false;
}

static bool
pfo_judge_subscript(PfoJudge *judge, SubscriptingRef *expr)
{
	Oid			handler = get_typsubscript(expr->refcontainertype, NULL);

	if (!pfo_support_ok(handler))
		return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION, handler);
	return false;
}

/*
 * What an expression runs by itself.  Sets *known to false if nobody taught us
 * the node; its children are not looked at here.
 */
static bool
pfo_judge_expression(PfoJudge *judge, Node *node, bool *known)
{
	switch (nodeTag(node))
	{
		case T_Const:
		case T_Param:
		case T_BoolExpr:
		case T_NamedArgExpr:
		case T_SubLink:
		case T_FieldSelect:
		case T_RelabelType:
		case T_ArrayCoerceExpr:
		case T_ConvertRowtypeExpr:
		case T_CollateExpr:
		case T_CaseExpr:
		case T_CaseTestExpr:
		case T_ArrayExpr:
		case T_RowExpr:
		case T_CoalesceExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_GroupingFunc:
			break;

		case T_Var:
			if (((Var *) node)->varattno < 0 &&
				((Var *) node)->varattno != TableOidAttributeNumber)
				return pfo_refuse(judge, PFO_REASON_SYSTEM_COLUMN,
								  InvalidOid);
			break;

		case T_FuncExpr:
			if (pfo_function_foldable(((FuncExpr *) node)->funcid))
			{
				if (pfo_judge_foldable(judge, ((FuncExpr *) node)->funcid))
					return true;
			}
			else if (pfo_judge_checked_call(judge, ((FuncExpr *) node)->funcid,
											((FuncExpr *) node)->args,
											((FuncExpr *) node)->funcresulttype))
				return true;
			break;

			/* struct-equivalent */
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			{
				OpExpr	   *expr = (OpExpr *) node;

				if (pfo_judge_operator(judge, expr->opno, expr->args,
									   expr->opresulttype))
					return true;
			}
			break;

		case T_ScalarArrayOpExpr:
			if (pfo_judge_array_operator(judge, (ScalarArrayOpExpr *) node))
				return true;
			break;

		case T_RowCompareExpr:
			if (pfo_judge_row_comparison(judge, (RowCompareExpr *) node))
				return true;
			break;

		case T_MinMaxExpr:
			if (!pfo_type_ok(((MinMaxExpr *) node)->minmaxtype,
							 PFO_NEEDS_COMPARE))
				return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION,
								  InvalidOid);
			break;

		case T_Aggref:
			if (pfo_judge_aggregate(judge, (Aggref *) node))
				return true;
			break;
		case T_WindowFunc:
			if (pfo_judge_window_function(judge, (WindowFunc *) node))
				return true;
			break;

		case T_CoerceViaIO:
			if (pfo_judge_io_cast(judge, (CoerceViaIO *) node))
				return true;
			break;
		case T_CoerceToDomain:
			if (pfo_domain_is_checked(((CoerceToDomain *) node)->resulttype))
				return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION,
								  InvalidOid);
			break;

		case T_SubscriptingRef:
			if (pfo_judge_subscript(judge, (SubscriptingRef *) node))
				return true;
			break;

		case T_XmlExpr:
			/* values become XML by their output functions */
			judge->result->reads_settings = true;
			if (!pfo_values_ok(judge->level, ((XmlExpr *) node)->args,
							   PFO_NEEDS_OUTPUT) ||
				!pfo_values_ok(judge->level, ((XmlExpr *) node)->named_args,
							   PFO_NEEDS_OUTPUT))
				return pfo_refuse(judge, PFO_REASON_STABLE_FUNCTION,
								  InvalidOid);
			break;

		case T_SQLValueFunction:
			if (pfo_judge_foldable(judge, InvalidOid))
				return true;
			break;
		case T_NextValueExpr:
			return pfo_refuse(judge, PFO_REASON_VOLATILE_FUNCTION,
							  InvalidOid);

		default:
			*known = false;
			return false;
	}

	pfo_note_type(&judge->types, exprType(node));
	return false;
}

/*
 * A table brings the types of its columns, and the expressions of those that
 * are computed when they are read.  The planner puts these in later than we
 * look, so all of them are judged, used or not.
 */
static bool
pfo_judge_columns(PfoJudge *judge, RangeTblEntry *rte)
{
	PfoLevel   *level = judge->level;
	bool		refused;

	if (rte->rtekind != RTE_RELATION)
		return false;
	pfo_note_columns(&judge->types, rte->relid);
	judge->level = NULL;
	refused = pfo_expression_walker((Node *) pfo_virtual_columns(rte->relid),
									judge);
	judge->level = level;
	return refused;
}

/* The same for any node that a query is built of */
static bool
pfo_judge_node(PfoJudge *judge, Node *node, bool *known)
{
	*known = true;
	switch (nodeTag(node))
	{
			/* parts of a query that run nothing themselves */
		case T_List:
		case T_TargetEntry:
		case T_FromExpr:
		case T_JoinExpr:
		case T_RangeTblRef:
		case T_SortGroupClause:
		case T_GroupingSet:
		case T_WindowClause:
		case T_CommonTableExpr:
		case T_CTESearchClause:
		case T_CTECycleClause:
		case T_CaseWhen:
			return false;

		case T_RangeTblEntry:
			return pfo_judge_columns(judge, (RangeTblEntry *) node);
		case T_SetOperationStmt:
			return pfo_judge_setop(judge, (SetOperationStmt *) node);
		case T_RangeTblFunction:
			return pfo_judge_from_function(judge, (RangeTblFunction *) node);
		case T_TableFunc:
			return pfo_judge_table_function(judge, (TableFunc *) node);
		default:
			return pfo_judge_expression(judge, node, known);
	}
}

/*
 * The second walk: what runs?
 */

static bool
pfo_expression_walker(Node *node, PfoJudge *judge)
{
	bool		known;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return pfo_judge_query(judge, (Query *) node);
	if (pfo_judge_node(judge, node, &known))
		return true;
	if (!known)
		return pfo_refuse(judge, PFO_REASON_UNKNOWN_NODE, InvalidOid);

	/* the walk over the query visits what is in a range table entry */
	if (IsA(node, RangeTblEntry))
		return false;
	return expression_tree_walker(node, pfo_expression_walker,
								  (void *) judge);
}

bool
pfo_judge_query(PfoJudge *judge, Query *query)
{
	PfoLevel	level = {query, judge->level};
	bool		refused;

	judge->level = &level;
	refused = pfo_judge_clauses(judge, query) ||
		query_tree_walker(query, pfo_expression_walker, (void *) judge,
						  QTW_EXAMINE_RTES_BEFORE);
	judge->level = level.up;
	return refused;
}
