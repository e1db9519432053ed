/*-------------------------------------------------------------------------
 *
 * eligible_types.c
 *	  What comes with a type: the functions that type-independent code runs
 *	  for it, and the relations that define it.
 *
 * Functions of pg_catalog that take any type (array_eq, to_json, concat,
 * json_populate_record ...) run what belongs to that type: its comparison,
 * output or input functions.  So the types of the arguments are judged as
 * well, through arrays, rows, ranges and domains, for what the function needs
 * of them.  Output of reg* types reads names from catalogs; input of date and
 * time types knows the words now and today.
 *
 * The other half collects the relations of the row types that a statement
 * uses, through the same layers.  They are what ALTER TYPE changes.
 *
 * Catalogs are read, also by the type cache: inside a transaction only.  The
 * lists come from the current memory context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "cache/eligible_types.h"

/*
 * What runs for a type
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
			return (needs & (PFO_NEEDS_OUTPUT | PFO_NEEDS_INPUT)) == 0;

			/* 'today', and a zone offset of the current date */
		case DATEOID:
		case TIMEOID:
		case TIMETZOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return (needs & PFO_NEEDS_INPUT) == 0;

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

	if (needs & PFO_NEEDS_OUTPUT)
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
	if (needs & PFO_NEEDS_INPUT)
	{
		getTypeInputInfo(typid, &funcid, &typioparam);
		if (funcid != F_ENUM_IN && funcid != F_RANGE_IN &&
			funcid != F_MULTIRANGE_IN && !pfo_support_ok(funcid))
			return false;
	}
	if (needs & PFO_NEEDS_COMPARE)
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

/*
 * The types of a row type's columns.  The type cache would lock the relation
 * behind it, which the statement might not do.
 */
static List *
column_types(Oid typid)
{
	Oid			relid = get_typ_typrelid(typid);
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	List	   *typids = NIL;
	int			natts;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	natts = ((Form_pg_class) GETSTRUCT(tuple))->relnatts;
	ReleaseSysCache(tuple);

	for (int i = 1; i <= natts; i++)
	{
		tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid),
								Int16GetDatum(i));
		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for attribute %d of relation %u",
				 i, relid);
		if (!((Form_pg_attribute) GETSTRUCT(tuple))->attisdropped)
			typids = lappend_oid(typids,
								 ((Form_pg_attribute) GETSTRUCT(tuple))->atttypid);
		ReleaseSysCache(tuple);
	}
	return typids;
}

static bool
pfo_rangetype_ok(Oid typid, int needs)
{
	TypeCacheEntry *entry = lookup_type_cache(typid, TYPECACHE_RANGE_INFO);

	return pfo_support_ok(entry->rng_cmp_proc_finfo.fn_oid) &&
		pfo_support_ok(entry->rng_canonical_finfo.fn_oid) &&
		pfo_type_ok(entry->rngelemtype->type_id, needs);
}

bool
pfo_domain_is_checked(Oid typid)
{
	return lookup_type_cache(typid,
							 TYPECACHE_DOMAIN_CONSTR_INFO)->domainData != NULL;
}

bool
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
			if ((needs & PFO_NEEDS_INPUT) && pfo_domain_is_checked(typid))
				return false;
			return pfo_type_ok(getBaseType(typid), needs);
		case TYPTYPE_COMPOSITE:
			if (!pfo_types_ok(column_types(typid), needs))
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

bool
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
 * What defines a type
 */

void
pfo_note_type(PfoUsedTypes *types, Oid typid)
{
	ListCell   *lc;

	check_stack_depth();

	/* types made by initdb cannot be altered */
	if (typid < FirstGenbkiObjectId || list_member_oid(types->seen, typid))
		return;
	types->seen = lappend_oid(types->seen, typid);

	switch (get_typtype(typid))
	{
		case TYPTYPE_COMPOSITE:
			types->relations =
				list_append_unique_oid(types->relations,
									   get_typ_typrelid(typid));
			foreach(lc, column_types(typid))
				pfo_note_type(types, lfirst_oid(lc));
			break;
		case TYPTYPE_DOMAIN:
			pfo_note_type(types, getBaseType(typid));
			break;
		case TYPTYPE_RANGE:
			pfo_note_type(types, get_range_subtype(typid));
			break;
		case TYPTYPE_MULTIRANGE:
			pfo_note_type(types, get_multirange_range(typid));
			break;
		case TYPTYPE_BASE:
			pfo_note_type(types, get_element_type(typid));
			break;
		default:
			break;
	}
}

void
pfo_note_columns(PfoUsedTypes *types, Oid relid)
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
			pfo_note_type(types, att->atttypid);
	}
	ReleaseTupleDesc(tupdesc);
}
