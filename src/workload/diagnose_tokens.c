/*-------------------------------------------------------------------------
 *
 * diagnose_tokens.c
 *	  Conditions as EXPLAIN prints them, cut into tokens.
 *
 * As PostgreSQL's lexer does it for what ruleutils.c writes.  That lexer raises
 * errors, and this text can come from anybody, cut or made up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "workload/diagnose_tokens.h"

/* more than that is a list of thousands of values, nothing for an index */
#define MAX_TOKENS	1000

static bool
is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '_' || c == '$' || IS_HIGHBIT_SET(c);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The end of what is between quotes, whose value is written; NULL: none. */
static const char *
scan_quoted(const char *p, PfoToken *token)
{
	char		quote = *p++;
	StringInfoData value;

	initStringInfo(&value);
	for (;; p++)
	{
		if (*p == '\0')
			return NULL;
		if (*p == quote && *++p != quote)
			break;
		appendStringInfoCharMacro(&value, *p);
	}
	token->kind = quote == '"' ? PFO_TOKEN_NAME : PFO_TOKEN_STRING;
	token->value = value.data;
	return p;
}

static const char *
scan_token(const char *p, PfoToken *token)
{
	const char *start = p;

	token->start = start;
	if (*p == '\'' || *p == '"')
		return scan_quoted(p, token);
	/* as ruleutils.c writes a string that has a backslash */
	if (*p == 'E' && p[1] == '\'')
		return scan_quoted(p + 1, token);
	if (strchr("()[],", *p) != NULL || (*p == '.' && !is_digit(p[1])))
	{
		token->kind = PFO_TOKEN_PUNCT;
		token->punct = *p;
		return p + 1;
	}
	if (p[0] == ':' && p[1] == ':')
	{
		token->kind = PFO_TOKEN_CAST;
		return p + 2;
	}
	if (is_digit(*p) || *p == '.' || *p == '$')
	{
		token->kind = PFO_TOKEN_NUMBER;
		for (p++; is_word_char(*p) || *p == '.'; p++)
			;
	}
	else if (is_word_char(*p))
	{
		token->kind = PFO_TOKEN_WORD;
		while (is_word_char(*p))
			p++;
	}
	else if (strchr("+-*/<>=~!@#%^&|`?", *p) != NULL)
	{
		token->kind = PFO_TOKEN_OPERATOR;
		while (*p != '\0' && strchr("+-*/<>=~!@#%^&|`?", *p) != NULL)
			p++;
	}
	else
		return NULL;
	token->value = pnstrdup(start, p - start);
	return p;
}

/* Pairs each parenthesis with its partner; false if that cannot be done. */
static bool
pair_parentheses(PfoTokens *scan)
{
	int		   *open = palloc(sizeof(int) * Max(scan->ntokens, 1));
	int			depth = 0;

	for (int i = 0; i < scan->ntokens; i++)
	{
		PfoToken	   *token = &scan->tokens[i];

		if (pfo_is_punct(token, '(') || pfo_is_punct(token, '['))
			open[depth++] = i;
		else if (pfo_is_punct(token, ')') || pfo_is_punct(token, ']'))
		{
			PfoToken	   *partner;

			if (depth == 0)
				return false;
			partner = &scan->tokens[open[--depth]];
			if ((partner->punct == '(') != (token->punct == ')'))
				return false;
			partner->close = i;
		}
	}
	return depth == 0;
}

bool
pfo_tokens_of(const char *text, PfoTokens *scan)
{
	int			allocated = 64;
	const char *p = text;

	scan->tokens = palloc0(sizeof(PfoToken) * allocated);
	scan->ntokens = 0;
	for (;;)
	{
		PfoToken	   *token;

		while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
			p++;
		if (*p == '\0')
			return pair_parentheses(scan);
		if (scan->ntokens == MAX_TOKENS)
			return false;
		if (scan->ntokens == allocated)
		{
			scan->tokens = repalloc(scan->tokens,
									sizeof(PfoToken) * allocated * 2);
			memset(scan->tokens + allocated, 0, sizeof(PfoToken) * allocated);
			allocated *= 2;
		}
		token = &scan->tokens[scan->ntokens++];
		p = scan_token(p, token);
		if (p == NULL)
			return false;
		token->len = p - token->start;
	}
}

bool
pfo_is_word(const PfoTokens *scan, int i, int to, const char *word)
{
	return i < to && scan->tokens[i].kind == PFO_TOKEN_WORD &&
		pg_strcasecmp(scan->tokens[i].value, word) == 0;
}

/* The first token from i on that is after this one outside of parentheses. */
int
pfo_next_token(const PfoTokens *scan, int i)
{
	const PfoToken *token = &scan->tokens[i];

	return pfo_is_punct(token, '(') || pfo_is_punct(token, '[') ?
		token->close + 1 : i + 1;
}

/* The tokens' text, without what qualifies columns. */
char *
pfo_text_of_tokens(const PfoTokens *scan, int from, int to)
{
	StringInfoData text;
	const char *end = NULL;

	initStringInfo(&text);
	for (int i = from; i < to; i++)
	{
		const PfoToken *token = &scan->tokens[i];

		if ((token->kind == PFO_TOKEN_WORD || token->kind == PFO_TOKEN_NAME) &&
			i + 2 < to && pfo_is_punct(token + 1, '.') &&
			!(i + 3 < to && pfo_is_punct(token + 3, '(')))
		{
			if (end != NULL && token->start > end)
				appendStringInfoChar(&text, ' ');
			i++;
			end = scan->tokens[i].start + scan->tokens[i].len;
			continue;
		}
		if (end != NULL && token->start > end)
			appendStringInfoChar(&text, ' ');
		appendBinaryStringInfo(&text, token->start, token->len);
		end = token->start + token->len;
	}
	return text.data;
}
