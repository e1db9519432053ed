/*-------------------------------------------------------------------------
 *
 * wire.h
 *	  Answers as the bytes that clients are sent.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_WIRE_H
#define PFO_WIRE_H

#include "executor/execdesc.h"
#include "utils/portal.h"

#include "cache/store.h"

/* Who gets the rows */
typedef struct PfoClient
{
	Portal		portal;			/* NULL: no client, or not by the usual way */
	const int16 *formats;		/* of the columns; NULL: all are text */
	DestReceiver *receiver;
} PfoClient;

extern void pfo_wire_init(void);

/* Does what runs now give its rows to a client, and nothing but the rows? */
extern PfoClient pfo_wire_client(QueryDesc *queryDesc);

/* Is that still so?  Hooks called after ours can redirect the rows. */
extern bool pfo_wire_client_holds(const PfoClient *client);

/* A pinned entry's bytes for this client; NULL if it has none. */
extern PfoForm *pfo_wire_find(PfoEntry *entry, const PfoClient *client);

/*
 * The same, made from the entry's tuples if it has none; NULL if that cannot
 * be.  The slot takes tuples of the entry.  To be contained, with catalogs.
 */
extern PfoForm *pfo_wire_make(PfoEntry *entry, const PfoClient *client,
							  TupleTableSlot *slot);

/*
 * Send them.  When the client takes no more at once, what is left is copied
 * and let_go(arg) called: the entry need not be pinned then.  Raises an error
 * if the statement is cancelled, between two rows.
 */
extern void pfo_wire_send(const PfoForm *form, void (*let_go) (void *arg),
						  void *arg);

#endif							/* PFO_WIRE_H */
