/*-------------------------------------------------------------------------
 *
 * eligible_calls.c
 *	  Calls: functions together with what they are given.
 *
 * A call is refused if its function is (eligible_functions.c), or if the
 * values it is given or makes are not safe for what it does with them
 * (eligible_types.c, eligible_values.c).  Aggregates, sorting, grouping and
 * casts by text are calls too, of several functions each.  An SQL function may
 * be judged by its body instead (eligible_body.c), if it is called by itself
 * or by an operator.
 *
 * On the way the functions are collected whose EXECUTE permission executing
 * the query checks.
 *
 * Not looked at: support functions of operator classes that are reached only
 * by the planner's choice (index access, hash and merge joins).  They belong
 * to the operators of their family, which are judged, and only a superuser can
 * create them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/transam.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "cache/eligible_body.h"
#include "cache/eligible_calls.h"
#include "cache/fold.h"
#include "cache/permissions.h"

static void
pfo_note_function(PfoJudge *judge, Oid funcid)
{
	if (OidIsValid(funcid))
		judge->result->functions =
			list_append_unique_oid(judge->result->functions, funcid);
}

/*
 * The verdict of one function; what it reads by itself is noted.  Of a
 * function labelled IMMUTABLE the planner can make a constant, which nothing
 * that joins the key at a look-up has a say in.
 */
static PfoReason
pfo_function_noted(PfoJudge *judge, Oid funcid, int *needs)
{
	PfoReason	reason = pfo_function_reason(funcid, needs);

	if (reason != PFO_REASON_NONE)
		return reason;
	if (*needs & PFO_READS_SETTINGS)
		judge->result->reads_settings = true;
	if (*needs & PFO_READS_TEXT_SEARCH)
	{
		if (judge->constant)
			return PFO_REASON_STABLE_FUNCTION;
		judge->nfolds++;
		pfo_fold_text_search(&judge->result->folded);
	}
	*needs &= PFO_NEEDS_ALL;
	return PFO_REASON_NONE;
}

bool
pfo_judge_call(PfoJudge *judge, Oid funcid, List *args, Oid rettype)
{
	int			needs;
	PfoReason	reason = pfo_function_noted(judge, funcid, &needs);
	bool		ok;

	if (reason != PFO_REASON_NONE)
		return pfo_refuse(judge, reason, funcid);

	/*
	 * Values are read from the arguments and made for the result.  What a
	 * record without name is made of, the arguments tell, or the column
	 * definitions in FROM, which are judged there.
	 */
	if (rettype == RECORDOID || rettype == RECORDARRAYOID)
		ok = pfo_values_ok(judge->level, args, needs);
	else
		ok = pfo_values_ok(judge->level, args, needs & ~PFO_NEEDS_INPUT) &&
			pfo_type_ok(rettype, needs & ~PFO_NEEDS_OUTPUT);
	if (!ok)
		return pfo_refuse(judge,
						  needs == PFO_NEEDS_COMPARE ?
						  PFO_REASON_UNTRUSTED_FUNCTION :
						  PFO_REASON_STABLE_FUNCTION, funcid);
	return false;
}

bool
pfo_judge_checked_call(PfoJudge *judge, Oid funcid, List *args, Oid rettype)
{
	pfo_note_function(judge, funcid);
	if (pfo_function_has_body(funcid))
		return pfo_judge_body(judge, funcid, list_length(args));
	return pfo_judge_call(judge, funcid, args, rettype);
}

bool
pfo_judge_foldable(PfoJudge *judge, Oid funcid)
{
	int			needs;
	PfoReason	reason = PFO_REASON_NEEDS_FOLDING;

	if (OidIsValid(funcid))
	{
		pfo_note_function(judge, funcid);
		reason = pfo_function_reason(funcid, &needs);
	}

	/*
	 * Beside a query there is nobody to collect it.  The planner can make a
	 * constant of what a function labelled IMMUTABLE calls.
	 */
	if (reason != PFO_REASON_NEEDS_FOLDING || judge->level == NULL ||
		judge->constant)
		return pfo_refuse(judge, reason, funcid);
	judge->nfolds++;
	if (judge->depth == 0)
		judge->result->folds = true;
	return false;
}

/* May an index or a join be by this operator, hence by what is beside it? */
static bool
pfo_is_in_family(Oid opno)
{
	CatCList   *members = SearchSysCacheList1(AMOPOPID,
											  ObjectIdGetDatum(opno));
	bool		any = members->n_members > 0;

	ReleaseSysCacheList(members);
	return any;
}

/*
 * An operator of a family brings the support functions of that.  They are
 * believed where a library brought both; an SQL function that the operator
 * stands for says nothing of them.
 */
static bool
pfo_judge_operator_call(PfoJudge *judge, Oid opno, Oid funcid, List *args,
						Oid rettype)
{
	if (pfo_function_has_body(funcid) && pfo_is_in_family(opno))
		return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION, funcid);
	return pfo_judge_checked_call(judge, funcid, args, rettype);
}

/*
 * The planner writes the negator where an operator is denied, so both must be
 * fine.  Those of PostgreSQL's own operators are; a user's can be any function
 * at all.
 */
bool
pfo_judge_operator(PfoJudge *judge, Oid opno, List *args, Oid rettype)
{
	Oid			negator;
	Oid			funcid;

	if (pfo_judge_operator_call(judge, opno, get_opcode(opno), args, rettype))
		return true;
	if (opno < FirstGenbkiObjectId)
		return false;
	negator = get_negator(opno);
	if (!OidIsValid(negator))
		return false;
	funcid = get_opcode(negator);	/* none if only declared so far */
	return OidIsValid(funcid) &&
		pfo_judge_operator_call(judge, negator, funcid, args, rettype);
}

bool
pfo_judge_grouping(PfoJudge *judge, Oid eqop, Oid sortop, Node *value,
				   Oid typid)
{
	Oid			ops[2];

	if (value ? !pfo_value_ok(judge->level, value, PFO_NEEDS_COMPARE) :
		!pfo_type_ok(typid, PFO_NEEDS_COMPARE))
		return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION,
						  OidIsValid(eqop) ? get_opcode(eqop) : InvalidOid);

	ops[0] = eqop;
	ops[1] = sortop;
	for (int i = 0; i < lengthof(ops); i++)
	{
		int			needs;
		PfoReason	reason;
		Oid			funcid;

		if (!OidIsValid(ops[i]))
			continue;
		funcid = get_opcode(ops[i]);
		pfo_note_function(judge, funcid);
		reason = pfo_function_noted(judge, funcid, &needs);
		if (reason != PFO_REASON_NONE)
			return pfo_refuse(judge, reason, funcid);
	}

	if (eqop >= FirstGenbkiObjectId)
	{
		Oid			left;
		Oid			right;
		ListCell   *lc;

		if (get_op_hash_functions(eqop, &left, &right) &&
			!(pfo_support_ok(left) && pfo_support_ok(right)))
			return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION, left);

		op_input_types(eqop, &left, &right);
		foreach(lc, get_mergejoin_opfamilies(eqop))
		{
			Oid			proc = get_opfamily_proc(lfirst_oid(lc), left, right,
												 BTORDER_PROC);

			if (!pfo_support_ok(proc))
				return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION, proc);
		}
	}
	return false;
}

bool
pfo_judge_sort_clauses(PfoJudge *judge, List *clauses, List *tlist)
{
	ListCell   *lc;

	foreach(lc, clauses)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, lc);
		Node	   *value = get_sortgroupclause_expr(clause, tlist);

		if (pfo_judge_grouping(judge, clause->eqop, clause->sortop, value,
							   InvalidOid))
			return true;
	}
	return false;
}

/* What an aggregate is made of, for those that PostgreSQL did not bring */
static bool
pfo_judge_aggregate_parts(PfoJudge *judge, Oid aggfnoid, List *args,
						  Oid rettype)
{
	HeapTuple	tuple;
	Oid			parts[PFO_AGGREGATE_PARTS];
	Oid			transtype;
	bool		no_initval;

	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggfnoid));
	if (!HeapTupleIsValid(tuple))
		return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION, aggfnoid);
	pfo_aggregate_parts((Form_pg_aggregate) GETSTRUCT(tuple), parts);
	transtype = ((Form_pg_aggregate) GETSTRUCT(tuple))->aggtranstype;
	(void) SysCacheGetAttr(AGGFNOID, tuple, Anum_pg_aggregate_agginitval,
						   &no_initval);
	ReleaseSysCache(tuple);

	for (int i = 0; i < lengthof(parts); i++)
	{
		if (OidIsValid(parts[i]) &&
			pfo_judge_call(judge, parts[i], args, rettype))
			return true;
	}

	/* the initial value is text; the state is handled like any value */
	if (!pfo_type_ok(transtype, PFO_NEEDS_COMPARE |
					 (no_initval ? 0 : PFO_NEEDS_INPUT)))
		return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION, aggfnoid);
	return false;
}

bool
pfo_judge_aggregate(PfoJudge *judge, Aggref *aggref)
{
	List	   *args = list_concat_copy(aggref->aggdirectargs, aggref->args);

	pfo_note_function(judge, aggref->aggfnoid);
	if (aggref->aggfnoid < FirstGenbkiObjectId)
	{
		if (pfo_judge_call(judge, aggref->aggfnoid, args, aggref->aggtype))
			return true;
	}
	else if (pfo_judge_aggregate_parts(judge, aggref->aggfnoid, args,
									   aggref->aggtype))
		return true;

	return pfo_judge_sort_clauses(judge, aggref->aggorder, aggref->args) ||
		pfo_judge_sort_clauses(judge, aggref->aggdistinct, aggref->args);
}

/* User-defined aggregates can be called as window functions, too. */
bool
pfo_judge_window_function(PfoJudge *judge, WindowFunc *wfunc)
{
	pfo_note_function(judge, wfunc->winfnoid);
	if (wfunc->winagg && wfunc->winfnoid >= FirstGenbkiObjectId)
		return pfo_judge_aggregate_parts(judge, wfunc->winfnoid, wfunc->args,
										 wfunc->wintype);
	return pfo_judge_call(judge, wfunc->winfnoid, wfunc->args,
						  wfunc->wintype);
}

/* IN and NOT IN may use a hash table, with functions that are checked too. */
bool
pfo_judge_array_operator(PfoJudge *judge, ScalarArrayOpExpr *expr)
{
	Oid			opno = expr->opno;
	Oid			left;
	Oid			right;

	if (pfo_judge_operator(judge, opno, expr->args, BOOLOID))
		return true;

	if (!expr->useOr)
		opno = get_negator(opno);
	if (OidIsValid(opno) && get_op_hash_functions(opno, &left, &right))
	{
		if (!pfo_support_ok(left) || !pfo_support_ok(right))
			return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION, left);
		if (!expr->useOr &&
			pfo_judge_checked_call(judge, get_opcode(opno), expr->args,
								   BOOLOID))
			return true;
		pfo_note_function(judge, left);
		pfo_note_function(judge, right);
	}
	return false;
}

/* A cast by text runs the output function of one, the input of the other. */
bool
pfo_judge_io_cast(PfoJudge *judge, CoerceViaIO *expr)
{
	Oid			output;
	Oid			input;
	Oid			typioparam;
	bool		isvarlena;

	getTypeOutputInfo(exprType((Node *) expr->arg), &output, &isvarlena);
	getTypeInputInfo(expr->resulttype, &input, &typioparam);
	if (!pfo_value_ok(judge->level, (Node *) expr->arg, PFO_NEEDS_OUTPUT))
		return pfo_refuse(judge, PFO_REASON_STABLE_FUNCTION, output);
	if (!pfo_type_ok(expr->resulttype, PFO_NEEDS_INPUT))
		return pfo_refuse(judge, PFO_REASON_STABLE_FUNCTION, input);
	if (!pfo_function_unchanging(output) || !pfo_function_unchanging(input))
		judge->result->reads_settings = true;
	return false;
}
