/*-------------------------------------------------------------------------
 *
 * sql.h
 *	  What the features' functions in SQL share: the check that the library is
 *	  preloaded, who may read what, rows, and the reset of all features.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_SQL_H
#define PFO_SQL_H

#include "fmgr.h"
#include "nodes/execnodes.h"

#define PFO_INSUFFICIENT_PRIVILEGE "<insufficient privilege>"

/* Our shared memory is there; called by perfopt.c when it is. */
extern void pfo_set_preloaded(void);

/* Raises an error if perfopt was not named in shared_preload_libraries. */
extern void pfo_require_preloading(void);

/*
 * Texts of statements are for these, and query ids, by which a guessed text
 * could be confirmed: as in pg_stat_statements and pg_stat_activity.
 */
extern bool pfo_reads_all_stats(void);

/* The rows of a set-returning function; needs the library to be preloaded. */
extern ReturnSetInfo *pfo_begin_rows(FunctionCallInfo fcinfo);

/* The same for many rows: in so much memory, in kB, before they are spilled. */
extern ReturnSetInfo *pfo_begin_many_rows(FunctionCallInfo fcinfo,
										  int memory_kb);
extern void pfo_put_row(ReturnSetInfo *rsinfo, Datum *values, bool *nulls);

/* A row of many columns, formed one by one. */
#define PFO_MAX_COLUMNS 64

typedef struct PfoRow
{
	Datum		values[PFO_MAX_COLUMNS];
	bool		nulls[PFO_MAX_COLUMNS];
	int			n;
} PfoRow;

extern void pfo_add_value(PfoRow *row, Datum value, bool isnull);
extern void pfo_add_count(PfoRow *row, int64 count);
extern void pfo_add_ms(PfoRow *row, double ns);

/* NULL and the empty text are none. */
extern void pfo_add_text(PfoRow *row, const char *text);

/*
 * perfopt_reset() calls these: of a query id, or (0) of everything.  To be
 * registered once, by _PG_init.
 */
typedef void (*PfoReset) (uint64 queryid);
extern void pfo_on_reset(PfoReset reset);

#endif							/* PFO_SQL_H */
