/*-------------------------------------------------------------------------
 *
 * normalize.c
 *	  The text of a statement with its constants replaced.
 *
 * PostgreSQL's own lexer finds the tokens, so quoting of every kind is
 * understood.  Placeholders are numbered after the parameters that the text
 * has already.  The text was parsed before, so the lexer has no reason to
 * complain; it may in a statement cut from its surroundings, therefore its
 * errors are caught and end the text.
 *
 * Where a constant ends depends on standard_conforming_strings, and how that
 * was set when the text was parsed, is not known: of a prepared statement it
 * may be long ago.  So the text ends where it matters, as what follows might
 * be a part of a constant.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/namespace.h"
#include "common/keywords.h"
#include "mb/pg_wchar.h"
#include "parser/scanner.h"
#include "utils/memutils.h"

#include "base/normalize.h"

/* longer statements are cut before they are read */
#define MAX_TEXT	(16 * 1024)

/*
 * The lexer's numbers of literal tokens.  They come first in each grammar
 * that uses it, in the same order, as the lexer demands.
 */
enum
{
	TOKEN_FCONST = 260,
	TOKEN_SCONST,
	TOKEN_USCONST,
	TOKEN_BCONST,
	TOKEN_XCONST,
	TOKEN_ICONST = 266
};

typedef struct Output
{
	char	   *to;
	Size		size;
	Size		used;
	bool		full;
} Output;

static void
put(Output *out, const char *s, Size len)
{
	if (out->full)
		return;
	if (out->used + len + 1 > out->size)
	{
		len = pg_mbcliplen(s, len, out->size - out->used - 1);
		out->full = true;
	}
	memcpy(out->to + out->used, s, len);
	out->used += len;
	out->to[out->used] = '\0';
}

static int
highest_parameter(const char *text)
{
	int			highest = 0;

	for (const char *s = strchr(text, '$'); s != NULL; s = strchr(s + 1, '$'))
		highest = Max(highest, atoi(s + 1));
	return Max(highest, 0);
}

static bool
is_constant(int token)
{
	return (token >= TOKEN_FCONST && token <= TOKEN_XCONST) ||
		token == TOKEN_ICONST;
}

/* The end of an identifier's quotes, or just behind another token's start. */
static int
quoted_end(const char *text, int start, int end)
{
	int			i = start;

	if (pg_strncasecmp(text + i, "u&\"", 3) == 0)
		i += 2;
	if (text[i++] != '"')
		return start + 1;
	/* one that is doubled closes and opens again */
	while (i < end && (text[i] != '"' || text[i + 1] == '"'))
		i += text[i] == '"' ? 2 : 1;
	return Min(i + 1, end);
}

/* Where a token ends that is followed by space or comments up to end. */
static int
token_end(const char *text, int start, int end)
{
	int			stop = end;

	for (int i = quoted_end(text, start, end); i + 1 < end; i++)
	{
		if ((text[i] == '/' && text[i + 1] == '*') ||
			(text[i] == '-' && text[i + 1] == '-'))
		{
			stop = i;
			break;
		}
	}
	while (stop > start && isspace((unsigned char) text[stop - 1]))
		stop--;
	return stop;
}

static int
keyword_token(const char *word)
{
	return ScanKeywordTokens[ScanKeywordLookup(word, &ScanKeywords)];
}

static void
normalize(const char *text, bool standard_strings, Output *out)
{
	core_yyscan_t scanner;
	core_yy_extra_type extra;
	core_YYSTYPE value;
	YYLTYPE		location;
	int			number = highest_parameter(text) + 1;
	int			previous_end = 0;
	int			token;
	int			start;
	bool		skipping;

	scanner = scanner_init(text, &extra, &ScanKeywords, ScanKeywordTokens);
	extra.escape_string_warning = false;
	extra.standard_conforming_strings = standard_strings;

	token = core_yylex(&value, &location, scanner);
	start = location;
	/* of PREPARE ... AS SELECT ..., what is behind AS */
	skipping = token == keyword_token("prepare");
	while (token != 0 && token != ';' && !out->full)
	{
		/* a token's end is known from the start of the next one only */
		int			next = core_yylex(&value, &location, scanner);
		int			end = next == 0 ? (int) strlen(text) : location;

		if (start > previous_end && out->used > 0)
			put(out, " ", 1);
		if (skipping)
			skipping = token != keyword_token("as");
		else if (is_constant(token))
		{
			char		digits[16];
			int			len = snprintf(digits, sizeof(digits), "$%d", number++);

			put(out, digits, len);
			while (end > start && isspace((unsigned char) text[end - 1]))
				end--;
		}
		else
		{
			end = token_end(text, start, end);
			put(out, text + start, end - start);
		}
		previous_end = end;
		token = next;
		start = location;
	}
	scanner_finish(scanner);
}

/* As far as the lexer does not complain. */
static void
normalize_as(const char *text, bool standard_strings, char *out, Size size)
{
	MemoryContext context = CurrentMemoryContext;
	Output		output = {out, size, 0, false};

	out[0] = '\0';
	PG_TRY();
	{
		normalize(text, standard_strings, &output);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
	}
	PG_END_TRY();
}

void
pfo_normalize(const char *text, int location, int len, char *out, Size size)
{
	MemoryContext context;
	MemoryContext old;
	char	   *copy;

	out[0] = '\0';
	if (text == NULL)
		return;
	if (location > 0)
		text += location;
	len = strnlen(text, len > 0 ? Min(len, MAX_TEXT) : MAX_TEXT);
	len = pg_mbcliplen(text, len, len);

	context = AllocSetContextCreate(CurrentMemoryContext, "perfopt normalize",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	copy = pnstrdup(text, len);
	normalize_as(copy, true, out, size);
	if (strchr(copy, '\\') != NULL)
	{
		char	   *other = palloc(size);
		int			same = 0;

		normalize_as(copy, false, other, size);
		while (out[same] != '\0' && out[same] == other[same])
			same++;
		out[pg_mbcliplen(out, strlen(out), same)] = '\0';
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

void
pfo_copy_text(char *to, const char *text, Size size)
{
	int			len = strlen(text);

	if (len >= size)
		len = pg_mbcliplen(text, len, size - 1);
	memcpy(to, text, len);
	to[len] = '\0';
}

char *
pfo_text_here(const char *text, int encoding)
{
	int			here = GetDatabaseEncoding();
	int			len = strlen(text);
	int			size = (len + 2) * MAX_CONVERSION_GROWTH;
	int			ascii = 0;
	Oid			convert;
	char	   *result;

	while (text[ascii] != '\0' && !IS_HIGHBIT_SET(text[ascii]))
		ascii++;
	if (ascii == len || encoding == here || here == PG_SQL_ASCII)
		return pstrdup(text);
	convert = FindDefaultConversionProc(encoding, here);
	if (!OidIsValid(convert))
		return pnstrdup(text, ascii);
	result = palloc(size);
	pg_do_encoding_conversion_buf(convert, encoding, here,
								  (unsigned char *) unconstify(char *, text),
								  len, (unsigned char *) result, size, true);
	return result;
}
