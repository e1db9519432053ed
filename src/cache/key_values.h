/*-------------------------------------------------------------------------
 *
 * key_values.h
 *	  The image of a value, for the hashes that identify an answer.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_KEY_VALUES_H
#define PFO_KEY_VALUES_H

#include "nodes/bitmapset.h"
#include "nodes/params.h"

#include "base/hash.h"

/*
 * Add the image of a value that is not null.  False if it is longer than the
 * limit; then nothing was added.
 */
extern bool pfo_key_value(PfoHasher *h, Datum value, int typlen, bool byval,
						  Size limit);

/*
 * Add the values of the parameters to a hash: type, null flag, collation-free
 * detoasted image.  False if a value cannot be had without risking an error,
 * is over the limit, or is an anonymous record; the hasher is then useless.
 * Which type the tree expects is in the hash of the tree: the executor raises
 * an error if a value of another type comes along, so nothing is stored then.
 */
extern bool pfo_key_params(PfoHasher *h, const Bitmapset *params,
						   ParamListInfo values);

#endif							/* PFO_KEY_VALUES_H */
