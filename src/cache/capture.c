/*-------------------------------------------------------------------------
 *
 * capture.c
 *	  A bounded buffer of rows in backend memory.
 *
 * Rows are kept as MinimalTuples in chunks that double in size.  A row is laid
 * out in its chunk, and its size is known before: one that is too large is not
 * copied, let alone one that could not be formed at all.  Values out of line
 * are fetched, so that a row stands for itself.  At the limit, or without
 * memory, the buffer only remembers that it overflowed; what it holds stays
 * valid.
 *
 * MEMORY.  The second chunk is one that the backend keeps, unless another
 * capture has it: memory that is given back to the kernel and taken again for
 * each statement costs more than copying the rows does, a page fault per 4 kB.
 *
 * FAILURE.  Fetching values can fail; giving the row to the client would fetch
 * them as well.
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
#define CHUNK_KEPT	(256 * 1024)

static PfoChunk *kept_chunk = NULL;
static bool kept_chunk_taken = false;

PfoCapture *
pfo_capture_begin(Size limit)
{
	MemoryContext context;
	PfoCapture *capture;

	context = AllocSetContextCreate(CurrentMemoryContext, "perfopt capture",
									ALLOCSET_SMALL_SIZES);
	capture = MemoryContextAllocZero(context, sizeof(PfoCapture));
	capture->context = context;
	capture->limit = limit;
	return capture;
}

static PfoChunk *
new_chunk(MemoryContext context, Size size)
{
	PfoChunk   *chunk;

	chunk = MemoryContextAllocExtended(context,
									   offsetof(PfoChunk, data) + size,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (chunk != NULL)
		chunk->size = size;
	return chunk;
}

static void
give_back_kept_chunk(void *arg)
{
	kept_chunk_taken = false;
}

/* The chunk that is kept, NULL if it is taken or too small. */
static PfoChunk *
take_kept_chunk(PfoCapture *capture, Size need)
{
	if (kept_chunk_taken || need > CHUNK_KEPT)
		return NULL;
	if (kept_chunk == NULL)
		kept_chunk = new_chunk(TopMemoryContext, CHUNK_KEPT);
	if (kept_chunk == NULL)
		return NULL;
	capture->gives_back.func = give_back_kept_chunk;
	MemoryContextRegisterResetCallback(capture->context, &capture->gives_back);
	kept_chunk_taken = true;
	return kept_chunk;
}

static bool
add_chunk(PfoCapture *capture, Size need)
{
	Size		size = CHUNK_MIN;
	PfoChunk   *chunk = NULL;

	if (capture->last != NULL)
	{
		size = Min(capture->last->size * 2, CHUNK_MAX);
		chunk = take_kept_chunk(capture, need);
	}
	if (chunk == NULL)
		chunk = new_chunk(capture->context, Max(size, need));
	if (chunk == NULL)
	{
		capture->out_of_memory = true;
		return false;
	}
	chunk->next = NULL;
	chunk->used = 0;
	if (capture->last != NULL)
		capture->last->next = chunk;
	else
		capture->first = chunk;
	capture->last = chunk;
	return true;
}

/*
 * Place for a row of that many bytes, NULL if there is none.  It is taken by
 * keep().
 */
static MinimalTuple
reserve(PfoCapture *capture, Size len)
{
	Size		need = MAXALIGN(len);

	if (capture->bytes + need > capture->limit ||
		((capture->last == NULL ||
		  capture->last->size - capture->last->used < need) &&
		 !add_chunk(capture, need)))
	{
		capture->overflowed = true;
		return NULL;
	}
	return (MinimalTuple) (capture->last->data + capture->last->used);
}

static bool
keep(PfoCapture *capture, MinimalTuple tuple)
{
	capture->last->used += MAXALIGN(tuple->t_len);
	capture->bytes += MAXALIGN(tuple->t_len);
	capture->nrows++;
	return true;
}

/* A row that is a tuple of the executor already. */
static bool
keep_minimal(PfoCapture *capture, MinimalTuple from)
{
	MinimalTuple tuple = reserve(capture, from->t_len);

	if (tuple == NULL)
		return false;
	memcpy(tuple, from, from->t_len);
	return keep(capture, tuple);
}

/* A row that is a tuple of a table: the same, with another header. */
static bool
keep_heap(PfoCapture *capture, HeapTuple from)
{
	Size		len = from->t_len - MINIMAL_TUPLE_OFFSET;
	MinimalTuple tuple = reserve(capture, len);

	if (tuple == NULL)
		return false;
	memcpy(tuple, (char *) from->t_data + MINIMAL_TUPLE_OFFSET, len);
	tuple->t_len = len;
	return keep(capture, tuple);
}

/* A row that is an array of values, laid out as heap_form_minimal_tuple(). */
static bool
keep_values(PfoCapture *capture, TupleDesc desc, Datum *values, bool *isnull)
{
	bool		hasnull = false;
	Size		header = SizeofMinimalTupleHeader;
	Size		data;
	MinimalTuple tuple;

	for (int i = 0; i < desc->natts; i++)
		hasnull |= isnull[i];
	if (hasnull)
		header += BITMAPLEN(desc->natts);
	header = MAXALIGN(header);
	data = heap_compute_data_size(desc, values, isnull);
	tuple = reserve(capture, header + data);
	if (tuple == NULL)
		return false;

	memset(tuple, 0, header + data);
	tuple->t_len = header + data;
	HeapTupleHeaderSetNatts(tuple, desc->natts);
	tuple->t_hoff = header + MINIMAL_TUPLE_OFFSET;
	heap_fill_tuple(desc, values, isnull, (char *) tuple + header, data,
					&tuple->t_infomask, hasnull ? tuple->t_bits : NULL);
	return keep(capture, tuple);
}

/*
 * Is the value stored elsewhere?  Those that are expanded in memory are not:
 * laying out a row flattens them.
 */
static bool
is_out_of_line(TupleTableSlot *slot, int i)
{
	return !slot->tts_isnull[i] &&
		TupleDescAttr(slot->tts_tupleDescriptor, i)->attlen == -1 &&
		VARATT_IS_EXTERNAL(DatumGetPointer(slot->tts_values[i])) &&
		!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(slot->tts_values[i]));
}

/*
 * A row with values out of line, which are fetched; not without knowing that
 * they are not too large.
 */
static bool
keep_fetched(PfoCapture *capture, TupleTableSlot *slot)
{
	TupleDesc	desc = slot->tts_tupleDescriptor;
	Datum	   *values;
	Size		size = 0;
	MemoryContext context;
	MemoryContext old;
	bool		kept;

	slot_getallattrs(slot);
	for (int i = 0; i < desc->natts; i++)
	{
		if (is_out_of_line(slot, i))
			size += toast_datum_size(slot->tts_values[i]);
	}
	if (capture->bytes + size > capture->limit)
	{
		capture->overflowed = true;
		return false;
	}

	context = AllocSetContextCreate(capture->context, "perfopt row",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	values = palloc(desc->natts * sizeof(Datum));
	for (int i = 0; i < desc->natts; i++)
	{
		struct varlena *stored;

		values[i] = slot->tts_values[i];
		if (!is_out_of_line(slot, i))
			continue;
		stored = (struct varlena *) DatumGetPointer(values[i]);
		values[i] = PointerGetDatum(detoast_external_attr(stored));
	}
	MemoryContextSwitchTo(old);
	kept = keep_values(capture, desc, values, slot->tts_isnull);
	MemoryContextDelete(context);
	return kept;
}

static bool
has_values_out_of_line(TupleTableSlot *slot)
{
	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		if (is_out_of_line(slot, i))
			return true;
	}
	return false;
}

bool
pfo_capture_slot(PfoCapture *capture, TupleTableSlot *slot)
{
	if (capture->overflowed)
		return false;

	if (slot->tts_ops->get_minimal_tuple != NULL)
	{
		MinimalTuple tuple = slot->tts_ops->get_minimal_tuple(slot);

		return tuple->t_infomask & HEAP_HASEXTERNAL ?
			keep_fetched(capture, slot) : keep_minimal(capture, tuple);
	}
	if (slot->tts_ops->get_heap_tuple != NULL)
	{
		HeapTuple	tuple = slot->tts_ops->get_heap_tuple(slot);

		return tuple->t_data->t_infomask & HEAP_HASEXTERNAL ?
			keep_fetched(capture, slot) : keep_heap(capture, tuple);
	}
	slot_getallattrs(slot);
	return has_values_out_of_line(slot) ? keep_fetched(capture, slot) :
		keep_values(capture, slot->tts_tupleDescriptor, slot->tts_values,
					slot->tts_isnull);
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
