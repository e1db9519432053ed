/*-------------------------------------------------------------------------
 *
 * compare.c
 *	  The same asked twice in one snapshot: once executed, once as the cache
 *	  likes.
 *
 * By modes: perfopt.cache = off makes it execute.  Switching the mode makes
 * the session's cached plans anew.
 *
 * By twins: a statement, or a function with statements, that carries a
 * comment which keeps the cache away.  Cached plans stay, but what has no
 * text (BEGIN ATOMIC) has no comment either.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stress.h"

bool
begin_repeatable(void)
{
	return run("BEGIN ISOLATION LEVEL REPEATABLE READ") &&
		run("SET LOCAL perfopt.cache_verify = 0");
}

char *
give_statement(void *sql)
{
	return answer_of(query(sql), false);
}

char *
give_ordered(void *sql)
{
	return answer_of(query(sql), true);
}

typedef struct Given
{
	char	   *answer;
	long		scans;
} Given;

/*
 * NULL for the answer if there is none.  "count" is that of the scans so far,
 * and is brought up to date.
 */
static Given
given(Giver give, void *arg, long *count)
{
	Given		g = {NULL, 0};
	long		before = *count;

	if (before < 0)
		return g;
	g.answer = give(arg);
	/* in a failed transaction nobody can tell */
	if (g.answer != NULL && PQtransactionStatus(conn) != PQTRANS_INERROR)
	{
		*count = scans();
		g.scans = *count - before;
	}
	return g;
}

/*
 * Within a transaction.  "before" is what to set each time, behind the mode;
 * "guarded" makes errors an answer with which the transaction can go on.
 */
bool
compare_modes(Kind kind, const char *what, Giver give, void *arg,
			  const char *before, bool guarded, long steps)
{
	int			off = upto(3);
	int			runs = 2 + (percent(70) ? 1 : 0);
	Given		g[3];
	bool		ok = true;
	int			n;

	if (off >= runs)
		off = 0;
	for (n = 0; ok && n < runs; n++)
	{
		long		count = scans_after("%sSET LOCAL perfopt.cache = %s;%s",
										guarded ? "SAVEPOINT guard;" : "",
										n == off ? "off" : "force", before);

		g[n] = given(give, arg, &count);
		ok = g[n].answer != NULL;
		if (ok && guarded)
			ok = run("%s guard; RESET ROLE",
					 PQtransactionStatus(conn) == PQTRANS_INERROR ?
					 "ROLLBACK TO" : "RELEASE");
	}
	for (int i = 0; ok && i < runs; i++)
	{
		if (i != off)
			compared(kind, what, g[off].answer, g[i].answer,
					 g[i].scans < g[off].scans, steps);
	}
	while (n-- > 0)
		free(g[n].answer);
	return ok;
}

/* Within a transaction, with whatever mode is on. */
bool
compare_twins(Kind kind, const char *what, Giver give, void *arg,
			  Giver give_twin, void *twin_arg, long steps)
{
	bool		twin_first = percent(50);
	long		count = scans();
	Given		first = given(twin_first ? give_twin : give,
							  twin_first ? twin_arg : arg, &count);
	Given		second = {NULL, 0};
	bool		ok = first.answer != NULL;

	if (ok)
		second = given(twin_first ? give : give_twin,
					   twin_first ? arg : twin_arg, &count);
	ok = second.answer != NULL;
	if (ok && twin_first)
		compared(kind, what, first.answer, second.answer,
				 second.scans < first.scans, steps);
	else if (ok)
		compared(kind, what, second.answer, first.answer,
				 first.scans < second.scans, steps);
	free(first.answer);
	free(second.answer);
	return ok;
}
