/*-------------------------------------------------------------------------
 *
 * sources.h
 *	  Which code sent a statement: the tags of sqlcommenter and marginalia in
 *	  its comments, and application_name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_SOURCES_H
#define PFO_SOURCES_H

#include "base/execution.h"

#define PFO_SOURCE_TAGS		160 /* bytes, cut after whole tags */
#define PFO_SOURCE_TRACE	56	/* of a traceparent of W3C's Trace Context */
#define PFO_MAX_SOURCES		4	/* per statement */

typedef struct PfoSource
{
	uint32		hash;			/* of application and tags; 0: no source */
	uint64		calls;			/* at most; see excess */
	uint64		excess;			/* by so much that may be too many */
	uint64		ns;
	char		application[NAMEDATALEN];
	char		tags[PFO_SOURCE_TAGS];	/* key=value, by commas */
	char		trace[PFO_SOURCE_TRACE];	/* of the last call */
} PfoSource;

/*
 * Count an execution for its source.  Of a statement longer than 16 kB the
 * comments are not looked at.
 */
extern void pfo_source_count(PfoSource *sources,
							 const PfoExecution *execution);

/*
 * Add a source to the PFO_MAX_SOURCES most frequent, by Space-Saving
 * (Metwally, Agrawal and El Abbadi, 2005): the rarest makes room, and what
 * comes takes over its count as excess.
 */
extern void pfo_source_add(PfoSource *sources, const PfoSource *source);

#endif							/* PFO_SOURCES_H */
