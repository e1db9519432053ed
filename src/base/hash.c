/*-------------------------------------------------------------------------
 *
 * hash.c
 *	  A 128-bit streaming hash over PostgreSQL's own hash_bytes_extended().
 *
 * The state is two 64-bit words.  A block of bytes is folded in by hashing
 * it twice, with each word as the seed of its own successor, so the two
 * halves see the same bytes but never share a state.  The first words come
 * from a secret that the postmaster draws at server start and every process
 * inherits by fork: hashes agree between the processes of one server run and
 * mean nothing outside it.  Never store one.
 *
 * Blocks are always PFO_HASHER_BUFSIZE bytes long but for the last, however
 * the bytes arrived.  The last one is folded in also if it is empty, and
 * hash_bytes_extended() takes the length of a block into account.
 *
 * The function beneath is fast and well mixed, but not cryptographic.  The
 * secret keeps somebody who can choose a statement's text from preparing a
 * collision; who serves an answer by its hash should all the same compare
 * what is cheap to compare.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/hash.h"
#include "common/hashfn.h"

/* what a hash starts from; the same in all processes of a server */
static PfoHash pfo_hash_start;

/*
 * Spread a seed over all bits (the finalizer of splitmix64), so that seeds
 * which differ in a bit only give unrelated words.
 */
static uint64
pfo_hash_spread(uint64 x)
{
	x ^= x >> 30;
	x *= UINT64CONST(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64CONST(0x94d049bb133111eb);
	x ^= x >> 31;

	return x;
}

/*
 * Set the secret.  To be called once, before processes are forked that have
 * to agree about a hash.  The two words start a golden-ratio step apart, as
 * splitmix64 would draw them.
 */
void
pfo_hash_seed(uint64 seed)
{
	const uint64 step = UINT64CONST(0x9e3779b97f4a7c15);

	pfo_hash_start.lo = pfo_hash_spread(seed + step);
	pfo_hash_start.hi = pfo_hash_spread(seed + 2 * step);
}

/*
 * The halves stay apart, as in a hasher.  Of two pairs that differ, a sum of
 * words that are spread agrees by chance only.
 */
PfoHash
pfo_hash_combine(PfoHash a, PfoHash b)
{
	PfoHash		result;

	result.lo = pfo_hash_spread(a.lo + pfo_hash_spread(b.lo + 1));
	result.hi = pfo_hash_spread(a.hi + pfo_hash_spread(b.hi + 1));
	return result;
}

void
pfo_hasher_init(PfoHasher *h)
{
	StaticAssertStmt(offsetof(PfoHasher, buf) % sizeof(uint32) == 0,
					 "the hash function is slow on an unaligned buffer");
	Assert(pfo_hash_start.lo != pfo_hash_start.hi); /* was seeded */

	h->state = pfo_hash_start;
	h->used = 0;
}

/* Fold the buffer into the state and empty it. */
static void
pfo_hasher_fold(PfoHasher *h)
{
	const unsigned char *bytes = (const unsigned char *) h->buf;

	h->state.lo = hash_bytes_extended(bytes, (int) h->used, h->state.lo);
	h->state.hi = hash_bytes_extended(bytes, (int) h->used, h->state.hi);
	h->used = 0;
}

/*
 * The part of pfo_hasher_add() for what does not fit into the buffer.
 * Everything goes through the buffer: it is aligned, which the hash function
 * rewards, and blocks stay independent of how callers cut the bytes.
 */
void
pfo_hasher_add_slow(PfoHasher *h, const void *data, size_t len)
{
	const char *bytes = data;

	while (len > 0)
	{
		size_t		room = PFO_HASHER_BUFSIZE - h->used;
		size_t		part = Min(len, room);

		memcpy(h->buf + h->used, bytes, part);
		h->used += part;
		bytes += part;
		len -= part;

		/* a buffer that is just full waits: these may be the last bytes */
		if (len > 0)
			pfo_hasher_fold(h);
	}
}

/* The hash of all that was added.  The hasher must not be used any further. */
PfoHash
pfo_hasher_final(PfoHasher *h)
{
	pfo_hasher_fold(h);
	return h->state;
}
