/*-------------------------------------------------------------------------
 *
 * eligible_functions.c
 *	  May a function run when answers are kept?  The verdict of one function,
 *	  whatever it is called with.
 *
 * Labels are not enough (functions.c tells why, and holds the reviewed lists).
 * An IMMUTABLE function is believed if it is PostgreSQL's own, or a C function
 * of a reviewed extension; a STABLE one only if it is listed.  A function
 * declared LANGUAGE internal is what its C name says, whoever created it under
 * whatever label.
 *
 * A function that takes any type runs what belongs to the type it is given.
 * What it may run is the second half of the verdict, for eligible_types.c to
 * judge with the type.  With it comes whether the function reads settings,
 * which matters where a statement is run in pieces (scan_start.c), and the one
 * setting that stands for an object, whose name can change its meaning.
 *
 * Reads catalogs: inside a transaction only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "cache/eligible_functions.h"
#include "cache/functions.h"
#include "cache/text_search.h"

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

/* A function that PostgreSQL brought, under its own number. */
static PfoReason
pfo_builtin_function_reason(Oid funcid, Oid language, char provolatile,
							bool open, int *needs)
{
	int			flags = pfo_function_flags(funcid);

	/* redefined by a superuser in another language? */
	if (language != INTERNALlanguageId && language != SQLlanguageId)
		return PFO_REASON_UNTRUSTED_FUNCTION;

	/* under another label the planner might make a constant of it */
	if (flags & PFO_FUNCTION_FOLDABLE)
		return provolatile == PROVOLATILE_STABLE ?
			PFO_REASON_NEEDS_FOLDING : PFO_REASON_STABLE_FUNCTION;
	if (flags & PFO_FUNCTION_LIES)
		return PFO_REASON_STABLE_FUNCTION;
	if (provolatile == PROVOLATILE_STABLE && !(flags & PFO_FUNCTION_OK))
		return PFO_REASON_STABLE_FUNCTION;
	if ((flags & PFO_FUNCTION_DICTIONARIES) && !pfo_text_search_ok())
		return PFO_REASON_STABLE_FUNCTION;

	/* count() only asks whether its argument is null */
	if (open && funcid != F_COUNT_ANY)
		*needs |= PFO_NEEDS_COMPARE;
	if (flags & PFO_FUNCTION_OUTPUT)
		*needs |= PFO_NEEDS_OUTPUT;
	if (flags & PFO_FUNCTION_INPUT)
		*needs |= PFO_NEEDS_INPUT;
	if (provolatile == PROVOLATILE_STABLE ||
		(flags & (PFO_FUNCTION_SETTINGS | PFO_FUNCTION_OUTPUT |
				  PFO_FUNCTION_INPUT)))
		*needs |= PFO_READS_SETTINGS;
	if (flags & PFO_FUNCTION_TEXT_SEARCH)
		*needs |= PFO_READS_TEXT_SEARCH;
	return PFO_REASON_NONE;
}

PfoReason
pfo_function_reason(Oid funcid, int *needs)
{
	HeapTuple	tuple;
	Form_pg_proc form;
	char		provolatile;
	Oid			language;
	bool		open;
	bool		searches;
	Oid			internal = InvalidOid;

	*needs = 0;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(tuple))
		return PFO_REASON_UNTRUSTED_FUNCTION;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	provolatile = form->provolatile;
	language = form->prolang;
	open = pfo_proc_is_open(form);
	searches = form->pronargs > 0 &&
		(form->proargtypes.values[0] == REGCONFIGOID ||
		 form->proargtypes.values[0] == REGDICTIONARYOID);
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
	/* what text search is told to use is read again when it has changed */
	if (searches)
		*needs |= PFO_READS_SETTINGS;
	if (funcid < FirstGenbkiObjectId)
		return pfo_builtin_function_reason(funcid, language, provolatile, open,
										   needs);

	if (OidIsValid(internal) && internal < FirstGenbkiObjectId)
	{
		PfoReason	reason = pfo_function_reason(internal, needs);

		/* its own signature decides what is known of the types */
		if (open)
			*needs |= PFO_NEEDS_COMPARE;
		/* a constant made of it would outlive the configuration */
		if (reason == PFO_REASON_NONE &&
			(*needs & PFO_READS_TEXT_SEARCH) &&
			provolatile == PROVOLATILE_IMMUTABLE)
			return PFO_REASON_STABLE_FUNCTION;
		return reason;
	}
	if (language != ClanguageId ||
		provolatile != PROVOLATILE_IMMUTABLE ||
		!pfo_extension_member_ok(funcid))
		return PFO_REASON_UNTRUSTED_FUNCTION;

	/* what such a function does with a type was not reviewed */
	if (open)
		*needs = PFO_NEEDS_ALL;
	*needs |= PFO_READS_SETTINGS;
	return PFO_REASON_NONE;
}

bool
pfo_support_ok(Oid funcid)
{
	int			needs;

	return !OidIsValid(funcid) ||
		(pfo_function_reason(funcid, &needs) == PFO_REASON_NONE &&
		 !(needs & PFO_READS_TEXT_SEARCH));
}

bool
pfo_function_unchanging(Oid funcid)
{
	return funcid < FirstGenbkiObjectId &&
		func_volatile(funcid) == PROVOLATILE_IMMUTABLE &&
		!(pfo_function_flags(funcid) & PFO_FUNCTION_SETTINGS);
}
