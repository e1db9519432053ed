/*-------------------------------------------------------------------------
 *
 * client.c
 *	  Measures the CPU time a server process spends on a statement.
 *
 * pgbench measures what a client sees: throughput and latency, with the
 * client's own work, the scheduler and the neighbours in it.  The question
 * here is narrower, what one execution costs the server, and the differences
 * looked for are fractions of a microsecond.  So this client reads the
 * backend's own account, /proc/PID/schedstat, whose first number is the time
 * spent on a CPU in nanoseconds, before and after a batch of executions.
 *
 * The things to be compared are called cells: a connection with its
 * settings, a protocol, and the statements of a transaction.  Each round runs
 * one batch of every cell in an order drawn anew, so that whatever disturbs
 * the machine disturbs all of them, and the ratio of two cells is taken
 * within the round.  Reported are medians over the rounds and the rank
 * interval of the median (two order statistics; no distribution is assumed)
 * at 95 per cent.  Connections are made anew several times during a run,
 * since where a process happens to lie in memory is worth a per cent, too.
 *
 * The cells come on standard input, a word and its argument on each line:
 *
 *	  cell NAME			begins a cell
 *	  conn CONNINFO		for libpq
 *	  mode MODE			simple or prepared
 *	  set STATEMENT		executed once on each new connection
 *	  var NAME LO HI	drawn for each transaction; :NAME in a statement
 *	  stmt STATEMENT	executed in each transaction, in this order
 *	  ratio NAME NAME	after all cells: the first one divided by the other
 *
 * In mode prepared the variables become parameters, in mode simple they are
 * replaced in the text.
 *
 * Copyright (c) 2026, the perfopt authors
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#define MAX_CELLS	64
#define MAX_RATIOS	64
#define MAX_ITEMS	8
#define MAX_TEXT	4096
#define WARM_UP		40			/* transactions, enough for a generic plan */

typedef struct Variable
{
	char	   *name;
	int			low;
	int			high;
	char		value[16];		/* of the current transaction */
} Variable;

typedef struct Statement
{
	char	   *text;			/* as given */
	char		prepared[MAX_TEXT]; /* with $n in place of the variables */
	int			nparams;
	int			params[MAX_ITEMS];	/* which variable is $n */
} Statement;

typedef struct Cell
{
	char	   *name;
	char	   *conninfo;
	int			prepared;
	int			nsettings;
	char	   *settings[MAX_ITEMS];
	int			nvariables;
	Variable	variables[MAX_ITEMS];
	int			nstatements;
	Statement	statements[MAX_ITEMS];

	PGconn	   *conn;
	int			pid;
	int			batch;			/* transactions a round, 0 = not yet known */
	long		executed;		/* transactions in all, warming up included */
	double	   *cpu;			/* microseconds a transaction, by round */
} Cell;

typedef struct Ratio
{
	Cell	   *dividend;
	Cell	   *divisor;
} Ratio;

static Cell cells[MAX_CELLS];
static int	ncells = 0;
static Ratio ratios[MAX_RATIOS];
static int	nratios = 0;
static uint64_t random_state = 88172645463325252ULL;

static void
fail(const char *format,...)
{
	va_list		args;

	fputs("client: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* xorshift64: the same draws in each run */
static uint64_t
draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

/* ---------- the description of the cells ---------- */

static Cell *
find_cell(const char *name)
{
	for (int i = 0; i < ncells; i++)
	{
		if (strcmp(cells[i].name, name) == 0)
			return &cells[i];
	}
	fail("no cell \"%s\"", name);
	return NULL;
}

/* The variable whose name stands at "text", or -1. */
static int
variable_at(const Cell *cell, const char *text)
{
	for (int i = 0; i < cell->nvariables; i++)
	{
		size_t		len = strlen(cell->variables[i].name);

		if (strncmp(text, cell->variables[i].name, len) == 0)
			return i;
	}
	return -1;
}

/*
 * Write "text" with each variable replaced: by its value, or, if "statement"
 * is given, by a parameter that is noted there.
 */
static void
substitute(Cell *cell, const char *text, Statement *statement, char *out)
{
	size_t		len = 0;

	while (*text != '\0')
	{
		int			variable = *text == ':' ? variable_at(cell, text + 1) : -1;

		if (len + 32 > MAX_TEXT)
			fail("a statement is too long");
		if (variable < 0)
		{
			out[len++] = *text++;
			continue;
		}
		if (statement != NULL)
		{
			statement->params[statement->nparams++] = variable;
			len += sprintf(out + len, "$%d", statement->nparams);
		}
		else
			len += sprintf(out + len, "%s", cell->variables[variable].value);
		text += 1 + strlen(cell->variables[variable].name);
	}
	out[len] = '\0';
}

static void
read_item(Cell *cell, const char *word, char *argument)
{
	if (strcmp(word, "conn") == 0)
		cell->conninfo = strdup(argument);
	else if (strcmp(word, "mode") == 0)
		cell->prepared = strcmp(argument, "prepared") == 0;
	else if (strcmp(word, "set") == 0 && cell->nsettings < MAX_ITEMS)
		cell->settings[cell->nsettings++] = strdup(argument);
	else if (strcmp(word, "var") == 0 && cell->nvariables < MAX_ITEMS)
	{
		Variable   *variable = &cell->variables[cell->nvariables++];

		variable->name = strdup(strtok(argument, " "));
		variable->low = atoi(strtok(NULL, " "));
		variable->high = atoi(strtok(NULL, " "));
	}
	else if (strcmp(word, "stmt") == 0 && cell->nstatements < MAX_ITEMS)
	{
		Statement  *statement = &cell->statements[cell->nstatements++];

		statement->text = strdup(argument);
		substitute(cell, statement->text, statement, statement->prepared);
	}
	else
		fail("\"%s\" is unknown, or too many of them", word);
}

static void
read_cells(FILE *in)
{
	char		line[MAX_TEXT];

	while (fgets(line, sizeof(line), in) != NULL)
	{
		char	   *argument;

		line[strcspn(line, "\n")] = '\0';
		argument = strchr(line, ' ');
		if (argument == NULL)
			continue;
		*argument++ = '\0';
		if (strcmp(line, "cell") == 0 && ncells < MAX_CELLS)
			cells[ncells++].name = strdup(argument);
		else if (strcmp(line, "ratio") == 0 && nratios < MAX_RATIOS)
		{
			ratios[nratios].dividend = find_cell(strtok(argument, " "));
			ratios[nratios].divisor = find_cell(strtok(NULL, " "));
			nratios++;
		}
		else if (ncells == 0)
			fail("\"%s\" stands before the first cell", line);
		else
			read_item(&cells[ncells - 1], line, argument);
	}
}

/* ---------- connections ---------- */

static PGresult *
check(Cell *cell, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail("%s: %s", cell->name, PQerrorMessage(cell->conn));
	return result;
}

static void
transaction(Cell *cell)
{
	for (int i = 0; i < cell->nvariables; i++)
	{
		Variable   *variable = &cell->variables[i];

		sprintf(variable->value, "%d", variable->low +
				(int) draw(variable->high - variable->low + 1));
	}
	for (int i = 0; i < cell->nstatements; i++)
	{
		Statement  *statement = &cell->statements[i];
		PGresult   *result;

		if (cell->prepared)
		{
			const char *values[MAX_ITEMS];
			char		name[16];

			for (int p = 0; p < statement->nparams; p++)
				values[p] = cell->variables[statement->params[p]].value;
			sprintf(name, "s%d", i);
			result = PQexecPrepared(cell->conn, name, statement->nparams,
									values, NULL, NULL, 0);
		}
		else
		{
			char		text[MAX_TEXT];

			substitute(cell, statement->text, NULL, text);
			result = PQexec(cell->conn, text);
		}
		PQclear(check(cell, result));
	}
	cell->executed++;
}

/*
 * Connect, and find out how many transactions fill "slice_us".  The number
 * is kept for the whole run.
 */
static void
open_cell(Cell *cell, double slice_us)
{
	double		start;
	int			warm_up = WARM_UP;

	cell->conn = PQconnectdb(cell->conninfo);
	if (PQstatus(cell->conn) != CONNECTION_OK)
		fail("%s: %s", cell->name, PQerrorMessage(cell->conn));
	for (int i = 0; i < cell->nsettings; i++)
		PQclear(check(cell, PQexec(cell->conn, cell->settings[i])));
	cell->pid = PQbackendPID(cell->conn);
	for (int i = 0; cell->prepared && i < cell->nstatements; i++)
	{
		char		name[16];

		sprintf(name, "s%d", i);
		PQclear(check(cell, PQprepare(cell->conn, name,
									  cell->statements[i].prepared, 0, NULL)));
	}

	/* Values that are drawn should all have been seen. */
	for (int i = 0; i < cell->nvariables; i++)
	{
		int			range = cell->variables[i].high - cell->variables[i].low;

		if (range < 1000 && warm_up < 10 * range)
			warm_up = 10 * range;
	}
	for (int i = 0; i < warm_up; i++)
		transaction(cell);
	start = now_us();
	for (int i = 0; i < 10; i++)
		transaction(cell);
	if (cell->batch == 0)
		cell->batch = 1 + (int) (slice_us / ((now_us() - start) / 10));
}

/* Nanoseconds that the backend has spent on a CPU. */
static double
backend_cpu(const Cell *cell)
{
	char		path[64];
	FILE	   *file;
	double		nanoseconds;

	/* Exact only once the backend sleeps: let it finish and wait for us. */
	usleep(500);
	sprintf(path, "/proc/%d/schedstat", cell->pid);
	file = fopen(path, "r");
	if (file == NULL || fscanf(file, "%lf", &nanoseconds) != 1)
		fail("cannot read %s: the kernel has to keep schedstat, and the"
			 " server to run on this machine", path);
	fclose(file);
	return nanoseconds;
}

static void
run_round(int round)
{
	int			order[MAX_CELLS];

	for (int i = 0; i < ncells; i++)
	{
		int			other = (int) draw(i + 1);

		order[i] = order[other];
		order[other] = i;
	}
	for (int i = 0; i < ncells; i++)
	{
		Cell	   *cell = &cells[order[i]];
		double		before;

		/* Caches of the CPU are another cell's: one transaction for ours. */
		transaction(cell);
		before = backend_cpu(cell);
		for (int n = 0; n < cell->batch; n++)
			transaction(cell);
		cell->cpu[round] = (backend_cpu(cell) - before) / cell->batch / 1e3;
	}
}

/* ---------- statistics ---------- */

static int
by_value(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/*
 * Print the median of "values" (which get sorted) and its 95 % interval: the
 * number of values below the true median is binomial, so the ranks
 * n/2 -+ 0.98 sqrt(n) enclose it.
 */
static void
print_median(double *values, int n)
{
	int			low = (int) floor(n / 2.0 - 0.98 * sqrt(n));
	int			high = n - 1 - low;

	qsort(values, n, sizeof(double), by_value);
	if (low < 0)
	{
		low = 0;
		high = n - 1;
	}
	printf("\t%.4f\t%.4f\t%.4f\n",
		   (values[(n - 1) / 2] + values[n / 2]) / 2, values[low],
		   values[high]);
}

static void
report(int rounds)
{
	double	   *values = malloc(rounds * sizeof(double));

	for (int i = 0; i < nratios; i++)
	{
		for (int r = 0; r < rounds; r++)
			values[r] = ratios[i].dividend->cpu[r] / ratios[i].divisor->cpu[r];
		printf("ratio\t%s\t%s", ratios[i].dividend->name,
			   ratios[i].divisor->name);
		print_median(values, rounds);
	}
	for (int i = 0; i < ncells; i++)
	{
		printf("cell\t%s\t%ld", cells[i].name, cells[i].executed);
		print_median(cells[i].cpu, rounds);
	}
	free(values);
}

int
main(int argc, char **argv)
{
	int			rounds;
	int			connections;
	double		slice_us;

	if (argc != 4 || (rounds = atoi(argv[1])) < 1 ||
		(connections = atoi(argv[2])) < 1 || (slice_us = atof(argv[3])) <= 0)
	{
		fputs("usage: client ROUNDS CONNECTIONS SLICE_US < CELLS\n", stderr);
		return 2;
	}
	read_cells(stdin);
	for (int i = 0; i < ncells; i++)
		cells[i].cpu = malloc(rounds * sizeof(double));

	for (int c = 0; c < connections; c++)
	{
		for (int i = 0; i < ncells; i++)
			open_cell(&cells[i], slice_us);
		for (int r = rounds * c / connections;
			 r < rounds * (c + 1) / connections; r++)
			run_round(r);
		for (int i = 0; i < ncells; i++)
			PQfinish(cells[i].conn);
	}
	report(rounds);
	return 0;
}
