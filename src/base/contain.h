/*-------------------------------------------------------------------------
 *
 * contain.h
 *	  Keeping failures inside perfopt from becoming errors of statements.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_CONTAIN_H
#define PFO_CONTAIN_H

#include "nodes/nodes.h"

#include "base/reason.h"

typedef void (*PfoWork) (void *arg);

/*
 * Call work(arg).  False if it raised an error: the error is then gone, and
 * counted, and what the work had done by then is as it left it.  A cancel, a
 * timeout, a deadlock or a conflict is passed on: these are the statement's.
 *
 * The work of the first may do no more than allocate memory; that of the
 * second may also read catalogs and take locks.  It costs a subtransaction, so
 * it is not for what each hit does.
 */
extern bool pfo_contain(PfoWork work, void *arg);
extern bool pfo_contain_catalogs(PfoWork work, void *arg);

/* What counts failures; to be told by _PG_init. */
extern void pfo_contain_count_by(void (*count) (void));

/* Why the second gave false just now: it failed, or was not tried. */
extern PfoReason pfo_contain_reason(void);

/* A utility statement was executed, as a command of its own or by another. */
extern void pfo_contain_after_utility(Node *statement, bool top_level);

#endif							/* PFO_CONTAIN_H */
