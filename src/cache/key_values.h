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
 * Add a value of any type: type, null flag, image.  False if it is over the
 * limit of what is worth hashing at each execution; the hasher is then
 * useless.
 */
extern bool pfo_key_typed_value(PfoHasher *h, Oid type, Datum value,
								bool isnull);

/*
 * The value of a parameter; NULL if it cannot be had without risking an error,
 * or is an anonymous record.
 */
extern ParamExternData *pfo_param_value(ParamListInfo values, int id,
										ParamExternData *workspace);

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
