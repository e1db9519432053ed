/*-------------------------------------------------------------------------
 *
 * statement_table.h
 *	  The shared table of statements, for statements.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_STATEMENT_TABLE_H
#define PFO_STATEMENT_TABLE_H

#include "workload/statements.h"

#define PFO_BATCH_LATENCIES	16

/* What a backend counted of one statement since it last added that up. */
typedef struct PfoBatch
{
	PfoStatementKey key;
	PfoStatementCounts counts;
	TimestampTz since;			/* the first of them */
	int			nlatencies;
	uint16		buckets[PFO_BATCH_LATENCIES];
	uint32		latencies[PFO_BATCH_LATENCIES];
	PfoSource	sources[PFO_MAX_SOURCES];
	const char *text;			/* NULL: the table has it, or nobody has */
} PfoBatch;

/* To be called once, where errors may be raised, before all that follows. */
extern void pfo_statement_table_attach(void);

/*
 * Does the table know the statement, and its text?  If not: may it come in?
 * What was seen but once may not where places are scarce, unless it is
 * expensive.
 */
extern bool pfo_statement_table_wants(const PfoStatementKey *key, uint64 ns,
									  bool *wants_text);

/*
 * Add a batch.  False if somebody else has the statement's lock; not if it is
 * to be now.  What finds no place is added to the rest.
 */
extern bool pfo_statement_table_add(const PfoBatch *batch, bool now);

/* Put back what a file has. */
extern void pfo_statement_table_restore(const PfoStatement *statement);

/* Read the file, and write it at the end (statement_file.c). */
extern void pfo_statement_file_init(bool found);

#endif							/* PFO_STATEMENT_TABLE_H */
