/*-------------------------------------------------------------------------
 *
 * eligible.c
 *	  May the answer of a statement be kept at all?  A verdict about the
 *	  analysed query, with a reason.
 *
 * A statement is eligible if its rows depend on nothing but the contents of
 * ordinary tables under a snapshot, the definitions of objects, and what is
 * part of the key: constants, parameters and the settings of settings.c.
 * Everything here errs on the side of refusing.
 *
 * The query is walked twice.  The first walk looks at relations and the kind
 * of each (sub)query, so that the reason people see is the plainest one: a
 * statement over pg_class says "catalog", not that some function in it is
 * unknown.  The second walk looks at expressions.  It knows a list of node
 * types and refuses others.
 *
 * Functions.  Labels are not enough (functions.c tells why).  An IMMUTABLE
 * function is believed if it is PostgreSQL's own, or a C function of a
 * reviewed extension; a STABLE one only if it is listed.  A function declared
 * LANGUAGE internal is what its C name says, whoever created it under
 * whatever label.  All code that an expression can reach is judged, also
 * behind operators, casts, domains, aggregates, sorting and grouping.
 *
 * Types.  Functions of pg_catalog that take any type (array_eq, to_json,
 * concat, json_populate_record ...) run what belongs to that type: its
 * comparison, output or input functions.  So the types of the arguments are
 * judged as well, through arrays, rows, ranges and domains, for what the
 * function needs of them.  Output of reg* types reads names from catalogs;
 * input of date and time types knows the words now and today.  A row type
 * without name is judged by the columns it was made of, where these can be
 * found.
 *
 * Not looked at: support functions of operator classes that are reached only
 * by the planner's choice (index access, hash and merge joins).  They belong
 * to the operators of their family, which are judged, and only a superuser
 * can create them.  Functions inside PostgreSQL's own SQL functions, whose
 * EXECUTE permission inlining checks, are not in the list of functions.
 *
 * Catalogs are read, also by the type cache: inside a transaction only.  The
 * caller holds locks on the query's relations.  The verdict holds until one
 * of the objects changes, which the caller must notice.  Memory comes from
 * the current context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_am.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "cache/eligible.h"
#include "cache/functions.h"

/* what a function needs of the types it is given */
#define PFO_TYPE_COMPARE	0x01
#define PFO_TYPE_OUTPUT		0x02
#define PFO_TYPE_INPUT		0x04
#define PFO_TYPE_ALL		0x07

/* the queries around the expression being judged, for Var.varlevelsup */
typedef struct PfoLevel
{
	Query	   *query;
	struct PfoLevel *up;
} PfoLevel;

typedef struct PfoJudge
{
	PfoEligibility *result;
	PfoLevel   *level;
	List	   *types;			/* types whose relations were collected */
	bool		any_relation;
} PfoJudge;

static bool pfo_expression_walker(Node *node, PfoJudge *judge);
static bool pfo_type_ok(Oid typid, int needs);
static bool pfo_value_ok(PfoJudge *judge, Node *node, int needs);

/* Says no.  True, which ends a walk. */
static bool
pfo_refuse(PfoJudge *judge, PfoReason reason, Oid object)
{
	judge->result->reason = reason;
	judge->result->object = object;
	return true;
}

/*
 * Relations
 */

/* Judges a relation by its pg_class row; also gives the kind. */
static PfoReason
pfo_relation_reason(Oid relid, char *relkind)
{
	HeapTuple	tuple;
	Form_pg_class form;
	PfoReason	reason = PFO_REASON_NONE;

	*relkind = '\0';
	if (relid < FirstNormalObjectId)
		return PFO_REASON_CATALOG;

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		return PFO_REASON_RELATION_KIND;	/* dropped meanwhile */
	form = (Form_pg_class) GETSTRUCT(tuple);
	*relkind = form->relkind;

	if (form->relpersistence == RELPERSISTENCE_TEMP)
		reason = PFO_REASON_TEMP_TABLE;
	else
	{
		switch (form->relkind)
		{
			case RELKIND_RELATION:
			case RELKIND_MATVIEW:
				if (form->relam != HEAP_TABLE_AM_OID)
					reason = PFO_REASON_ACCESS_METHOD;
				break;
			case RELKIND_PARTITIONED_TABLE:
			case RELKIND_VIEW:
				break;
			case RELKIND_FOREIGN_TABLE:
				reason = PFO_REASON_FOREIGN_TABLE;
				break;
			default:
				reason = PFO_REASON_RELATION_KIND;
				break;
		}
	}

	ReleaseSysCache(tuple);
	return reason;
}

static bool
pfo_judge_relation(PfoJudge *judge, RangeTblEntry *rte)
{
	PfoReason	reason;
	char		relkind;

	if (rte->rtekind == RTE_NAMEDTUPLESTORE)
		return pfo_refuse(judge, PFO_REASON_UNKNOWN_NODE, InvalidOid);
	if (rte->rtekind != RTE_RELATION)
		return false;

	reason = pfo_relation_reason(rte->relid, &relkind);
	if (reason != PFO_REASON_NONE)
		return pfo_refuse(judge, reason, rte->relid);
	if (rte->tablesample != NULL)
		return pfo_refuse(judge, PFO_REASON_TABLESAMPLE, rte->relid);

	/* an expanded view leaves an entry of itself behind, which is not read */
	if (relkind != RELKIND_VIEW)
		judge->any_relation = true;
	if (relkind == RELKIND_RELATION && rte->inh && has_subclass(rte->relid))
		judge->result->plain_parents = true;
	return false;
}

/* The first walk: what kind of query is it, and what does it read? */
static bool
pfo_relation_walker(Node *node, PfoJudge *judge)
{
	if (node == NULL)
		return false;

	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		if (query->commandType != CMD_SELECT || query->hasModifyingCTE)
			return pfo_refuse(judge, PFO_REASON_MODIFYING_CTE, InvalidOid);
		if (query->hasForUpdate || query->rowMarks != NIL)
			return pfo_refuse(judge, PFO_REASON_ROW_LOCKS, InvalidOid);
		return query_tree_walker(query, pfo_relation_walker, (void *) judge,
								 QTW_EXAMINE_RTES_BEFORE);
	}
	if (IsA(node, RangeTblEntry))
		return pfo_judge_relation(judge, (RangeTblEntry *) node);
	return expression_tree_walker(node, pfo_relation_walker, (void *) judge);
}

PfoReason
pfo_eligible_relations(List *relation_oids, Oid *relid)
{
	ListCell   *lc;

	*relid = InvalidOid;
	foreach(lc, relation_oids)
	{
		char		relkind;
		PfoReason	reason;

		reason = pfo_relation_reason(lfirst_oid(lc), &relkind);
		if (reason != PFO_REASON_NONE)
		{
			*relid = lfirst_oid(lc);
			return reason;
		}
	}
	return PFO_REASON_NONE;
}

/*
 * Functions by themselves
 */

/* Is this type, in a declaration, only known when the function is called? */
static bool
pfo_type_is_open(Oid typid)
{
	return IsPolymorphicType(typid) || typid == ANYOID ||
		typid == RECORDOID || typid == RECORDARRAYOID;
}

static bool
pfo_proc_is_open(Form_pg_proc form)
{
	if (pfo_type_is_open(form->prorettype))
		return true;
	for (int i = 0; i < form->pronargs; i++)
	{
		if (pfo_type_is_open(form->proargtypes.values[i]))
			return true;
	}
	return false;
}

static bool
pfo_extension_member_ok(Oid funcid)
{
	Oid			extension = getExtensionOfObject(ProcedureRelationId, funcid);
	char	   *name;

	if (!OidIsValid(extension))
		return false;
	name = get_extension_name(extension);
	return name != NULL && pfo_function_extension_ok(name);
}

/*
 * Judges a function without regard to what it is called with; *needs says
 * what must hold for the types of its arguments and result.
 */
static PfoReason
pfo_function_reason(Oid funcid, int *needs)
{
	HeapTuple	tuple;
	Form_pg_proc form;
	char		provolatile;
	Oid			language;
	bool		open;
	Oid			internal = InvalidOid;
	int			flags;

	*needs = 0;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(tuple))
		return PFO_REASON_UNTRUSTED_FUNCTION;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	provolatile = form->provolatile;
	language = form->prolang;
	open = pfo_proc_is_open(form);
	if (language == INTERNALlanguageId && funcid >= FirstGenbkiObjectId)
	{
		bool		isnull;
		Datum		prosrc;

		prosrc = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
		if (!isnull)
			internal = fmgr_internal_function(TextDatumGetCString(prosrc));
	}
	ReleaseSysCache(tuple);

	if (provolatile == PROVOLATILE_VOLATILE)
		return PFO_REASON_VOLATILE_FUNCTION;

	if (funcid >= FirstGenbkiObjectId)
	{
		if (OidIsValid(internal) && internal < FirstGenbkiObjectId)
		{
			PfoReason	reason = pfo_function_reason(internal, needs);

			/* its own signature decides what is known of the types */
			if (open)
				*needs |= PFO_TYPE_COMPARE;
			return reason;
		}
		if (language != ClanguageId ||
			provolatile != PROVOLATILE_IMMUTABLE ||
			!pfo_extension_member_ok(funcid))
			return PFO_REASON_UNTRUSTED_FUNCTION;
		/* what such a function does with a type was not reviewed */
		if (open)
			*needs = PFO_TYPE_ALL;
		return PFO_REASON_NONE;
	}

	/* redefined by a superuser in another language? */
	if (language != INTERNALlanguageId && language != SQLlanguageId)
		return PFO_REASON_UNTRUSTED_FUNCTION;

	flags = pfo_function_flags(funcid);
	if (flags & PFO_FUNCTION_FOLDABLE)
		return PFO_REASON_NEEDS_FOLDING;
	if (flags & PFO_FUNCTION_LIES)
		return PFO_REASON_STABLE_FUNCTION;
	if (provolatile == PROVOLATILE_STABLE && !(flags & PFO_FUNCTION_OK))
		return PFO_REASON_STABLE_FUNCTION;

	/* count() only asks whether its argument is null */
	if (open && funcid != F_COUNT_ANY)
		*needs |= PFO_TYPE_COMPARE;
	if (flags & PFO_FUNCTION_OUTPUT)
		*needs |= PFO_TYPE_OUTPUT;
	if (flags & PFO_FUNCTION_INPUT)
		*needs |= PFO_TYPE_INPUT;
	return PFO_REASON_NONE;
}

/* The same for a support function, whose types are known to be its own. */
static bool
pfo_support_ok(Oid funcid)
{
	int			needs;

	return !OidIsValid(funcid) ||
		pfo_function_reason(funcid, &needs) == PFO_REASON_NONE;
}

/*
 * Types
 */

/* Types whose text depends on catalogs, or whose input on the clock */
static bool
pfo_builtin_type_ok(Oid typid, int needs)
{
	switch (typid)
	{
			/* names of objects */
		case REGPROCOID:
		case REGPROCEDUREOID:
		case REGOPEROID:
		case REGOPERATOROID:
		case REGCLASSOID:
		case REGCOLLATIONOID:
		case REGTYPEOID:
		case REGROLEOID:
		case REGNAMESPACEOID:
		case REGCONFIGOID:
		case REGDICTIONARYOID:
		case ACLITEMOID:
			return (needs & (PFO_TYPE_OUTPUT | PFO_TYPE_INPUT)) == 0;

			/* 'today', and a zone offset of the current date */
		case DATEOID:
		case TIMEOID:
		case TIMETZOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return (needs & PFO_TYPE_INPUT) == 0;

		default:
			return true;
	}
}

/* What type-independent functions look up for a type: I/O, casts, opclass */
static bool
pfo_user_type_ok(Oid typid, int needs)
{
	Oid			funcid;
	Oid			typioparam;
	bool		isvarlena;

	if (needs & PFO_TYPE_OUTPUT)
	{
		HeapTuple	tuple;
		Oid			castfunc = InvalidOid;

		getTypeOutputInfo(typid, &funcid, &isvarlena);
		if (funcid != F_ENUM_OUT && funcid != F_RANGE_OUT &&
			funcid != F_MULTIRANGE_OUT && !pfo_support_ok(funcid))
			return false;

		tuple = SearchSysCache2(CASTSOURCETARGET, ObjectIdGetDatum(typid),
								ObjectIdGetDatum(JSONOID));
		if (HeapTupleIsValid(tuple))
		{
			castfunc = ((Form_pg_cast) GETSTRUCT(tuple))->castfunc;
			ReleaseSysCache(tuple);
		}
		if (!pfo_support_ok(castfunc))
			return false;
	}
	if (needs & PFO_TYPE_INPUT)
	{
		getTypeInputInfo(typid, &funcid, &typioparam);
		if (funcid != F_ENUM_IN && funcid != F_RANGE_IN &&
			funcid != F_MULTIRANGE_IN && !pfo_support_ok(funcid))
			return false;
	}
	if (needs & PFO_TYPE_COMPARE)
	{
		TypeCacheEntry *entry;

		entry = lookup_type_cache(typid,
								  TYPECACHE_EQ_OPR | TYPECACHE_CMP_PROC |
								  TYPECACHE_HASH_PROC |
								  TYPECACHE_HASH_EXTENDED_PROC);
		if (OidIsValid(entry->eq_opr) &&
			!pfo_support_ok(get_opcode(entry->eq_opr)))
			return false;
		if (!pfo_support_ok(entry->cmp_proc) ||
			!pfo_support_ok(entry->hash_proc) ||
			!pfo_support_ok(entry->hash_extended_proc))
			return false;
	}
	return true;
}

static bool
pfo_rowtype_ok(Oid typid, int needs)
{
	TupleDesc	tupdesc = lookup_rowtype_tupdesc(typid, -1);
	bool		ok = true;

	for (int i = 0; ok && i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);

		if (!att->attisdropped)
			ok = pfo_type_ok(att->atttypid, needs);
	}
	ReleaseTupleDesc(tupdesc);
	return ok;
}

static bool
pfo_rangetype_ok(Oid typid, int needs)
{
	TypeCacheEntry *entry = lookup_type_cache(typid, TYPECACHE_RANGE_INFO);

	return pfo_support_ok(entry->rng_cmp_proc_finfo.fn_oid) &&
		pfo_support_ok(entry->rng_canonical_finfo.fn_oid) &&
		pfo_type_ok(entry->rngelemtype->type_id, needs);
}

/* A domain's constraints run when a value enters it. */
static bool
pfo_domain_is_checked(Oid typid)
{
	return lookup_type_cache(typid,
							 TYPECACHE_DOMAIN_CONSTR_INFO)->domainData != NULL;
}

/*
 * May functions that work on any type be given this one, when they need that
 * much of it?
 */
static bool
pfo_type_ok(Oid typid, int needs)
{
	Oid			inner;

	check_stack_depth();

	if (needs == 0)
		return true;
	if (typid == RECORDOID || typid == RECORDARRAYOID)
		return false;

	inner = get_element_type(typid);
	if (OidIsValid(inner))
		return pfo_type_ok(inner, needs);

	switch (get_typtype(typid))
	{
		case TYPTYPE_PSEUDO:
			return true;		/* no values of their own */
		case TYPTYPE_DOMAIN:
			if ((needs & PFO_TYPE_INPUT) && pfo_domain_is_checked(typid))
				return false;
			return pfo_type_ok(getBaseType(typid), needs);
		case TYPTYPE_COMPOSITE:
			if (!pfo_rowtype_ok(typid, needs))
				return false;
			break;
		case TYPTYPE_RANGE:
			if (!pfo_rangetype_ok(typid, needs))
				return false;
			break;
		case TYPTYPE_MULTIRANGE:
			if (!pfo_rangetype_ok(get_multirange_range(typid), needs))
				return false;
			break;
		default:
			break;
	}

	if (typid < FirstGenbkiObjectId)
		return pfo_builtin_type_ok(typid, needs);

	/* row types have nothing of their own but what their columns have */
	return get_typtype(typid) == TYPTYPE_COMPOSITE ||
		pfo_user_type_ok(typid, needs);
}

/* Collects the relations behind the row types in a type. */
static void
pfo_note_type(PfoJudge *judge, Oid typid)
{
	check_stack_depth();

	/* types made by initdb cannot be altered */
	if (typid < FirstGenbkiObjectId || list_member_oid(judge->types, typid))
		return;
	judge->types = lappend_oid(judge->types, typid);

	switch (get_typtype(typid))
	{
		case TYPTYPE_COMPOSITE:
			{
				TupleDesc	tupdesc = lookup_rowtype_tupdesc(typid, -1);

				judge->result->typrelids =
					list_append_unique_oid(judge->result->typrelids,
										   get_typ_typrelid(typid));
				for (int i = 0; i < tupdesc->natts; i++)
				{
					Form_pg_attribute att = TupleDescAttr(tupdesc, i);

					if (!att->attisdropped)
						pfo_note_type(judge, att->atttypid);
				}
				ReleaseTupleDesc(tupdesc);
			}
			break;
		case TYPTYPE_DOMAIN:
			pfo_note_type(judge, getBaseType(typid));
			break;
		case TYPTYPE_RANGE:
			pfo_note_type(judge, get_range_subtype(typid));
			break;
		case TYPTYPE_MULTIRANGE:
			pfo_note_type(judge, get_multirange_range(typid));
			break;
		case TYPTYPE_BASE:
			pfo_note_type(judge, get_element_type(typid));
			break;
		default:
			break;
	}
}

/* Collects the row types in the columns of a relation that is read. */
static void
pfo_note_columns(PfoJudge *judge, Oid relid)
{
	Oid			rowtype = get_rel_type_id(relid);
	TupleDesc	tupdesc;

	if (!OidIsValid(rowtype))
		return;
	tupdesc = lookup_rowtype_tupdesc(rowtype, -1);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);

		if (!att->attisdropped)
			pfo_note_type(judge, att->atttypid);
	}
	ReleaseTupleDesc(tupdesc);
}

static bool
pfo_types_ok(List *typids, int needs)
{
	ListCell   *lc;

	foreach(lc, typids)
	{
		if (!pfo_type_ok(lfirst_oid(lc), needs))
			return false;
	}
	return true;
}

/*
 * Rows without a named type, judged by where they come from
 */

static bool
pfo_values_ok(PfoJudge *judge, List *nodes, int needs)
{
	ListCell   *lc;

	foreach(lc, nodes)
	{
		if (!pfo_value_ok(judge, (Node *) lfirst(lc), needs))
			return false;
	}
	return true;
}

/* Column attno of a subquery one level below "up", or all if 0 */
static bool
pfo_subquery_ok(PfoJudge *judge, Query *query, PfoLevel *up,
				AttrNumber attno, int needs)
{
	PfoLevel   *saved = judge->level;
	PfoLevel	level = {query, up};
	bool		ok = true;
	ListCell   *lc;

	judge->level = &level;
	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst_node(TargetEntry, lc);

		if (!tle->resjunk && (attno == 0 || tle->resno == attno) &&
			!pfo_value_ok(judge, (Node *) tle->expr, needs))
		{
			ok = false;
			break;
		}
	}
	judge->level = saved;
	return ok;
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
pfo_record_var_ok(PfoJudge *judge, Var *var, int needs)
{
	PfoLevel   *level = judge->level;
	PfoLevel   *saved = judge->level;
	RangeTblEntry *rte;
	bool		ok;

	for (Index up = var->varlevelsup; up > 0 && level != NULL; up--)
		level = level->up;
	if (level == NULL || var->varno < 1 ||
		var->varno > list_length(level->query->rtable))
		return false;
	rte = rt_fetch(var->varno, level->query->rtable);

	switch (rte->rtekind)
	{
		case RTE_SUBQUERY:
			return pfo_subquery_ok(judge, rte->subquery, level,
								   var->varattno, needs);
		case RTE_JOIN:
			judge->level = level;
			if (var->varattno == 0)
				ok = pfo_values_ok(judge, rte->joinaliasvars, needs);
			else
				ok = pfo_value_ok(judge, list_nth(rte->joinaliasvars,
												  var->varattno - 1), needs);
			judge->level = saved;
			return ok;
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

/* Like pfo_type_ok() for the value of an expression */
static bool
pfo_value_ok(PfoJudge *judge, Node *node, int needs)
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
			return pfo_values_ok(judge, ((RowExpr *) node)->args, needs);
		case T_Var:
			return pfo_record_var_ok(judge, (Var *) node, needs);
		case T_SubLink:
			return ((SubLink *) node)->subLinkType == EXPR_SUBLINK &&
				pfo_subquery_ok(judge,
								castNode(Query, ((SubLink *) node)->subselect),
								judge->level, 1, needs);
		default:
			return false;
	}
}

/*
 * Calls
 */

static void
pfo_note_function(PfoJudge *judge, Oid funcid)
{
	if (OidIsValid(funcid))
		judge->result->functions =
			list_append_unique_oid(judge->result->functions, funcid);
}

/* Judges a call of a function with these arguments. */
static bool
pfo_judge_call(PfoJudge *judge, Oid funcid, List *args, Oid rettype)
{
	int			needs;
	PfoReason	reason = pfo_function_reason(funcid, &needs);
	bool		ok;

	if (reason != PFO_REASON_NONE)
		return pfo_refuse(judge, reason, funcid);

	/*
	 * Values are read from the arguments and made for the result.  What a
	 * record without name is made of, the arguments tell, or the column
	 * definitions in FROM, which are judged there.
	 */
	if (rettype == RECORDOID || rettype == RECORDARRAYOID)
		ok = pfo_values_ok(judge, args, needs);
	else
		ok = pfo_values_ok(judge, args, needs & ~PFO_TYPE_INPUT) &&
			pfo_type_ok(rettype, needs & ~PFO_TYPE_OUTPUT);
	if (!ok)
		return pfo_refuse(judge,
						  needs == PFO_TYPE_COMPARE ?
						  PFO_REASON_UNTRUSTED_FUNCTION :
						  PFO_REASON_STABLE_FUNCTION, funcid);
	return false;
}

/* A call whose EXECUTE permission the executor checks */
static bool
pfo_judge_checked_call(PfoJudge *judge, Oid funcid, List *args, Oid rettype)
{
	pfo_note_function(judge, funcid);
	return pfo_judge_call(judge, funcid, args, rettype);
}

/*
 * Judges operators by which values are sorted, grouped or hashed, together
 * with the support functions of their families.
 */
static bool
pfo_judge_grouping(PfoJudge *judge, Oid eqop, Oid sortop, Node *value,
				   Oid typid)
{
	Oid			ops[2];

	if (value ? !pfo_value_ok(judge, value, PFO_TYPE_COMPARE) :
		!pfo_type_ok(typid, PFO_TYPE_COMPARE))
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
		reason = pfo_function_reason(funcid, &needs);
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

/* ORDER BY, GROUP BY, DISTINCT: clauses that refer to a target list */
static bool
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
	Form_pg_aggregate form;
	Oid			parts[8];
	Oid			transtype;
	bool		no_initval;

	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggfnoid));
	if (!HeapTupleIsValid(tuple))
		return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION, aggfnoid);
	form = (Form_pg_aggregate) GETSTRUCT(tuple);
	parts[0] = form->aggtransfn;
	parts[1] = form->aggfinalfn;
	parts[2] = form->aggcombinefn;
	parts[3] = form->aggserialfn;
	parts[4] = form->aggdeserialfn;
	parts[5] = form->aggmtransfn;
	parts[6] = form->aggminvtransfn;
	parts[7] = form->aggmfinalfn;
	transtype = form->aggtranstype;
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
	if (!pfo_type_ok(transtype, PFO_TYPE_COMPARE |
					 (no_initval ? 0 : PFO_TYPE_INPUT)))
		return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION, aggfnoid);
	return false;
}

static bool
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
static bool
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
static bool
pfo_judge_array_operator(PfoJudge *judge, ScalarArrayOpExpr *expr)
{
	Oid			opno = expr->opno;
	Oid			left;
	Oid			right;

	if (pfo_judge_checked_call(judge, get_opcode(opno), expr->args, BOOLOID))
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
static bool
pfo_judge_io_cast(PfoJudge *judge, CoerceViaIO *expr)
{
	Oid			funcid;
	Oid			typioparam;
	bool		isvarlena;

	if (!pfo_value_ok(judge, (Node *) expr->arg, PFO_TYPE_OUTPUT))
	{
		getTypeOutputInfo(exprType((Node *) expr->arg), &funcid, &isvarlena);
		return pfo_refuse(judge, PFO_REASON_STABLE_FUNCTION, funcid);
	}
	if (!pfo_type_ok(expr->resulttype, PFO_TYPE_INPUT))
	{
		getTypeInputInfo(expr->resulttype, &funcid, &typioparam);
		return pfo_refuse(judge, PFO_REASON_STABLE_FUNCTION, funcid);
	}
	return false;
}

/*
 * Queries
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

static bool
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

/* Columns given to a function that returns rows of text or JSON values */
static bool
pfo_judge_from_function(PfoJudge *judge, RangeTblFunction *rtfunc)
{
	ListCell   *lc;
	Oid			funcid;

	foreach(lc, rtfunc->funccoltypes)
		pfo_note_type(judge, lfirst_oid(lc));

	if (rtfunc->funcexpr == NULL || !IsA(rtfunc->funcexpr, FuncExpr))
		return false;
	funcid = ((FuncExpr *) rtfunc->funcexpr)->funcid;
	if (!pfo_types_ok(rtfunc->funccoltypes, PFO_TYPE_INPUT) &&
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
	foreach(lc, tf->coltypes)
	{
		Oid			funcid;
		Oid			typioparam;

		pfo_note_type(judge, lfirst_oid(lc));
		if (!pfo_type_ok(lfirst_oid(lc), PFO_TYPE_INPUT))
		{
			getTypeInputInfo(lfirst_oid(lc), &funcid, &typioparam);
			return pfo_refuse(judge, PFO_REASON_STABLE_FUNCTION, funcid);
		}
	}
	return false;
}

/*
 * What a node runs by itself.  Sets *known to false if nobody taught us the
 * node; its children are not looked at here.
 */
static bool
pfo_judge_node(PfoJudge *judge, Node *node, bool *known)
{
	*known = true;
	switch (nodeTag(node))
	{
			/* parts of a query that run nothing */
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
			return false;

		case T_RangeTblEntry:
			if (((RangeTblEntry *) node)->rtekind == RTE_RELATION)
				pfo_note_columns(judge, ((RangeTblEntry *) node)->relid);
			return false;
		case T_SetOperationStmt:
			return pfo_judge_setop(judge, (SetOperationStmt *) node);
		case T_RangeTblFunction:
			return pfo_judge_from_function(judge, (RangeTblFunction *) node);
		case T_TableFunc:
			return pfo_judge_table_function(judge, (TableFunc *) node);
		default:
			break;
	}

	/* from here on expressions */
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
		case T_CaseWhen:
			return false;		/* not an expression of its own */

		case T_Var:
			if (((Var *) node)->varattno < 0 &&
				((Var *) node)->varattno != TableOidAttributeNumber)
				return pfo_refuse(judge, PFO_REASON_SYSTEM_COLUMN,
								  InvalidOid);
			break;

		case T_FuncExpr:
			if (pfo_judge_checked_call(judge, ((FuncExpr *) node)->funcid,
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

				if (pfo_judge_checked_call(judge, get_opcode(expr->opno),
										   expr->args, expr->opresulttype))
					return true;
			}
			break;

		case T_ScalarArrayOpExpr:
			if (pfo_judge_array_operator(judge, (ScalarArrayOpExpr *) node))
				return true;
			break;

		case T_RowCompareExpr:
			{
				RowCompareExpr *expr = (RowCompareExpr *) node;
				ListCell   *op;
				ListCell   *arg;

				forboth(op, expr->opnos, arg, expr->largs)
				{
					if (pfo_judge_grouping(judge, InvalidOid, lfirst_oid(op),
										   (Node *) lfirst(arg), InvalidOid))
						return true;
				}
			}
			break;

		case T_MinMaxExpr:
			if (!pfo_type_ok(((MinMaxExpr *) node)->minmaxtype,
							 PFO_TYPE_COMPARE))
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
			{
				SubscriptingRef *sbsref = (SubscriptingRef *) node;
				Oid			handler;

				handler = get_typsubscript(sbsref->refcontainertype, NULL);
				if (!pfo_support_ok(handler))
					return pfo_refuse(judge, PFO_REASON_UNTRUSTED_FUNCTION,
									  handler);
			}
			break;

		case T_XmlExpr:
			/* values become XML by their output functions */
			if (!pfo_values_ok(judge, ((XmlExpr *) node)->args,
							   PFO_TYPE_OUTPUT) ||
				!pfo_values_ok(judge, ((XmlExpr *) node)->named_args,
							   PFO_TYPE_OUTPUT))
				return pfo_refuse(judge, PFO_REASON_STABLE_FUNCTION,
								  InvalidOid);
			break;

		case T_SQLValueFunction:
			return pfo_refuse(judge, PFO_REASON_NEEDS_FOLDING, InvalidOid);
		case T_NextValueExpr:
			return pfo_refuse(judge, PFO_REASON_VOLATILE_FUNCTION,
							  InvalidOid);

		default:
			*known = false;
			return false;
	}

	pfo_note_type(judge, exprType(node));
	return false;
}

/* The second walk: what runs? */
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

/* Values that mean something to one backend only must not leave it. */
static bool
pfo_judge_result(PfoJudge *judge, Query *query)
{
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst_node(TargetEntry, lc);

		if (!tle->resjunk &&
			get_typtype(exprType((Node *) tle->expr)) == TYPTYPE_PSEUDO)
			return pfo_refuse(judge, PFO_REASON_RECORD_RESULT, InvalidOid);
	}
	return false;
}

void
pfo_eligible_query(Query *query, PfoEligibility *result)
{
	PfoJudge	judge = {.result = result};

	memset(result, 0, sizeof(*result));

	if (query->commandType != CMD_SELECT || query->utilityStmt != NULL)
	{
		pfo_refuse(&judge, PFO_REASON_NOT_SELECT, InvalidOid);
		return;
	}
	if (pfo_relation_walker((Node *) query, &judge))
		return;
	if (!judge.any_relation)
	{
		pfo_refuse(&judge, PFO_REASON_NO_RELATION, InvalidOid);
		return;
	}
	if (pfo_judge_result(&judge, query))
		return;
	(void) pfo_judge_query(&judge, query);
}
