/*-------------------------------------------------------------------------
 *
 * tags.h
 *	  What an application says about a statement in its comments.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_TAGS_H
#define PFO_TAGS_H

typedef enum PfoTag
{
	PFO_TAG_NONE,
	PFO_TAG_CACHE,				/* perfopt: cache */
	PFO_TAG_NOCACHE				/* perfopt: nocache; wins over the other */
} PfoTag;

/*
 * What the block comments of the statement say: the part of the text from
 * location (negative: unknown, take all) on, len bytes of it (0: the rest).
 */
extern PfoTag pfo_tag_of(const char *text, int location, int len);

/*
 * Call back for each block comment of the statement, with what is between its
 * marks.  Comments before the statement can belong to one before it: forget is
 * called when they turn out to.  Raises no error and allocates nothing.
 */
typedef void (*PfoCommentCallback) (const char *s, const char *end, void *arg);
extern void pfo_foreach_comment(const char *text, int location, int len,
								PfoCommentCallback callback,
								void (*forget) (void *arg), void *arg);

#endif							/* PFO_TAGS_H */
