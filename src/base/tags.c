/*-------------------------------------------------------------------------
 *
 * tags.c
 *	  What an application says about a statement in its comments.
 *
 * A search for the word decides nearly every statement; only a text that
 * holds it is scanned, once, with quoted strings and identifiers skipped.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

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

static const char *
skip_quoted(const char *s, const char *end, char quote)
{
	for (s++; s < end && *s != quote; s++)
		;
	return s;
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

/*
 * What the comments from s to end say; if only_last, those after which there
 * is nothing but space.
 */
static PfoTag
scan(const char *s, const char *end, bool only_last)
{
	PfoTag		found = PFO_TAG_NONE;

	for (; s < end; s++)
	{
		if (s + 1 < end && s[0] == '-' && s[1] == '-')
		{
			while (s + 1 < end && *s != '\n')
				s++;
		}
		else if (s + 1 < end && s[0] == '/' && s[1] == '*')
		{
			const char *close = find_comment_end(s + 2, end);
			PfoTag		tag = tag_of_comment(s + 2, close);

			if (tag != PFO_TAG_NONE && found != PFO_TAG_NOCACHE)
				found = tag;
			s = close + 1;
		}
		else
		{
			if (only_last && !isspace((unsigned char) *s))
				found = PFO_TAG_NONE;
			if (*s == '\'' || *s == '"')
				s = skip_quoted(s, end, *s);
		}
	}
	return found;
}

/*
 * A statement's location includes the comments before it up to version 17,
 * and excludes them from 18 on.
 */
PfoTag
pfo_tag_of(const char *text, int location, int len)
{
	const char *start;
	const char *end;
	PfoTag		before;
	PfoTag		within;

	if (text == NULL || !mentions_word(text))
		return PFO_TAG_NONE;
	start = text + Max(location, 0);
	end = start + (len > 0 ? strnlen(start, len) : strlen(start));
	before = scan(text, start, true);
	within = scan(start, end, false);
	return before == PFO_TAG_NOCACHE || within == PFO_TAG_NONE ?
		before : within;
}
