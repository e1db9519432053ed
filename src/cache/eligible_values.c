/*-------------------------------------------------------------------------
 *
 * eligible_values.c
 *	  The value of an expression, judged by its type or by what it is made
 *	  of.
 *
 * A value of a named type is judged by the type.  A row type without name says
 * nothing, so such a row is judged by the columns it was made of, where these
 * can be found: in a ROW(), in the output of a subquery, in the columns that a
 * variable stands for, in the definitions of a function in FROM.  Where they
 * cannot be found the answer is no.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"

#include "cache/eligible_types.h"
#include "cache/eligible_values.h"

bool
pfo_values_ok(PfoLevel *level, List *nodes, int needs)
{
	ListCell   *lc;

	foreach(lc, nodes)
	{
		if (!pfo_value_ok(level, (Node *) lfirst(lc), needs))
			return false;
	}
	return true;
}

/* Column attno of a subquery one level below "up", or all if 0 */
static bool
pfo_subquery_ok(PfoLevel *up, Query *query, AttrNumber attno, int needs)
{
	PfoLevel	level = {query, up};
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst_node(TargetEntry, lc);

		if (!tle->resjunk && (attno == 0 || tle->resno == attno) &&
			!pfo_value_ok(&level, (Node *) tle->expr, needs))
			return false;
	}
	return true;
}

/* All columns of the functions of a FROM item */
static bool
pfo_function_rows_ok(List *functions, int needs)
{
	ListCell   *lc;

	foreach(lc, functions)
	{
		RangeTblFunction *rtfunc = lfirst_node(RangeTblFunction, lc);
		Oid			typid;
		TupleDesc	tupdesc;

		if (rtfunc->funccoltypes != NIL)
		{
			if (!pfo_types_ok(rtfunc->funccoltypes, needs))
				return false;
			continue;
		}
		switch (get_expr_result_type(rtfunc->funcexpr, &typid, &tupdesc))
		{
			case TYPEFUNC_SCALAR:
			case TYPEFUNC_COMPOSITE_DOMAIN:
				if (!pfo_type_ok(typid, needs))
					return false;
				break;
			case TYPEFUNC_COMPOSITE:
				for (int i = 0; i < tupdesc->natts; i++)
				{
					Form_pg_attribute att = TupleDescAttr(tupdesc, i);

					if (!att->attisdropped &&
						!pfo_type_ok(att->atttypid, needs))
						return false;
				}
				break;
			default:
				return false;
		}
	}
	return true;
}

static bool
pfo_record_var_ok(PfoLevel *level, Var *var, int needs)
{
	RangeTblEntry *rte;

	for (Index up = var->varlevelsup; up > 0 && level != NULL; up--)
		level = level->up;
	if (level == NULL || var->varno < 1 ||
		var->varno > list_length(level->query->rtable))
		return false;
	rte = rt_fetch(var->varno, level->query->rtable);

	switch (rte->rtekind)
	{
		case RTE_SUBQUERY:
			return pfo_subquery_ok(level, rte->subquery, var->varattno, needs);
		case RTE_JOIN:
			if (var->varattno == 0)
				return pfo_values_ok(level, rte->joinaliasvars, needs);
			return pfo_value_ok(level, list_nth(rte->joinaliasvars,
												var->varattno - 1), needs);
		case RTE_FUNCTION:
			return var->varattno == 0 &&
				pfo_function_rows_ok(rte->functions, needs);
		case RTE_VALUES:
		case RTE_CTE:
		case RTE_TABLEFUNC:
			return var->varattno == 0 && pfo_types_ok(rte->coltypes, needs);
		default:
			return false;
	}
}

bool
pfo_value_ok(PfoLevel *level, Node *node, int needs)
{
	check_stack_depth();

	if (node == NULL || needs == 0)
		return true;
	if (IsA(node, TargetEntry))
		node = (Node *) ((TargetEntry *) node)->expr;
	if (IsA(node, NamedArgExpr))
		node = (Node *) ((NamedArgExpr *) node)->arg;

	if (exprType(node) != RECORDOID)
		return pfo_type_ok(exprType(node), needs);

	switch (nodeTag(node))
	{
		case T_RowExpr:
			return pfo_values_ok(level, ((RowExpr *) node)->args, needs);
		case T_Var:
			return pfo_record_var_ok(level, (Var *) node, needs);
		case T_SubLink:
			return ((SubLink *) node)->subLinkType == EXPR_SUBLINK &&
				pfo_subquery_ok(level,
								castNode(Query, ((SubLink *) node)->subselect),
								1, needs);
		default:
			return false;
	}
}
