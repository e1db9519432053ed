/*-------------------------------------------------------------------------
 *
 * key.c
 *	  What identifies a statement: hashes of its analysed, rewritten query.
 *
 * A walker turns the query tree into a sequence of bytes and hashes it.  How
 * the bytes are laid out, and why they are in two streams, is in key_walk.c.
 * This file writes what a query is built of, other than expressions, which
 * are in key_expr.c; the two call each other as deep as the tree goes.
 *
 * The walker has a list of node types.  A node that is not in it, or is used
 * in a way that a SELECT does not use it, makes the statement unknown, and
 * an unknown statement is not cached.  There is no default that skips.
 *
 * What is left out, and why:
 *
 *	- the titles of the columns of the top level, with the table and column
 *	  they come from (resname, resorigtbl, resorigcol): they describe the
 *	  result to the client, and the description comes from the plan of the
 *	  statement at hand.  The names of columns of inner queries and row
 *	  constructors are in: they become values in row_to_json and its like.
 *	  Those of range table entries do where a row of one is a value, so they
 *	  are left out of statements without such.  Origins of inner columns are
 *	  read by nobody;
 *	- permissions (requiredPerms, checkAsUser, selectedCols, insertedCols,
 *	  updatedCols, extraUpdatedCols, rteperminfos): a hit checks them for the
 *	  current user.  What row-level security adds is in (securityQuals);
 *	- positions in the text (location, stmt_location, stmt_len), and what
 *	  tells where a query came from (querySource, queryId, canSetTag);
 *	- what only serves to print a tree again: Var.varnosyn, varattnosyn, the
 *	  alias of a range table entry or join of which eref is the completed
 *	  form, isNatural and usingClause of a join (its quals and its range
 *	  table entry hold their effect).  CoercionForm is in: it decides whether
 *	  a cast shows its type modifier;
 *	- what the planner fills in: aggtranstype, aggsplit, aggno, aggtransno,
 *	  GroupingFunc.cols, WindowClause.runCondition, hashfuncid, negfuncid,
 *	  funcparams;
 *	- what another field implies, also in newer versions: opfuncid follows
 *	  from opno (and is not filled in everywhere yet), reverse_sort from
 *	  sortop, hasGroupRTE from the range table, the type of a join's column
 *	  from the column of the relation that it is;
 *	- fields of other commands than SELECT.  A query of another command is
 *	  unknown, also inside WITH; so are one with row locks and one that reads
 *	  the transition table of a trigger.  The remaining two fields, override
 *	  and mergeUseOuterJoin, mean nothing to a SELECT.
 *
 * Names are in that rarely matter (of a window, of a join's alias): an equal
 * statement written differently is a miss, never a wrong answer.
 *
 * Memory: nothing is allocated but the set of parameters, in the current
 * context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "cache/key.h"
#include "cache/key_walk.h"

static bool pfo_walk_query(PfoWalk *walk, const Query *query, bool top);

/*
 * Small structures
 */

static bool
pfo_walk_alias(PfoWalk *walk, const Alias *alias)
{
	uint8		there = (alias != NULL);

	if (!walk->names)
		return true;
	pfo_hasher_add(&walk->skeleton, &there, 1);
	if (!there)
		return true;

	pfo_put_name(walk, alias->aliasname);
	return pfo_walk_names(walk, alias->colnames);
}

bool
pfo_walk_target(PfoWalk *walk, const TargetEntry *tle, bool title)
{
	pfo_put_head(walk, T_TargetEntry,
				 (uint16) tle->resno | (uint32) tle->resjunk << 16);
	pfo_put_count(walk, tle->ressortgroupref);
	if (title)
		pfo_put_string(walk, tle->resname);

	return PFO_WALK(walk, tle->expr);
}

/*
 * Queries
 */

static bool
pfo_walk_query(PfoWalk *walk, const Query *query, bool top)
{
	ListCell   *lc;

	if (query->commandType != CMD_SELECT || query->utilityStmt != NULL ||
		query->resultRelation != 0 || query->mergeActionList != NIL ||
		query->onConflict != NULL || query->returningList != NIL ||
		query->withCheckOptions != NIL)
		return pfo_walk_unknown(walk, T_Query);
	if (query->rowMarks != NIL || query->hasForUpdate)
		return pfo_walk_unknown(walk, T_RowMarkClause);

	pfo_put_head(walk, T_Query,
				 (uint32) query->hasAggs |
				 (uint32) query->hasWindowFuncs << 1 |
				 (uint32) query->hasTargetSRFs << 2 |
				 (uint32) query->hasSubLinks << 3 |
				 (uint32) query->hasDistinctOn << 4 |
				 (uint32) query->hasRecursive << 5 |
				 (uint32) query->hasModifyingCTE << 6 |
				 (uint32) query->hasRowSecurity << 7 |
				 (uint32) query->isReturn << 8 |
				 (uint32) query->groupDistinct << 9 |
				 (uint32) query->limitOption << 10);

	pfo_put_count(walk, list_length(query->targetList));
	foreach(lc, query->targetList)
	{
		if (!pfo_walk_target(walk, lfirst_node(TargetEntry, lc), !top))
			return false;
	}

	return pfo_walk_list(walk, query->cteList) &&
		pfo_walk_list(walk, query->rtable) &&
		PFO_WALK(walk, query->jointree) &&
		pfo_walk_list(walk, query->groupClause) &&
		pfo_walk_list(walk, query->groupingSets) &&
		PFO_WALK(walk, query->havingQual) &&
		pfo_walk_list(walk, query->windowClause) &&
		pfo_walk_list(walk, query->distinctClause) &&
		pfo_walk_list(walk, query->sortClause) &&
		PFO_WALK(walk, query->limitOffset) &&
		PFO_WALK(walk, query->limitCount) &&
		PFO_WALK(walk, query->setOperations) &&
		pfo_walk_numbers(walk, query->constraintDeps);
}

/*
 * The columns of a join: nearly always plain ones of what is joined, and many,
 * since a join of joins has those of all.
 */
static bool
pfo_walk_join_columns(PfoWalk *walk, const List *columns)
{
	ListCell   *lc;

	pfo_put_count(walk, list_length(columns));
	foreach(lc, columns)
	{
		const Var  *var = lfirst(lc);
		bool		plain = var != NULL && IsA(var, Var) &&
			var->varno < PG_UINT8_MAX && var->varlevelsup == 0 &&
			var->varattno > 0 && PFO_VAR_NULLINGRELS(var) == NULL;

		/* zero: something else follows */
		pfo_put_count(walk, plain ? var->varno : 0);
		if (plain)
			pfo_put_count(walk, var->varattno);
		else if (!PFO_WALK(walk, var))
			return false;
	}
	return true;
}

/* What a range table entry has by its kind. */
static bool
pfo_walk_rte_kind(PfoWalk *walk, const RangeTblEntry *rte)
{
	if (PFO_RTE_IS_GROUP(rte))
		return pfo_walk_list(walk, PFO_RTE_GROUPEXPRS(rte));

	switch (rte->rtekind)
	{
		case RTE_RELATION:
			PFO_PUT(walk, rte->relid);
			pfo_put_count(walk, rte->rellockmode);
			return PFO_WALK(walk, rte->tablesample);

		case RTE_SUBQUERY:
			/* relid: the view that the subquery replaced */
			PFO_PUT(walk, rte->relid);
			return PFO_WALK(walk, rte->subquery);

		case RTE_JOIN:
			pfo_put_count(walk, rte->jointype);
			pfo_put_count(walk, rte->joinmergedcols);
			return pfo_walk_join_columns(walk, rte->joinaliasvars) &&
				pfo_walk_numbers(walk, rte->joinleftcols) &&
				pfo_walk_numbers(walk, rte->joinrightcols) &&
				pfo_walk_alias(walk, rte->join_using_alias);

		case RTE_FUNCTION:
			return pfo_walk_list(walk, rte->functions);

		case RTE_TABLEFUNC:
			return PFO_WALK(walk, rte->tablefunc) &&
				pfo_walk_numbers(walk, rte->coltypes) &&
				pfo_walk_numbers(walk, rte->coltypmods) &&
				pfo_walk_numbers(walk, rte->colcollations);

		case RTE_VALUES:
			return pfo_walk_list(walk, rte->values_lists) &&
				pfo_walk_numbers(walk, rte->coltypes) &&
				pfo_walk_numbers(walk, rte->coltypmods) &&
				pfo_walk_numbers(walk, rte->colcollations);

		case RTE_CTE:
			pfo_put_name(walk, rte->ctename);
			pfo_put_count(walk, rte->ctelevelsup);
			return pfo_walk_numbers(walk, rte->coltypes) &&
				pfo_walk_numbers(walk, rte->coltypmods) &&
				pfo_walk_numbers(walk, rte->colcollations);

		case RTE_RESULT:
			return true;

		default:
			/* the tuplestore of a trigger, and what is not invented yet */
			return pfo_walk_unknown(walk, T_RangeTblEntry);
	}
}

static bool
pfo_walk_rte(PfoWalk *walk, const RangeTblEntry *rte)
{
	pfo_put_head(walk, T_RangeTblEntry,
				 (uint8) rte->relkind |
				 (uint32) rte->inh << 8 |
				 (uint32) rte->lateral << 9 |
				 (uint32) rte->inFromCl << 10 |
				 (uint32) rte->security_barrier << 11 |
				 (uint32) rte->funcordinality << 12 |
				 (uint32) rte->self_reference << 13 |
				 (uint32) rte->rtekind << 14);

	return pfo_walk_rte_kind(walk, rte) &&
		pfo_walk_alias(walk, rte->eref) &&
		pfo_walk_list(walk, rte->securityQuals);
}

static bool
pfo_walk_cte(PfoWalk *walk, const CommonTableExpr *cte)
{
	pfo_put_head(walk, T_CommonTableExpr,
				 (uint32) cte->cterecursive |
				 (uint32) cte->ctematerialized << 1);
	pfo_put_name(walk, cte->ctename);
	pfo_put_count(walk, cte->cterefcount);

	return pfo_walk_names(walk, cte->aliascolnames) &&
		PFO_WALK(walk, cte->ctequery) &&
		PFO_WALK(walk, cte->search_clause) &&
		PFO_WALK(walk, cte->cycle_clause) &&
		pfo_walk_names(walk, cte->ctecolnames) &&
		pfo_walk_numbers(walk, cte->ctecoltypes) &&
		pfo_walk_numbers(walk, cte->ctecoltypmods) &&
		pfo_walk_numbers(walk, cte->ctecolcollations);
}

static bool
pfo_walk_cycle(PfoWalk *walk, const CTECycleClause *cycle)
{
	pfo_put_head(walk, T_CTECycleClause, 0);
	pfo_put_name(walk, cycle->cycle_mark_column);
	pfo_put_name(walk, cycle->cycle_path_column);
	pfo_put_type(walk, cycle->cycle_mark_type, cycle->cycle_mark_typmod,
				 cycle->cycle_mark_collation);
	PFO_PUT(walk, cycle->cycle_mark_neop);

	return pfo_walk_names(walk, cycle->cycle_col_list) &&
		PFO_WALK(walk, cycle->cycle_mark_value) &&
		PFO_WALK(walk, cycle->cycle_mark_default);
}

static bool
pfo_walk_window(PfoWalk *walk, const WindowClause *wc)
{
	pfo_put_head(walk, T_WindowClause,
				 (uint32) wc->inRangeAsc |
				 (uint32) wc->inRangeNullsFirst << 1 |
				 (uint32) wc->copiedOrder << 2);
	PFO_PUT(walk, wc->winref, wc->frameOptions, wc->startInRangeFunc,
			wc->endInRangeFunc, wc->inRangeColl);
	pfo_put_string(walk, wc->name);
	pfo_put_string(walk, wc->refname);

	return pfo_walk_list(walk, wc->partitionClause) &&
		pfo_walk_list(walk, wc->orderClause) &&
		PFO_WALK(walk, wc->startOffset) &&
		PFO_WALK(walk, wc->endOffset);
}

static bool
pfo_walk_tablefunc(PfoWalk *walk, const TableFunc *tf)
{
	if (!PFO_TABLEFUNC_IS_XML(tf))
		return pfo_walk_unknown(walk, T_TableFunc);

	pfo_put_head(walk, T_TableFunc, 0);
	PFO_PUT(walk, tf->ordinalitycol);
	pfo_put_bitmapset(walk, tf->notnulls);

	/* a namespace without a name, DEFAULT, is a null pointer */
	return pfo_walk_list(walk, tf->ns_uris) &&
		pfo_walk_list(walk, tf->ns_names) &&
		PFO_WALK(walk, tf->docexpr) &&
		PFO_WALK(walk, tf->rowexpr) &&
		pfo_walk_names(walk, tf->colnames) &&
		pfo_walk_numbers(walk, tf->coltypes) &&
		pfo_walk_numbers(walk, tf->coltypmods) &&
		pfo_walk_numbers(walk, tf->colcollations) &&
		pfo_walk_list(walk, tf->colexprs) &&
		pfo_walk_list(walk, tf->coldefexprs);
}

/* The nodes that a query is built of, other than expressions. */
bool
pfo_walk_structure(PfoWalk *walk, const Node *node)
{
	switch (nodeTag(node))
	{
		case T_Query:
			return pfo_walk_query(walk, (const Query *) node, false);

		case T_RangeTblEntry:
			return pfo_walk_rte(walk, (const RangeTblEntry *) node);

		case T_RangeTblRef:
			pfo_put_head(walk, T_RangeTblRef, 0);
			pfo_put_count(walk, ((const RangeTblRef *) node)->rtindex);
			return true;

		case T_FromExpr:
			{
				const FromExpr *from = (const FromExpr *) node;

				pfo_put_head(walk, T_FromExpr, 0);
				return pfo_walk_list(walk, from->fromlist) &&
					PFO_WALK(walk, from->quals);
			}

		case T_JoinExpr:
			{
				const JoinExpr *join = (const JoinExpr *) node;

				pfo_put_head(walk, T_JoinExpr, join->jointype);
				pfo_put_count(walk, join->rtindex);
				return PFO_WALK(walk, join->larg) &&
					PFO_WALK(walk, join->rarg) &&
					PFO_WALK(walk, join->quals);
			}

		case T_SetOperationStmt:
			{
				const SetOperationStmt *op = (const SetOperationStmt *) node;

				pfo_put_head(walk, T_SetOperationStmt,
							 (uint32) op->all | (uint32) op->op << 1);
				return PFO_WALK(walk, op->larg) &&
					PFO_WALK(walk, op->rarg) &&
					pfo_walk_numbers(walk, op->colTypes) &&
					pfo_walk_numbers(walk, op->colTypmods) &&
					pfo_walk_numbers(walk, op->colCollations) &&
					pfo_walk_list(walk, op->groupClauses);
			}

		case T_RangeTblFunction:
			{
				const RangeTblFunction *rtf = (const RangeTblFunction *) node;

				pfo_put_head(walk, T_RangeTblFunction, 0);
				pfo_put_count(walk, rtf->funccolcount);
				return PFO_WALK(walk, rtf->funcexpr) &&
					pfo_walk_names(walk, rtf->funccolnames) &&
					pfo_walk_numbers(walk, rtf->funccoltypes) &&
					pfo_walk_numbers(walk, rtf->funccoltypmods) &&
					pfo_walk_numbers(walk, rtf->funccolcollations);
			}

		case T_TableFunc:
			return pfo_walk_tablefunc(walk, (const TableFunc *) node);

		case T_TableSampleClause:
			{
				const TableSampleClause *ts = (const TableSampleClause *) node;

				pfo_put_head(walk, T_TableSampleClause, 0);
				PFO_PUT(walk, ts->tsmhandler);
				return pfo_walk_list(walk, ts->args) &&
					PFO_WALK(walk, ts->repeatable);
			}

		case T_CommonTableExpr:
			return pfo_walk_cte(walk, (const CommonTableExpr *) node);

		case T_CTESearchClause:
			{
				const CTESearchClause *sc = (const CTESearchClause *) node;

				pfo_put_head(walk, T_CTESearchClause,
							 sc->search_breadth_first);
				pfo_put_name(walk, sc->search_seq_column);
				return pfo_walk_names(walk, sc->search_col_list);
			}

		case T_CTECycleClause:
			return pfo_walk_cycle(walk, (const CTECycleClause *) node);

		case T_SortGroupClause:
			{
				const SortGroupClause *sgc = (const SortGroupClause *) node;

				pfo_put_head(walk, T_SortGroupClause,
							 (uint32) sgc->nulls_first |
							 (uint32) sgc->hashable << 1);
				PFO_PUT(walk, sgc->tleSortGroupRef, sgc->eqop, sgc->sortop);
				return true;
			}

		case T_GroupingSet:
			{
				const GroupingSet *gs = (const GroupingSet *) node;

				/* a SIMPLE set holds numbers, the others hold sets */
				pfo_put_head(walk, T_GroupingSet, gs->kind);
				if (gs->kind == GROUPING_SET_SIMPLE)
					return pfo_walk_numbers(walk, gs->content);
				return pfo_walk_list(walk, gs->content);
			}

		case T_WindowClause:
			return pfo_walk_window(walk, (const WindowClause *) node);

		case T_List:
			pfo_put_head(walk, T_List, 0);
			return pfo_walk_list(walk, (const List *) node);

		case T_String:
			pfo_put_head(walk, T_String, 0);
			pfo_put_name(walk, ((const String *) node)->sval);
			return true;

		default:
			return pfo_walk_unknown(walk, nodeTag(node));
	}
}

/*
 * The interface
 */

static bool
pfo_walk_all(PfoWalk *walk, const Query *query, bool names)
{
	pfo_hasher_init(&walk->skeleton);
	pfo_hasher_init(&walk->constants);
	walk->params = NULL;
	walk->unknown = T_Invalid;
	walk->names = names;
	walk->whole_rows = false;
	pfo_put_count(walk, names);
	return pfo_walk_query(walk, query, true);
}

bool
pfo_key_query(Query *query, PfoQueryKey *key)
{
	PfoWalk		walk;
	bool		known;

	known = pfo_walk_all(&walk, query, false);
	if (known && walk.whole_rows)
		known = pfo_walk_all(&walk, query, true);

	key->unknown = walk.unknown;
	key->params = walk.params;
	key->skeleton = pfo_hasher_final(&walk.skeleton);
	pfo_hasher_add(&walk.constants, &key->skeleton, sizeof(key->skeleton));
	key->tree = pfo_hasher_final(&walk.constants);

	return known;
}
