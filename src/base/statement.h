/*-------------------------------------------------------------------------
 *
 * statement.h
 *	  What features may know of the statement that is running: how deep it is
 *	  nested, and whether somebody only wants it explained.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_STATEMENT_H
#define PFO_STATEMENT_H

#define PFO_NOT_EXPLAINING (-1)

/* statements that are running above: 0 for what the client sent */
extern int	pfo_nesting_level;

/* the nesting level at which an EXPLAIN is running, or PFO_NOT_EXPLAINING */
extern int	pfo_explaining_level;

/*
 * Commands that change definitions or maintain tables, and what they execute:
 * not to be interfered with, since they are in the middle of a change.
 */
extern int	pfo_maintenance_level;

/* REINDEX commands, which can commit several times */
extern int	pfo_reindexing_level;

#define pfo_is_maintenance() (pfo_maintenance_level > 0)
#define pfo_is_nested()		(pfo_nesting_level > 0)
#define pfo_is_explaining() (pfo_explaining_level == pfo_nesting_level)

#endif							/* PFO_STATEMENT_H */
