/*-------------------------------------------------------------------------
 *
 * messages.h
 *	  Has the client been sent a notice or warning meanwhile?
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_MESSAGES_H
#define PFO_MESSAGES_H

/* To be called when the library is loaded, before anybody takes messages. */
extern void pfo_messages_init(void);

/* Do messages go to the connection, past nobody but us? */
extern bool pfo_messages_are_direct(void);

/* Start watching, once per backend.  False if there is no client to watch. */
extern bool pfo_messages_watch(void);

/* How many messages that are neither rows nor answers have been sent. */
extern uint64 pfo_messages_sent(void);

#endif							/* PFO_MESSAGES_H */
