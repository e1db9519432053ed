/*-------------------------------------------------------------------------
 *
 * capture.c
 *	  A bounded buffer of rows in backend memory.
 *
 * Rows are kept as MinimalTuples in chunks that double in size.  Values out
 * of line are fetched, so that a row stands for itself.  At the limit, or
 * without memory, the buffer only remembers that it overflowed; what it
 * holds stays valid.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "executor/tuptable.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "cache/capture.h"

#define CHUNK_MIN	(4 * 1024)
#define CHUNK_MAX	(1024 * 1024)

PfoCapture *
pfo_capture_begin(Size limit)
{
	MemoryContext context;
	PfoCapture *capture;

	context = AllocSetContextCreate(CurrentMemoryContext, "perfopt capture",
									ALLOCSET_SMALL_SIZES);
	capture = MemoryContextAllocExtended(context, sizeof(PfoCapture),
										 MCXT_ALLOC_ZERO | MCXT_ALLOC_NO_OOM);
	if (capture == NULL)
	{
		MemoryContextDelete(context);
		return NULL;
	}
	capture->context = context;
	capture->limit = limit;
	return capture;
}

static bool
add_chunk(PfoCapture *capture, Size need)
{
	Size		size = CHUNK_MIN;
	PfoChunk   *chunk;

	if (capture->last != NULL)
		size = Min(capture->last->size * 2, CHUNK_MAX);
	size = Max(size, need);
	chunk = MemoryContextAllocExtended(capture->context,
									   offsetof(PfoChunk, data) + size,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (chunk == NULL)
		return false;
	chunk->next = NULL;
	chunk->used = 0;
	chunk->size = size;
	if (capture->last != NULL)
		capture->last->next = chunk;
	else
		capture->first = chunk;
	capture->last = chunk;
	return true;
}

/* A copy of the row whose values are all in line. */
static MinimalTuple
flatten(TupleTableSlot *slot)
{
	TupleDesc	desc = slot->tts_tupleDescriptor;
	Datum	   *values = palloc(desc->natts * sizeof(Datum));
	MinimalTuple tuple;

	slot_getallattrs(slot);
	for (int i = 0; i < desc->natts; i++)
	{
		values[i] = slot->tts_values[i];
		if (!slot->tts_isnull[i] && TupleDescAttr(desc, i)->attlen == -1 &&
			VARATT_IS_EXTERNAL(DatumGetPointer(values[i])))
			values[i] = PointerGetDatum(detoast_external_attr((struct varlena *)
															  DatumGetPointer(values[i])));
	}
	tuple = pfo_form_minimal_tuple(desc, values, slot->tts_isnull);
	pfree(values);
	return tuple;
}

bool
pfo_capture_slot(PfoCapture *capture, TupleTableSlot *slot)
{
	MinimalTuple tuple;
	bool		free_it;
	Size		need;

	if (capture->overflowed)
		return false;

	tuple = ExecFetchSlotMinimalTuple(slot, &free_it);
	if (tuple->t_infomask & HEAP_HASEXTERNAL)
	{
		MemoryContext old = MemoryContextSwitchTo(capture->context);

		if (free_it)
			pfree(tuple);
		tuple = flatten(slot);
		free_it = true;
		MemoryContextSwitchTo(old);
	}

	need = MAXALIGN(tuple->t_len);
	if (capture->bytes + need > capture->limit ||
		((capture->last == NULL ||
		  capture->last->size - capture->last->used < need) &&
		 !add_chunk(capture, need)))
		capture->overflowed = true;
	else
	{
		memcpy(capture->last->data + capture->last->used, tuple, tuple->t_len);
		capture->last->used += need;
		capture->bytes += need;
		capture->nrows++;
	}
	if (free_it)
		pfree(tuple);
	return !capture->overflowed;
}

void
pfo_capture_copy(const PfoCapture *capture, char *rows, uint32 *offsets)
{
	Size		position = 0;

	for (PfoChunk *chunk = capture->first; chunk != NULL; chunk = chunk->next)
	{
		Size		at = 0;

		memcpy(rows + position, chunk->data, chunk->used);
		while (at < chunk->used)
		{
			*offsets++ = (uint32) (position + at);
			at += MAXALIGN(((MinimalTuple) (chunk->data + at))->t_len);
		}
		position += chunk->used;
	}
}

void
pfo_capture_end(PfoCapture *capture)
{
	MemoryContextDelete(capture->context);
}
