/*-------------------------------------------------------------------------
 *
 * reason.h
 *	  Why a statement was not served from the cache, or not stored: the one
 *	  list of reason codes, which views, functions and documents share.
 *
 * Each line: symbol, the name that users see, what can be done about it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_REASON_H
#define PFO_REASON_H

#define PFO_REASONS(R) \
	/* what the statement is */ \
	R(NOT_SELECT, "not_select", "only SELECT is cached") \
	R(NO_RELATION, "no_relation", "a statement that reads no table is cheap already") \
	R(UNKNOWN_NODE, "unknown_node", "the statement uses a construct that perfopt does not know") \
	R(ROW_LOCKS, "row_locks", "drop FOR UPDATE/SHARE where no lock is wanted") \
	R(MODIFYING_CTE, "modifying_cte", "move the data-modifying WITH query to a statement of its own") \
	R(CATALOG, "catalog", "system catalogs are not cached") \
	R(FOREIGN_TABLE, "foreign_table", "changes of a foreign table are not seen") \
	R(TEMP_TABLE, "temp_table", "temporary tables belong to one session") \
	R(TEMP_CHILDREN, "temp_children", "this session owns temporary tables, which might inherit from the table") \
	R(RELATION_KIND, "relation_kind", "only tables, partitioned tables, views and materialized views are cached") \
	R(TOO_MANY_RELATIONS, "too_many_relations", "the plan reads more than 1000 relations; prune partitions by a condition on the key") \
	R(ACCESS_METHOD, "access_method", "only the heap table access method is supported") \
	R(SYSTEM_COLUMN, "system_column", "do not select ctid, xmin, xmax, cmin or cmax") \
	R(TABLESAMPLE, "tablesample", "a sample differs each time") \
	R(RECORD_RESULT, "record_result", "cast the anonymous record to a named composite type") \
	R(VOLATILE_FUNCTION, "volatile_function", "the function's answer may differ at each call") \
	R(STABLE_FUNCTION, "stable_function", "the function depends on more than its arguments") \
	R(NEEDS_FOLDING, "needs_folding", "pass the value as a parameter or a literal") \
	R(UNSTABLE_FOLD, "unstable_fold", "the moment differs in each transaction: use CURRENT_DATE or date_trunc, as in date_trunc('minute', now())") \
	R(UNTRUSTED_FUNCTION, "untrusted_function", "the function may read tables, whatever its label; SQL functions written as RETURN expression are judged by that") \
	/* how it was asked for */ \
	R(NOCACHE_COMMENT, "nocache_comment", "the statement carries the comment perfopt: nocache") \
	R(NOT_ASKED, "not_asked", "manual mode: add the comment perfopt: cache") \
	R(COLD, "cold", "seen fewer than perfopt.cache_min_calls times") \
	R(CHEAP, "cheap", "takes less than perfopt.cache_min_time") \
	R(CURSOR, "cursor", "WHERE CURRENT OF could be used on this cursor: DECLARE it over a join or with ORDER BY, or fetch without a cursor") \
	R(PIECES, "pieces", "a setting or the role was changed between fetches, or could be: fetch without a cursor") \
	R(OPTIONS, "options", "planned with options that perfopt does not know") \
	/* what the session and the transaction are */ \
	R(SERIALIZABLE, "serializable", "SERIALIZABLE needs its predicate locks") \
	R(PARALLEL, "parallel", "called by a function inside a parallel query") \
	R(MAINTENANCE, "maintenance", "run inside a command that changes definitions, maintains tables or ends a transaction block") \
	R(RECOVERY, "recovery", "a standby does not see announcements") \
	R(PREPARED_BEFORE_START, "prepared_before_start", "a transaction from before the server start may still be open") \
	R(SNAPSHOT, "snapshot", "not an ordinary MVCC snapshot of this server") \
	R(OWN_WRITES, "own_writes", "the transaction itself modified one of the relations, or functions, types or the like") \
	R(UNTRACKED, "untracked", "track_counts is off: set it on") \
	R(SETTING, "setting", "gin_fuzzy_search_limit makes results random: set it to 0") \
	R(PARAMETER, "parameter", "a parameter's value is not available or too long") \
	R(UNKNOWN_SETTING, "unknown_setting", "what the statement asks the session for is not there, not for all to see, or too long") \
	R(PERMISSION, "permission", "a permission check failed: the executor decides") \
	/* why the answer was not in the cache, or not kept */ \
	R(UNSETTLED, "unsettled", "a transaction that changed a relation was running for this snapshot") \
	R(CATALOG_CHANGED, "catalog_changed", "a definition or a setting changed since the statement was planned") \
	R(INCOMPLETE, "incomplete", "the result was not read to its end") \
	R(MESSAGES, "messages", "the statement sent notices or warnings, or has no client that could be sent any") \
	R(DIFFERED, "differed", "a verified answer of this statement differed from its execution; please report it") \
	R(TOO_LARGE, "too_large", "the result is larger than perfopt.cache_max_result") \
	R(NO_MEMORY, "no_memory", "perfopt.cache_size is too small for the working set, or the session ran out of memory") \
	R(INTERNAL, "internal", "an internal check failed; see the server log")

typedef enum PfoReason
{
	PFO_REASON_NONE = 0,		/* nothing speaks against it */
#define PFO_REASON_ENUM(sym, name, advice) PFO_REASON_##sym,
	PFO_REASONS(PFO_REASON_ENUM)
#undef PFO_REASON_ENUM
	PFO_NREASONS
} PfoReason;

extern const char *pfo_reason_name(PfoReason reason);
extern const char *pfo_reason_advice(PfoReason reason);

#endif							/* PFO_REASON_H */
