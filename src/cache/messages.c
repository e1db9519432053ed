/*-------------------------------------------------------------------------
 *
 * messages.c
 *	  Has the client been sent a notice or warning meanwhile?
 *
 * An answer from the cache cannot repeat the notices of the execution that
 * filled it, so such an execution is not stored.  Notices reach the client
 * through PostgreSQL's table of protocol methods only (a log hook is not
 * called for those that are not logged).  The table is replaced by one that
 * counts and passes on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

/* a connection's security is not looked at: do not ask for its headers */
#undef ENABLE_GSS
#undef USE_OPENSSL
#include "libpq/libpq.h"
#include "tcop/tcopprot.h"

#include "cache/messages.h"

static const PQcommMethods *postgres_methods;
static const PQcommMethods *next_methods = NULL;
static PQcommMethods counting_methods;
static uint64 messages_sent = 0;

static int
putmessage(char type, const char *s, size_t len)
{
	if (type == 'N')
		messages_sent++;
	return next_methods->putmessage(type, s, len);
}

void
pfo_messages_init(void)
{
	postgres_methods = PqCommMethods;
}

bool
pfo_messages_are_direct(void)
{
	return PqCommMethods == postgres_methods ||
		(PqCommMethods == &counting_methods &&
		 next_methods == postgres_methods);
}

bool
pfo_messages_watch(void)
{
	if (whereToSendOutput != DestRemote)
		return false;
	if (next_methods == NULL)
	{
		next_methods = PqCommMethods;
		counting_methods = *next_methods;
		counting_methods.putmessage = putmessage;
		PqCommMethods = &counting_methods;
	}
	/* somebody else took it since: nothing can be counted */
	return PqCommMethods == &counting_methods;
}

uint64
pfo_messages_sent(void)
{
	return messages_sent;
}
