/*-------------------------------------------------------------------------
 *
 * compare.c
 *	  Does an entry hold the same rows as an execution returned?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "utils/memutils.h"

#include "cache/compare.h"

static uint64
value_digest(Datum value, Form_pg_attribute att)
{
	if (att->attbyval)
		return hash_bytes_extended((unsigned char *) &value, sizeof(value), 0);
	if (att->attlen == -1)
	{
		struct varlena *v = PG_DETOAST_DATUM_PACKED(value);

		return hash_bytes_extended((unsigned char *) VARDATA_ANY(v),
								   VARSIZE_ANY_EXHDR(v), 1);
	}
	return hash_bytes_extended((unsigned char *) DatumGetPointer(value),
							   att->attlen == -2 ?
							   (int) strlen(DatumGetCString(value)) :
							   att->attlen, 2);
}

static uint64
row_digest(MinimalTuple tuple, TupleTableSlot *slot)
{
	TupleDesc	desc = slot->tts_tupleDescriptor;
	uint64		digest = 0;

	ExecStoreMinimalTuple(tuple, slot, false);
	slot_getallattrs(slot);
	for (int i = 0; i < desc->natts; i++)
		digest = hash_combine64(digest, slot->tts_isnull[i] ? 7 :
								value_digest(slot->tts_values[i],
											 TupleDescAttr(desc, i)));
	return hash_combine64(digest, 1);
}

bool
pfo_compare(const PfoCapture *capture, PfoEntry *entry, TupleDesc desc,
			uint64 *executed, uint64 *cached)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "perfopt compare",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext per_row = AllocSetContextCreate(context, "perfopt row",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	PfoForm    *tuples = pfo_entry_form(entry, PFO_FORM_TUPLES);
	uint32	   *offsets = pfo_form_index(tuples);
	char	   *rows = pfo_form_rows(tuples);

	*executed = *cached = 0;
	MemoryContextSwitchTo(per_row);
	for (uint32 i = 0; i < entry->info.nrows; i++)
	{
		/* a sum does not depend on the order */
		*cached += row_digest((MinimalTuple) (rows + offsets[i]), slot);
		MemoryContextReset(per_row);
	}
	for (PfoChunk *chunk = capture->first; chunk != NULL; chunk = chunk->next)
	{
		for (Size at = 0; at < chunk->used;
			 at += MAXALIGN(((MinimalTuple) (chunk->data + at))->t_len))
		{
			*executed += row_digest((MinimalTuple) (chunk->data + at), slot);
			MemoryContextReset(per_row);
		}
	}
	MemoryContextSwitchTo(context);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);

	return capture->nrows == entry->info.nrows && *executed == *cached;
}
