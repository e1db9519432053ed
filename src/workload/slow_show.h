/*-------------------------------------------------------------------------
 *
 * slow_show.h
 *	  Texts and plans of slow executions as they are shown, for slow_sql.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_SLOW_SHOW_H
#define PFO_SLOW_SHOW_H

#include "workload/slow_ring.h"

/* The statement: as it was executed, or with its constants replaced. */
extern char *pfo_slow_show_text(const PfoSlow *slow);

/*
 * The plan as EXPLAIN (FORMAT JSON) prints it, an object, with what is known
 * of rows; NULL: there is none.  And as EXPLAIN prints it otherwise.
 */
extern char *pfo_slow_show_json(const PfoSlow *slow);
extern char *pfo_slow_show_plan(const char *json);

/* What is to be said of the plan, or of there being none; NULL: nothing. */
extern const char *pfo_slow_show_note(const PfoSlow *slow);

#endif							/* PFO_SLOW_SHOW_H */
