/*-------------------------------------------------------------------------
 *
 * wire.c
 *	  Answers as the bytes that clients are sent.
 *
 * Most of the time of a large hit goes into turning values into text or into
 * their binary form, the same for each client.  So an entry keeps, beside its
 * tuples, the DataRow messages that PostgreSQL made of them for the first
 * client that asked, and others are sent these.
 *
 * WHY THAT IS EXACT.  The messages are made by PostgreSQL's own code
 * (printtup.c), which is given a place in memory in place of the connection;
 * by a receiver of its own, since one that failed halfway cannot be used
 * again.  They depend on the tuples, on the formats of the columns, which are
 * kept beside them and compared, on settings, all of which are in the key, and
 * on the encoding: clients that want another than the database's get tuples,
 * and so do columns of a type whose output reads catalogs (is_plain()).
 * Everything else in the stream is sent by PostgreSQL as ever.
 *
 * SENDING.  What fits in the connection's buffer is put there, message by
 * message.  More is written to the socket directly, in pieces that end with a
 * row, so that a cancel is noticed and its error fits in the stream.  As
 * everywhere in the protocol's code, nothing else may be sent in the middle of
 * a piece, as the farewell of a session that is told to quit: from its first
 * byte to its last the methods of the connection do nothing.
 *
 * A client that is slow to read keeps nothing pinned: the first time that the
 * socket is full, the rest is copied into backend memory.  Only then is it
 * waited for, by secure_write(), which looks after interrupts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

/*
 * A connection's security is not looked at: do not ask for its headers.
 * struct Port is laid out the same without, as far as it is used here
 * (libpq-be.h).
 */
#undef ENABLE_GSS
#undef USE_OPENSSL

#include "access/printtup.h"
#include "catalog/pg_type.h"
#include "libpq/libpq.h"
#include "libpq/libpq-be.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "tcop/dest.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/guc.h"
#include "cache/messages.h"
#include "cache/wire.h"

#define IN_BUFFER	8192		/* bytes; the size of a connection's buffer */
#define PIECE		(256 * 1024)	/* bytes written at once, and a row */
#define MAX_PIECES	4096
#define HEADER		5			/* bytes: type and length of a message */

/* What makes DataRow messages; static in printtup.c. */
static bool (*print_row) (TupleTableSlot *slot, DestReceiver *self);

void
pfo_wire_init(void)
{
	DestReceiver *receiver = CreateDestReceiver(DestRemote);

	print_row = receiver->receiveSlot;
	receiver->rDestroy(receiver);
}

static bool
needs_conversion(void)
{
	int			encoding = pg_get_client_encoding();

	return encoding != GetDatabaseEncoding() && encoding != PG_SQL_ASCII;
}

/* Formats that there are not raise an error at the first row, as ever. */
static bool
are_known(const int16 *formats, int nformats)
{
	for (int i = 0; formats != NULL && i < nformats; i++)
	{
		if (formats[i] != 0 && formats[i] != 1)
			return false;
	}
	return true;
}

PfoClient
pfo_wire_client(QueryDesc *queryDesc)
{
	PfoClient	client = {NULL};

	if (pfo_cache_wire && queryDesc->dest->receiveSlot == print_row &&
		pfo_messages_are_direct() && whereToSendOutput == DestRemote &&
		ActivePortal != NULL && ActivePortal->queryDesc == queryDesc &&
		are_known(ActivePortal->formats, queryDesc->tupDesc->natts) &&
		!needs_conversion())
	{
		client.portal = ActivePortal;
		client.formats = ActivePortal->formats;
		client.receiver = queryDesc->dest;
	}
	return client;
}

bool
pfo_wire_client_holds(const PfoClient *client)
{
	return client->portal->queryDesc->dest == client->receiver;
}

static bool
same_formats(const PfoForm *form, const int16 *formats)
{
	const int16 *kept = pfo_form_formats(form);

	if (formats != NULL)
		return memcmp(kept, formats, form->nformats * sizeof(int16)) == 0;
	for (uint32 i = 0; i < form->nformats; i++)
	{
		if (kept[i] != 0)
			return false;
	}
	return true;
}

PfoForm *
pfo_wire_find(PfoEntry *entry, const PfoClient *client)
{
	if (client->portal == NULL)
		return NULL;
	for (PfoFormKind kind = PFO_FORM_WIRE; kind < PFO_NFORMS; kind++)
	{
		PfoForm    *form = pfo_entry_form(entry, kind);

		if (form != NULL && same_formats(form, client->formats))
			return form;
	}
	return NULL;
}

/* ----------------------------------------------------------------
 *						making them
 * ----------------------------------------------------------------
 */

/* DataRow messages made so far */
typedef struct Messages
{
	MemoryContext context;
	char	   *data;
	Size		used;
	Size		size;
	bool		failed;			/* too large, or something else was sent */
	uint32		npieces;
	uint32		pieces[MAX_PIECES]; /* where they end */
} Messages;

static Messages *making;
static const PQcommMethods *usual_methods;

/*
 * Is the output of this type a function of the value and of settings in the
 * key?  Not if a catalog is read: who makes the bytes might not have heard of
 * its latest change.
 */
static bool
is_plain(Oid type)
{
	Oid			element;

	type = getBaseType(type);
	element = get_element_type(type);
	if (OidIsValid(element))
		type = getBaseType(element);
	switch (type)
	{
		case BOOLOID:
		case BYTEAOID:
		case CHAROID:
		case NAMEOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case TEXTOID:
		case BPCHAROID:
		case VARCHAROID:
		case JSONOID:
		case JSONBOID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case DATEOID:
		case TIMEOID:
		case TIMETZOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case INTERVALOID:
		case BITOID:
		case VARBITOID:
		case UUIDOID:
		case INETOID:
		case CIDROID:
		case MACADDROID:
		case MACADDR8OID:
			return true;
		default:
			return false;
	}
}

static bool
are_plain(const PfoEntry *entry)
{
	const Oid  *types = pfo_entry_array(entry, types, Oid);

	for (uint32 i = 0; i < entry->info.natts; i++)
	{
		if (!is_plain(types[i]))
			return false;
	}
	return true;
}

/* Room for that many bytes more. */
static bool
enlarge(Messages *messages, Size need)
{
	Size		limit = (Size) pfo_cache_max_result * 1024;
	Size		size = messages->size;
	char	   *data;

	need += messages->used;
	if (need <= size)
		return true;
	if (need > limit)
		return false;
	size = Min(Max(size * 2, need), limit);
	data = MemoryContextAllocExtended(messages->context, size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (data == NULL)
		return false;
	memcpy(data, messages->data, messages->used);
	pfree(messages->data);
	messages->data = data;
	messages->size = size;
	return true;
}

/* What stands for the connection while rows are made: it keeps them. */
static int
keep_message(char type, const char *body, size_t len)
{
	Messages   *messages = making;
	uint32		length = pg_hton32((uint32) (len + sizeof(uint32)));
	char	   *at;

	if (type != 'D')
	{
		messages->failed = true;
		return usual_methods->putmessage(type, body, len);
	}
	if (messages->failed || !enlarge(messages, HEADER + len))
	{
		messages->failed = true;
		return 0;
	}
	at = messages->data + messages->used;
	*at = type;
	memcpy(at + 1, &length, sizeof(length));
	memcpy(at + HEADER, body, len);
	messages->used += HEADER + len;
	if (messages->used - (messages->npieces == 0 ? 0 :
						  messages->pieces[messages->npieces - 1]) >= PIECE)
		messages->pieces[messages->npieces++] = messages->used;
	return 0;
}

static void
print_rows(PfoEntry *entry, Portal portal, TupleTableSlot *slot)
{
	PfoForm    *tuples = pfo_entry_form(entry, PFO_FORM_TUPLES);
	PQcommMethods methods = *PqCommMethods;
	/* this kind sends no description of the rows */
	DestReceiver *dest = CreateDestReceiver(DestRemoteExecute);

	SetRemoteDestReceiverParams(dest, portal);
	dest->rStartup(dest, CMD_SELECT, slot->tts_tupleDescriptor);
	usual_methods = PqCommMethods;
	methods.putmessage = keep_message;
	PqCommMethods = &methods;
	PG_TRY();
	{
		for (uint32 i = 0; i < tuples->nindex && !making->failed; i++)
		{
			char	   *row = pfo_form_rows(tuples) +
				pfo_form_index(tuples)[i];

			CHECK_FOR_INTERRUPTS();
			ExecStoreMinimalTuple((MinimalTuple) row, slot, false);
			dest->receiveSlot(slot, dest);
		}
	}
	PG_CATCH();
	{
		PqCommMethods = usual_methods;
		/* a cancel says nothing of the rows: let the next one try */
		if (geterrcode() == ERRCODE_QUERY_CANCELED)
			pg_atomic_write_u32(&entry->tuples_only, 0);
		PG_RE_THROW();
	}
	PG_END_TRY();
	PqCommMethods = usual_methods;
	ExecClearTuple(slot);
	dest->rShutdown(dest);
	dest->rDestroy(dest);
}

/* Keep the messages in shared memory, beside the tuples. */
static bool
attach(PfoEntry *entry, const Messages *messages, const PfoClient *client)
{
	uint32		natts = entry->info.natts;
	PfoForm    *form = pfo_store_new_form(messages->npieces, natts,
										  messages->used);

	if (form == NULL)
		return false;
	if (messages->npieces > 0)
		memcpy(pfo_form_index(form), messages->pieces,
			   messages->npieces * sizeof(uint32));
	for (uint32 i = 0; i < natts; i++)
		pfo_form_formats(form)[i] = client->formats == NULL ? 0 :
			client->formats[i];
	memcpy(pfo_form_rows(form), messages->data, messages->used);
	return pfo_store_attach_form(entry, form);
}

PfoForm *
pfo_wire_make(PfoEntry *entry, const PfoClient *client, TupleTableSlot *slot)
{
	PfoForm    *tuples = pfo_entry_form(entry, PFO_FORM_TUPLES);
	Messages   *messages;

	/* so it stays, if any of this fails */
	if (pfo_entry_form(entry, PFO_FORM_WIRE_OTHER) != NULL ||
		pg_atomic_exchange_u32(&entry->tuples_only, 1) != 0)
		return NULL;
	if (entry->info.nrows == 0 || !are_plain(entry))
		return NULL;

	messages = palloc(sizeof(Messages));
	messages->context = CurrentMemoryContext;
	messages->used = 0;
	messages->size = Max(tuples->bytes, 256);
	messages->data = palloc_extended(messages->size,
									 MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	messages->failed = messages->data == NULL;
	messages->npieces = 0;
	making = messages;
	if (!messages->failed)
		print_rows(entry, client->portal, slot);
	if (messages->failed || !attach(entry, messages, client))
		return NULL;
	pfree(messages->data);
	pfree(messages);
	pg_atomic_write_u32(&entry->tuples_only, 0);
	return pfo_wire_find(entry, client);
}

/* ----------------------------------------------------------------
 *						sending them
 * ----------------------------------------------------------------
 */

/* What is being sent */
typedef struct Sending
{
	const char *rows;
	Size		bytes;
	Size		done;
	bool		ours;			/* rows are a copy, or cannot become one */
	void		(*let_go) (void *arg);
	void	   *arg;
} Sending;

/* The methods of a connection that is in the middle of a message */
static const PQcommMethods *muted;

/* What reports an error that came out of it begins with this. */
static void
mute_reset(void)
{
	PqCommMethods = muted;
	pq_comm_reset();
}

static int
mute_flush(void)
{
	return 0;
}

static bool
mute_pending(void)
{
	return false;
}

static int
mute_message(char type, const char *body, size_t len)
{
	return 0;
}

static void
mute_noblock(char type, const char *body, size_t len)
{
}

static const PQcommMethods mute_methods = {
	.comm_reset = mute_reset,
	.flush = mute_flush,
	.flush_if_writable = mute_flush,
	.is_send_pending = mute_pending,
	.putmessage = mute_message,
	.putmessage_noblock = mute_noblock
};

/* The client is slow: copy the rest, and let go of what it is in. */
static void
take_along(Sending *sending)
{
	Size		rest = sending->bytes - sending->done;
	char	   *copy;

	sending->ours = true;
	copy = palloc_extended(rest, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (copy == NULL)
		return;					/* send it from where it is */
	memcpy(copy, sending->rows + sending->done, rest);
	sending->rows = copy;
	sending->bytes = rest;
	sending->done = 0;
	sending->let_go(sending->arg);
}

/* As internal_flush() of pqcomm.c when the client is gone. */
static void
lose_client(void)
{
	ereport(COMMERROR,
			(errcode_for_socket_access(),
			 errmsg("could not send data to client: %m")));
	ClientConnectionLost = 1;
	InterruptPending = 1;
}

/* Write that many bytes.  False if the client is gone. */
static bool
write_piece(Sending *sending, Size len)
{
	bool		lost = false;

	muted = PqCommMethods;
	PqCommMethods = &mute_methods;
	while (len > 0 && !lost)
	{
		ssize_t		n;

		MyProcPort->noblock = !sending->ours;
		n = secure_write(MyProcPort,
						 unconstify(char *, sending->rows + sending->done),
						 len);
		MyProcPort->noblock = false;

		if (n > 0)
		{
			sending->done += n;
			len -= n;
		}
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			take_along(sending);
		else if (errno != EINTR)
		{
			lose_client();
			lost = true;
		}
	}
	PqCommMethods = muted;
	return !lost;
}

/* Write everything, behind what is in the connection's buffer. */
static void
write_pieces(Sending *sending, const PfoForm *form)
{
	uint32		npieces = form->nindex;
	uint32		pieces[MAX_PIECES];
	Size		total = form->bytes;
	Size		start = 0;

	/* the form can go away while they are sent */
	memcpy(pieces, pfo_form_index(form), npieces * sizeof(uint32));
	/* if the client is gone, the next check ends the session, as ever */
	(void) pq_flush_if_writable();
	if (pq_is_send_pending())
	{
		take_along(sending);
		(void) pq_flush();
	}
	for (uint32 i = 0; i <= npieces; i++)
	{
		Size		end = i < npieces ? pieces[i] : total;

		CHECK_FOR_INTERRUPTS();
		if (!write_piece(sending, end - start))
			break;
		start = end;
	}
	/* TLS, for one, takes nothing else after a failure */
	CHECK_FOR_INTERRUPTS();
}

static void
put_messages(const char *rows, Size bytes)
{
	const char *end = rows + bytes;

	while (rows < end)
	{
		uint32		length;

		memcpy(&length, rows + 1, sizeof(length));
		length = pg_ntoh32(length) - sizeof(length);
		(void) pq_putmessage('D', rows + HEADER, length);
		rows += HEADER + length;
	}
}

void
pfo_wire_send(const PfoForm *form, void (*let_go) (void *arg), void *arg)
{
	Sending		sending = {
		.rows = pfo_form_rows(form),
		.bytes = form->bytes,
		.let_go = let_go,
		.arg = arg
	};

	if (form->bytes <= IN_BUFFER)
		put_messages(sending.rows, sending.bytes);
	else
		write_pieces(&sending, form);
}
