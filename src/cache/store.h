/*-------------------------------------------------------------------------
 *
 * store.h
 *	  The entries of the cache in shared memory: find, pin, publish, evict.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_STORE_H
#define PFO_STORE_H

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "utils/dsa.h"

#include "base/hash.h"
#include "cache/capture.h"
#include "cache/versions.h"

/* What an answer depends on, with the version it was computed under. */
typedef struct PfoDependency
{
	Oid			relid;			/* InvalidOid: the database's definitions */
	PfoSlotId	slot;
	uint64		version;
} PfoDependency;

/*
 * The kind of a relation that the plan does not read: the answer depends on
 * its definition, as the type of a value.
 */
#define PFO_NOT_READ	'\0'

/* A catalog row of which a plan made from it must be told; see plancache.c */
typedef struct PfoInvalItem
{
	int			cache_id;
	uint32		hash_value;
} PfoInvalItem;

#define PFO_ENTRY_SKIP_PLANNING	0x01	/* the plan had the statement's own
										 * permissions and relations */
#define PFO_ENTRY_PARALLEL		0x02	/* the plan needed parallel mode */
#define PFO_ENTRY_ROLE			0x04	/* the plan depended on the role */
#define PFO_ENTRY_BACKWARD		0x08	/* the plan could run backward */

/*
 * An answer's rows in a form in which they can be given out.
 *
 * Tuples: the rows are MinimalTuples, the index has the offset of each.  Wire:
 * they are DataRow messages of the protocol, with the formats of their
 * columns; the index says where each piece ends that is sent at once (wire.c).
 */
typedef enum PfoFormKind
{
	PFO_FORM_TUPLES,
	PFO_FORM_WIRE,
	PFO_FORM_WIRE_OTHER,		/* in other formats than the first */
	PFO_NFORMS
} PfoFormKind;

typedef struct PfoForm
{
	dsa_pointer self;
	Size		size;			/* of all of it */
	bool		inside;			/* of the entry, and goes with it */
	Size		bytes;			/* of the rows */
	uint32		nindex;
	uint32		nformats;
	pg_atomic_uint32 used;		/* since the eviction hand came by */
	/* follow: index, formats, rows */
} PfoForm;

#define pfo_form_index(form) \
	((uint32 *) ((char *) (form) + MAXALIGN(sizeof(PfoForm))))
#define pfo_form_formats(form) \
	((int16 *) (pfo_form_index(form) + (form)->nindex))
#define pfo_form_rows(form) \
	((char *) (form) + (form)->size - MAXALIGN((form)->bytes))

/* A plain store: the hand that sees the mark a moment late does no harm. */
static inline void
pfo_form_mark_used(PfoForm *form)
{
	if (pg_atomic_read_u32(&form->used) == 0)
		pg_atomic_write_u32(&form->used, 1);
}

/* What identifies and describes an entry; fixed once published. */
typedef struct PfoEntryInfo
{
	PfoHash		key;
	PfoHash		tree;			/* compared on a hit, beside the key */
	Oid			dbid;
	Oid			roleid;			/* who stored it: its text is his */
	int64		queryid;
	int			encoding;		/* of the text */
	uint32		flags;
	uint32		nrows;
	uint32		natts;
	uint32		ndeps;
	uint32		nrelids;
	uint32		ninvals;
	uint32		nindexes;
	uint32		text_len;
	double		cost_ms;		/* planning and execution, as measured */
	TimestampTz created;
	/* the plan's own estimates, for a plan made from the entry */
	double		startup_cost;
	double		total_cost;
	double		plan_rows;
	int			plan_width;
} PfoEntryInfo;

typedef struct PfoEntry
{
	PfoEntryInfo info;
	dsa_pointer self;
	dsa_pointer next;			/* in its bucket; under the partition's lock */
	Size		size;			/* its own, and that of its forms */
	bool		linked;			/* in its bucket; under the lock, as size */
	pg_atomic_uint32 refs;		/* pins, and one for the index */
	pg_atomic_uint64 forms[PFO_NFORMS]; /* dsa_pointers: pfo_entry_form() */
	pg_atomic_uint32 tuples_only;	/* no use trying to make a wire form */
	pg_atomic_uint64 hits;
	pg_atomic_uint64 saved_us;
	pg_atomic_uint64 last_hit;	/* TimestampTz */
	/* arrays follow, at these offsets from the entry */
	uint32		types;			/* Oid[natts] */
	uint32		deps;			/* PfoDependency[ndeps] */
	uint32		relids;			/* Oid[nrelids] */
	uint32		relkinds;		/* char[nrelids], or PFO_NOT_READ */
	uint32		invals;			/* PfoInvalItem[ninvals] */
	uint32		indexes;		/* Oid[nindexes] */
	uint32		text;			/* char[text_len + 1] */
} PfoEntry;

#define pfo_entry_array(entry, member, type) \
	((type *) ((char *) (entry) + (entry)->member))

/* What is to become an entry. */
typedef struct PfoDraft
{
	PfoEntryInfo info;
	const Oid  *types;
	const PfoDependency *deps;
	const Oid  *relids;
	const char *relkinds;
	const PfoInvalItem *invals;
	const Oid  *indexes;
	const char *text;
	const PfoCapture *capture;
} PfoDraft;

typedef struct PfoStoreUsage
{
	uint64		bytes_total;
	uint64		bytes_used;
	uint64		bytes_pinned;	/* unreachable, but still being read */
	uint64		entries;
} PfoStoreUsage;

extern Size pfo_store_shmem_size(Size available);
extern void pfo_store_shmem_init(Size available);

/* The entry of a key, pinned; NULL if there is none. */
extern PfoEntry *pfo_store_lookup(const PfoHash *key);
extern void pfo_store_unpin(PfoEntry *entry);

/*
 * Make an entry, replacing one of the same key.  False if there is no room
 * for it.  Nothing raises an error.
 */
extern bool pfo_store_publish(const PfoDraft *draft);

/* Was anything it depends on announced since it was stored? */
extern bool pfo_entry_is_outdated(const PfoEntry *entry);

/* A form of a pinned entry, NULL if it has none of that kind. */
extern PfoForm *pfo_entry_form(PfoEntry *entry, PfoFormKind kind);

/*
 * Memory for a form, to be filled and then attached to a pinned entry as a
 * wire form; NULL if there is no room.  If the entry takes no more it is
 * freed: false.
 */
extern PfoForm *pfo_store_new_form(uint32 nindex, uint32 nformats, Size bytes);
extern bool pfo_store_attach_form(PfoEntry *entry, PfoForm *form);

/* Take an entry out; whoever has it pinned goes on reading. */
extern void pfo_store_remove(PfoEntry *entry);

extern void pfo_store_usage(PfoStoreUsage *usage);

/*
 * Call with each entry, pinned for the time of the call, in no order.
 * Entries published or removed meanwhile may be missed.
 */
typedef void (*PfoEntryCallback) (PfoEntry *entry, void *arg);
extern void pfo_store_foreach(PfoEntryCallback callback, void *arg);

#endif							/* PFO_STORE_H */
