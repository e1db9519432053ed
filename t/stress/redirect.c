/*-------------------------------------------------------------------------
 *
 * redirect.c
 *	  A library that gives the rows of statements to a receiver of its own,
 *	  as one that masks values may do: every second row goes to the client.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "fmgr.h"
#include "tcop/dest.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

typedef struct Redirect
{
	DestReceiver pub;
	DestReceiver *client;
	uint64		rows;
} Redirect;

static ExecutorRun_hook_type prev_executor_run = NULL;

static void
start(DestReceiver *self, int operation, TupleDesc desc)
{
	DestReceiver *client = ((Redirect *) self)->client;

	client->rStartup(client, operation, desc);
}

static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	Redirect   *redirect = (Redirect *) self;

	if (redirect->rows++ % 2 != 0)
		return true;
	return redirect->client->receiveSlot(slot, redirect->client);
}

static void
stop(DestReceiver *self)
{
	DestReceiver *client = ((Redirect *) self)->client;

	client->rShutdown(client);
}

#if PG_VERSION_NUM >= 180000
#define RUN_PARAMS	QueryDesc *queryDesc, ScanDirection direction, uint64 count
#define RUN_ARGS	queryDesc, direction, count
#else
#define RUN_PARAMS	QueryDesc *queryDesc, ScanDirection direction, \
	uint64 count, bool execute_once
#define RUN_ARGS	queryDesc, direction, count, execute_once
#endif

static void
executor_run(RUN_PARAMS)
{
	DestReceiver *client = queryDesc->dest;
	Redirect	redirect = {.client = client};

	redirect.pub.receiveSlot = receive;
	redirect.pub.rStartup = start;
	redirect.pub.rShutdown = stop;
	redirect.pub.mydest = client->mydest;
	queryDesc->dest = &redirect.pub;
	(prev_executor_run ? prev_executor_run : standard_ExecutorRun) (RUN_ARGS);
	queryDesc->dest = client;
}

void
_PG_init(void)
{
	prev_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = executor_run;
}
