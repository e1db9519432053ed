/*-------------------------------------------------------------------------
 *
 * diagnose_catalog.c
 *	  What this database's catalogs know of a column that a plan names.
 *
 * A plan may be of another server, or of a table that is gone: not to find the
 * relation is no error.  One that happens to have the same name and column is
 * believed to be it.
 *
 * Whoever asks does not wait for those who change the table: if its lock
 * cannot be had at once, nothing is known.  With the lock, neither the table
 * nor its indexes can go while they are read.  What is told (names of columns,
 * types and indexes) anybody can read in the catalogs, so no privilege is
 * asked for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "workload/diagnose_catalog.h"

static Oid
find_relation(const char *schema, const char *relation)
{
	Oid			namespace;

	if (strlen(relation) >= NAMEDATALEN)
		return InvalidOid;
	if (schema == NULL)
		return RelnameGetRelid(relation);
	namespace = get_namespace_oid(schema, true);
	return OidIsValid(namespace) ?
		get_relname_relid(relation, namespace) : InvalidOid;
}

/* Parentheses around the whole are a matter of where it is printed. */
static char *
strip_parentheses(const char *text)
{
	char	   *bare = pstrdup(text);
	int			len = strlen(bare);

	while (len >= 2 && bare[0] == '(' && bare[len - 1] == ')')
	{
		int			depth = 0;
		int			i;

		for (i = 0; i < len - 1; i++)
		{
			depth += bare[i] == '(' ? 1 : bare[i] == ')' ? -1 : 0;
			if (depth == 0)
				break;
		}
		if (i < len - 1)
			break;
		bare[len - 1] = '\0';
		bare++;
		len -= 2;
	}
	return bare;
}

static bool
begins_with(Oid index, const char *expression)
{
	Datum		definition = DirectFunctionCall3(pg_get_indexdef_ext,
												 ObjectIdGetDatum(index),
												 Int32GetDatum(1),
												 BoolGetDatum(false));

	return strcmp(strip_parentheses(TextDatumGetCString(definition)),
				  strip_parentheses(expression)) == 0;
}

/* A partial index does for some conditions only, which ones is not known. */
static void
look_at_index(Oid index, AttrNumber attnum, const char *expression,
			  PfoColumnFacts *facts)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;
	AttrNumber	first;
	bool		usable;

	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_index) GETSTRUCT(tuple);
	first = form->indkey.values[0];
	usable = form->indisvalid &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
	ReleaseSysCache(tuple);

	if (!usable)
		return;
	if (first == attnum)
		facts->index = get_rel_name(index);
	else if (first == 0 && expression != NULL &&
			 begins_with(index, expression))
		facts->has_expression = true;
}

static void
look_at_column(Oid relid, const char *column, const char *expression,
			   PfoColumnFacts *facts)
{
	AttrNumber	attnum = get_attnum(relid, column);
	char		relkind = get_rel_relkind(relid);
	Relation	rel;
	List	   *indexes;
	ListCell   *lc;
	Oid			type;

	if (attnum <= 0 ||
		(relkind != RELKIND_RELATION && relkind != RELKIND_MATVIEW &&
		 relkind != RELKIND_PARTITIONED_TABLE))
		return;

	type = getBaseType(get_atttype(relid, attnum));
	facts->found = true;
	facts->type = format_type_be(type);
	facts->is_text = type == TEXTOID || type == VARCHAROID;

	rel = relation_open(relid, NoLock);
	indexes = RelationGetIndexList(rel);
	relation_close(rel, NoLock);
	foreach(lc, indexes)
		look_at_index(lfirst_oid(lc), attnum, expression, facts);
}

PfoColumnFacts
pfo_column_facts(const char *schema, const char *relation,
				 const char *column, const char *expression)
{
	PfoColumnFacts facts = {0};
	Oid			relid = find_relation(schema, relation);

	if (!OidIsValid(relid) ||
		!ConditionalLockRelationOid(relid, AccessShareLock))
		return facts;
	/* it may have gone before the lock was had */
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		look_at_column(relid, column, expression, &facts);
	UnlockRelationOid(relid, AccessShareLock);
	return facts;
}
