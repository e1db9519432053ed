/*-------------------------------------------------------------------------
 *
 * publish.h
 *	  Turning a complete result into an entry.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_PUBLISH_H
#define PFO_PUBLISH_H

#include "access/tupdesc.h"

#include "cache/capture.h"
#include "cache/lookup.h"

/*
 * Store the rows captured under the versions noted in the attempt.  The
 * statement is the part of the text that starts at location and is len bytes
 * long.  False if there is no room.
 */
extern bool pfo_publish(const PfoAttempt *attempt, const PfoCapture *capture,
						TupleDesc desc, double cost_ms, const char *text,
						int location, int len);

#endif							/* PFO_PUBLISH_H */
