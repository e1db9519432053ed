/*-------------------------------------------------------------------------
 *
 * key_expr.c
 *	  What identifies a statement: the expressions of its query.
 *
 * pfo_walk_node() is where every node of a tree comes by: it writes the
 * expressions itself and hands what else a query is built of to key.c.  Its
 * switch is cut in three by how often a node occurs: what one part does not
 * know goes on to the next, and from the last to key.c.
 *
 * For each node every field is written that can influence the rows; key.c says
 * which are left out and why.  Values of constants go to a stream of their
 * own, numbers of parameters to the set that the caller gets.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "miscadmin.h"

#include "base/compat.h"
#include "cache/key_values.h"
#include "cache/key_walk.h"

/*
 * Leaves
 */

static bool
pfo_walk_var(PfoWalk *walk, const Var *var)
{
	const Bitmapset *nullingrels = PFO_VAR_NULLINGRELS(var);

	if (var->varattno == InvalidAttrNumber)
		walk->whole_rows = true;
	pfo_put_head(walk, T_Var,
				 (uint16) var->varattno |
				 (uint32) (nullingrels != NULL) << 16);
	pfo_put_count(walk, var->varno);
	pfo_put_count(walk, var->varlevelsup);
	pfo_put_type(walk, var->vartype, var->vartypmod, var->varcollid);
	if (nullingrels != NULL)
		pfo_put_bitmapset(walk, nullingrels);

	return true;
}

static bool
pfo_walk_const(PfoWalk *walk, const Const *con)
{
	uint8		isnull = con->constisnull;

	pfo_put_head(walk, T_Const,
				 (uint16) con->constlen | (uint32) con->constbyval << 16);
	pfo_put_type(walk, con->consttype, con->consttypmod, con->constcollid);

	pfo_hasher_add(&walk->constants, &isnull, 1);
	if (isnull)
		return true;

	/* the row type in an anonymous record means nothing elsewhere */
	if (con->consttype == RECORDOID || con->consttype == RECORDARRAYOID)
		return pfo_walk_unknown(walk, T_Const);

	return pfo_key_value(&walk->constants, con->constvalue, con->constlen,
						 con->constbyval, SIZE_MAX);
}

/*
 * A parameter from outside, or the output column of the subquery of an IN,
 * ANY or ALL, which the operator above refers to by number.
 */
static bool
pfo_walk_param(PfoWalk *walk, const Param *param)
{
	if (param->paramkind == PARAM_EXTERN && param->paramid > 0)
		walk->params = bms_add_member(walk->params, param->paramid);
	else if (param->paramkind != PARAM_SUBLINK)
		return pfo_walk_unknown(walk, T_Param);

	pfo_put_head(walk, T_Param, param->paramkind);
	pfo_put_count(walk, param->paramid);
	pfo_put_type(walk, param->paramtype, param->paramtypmod,
				 param->paramcollid);

	return true;
}

/*
 * Nodes with many fields
 */

static bool
pfo_walk_aggref(PfoWalk *walk, const Aggref *agg)
{
	pfo_put_head(walk, T_Aggref,
				 (uint8) agg->aggkind |
				 (uint32) agg->aggstar << 8 |
				 (uint32) agg->aggvariadic << 9);
	PFO_PUT(walk, agg->aggfnoid, agg->aggtype, agg->aggcollid,
			agg->inputcollid);
	pfo_put_count(walk, agg->agglevelsup);

	return pfo_walk_numbers(walk, agg->aggargtypes) &&
		pfo_walk_list(walk, agg->aggdirectargs) &&
		pfo_walk_list(walk, agg->args) &&
		pfo_walk_list(walk, agg->aggorder) &&
		pfo_walk_list(walk, agg->aggdistinct) &&
		PFO_WALK(walk, agg->aggfilter);
}

static bool
pfo_walk_windowfunc(PfoWalk *walk, const WindowFunc *wfunc)
{
	pfo_put_head(walk, T_WindowFunc,
				 (uint32) wfunc->winstar |
				 (uint32) wfunc->winagg << 1 |
				 (uint32) PFO_WINDOWFUNC_NULLS(wfunc) << 2);
	PFO_PUT(walk, wfunc->winfnoid, wfunc->wintype, wfunc->wincollid,
			wfunc->inputcollid, wfunc->winref);

	return pfo_walk_list(walk, wfunc->args) &&
		PFO_WALK(walk, wfunc->aggfilter);
}

static bool
pfo_walk_subscript(PfoWalk *walk, const SubscriptingRef *sref)
{
	pfo_put_head(walk, T_SubscriptingRef, 0);
	PFO_PUT(walk, sref->refcontainertype, sref->refelemtype);
	pfo_put_type(walk, sref->refrestype, sref->reftypmod, sref->refcollid);

	return pfo_walk_list(walk, sref->refupperindexpr) &&
		pfo_walk_list(walk, sref->reflowerindexpr) &&
		PFO_WALK(walk, sref->refexpr) &&
		PFO_WALK(walk, sref->refassgnexpr);
}

static bool
pfo_walk_xml(PfoWalk *walk, const XmlExpr *xexpr)
{
	pfo_put_head(walk, T_XmlExpr,
				 (uint32) PFO_XMLEXPR_INDENT(xexpr) |
				 (uint32) xexpr->xmloption << 1 |
				 (uint32) xexpr->op << 4);
	pfo_put_string(walk, xexpr->name);
	pfo_put_type(walk, xexpr->type, xexpr->typmod, InvalidOid);

	return pfo_walk_list(walk, xexpr->named_args) &&
		pfo_walk_names(walk, xexpr->arg_names) &&
		pfo_walk_list(walk, xexpr->args);
}

/*
 * Any node, the rarest kinds first
 */

/* Casts and what else changes the type of an expression. */
static bool
pfo_walk_coercion(PfoWalk *walk, const Node *node)
{
	switch (nodeTag(node))
	{
		case T_RelabelType:
			{
				const RelabelType *r = (const RelabelType *) node;

				pfo_put_head(walk, T_RelabelType, r->relabelformat);
				pfo_put_type(walk, r->resulttype, r->resulttypmod,
							 r->resultcollid);
				return PFO_WALK(walk, r->arg);
			}

		case T_CoerceViaIO:
			{
				const CoerceViaIO *c = (const CoerceViaIO *) node;

				pfo_put_head(walk, T_CoerceViaIO, c->coerceformat);
				pfo_put_type(walk, c->resulttype, -1, c->resultcollid);
				return PFO_WALK(walk, c->arg);
			}

		case T_ArrayCoerceExpr:
			{
				const ArrayCoerceExpr *c = (const ArrayCoerceExpr *) node;

				pfo_put_head(walk, T_ArrayCoerceExpr, c->coerceformat);
				pfo_put_type(walk, c->resulttype, c->resulttypmod,
							 c->resultcollid);
				return PFO_WALK(walk, c->arg) &&
					PFO_WALK(walk, c->elemexpr);
			}

		case T_ConvertRowtypeExpr:
			{
				const ConvertRowtypeExpr *c =
				(const ConvertRowtypeExpr *) node;

				pfo_put_head(walk, T_ConvertRowtypeExpr, c->convertformat);
				PFO_PUT(walk, c->resulttype);
				return PFO_WALK(walk, c->arg);
			}

		case T_CollateExpr:
			{
				const CollateExpr *c = (const CollateExpr *) node;

				pfo_put_head(walk, T_CollateExpr, 0);
				PFO_PUT(walk, c->collOid);
				return PFO_WALK(walk, c->arg);
			}

		case T_CoerceToDomain:
			{
				const CoerceToDomain *c = (const CoerceToDomain *) node;

				pfo_put_head(walk, T_CoerceToDomain, c->coercionformat);
				pfo_put_type(walk, c->resulttype, c->resulttypmod,
							 c->resultcollid);
				return PFO_WALK(walk, c->arg);
			}

		case T_CoerceToDomainValue:
			{
				const CoerceToDomainValue *v =
				(const CoerceToDomainValue *) node;

				pfo_put_head(walk, T_CoerceToDomainValue, 0);
				pfo_put_type(walk, v->typeId, v->typeMod, v->collation);
				return true;
			}

		default:
			return pfo_walk_structure(walk, node);
	}
}

/* Constructors of rows, arrays and fields, and conditional expressions. */
static bool
pfo_walk_construct(PfoWalk *walk, const Node *node)
{
	switch (nodeTag(node))
	{
		case T_FieldSelect:
			{
				const FieldSelect *f = (const FieldSelect *) node;

				pfo_put_head(walk, T_FieldSelect, (uint16) f->fieldnum);
				pfo_put_type(walk, f->resulttype, f->resulttypmod,
							 f->resultcollid);
				return PFO_WALK(walk, f->arg);
			}

		case T_FieldStore:
			{
				const FieldStore *f = (const FieldStore *) node;

				pfo_put_head(walk, T_FieldStore, 0);
				PFO_PUT(walk, f->resulttype);
				return PFO_WALK(walk, f->arg) &&
					pfo_walk_list(walk, f->newvals) &&
					pfo_walk_numbers(walk, f->fieldnums);
			}

		case T_CaseExpr:
			{
				const CaseExpr *c = (const CaseExpr *) node;

				pfo_put_head(walk, T_CaseExpr, 0);
				pfo_put_type(walk, c->casetype, -1, c->casecollid);
				return PFO_WALK(walk, c->arg) &&
					pfo_walk_list(walk, c->args) &&
					PFO_WALK(walk, c->defresult);
			}

		case T_CaseWhen:
			{
				const CaseWhen *w = (const CaseWhen *) node;

				pfo_put_head(walk, T_CaseWhen, 0);
				return PFO_WALK(walk, w->expr) &&
					PFO_WALK(walk, w->result);
			}

		case T_CaseTestExpr:
			{
				const CaseTestExpr *c = (const CaseTestExpr *) node;

				pfo_put_head(walk, T_CaseTestExpr, 0);
				pfo_put_type(walk, c->typeId, c->typeMod, c->collation);
				return true;
			}

		case T_ArrayExpr:
			{
				const ArrayExpr *a = (const ArrayExpr *) node;

				pfo_put_head(walk, T_ArrayExpr, a->multidims);
				PFO_PUT(walk, a->array_typeid, a->array_collid,
						a->element_typeid);
				return pfo_walk_list(walk, a->elements);
			}

		case T_RowExpr:
			{
				const RowExpr *r = (const RowExpr *) node;

				pfo_put_head(walk, T_RowExpr, r->row_format);
				PFO_PUT(walk, r->row_typeid);
				return pfo_walk_list(walk, r->args) &&
					pfo_walk_names(walk, r->colnames);
			}

		case T_RowCompareExpr:
			{
				const RowCompareExpr *r = (const RowCompareExpr *) node;

				pfo_put_head(walk, T_RowCompareExpr, PFO_ROWCOMPARE_TYPE(r));
				return pfo_walk_numbers(walk, r->opnos) &&
					pfo_walk_numbers(walk, r->opfamilies) &&
					pfo_walk_numbers(walk, r->inputcollids) &&
					pfo_walk_list(walk, r->largs) &&
					pfo_walk_list(walk, r->rargs);
			}

		case T_CoalesceExpr:
			{
				const CoalesceExpr *c = (const CoalesceExpr *) node;

				pfo_put_head(walk, T_CoalesceExpr, 0);
				PFO_PUT(walk, c->coalescetype, c->coalescecollid);
				return pfo_walk_list(walk, c->args);
			}

		case T_MinMaxExpr:
			{
				const MinMaxExpr *m = (const MinMaxExpr *) node;

				pfo_put_head(walk, T_MinMaxExpr, m->op);
				PFO_PUT(walk, m->minmaxtype, m->minmaxcollid, m->inputcollid);
				return pfo_walk_list(walk, m->args);
			}

		case T_SQLValueFunction:
			{
				const SQLValueFunction *s = (const SQLValueFunction *) node;

				pfo_put_head(walk, T_SQLValueFunction, s->op);
				pfo_put_type(walk, s->type, s->typmod, InvalidOid);
				return true;
			}

		case T_XmlExpr:
			return pfo_walk_xml(walk, (const XmlExpr *) node);

		default:
			return pfo_walk_coercion(walk, node);
	}
}

/* The frequent ones are here, the others further up. */
bool
pfo_walk_node(PfoWalk *walk, const Node *node)
{
	if (node == NULL)
	{
		pfo_put_head(walk, T_Invalid, 0);
		return true;
	}

	check_stack_depth();

	switch (nodeTag(node))
	{
		case T_Var:
			return pfo_walk_var(walk, (const Var *) node);

		case T_Const:
			return pfo_walk_const(walk, (const Const *) node);

		case T_Param:
			return pfo_walk_param(walk, (const Param *) node);

		case T_TargetEntry:
			return pfo_walk_target(walk, (const TargetEntry *) node, true);

		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			{
				const OpExpr *op = (const OpExpr *) node;

				pfo_put_head(walk, nodeTag(node), op->opretset);
				PFO_PUT(walk, op->opno, op->opresulttype, op->opcollid,
						op->inputcollid);
				return pfo_walk_list(walk, op->args);
			}

		case T_ScalarArrayOpExpr:
			{
				const ScalarArrayOpExpr *op = (const ScalarArrayOpExpr *) node;

				pfo_put_head(walk, T_ScalarArrayOpExpr, op->useOr);
				PFO_PUT(walk, op->opno, op->inputcollid);
				return pfo_walk_list(walk, op->args);
			}

		case T_FuncExpr:
			{
				const FuncExpr *f = (const FuncExpr *) node;

				pfo_put_head(walk, T_FuncExpr,
							 (uint32) f->funcretset |
							 (uint32) f->funcvariadic << 1 |
							 (uint32) f->funcformat << 2);
				PFO_PUT(walk, f->funcid, f->funcresulttype, f->funccollid,
						f->inputcollid);
				return pfo_walk_list(walk, f->args);
			}

		case T_NamedArgExpr:
			{
				const NamedArgExpr *n = (const NamedArgExpr *) node;

				pfo_put_head(walk, T_NamedArgExpr, 0);
				PFO_PUT(walk, n->argnumber);
				pfo_put_name(walk, n->name);
				return PFO_WALK(walk, n->arg);
			}

		case T_BoolExpr:
			{
				const BoolExpr *b = (const BoolExpr *) node;

				pfo_put_head(walk, T_BoolExpr, b->boolop);
				return pfo_walk_list(walk, b->args);
			}

		case T_NullTest:
			{
				const NullTest *t = (const NullTest *) node;

				pfo_put_head(walk, T_NullTest,
							 (uint32) t->argisrow |
							 (uint32) t->nulltesttype << 1);
				return PFO_WALK(walk, t->arg);
			}

		case T_BooleanTest:
			{
				const BooleanTest *t = (const BooleanTest *) node;

				pfo_put_head(walk, T_BooleanTest, t->booltesttype);
				return PFO_WALK(walk, t->arg);
			}

		case T_SubLink:
			{
				const SubLink *s = (const SubLink *) node;

				pfo_put_head(walk, T_SubLink, s->subLinkType);
				PFO_PUT(walk, s->subLinkId);
				return PFO_WALK(walk, s->testexpr) &&
					pfo_walk_names(walk, s->operName) &&
					PFO_WALK(walk, s->subselect);
			}

		case T_Aggref:
			return pfo_walk_aggref(walk, (const Aggref *) node);

		case T_GroupingFunc:
			{
				const GroupingFunc *g = (const GroupingFunc *) node;

				pfo_put_head(walk, T_GroupingFunc, 0);
				pfo_put_count(walk, g->agglevelsup);
				return pfo_walk_list(walk, g->args) &&
					pfo_walk_numbers(walk, g->refs);
			}

		case T_WindowFunc:
			return pfo_walk_windowfunc(walk, (const WindowFunc *) node);

		case T_SubscriptingRef:
			return pfo_walk_subscript(walk, (const SubscriptingRef *) node);

		default:
			return pfo_walk_construct(walk, node);
	}
}
