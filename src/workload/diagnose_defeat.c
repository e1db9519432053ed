/*-------------------------------------------------------------------------
 *
 * diagnose_defeat.c
 *	  Filters that no plain index on their column can serve.
 *
 * A comparison of a constant with something around a column: a function, a
 * cast, arithmetic; or a pattern that begins with a wildcard.  Advice says
 * what to write instead where that is plain, else which index on the
 * expression would serve.
 *
 * Not all that looks like it is: an index on a varchar column is one of text,
 * and EXPLAIN shows (email)::text where it is used; a cast of a domain to what
 * it is made of changes nothing.  If the table is in this database its
 * catalogs tell; if not, only casts to types that nothing else is stored like
 * are believed to be in the way.  And if an index on the expression exists,
 * the planner had reasons of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "workload/diagnose_catalog.h"
#include "workload/diagnose_check.h"
#include "workload/diagnose_defeat.h"
#include "workload/diagnose_filter.h"

/* An index on more than that is nothing to advise. */
#define MAX_EXPRESSION	500

static bool
is_one_of(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (pg_strcasecmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/*
 * Is the cast of a column sure to compute something?
 */
static bool
cast_computes(const PfoExpr *cast, const PfoColumnFacts *facts)
{
	/* types that no other is binary-coercible to, but for domains */
	static const char *const types[] = {
		"date", "numeric", "double precision", "real", "interval",
		"timestamp without time zone", "timestamp with time zone",
		"time without time zone", "uuid"
	};

	if (facts->found)
		return strcmp(cast->name, facts->type) != 0 &&
			!(facts->is_text && strcmp(cast->name, "text") == 0);
	return is_one_of(cast->name, types, lengthof(types));
}

static char *
range_advice(const PfoExpr *column, const PfoComparison *comparison,
			 bool is_date)
{
	const char *name = quote_identifier(column->name);
	const PfoExpr *value = comparison->value;

	if (is_date && strcmp(comparison->op, "=") == 0 &&
		value->kind == PFO_EXPR_CONST && value->name != NULL)
	{
		char	   *day = quote_literal_cstr(value->name);

		return psprintf("write a range of the bare column: %s >= DATE %s AND %s < DATE %s + 1",
						name, day, name, day);
	}
	return psprintf("write a range of the bare column: %s >= ... AND %s < ..., with the first moment that is in and the first that is not",
					name, name);
}

/* NULL if there can be no such index, or nobody would want it */
static char *
expression_advice(const PfoPlanNode *scan, const PfoExpr *expr)
{
	if (strlen(expr->text) > MAX_EXPRESSION || strchr(expr->text, '$') != NULL)
		return NULL;
	return psprintf("CREATE INDEX CONCURRENTLY ON %s ((%s)); -- functions in it must be IMMUTABLE; or compare the bare column",
					pfo_node_relation(scan), expr->text);
}

/* (x + 1) = 10: the other side can be computed once */
static char *
arithmetic_advice(const PfoPlanNode *scan, const PfoExpr *column,
				  const PfoComparison *comparison)
{
	const PfoExpr *subject = comparison->subject;
	const PfoExpr *left = linitial(subject->args);
	const PfoExpr *right = lsecond(subject->args);
	char		inverse = subject->name[0] == '+' ? '-' : '+';

	if ((strcmp(subject->name, "+") != 0 &&
		 strcmp(subject->name, "-") != 0) ||
		left != column || right->kind != PFO_EXPR_CONST ||
		strcmp(comparison->op, "= ANY") == 0)
		return expression_advice(scan, subject);
	return psprintf("move the arithmetic to the other side: %s %s %s %c %s",
					quote_identifier(column->name), comparison->op,
					comparison->value->text, inverse, right->text);
}

static char *
call_advice(const PfoPlanNode *scan, const PfoExpr *column,
			const PfoComparison *comparison)
{
	static const char *const of_time[] = {
		"date_trunc", "date_part", "extract", "timezone", "date_bin"
	};
	const PfoExpr *subject = comparison->subject;

	if (pg_strcasecmp(subject->name, "date") == 0)
		return range_advice(column, comparison, true);
	if (is_one_of(subject->name, of_time, lengthof(of_time)))
		return range_advice(column, comparison, false);
	return expression_advice(scan, subject);
}

static char *
cast_advice(const PfoPlanNode *scan, const PfoExpr *column,
			const PfoComparison *comparison, const PfoColumnFacts *facts)
{
	const PfoExpr *arg = linitial(comparison->subject->args);

	if (strcmp(comparison->subject->name, "date") == 0)
		return range_advice(column, comparison, true);
	if (arg != column)
		return expression_advice(scan, comparison->subject);
	return psprintf("compare the bare column with a value of its own type%s%s: cast the value, not the column",
					facts->found ? ", " : "", facts->found ? facts->type : "");
}

/* The pattern must be known: a parameter's value is not. */
static bool
find_wildcard(const PfoPlanNode *scan, const PfoComparison *comparison,
			  PfoDefeat *defeat)
{
	const PfoExpr *column = pfo_expr_bare_column(comparison->subject,
												 scan->alias);
	const PfoExpr *value = comparison->value;
	const char *name;

	if (column == NULL || value->kind != PFO_EXPR_CONST ||
		value->name == NULL ||
		(value->name[0] != '%' && value->name[0] != '_'))
		return false;
	name = quote_identifier(column->name);
	defeat->evidence =
		psprintf("the pattern %s for %s begins with a wildcard",
				 pfo_clip(quote_literal_cstr(value->name)), name);
	defeat->advice =
		psprintf("CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX CONCURRENTLY ON %s USING gin (%s gin_trgm_ops);",
				 pfo_node_relation(scan), name);
	return true;
}

static bool
find_wrapping(const PfoPlanNode *scan, const PfoComparison *comparison,
			  PfoDefeat *defeat)
{
	const PfoExpr *subject = comparison->subject;
	const PfoExpr *column = pfo_expr_only_column(subject, scan->alias);
	PfoColumnFacts facts;

	if (column == NULL || column == subject)
		return false;
	facts = pfo_column_facts(scan->schema, scan->relation, column->name,
							 subject->text);
	if (facts.has_expression)
		return false;
	if (subject->kind == PFO_EXPR_CAST)
	{
		if (!cast_computes(subject, &facts))
			return false;
		defeat->advice = cast_advice(scan, column, comparison, &facts);
	}
	else if (subject->kind == PFO_EXPR_CALL)
		defeat->advice = call_advice(scan, column, comparison);
	else if (subject->kind == PFO_EXPR_OP)
		defeat->advice = arithmetic_advice(scan, column, comparison);
	else
		return false;
	defeat->evidence =
		psprintf("%s is compared, not %s%s%s", pfo_clip(subject->text),
				 quote_identifier(column->name),
				 facts.index ? ", which the index has: " : "",
				 facts.index ? quote_identifier(facts.index) : "");
	return true;
}

bool
pfo_find_defeat(const PfoPlanNode *scan, const char *filter,
				PfoDefeat *defeat)
{
	ListCell   *lc;

	foreach(lc, pfo_condition_comparisons(filter, scan->alias))
	{
		const PfoComparison *comparison = lfirst(lc);

		if (comparison->op[0] == '~' ?
			find_wildcard(scan, comparison, defeat) :
			find_wrapping(scan, comparison, defeat))
			return true;
	}
	return false;
}
