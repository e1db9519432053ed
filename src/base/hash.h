/*-------------------------------------------------------------------------
 *
 * hash.h
 *	  A 128-bit streaming hash: two 64-bit hashes of PostgreSQL's own
 *	  (hash_bytes_extended), seeded apart and with a secret of this server
 *	  start, so that nobody can construct a collision beforehand.
 *
 * Bytes are gathered in a fixed buffer and folded in when it is full: no
 * allocation, no error.  The result depends on the sequence of bytes alone,
 * not on how it was cut into calls; who adds several things must therefore
 * see to it that the bytes tell where one ends (a length, a tag).
 *
 *-------------------------------------------------------------------------
 */
#ifndef PFO_HASH_H
#define PFO_HASH_H

typedef struct PfoHash
{
	uint64		lo;
	uint64		hi;
} PfoHash;

#define PFO_HASHER_BUFSIZE 1024

typedef struct PfoHasher
{
	PfoHash		state;
	uint32		used;			/* bytes in buf */
	char		buf[PFO_HASHER_BUFSIZE];
} PfoHasher;

/* set once at server start, inherited by fork; see pfo_hash_seed() */
extern void pfo_hash_seed(uint64 seed);
extern void pfo_hasher_init(PfoHasher *h);

/* One hash of two, in this order; for hashes, and for words next to them. */
extern PfoHash pfo_hash_combine(PfoHash a, PfoHash b);
extern void pfo_hasher_add_slow(PfoHasher *h, const void *data, size_t len);
extern PfoHash pfo_hasher_final(PfoHasher *h);

/*
 * Add bytes.  Inline, because most callers add a handful of bytes whose
 * number the compiler knows: then it is a comparison and a store or two.
 */
static inline void
pfo_hasher_add(PfoHasher *h, const void *data, size_t len)
{
	if (unlikely(len > PFO_HASHER_BUFSIZE - h->used))
		pfo_hasher_add_slow(h, data, len);
	else
	{
		memcpy(h->buf + h->used, data, len);
		h->used += len;
	}
}

static inline bool
pfo_hash_equal(PfoHash a, PfoHash b)
{
	return a.lo == b.lo && a.hi == b.hi;
}

#endif							/* PFO_HASH_H */
