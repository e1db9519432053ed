/*-------------------------------------------------------------------------
 *
 * functions.c
 *	  What we know of functions beyond their labels: reviewed lists.
 *
 * A label promises less than a cache needs.  STABLE allows a function to
 * read catalogs, session state, statistics or the clock, and some functions
 * labelled IMMUTABLE read more than their arguments.  So all STABLE functions
 * of pg_catalog were read, and those that depend on nothing but their
 * arguments and on settings that are part of each key (settings.c) are listed
 * here.  What is not listed is not trusted.  The IMMUTABLE ones of pg_catalog
 * were read for the opposite: those not to be believed are listed.
 *
 * STABLE and left out on purpose, because the answer depends on
 *	- catalogs that no announcement covers, privileges, visibility in
 *	  search_path: pg_get_*, format_type, obj_description, has_*_privilege,
 *	  pg_*_is_visible, row_security_active, to_reg*, regclass(text), the input
 *	  and output functions of reg* types and of aclitem, aclexplode,
 *	  pg_collation_for, ts_parse and ts_token_type by name, ts_debug;
 *	- conversions, found by search_path: convert, convert_from, convert_to,
 *	  length(bytea, name);
 *	- the current date: age() of one argument, casts of time to timetz,
 *	  timezone(text, timetz), pg_timezone_names, pg_timezone_abbrevs, and the
 *	  input functions of date, time and timestamp types, which know 'today';
 *	- transactions, locks, statistics, connections, files, the server:
 *	  age(xid), mxid_age, *_snapshot, pg_stat_*, pg_lock_status, inet_*_addr,
 *	  pg_backend_pid, pg_trigger_depth, pg_relation_file*, pg_config, ...;
 *	- how a value happens to be stored: pg_column_size, pg_column_compression;
 *	- a type given as an OID at run time: array_in, record_in, enum_in,
 *	  domain_in and their likes, when called as functions.  As the two halves
 *	  of a cast they are judged by the type, see eligible_types.c;
 *	- tables: table_to_xml, schema_to_xml, database_to_xml, ...
 *
 * Those that tell of the moment or of the session are listed for what can be
 * done with them instead: their value becomes part of the key (fold.c).  None
 * of them reads a table or does anything but tell.
 *
 * The table is written by subject and sorted by OID at its first use in a
 * process.  OIDs of pg_catalog's functions never change.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/fmgroids.h"

#include "cache/functions.h"

typedef struct PfoFunction
{
	Oid			funcid;
	int			flags;
} PfoFunction;

#define OK		PFO_FUNCTION_OK
#define FOLD	PFO_FUNCTION_FOLDABLE
#define LIES	PFO_FUNCTION_LIES
#define OUTPUT	(PFO_FUNCTION_OK | PFO_FUNCTION_OUTPUT)
#define INPUT	(PFO_FUNCTION_OK | PFO_FUNCTION_INPUT)
#define SETTINGS PFO_FUNCTION_SETTINGS
#define MOMENT	(PFO_FUNCTION_FOLDABLE | PFO_FUNCTION_MOMENT)
#define SHIFTS	PFO_FUNCTION_SHIFTS
#define COARSENS PFO_FUNCTION_COARSENS
#define WORDS	PFO_FUNCTION_DICTIONARIES
#define SEARCH	(PFO_FUNCTION_OK | PFO_FUNCTION_TEXT_SEARCH | WORDS)

static PfoFunction functions[] = {
	/* timestamptz against date, timestamp, time and interval: TimeZone */
	{F_DATE_CMP_TIMESTAMPTZ, OK},
	{F_DATE_EQ_TIMESTAMPTZ, OK},
	{F_DATE_GE_TIMESTAMPTZ, OK},
	{F_DATE_GT_TIMESTAMPTZ, OK},
	{F_DATE_LE_TIMESTAMPTZ, OK},
	{F_DATE_LT_TIMESTAMPTZ, OK},
	{F_DATE_NE_TIMESTAMPTZ, OK},
	{F_DATE_PART_TEXT_TIMESTAMPTZ, OK | COARSENS},
	{F_DATE_TIMESTAMPTZ, OK | COARSENS},
	{F_DATE_TRUNC_TEXT_TIMESTAMPTZ, OK | COARSENS},
	{F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT, OK | COARSENS},
	{F_EXTRACT_TEXT_TIMESTAMPTZ, OK | COARSENS},
	{F_GENERATE_SERIES_TIMESTAMPTZ_TIMESTAMPTZ_INTERVAL, OK},
	{F_INTERVAL_PL_TIMESTAMPTZ, OK},
	{F_IN_RANGE_TIMESTAMPTZ_TIMESTAMPTZ_INTERVAL_BOOL_BOOL, OK},
	{F_MAKE_TIMESTAMPTZ_INT4_INT4_INT4_INT4_INT4_FLOAT8, OK},
	{F_MAKE_TIMESTAMPTZ_INT4_INT4_INT4_INT4_INT4_FLOAT8_TEXT, OK},
	{F_OVERLAPS_TIMESTAMPTZ_INTERVAL_TIMESTAMPTZ_INTERVAL, OK},
	{F_OVERLAPS_TIMESTAMPTZ_INTERVAL_TIMESTAMPTZ_TIMESTAMPTZ, OK},
	{F_OVERLAPS_TIMESTAMPTZ_TIMESTAMPTZ_TIMESTAMPTZ_INTERVAL, OK},
	{F_TIMESTAMPTZ_CMP_DATE, OK},
	{F_TIMESTAMPTZ_CMP_TIMESTAMP, OK},
	{F_TIMESTAMPTZ_DATE, OK},
	{F_TIMESTAMPTZ_DATE_TIME, OK},
	{F_TIMESTAMPTZ_EQ_DATE, OK},
	{F_TIMESTAMPTZ_EQ_TIMESTAMP, OK},
	{F_TIMESTAMPTZ_GE_DATE, OK},
	{F_TIMESTAMPTZ_GE_TIMESTAMP, OK},
	{F_TIMESTAMPTZ_GT_DATE, OK},
	{F_TIMESTAMPTZ_GT_TIMESTAMP, OK},
	{F_TIMESTAMPTZ_LE_DATE, OK},
	{F_TIMESTAMPTZ_LE_TIMESTAMP, OK},
	{F_TIMESTAMPTZ_LT_DATE, OK},
	{F_TIMESTAMPTZ_LT_TIMESTAMP, OK},
	{F_TIMESTAMPTZ_MI_INTERVAL, OK | SHIFTS},
	{F_TIMESTAMPTZ_NE_DATE, OK},
	{F_TIMESTAMPTZ_NE_TIMESTAMP, OK},
	{F_TIMESTAMPTZ_PL_INTERVAL, OK | SHIFTS},
	{F_TIMESTAMPTZ_TIMESTAMP, OK | SHIFTS},
	{F_TIMESTAMP_CMP_TIMESTAMPTZ, OK},
	{F_TIMESTAMP_EQ_TIMESTAMPTZ, OK},
	{F_TIMESTAMP_GE_TIMESTAMPTZ, OK},
	{F_TIMESTAMP_GT_TIMESTAMPTZ, OK},
	{F_TIMESTAMP_LE_TIMESTAMPTZ, OK},
	{F_TIMESTAMP_LT_TIMESTAMPTZ, OK},
	{F_TIMESTAMP_NE_TIMESTAMPTZ, OK},
	{F_TIMESTAMP_TIMESTAMPTZ, OK | SHIFTS},
	{F_TIMETZ_TIMESTAMPTZ, OK},
	{F_TIME_TIMESTAMPTZ, OK},

	/* formats and templates: TimeZone, lc_time, lc_numeric, lc_monetary */
	{F_TO_CHAR_FLOAT4_TEXT, OK},
	{F_TO_CHAR_FLOAT8_TEXT, OK},
	{F_TO_CHAR_INT4_TEXT, OK},
	{F_TO_CHAR_INT8_TEXT, OK},
	{F_TO_CHAR_INTERVAL_TEXT, OK},
	{F_TO_CHAR_NUMERIC_TEXT, OK},
	{F_TO_CHAR_TIMESTAMPTZ_TEXT, OK},
	{F_TO_CHAR_TIMESTAMP_TEXT, OK},
	{F_TO_DATE, OK},
	{F_TO_NUMBER, OK},
	{F_TO_TIMESTAMP_TEXT_TEXT, OK},

	/* money: lc_monetary */
	{F_MONEY_INT4, OK},
	{F_MONEY_INT8, OK},
	{F_MONEY_NUMERIC, OK},
	{F_NUMERIC_MONEY, OK},

	/* XML: xmloption */
	{F_XML, OK},
	{F_XML_IS_WELL_FORMED, OK},

	/* jsonpath with time zones: TimeZone */
	{F_JSONB_PATH_EXISTS_TZ, OK},
	{F_JSONB_PATH_MATCH_TZ, OK},
	{F_JSONB_PATH_QUERY_ARRAY_TZ, OK},
	{F_JSONB_PATH_QUERY_FIRST_TZ, OK},
	{F_JSONB_PATH_QUERY_TZ, OK},

	/*
	 * text search by default_text_search_config: what that names joins the
	 * key; dictionaries and configurations are catalogs, whose changes are
	 * announced
	 */
	{F_GET_CURRENT_TS_CONFIG, SEARCH},
	{F_JSONB_TO_TSVECTOR_JSONB_JSONB, SEARCH},
	{F_JSON_TO_TSVECTOR_JSON_JSONB, SEARCH},
	{F_PHRASETO_TSQUERY_TEXT, SEARCH},
	{F_PLAINTO_TSQUERY_TEXT, SEARCH},
	{F_TO_TSQUERY_TEXT, SEARCH},
	{F_TO_TSVECTOR_JSON, SEARCH},
	{F_TO_TSVECTOR_JSONB, SEARCH},
	{F_TO_TSVECTOR_TEXT, SEARCH},
	{F_TS_HEADLINE_JSONB_TSQUERY, SEARCH},
	{F_TS_HEADLINE_JSONB_TSQUERY_TEXT, SEARCH},
	{F_TS_HEADLINE_JSON_TSQUERY, SEARCH},
	{F_TS_HEADLINE_JSON_TSQUERY_TEXT, SEARCH},
	{F_TS_HEADLINE_TEXT_TSQUERY, SEARCH},
	{F_TS_HEADLINE_TEXT_TSQUERY_TEXT, SEARCH},
	{F_TS_MATCH_TQ, SEARCH},
	{F_TS_MATCH_TT, SEARCH},
	{F_WEBSEARCH_TO_TSQUERY_TEXT, SEARCH},

	/* text search by what is named, labelled IMMUTABLE: see text_search.c */
	{F_JSONB_TO_TSVECTOR_REGCONFIG_JSONB_JSONB, WORDS},
	{F_JSON_TO_TSVECTOR_REGCONFIG_JSON_JSONB, WORDS},
	{F_PHRASETO_TSQUERY_REGCONFIG_TEXT, WORDS},
	{F_PLAINTO_TSQUERY_REGCONFIG_TEXT, WORDS},
	{F_TO_TSQUERY_REGCONFIG_TEXT, WORDS},
	{F_TO_TSVECTOR_REGCONFIG_JSON, WORDS},
	{F_TO_TSVECTOR_REGCONFIG_JSONB, WORDS},
	{F_TO_TSVECTOR_REGCONFIG_TEXT, WORDS},
	{F_TS_HEADLINE_REGCONFIG_JSONB_TSQUERY, WORDS},
	{F_TS_HEADLINE_REGCONFIG_JSONB_TSQUERY_TEXT, WORDS},
	{F_TS_HEADLINE_REGCONFIG_JSON_TSQUERY, WORDS},
	{F_TS_HEADLINE_REGCONFIG_JSON_TSQUERY_TEXT, WORDS},
	{F_TS_HEADLINE_REGCONFIG_TEXT_TSQUERY, WORDS},
	{F_TS_HEADLINE_REGCONFIG_TEXT_TSQUERY_TEXT, WORDS},
	{F_TS_LEXIZE, WORDS},
	{F_TS_PARSE_OID_TEXT, WORDS},
	{F_TS_TOKEN_TYPE_OID, WORDS},
	{F_WEBSEARCH_TO_TSQUERY_REGCONFIG_TEXT, WORDS},

	/* enum labels: pg_enum, whose changes are announced */
	{F_ENUM_FIRST, OK},
	{F_ENUM_LAST, OK},
	{F_ENUM_RANGE_ANYENUM, OK},
	{F_ENUM_RANGE_ANYENUM_ANYENUM, OK},

	/* constant while the server runs, or a property of the argument's type */
	{F_GETDATABASEENCODING, OK},
	{F_PG_CHAR_TO_ENCODING, OK},
	{F_PG_ENCODING_TO_CHAR, OK},
	{F_PG_TYPEOF, OK},
	{F_VERSION, OK},

	/* text of any type: its output function runs */
	{F_ANYTEXTCAT, OUTPUT},
	{F_ARRAY_TO_STRING_ANYARRAY_TEXT, OUTPUT},
	{F_ARRAY_TO_STRING_ANYARRAY_TEXT_TEXT, OUTPUT},
	{F_CONCAT, OUTPUT},
	{F_CONCAT_WS, OUTPUT},
	{F_FORMAT_TEXT, OUTPUT},
	{F_FORMAT_TEXT_ANY, OUTPUT},
	{F_QUOTE_LITERAL_ANYELEMENT, OUTPUT},
	{F_QUOTE_NULLABLE_ANYELEMENT, OUTPUT},
	{F_TEXTANYCAT, OUTPUT},

	/* JSON of any type: its output function or its cast to json runs */
	{F_ARRAY_TO_JSON_ANYARRAY, OUTPUT},
	{F_ARRAY_TO_JSON_ANYARRAY_BOOL, OUTPUT},
	{F_JSONB_AGG, OUTPUT},
	{F_JSONB_AGG_FINALFN, OUTPUT},
	{F_JSONB_AGG_TRANSFN, OUTPUT},
	{F_JSONB_BUILD_ARRAY_, OUTPUT},
	{F_JSONB_BUILD_ARRAY_ANY, OUTPUT},
	{F_JSONB_BUILD_OBJECT_, OUTPUT},
	{F_JSONB_BUILD_OBJECT_ANY, OUTPUT},
	{F_JSONB_OBJECT_AGG, OUTPUT},
	{F_JSONB_OBJECT_AGG_FINALFN, OUTPUT},
	{F_JSONB_OBJECT_AGG_TRANSFN, OUTPUT},
	{F_JSON_AGG, OUTPUT},
	{F_JSON_AGG_TRANSFN, OUTPUT},
	{F_JSON_BUILD_ARRAY_, OUTPUT},
	{F_JSON_BUILD_ARRAY_ANY, OUTPUT},
	{F_JSON_BUILD_OBJECT_, OUTPUT},
	{F_JSON_BUILD_OBJECT_ANY, OUTPUT},
	{F_JSON_OBJECT_AGG, OUTPUT},
	{F_JSON_OBJECT_AGG_TRANSFN, OUTPUT},
	{F_ROW_TO_JSON_RECORD, OUTPUT},
	{F_ROW_TO_JSON_RECORD_BOOL, OUTPUT},
	{F_TO_JSON, OUTPUT},
	{F_TO_JSONB, OUTPUT},

	/* rows from JSON: the columns' input functions run */
	{F_JSONB_POPULATE_RECORD, INPUT},
	{F_JSONB_POPULATE_RECORDSET, INPUT},
	{F_JSONB_TO_RECORD, INPUT},
	{F_JSONB_TO_RECORDSET, INPUT},
	{F_JSON_POPULATE_RECORD, INPUT},
	{F_JSON_POPULATE_RECORDSET, INPUT},
	{F_JSON_TO_RECORD, INPUT},
	{F_JSON_TO_RECORDSET, INPUT},

	/* the start of the transaction or of the statement */
	{F_NOW, MOMENT},
	{F_STATEMENT_TIMESTAMP, MOMENT},
	{F_TRANSACTION_TIMESTAMP, MOMENT},

	/* IMMUTABLE, hence to be believed anyway; beside a moment, see fold.c */
	{F_DATE_PART_TEXT_TIMESTAMP, COARSENS},
	{F_DATE_TIMESTAMP, COARSENS},
	{F_DATE_TRUNC_TEXT_TIMESTAMP, COARSENS},
	{F_EXTRACT_TEXT_TIMESTAMP, COARSENS},
	{F_TIMESTAMPTZ_TIMESTAMPTZ_INT4, COARSENS},
	{F_TIMESTAMP_TIMESTAMP_INT4, COARSENS},
	{F_TIMESTAMP_MI_INTERVAL, SHIFTS},
	{F_TIMESTAMP_PL_INTERVAL, SHIFTS},

	/* who and where the session is */
	{F_CURRENT_DATABASE, FOLD},
	{F_CURRENT_SCHEMA, FOLD},
	{F_CURRENT_SCHEMAS, FOLD},
	{F_CURRENT_USER, FOLD},
	{F_GETPGUSERNAME, FOLD},
	{F_PG_CLIENT_ENCODING, FOLD},
	{F_SESSION_USER, FOLD},

	/* a setting by its name */
	{F_CURRENT_SETTING_TEXT, FOLD},
	{F_CURRENT_SETTING_TEXT_BOOL, FOLD},

	/*
	 * labelled IMMUTABLE, but opens a relation or reads catalogs that no
	 * announcement covers
	 */
	{F_BTEQUALIMAGE, LIES},
	{F_BTVARSTREQUALIMAGE, LIES},
	{F_PG_INDEXAM_PROGRESS_PHASENAME, LIES},
	{F_PG_PARTITION_ROOT, LIES},
	{F_SATISFIES_HASH_PARTITION, LIES},

	/* labelled IMMUTABLE, but reads the timeline of the server */
	{F_PG_WALFILE_NAME, LIES},
	{F_PG_WALFILE_NAME_OFFSET, LIES},

	/*
	 * labelled IMMUTABLE, but depends on extra_float_digits, bytea_output,
	 * quote_all_identifiers, TimeZone, timezone_abbreviations or lc_time
	 */
	{F_AGE_TIMESTAMPTZ_TIMESTAMPTZ, SETTINGS},
	{F_BOX_OUT, SETTINGS},
	{F_BYTEAOUT, SETTINGS},
	{F_CIRCLE_OUT, SETTINGS},
	{F_FLOAT4OUT, SETTINGS},
	{F_FLOAT8OUT, SETTINGS},
	{F_JSONB_PATH_EXISTS, SETTINGS},
	{F_JSONB_PATH_EXISTS_OPR, SETTINGS},
	{F_JSONB_PATH_MATCH, SETTINGS},
	{F_JSONB_PATH_MATCH_OPR, SETTINGS},
	{F_JSONB_PATH_QUERY, SETTINGS},
	{F_JSONB_PATH_QUERY_ARRAY, SETTINGS},
	{F_JSONB_PATH_QUERY_FIRST, SETTINGS},
	{F_LINE_OUT, SETTINGS},
	{F_LSEG_OUT, SETTINGS},
	{F_PATH_OUT, SETTINGS},
	{F_POINT_OUT, SETTINGS},
	{F_POLY_OUT, SETTINGS},
	{F_QUOTE_IDENT, SETTINGS},
	{F_TIMEZONE_TEXT_TIMESTAMP, SETTINGS | SHIFTS},
	{F_TIMEZONE_TEXT_TIMESTAMPTZ, SETTINGS | SHIFTS},
	{F_XPATH_TEXT_XML, SETTINGS},
	{F_XPATH_TEXT_XML__TEXT, SETTINGS},
};

#undef OK
#undef FOLD
#undef LIES
#undef OUTPUT
#undef INPUT
#undef SETTINGS
#undef MOMENT
#undef SHIFTS
#undef COARSENS
#undef WORDS
#undef SEARCH

/*
 * Extensions whose IMMUTABLE C functions were read and found to depend on
 * their arguments alone, besides settings that are part of each key.  Left
 * out: isn (its input functions obey the session's weak mode), unaccent and
 * tablefunc (read dictionaries and tables), xml2 (reads tables), and what
 * depends on thresholds, as pg_trgm's % does, is labelled STABLE there.
 */
static const char *const extensions[] = {
	"btree_gin",				/* support functions of opclasses only */
	"btree_gist",				/* the same, and distances */
	"citext",					/* comparison; lower() of the database */
	"cube",						/* arithmetic; extra_float_digits is hashed */
	"earthdistance",			/* geo_distance; the others are SQL */
	"fuzzystrmatch",			/* text to numbers and codes */
	"hstore",					/* hstore(record) is judged by its columns */
	"intarray",					/* sets of integers */
	"ltree",					/* paths and patterns */
	"pg_trgm",					/* similarity and distances */
	"pgcrypto",					/* digests and decryption, no randomness */
	"seg",						/* intervals of floats */
	"uuid-ossp"					/* versions 3, 5 and constants */
};

/*
 * Extensions whose dictionaries were read and found to depend on their options
 * and on files alone.
 */
static const char *const dictionaries[] = {
	"dict_int",
	"dict_xsyn",
	"unaccent"
};

static int
function_cmp(const void *a, const void *b)
{
	Oid			left = ((const PfoFunction *) a)->funcid;
	Oid			right = ((const PfoFunction *) b)->funcid;

	return (left > right) - (left < right);
}

int
pfo_function_flags(Oid funcid)
{
	static bool sorted = false;
	PfoFunction key;
	PfoFunction *found;

	if (!sorted)
	{
		qsort(functions, lengthof(functions), sizeof(PfoFunction),
			  function_cmp);
		sorted = true;
	}

	key.funcid = funcid;
	key.flags = 0;
	found = bsearch(&key, functions, lengthof(functions), sizeof(PfoFunction),
					function_cmp);
	return found ? found->flags : 0;
}

static bool
is_listed(const char *name, const char *const *list, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(name, list[i]) == 0)
			return true;
	}
	return false;
}

bool
pfo_function_extension_ok(const char *extname)
{
	return is_listed(extname, extensions, lengthof(extensions));
}

bool
pfo_function_dictionaries_ok(const char *extname)
{
	return is_listed(extname, dictionaries, lengthof(dictionaries));
}
