/*-------------------------------------------------------------------------
 *
 * fold.c
 *	  Calls that tell of the session or of the moment, whose value becomes
 *	  part of what identifies an answer.
 *
 * current_user, current_setting('app.tenant') and CURRENT_DATE depend on no
 * table and on nothing that the key holds otherwise.  They are evaluated at
 * each look-up, and their values join the key.  The statement's own plan is
 * not touched: whoever executes it calls the functions as ever.
 *
 * WHY THAT IS EXACT.  What is folded is STABLE in the strict sense: it gives
 * the same value wherever and whenever it is called during one run of a
 * statement, in parallel workers too.  So the rows are a function of the
 * tables and of the values, whichever of the calls an execution reaches, and
 * the values at the look-up are those of the run that follows.  That rests on:
 *
 *	- Settings change by commands between statements, and by set_config() and
 *	  functions with a SET clause, which no statement that is kept can call.
 *	  Look-up and run are one call of the executor.  A portal that is fetched
 *	  in pieces is none: a SET between two pieces reaches the second.  So
 *	  what is fetched in pieces is neither stored nor served (scan.c).
 *	- now() is that of the transaction.  statement_timestamp() is that of the
 *	  client's latest message, and the message that runs a portal is the one
 *	  in which it is looked up.
 *	- Names of roles, schemas and databases are in catalogs; somebody can
 *	  rename a role while the statement runs.  What this backend believes
 *	  changes only when it hears of that, so messages about these catalogs
 *	  are counted (pfo_fold_generation()): an answer during whose making one
 *	  came is not kept.
 *	- The planner does not evaluate STABLE functions but for estimates.  It
 *	  does evaluate a user's function labelled IMMUTABLE, whatever its body
 *	  calls, and keeps the value in a prepared plan: in the body of one that
 *	  bears this label nothing is folded, and the statement is refused.
 *
 * NO ERRORS.  What is evaluated here, the execution might not reach: it can
 * stand in an arm of CASE.  So it must be unable to fail.  Candidates are
 * calls on the reviewed list of functions.c (FOLDABLE) with constants and
 * parameters as arguments, which are looked at before the call: a setting
 * must exist and be for everybody to see.  If not, the execution is
 * not looked up, with a reason, and PostgreSQL raises the error that there may
 * be.  What stands above a folded call, as the cast in
 * current_setting('app.tenant')::int, is not evaluated: the same value gives
 * the same result.
 *
 * THE MOMENT.  now() and its kin differ in each transaction, so that an answer
 * under such a key would never be asked for again.  They are folded together
 * with what makes a date or a whole second of them, if that is above (COARSENS
 * and, in between, SHIFTS).  The largest such part is taken.  A moment
 * without is refused as unstable.  This is a matter of use, not of exactness.
 *
 * Which calls there are follows from the tree, which is in the key, and for
 * those in bodies of functions from definitions that are compared before a hit
 * and before storing.  So values are in the key by their order alone.
 *
 * CAVEATS.  A setting whose text is made by a function of the library that
 * defines it could change by itself in the middle of a statement.  None of
 * PostgreSQL's does where answers are served.
 *
 * MEMORY.  What is collected is copied to the current context, which is that
 * of the plan.  Evaluating allocates some bytes in the current context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type_d.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/timestamp.h"

#include "cache/contain.h"
#include "cache/fold.h"
#include "cache/functions.h"
#include "cache/generation.h"
#include "cache/key_values.h"

/* a statement with more of them than this is not worth the effort */
#define MAX_FOLDED		64

/* arguments of what can be folded */
#define MAX_ARGS		3

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

/* What an expression is to folding */
typedef enum FoldClass
{
	FOLD_NONE,					/* nothing by itself */
	FOLD_REFUSED,				/* foldable but for its arguments */
	FOLD_MOMENT,				/* the moment, or one at a distance from it */
	FOLD_SHIFTED,				/* a value at a distance from a folded one */
	FOLD_VALUE					/* can be folded */
} FoldClass;

/* A call, by whatever node */
typedef struct Call
{
	Oid			funcid;			/* InvalidOid: none that matters here */
	Oid			collation;
	List	   *args;
} Call;

static void
call_of(Node *node, Call *call)
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

/* Where the moment is among the arguments of what shifts or coarsens it */
static int
moment_position(Oid funcid)
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

static Node *
strip_labels(Node *node)
{
	while (node != NULL && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
}

static bool
is_input(Node *node, bool with_params)
{
	node = strip_labels(node);
	return IsA(node, Const) ||
		(with_params && IsA(node, Param) &&
		 ((Param *) node)->paramkind == PARAM_EXTERN);
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

/* with or without time zone */
static bool
is_near(Timestamp moment)
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

/*
 * Can a function that shifts or coarsens a moment work with this value beside
 * it?  It can neither fail then, nor give what changes within a second.
 */
static bool
argument_fits(Oid funcid, int position, Datum value)
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

/*
 * Finding
 */

static FoldClass
classify_value_function(const SQLValueFunction *svf)
{
	switch (svf->op)
	{
		case SVFOP_CURRENT_DATE:
		case SVFOP_CURRENT_ROLE:
		case SVFOP_CURRENT_USER:
		case SVFOP_USER:
		case SVFOP_SESSION_USER:
		case SVFOP_CURRENT_CATALOG:
		case SVFOP_CURRENT_SCHEMA:
			return FOLD_VALUE;

		case SVFOP_CURRENT_TIMESTAMP_N:
		case SVFOP_LOCALTIMESTAMP_N:
			return svf->typmod == 0 ? FOLD_VALUE : FOLD_MOMENT;

			/* nor does anything here coarsen times of the day */
		default:
			return FOLD_MOMENT;
	}
}

static FoldClass classify(Node *node, bool with_params);

/* What shifts or coarsens, if there is a moment to work on */
static FoldClass
classify_above(const Call *call, int flags, bool with_params)
{
	int			position = moment_position(call->funcid);
	FoldClass	below = FOLD_NONE;

	for (int i = 0; i < list_length(call->args); i++)
	{
		Node	   *arg = (Node *) list_nth(call->args, i);

		if (i == position)
		{
			below = classify(arg, with_params);
			if (below != FOLD_MOMENT && below != FOLD_SHIFTED &&
				below != FOLD_VALUE)
				return FOLD_NONE;
			continue;
		}
		if (!is_input(arg, with_params))
			return FOLD_NONE;
		arg = strip_labels(arg);
		if (IsA(arg, Const) ?
			((Const *) arg)->constisnull ||
			!argument_fits(call->funcid, i, ((Const *) arg)->constvalue) :
			(flags & PFO_FUNCTION_COARSENS) != 0)
			return FOLD_NONE;
	}
	if (flags & PFO_FUNCTION_COARSENS)
		return FOLD_VALUE;
	return below == FOLD_MOMENT ? FOLD_MOMENT : FOLD_SHIFTED;
}

static FoldClass
classify(Node *node, bool with_params)
{
	Call		call;
	int			flags;
	ListCell   *lc;

	if (IsA(node, SQLValueFunction))
		return classify_value_function((SQLValueFunction *) node);

	check_stack_depth();
	call_of(node, &call);
	if (!OidIsValid(call.funcid) || list_length(call.args) > MAX_ARGS)
		return FOLD_NONE;
	flags = pfo_function_flags(call.funcid);
	if (flags & PFO_FUNCTION_MOMENT)
		return FOLD_MOMENT;
	if (flags & (PFO_FUNCTION_SHIFTS | PFO_FUNCTION_COARSENS))
		return classify_above(&call, flags, with_params);
	if (!(flags & PFO_FUNCTION_FOLDABLE))
		return FOLD_NONE;
	foreach(lc, call.args)
	{
		if (!is_input((Node *) lfirst(lc), with_params))
			return FOLD_REFUSED;
	}
	return FOLD_VALUE;
}

typedef struct Collecting
{
	bool		with_params;
	List	   *folded;
	PfoReason	reason;
	Oid			object;
} Collecting;

/* The function that tells the moment, below what shifts it, or of the call */
static Oid
named_function(Node *node)
{
	Call		call;

	for (;;)
	{
		call_of(node, &call);
		if (!(pfo_function_flags(call.funcid) & PFO_FUNCTION_SHIFTS))
			return call.funcid;
		node = (Node *) list_nth(call.args, moment_position(call.funcid));
	}
}

static bool
collect(Node *node, Collecting *collecting)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, collect, (void *) collecting,
								 0);

	switch (classify(node, collecting->with_params))
	{
		case FOLD_VALUE:
			if (list_member(collecting->folded, node))
				return false;
			if (list_length(collecting->folded) < MAX_FOLDED)
			{
				collecting->folded = lappend(collecting->folded,
											 copyObject(node));
				return false;
			}
			collecting->reason = PFO_REASON_NEEDS_FOLDING;
			break;
		case FOLD_MOMENT:
			collecting->reason = PFO_REASON_UNSTABLE_FOLD;
			break;
		case FOLD_REFUSED:
			collecting->reason = PFO_REASON_NEEDS_FOLDING;
			break;
		default:
			return expression_tree_walker(node, collect, (void *) collecting);
	}
	collecting->object = named_function(node);
	return true;
}

PfoReason
pfo_fold_collect(Query *query, bool with_params, List **folded, Oid *object)
{
	Collecting	collecting = {with_params, *folded};

	(void) collect((Node *) query, &collecting);
	*folded = collecting.folded;
	if (collecting.reason != PFO_REASON_NONE)
		*object = collecting.object;
	return collecting.reason;
}

/*
 * Evaluating: each returns false if there is no value to be had
 */

/* Names that this backend looked up, for as long as they hold. */
typedef struct KnownName
{
	Oid			id;				/* of the role; of the database */
	uint64		generation;
	NameData	name;
} KnownName;

typedef struct Naming
{
	bool		is_role;
	Oid			id;
	char	   *name;
} Naming;

static void
read_name(void *arg)
{
	Naming	   *naming = arg;

	naming->name = naming->is_role ? GetUserNameFromId(naming->id, true) :
		get_database_name(naming->id);
}

static bool
name_of(KnownName *known, bool is_role, Oid id, Datum *value)
{
	Naming		naming = {is_role, id, NULL};
	uint64		generation = pfo_generation_of_names();

	if (known->id != id || known->generation != generation)
	{
		known->id = InvalidOid;
		if (!pfo_contain_catalogs(read_name, &naming) || naming.name == NULL)
			return false;
		namestrcpy(&known->name, naming.name);
		pfree(naming.name);
		known->id = id;
		known->generation = generation;
	}
	*value = NameGetDatum(&known->name);
	return true;
}

static bool
name_of_role(Oid roleid, Datum *value)
{
	static KnownName current;
	static KnownName session;

	return name_of(roleid == GetSessionUserId() ? &session : &current, true,
				   roleid, value);
}

static bool
name_of_database(Datum *value)
{
	static KnownName database;

	return name_of(&database, false, MyDatabaseId, value);
}

/* A call of one of PostgreSQL's own functions, of its arguments' values */
typedef struct Calling
{
	Oid			funcid;
	Oid			collation;
	int			nargs;
	NullableDatum args[MAX_ARGS];
	NullableDatum result;
} Calling;

static void
do_call(void *arg)
{
	Calling    *calling = arg;
	LOCAL_FCINFO(fcinfo, MAX_ARGS);
	FmgrInfo	flinfo;

	fmgr_info(calling->funcid, &flinfo);
	InitFunctionCallInfoData(*fcinfo, &flinfo, calling->nargs,
							 calling->collation, NULL, NULL);
	for (int i = 0; i < calling->nargs; i++)
		fcinfo->args[i] = calling->args[i];
	calling->result.value = FunctionCallInvoke(fcinfo);
	calling->result.isnull = fcinfo->isnull;
}

/*
 * The path is brought up to date by reading catalogs.  One that mentions the
 * session's temporary schema can make it be created; that is left to who
 * executes the statement.
 */
static bool
call_with_path(Calling *calling)
{
	if (strstr(namespace_search_path, "pg_temp") != NULL)
		return false;
	return pfo_contain_catalogs(do_call, calling);
}

/* current_setting(), of one that exists and that everybody may see */
static bool
setting_of(Calling *calling)
{
	bool		missing_ok = calling->nargs > 1 &&
		DatumGetBool(calling->args[1].value);
	char	   *name = TextDatumGetCString(calling->args[0].value);
	char	   *setting = NULL;

	if (GetConfigOptionFlags(name, true) & GUC_SUPERUSER_ONLY)
		return false;
	setting = GetConfigOptionByName(name, NULL, true);
	pfree(name);
	if (setting == NULL)
	{
		calling->result.isnull = true;
		return missing_ok;
	}
	calling->result.value = CStringGetTextDatum(setting);
	pfree(setting);
	return true;
}

/* Their arguments are not null. */
static bool
call_function(Calling *calling)
{
	Datum	   *result = &calling->result.value;

	switch (calling->funcid)
	{
		case F_CURRENT_SETTING_TEXT:
		case F_CURRENT_SETTING_TEXT_BOOL:
			return setting_of(calling);

		case F_CURRENT_USER:
		case F_GETPGUSERNAME:
			return name_of_role(GetUserId(), result);
		case F_SESSION_USER:
			return name_of_role(GetSessionUserId(), result);
		case F_CURRENT_DATABASE:
			return name_of_database(result);

		case F_CURRENT_SCHEMA:
		case F_CURRENT_SCHEMAS:
			return call_with_path(calling);

		default:
			do_call(calling);
			return true;
	}
}

static bool
call_value_function(const SQLValueFunction *svf, Calling *calling)
{
	Datum	   *result = &calling->result.value;

	switch (svf->op)
	{
		case SVFOP_CURRENT_DATE:
			*result = DateADTGetDatum(GetSQLCurrentDate());
			return true;
		case SVFOP_CURRENT_TIMESTAMP:
		case SVFOP_CURRENT_TIMESTAMP_N:
			*result = TimestampTzGetDatum(GetSQLCurrentTimestamp(svf->typmod));
			return true;
		case SVFOP_LOCALTIMESTAMP:
		case SVFOP_LOCALTIMESTAMP_N:
			*result = TimestampGetDatum(GetSQLLocalTimestamp(svf->typmod));
			return true;

		case SVFOP_CURRENT_ROLE:
		case SVFOP_CURRENT_USER:
		case SVFOP_USER:
			return name_of_role(GetUserId(), result);
		case SVFOP_SESSION_USER:
			return name_of_role(GetSessionUserId(), result);
		case SVFOP_CURRENT_CATALOG:
			return name_of_database(result);
		case SVFOP_CURRENT_SCHEMA:
			calling->funcid = F_CURRENT_SCHEMA;
			return call_with_path(calling);

		default:
			return false;
	}
}

static bool
value_of_param(const Param *param, ParamListInfo params, NullableDatum *value)
{
	ParamExternData workspace;
	ParamExternData *prm = pfo_param_value(params, param->paramid, &workspace);

	if (prm == NULL || prm->ptype != param->paramtype)
		return false;
	value->value = prm->value;
	value->isnull = prm->isnull;
	return true;
}

static bool
evaluate(Node *node, ParamListInfo params, NullableDatum *value)
{
	Calling		calling = {0};
	Call		call;
	int			flags;

	node = strip_labels(node);
	value->value = (Datum) 0;
	value->isnull = false;
	if (IsA(node, Const))
	{
		value->value = ((Const *) node)->constvalue;
		value->isnull = ((Const *) node)->constisnull;
		return true;
	}
	if (IsA(node, Param))
		return value_of_param((Param *) node, params, value);
	if (IsA(node, SQLValueFunction))
	{
		if (!call_value_function((SQLValueFunction *) node, &calling))
			return false;
		*value = calling.result;
		return true;
	}

	call_of(node, &call);
	if (!OidIsValid(call.funcid))
		return false;
	flags = pfo_function_flags(call.funcid);
	calling.funcid = call.funcid;
	calling.collation = call.collation;
	calling.nargs = list_length(call.args);
	for (int i = 0; i < calling.nargs; i++)
	{
		NullableDatum *arg = &calling.args[i];

		if (!evaluate((Node *) list_nth(call.args, i), params, arg))
			return false;
		/* all of these functions are strict */
		if (arg->isnull)
			value->isnull = true;
		else if (flags & (PFO_FUNCTION_SHIFTS | PFO_FUNCTION_COARSENS) &&
				 !(i == moment_position(call.funcid) ?
				   is_near(DatumGetTimestamp(arg->value)) :
				   argument_fits(call.funcid, i, arg->value)))
			return false;
	}
	if (value->isnull)
		return true;
	if (!call_function(&calling))
		return false;
	*value = calling.result;
	return true;
}

bool
pfo_fold_add(PfoHasher *h, List *folded, ParamListInfo params)
{
	ListCell   *lc;

	foreach(lc, folded)
	{
		Node	   *node = (Node *) lfirst(lc);
		NullableDatum value;

		if (!evaluate(node, params, &value) ||
			!pfo_key_typed_value(h, exprType(node), value.value, value.isnull))
			return false;
	}
	return true;
}

uint64
pfo_fold_generation(void)
{
	return pfo_generation_of_names();
}

/*
 * Describing
 */

static char *
describe(Node *node, bool with_value)
{
	char	   *text = deparse_expression(node, NIL, false, false);
	NullableDatum value;
	Oid			output;
	bool		isvarlena;

	if (!with_value || !evaluate(node, NULL, &value))
		return text;
	if (value.isnull)
		return psprintf("%s = NULL", text);
	getTypeOutputInfo(exprType(node), &output, &isvarlena);
	return psprintf("%s = %s", text,
					quote_literal_cstr(OidOutputFunctionCall(output,
															 value.value)));
}

List *
pfo_fold_describe(List *folded, bool with_values)
{
	List	   *texts = NIL;
	ListCell   *lc;

	foreach(lc, folded)
		texts = lappend(texts, describe((Node *) lfirst(lc), with_values));
	return texts;
}
