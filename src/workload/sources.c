/*-------------------------------------------------------------------------
 *
 * sources.c
 *	  Reading tags, and keeping the most frequent sources.
 *
 * A comment is one of tags if all of it is: key='value', ... with what is
 * encoded as in URLs (sqlcommenter), or key:value, ... (marginalia).  Tags
 * that differ with each request would make each call a source of its own, so
 * they are left out, but for traceparent, of which the last is kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "common/hashfn.h"
#include "utils/guc.h"

#include "base/normalize.h"
#include "base/tags.h"
#include "workload/sources.h"

#define MAX_STATEMENT	(16 * 1024)
#define MAX_VALUE		100

/* Of each request another, or of perfopt itself. */
static const char *const left_out[] = {
	"traceparent", "tracestate", "trace_id", "span_id", "request_id", "req_id",
	"perfopt"
};

static bool
is_key(char c)
{
	return isalnum((unsigned char) c) || c == '_' || c == '-' || c == '.';
}

static const char *
skip_space(const char *s, const char *end)
{
	while (s < end && isspace((unsigned char) *s))
		s++;
	return s;
}

static int
hex_digit(char c)
{
	return isdigit((unsigned char) c) ? c - '0' : tolower((unsigned char) c) - 'a' + 10;
}

/* A value in quotes; gives its end, or NULL if there is none. */
static const char *
read_quoted(const char *s, const char *end, char *value)
{
	int			n = 0;

	for (s++; s < end && *s != '\''; s++)
	{
		char		c = *s;

		if (c == '\\' && s + 1 < end)
			c = *++s;
		else if (c == '%' && s + 2 < end && isxdigit((unsigned char) s[1]) &&
				 isxdigit((unsigned char) s[2]))
		{
			c = (char) (hex_digit(s[1]) << 4 | hex_digit(s[2]));
			s += 2;
		}
		/* what is decoded need not be text */
		if (c < ' ' || c == 0x7F)
			c = '?';
		if (n < MAX_VALUE)
			value[n++] = c;
	}
	value[n] = '\0';
	return s < end ? s + 1 : NULL;
}

/* A value up to the next comma. */
static const char *
read_plain(const char *s, const char *end, char *value)
{
	int			n = 0;

	for (; s < end && *s != ','; s++)
	{
		if (n < MAX_VALUE)
			value[n++] = (unsigned char) *s < ' ' ? ' ' : *s;
	}
	while (n > 0 && isspace((unsigned char) value[n - 1]))
		n--;
	value[n] = '\0';
	return s;
}

static bool
is_left_out(const char *key, int len)
{
	for (int i = 0; i < lengthof(left_out); i++)
	{
		if (len == (int) strlen(left_out[i]) &&
			pg_strncasecmp(key, left_out[i], len) == 0)
			return true;
	}
	return false;
}

static void
add_tag(PfoSource *source, const char *key, int len, const char *value)
{
	Size		used = strlen(source->tags);

	if (len == (int) strlen("traceparent") &&
		pg_strncasecmp(key, "traceparent", len) == 0)
		strlcpy(source->trace, value, sizeof(source->trace));
	if (is_left_out(key, len) || value[0] == '\0' ||
		used + len + strlen(value) + 3 > sizeof(source->tags))
		return;
	snprintf(source->tags + used, sizeof(source->tags) - used, "%s%.*s=%s",
			 used > 0 ? "," : "", len, key, value);
}

/* The tags of a comment; as they were before, if it is none of tags. */
static void
read_comment(const char *s, const char *end, void *arg)
{
	PfoSource  *source = arg;
	PfoSource	read = *source;
	char		value[MAX_VALUE + 1];

	for (;;)
	{
		const char *key = s = skip_space(s, end);
		int			len;

		while (s < end && is_key(*s))
			s++;
		len = s - key;
		s = skip_space(s, end);
		if (len == 0 || s >= end)
			return;
		if (*s == '=')
		{
			s = skip_space(s + 1, end);
			if (s >= end || *s != '\'')
				return;
			s = read_quoted(s, end, value);
		}
		else if (*s == ':')
			s = read_plain(skip_space(s + 1, end), end, value);
		else
			return;
		if (s == NULL)
			return;
		add_tag(&read, key, len, value);
		s = skip_space(s, end);
		if (s >= end)
			break;
		if (*s++ != ',')
			return;
	}
	*source = read;
}

static void
forget_tags(void *arg)
{
	PfoSource  *source = arg;

	source->tags[0] = '\0';
	source->trace[0] = '\0';
}

static const char *
application(void)
{
	return application_name != NULL ? application_name : "";
}

/* A hash of it, computed when it has changed. */
static uint32
application_hash(void)
{
	static char name[NAMEDATALEN];
	static uint32 hash = 0;

	if (hash == 0 || strncmp(name, application(), NAMEDATALEN - 1) != 0)
	{
		strlcpy(name, application(), sizeof(name));
		hash = hash_bytes((unsigned char *) name, strlen(name)) | 1;
	}
	return hash;
}

/* Are there comments that can be looked at? */
static bool
may_have_tags(const PfoExecution *execution)
{
	return execution->text != NULL && strchr(execution->text, '/') != NULL &&
		strnlen(execution->text, MAX_STATEMENT) < MAX_STATEMENT;
}

/* One without comments is most often of the source before. */
static bool
count_for_the_same(PfoSource *sources, const PfoExecution *execution)
{
	if (sources[0].hash != application_hash() || may_have_tags(execution))
		return false;
	sources[0].calls++;
	sources[0].ns += execution->plan_ns + execution->exec_ns;
	return true;
}

void
pfo_source_count(PfoSource *sources, const PfoExecution *execution)
{
	PfoSource	source = {.calls = 1};

	if (count_for_the_same(sources, execution))
		return;
	source.ns = execution->plan_ns + execution->exec_ns;
	source.hash = application_hash();
	strlcpy(source.application, application(), sizeof(source.application));
	if (may_have_tags(execution))
		pfo_foreach_comment(execution->text, execution->location,
							execution->len, read_comment, forget_tags,
							&source);
	if (source.tags[0] != '\0')
		source.hash = 1 |
			hash_combine(source.hash,
						 hash_bytes((unsigned char *) source.tags,
									strlen(source.tags)));
	pfo_source_add(sources, &source);
}

void
pfo_source_add(PfoSource *sources, const PfoSource *source)
{
	PfoSource  *rarest = &sources[0];
	uint64		excess;

	for (int i = 0; i < PFO_MAX_SOURCES; i++)
	{
		PfoSource  *known = &sources[i];

		if (known->hash == source->hash)
		{
			known->calls += source->calls;
			known->excess += source->excess;
			known->ns += source->ns;
			if (source->trace[0] != '\0')
				memcpy(known->trace, source->trace, sizeof(known->trace));
			return;
		}
		/* an empty place has no calls */
		if (known->calls < rarest->calls)
			rarest = known;
	}
	excess = rarest->calls;
	*rarest = *source;
	rarest->calls += excess;
	rarest->excess += excess;
}
