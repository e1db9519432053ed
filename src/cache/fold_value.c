/*-------------------------------------------------------------------------
 *
 * fold_value.c
 *	  The present values of what is folded.
 *
 * Each evaluation returns false if there is no value to be had: what could
 * raise an error is looked at before.  Why, and why that is exact: fold.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "tsearch/ts_cache.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "base/contain.h"
#include "cache/fold.h"
#include "cache/fold_call.h"
#include "cache/functions.h"
#include "cache/generation.h"
#include "cache/key_values.h"

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
	NullableDatum args[PFO_FOLD_MAX_ARGS];
	NullableDatum result;
} Calling;

static void
do_call(void *arg)
{
	Calling    *calling = arg;
	LOCAL_FCINFO(fcinfo, PFO_FOLD_MAX_ARGS);
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

/* A name without schema means what it does at its first use: see fold.c. */
static void
look_up_text_search(void *arg)
{
	Calling    *calling = arg;
	List	   *names;

	if (SplitIdentifierString(pstrdup(TSCurrentConfig), '.', &names) &&
		list_length(names) > 1)
		calling->result.value = ObjectIdGetDatum(getTSCurrentConfig(false));
}

static bool
text_search_of(Calling *calling)
{
	return pfo_contain_catalogs(look_up_text_search, calling) &&
		OidIsValid(DatumGetObjectId(calling->result.value));
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

		case F_GET_CURRENT_TS_CONFIG:
			return text_search_of(calling);

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
	PfoFoldCall call;
	int			flags;

	node = pfo_fold_strip_labels(node);
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

	pfo_fold_call_of(node, &call);
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
				 !(i == pfo_fold_moment_position(call.funcid) ?
				   pfo_fold_is_near(DatumGetTimestamp(arg->value)) :
				   pfo_fold_argument_fits(call.funcid, i, arg->value)))
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
