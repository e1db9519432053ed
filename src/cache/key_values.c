/*-------------------------------------------------------------------------
 *
 * key_values.c
 *	  The image of a value, for the hashes that identify an answer.
 *
 * Constants are hashed with the tree (key_expr.c), once for each plan; the
 * values of parameters here, at each execution that asks the cache.  It is the
 * bytes that count: values that an operator calls equal but that are stored
 * differently (1.0 and 1.00) are two, since they print differently.
 *
 * A varlena is taken without its header and detoasted, so that the same value
 * gives the same image however it is stored.  Its size is known before it is
 * fetched.  An anonymous record has no image: the row type in it is a number
 * that means nothing in another backend.
 *
 * Memory: for a moment the detoasted form of a value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/transam.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/contain.h"
#include "cache/generation.h"
#include "cache/key_values.h"

/* longest value of a parameter that is worth hashing at each execution */
#define PFO_PARAM_MAX_SIZE	(64 * 1024)

bool
pfo_key_value(PfoHasher *h, Datum value, int typlen, bool byval, Size limit)
{
	if (byval)
	{
		uint64		image = value;

		pfo_hasher_add(h, &image, sizeof(image));
	}
	else if (typlen == -1)
	{
		struct varlena *stored = (struct varlena *) DatumGetPointer(value);
		struct varlena *flat;
		uint32		size;

		/* what is stored in a table would have to be read from there */
		if (VARATT_IS_EXTERNAL_ONDISK(stored) ||
			toast_raw_datum_size(value) - VARHDRSZ > limit)
			return false;

		flat = pg_detoast_datum_packed(stored);
		size = VARSIZE_ANY_EXHDR(flat);
		pfo_hasher_add(h, &size, sizeof(size));
		pfo_hasher_add(h, VARDATA_ANY(flat), size);
		if (flat != stored)
			pfree(flat);
	}
	else
	{
		const char *bytes = DatumGetPointer(value);
		Size		size = (typlen == -2) ? strlen(bytes) + 1 : typlen;

		if (size > limit)
			return false;
		pfo_hasher_add(h, bytes, size);
	}

	return true;
}

/* Length and passing of a type. */
typedef struct Length
{
	Oid			type;
	uint64		generation;		/* see generation.h */
	int16		typlen;
	bool		byval;
} Length;

static void
read_length(void *arg)
{
	Length	   *length = arg;

	get_typlenbyval(length->type, &length->typlen, &length->byval);
}

/*
 * The same, remembered.  Types that PostgreSQL itself cannot do without can
 * neither be dropped nor change; for the others messages must be heard.
 */
static const Length *
length_of(Oid type)
{
	static Length known[64];
	Length	   *length = &known[type % lengthof(known)];
	uint64		generation = pfo_generation_now();

	if (length->type == type &&
		(type < FirstUnpinnedObjectId || length->generation == generation))
		return length;

	length->type = type;
	length->generation = generation;
	if (pfo_contain_catalogs(read_length, length))
		return length;
	length->type = InvalidOid;
	return NULL;
}

bool
pfo_key_typed_value(PfoHasher *h, Oid type, Datum value, bool isnull)
{
	const uint32 words[] = {type, isnull};
	const Length *length;

	pfo_hasher_add(h, words, sizeof(words));
	if (isnull)
		return true;
	length = length_of(type);
	return length != NULL &&
		pfo_key_value(h, value, length->typlen, length->byval,
					  PFO_PARAM_MAX_SIZE);
}

ParamExternData *
pfo_param_value(ParamListInfo values, int id, ParamExternData *workspace)
{
	ParamExternData *prm;

	if (values == NULL || id < 1 || id > values->numParams)
		return NULL;

	/* speculatively: who supplies values must not raise an error now */
	if (values->paramFetch != NULL)
		prm = values->paramFetch(values, id, true, workspace);
	else
		prm = &values->params[id - 1];

	/* the row type in an anonymous record means nothing elsewhere */
	if (!OidIsValid(prm->ptype) ||
		prm->ptype == RECORDOID || prm->ptype == RECORDARRAYOID)
		return NULL;
	return prm;
}

bool
pfo_key_params(PfoHasher *h, const Bitmapset *params, ParamListInfo values)
{
	int			id = -1;

	while ((id = bms_next_member(params, id)) >= 0)
	{
		ParamExternData *prm;
		ParamExternData workspace;

		prm = pfo_param_value(values, id, &workspace);
		if (prm == NULL)
			return false;
		pfo_hasher_add(h, &id, sizeof(id));
		if (!pfo_key_typed_value(h, prm->ptype, prm->value, prm->isnull))
			return false;
	}

	return true;
}
