/*-------------------------------------------------------------------------
 *
 * text_search.h
 *	  Do the parsers and dictionaries of text search depend on nothing but
 *	  catalogs whose changes are announced?
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_TEXT_SEARCH_H
#define PFO_TEXT_SEARCH_H

/* Asked of all in the database at once. */
extern bool pfo_text_search_ok(void);

#endif							/* PFO_TEXT_SEARCH_H */
