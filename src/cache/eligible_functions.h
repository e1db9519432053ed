/*-------------------------------------------------------------------------
 *
 * eligible_functions.h
 *	  May a function run when answers are kept?  The verdict of one function,
 *	  whatever it is called with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_ELIGIBLE_FUNCTIONS_H
#define PFO_ELIGIBLE_FUNCTIONS_H

#include "base/reason.h"

/* what a function needs of the types it is given, see eligible_types.h */
#define PFO_NEEDS_COMPARE	0x01
#define PFO_NEEDS_OUTPUT	0x02
#define PFO_NEEDS_INPUT		0x04
#define PFO_NEEDS_ALL		0x07
/* what it reads by itself: settings, default_text_search_config */
#define PFO_READS_SETTINGS	0x08
#define PFO_READS_TEXT_SEARCH	0x10

/*
 * Judge a function without regard to what it is called with; *needs says
 * what must hold for the types of its arguments and result.
 */
extern PfoReason pfo_function_reason(Oid funcid, int *needs);

/*
 * The same for a support function, whose types are known to be its own.  None
 * (InvalidOid) is fine.
 */
extern bool pfo_support_ok(Oid funcid);

/*
 * Will it give the same for the same arguments as long as the server runs,
 * whatever the settings?
 */
extern bool pfo_function_unchanging(Oid funcid);

#endif							/* PFO_ELIGIBLE_FUNCTIONS_H */
