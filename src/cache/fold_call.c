/*-------------------------------------------------------------------------
 *
 * fold_call.c
 *	  Calls that can be folded, and what they may be given.
 *
 * Finding (fold.c) and evaluating (fold_value.c) ask the same questions, the
 * one of constants, the other of parameters as well.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "nodes/primnodes.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

#include "cache/fold_call.h"

/*
 * What is added to a moment, each part of an interval by itself, and how far
 * from the year 2000 that may be: all sums of these can be represented, from
 * 4713 BC on.
 */
#define MAX_YEARS		1000
#define MAX_MONTHS		(MAX_YEARS * 12)
#define MAX_DAYS		(MAX_YEARS * 365)
#define MAX_TIME		(MAX_DAYS * USECS_PER_DAY)
#define MAX_DISTANCE	(2 * MAX_TIME)

/* Operators of pg_catalog, whose numbers never change. */
#define TIMESTAMPTZ_PLUS_INTERVAL	1327
#define TIMESTAMPTZ_MINUS_INTERVAL	1329
#define TIMESTAMP_PLUS_INTERVAL		2066
#define TIMESTAMP_MINUS_INTERVAL	2068

void
pfo_fold_call_of(Node *node, PfoFoldCall *call)
{
	memset(call, 0, sizeof(*call));
	if (IsA(node, FuncExpr))
	{
		call->funcid = ((FuncExpr *) node)->funcid;
		call->collation = ((FuncExpr *) node)->inputcollid;
		call->args = ((FuncExpr *) node)->args;
	}
	else if (IsA(node, OpExpr))
	{
		/* opfuncid is not filled in everywhere */
		switch (((OpExpr *) node)->opno)
		{
			case TIMESTAMPTZ_PLUS_INTERVAL:
				call->funcid = F_TIMESTAMPTZ_PL_INTERVAL;
				break;
			case TIMESTAMPTZ_MINUS_INTERVAL:
				call->funcid = F_TIMESTAMPTZ_MI_INTERVAL;
				break;
			case TIMESTAMP_PLUS_INTERVAL:
				call->funcid = F_TIMESTAMP_PL_INTERVAL;
				break;
			case TIMESTAMP_MINUS_INTERVAL:
				call->funcid = F_TIMESTAMP_MI_INTERVAL;
				break;
			default:
				break;
		}
		call->collation = ((OpExpr *) node)->inputcollid;
		call->args = ((OpExpr *) node)->args;
	}
}

int
pfo_fold_moment_position(Oid funcid)
{
	switch (funcid)
	{
		case F_DATE_PART_TEXT_TIMESTAMP:
		case F_DATE_PART_TEXT_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMP:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
		case F_EXTRACT_TEXT_TIMESTAMP:
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
		case F_TIMEZONE_TEXT_TIMESTAMP:
		case F_TIMEZONE_TEXT_TIMESTAMPTZ:
			return 1;
		default:
			return 0;
	}
}

/*
 * Arguments
 */

Node *
pfo_fold_strip_labels(Node *node)
{
	while (node != NULL && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
}

/* Is the text one of these words? */
static bool
is_one_of(Datum value, const char *const *words, int nwords)
{
	char	   *word = TextDatumGetCString(value);
	bool		found = false;

	for (int i = 0; i < nwords && !found; i++)
		found = pg_strcasecmp(word, words[i]) == 0;
	pfree(word);
	return found;
}

static bool
is_coarse_unit(Datum value)
{
	static const char *const units[] = {
		"second", "minute", "hour", "day", "week", "month", "quarter", "year",
		"decade", "century", "millennium"
	};

	return is_one_of(value, units, lengthof(units));
}

static bool
is_coarse_field(Datum value)
{
	static const char *const fields[] = {
		"minute", "hour", "day", "dow", "isodow", "doy", "week", "month",
		"quarter", "year", "isoyear", "decade", "century", "millennium"
	};

	return is_one_of(value, fields, lengthof(fields));
}

static bool
is_time_zone(Datum value)
{
	char	   *name = TextDatumGetCString(value);
	bool		known;

	known = strlen(name) <= TZ_STRLEN_MAX && pg_tzset(name) != NULL;
	pfree(name);
	return known;
}

bool
pfo_fold_is_near(Timestamp moment)
{
	return moment >= -MAX_DISTANCE && moment <= MAX_DISTANCE;
}

static bool
is_short(const Interval *interval)
{
	return interval->month >= -MAX_MONTHS && interval->month <= MAX_MONTHS &&
		interval->day >= -MAX_DAYS && interval->day <= MAX_DAYS &&
		interval->time >= -MAX_TIME && interval->time <= MAX_TIME;
}

bool
pfo_fold_argument_fits(Oid funcid, int position, Datum value)
{
	switch (funcid)
	{
		case F_DATE_PART_TEXT_TIMESTAMP:
		case F_DATE_PART_TEXT_TIMESTAMPTZ:
		case F_EXTRACT_TEXT_TIMESTAMP:
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
			return is_coarse_field(value);

		case F_DATE_TRUNC_TEXT_TIMESTAMP:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
			return is_coarse_unit(value);

		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
			return position == 0 ? is_coarse_unit(value) :
				is_time_zone(value);

		case F_TIMEZONE_TEXT_TIMESTAMP:
		case F_TIMEZONE_TEXT_TIMESTAMPTZ:
			return is_time_zone(value);

		case F_TIMESTAMPTZ_TIMESTAMPTZ_INT4:
		case F_TIMESTAMP_TIMESTAMP_INT4:
			return DatumGetInt32(value) == 0;	/* fractional digits */

		case F_TIMESTAMPTZ_MI_INTERVAL:
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMP_MI_INTERVAL:
		case F_TIMESTAMP_PL_INTERVAL:
			return is_short(DatumGetIntervalP(value));

		default:
			return false;
	}
}
