/*-------------------------------------------------------------------------
 *
 * normalize.h
 *	  The text of a statement with its constants replaced.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_NORMALIZE_H
#define PFO_NORMALIZE_H

/*
 * Write the statement that starts at location (negative: 0) and is len bytes
 * long (0: the rest) to out, of the given size, constants replaced by $n, a
 * run of white space or a comment by one space.  Cut where it does not fit,
 * never within a character.
 */
extern void pfo_normalize(const char *text, int location, int len,
						  char *out, Size size);

#endif							/* PFO_NORMALIZE_H */
