/*-------------------------------------------------------------------------
 *
 * capture.h
 *	  A bounded buffer of rows in backend memory: what a statement returned,
 *	  until it is stored or given up.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_CAPTURE_H
#define PFO_CAPTURE_H

#include "executor/tuptable.h"

typedef struct PfoChunk
{
	struct PfoChunk *next;
	Size		used;
	Size		size;
	char		data[FLEXIBLE_ARRAY_MEMBER];	/* MinimalTuples, MAXALIGNed */
} PfoChunk;

typedef struct PfoCapture
{
	MemoryContext context;		/* holds everything, this struct too */
	Size		limit;			/* bytes */
	Size		bytes;			/* of rows, MAXALIGNed */
	uint32		nrows;
	bool		overflowed;		/* the rest was not kept: over the limit ... */
	bool		out_of_memory;	/* ... or that */
	PfoChunk   *first;
	PfoChunk   *last;
	MemoryContextCallback gives_back;	/* the chunk that the backend keeps */
} PfoCapture;

/* Lives in a child of the current context. */
extern PfoCapture *pfo_capture_begin(Size limit);

/* Keep a copy of the row, free of references.  False once overflowed. */
extern bool pfo_capture_slot(PfoCapture *capture, TupleTableSlot *slot);

/* Copy all rows, one behind the other, and the offset of each. */
extern void pfo_capture_copy(const PfoCapture *capture, char *rows,
							 uint32 *offsets);

extern void pfo_capture_end(PfoCapture *capture);

#endif							/* PFO_CAPTURE_H */
