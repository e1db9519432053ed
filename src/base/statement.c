/*-------------------------------------------------------------------------
 *
 * statement.c
 *	  What features may know of the statement that is running.
 *
 * Set by the hooks; backend-local.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/statement.h"

int			pfo_nesting_level = 0;
int			pfo_maintenance_level = 0;
int			pfo_reindexing_level = 0;
int			pfo_explaining_level = PFO_NOT_EXPLAINING;
