/*-------------------------------------------------------------------------
 *
 * replay.c
 *	  What answering costs at least: the same bytes, without looking for them.
 *
 * Loaded by a session of bench/run, which sets replay.mode to "record" for one
 * statement, whose DataRow messages are kept, and to "play" for those that
 * follow: each is planned and started as ever, and instead of running it these
 * messages are written to the socket.  Nothing else should be asked of such a
 * session.
 *
 * Copyright (c) 2026, the perfopt authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

/* as in src/cache/wire.c: headers of libraries that are not needed here */
#undef ENABLE_GSS
#undef USE_OPENSSL

#include "executor/executor.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/libpq.h"
#include "libpq/libpq-be.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/guc.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

typedef enum ReplayMode
{
	MODE_NONE,
	MODE_RECORD,
	MODE_PLAY
} ReplayMode;

static const struct config_enum_entry modes[] = {
	{"none", MODE_NONE, false},
	{"record", MODE_RECORD, false},
	{"play", MODE_PLAY, false},
	{NULL, 0, false}
};

static int	mode = MODE_NONE;
static StringInfoData recorded;
static const PQcommMethods *usual_methods;

static int
record_message(char type, const char *body, size_t len)
{
	if (type == 'D')
	{
		uint32		length = pg_hton32((uint32) (len + sizeof(uint32)));

		appendStringInfoChar(&recorded, type);
		appendBinaryStringInfo(&recorded, (char *) &length, sizeof(length));
		appendBinaryStringInfo(&recorded, body, (int) len);
	}
	return usual_methods->putmessage(type, body, len);
}

static void
record(QueryDesc *queryDesc, ScanDirection direction, uint64 count)
{
	PQcommMethods methods = *PqCommMethods;

	resetStringInfo(&recorded);
	usual_methods = PqCommMethods;
	methods.putmessage = record_message;
	PqCommMethods = &methods;
	PG_TRY();
	{
		standard_ExecutorRun(queryDesc, direction, count, true);
	}
	PG_FINALLY();
	{
		PqCommMethods = usual_methods;
	}
	PG_END_TRY();
}

static void
play(QueryDesc *queryDesc)
{
	int			done = 0;

	queryDesc->dest->rStartup(queryDesc->dest, queryDesc->operation,
							  queryDesc->tupDesc);
	(void) pq_flush();
	while (done < recorded.len)
	{
		ssize_t		n = secure_write(MyProcPort, recorded.data + done,
									 recorded.len - done);

		if (n <= 0)
			ereport(FATAL,
					(errcode(ERRCODE_CONNECTION_FAILURE),
					 errmsg("the client does not read what is replayed")));
		done += n;
	}
	queryDesc->dest->rShutdown(queryDesc->dest);
}

static void
replay_run(QueryDesc *queryDesc, ScanDirection direction, uint64 count,
		   bool execute_once)
{
	if (mode == MODE_RECORD)
		record(queryDesc, direction, count);
	else if (mode == MODE_PLAY && recorded.len > 0)
		play(queryDesc);
	else
		standard_ExecutorRun(queryDesc, direction, count, execute_once);
}

void
_PG_init(void)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	initStringInfo(&recorded);
	MemoryContextSwitchTo(old);
	DefineCustomEnumVariable("replay.mode", "What is done with statements.",
							 NULL, &mode, MODE_NONE, modes, PGC_USERSET, 0,
							 NULL, NULL, NULL);
	ExecutorRun_hook = replay_run;
}
