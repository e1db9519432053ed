/*-------------------------------------------------------------------------
 *
 * slow_show.c
 *	  Texts and plans of slow executions as they are shown.
 *
 * What is kept is what cost least to keep: the text as it was executed, and
 * the JSON that EXPLAIN printed.  Constants are replaced here, before anybody
 * sees them, in the text and in the conditions of the plan, unless they may be
 * shown.  The rows of an execution that failed are put into its plan here.
 *
 * EXPLAIN prints one property per line and escapes line breaks within values,
 * so a line that starts with a quoted name and a colon is a property, and
 * nothing a user wrote can look like one.  Each node has one "Plan Width".  If
 * there are as many of them as nodes were counted, the counts belong to them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_lzcompress.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "base/normalize.h"
#include "workload/slow_show.h"

#define WIDTH	"\"Plan Width\": "

/* Properties whose values are names, which are no constants. */
static const char *const name_keys[] = {
	"Node Type", "Parent Relationship", "Subplan Name", "Relation Name",
	"Schema", "Alias", "Index Name", "CTE Name", "Function Name",
	"Tuplestore Name", "Table Function Name", "Custom Plan Provider",
	"Join Type", "Strategy", "Partial Mode", "Operation", "Command",
	"Scan Direction", "Sort Method", "Sort Methods Used", "Sort Space Type",
	"Cache Mode", "Conflict Resolution", "Conflict Arbiter Indexes",
	"Trigger Name", "Constraint Name", "Relation", "Storage", "Result Cache",
	"Replaces"
};

/* ----------------------------------------------------------------
 *						lines of JSON
 * ----------------------------------------------------------------
 */

/* A line, in parts. */
typedef struct Line
{
	int			indent;
	const char *key;			/* NULL: none */
	int			keylen;
	const char *value;			/* up to the end, or a comma there */
	int			len;
	bool		comma;
	const char *next;			/* NULL: the last one */
} Line;

static Line
read_line(const char *s)
{
	Line		line = {0};
	const char *end = strchr(s, '\n');
	const char *quote;

	line.next = end != NULL ? end + 1 : NULL;
	if (end == NULL)
		end = s + strlen(s);
	line.indent = strspn(s, " ");
	s += line.indent;
	if (s < end && *s == '"' && (quote = strstr(s, "\": ")) != NULL &&
		quote < end)
	{
		line.key = s + 1;
		line.keylen = quote - line.key;
		s = quote + 3;
	}
	line.comma = end > s && end[-1] == ',';
	line.value = s;
	line.len = end - s - (line.comma ? 1 : 0);
	return line;
}

static bool
key_is(const Line *line, const char *key)
{
	return line->key != NULL && line->keylen == strlen(key) &&
		memcmp(line->key, key, line->keylen) == 0;
}

static bool
value_is(const Line *line, const char *value)
{
	return line->len == strlen(value) &&
		memcmp(line->value, value, line->len) == 0;
}

/* The string that starts with the quote at s; gives what is behind it. */
static const char *
read_string(const char *s, StringInfo out)
{
	for (s++; *s != '"' && *s != '\0'; s++)
	{
		unsigned int code;

		if (*s != '\\')
		{
			appendStringInfoChar(out, *s);
			continue;
		}
		switch (*++s)
		{
			case 'n':
				appendStringInfoChar(out, '\n');
				break;
			case 'r':
				appendStringInfoChar(out, '\r');
				break;
			case 't':
				appendStringInfoChar(out, '\t');
				break;
			case 'b':
				appendStringInfoChar(out, '\b');
				break;
			case 'f':
				appendStringInfoChar(out, '\f');
				break;
			case 'u':
				/* only control characters are said so */
				if (sscanf(s + 1, "%4x", &code) == 1 && code > 0 &&
					code < 128)
					appendStringInfoChar(out, (char) code);
				s += Min(strlen(s) - 1, 4);
				break;
			case '\0':
				return s;
			default:
				appendStringInfoChar(out, *s);
		}
	}
	return *s == '"' ? s + 1 : s;
}

/* ----------------------------------------------------------------
 *						constants
 * ----------------------------------------------------------------
 */

static bool
is_name(const Line *line)
{
	for (int i = 0; i < lengthof(name_keys); i++)
	{
		if (key_is(line, name_keys[i]))
			return true;
	}
	return false;
}

/* The value of a line with the constants in its strings replaced. */
static void
put_redacted(const Line *line, StringInfo out)
{
	const char *s = line->value;
	const char *end = line->value + line->len;
	StringInfoData string;

	initStringInfo(&string);
	while (s < end)
	{
		char	   *replaced;
		Size		size;

		if (*s != '"')
		{
			appendStringInfoChar(out, *s++);
			continue;
		}
		resetStringInfo(&string);
		s = read_string(s, &string);
		size = string.len * 4 + 64;
		replaced = palloc(size);
		pfo_normalize(string.data, 0, string.len, replaced, size);
		escape_json(out, replaced);
		pfree(replaced);
	}
	pfree(string.data);
}

char *
pfo_slow_show_text(const PfoSlow *slow)
{
	char	   *out = palloc(PFO_SLOW_TEXT);
	char	   *shown;

	if (slow->constants)
		strcpy(out, slow->text);
	else
		pfo_normalize(slow->text, 0, 0, out, PFO_SLOW_TEXT);
	shown = pfo_text_here(out, slow->encoding);
	return slow->text_cut ? psprintf("%s...", shown) : shown;
}

/* ----------------------------------------------------------------
 *						the plan as JSON
 * ----------------------------------------------------------------
 */

static char *
kept_json(const PfoSlowPlan *plan)
{
	char	   *json = palloc(plan->len + 1);
	int			len = plan->len;

	if (plan->size == plan->len)
		memcpy(json, plan->data, len);
	else
		len = pglz_decompress(plan->data, plan->size, json, plan->len, true);
	if (len != plan->len)
		return NULL;
	json[len] = '\0';
	return json;
}

static int
count_nodes(const char *json)
{
	int			n = 0;

	for (const char *s = json; s != NULL;)
	{
		Line		line = read_line(s);

		n += key_is(&line, "Plan Width") ? 1 : 0;
		s = line.next;
	}
	return n;
}

/* After the width of a node, which has no comma then. */
static void
put_counts(const PfoNodeCounts *counts, int indent, StringInfo out)
{
	double		loops = counts->loops;

	appendStringInfo(out, ",\n%*s\"Actual Rows\": %.0f", indent, "",
					 loops > 0 ? counts->rows / loops : 0);
	appendStringInfo(out, ",\n%*s\"Actual Loops\": %.0f", indent, "", loops);
	if (counts->filtered > 0 && loops > 0)
		appendStringInfo(out, ",\n%*s\"Rows Removed by Filter\": %.0f",
						 indent, "", counts->filtered / loops);
}

/*
 * In the encoding of this database; NULL if it cannot be said in it.  What is
 * cut would be no JSON, so something is put behind it that must come through.
 */
static char *
json_here(StringInfo json, int encoding)
{
	char	   *here;
	int			len;

	appendStringInfoChar(json, '\n');
	here = pfo_text_here(json->data, encoding);
	len = strlen(here);
	if (len == 0 || here[len - 1] != '\n')
		return NULL;
	here[len - 1] = '\0';
	return here;
}

char *
pfo_slow_show_json(const PfoSlow *slow)
{
	const PfoSlowPlan *plan = &slow->plan;
	StringInfoData out;
	char	   *json;
	int			node = 0;
	bool		counted;

	if (plan->len == 0 || (json = kept_json(plan)) == NULL)
		return NULL;
	counted = plan->ncounts > 0 && count_nodes(json) == plan->ncounts;
	initStringInfo(&out);
	for (const char *s = json; s != NULL;)
	{
		Line		line = read_line(s);

		appendStringInfoSpaces(&out, line.indent);
		if (line.key != NULL)
			appendStringInfo(&out, "\"%.*s\": ", line.keylen, line.key);
		if (slow->constants || is_name(&line))
			appendBinaryStringInfo(&out, line.value, line.len);
		else
			put_redacted(&line, &out);
		if (counted && key_is(&line, "Plan Width"))
			put_counts(&plan->counts[node++], line.indent, &out);
		if (line.comma)
			appendStringInfoChar(&out, ',');
		if (line.next != NULL)
			appendStringInfoChar(&out, '\n');
		s = line.next;
	}

	/* what EXPLAIN (ANALYZE) has at the end, in place of the last brace */
	while (out.len > 0 && strchr("}\n ", out.data[out.len - 1]) != NULL)
	{
		bool		brace = out.data[--out.len] == '}';

		out.data[out.len] = '\0';
		if (brace)
			break;
	}
	while (out.len > 0 && out.data[out.len - 1] == '\n')
		out.data[--out.len] = '\0';
	if (slow->planned)
		appendStringInfo(&out, ",\n  \"Planning Time\": %.3f",
						 slow->plan_ns / 1e6);
	appendStringInfo(&out, ",\n  \"Execution Time\": %.3f\n}",
					 slow->exec_ns / 1e6);
	return json_here(&out, slow->encoding);
}

/* ----------------------------------------------------------------
 *						the plan as text
 * ----------------------------------------------------------------
 */

/* What stands in the first line of a node. */
typedef enum Head
{
	HEAD_TYPE, HEAD_STRATEGY, HEAD_PARTIAL, HEAD_OPERATION, HEAD_JOIN,
	HEAD_PARALLEL, HEAD_DIRECTION, HEAD_SUBPLAN, HEAD_INDEX, HEAD_RELATION,
	HEAD_FUNCTION, HEAD_CTE, HEAD_ALIAS, HEAD_PROVIDER,
	HEAD_STARTUP, HEAD_TOTAL, HEAD_ROWS, HEAD_WIDTH,
	HEAD_ACTUAL_STARTUP, HEAD_ACTUAL_TOTAL, HEAD_ACTUAL_ROWS,
	HEAD_ACTUAL_LOOPS,
	NHEADS
} Head;

static const char *const heads[NHEADS] = {
	"Node Type", "Strategy", "Partial Mode", "Operation", "Join Type",
	"Parallel Aware", "Scan Direction", "Subplan Name", "Index Name",
	"Relation Name", "Function Name", "CTE Name", "Alias",
	"Custom Plan Provider",
	"Startup Cost", "Total Cost", "Plan Rows", "Plan Width",
	"Actual Startup Time", "Actual Total Time", "Actual Rows", "Actual Loops"
};

/* What is not shown, as EXPLAIN does not; and what is only if it is true. */
static const char *const hidden[] = {
	"Parent Relationship", "Async Capable", "Schema", "Inner Unique"
};
static const char *const hidden_if_false[] = {"Single Copy", "Disabled"};

typedef enum Level
{
	LEVEL_OTHER, LEVEL_NODE, LEVEL_PLANS
} Level;

#define MAX_LEVELS	1024	/* more than two for each node that is kept */

typedef struct Showing
{
	StringInfoData out;
	Level		levels[MAX_LEVELS];
	int			nlevels;
	int			depth;			/* nodes that are open */
	char	   *head[NHEADS];	/* of the node whose first line is not out */
	bool		pending;
} Showing;

static const char *
head_of(Showing *showing, Head head)
{
	return showing->head[head] != NULL ? showing->head[head] : "";
}

static bool
head_is(Showing *showing, Head head, const char *value)
{
	return strcmp(head_of(showing, head), value) == 0;
}

/* "Hash Join" and "Left" are a "Hash Left Join", and so on. */
static void
put_type(Showing *showing)
{
	StringInfo	out = &showing->out;
	const char *type = head_of(showing, HEAD_TYPE);
	const char *join = head_of(showing, HEAD_JOIN);
	int			len = strlen(type);

	if (head_is(showing, HEAD_PARALLEL, "true"))
		appendStringInfoString(out, "Parallel ");
	if (head_is(showing, HEAD_PARTIAL, "Partial") ||
		head_is(showing, HEAD_PARTIAL, "Finalize"))
		appendStringInfo(out, "%s ", head_of(showing, HEAD_PARTIAL));
	if (strcmp(type, "ModifyTable") == 0)
		appendStringInfoString(out, head_of(showing, HEAD_OPERATION));
	else if (strcmp(type, "Aggregate") == 0)
		appendStringInfo(out, "%sAggregate",
						 head_is(showing, HEAD_STRATEGY, "Hashed") ? "Hash" :
						 head_is(showing, HEAD_STRATEGY, "Sorted") ? "Group" :
						 head_is(showing, HEAD_STRATEGY, "Mixed") ? "Mixed" :
						 "");
	else if (join[0] != '\0' && strcmp(join, "Inner") != 0)
	{
		if (len > 5 && strcmp(type + len - 5, " Join") == 0)
			len -= 5;
		appendStringInfo(out, "%.*s %s Join", len, type, join);
	}
	else
		appendStringInfoString(out, type);
	if (showing->head[HEAD_PROVIDER] != NULL)
		appendStringInfo(out, " (%s)", showing->head[HEAD_PROVIDER]);
	if (head_is(showing, HEAD_DIRECTION, "Backward"))
		appendStringInfoString(out, " Backward");
}

static void
put_relation(Showing *showing)
{
	StringInfo	out = &showing->out;
	const char *relation = showing->head[HEAD_RELATION];
	const char *alias = showing->head[HEAD_ALIAS];
	const char *index = showing->head[HEAD_INDEX];

	if (relation == NULL)
		relation = showing->head[HEAD_FUNCTION];
	if (relation == NULL)
		relation = showing->head[HEAD_CTE];
	if (relation == NULL && alias == NULL)
	{
		if (index != NULL)
			appendStringInfo(out, " on %s", index);
		return;
	}
	if (index != NULL)
		appendStringInfo(out, " using %s", index);
	appendStringInfo(out, " on %s", relation != NULL ? relation : alias);
	if (relation != NULL && alias != NULL && strcmp(relation, alias) != 0)
		appendStringInfo(out, " %s", alias);
}

/* The first line of the node that was opened last, if it is not out. */
static void
put_head(Showing *showing)
{
	StringInfo	out = &showing->out;
	int			indent = showing->depth > 1 ? (showing->depth - 2) * 6 + 2 : 0;

	if (!showing->pending)
		return;
	showing->pending = false;
	if (showing->head[HEAD_SUBPLAN] != NULL)
		appendStringInfo(out, "%*s%s\n", indent, "",
						 showing->head[HEAD_SUBPLAN]);
	appendStringInfoSpaces(out, indent);
	if (showing->depth > 1)
		appendStringInfoString(out, "->  ");
	put_type(showing);
	put_relation(showing);
	if (showing->head[HEAD_WIDTH] != NULL)
		appendStringInfo(out, "  (cost=%s..%s rows=%s width=%s)",
						 head_of(showing, HEAD_STARTUP),
						 head_of(showing, HEAD_TOTAL),
						 head_of(showing, HEAD_ROWS),
						 head_of(showing, HEAD_WIDTH));
	if (showing->head[HEAD_ACTUAL_LOOPS] != NULL)
	{
		if (atof(head_of(showing, HEAD_ACTUAL_LOOPS)) == 0)
			appendStringInfoString(out, " (never executed)");
		else
		{
			appendStringInfoString(out, " (actual");
			if (showing->head[HEAD_ACTUAL_TOTAL] != NULL)
				appendStringInfo(out, " time=%s..%s",
								 head_of(showing, HEAD_ACTUAL_STARTUP),
								 head_of(showing, HEAD_ACTUAL_TOTAL));
			appendStringInfo(out, " rows=%s loops=%s)",
							 head_of(showing, HEAD_ACTUAL_ROWS),
							 head_of(showing, HEAD_ACTUAL_LOOPS));
		}
	}
	appendStringInfoChar(out, '\n');
	memset(showing->head, 0, sizeof(showing->head));
}

/* A value without quotes and brackets. */
static char *
plain_value(const Line *line)
{
	StringInfoData value;
	const char *s = line->value;
	const char *end = line->value + line->len;

	initStringInfo(&value);
	while (s < end)
	{
		if (*s == '"')
			s = read_string(s, &value);
		else if (*s == '[' || *s == ']')
			s++;
		else
			appendStringInfoChar(&value, *s++);
	}
	return value.data;
}

static bool
take_head(Showing *showing, const Line *line)
{
	if (!showing->pending)
		return false;
	for (int i = 0; i < NHEADS; i++)
	{
		if (key_is(line, heads[i]))
		{
			showing->head[i] = plain_value(line);
			return true;
		}
	}
	return false;
}

static bool
is_hidden(const Line *line)
{
	for (int i = 0; i < lengthof(hidden); i++)
	{
		if (key_is(line, hidden[i]))
			return true;
	}
	for (int i = 0; i < lengthof(hidden_if_false); i++)
	{
		if (key_is(line, hidden_if_false[i]))
			return value_is(line, "false");
	}
	return value_is(line, "[]") || value_is(line, "0");
}

static void
put_property(Showing *showing, const Line *line)
{
	const char *unit = "";

	if (is_hidden(line))
		return;
	if (key_is(line, "Planning Time") || key_is(line, "Execution Time"))
		unit = " ms";
	else if (key_is(line, "Peak Memory Usage") || key_is(line, "Disk Usage") ||
			 key_is(line, "Sort Space Used"))
		unit = " kB";
	put_head(showing);
	appendStringInfoSpaces(&showing->out, showing->depth == 0 ? 0 :
						   showing->depth == 1 ? 2 :
						   (showing->depth - 1) * 6 + 2);
	appendStringInfo(&showing->out, "%.*s: %s%s\n", line->keylen, line->key,
					 plain_value(line), unit);
}

static void
open_level(Showing *showing, const Line *line)
{
	Level		level = LEVEL_OTHER;

	if (key_is(line, "Plans"))
		level = LEVEL_PLANS;
	else if (key_is(line, "Plan") ||
			 (line->key == NULL && showing->nlevels > 0 &&
			  showing->levels[showing->nlevels - 1] == LEVEL_PLANS))
		level = LEVEL_NODE;
	put_head(showing);
	if (showing->nlevels == MAX_LEVELS)
		return;
	if (level == LEVEL_NODE)
	{
		showing->depth++;
		showing->pending = true;
	}
	showing->levels[showing->nlevels++] = level;
}

static void
close_level(Showing *showing)
{
	put_head(showing);
	if (showing->nlevels == 0)
		return;
	if (showing->levels[--showing->nlevels] == LEVEL_NODE)
		showing->depth--;
}

char *
pfo_slow_show_plan(const char *json)
{
	Showing    *showing = palloc0(sizeof(Showing));

	initStringInfo(&showing->out);
	for (const char *s = json; s != NULL;)
	{
		Line		line = read_line(s);
		char		first = line.len > 0 ? line.value[0] : '\0';

		if (line.len == 1 && (first == '{' || first == '['))
			open_level(showing, &line);
		else if (line.len == 1 && (first == '}' || first == ']'))
			close_level(showing);
		else if (line.key != NULL && !take_head(showing, &line))
			put_property(showing, &line);
		s = line.next;
	}
	if (showing->out.len > 0)
		showing->out.data[--showing->out.len] = '\0';
	return showing->out.data;
}

const char *
pfo_slow_show_note(const PfoSlow *slow)
{
	switch (slow->plan.note)
	{
		case PFO_PLAN_EXECUTED:
			return NULL;
		case PFO_PLAN_FAILED:
			return slow->plan.ncounts > 0 ?
				"rows as of the failure, without those of parallel workers" :
				"failed, the plan has too many nodes to count their rows";
		case PFO_PLAN_NOT_INSTRUMENTED:
			return "not instrumented";
		case PFO_PLAN_HIT:
			return "served from the cache, nothing was executed";
		case PFO_PLAN_UTILITY:
			return "a command without a plan";
		case PFO_PLAN_NOT_STARTED:
			return "failed before it was started";
		case PFO_PLAN_TOO_LARGE:
			return "the plan is too large to be kept";
		case PFO_PLAN_NOT_MADE:
			return "the plan could not be explained";
	}
	return NULL;
}
