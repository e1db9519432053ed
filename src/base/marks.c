/*-------------------------------------------------------------------------
 *
 * marks.c
 *	  Calling what plan caches have registered, with a mark.
 *
 * Backend-local, no locking.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/inval.h"
#include "utils/syscache.h"

#include "base/marks.h"

static uint32 calling = 0;		/* no mark is zero */

void
pfo_make_anew(uint32 mark)
{
	calling = mark;
	PG_TRY();
	{
		CallSyscacheCallbacks(PROCOID, mark);
	}
	PG_FINALLY();
	{
		calling = 0;
	}
	PG_END_TRY();
}

bool
pfo_is_making_anew(int cache_id, uint32 hash_value)
{
	return calling != 0 && cache_id == PROCOID && hash_value == calling;
}
