/*-------------------------------------------------------------------------
 *
 * messages.h
 *	  Has the client been sent a notice or warning meanwhile?
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_MESSAGES_H
#define PFO_MESSAGES_H

/* Start watching, once per backend.  False if there is no client to watch. */
extern bool pfo_messages_watch(void);

/* How many messages that are neither rows nor answers have been sent. */
extern uint64 pfo_messages_sent(void);

#endif							/* PFO_MESSAGES_H */
