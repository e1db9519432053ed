/*-------------------------------------------------------------------------
 *
 * normalize.h
 *	  The text of a statement with its constants replaced, as it is kept and
 *	  shown.
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

/*
 * A copy, of the given size at most, that is not cut within a character.  In
 * the encoding of this database.
 */
extern void pfo_copy_text(char *to, const char *text, Size size);

/*
 * The text, which is of a database in the given encoding, in that of this
 * one; up to the first character that cannot be said in it.
 */
extern char *pfo_text_here(const char *text, int encoding);

#endif							/* PFO_NORMALIZE_H */
