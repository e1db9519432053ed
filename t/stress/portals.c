/*-------------------------------------------------------------------------
 *
 * portals.c
 *	  Portals of the protocol that are run for some rows at a time, as
 *	  drivers do with a fetch size.
 *
 * libpq asks for all rows only.  So between two of its statements, inside a
 * transaction, messages are sent and read on its socket: it notices nothing,
 * since all is read up to ReadyForQuery.  For this the connection must be
 * neither encrypted nor in a pipeline.
 *
 *-------------------------------------------------------------------------
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress.h"

static char out[2000];
static size_t out_used;

static void
add_bytes(const void *bytes, size_t n)
{
	if (n > sizeof(out) - out_used)
		fatal("message too long");
	memcpy(out + out_used, bytes, n);
	out_used += n;
}

static void
add_string(const char *s)
{
	add_bytes(s, strlen(s) + 1);
}

static void
add_int16(int n)
{
	uint16_t	i = htons((uint16_t) n);

	add_bytes(&i, sizeof(i));
}

static void
add_int32(int n)
{
	uint32_t	i = htonl((uint32_t) n);

	add_bytes(&i, sizeof(i));
}

static size_t
begin_message(char type)
{
	add_bytes(&type, 1);
	add_int32(0);
	return out_used - 4;
}

static void
end_message(size_t at)
{
	uint32_t	length = htonl((uint32_t) (out_used - at));

	memcpy(out + at, &length, sizeof(length));
}

/* false if the connection is lost, which libpq will find out for itself */
static bool
transfer(bool reading, char *bytes, size_t n)
{
	while (n > 0)
	{
		struct pollfd p = {PQsocket(conn), reading ? POLLIN : POLLOUT, 0};
		ssize_t		done = reading ? read(p.fd, bytes, n) :
			write(p.fd, bytes, n);

		if (done > 0)
		{
			bytes += done;
			n -= (size_t) done;
		}
		else if (done < 0 && (errno == EAGAIN || errno == EINTR))
			poll(&p, 1, 1000);
		else
			return false;
	}
	return true;
}

/*
 * Sends what there is with a Sync.  Gives the rows as sent, in hexadecimal,
 * and how the portal ended; NULL on an error.
 */
static char *
exchange(void)
{
	char	   *answer = strdup("");
	size_t		used = 0;
	bool		ok;
	char		type = 0;

	end_message(begin_message('S'));
	ok = transfer(false, out, out_used);
	out_used = 0;
	while (type != 'Z')
	{
		char		head[5];
		uint32_t	length;
		char	   *body;

		if (!ok || !transfer(true, head, sizeof(head)))
		{
			free(answer);
			return NULL;
		}
		type = head[0];
		memcpy(&length, head + 1, sizeof(length));
		length = ntohl(length) - 4;
		body = malloc(length + 1);
		if (!transfer(true, body, length))
			type = 'E';
		if (type == 'D' || type == 'C' || type == 's')
		{
			answer = realloc(answer, used + 2 * length + 3);
			answer[used++] = type;
			for (uint32_t i = 0; i < length; i++)
				used += (size_t) sprintf(answer + used, "%02x",
										 (unsigned char) body[i]);
			answer[used++] = '\n';
			answer[used] = '\0';
		}
		free(body);
		if (type == 'E')
			used = 0, answer[0] = '!';
	}
	if (answer[0] != '!')
		return answer;
	free(answer);
	return NULL;
}

/* one Parse and Bind with the parameter, which is an int */
static void
add_portal(const char *name, const char *sql, int value, bool binary)
{
	char		number[20];
	size_t		at = begin_message('P');

	add_string("");
	add_string(sql);
	add_int16(0);
	end_message(at);
	snprintf(number, sizeof(number), "%d", value);
	at = begin_message('B');
	add_string(name);
	add_string("");
	add_int16(0);
	add_int16(1);
	add_int32((int) strlen(number));
	add_bytes(number, strlen(number));
	add_int16(1);
	add_int16(binary);
	end_message(at);
}

static void
add_execute(const char *name, int rows)
{
	size_t		at = begin_message('E');

	add_string(name);
	add_int32(rows);
	end_message(at);
}

/* Within a transaction of one snapshot. */
bool
compare_portals(const char *sql, int value, bool (*disturb) (void))
{
	static const char *const names[] = {"p", "q"};
	char		twin[600];
	bool		binary = percent(50);
	bool		served = false;
	bool		ok = true;

	snprintf(twin, sizeof(twin), "%s " CALM, sql);
	for (int n = 0; ok && n < 5; n++)
	{
		int			rows = n == 4 || percent(20) ? 0 : 1 + upto(6);
		char	   *answers[2] = {NULL, NULL};
		long		counts[3];

		counts[0] = scans();
		for (int i = 0; ok && i < 2; i++)
		{
			action("portal %s, %d rows of (%d) %s", names[i], rows, value,
				   i == 0 ? sql : twin);
			if (n == 0)
				add_portal(names[i], i == 0 ? sql : twin, value, binary);
			add_execute(names[i], rows);
			answers[i] = exchange();
			counts[i + 1] = answers[i] ? scans() : -1;
			ok = counts[i + 1] >= 0;
		}
		if (ok)
		{
			served = served || counts[1] - counts[0] < counts[2] - counts[1];
			compared(KIND_PORTAL, sql, answers[1], answers[0], served, NO_STEPS);
			/* at its end a portal may not be run again */
			if (strstr(answers[0], "\nC") != NULL || answers[0][0] == 'C')
				n = 5;
		}
		free(answers[0]);
		free(answers[1]);
		if (ok && n < 5 && percent(30))
			ok = disturb();
	}
	return ok;
}
