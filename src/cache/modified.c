/*-------------------------------------------------------------------------
 *
 * modified.c
 *	  What a transaction modified, so that it can be announced.
 *
 * Rows: PostgreSQL counts them per relation and transaction for its own
 * statistics, whatever wrote them: statements, COPY, foreign keys, triggers,
 * functions, routed partitions, replication.  That list is read, not kept
 * again.  It fails only while track_counts is off; a transaction that ran
 * anything in that state is "untracked" and announces its whole database.
 *
 * Definitions: object_access_hook tells which relation was altered or
 * dropped.  What it does not tell (CREATE OR REPLACE FUNCTION arrives as a
 * creation) is seen as updates and deletes of catalog rows; those that
 * concern functions, types, operators and the like announce the database.
 * Creation alone announces nothing: a new object changes the analysed
 * statement, hence its key.  Exceptions are partitions and children (their
 * parent is announced), values added to an enum type, and what functions look
 * up while they run: casts to json, default operator classes, configurations
 * of text search and their mappings.  Who created a function, a type or an
 * operator does without the cache until the end of the transaction.
 *
 * A relation that is dropped takes its rows out of its parents.  What was read
 * without it does not depend on it, so the parents are altered as well.  So is
 * the table of an index or a constraint that is dropped.
 *
 * Temporary tables are left out: no answer depends on the rows of one or, as
 * the type of a value, on its definition.
 *
 * Announcing happens at PRE_COMMIT and PRE_PREPARE.  Rows that a callback of
 * another library writes after that are announced when its statement ends;
 * if perfopt is not the first of shared_preload_libraries, a fence in
 * versions.c covers what reaches no hook.
 *
 * MEMORY.  A transaction's lists are bounded (MAX_RELATIONS); one that
 * modifies more announces its whole database instead.  Allocation never
 * raises an error: without memory, the database is announced.
 *
 * CAVEATS.  What a subtransaction altered stays announced after it rolled
 * back.  Rows of catalogs changed by hand are announced only as far as the
 * catalogs below are concerned.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_conversion.h"
#include "catalog/pg_database.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_language.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_range.h"
#include "catalog/pg_transform.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_ts_config_map.h"
#include "catalog/pg_ts_dict.h"
#include "catalog/pg_ts_parser.h"
#include "catalog/pg_ts_template.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "replication/logicalworker.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/pgstat_internal.h"
#include "utils/syscache.h"

#include "base/breakage.h"
#include "base/compat.h"
#include "base/statement.h"
#include "cache/counters.h"
#include "cache/modified.h"
#include "cache/versions.h"

#define MAX_RELATIONS	1024	/* announced one by one by a transaction */
#define MAX_DATABASES	4		/* created or dropped by a transaction */

/* rows and definitions are bounded each, so this is never exceeded */
#define MAX_ANNOUNCED	(2 * MAX_RELATIONS + MAX_DATABASES + 1)

typedef struct Announced
{
	PfoSlotId	slot;
	bool		catalog;
} Announced;

/*
 * State of the current transaction.  Fixed arrays: some 20 kB of a backend,
 * touched as far as they are used.
 */
static struct
{
	bool		untracked;		/* track_counts was off */
	bool		whole_database; /* definitions changed that any may use */
	bool		types_created;
	bool		announcing;		/* PRE_COMMIT or PRE_PREPARE has been here */
	bool		prepared;		/* others finish it */
	int			naltered;		/* relations whose definition changed */
	int			ndatabases;
	int			nannounced;
	FullTransactionId xid;		/* as announced */
	Oid			databases[MAX_DATABASES];
	Oid			altered[MAX_RELATIONS];
	Announced	announced[MAX_ANNOUNCED];
} xact;

static uint64 late_writes = 0;

typedef enum CatalogChange
{
	CATALOG_IRRELEVANT,
	CATALOG_UPDATE_OR_DELETE,	/* creation changes keys, hence nothing */
	CATALOG_UPDATE,
	CATALOG_ANY
} CatalogChange;

/* Which changes of a catalog's rows concern every answer of the database? */
static CatalogChange
relevant_change(Oid catalog)
{
	switch (catalog)
	{
		case ProcedureRelationId:
		case AggregateRelationId:
		case OperatorRelationId:
		case OperatorFamilyRelationId:
		case CollationRelationId:
		case ConversionRelationId:
		case EnumRelationId:	/* ALTER TYPE ADD VALUE also alters the type */
		case LanguageRelationId:
		case RangeRelationId:
		case TransformRelationId:
		case TSDictionaryRelationId:
		case TSParserRelationId:
		case TSTemplateRelationId:
			return CATALOG_UPDATE_OR_DELETE;
		case InheritsRelationId:
			/* DETACH ... CONCURRENTLY marks its row before it tells anyone */
			return CATALOG_UPDATE;
		case CastRelationId:	/* to_json() looks for one to json */
		case OperatorClassRelationId:	/* array_eq() for the default one */
		case AccessMethodOperatorRelationId:	/* and for what is in it */
		case AccessMethodProcedureRelationId:
		case TSConfigRelationId:	/* to_tsvector() along search_path */
		case TSConfigMapRelationId:
			return CATALOG_ANY;
		default:
			return CATALOG_IRRELEVANT;
	}
}

static bool
is_relevant(const PgStat_TableXactStatus *trans)
{
	bool		updated = trans->tuples_updated > 0 ||
		trans->updated_pre_truncdrop > 0;
	bool		deleted = trans->tuples_deleted > 0 ||
		trans->deleted_pre_truncdrop > 0 || trans->truncdropped;

	switch (relevant_change(PFO_TABLE_STATUS_RELID(trans->parent)))
	{
		case CATALOG_IRRELEVANT:
			return false;
		case CATALOG_UPDATE_OR_DELETE:
			return updated || deleted;
		case CATALOG_UPDATE:
			return updated;
		case CATALOG_ANY:
			return true;
	}
	return true;
}

/* The transaction's own row counts, innermost subtransaction first. */
static PgStat_SubXactStatus *
row_counts(void)
{
	return pgstat_get_xact_stack_level(GetCurrentTransactionNestLevel());
}

/*
 * Expressions that run in no executor can switch track_counts off and on
 * again between two looks at it, so each assignment is noticed as well.  An
 * apply worker reaches no hook at all: what it wrote before the setting was
 * switched on is known from this assignment only.
 */
static void
track_counts_assigned(bool newval, void *extra)
{
	if ((!newval || (!pgstat_track_counts && IsTransactionState())) &&
		!PFO_BROKEN(TRACKING))
		xact.untracked = true;
}

void
pfo_modified_watch_tracking(void)
{
	int			nvars;
	struct config_generic **vars = PFO_GUC_VARIABLES(&nvars);

	for (int i = 0; i < nvars; i++)
	{
		if (strcmp(vars[i]->name, "track_counts") == 0)
			PFO_GUC_BOOL_ASSIGN_HOOK(vars[i]) = track_counts_assigned;
	}
}

void
pfo_modified_check_tracking(void)
{
	if (!pgstat_track_counts && !PFO_BROKEN(TRACKING))
		xact.untracked = true;
}

void
pfo_modified_utility(Node *statement)
{
	/*
	 * A new constraint of a domain leaves the domain's own row alone.  Indexes
	 * that are made anew were perhaps at odds with their tables; see also
	 * announce_all(), for what commits in between.
	 */
	if (IsA(statement, AlterDomainStmt) || IsA(statement, ReindexStmt))
		xact.whole_database = true;
	else if (IsA(statement, CreateDomainStmt) ||
			 IsA(statement, CompositeTypeStmt))
		xact.types_created = true;
	else if (IsA(statement, VariableSetStmt))
	{
		VariableSetStmt *set = (VariableSetStmt *) statement;

		if (set->kind == VAR_SET_MULTI &&
			strcmp(set->name, "TRANSACTION SNAPSHOT") == 0)
			pfo_versions_imported_snapshot();
	}
}

static void
note_altered(Oid relid)
{
	for (int i = xact.naltered - 1; i >= 0 && i >= xact.naltered - 16; i--)
	{
		if (xact.altered[i] == relid)
			return;
	}
	if (xact.naltered == MAX_RELATIONS)
		xact.whole_database = true;
	else
		xact.altered[xact.naltered++] = relid;
}

/*
 * A child comes or goes.  PostgreSQL tells nobody when one leaves a parent
 * that is no partitioned table.  Should that be rolled back, a plan made
 * meanwhile would be kept, and be stored from: it does not know the child.
 */
static void
note_parent(Oid relid)
{
	note_altered(relid);
	CacheInvalidateRelcacheByRelid(relid);
}

/* A relation is about to be dropped: it leaves the tables it is a child of. */
static void
note_parents(Oid relid)
{
	Relation	inherits = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tup;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true, NULL,
							  1, &key);
	while (HeapTupleIsValid(tup = systable_getnext(scan)))
		note_parent(((Form_pg_inherits) GETSTRUCT(tup))->inhparent);
	systable_endscan(scan);
	table_close(inherits, AccessShareLock);
}

/*
 * A relation is altered, dropped or truncated.  An index that is dropped can
 * have been at odds with its table, as one over a function is that was
 * replaced since; then its table is read differently from now on.
 */
static void
note_relation(Oid relid, bool dropped)
{
	HeapTuple	tup = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	char		relkind = '\0';
	bool		temporary = false;
	Oid			table = InvalidOid;

	if (HeapTupleIsValid(tup))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tup);

		relkind = form->relkind;
		temporary = form->relpersistence == RELPERSISTENCE_TEMP;
		ReleaseSysCache(tup);
	}
	if (dropped && relkind == RELKIND_INDEX)
		table = IndexGetRelation(relid, true);
	if (!temporary)
		note_altered(OidIsValid(table) ? table : relid);
	if (dropped &&
		(relkind == RELKIND_RELATION || relkind == RELKIND_FOREIGN_TABLE ||
		 relkind == RELKIND_PARTITIONED_TABLE))
		note_parents(relid);
}

/* The planner believes constraints, whatever is in the table. */
static void
note_constraint(Oid constraint)
{
	HeapTuple	tup = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	Oid			relid = InvalidOid;

	if (HeapTupleIsValid(tup))
	{
		relid = ((Form_pg_constraint) GETSTRUCT(tup))->conrelid;
		ReleaseSysCache(tup);
	}
	if (OidIsValid(relid))
		note_relation(relid, false);
}

static void
note_database(Oid dbid)
{
	/* beyond the bound, the only databases at risk are new ones */
	if (xact.ndatabases < MAX_DATABASES)
		xact.databases[xact.ndatabases++] = dbid;
}

/*
 * A type that only mirrors a relation changes with it: row types of tables
 * and the arrays of those.  Any other concerns whoever uses it.
 */
static bool
type_mirrors_relation(Oid typid)
{
	HeapTuple	tup = SearchSysCache1(TYPEOID, ObjectIdGetDatum(typid));
	Form_pg_type type;
	Oid			typrelid;
	Oid			element;

	if (!HeapTupleIsValid(tup))
		return false;
	type = (Form_pg_type) GETSTRUCT(tup);
	typrelid = type->typrelid;
	element = type->typcategory == TYPCATEGORY_ARRAY ?
		type->typelem : InvalidOid;
	ReleaseSysCache(tup);

	if (OidIsValid(element))
	{
		tup = SearchSysCache1(TYPEOID, ObjectIdGetDatum(element));
		if (!HeapTupleIsValid(tup))
			return false;
		typrelid = ((Form_pg_type) GETSTRUCT(tup))->typrelid;
		ReleaseSysCache(tup);
	}
	return OidIsValid(typrelid);
}

void
pfo_modified_object_access(ObjectAccessType access, Oid class_id,
						   Oid object_id, int sub_id, void *arg)
{
	if (access == OAT_NAMESPACE_SEARCH || access == OAT_FUNCTION_EXECUTE ||
		PFO_BROKEN(DEFINITIONS))
		return;

	switch (class_id)
	{
		case RelationRelationId:
			if (access != OAT_POST_CREATE || sub_id != 0)
				note_relation(object_id, access == OAT_DROP && sub_id == 0);
			break;
		case ConstraintRelationId:
			if (access == OAT_DROP)
				note_constraint(object_id);
			break;
		case InheritsRelationId:
			if (access == OAT_POST_ALTER && arg != NULL)
				note_parent(((ObjectAccessPostAlter *) arg)->auxiliary_id);
			break;
		case TypeRelationId:
			if ((access == OAT_DROP || access == OAT_POST_ALTER) &&
				!xact.whole_database && !type_mirrors_relation(object_id))
				xact.whole_database = true;
			break;
		case DatabaseRelationId:
			/* its OID may have been, or may be, another database's */
			if (access == OAT_DROP || access == OAT_POST_CREATE)
				note_database(object_id);
			break;
		default:
			break;
	}
}

/* Was it announced already?  A catalog announcement includes the other. */
static bool
is_announced(PfoSlotId slot, bool catalog)
{
	for (int i = 0; i < xact.nannounced; i++)
	{
		if (xact.announced[i].slot == slot &&
			(xact.announced[i].catalog || !catalog))
			return true;
	}
	return false;
}

static void
announce(PfoSlotId slot, bool catalog)
{
	if (is_announced(slot, catalog))
		return;
	if (!pfo_versions_announce(slot, xact.xid, catalog))
	{
		announce(pfo_slot_of_database(MyDatabaseId), true);
		return;
	}
	Assert(xact.nannounced < MAX_ANNOUNCED);
	xact.announced[xact.nannounced++] = (Announced) {slot, catalog};
}

/*
 * No answer depends on a temporary table, but many of them come and go, and
 * each announcement outdates whatever shares the slot.  The pointer is there
 * while the relation cache knows the table.
 */
static bool
counts_nothing_shared(const PgStat_TableStatus *table)
{
	return PFO_TABLE_STATUS_SHARED(table) ||
		(table->relation != NULL && RelationUsesLocalBuffers(table->relation));
}

/*
 * Announce what the transaction modified so far and has not announced yet.
 * Runs again for late writes; then what is new is counted.
 */
static void
announce_all(bool late)
{
	FullTransactionId xid = GetTopFullTransactionIdIfAny();
	PgStat_SubXactStatus *level;
	bool		whole_database = xact.whole_database || xact.untracked ||
		pfo_reindexing_level > 0;
	int			nrows = 0;
	int			before = xact.nannounced;

	if (!FullTransactionIdIsValid(xid))
	{
		if (pfo_versions_fence_armed())
			pfo_versions_fence_early();
		return;
	}
	xact.xid = xid;
	if (pfo_versions_fence_armed())
		pfo_versions_fence(xid);

	if (!pgstat_track_counts && !PFO_BROKEN(TRACKING))
		whole_database = true;

	for (int i = 0; i < xact.ndatabases; i++)
		announce(pfo_slot_of_database(xact.databases[i]), true);

	for (level = row_counts(); level != NULL && !whole_database;
		 level = level->prev)
	{
		PgStat_TableXactStatus *trans;

		for (trans = level->first; trans != NULL; trans = trans->next)
		{
			PgStat_TableStatus *table = trans->parent;

			nrows++;
			if (counts_nothing_shared(table))
				continue;
			if (PFO_TABLE_STATUS_RELID(table) < FirstNormalObjectId)
			{
				if (is_relevant(trans))
				{
					whole_database = true;
					break;
				}
			}
			else if (xact.nannounced >= MAX_RELATIONS)
			{
				whole_database = true;
				break;
			}
			else
				announce(pfo_slot_of_relation(MyDatabaseId,
											  PFO_TABLE_STATUS_RELID(table)),
						 false);
		}
	}

	/* an apply worker reaches no hook that could tell it is untracked */
	if (nrows == 0 && IsLogicalWorker())
		whole_database = true;

	for (int i = 0; i < xact.naltered && !whole_database; i++)
		announce(pfo_slot_of_relation(MyDatabaseId, xact.altered[i]), true);

	if (whole_database)
		announce(pfo_slot_of_database(MyDatabaseId), true);

	if (late)
		late_writes += xact.nannounced - before;
}

void
pfo_modified_end_of_statement(void)
{
	if (xact.announcing)
		announce_all(true);
}

static void
settle(bool catalog)
{
	for (int i = 0; i < xact.nannounced; i++)
	{
		if (xact.announced[i].catalog == catalog)
			pfo_versions_settle(xact.announced[i].slot, xact.xid, catalog);
	}
}

static void
forget(void)
{
	xact.untracked = false;
	xact.whole_database = false;
	xact.types_created = false;
	xact.announcing = false;
	xact.prepared = false;
	xact.naltered = 0;
	xact.ndatabases = 0;
	xact.nannounced = 0;
}

void
pfo_modified_xact_event(XactEvent event)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (!PFO_BROKEN(ANNOUNCE_LATE))
				announce_all(false);
			xact.announcing = true;
			break;
		case XACT_EVENT_PREPARE:
			/* still invisible to all, so this is exact */
			announce_all(true);
			if (pfo_versions_fence_armed())
				pfo_versions_fence(InvalidFullTransactionId);
			xact.prepared = true;
			pfo_versions_end_of_xact();
			break;
		case XACT_EVENT_COMMIT:
			if (xact.announcing &&
				(pfo_versions_fence_armed() || PFO_BROKEN(ANNOUNCE_LATE)))
				announce_all(true);
			for (int i = 0; i < xact.ndatabases; i++)
				pfo_counters_forget(xact.databases[i]);
			/* FALLTHROUGH */
		case XACT_EVENT_ABORT:
			settle(false);
			if (pfo_versions_fence_armed())
				pfo_versions_fence(InvalidFullTransactionId);
			pfo_versions_end_of_xact();
			break;
		default:
			break;
	}
}

/*
 * The last step of a transaction: the callback may come once per resource
 * owner, and at the end of PREPARE as well, where nothing is settled.
 */
void
pfo_modified_after_messages(void)
{
	if (!xact.prepared)
		settle(true);
	forget();
}

/*
 * What the transaction created is gone when it rolls back, and something else
 * may get the same OID.
 */
static bool
is_own_definition(const PgStat_TableXactStatus *trans)
{
	return is_relevant(trans) ||
		relevant_change(PFO_TABLE_STATUS_RELID(trans->parent)) ==
		CATALOG_UPDATE_OR_DELETE;
}

static PfoReason
modified_by_own(const Oid *relids, int nrelids, bool rows)
{
	PgStat_SubXactStatus *level;
	int			steps = 0;

	if (!TransactionIdIsValid(GetTopTransactionIdIfAny()) ||
		PFO_BROKEN(OWN_WRITES))
		return PFO_REASON_NONE;
	if (xact.untracked || !pgstat_track_counts)
		return PFO_REASON_UNTRACKED;
	if (xact.whole_database || xact.types_created)
		return PFO_REASON_OWN_WRITES;

	for (int i = 0; i < xact.naltered; i++)
	{
		for (int j = 0; j < nrelids; j++)
		{
			if (xact.altered[i] == relids[j])
				return PFO_REASON_OWN_WRITES;
		}
	}
	for (level = row_counts(); level != NULL; level = level->prev)
	{
		PgStat_TableXactStatus *trans;

		for (trans = level->first; trans != NULL; trans = trans->next)
		{
			if (PFO_TABLE_STATUS_RELID(trans->parent) < FirstNormalObjectId)
			{
				if (is_own_definition(trans))
					return PFO_REASON_OWN_WRITES;
				continue;
			}
			if (!rows)
				continue;
			if (++steps > MAX_RELATIONS)
				return PFO_REASON_OWN_WRITES;
			for (int j = 0; j < nrelids; j++)
			{
				if (PFO_TABLE_STATUS_RELID(trans->parent) == relids[j])
					return PFO_REASON_OWN_WRITES;
			}
		}
	}
	return PFO_REASON_NONE;
}

PfoReason
pfo_modified_by_own(const Oid *relids, int nrelids)
{
	return modified_by_own(relids, nrelids, true);
}

PfoReason
pfo_defined_by_own(const Oid *relids, int nrelids)
{
	return modified_by_own(relids, nrelids, false);
}

uint64
pfo_modified_take_late_writes(void)
{
	uint64		n = late_writes;

	late_writes = 0;
	return n;
}
