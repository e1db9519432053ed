/*-------------------------------------------------------------------------
 *
 * check.c
 *	  Would this statement be cached, and if not, why?
 *
 * The statement goes the way that a client's goes: parser, rewriter, the
 * verdict of eligible.c, and the planner, whose plan says what is read.  It
 * is not executed.  So that nobody learns about tables what EXPLAIN would
 * not tell, permissions are checked as the executor's start checks them,
 * before anything is said about the statement.
 *
 * What is judged is the statement, and the few properties of the session
 * that hold for all its executions.  Whether an execution is worth keeping,
 * and what its transaction has done, is not known here.
 *
 * Parameters may be written as $1, $2, ...; their types are inferred, and
 * they are planned without values.
 *
 * Positions of errors are positions in the argument, not in the statement
 * that calls us: a callback moves them, as it is done for the bodies of
 * functions.
 *
 * CAVEATS.  Planning runs the planner hooks, so a serving session counts the
 * statement once more, as a nested one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "parser/analyze.h"
#include "tcop/tcopprot.h"

#include "base/compat.h"
#include "base/tags.h"
#include "cache/check.h"
#include "cache/eligible.h"
#include "cache/fold.h"
#include "cache/key.h"
#include "cache/permissions.h"
#include "cache/settings.h"

/* Make an error's position one in the text that is being checked. */
static void
move_position(void *arg)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery((const char *) arg);
	}
}

static RawStmt *
parse_one(const char *sql)
{
	List	   *statements = pg_parse_query(sql);

	if (list_length(statements) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the text to check must hold exactly one statement"),
				 errdetail_plural("It holds %d statement.",
								  "It holds %d statements.",
								  list_length(statements),
								  list_length(statements)),
				 errhint("Pass one, as in: SELECT * FROM perfopt_cache_check('SELECT 1');")));
	return linitial_node(RawStmt, statements);
}

static Query *
analyse(RawStmt *statement, const char *sql)
{
	Oid		   *types = NULL;
	int			ntypes = 0;
	Query	   *query;

	query = parse_analyze_varparams(statement, sql, &types, &ntypes, NULL);
	for (int i = 0; i < ntypes; i++)
	{
		if (types[i] == InvalidOid || types[i] == UNKNOWNOID)
			ereport(ERROR,
					(errcode(ERRCODE_INDETERMINATE_DATATYPE),
					 errmsg("could not determine data type of parameter $%d",
							i + 1),
					 errhint("Write a cast, as in $%d::integer.", i + 1)));
	}
	return query;
}

/* The same order as for a statement that is planned to run; see plan.c. */
static PfoReason
judge(Query *query, const char *sql, PfoCheck *check, Oid *object)
{
	PfoQueryKey key;
	PfoEligibility verdict;
	PfoHash		settings;
	PfoHash		values;
	PfoGranted	granted = {InvalidOid};
	bool		known;

	memset(&key, 0, sizeof(key));
	known = pfo_key_query(query, &key);
	pfo_eligible_query(query, &verdict);
	*object = verdict.object;
	if (verdict.reason != PFO_REASON_NONE)
		return verdict.reason;
	if (!known)
		return PFO_REASON_UNKNOWN_NODE;
	if (verdict.folds)
	{
		PfoReason	reason = pfo_fold_collect(query, true, &verdict.folded,
											  object);

		if (reason != PFO_REASON_NONE)
			return reason;
	}
	if (pfo_tag_of(sql, query->stmt_location,
				   query->stmt_len) == PFO_TAG_NOCACHE)
		return PFO_REASON_NOCACHE_COMMENT;
	if (IsolationIsSerializable())
		return PFO_REASON_SERIALIZABLE;
	if (!pfo_settings_hash(&settings, &values))
		return PFO_REASON_SETTING;
	if (verdict.plain_parents)
	{
		Oid			temp;
		Oid			toast;

		GetTempNamespaceState(&temp, &toast);
		if (OidIsValid(temp))
			return PFO_REASON_TEMP_CHILDREN;
	}

	/* who may not call the functions does not learn what they say */
	check->folded =
		pfo_fold_describe(verdict.folded,
						  pfo_permissions_functions(verdict.functions,
													&granted));
	return PFO_REASON_NONE;
}

/* Reasons tell of a function or of a relation, or of neither. */
static char *
describe(PfoReason reason, Oid object)
{
	ObjectAddress address;

	if (!OidIsValid(object))
		return NULL;
	switch (reason)
	{
		case PFO_REASON_VOLATILE_FUNCTION:
		case PFO_REASON_STABLE_FUNCTION:
		case PFO_REASON_NEEDS_FOLDING:
		case PFO_REASON_UNSTABLE_FOLD:
		case PFO_REASON_UNTRUSTED_FUNCTION:
			ObjectAddressSet(address, ProcedureRelationId, object);
			break;
		default:
			ObjectAddressSet(address, RelationRelationId, object);
			break;
	}
	return getObjectDescription(&address, true);
}

/*
 * What the plan reads, and a reason if one of it cannot be cached.  Planning
 * can bring relations and permissions that the query does not have, by
 * inlining functions and expanding partitions.
 */
static PfoReason
plan_relations(Query *query, const char *sql, List **relations, Oid *object)
{
	PlannedStmt *plan = pg_plan_query(query, sql, CURSOR_OPT_PARALLEL_OK,
									  NULL);

	pfo_check_permissions(pfo_plan_permissions(plan));
	*relations = list_concat_unique_oid(NIL, plan->relationOids);
	list_sort(*relations, list_oid_cmp);
	return pfo_eligible_relations(*relations, object);
}

void
pfo_check_statement(const char *sql, PfoCheck *check)
{
	ErrorContextCallback callback;
	Query	   *query;
	Oid			object = InvalidOid;

	memset(check, 0, sizeof(*check));
	callback.callback = move_position;
	callback.arg = (void *) sql;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	query = analyse(parse_one(sql), sql);
	if (query->commandType != CMD_SELECT || query->utilityStmt != NULL)
		check->reason = PFO_REASON_NOT_SELECT;
	else
	{
		query = linitial_node(Query, pg_rewrite_query(query));
		pfo_check_permissions(pfo_permissions_of_query(query));
		check->reason = judge(query, sql, check, &object);
		if (check->reason == PFO_REASON_NONE)
			check->reason = plan_relations(query, sql, &check->relations,
										   &object);
	}

	error_context_stack = callback.previous;
	check->object = describe(check->reason, object);
	if (check->reason != PFO_REASON_NONE)
		check->folded = NIL;
}
