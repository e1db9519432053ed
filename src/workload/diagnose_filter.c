/*-------------------------------------------------------------------------
 *
 * diagnose_filter.c
 *	  Conditions as EXPLAIN prints them, read as far as can be sure.
 *
 * ruleutils.c puts parentheses around each operator with its arguments, so
 * that no precedence has to be known:
 *
 *	((status = 'new'::text) AND (lower(email) = $1) AND (SubPlan 2))
 *
 * What stands between two parentheses, or between the commas of a call, has at
 * most one operator, or several ANDs, outside of further parentheses.  What is
 * not of these shapes (OR, CASE, IS, NOT, row values, array subscripts,
 * subplans, and what later versions invent) becomes PFO_EXPR_OTHER as a whole,
 * about which nobody may conclude anything.  The text can come from anybody,
 * cut or made up, hence no error is ever raised: PostgreSQL's own parser
 * would.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "workload/diagnose_filter.h"
#include "workload/diagnose_tokens.h"

/*
 * Expressions
 */

static PfoExpr *parse_range(const PfoTokens *scan, int from, int to);

static PfoExpr *
make_expr(int from, int to, PfoExprKind kind, const char *name, List *args)
{
	PfoExpr    *expr = palloc0(sizeof(PfoExpr));

	expr->kind = kind;
	expr->name = name;
	expr->args = args;
	expr->from = from;
	expr->to = to;
	return expr;
}

static PfoExpr *
make_other(void)
{
	return palloc0(sizeof(PfoExpr));	/* PFO_EXPR_OTHER */
}

/* What stands between separators that are outside of parentheses. */
static List *
parse_list(const PfoTokens *scan, int from, int to, const char *separator)
{
	List	   *exprs = NIL;
	int			start = from;

	for (int i = from; i < to; i = pfo_next_token(scan, i))
	{
		if (separator[0] == ',' ? pfo_is_punct(&scan->tokens[i], ',') :
			pfo_is_word(scan, i, to, separator))
		{
			exprs = lappend(exprs, parse_range(scan, start, i));
			start = i + 1;
		}
	}
	if (start < to)
		exprs = lappend(exprs, parse_range(scan, start, to));
	return exprs;
}

/* A type is a name, perhaps with a modifier, which is left out. */
static char *
parse_type(const PfoTokens *scan, int from, int to)
{
	StringInfoData name;

	initStringInfo(&name);
	for (int i = from; i < to; i = pfo_next_token(scan, i))
	{
		const PfoToken *token = &scan->tokens[i];

		if (token->kind == PFO_TOKEN_WORD || token->kind == PFO_TOKEN_NAME)
			appendStringInfo(&name, "%s%s",
							 name.len && name.data[name.len - 1] != '.' ?
							 " " : "", token->value);
		else if (pfo_is_punct(token, '.'))
			appendStringInfoChar(&name, '.');
		else if (pfo_is_punct(token, '['))
			appendStringInfoString(&name, "[]");
		else if (!pfo_is_punct(token, '('))
			return NULL;
	}
	return name.len ? name.data : NULL;
}

static PfoExpr *
parse_cast(const PfoTokens *scan, int from, int cast, int to)
{
	PfoExpr    *arg = parse_range(scan, from, cast);
	char	   *type = parse_type(scan, cast + 1, to);

	if (type == NULL || arg->kind == PFO_EXPR_OTHER)
		return make_other();
	if (arg->kind == PFO_EXPR_CONST)
		return make_expr(from, to, PFO_EXPR_CONST, arg->name, NIL);
	return make_expr(from, to, PFO_EXPR_CAST, type, list_make1(arg));
}

/* name(...), where the parenthesis is the token at open */
static PfoExpr *
parse_call(const PfoTokens *scan, int from, int open, int to)
{
	static const char *const no_functions[] = {
		"not", "row", "all", "any", "some", "exists", "in", "values"
	};
	char	   *name = scan->tokens[open - 1].value;
	List	   *args;

	for (int i = 0; i < lengthof(no_functions); i++)
	{
		if (pg_strcasecmp(name, no_functions[i]) == 0)
			return make_other();
	}
	/* EXTRACT(field FROM x) */
	if (pg_strcasecmp(name, "extract") == 0 &&
		pfo_is_word(scan, open + 2, to, "from"))
		args = list_make1(parse_range(scan, open + 3, to - 1));
	else
		args = parse_list(scan, open + 1, to - 1, ",");
	return make_expr(from, to, PFO_EXPR_CALL, name, args);
}

/* A name with parts, or a call, a literal, a parameter. */
static PfoExpr *
parse_primary(const PfoTokens *scan, int from, int to)
{
	static const char *const values[] = {
		"true", "false", "null", "current_date", "current_timestamp",
		"localtimestamp", "current_user", "session_user"
	};
	const PfoToken *first = &scan->tokens[from];
	int			parts = 0;
	int			i;

	if (first->kind == PFO_TOKEN_STRING || first->kind == PFO_TOKEN_NUMBER)
		return to - from != 1 ? make_other() :
			make_expr(from, to, PFO_EXPR_CONST,
					  first->kind == PFO_TOKEN_STRING ? first->value : NULL, NIL);
	if (to - from == 1 && first->kind == PFO_TOKEN_WORD)
	{
		for (i = 0; i < lengthof(values); i++)
		{
			if (pg_strcasecmp(first->value, values[i]) == 0)
				return make_expr(from, to, PFO_EXPR_CONST, NULL, NIL);
		}
	}

	/* name, or name.name */
	for (i = from; i < to; i += 2)
	{
		if (scan->tokens[i].kind != PFO_TOKEN_WORD &&
			scan->tokens[i].kind != PFO_TOKEN_NAME)
			return make_other();
		parts++;
		if (i + 1 == to || !pfo_is_punct(&scan->tokens[i + 1], '.'))
			break;
	}
	if (parts == 0 || i >= to)
		return make_other();
	if (i + 1 == to && parts <= 2)
	{
		PfoExpr    *column = make_expr(from, to, PFO_EXPR_COLUMN,
									   scan->tokens[i].value, NIL);

		column->qualifier = parts == 2 ? first->value : NULL;
		return column;
	}
	if (i + 1 < to && pfo_is_punct(&scan->tokens[i + 1], '(') &&
		scan->tokens[i + 1].close == to - 1)
		return parse_call(scan, from, i + 1, to);
	return make_other();
}

/* x op y, x op ANY (y): the operator is the token at op */
static PfoExpr *
parse_operator(const PfoTokens *scan, int from, int op, int to)
{
	char	   *name = scan->tokens[op].value;
	int			right = op + 1;

	/* a sign */
	if (from == op && to - from == 2 &&
		scan->tokens[right].kind == PFO_TOKEN_NUMBER)
		return make_expr(from, to, PFO_EXPR_CONST, NULL, NIL);
	if (pfo_is_word(scan, right, to, "any"))
	{
		right++;
		name = psprintf("%s ANY", name);
	}
	if (from == op || right >= to)
		return make_other();
	return make_expr(from, to, PFO_EXPR_OP, name,
					 list_make2(parse_range(scan, from, op),
								parse_range(scan, right, to)));
}

static PfoExpr *
parse_range(const PfoTokens *scan, int from, int to)
{
	int			op = -1;
	int			nops = 0;
	int			cast = -1;
	int			zone = -1;
	bool		has_and = false;

	check_stack_depth();
	if (from >= to)
		return make_other();
	if (pfo_is_punct(&scan->tokens[from], '(') &&
		scan->tokens[from].close == to - 1)
		return parse_range(scan, from + 1, to - 1);
	for (int i = from; i < to; i = pfo_next_token(scan, i))
	{
		if (pfo_is_word(scan, i, to, "case") || pfo_is_word(scan, i, to, "or") ||
			pfo_is_punct(&scan->tokens[i], ','))
			return make_other();
		if (pfo_is_word(scan, i, to, "and"))
			has_and = true;
		else if (scan->tokens[i].kind == PFO_TOKEN_OPERATOR)
		{
			op = i;
			nops++;
		}
		else if (scan->tokens[i].kind == PFO_TOKEN_CAST)
			cast = i;
		else if (pfo_is_word(scan, i, to, "at") &&
				 pfo_is_word(scan, i + 1, to, "time") &&
				 pfo_is_word(scan, i + 2, to, "zone"))
			zone = i;
	}
	if (has_and)
		return make_expr(from, to, PFO_EXPR_AND, NULL,
						 parse_list(scan, from, to, "and"));
	if (nops > 1)
		return make_other();
	if (nops == 1)
		return parse_operator(scan, from, op, to);
	if (zone > from)
		return make_expr(from, to, PFO_EXPR_CALL, "timezone",
						 list_make2(parse_range(scan, from, zone),
									parse_range(scan, zone + 3, to)));
	if (cast > from)
		return parse_cast(scan, from, cast, to);
	return parse_primary(scan, from, to);
}

/*
 * Questions
 */

static bool
is_own_column(const PfoExpr *expr, const char *alias)
{
	return expr->kind == PFO_EXPR_COLUMN &&
		(expr->qualifier == NULL ||
		 (alias != NULL && strcmp(expr->qualifier, alias) == 0));
}

/*
 * Adds the relation's columns in the expression to the list; false if there is
 * something in it of which that is not known.
 */
static bool
collect_columns(const PfoExpr *expr, const char *alias, List **columns)
{
	ListCell   *lc;

	check_stack_depth();
	if (expr->kind == PFO_EXPR_OTHER)
		return false;
	if (is_own_column(expr, alias))
		*columns = lappend(*columns, (void *) expr);
	foreach(lc, expr->args)
	{
		if (!collect_columns(lfirst(lc), alias, columns))
			return false;
	}
	return true;
}

static int
count_columns(const PfoExpr *expr)
{
	int			n = expr->kind == PFO_EXPR_COLUMN ? 1 : 0;
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, expr->args)
		n += count_columns(lfirst(lc));
	return n;
}

const PfoExpr *
pfo_expr_only_column(const PfoExpr *expr, const char *alias)
{
	List	   *columns = NIL;

	if (!collect_columns(expr, alias, &columns) ||
		list_length(columns) != 1 || count_columns(expr) != 1)
		return NULL;
	return linitial(columns);
}

const PfoExpr *
pfo_expr_bare_column(const PfoExpr *expr, const char *alias)
{
	if (expr->kind == PFO_EXPR_CAST && strcmp(expr->name, "text") == 0)
		expr = linitial(expr->args);
	return is_own_column(expr, alias) ? expr : NULL;
}

/* The operator with its arguments exchanged, or NULL. */
static const char *
commutator(const char *op)
{
	static const char *const pairs[][2] = {
		{"=", "="}, {"<", ">"}, {">", "<"}, {"<=", ">="}, {">=", "<="}
	};

	for (int i = 0; i < lengthof(pairs); i++)
	{
		if (strcmp(op, pairs[i][0]) == 0)
			return pairs[i][1];
	}
	return NULL;
}

static bool
is_indexable(const char *op)
{
	return commutator(op) != NULL || strcmp(op, "= ANY") == 0 ||
		strcmp(op, "~~") == 0 || strcmp(op, "~~*") == 0;
}

/* Not when it is made, as each would copy what is nested in it. */
static void
set_texts(const PfoTokens *scan, PfoExpr *expr)
{
	ListCell   *lc;

	expr->text = pfo_text_of_tokens(scan, expr->from, expr->to);
	foreach(lc, expr->args)
	{
		PfoExpr    *arg = lfirst(lc);

		arg->text = pfo_text_of_tokens(scan, arg->from, arg->to);
	}
}

/* What a condition compares with what; NULL if it is no such condition. */
static PfoComparison *
make_comparison(const PfoTokens *scan, const PfoExpr *expr, const char *alias)
{
	PfoComparison *comparison;
	PfoExpr    *left;
	PfoExpr    *right;
	List	   *in_left = NIL;
	List	   *in_right = NIL;

	if (expr->kind != PFO_EXPR_OP || !is_indexable(expr->name))
		return NULL;
	left = linitial(expr->args);
	right = lsecond(expr->args);
	if (!collect_columns(left, alias, &in_left) ||
		!collect_columns(right, alias, &in_right) ||
		(in_left == NIL) == (in_right == NIL))
		return NULL;
	if (in_left == NIL && commutator(expr->name) == NULL)
		return NULL;
	set_texts(scan, left);
	set_texts(scan, right);
	comparison = palloc(sizeof(PfoComparison));
	comparison->subject = in_left ? left : right;
	comparison->op = in_left ? expr->name : commutator(expr->name);
	comparison->value = in_left ? right : left;
	return comparison;
}

static List *
list_comparisons(const PfoTokens *scan, const PfoExpr *expr, const char *alias,
				 List *comparisons)
{
	PfoComparison *comparison;
	ListCell   *lc;

	check_stack_depth();
	if (expr->kind == PFO_EXPR_AND)
	{
		foreach(lc, expr->args)
			comparisons = list_comparisons(scan, lfirst(lc), alias,
										   comparisons);
		return comparisons;
	}
	comparison = make_comparison(scan, expr, alias);
	return comparison ? lappend(comparisons, comparison) : comparisons;
}

List *
pfo_condition_comparisons(const char *text, const char *alias)
{
	PfoTokens		scan;

	if (!pfo_tokens_of(text, &scan))
		return NIL;
	return list_comparisons(&scan, parse_range(&scan, 0, scan.ntokens), alias,
							NIL);
}

List *
pfo_condition_columns(const char *text, const char *alias)
{
	List	   *equal = NIL;
	List	   *range = NIL;
	ListCell   *lc;

	foreach(lc, pfo_condition_comparisons(text, alias))
	{
		const PfoComparison *comparison = lfirst(lc);
		const PfoExpr *column =
			pfo_expr_bare_column(comparison->subject, alias);
		List	   *name;

		/* patterns want an index of another kind */
		if (column == NULL || comparison->op[0] == '~')
			continue;
		name = list_make1((char *) quote_identifier(column->name));
		if (comparison->op[0] == '=')
			equal = pfo_columns_union(equal, name);
		else
			range = pfo_columns_union(range, name);
	}
	return pfo_columns_union(equal, range);
}

List *
pfo_columns_union(List *columns, List *others)
{
	ListCell   *lc;
	ListCell   *known;

	foreach(lc, others)
	{
		foreach(known, columns)
		{
			if (strcmp(lfirst(lc), lfirst(known)) == 0)
				break;
		}
		if (known == NULL)
			columns = lappend(columns, lfirst(lc));
	}
	return columns;
}

char *
pfo_columns_text(List *columns)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, columns)
		appendStringInfo(&text, "%s%s", text.len ? ", " : "",
						 (char *) lfirst(lc));
	return text.data;
}
