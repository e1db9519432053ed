/*-------------------------------------------------------------------------
 *
 * functions.h
 *	  What we know of functions beyond their labels: reviewed lists.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_FUNCTIONS_H
#define PFO_FUNCTIONS_H

/* a STABLE function that depends on its arguments and hashed settings only */
#define PFO_FUNCTION_OK			0x01
/* a STABLE function whose value can join the key; see fold.c */
#define PFO_FUNCTION_FOLDABLE	0x02
/* labelled IMMUTABLE, yet it depends on more than its arguments */
#define PFO_FUNCTION_LIES		0x04
/* calls the output functions of its arguments' types */
#define PFO_FUNCTION_OUTPUT		0x08
/* calls the input functions of its result's types */
#define PFO_FUNCTION_INPUT		0x10
/* labelled IMMUTABLE, and depends on hashed settings */
#define PFO_FUNCTION_SETTINGS	0x20
/* foldable, but gives the moment, which is another in each transaction */
#define PFO_FUNCTION_MOMENT		0x40
/* makes another moment of a moment */
#define PFO_FUNCTION_SHIFTS		0x80
/* makes of a moment what stays the same for a second or more, if asked to */
#define PFO_FUNCTION_COARSENS	0x100
/* uses default_text_search_config */
#define PFO_FUNCTION_TEXT_SEARCH 0x200
/* runs parsers or dictionaries of text search; see text_search.c */
#define PFO_FUNCTION_DICTIONARIES 0x400

/* a set of the flags above; 0 for a function that is on no list */
extern int	pfo_function_flags(Oid funcid);

/* may the IMMUTABLE C functions of this extension be believed? */
extern bool pfo_function_extension_ok(const char *extname);

/* and the functions that its text search dictionaries are made of? */
extern bool pfo_function_dictionaries_ok(const char *extname);

static inline bool
pfo_function_stable_ok(Oid funcid)
{
	return (pfo_function_flags(funcid) & PFO_FUNCTION_OK) != 0;
}

static inline bool
pfo_function_foldable(Oid funcid)
{
	return (pfo_function_flags(funcid) & PFO_FUNCTION_FOLDABLE) != 0;
}

#endif							/* PFO_FUNCTIONS_H */
