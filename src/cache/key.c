/*-------------------------------------------------------------------------
 *
 * key.c
 *	  What identifies a statement: hashes of its analysed, rewritten query.
 *
 * A walker turns the query tree into a sequence of bytes and hashes it.  The
 * sequence can be read back in one way only, so two different trees never
 * give the same bytes: each node begins with its tag, a missing node is a
 * tag of zero, a list begins with its length, a string ends with a zero byte
 * (it cannot hold one), and what may be missing begins with a marker.  Which
 * fields follow a tag is fixed by the tag and by what was written before.
 *
 * The walker has a list of node types.  A node that is not in it, or is used
 * in a way that a SELECT does not use it, makes the statement unknown, and
 * an unknown statement is not cached.  There is no default that skips.
 *
 * There are two streams.  The skeleton is everything but the values of
 * constants; statements that agree in it are a family.  The values go to the
 * other stream, one per Const node in the order of the walk.  The skeleton
 * says how many there are and of which type and length, so that a value
 * cannot be taken for a part of its neighbour.  The hash of the tree covers
 * the values and the hash of the skeleton.
 *
 * What is left out, and why:
 *
 *	- the titles of the columns of the top level, with the table and column
 *	  they come from (resname, resorigtbl, resorigcol): they describe the
 *	  result to the client, and the description comes from the plan of the
 *	  statement at hand.  The names of columns of inner queries, range table
 *	  entries and row constructors are in: they become values in row_to_json
 *	  and its like.  Origins of inner columns are read by nobody;
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
 *	  sortop, hasGroupRTE from the range table;
 *	- fields of other commands than SELECT.  A query of another command is
 *	  unknown, also inside WITH; so are one with row locks and one that reads
 *	  the transition table of a trigger.  The remaining two fields, override
 *	  and mergeUseOuterJoin, mean nothing to a SELECT.
 *
 * Names are in that rarely matter (of a window, of a join's alias): an equal
 * statement written differently is a miss, never a wrong answer.
 *
 * Memory: nothing is allocated but the set of parameters, in the current
 * context, and for a moment the detoasted form of a value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/transam.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "cache/key.h"

/* longest value of a parameter that is worth hashing at each execution */
#define PFO_PARAM_MAX_SIZE	(64 * 1024)

/* a node begins with its tag and up to 20 bits of small fields */
#define PFO_TAG_BITS	12

/* bits that say which parts of a type follow, see pfo_put_type() */
#define PFO_TYPE_TYPMOD		0x01
#define PFO_TYPE_COLLATION	0x02

typedef struct PfoWalk
{
	PfoHasher	skeleton;
	PfoHasher	constants;
	Bitmapset  *params;
	NodeTag		unknown;
} PfoWalk;

/* Write some numbers of 32 bits. */
#define PFO_PUT(walk, ...) \
	do { \
		const uint32 words_[] = {__VA_ARGS__}; \
		pfo_hasher_add(&(walk)->skeleton, words_, sizeof(words_)); \
	} while (0)

static bool pfo_walk_query(PfoWalk *walk, const Query *query, bool top);
static bool pfo_walk_node(PfoWalk *walk, const Node *node);
static bool pfo_walk_list(PfoWalk *walk, const List *list);

#define PFO_WALK(walk, node)	pfo_walk_node(walk, (const Node *) (node))


/*
 * Writing
 */

/* Begin a node: its tag and what fits beside it. */
static inline void
pfo_put_head(PfoWalk *walk, NodeTag tag, uint32 extra)
{
	Assert((uint32) tag < (1U << PFO_TAG_BITS));
	Assert(extra < (1U << (32 - PFO_TAG_BITS)));

	PFO_PUT(walk, (uint32) tag | (extra << PFO_TAG_BITS));
}

/* A number that is nearly always small: one byte, or a mark and four. */
static inline void
pfo_put_count(PfoWalk *walk, uint32 count)
{
	uint8		byte = Min(count, PG_UINT8_MAX);

	pfo_hasher_add(&walk->skeleton, &byte, 1);
	if (unlikely(byte == PG_UINT8_MAX))
		PFO_PUT(walk, count);
}

/* A type with its modifier and collation, which most types do not have. */
static inline void
pfo_put_type(PfoWalk *walk, Oid type, int32 typmod, Oid collation)
{
	uint8		parts = 0;

	if (typmod != -1)
		parts |= PFO_TYPE_TYPMOD;
	if (OidIsValid(collation))
		parts |= PFO_TYPE_COLLATION;

	pfo_hasher_add(&walk->skeleton, &parts, 1);
	PFO_PUT(walk, type);
	if (typmod != -1)
		PFO_PUT(walk, typmod);
	if (OidIsValid(collation))
		PFO_PUT(walk, collation);
}

/* A string that is there. */
static inline void
pfo_put_name(PfoWalk *walk, const char *name)
{
	pfo_hasher_add(&walk->skeleton, name, strlen(name) + 1);
}

/* A string that may be missing. */
static void
pfo_put_string(PfoWalk *walk, const char *string)
{
	uint8		there = (string != NULL);

	pfo_hasher_add(&walk->skeleton, &there, 1);
	if (there)
		pfo_put_name(walk, string);
}

static void
pfo_put_bitmapset(PfoWalk *walk, const Bitmapset *set)
{
	int			nwords = (set == NULL) ? 0 : set->nwords;

	pfo_put_count(walk, nwords);
	if (nwords > 0)
		pfo_hasher_add(&walk->skeleton, set->words,
					   nwords * sizeof(bitmapword));
}

/*
 * The image of a value that is not null.  False if it is longer than the
 * limit; then nothing was written.
 *
 * A varlena is taken without its header and detoasted, so that the same
 * value gives the same image however it is stored.  Its size is known before
 * it is fetched.
 */
static bool
pfo_add_value(PfoHasher *h, Datum value, int typlen, bool byval, Size limit)
{
	if (byval)
	{
		uint64		image = value;

		pfo_hasher_add(h, &image, sizeof(image));
	}
	else if (typlen == -1)
	{
		struct varlena *stored = (struct varlena *) DatumGetPointer(value);
		struct varlena *flat;
		uint32		size;

		if (toast_raw_datum_size(value) - VARHDRSZ > limit)
			return false;

		flat = pg_detoast_datum_packed(stored);
		size = VARSIZE_ANY_EXHDR(flat);
		pfo_hasher_add(h, &size, sizeof(size));
		pfo_hasher_add(h, VARDATA_ANY(flat), size);
		if (flat != stored)
			pfree(flat);
	}
	else
	{
		const char *bytes = DatumGetPointer(value);
		Size		size = (typlen == -2) ? strlen(bytes) + 1 : typlen;

		if (size > limit)
			return false;
		pfo_hasher_add(h, bytes, size);
	}

	return true;
}


/*
 * Lists and small structures
 */

static bool
pfo_walk_unknown(PfoWalk *walk, NodeTag tag)
{
	walk->unknown = tag;
	return false;
}

static bool
pfo_walk_list(PfoWalk *walk, const List *list)
{
	ListCell   *lc;

	if (list != NIL && !IsA(list, List))
		return pfo_walk_unknown(walk, nodeTag(list));

	pfo_put_count(walk, list_length(list));
	foreach(lc, list)
	{
		if (!PFO_WALK(walk, lfirst(lc)))
			return false;
	}

	return true;
}

/* A list of integers or of OIDs; the field that holds it decides which. */
static bool
pfo_walk_numbers(PfoWalk *walk, const List *list)
{
	ListCell   *lc;

	if (list != NIL && !IsA(list, IntList) && !IsA(list, OidList))
		return pfo_walk_unknown(walk, nodeTag(list));

	pfo_put_count(walk, list_length(list));
	if (list != NIL && IsA(list, OidList))
	{
		foreach(lc, list)
			PFO_PUT(walk, lfirst_oid(lc));
	}
	else
	{
		foreach(lc, list)
			PFO_PUT(walk, lfirst_int(lc));
	}

	return true;
}

/* A list of names, none of which is missing. */
static bool
pfo_walk_names(PfoWalk *walk, const List *list)
{
	ListCell   *lc;

	pfo_put_count(walk, list_length(list));
	foreach(lc, list)
	{
		Node	   *name = lfirst(lc);

		if (!IsA(name, String))
			return pfo_walk_unknown(walk, nodeTag(name));
		pfo_put_name(walk, strVal(name));
	}

	return true;
}

static bool
pfo_walk_alias(PfoWalk *walk, const Alias *alias)
{
	uint8		there = (alias != NULL);

	pfo_hasher_add(&walk->skeleton, &there, 1);
	if (!there)
		return true;

	pfo_put_name(walk, alias->aliasname);
	return pfo_walk_names(walk, alias->colnames);
}

static bool
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
			return pfo_walk_list(walk, rte->joinaliasvars) &&
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
static bool
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
 * Expressions
 */

static bool
pfo_walk_var(PfoWalk *walk, const Var *var)
{
	const Bitmapset *nullingrels = PFO_VAR_NULLINGRELS(var);

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

	return pfo_add_value(&walk->constants, con->constvalue, con->constlen,
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

/*
 * Any node, or none.  The frequent ones are here, the others further down.
 */
static bool
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


/*
 * The interface
 */

bool
pfo_key_query(Query *query, PfoQueryKey *key)
{
	PfoWalk		walk;
	bool		known;

	pfo_hasher_init(&walk.skeleton);
	pfo_hasher_init(&walk.constants);
	walk.params = NULL;
	walk.unknown = T_Invalid;

	known = pfo_walk_query(&walk, query, true);

	key->unknown = walk.unknown;
	key->params = walk.params;
	key->skeleton = pfo_hasher_final(&walk.skeleton);
	pfo_hasher_add(&walk.constants, &key->skeleton, sizeof(key->skeleton));
	key->tree = pfo_hasher_final(&walk.constants);

	return known;
}

/*
 * Length and passing of a type.  Remembered for the types that PostgreSQL
 * itself cannot do without: they can neither be dropped nor change, so that
 * no invalidation has to be heard.
 */
static void
pfo_key_typlen(Oid type, int16 *typlen, bool *byval)
{
	static struct
	{
		Oid			type;
		int16		typlen;
		bool		byval;
	}			known[64];
	int			slot = type % lengthof(known);

	if (known[slot].type != type)
	{
		get_typlenbyval(type, typlen, byval);
		if (type >= FirstUnpinnedObjectId)
			return;
		known[slot].type = type;
		known[slot].typlen = *typlen;
		known[slot].byval = *byval;
	}
	*typlen = known[slot].typlen;
	*byval = known[slot].byval;
}

bool
pfo_key_params(PfoHasher *h, const Bitmapset *params, ParamListInfo values)
{
	int			id = -1;

	while ((id = bms_next_member(params, id)) >= 0)
	{
		ParamExternData *prm;
		ParamExternData workspace;
		int16		typlen;
		bool		byval;

		if (values == NULL || id > values->numParams)
			return false;

		/* speculatively: who supplies values must not raise an error now */
		if (values->paramFetch != NULL)
			prm = values->paramFetch(values, id, true, &workspace);
		else
			prm = &values->params[id - 1];

		/* the row type in an anonymous record means nothing elsewhere */
		if (!OidIsValid(prm->ptype) ||
			prm->ptype == RECORDOID || prm->ptype == RECORDARRAYOID)
			return false;

		{
			const uint32 words[] = {id, prm->ptype, prm->isnull};

			pfo_hasher_add(h, words, sizeof(words));
		}
		if (prm->isnull)
			continue;

		pfo_key_typlen(prm->ptype, &typlen, &byval);
		if (!pfo_add_value(h, prm->value, typlen, byval, PFO_PARAM_MAX_SIZE))
			return false;
	}

	return true;
}
