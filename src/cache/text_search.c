/*-------------------------------------------------------------------------
 *
 * text_search.c
 *	  Do the parsers and dictionaries of text search depend on nothing but
 *	  catalogs whose changes are announced?
 *
 * What works with a configuration runs functions that stand in no tree: the
 * configuration is often known at run time only.  So all parsers and all
 * dictionaries of the database are looked at, and one that cannot be believed
 * keeps all of text search from being cached.  Such are
 *
 *	- those made of functions that nobody reviewed: they could read settings
 *	  of their library, tables, anything;
 *	- a thesaurus, which finds the dictionary of its option Dictionary by name
 *	  when a session first uses it and keeps to that, unless the name begins
 *	  with pg_catalog, which means the same to all.  Another schema can be
 *	  renamed, which sessions that have used the thesaurus do not notice, and
 *	  without a schema the name depends on the search_path of that moment.
 *
 * The other templates of PostgreSQL depend on their options and on files.
 *
 * Reads catalogs: inside a transaction only.  The result is kept until an
 * invalidation message arrives.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_ts_dict.h"
#include "catalog/pg_ts_parser.h"
#include "catalog/pg_ts_template.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "tsearch/ts_cache.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "cache/functions.h"
#include "cache/generation.h"
#include "cache/text_search.h"

/* Those of the stemmers have numbers that initdb gave. */
static bool
function_ok(Oid funcid)
{
	Oid			extension;
	char	   *name;

	if (funcid < FirstNormalObjectId)
		return true;			/* or there is none */
	extension = getExtensionOfObject(ProcedureRelationId, funcid);
	if (!OidIsValid(extension))
		return false;
	name = get_extension_name(extension);
	return name != NULL && pfo_function_dictionaries_ok(name);
}

static bool
parser_ok(HeapTuple tuple, TupleDesc desc)
{
	Form_pg_ts_parser form = (Form_pg_ts_parser) GETSTRUCT(tuple);

	return function_ok(form->prsstart) && function_ok(form->prstoken) &&
		function_ok(form->prsend) && function_ok(form->prsheadline) &&
		function_ok(form->prslextype);
}

static bool
thesaurus_ok(HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		options;
	ListCell   *lc;

	options = heap_getattr(tuple, Anum_pg_ts_dict_dictinitoption, desc,
						   &isnull);
	if (isnull)
		return false;
	foreach(lc, deserialize_deflist(options))
	{
		DefElem    *option = lfirst_node(DefElem, lc);
		List	   *names;

		if (strcmp(option->defname, "dictionary") != 0)
			continue;
		return SplitIdentifierString(pstrdup(defGetString(option)), '.',
									 &names) &&
			list_length(names) > 1 &&
			strcmp(linitial(names), "pg_catalog") == 0;
	}
	return false;
}

static bool
dictionary_ok(HeapTuple tuple, TupleDesc desc)
{
	Form_pg_ts_dict dictionary = (Form_pg_ts_dict) GETSTRUCT(tuple);
	HeapTuple	made_of;
	Form_pg_ts_template form;
	Oid			init;
	Oid			lexize;

	made_of = SearchSysCache1(TSTEMPLATEOID,
							  ObjectIdGetDatum(dictionary->dicttemplate));
	if (!HeapTupleIsValid(made_of))
		return false;
	form = (Form_pg_ts_template) GETSTRUCT(made_of);
	init = form->tmplinit;
	lexize = form->tmpllexize;
	ReleaseSysCache(made_of);

	return function_ok(init) && function_ok(lexize) &&
		(init != F_THESAURUS_INIT || thesaurus_ok(tuple, desc));
}

static bool
all_ok(Oid catalog, bool (*row_ok) (HeapTuple tuple, TupleDesc desc))
{
	Relation	rel = table_open(catalog, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0,
										  NULL);
	bool		ok = true;
	HeapTuple	tuple;

	while (ok && HeapTupleIsValid(tuple = systable_getnext(scan)))
		ok = row_ok(tuple, RelationGetDescr(rel));
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return ok;
}

bool
pfo_text_search_ok(void)
{
	static uint64 known_at = 0;
	static bool known = false;
	uint64		now = pfo_generation_now();

	if (known_at != now)
	{
		bool		ok;

		ok = all_ok(TSParserRelationId, parser_ok) &&
			all_ok(TSDictionaryRelationId, dictionary_ok);
		known = ok;
		known_at = now;
	}
	return known;
}
