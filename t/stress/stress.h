/*-------------------------------------------------------------------------
 *
 * stress.h
 *	  What the files of the stress program share; stress.c tells what it
 *	  does.
 *
 *-------------------------------------------------------------------------
 */
#ifndef STRESS_H
#define STRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#define NTABLES		24
#define NBUSY		6			/* of them are written more often */
#define NROWS		150
#define MAX_STATES	64
#define MAX_SESSIONS 32
#define NACTIONS	64			/* that are remembered of each session */

/* What is compared by the client, and whether the cache may answer it. */
#define KINDS(K) \
	K(STATEMENT, "statement") \
	K(WRITTEN, "after_own_writes") \
	K(FUNCTION, "function") \
	K(STABLE, "stable_function") \
	K(TRIGGER, "trigger") \
	K(BLOCK, "block") \
	K(PROCEDURE, "procedure") \
	K(CURSOR, "cursor") \
	K(HOLD, "cursor_with_hold") \
	K(CURRENT_OF, "current_of") \
	K(PORTAL, "portal") \
	K(COPY, "copy") \
	K(PREPARED, "prepared") \
	K(SINGLE_ROW, "single_row") \
	K(PIPELINE, "pipeline") \
	K(ROLE, "role") \
	K(POLICY, "policy") \
	K(DEFINER, "definer") \
	K(INTERRUPTED, "interrupted")

typedef enum Kind
{
#define KIND_ENUM(symbol, name) KIND_##symbol,
	KINDS(KIND_ENUM)
#undef KIND_ENUM
	NKINDS
} Kind;

typedef struct State
{
	char		code[6];
	bool		expected;
	long		count;
	char		sample[400];
} State;

typedef struct Action
{
	double		at;
	double		took;			/* negative: not answered yet */
	char		text[200];
	char		outcome[12];
} Action;

typedef struct Session
{
	char		role[16];
	int			pid;
	atomic_long nactions;
	Action		actions[NACTIONS];
} Session;

typedef struct Count
{
	atomic_long compared;
	atomic_long served;
	atomic_long differed;
	atomic_long undecided;		/* unequal, but definitions changed */
} Count;

/* what the processes share */
typedef struct Shared
{
	atomic_bool stop;
	bool		quiet;			/* no reports of differences */
	uint64_t	seed;
	double		begun;
	atomic_long statements;
	atomic_long reads;
	atomic_long committed;
	atomic_long prepared;
	atomic_long altered;
	atomic_long cancelled;
	atomic_long terminated;
	atomic_long reconnected;
	atomic_long alter_steps;	/* begins and ends of changes; odd within one */
	Count		counts[NKINDS];
	atomic_int	lock;			/* for what follows */
	int			nreports;
	int			nstates;
	State		states[MAX_STATES];
	Session		sessions[MAX_SESSIONS];
} Shared;

extern Shared *shared;
extern const char *conninfo;
extern PGconn *conn;
extern int	epoch;

/* session.c */
#define NO_STEPS	(-1L)
#define CALM		"/* perfopt: nocache */"	/* what is never served */

extern void fatal(const char *format,...) __attribute__((format(printf, 1, 2), noreturn));
extern double now(void);
extern void seed_draws(uint64_t seed);
extern int	upto(int n);
extern bool percent(int p);
extern void snooze(int most_us);
extern bool stopped(void);
extern void connect_as(int me, const char *name, bool is_victim);
extern void lose_connection(void);
extern void reconnect_if_lost(void);
extern long steps_at_begin(void);
extern bool set_up_session(void);
extern void expect_steps(long steps);
extern void action(const char *format,...) __attribute__((format(printf, 1, 2)));
extern PGresult *looked_at(const char *sql, PGresult *res);
extern PGresult *query(const char *sql);
extern bool run(const char *format,...) __attribute__((format(printf, 1, 2)));
extern void must(const char *sql);
extern char *content(PGresult *res, bool ordered);
extern char *answer_of(PGresult *res, bool ordered);
extern long scans(void);
extern long scans_after(const char *format,...) __attribute__((format(printf, 1, 2)));
extern void compared(Kind kind, const char *what, const char *executed,
					 const char *answer, bool served, long steps);
extern void report(const char *text);
extern const char *kind_name(Kind kind);

/* compare.c */
typedef char *(*Giver) (void *arg);

extern bool compare_modes(Kind kind, const char *what, Giver give, void *arg,
						  const char *before, bool guarded, long steps);
extern bool compare_twins(Kind kind, const char *what, Giver give, void *arg,
						  Giver give_twin, void *twin_arg, long steps);
extern char *give_statement(void *sql);
extern char *give_ordered(void *sql);
extern bool begin_repeatable(void);

/* tables.c */
typedef struct Read
{
	const char *sql;			/* $1, if there is one, is a small int */
	int			table;			/* %d in the text, up to this; 0: none */
	bool		param;
	bool		altered;		/* its definitions change without a lock */
} Read;

extern const Read pool[];
extern const int npool;

extern void make_tables(void);
extern void make_scans(void);
extern void spell(char *sql, size_t size, const Read *r, int table, int value);
extern void pick(const Read **r, int *table, int *value);
extern const char *replace_something(void);

/* functions.c */
extern void make_functions(void);
extern const char *replace_function(void);
extern bool compare_call(Kind kind);
extern void caller(int me);

/* portals.c */
extern bool compare_portals(const char *sql, int value, bool (*disturb) (void));

/* roles.c */
extern void make_roles(void);
extern const char *alter_privileges(void);
extern void actor(int me);

/* the sessions */
extern bool read_any(void);
extern bool compare_any(Kind kind);
extern bool compare_read(Kind kind, const Read *r, int table, int value);
extern void reader(int me);
extern void preparer(int me);
extern void fetcher(int me);
extern void interrupted(int me);
extern void terminator(int me);
extern void writer(int me);
extern void finisher(int me);
extern void alterer(int me);

#endif							/* STRESS_H */
