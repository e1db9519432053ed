/*-------------------------------------------------------------------------
 *
 * scan_state.h
 *	  The executor state of our CustomScan; private to scan*.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_SCAN_STATE_H
#define PFO_SCAN_STATE_H

#include "nodes/execnodes.h"
#include "portability/instr_time.h"

#include "base/compat.h"
#include "cache/capture.h"
#include "cache/child.h"
#include "cache/lookup.h"

typedef enum Source
{
	SOURCE_UNDECIDED,
	SOURCE_ENTRY,
	SOURCE_WIRE,
	SOURCE_CHILD,
	SOURCE_REPLAY
} Source;

typedef struct PfoScanState
{
	CustomScanState css;		/* must be first */
	PfoPlanInfo *info;
	int			eflags;
	bool		explaining;		/* only shows the child, which is our outer
								 * plan then */
	Source		source;
	PfoAttempt	attempt;
	MemoryContextCallback drop_pin;

	PfoForm    *wire;			/* SOURCE_WIRE */

	/* SOURCE_ENTRY and SOURCE_REPLAY */
	TupleTableSlot *slot;
	const char *rows;			/* of the entry, or a copy */
	const uint32 *offsets;
	int64		nrows;
	int64		position;		/* of the row given out last; from -1 */
	double		cost_ms;		/* what the entry cost */
	PfoChunk   *chunk;
	Size		chunk_at;

	/* the child */
	PlannedStmt *stmt;
	PfoChild   *child;
	PfoHash		settings;		/* when the child was initialised */
	bool		settings_known;
	TupleTableSlot *overflow;	/* the child's row that was not captured */
	PfoCapture *capture;
	uint64		messages;		/* sent before the child ran */
	bool		fill_first;		/* run the child to its end, then decide */
	bool		limited;		/* run in pieces, or up to a number of rows */
	uint64		given;			/* rows, if they are captured */
	uint64		max_rows;		/* that the child can give, if limited */
	bool		finished;

	int			stmt_location;
	int			stmt_len;
	instr_time	start;			/* of the present run */
	double		spent_ms;		/* in those before */
} PfoScanState;

static inline bool
pfo_scan_is_hit(const PfoScanState *state)
{
	return state->source == SOURCE_ENTRY || state->source == SOURCE_WIRE;
}

extern PfoScanState *pfo_scan_state_of(PfoPlanInfo *info);

/* Callback: the attempt's entry is no longer read. */
extern void pfo_scan_drop_pin(void *state);

/* The executor starts; so does the child of a cursor. */
extern void pfo_scan_begin(PfoScanState *state);

/* Decide what the first run does: sets the source, and starts the child. */
extern void pfo_scan_decide(PfoScanState *state, QueryDesc *queryDesc,
							ScanDirection direction, uint64 count);

/* A later run: may what it gives be stored with what was captured? */
extern void pfo_scan_continue(PfoScanState *state, ScanDirection direction);

/*
 * The parts of deciding: execute, or give out the entry, and count either.
 */
extern void pfo_scan_start_child(PfoScanState *state);
extern void pfo_scan_use_entry(PfoScanState *state);
extern void pfo_scan_count_hit(PfoScanState *state);
extern void pfo_scan_count_miss(PfoScanState *state);

/* The rows do not go to the client alone: give them out one by one. */
extern void pfo_scan_leave_wire(PfoScanState *state);

extern void pfo_scan_explain(CustomScanState *css, List *ancestors,
							 ExplainState *es);

#endif							/* PFO_SCAN_STATE_H */
