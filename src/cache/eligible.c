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
 * The query is walked twice.  The first walk, in this file, looks at relations
 * and the kind of each (sub)query, so that the reason people see is the
 * plainest one: a statement over pg_class says "catalog", not that some
 * function in it is unknown.  The second walk looks at what runs:
 *
 *	eligible_expr.c			the walk over the expressions
 *	eligible_calls.c		a function together with what it is given
 *	eligible_functions.c	a function by itself
 *	eligible_body.c			an SQL function, by what it does
 *	eligible_types.c		what a type brings along
 *	eligible_values.c		rows without a named type
 *
 * Functions inside PostgreSQL's own SQL functions, whose EXECUTE permission
 * inlining checks, are not in the list of functions.
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
#include "access/transam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "cache/eligible.h"
#include "cache/eligible_judge.h"

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
 * The statement
 */

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

/* What happens to temporary tables nobody is told (modified.c). */
static bool
pfo_judge_row_types(PfoJudge *judge)
{
	ListCell   *lc;

	foreach(lc, judge->types.relations)
	{
		char		relkind;

		if (pfo_relation_reason(lfirst_oid(lc), &relkind) ==
			PFO_REASON_TEMP_TABLE)
			return pfo_refuse(judge, PFO_REASON_TEMP_TABLE, lfirst_oid(lc));
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
	if (!pfo_judge_query(&judge, query) && !pfo_judge_result(&judge, query))
		(void) pfo_judge_row_types(&judge);
	result->typrelids = judge.types.relations;
}
