/*-------------------------------------------------------------------------
 *
 * tags.c
 *	  What an application says about a statement in its comments.
 *
 * A search for the word decides nearly every statement; only a text that
 * holds it is scanned, once, with what is quoted skipped by the rules of
 * PostgreSQL's lexer.
 *
 * CAVEATS.  With standard_conforming_strings off, U&'...' is an error, so it
 * is not told from other strings.  A statement that is planned again after
 * that setting changed is read by the new one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "utils/guc.h"

#include "base/tags.h"

#define WORD	"perfopt:"

/* What one comment says, its marks taken off. */
static PfoTag
tag_of_comment(const char *s, const char *end)
{
	while (s < end && isspace((unsigned char) *s))
		s++;
	if (end - s < (int) strlen(WORD) ||
		pg_strncasecmp(s, WORD, strlen(WORD)) != 0)
		return PFO_TAG_NONE;
	s += strlen(WORD);
	while (s < end && isspace((unsigned char) *s))
		s++;
	while (end > s && isspace((unsigned char) end[-1]))
		end--;
	if (end - s == 5 && pg_strncasecmp(s, "cache", 5) == 0)
		return PFO_TAG_CACHE;
	if (end - s == 7 && pg_strncasecmp(s, "nocache", 7) == 0)
		return PFO_TAG_NOCACHE;
	return PFO_TAG_NONE;
}

/* The cheap question first: does the word occur at all? */
static bool
mentions_word(const char *s)
{
	const int	len = strlen(WORD) - 1;

	for (const char *colon = strchr(s, ':'); colon != NULL;
		 colon = strchr(colon + 1, ':'))
	{
		if (colon - s >= len && pg_strncasecmp(colon - len, WORD, len) == 0)
			return true;
	}
	return false;
}

/* What identifiers, keywords, numbers and tags of dollar quotes consist of. */
static bool
is_word(char c)
{
	return isalnum((unsigned char) c) || c == '_' || IS_HIGHBIT_SET(c);
}

/* The end of what is quoted: its closing quote. */
static const char *
find_quote_end(const char *s, const char *end, char quote, bool escapes)
{
	for (; s < end && *s != quote; s++)
	{
		if (escapes && *s == '\\' && s + 1 < end)
			s++;
	}
	return s;
}

/*
 * The end of a dollar-quoted string: its last character; or, if it is a
 * parameter or a stray sign, the dollar sign itself.  A tag holds no dollar
 * sign, so no character is compared more than twice.
 */
static const char *
find_dollar_end(const char *s, const char *end)
{
	const char *tag = s;
	int			len;

	for (s++; s < end && is_word(*s); s++)
		;
	len = s - tag;
	if (s >= end || *s != '$' || isdigit((unsigned char) tag[1]))
		return tag;

	for (s++; s + len < end; s++)
	{
		if (*s == '$' && s[len] == '$' && memcmp(s, tag, len) == 0)
			return s + len;
	}
	return end;
}

/* The end of a comment that may contain others: its last two characters. */
static const char *
find_comment_end(const char *s, const char *end)
{
	int			depth = 1;

	for (; s + 1 < end; s++)
	{
		if (s[0] == '/' && s[1] == '*')
		{
			depth++;
			s++;
		}
		else if (s[0] == '*' && s[1] == '/')
		{
			if (--depth == 0)
				return s;
			s++;
		}
	}
	return end;
}

/* Who is told of comments, and of semicolons, between which they count. */
typedef struct Listener
{
	void		(*comment) (const char *s, const char *end, void *arg);
	void		(*semicolon) (void *arg);	/* or NULL */
	void	   *arg;
} Listener;

/*
 * Tell of the comments from s to end.
 *
 * A string that follows another with nothing but space or line comments
 * between continues it and has the same escapes; that covers doubled quotes.
 */
static void
scan(const char *s, const char *end, const Listener *listener)
{
	const char *standard = GetConfigOption("standard_conforming_strings",
										   true, false);
	bool		plain_escapes = standard != NULL &&
		strcmp(standard, "off") == 0;
	bool		continues = false;
	bool		escapes = false;

	for (; s < end; s++)
	{
		if (s + 1 < end && s[0] == '-' && s[1] == '-')
		{
			while (s + 1 < end && *s != '\n' && *s != '\r')
				s++;
		}
		else if (s + 1 < end && s[0] == '/' && s[1] == '*')
		{
			const char *close = find_comment_end(s + 2, end);

			listener->comment(s + 2, close, listener->arg);
			s = close + 1;
			continues = false;
		}
		else if (*s == '\'')
		{
			if (!continues)
				escapes = plain_escapes;
			s = find_quote_end(s + 1, end, '\'', escapes);
			continues = true;
		}
		else if (s + 1 < end && (*s == 'e' || *s == 'E') && s[1] == '\'')
			continues = escapes = true;
		else if (!isspace((unsigned char) *s))
		{
			continues = false;
			if (*s == '"')
				s = find_quote_end(s + 1, end, '"', false);
			else if (*s == '$')
				s = find_dollar_end(s, end);
			else if (*s == ';' && listener->semicolon != NULL)
				listener->semicolon(listener->arg);
			else if (is_word(*s))
			{
				while (s + 1 < end && (is_word(s[1]) || s[1] == '$'))
					s++;
			}
		}
	}
}

/*
 * A statement's location includes the comments before it up to version 17,
 * and excludes them from 18 on.
 */
static void
scan_statement(const char *text, int location, int len,
			   const Listener *before, const Listener *within)
{
	const char *start = text + Max(location, 0);

	scan(text, start, before);
	scan(start, start + (len > 0 ? strnlen(start, len) : strlen(start)),
		 within);
}

static void
note_tag(const char *s, const char *end, void *arg)
{
	PfoTag	   *found = arg;
	PfoTag		tag = tag_of_comment(s, end);

	if (tag != PFO_TAG_NONE && *found != PFO_TAG_NOCACHE)
		*found = tag;
}

static void
forget_tag(void *arg)
{
	*(PfoTag *) arg = PFO_TAG_NONE;
}

PfoTag
pfo_tag_of(const char *text, int location, int len)
{
	PfoTag		tag_before = PFO_TAG_NONE;
	PfoTag		tag_within = PFO_TAG_NONE;
	Listener	before = {note_tag, forget_tag, &tag_before};
	Listener	within = {note_tag, NULL, &tag_within};

	if (text == NULL || !mentions_word(text))
		return PFO_TAG_NONE;
	scan_statement(text, location, len, &before, &within);
	return tag_before == PFO_TAG_NOCACHE || tag_within == PFO_TAG_NONE ?
		tag_before : tag_within;
}

/* Does the text hold a comment, or what looks like one? */
static bool
mentions_comment(const char *text)
{
	const char *s = strchr(text, '/');

	while (s != NULL && s[1] != '*')
		s = strchr(s + 1, '/');
	return s != NULL;
}

void
pfo_foreach_comment(const char *text, int location, int len,
					PfoCommentCallback callback, void (*forget) (void *arg),
					void *arg)
{
	Listener	before = {callback, forget, arg};
	Listener	within = {callback, NULL, arg};

	if (text != NULL && mentions_comment(text))
		scan_statement(text, location, len, &before, &within);
}
