/*-------------------------------------------------------------------------
 *
 * tables.c
 *	  The tables, and a fixed pool of statements over them.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "stress.h"

/* a function and a view that the alterer replaces; %d varies */
#define FUNCTION_F \
	"CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql STABLE" \
	" AS 'SELECT $1 * %d'"
#define FUNCTION_ROWS \
	"CREATE OR REPLACE FUNCTION frows(int) RETURNS SETOF t1 LANGUAGE sql" \
	" STABLE AS 'SELECT * FROM t1 WHERE k < $1 + %d'"
#define FUNCTION_EXPRESSION \
	"CREATE OR REPLACE FUNCTION fexpr(int) RETURNS int RETURN $1 * %d"
#define VIEW_V \
	"CREATE OR REPLACE VIEW w AS SELECT id, v + %d AS v FROM t2"

static const char *const replaced[] = {
	FUNCTION_F, FUNCTION_ROWS, FUNCTION_EXPRESSION, FUNCTION_EXPRESSION, VIEW_V
};

#define NREPLACED	((int) (sizeof(replaced) / sizeof(replaced[0])))

const Read	pool[] = {
	{"SELECT count(*), sum(id), sum(v) FROM t%d", NTABLES, false, false},
	{"SELECT count(*), sum(v), max(s) FROM t%d WHERE k = $1", NTABLES, true, false},
	{"SELECT id, v, s FROM t%d WHERE k = $1", NTABLES, true, false},
	{"SELECT id, v FROM t%d WHERE id = $1", NTABLES, true, false},
	{"SELECT k, count(*), sum(v) FROM t%d GROUP BY k", NTABLES, false, false},
	{"SELECT t FROM t%d t WHERE k = $1", NTABLES, true, false},
	{"SELECT a.id, b.v FROM t0 a JOIN t1 b USING (id) WHERE a.k = $1", 0, true, false},
	{"SELECT count(*) FROM t5 a WHERE NOT EXISTS (SELECT FROM t6 b WHERE b.id = a.id)", 0, false, false},
	{"SELECT count(*), sum(c.v), sum(p.v) FROM p JOIN c ON c.pid = p.id", 0, false, false},
	{"SELECT count(*) FROM c WHERE pid = $1", 0, true, false},
	{"SELECT count(*), sum(id), sum(v) FROM part", 0, false, true},
	{"SELECT count(*), sum(v) FROM part WHERE id BETWEEN 150 AND 250", 0, false, true},
	{"SELECT v FROM part WHERE id = 200 + $1", 0, true, true},
	{"SELECT count(*), sum(v) FROM part4", 0, false, true},
	{"SELECT tableoid::regclass::text = 'part2', v FROM part2 WHERE id < 110", 0, false, true},
	{"SELECT count(*), sum(v) FROM ih", 0, false, true},
	{"SELECT count(*), sum(v) FROM swap", 0, false, true},
	{"SELECT count(*), sum(v) FROM w", 0, false, true},
	{"SELECT k, v FROM mv", 0, false, false},
	{"SELECT sum(f(v)) FROM t3", 0, false, true},
	{"SELECT count(*), sum(v) FROM frows(3)", 0, false, true},
	{"SELECT sum(fexpr(v)), fexpr(7) FROM t7 WHERE k < 3 + $1", 0, true, true},
	{"SELECT id, fexpr(id) FROM t8 WHERE fexpr(k) > 0 AND k = $1", 0, true, true},
	{"SELECT * FROM t5 WHERE k = $1", 0, true, false},
	{"SELECT (SELECT sum(v) FROM t7), (SELECT sum(v) FROM t8)", 0, false, false},
	{"SELECT v FROM t9 WHERE id < 20 UNION ALL SELECT v FROM t8 WHERE id < 20", 0, false, false},
};

const int	npool = sizeof(pool) / sizeof(pool[0]);

void
make_tables(void)
{
	char		sql[1000];

	must("SET client_min_messages = error");
	must("DROP SCHEMA IF EXISTS stress CASCADE");
	must("CREATE SCHEMA stress");
	must("SET search_path = stress");
	for (int i = 0; i < NTABLES; i++)
	{
		snprintf(sql, sizeof(sql),
				 "CREATE TABLE t%d (id int PRIMARY KEY, k int, v int, s text)", i);
		must(sql);
		snprintf(sql, sizeof(sql),
				 "INSERT INTO t%d SELECT g, g %% 10, g, repeat('x', g %% 20)"
				 " FROM generate_series(1, %d) g", i, NROWS);
		must(sql);
	}
	must("CREATE INDEX t3_k ON t3 (k)");
	must("CREATE TABLE p (id int PRIMARY KEY, v int)");
	must("CREATE TABLE c (id int PRIMARY KEY, pid int REFERENCES p"
		 " ON DELETE CASCADE ON UPDATE CASCADE, v int)");
	must("INSERT INTO p SELECT g, g FROM generate_series(1, 60) g");
	must("INSERT INTO c SELECT g, 1 + g % 60, g FROM generate_series(1, 180) g");
	must("CREATE TABLE part (id int NOT NULL, v int) PARTITION BY RANGE (id)");
	must("CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (100)");
	must("CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (100) TO (200)");
	must("CREATE TABLE part3 PARTITION OF part FOR VALUES FROM (200) TO (300)");
	must("CREATE TABLE part4 PARTITION OF part FOR VALUES FROM (300) TO (400)"
		 " PARTITION BY RANGE (id)");
	must("CREATE TABLE part4a PARTITION OF part4 FOR VALUES FROM (300) TO (350)");
	must("CREATE TABLE part4b PARTITION OF part4 FOR VALUES FROM (350) TO (400)");
	must("INSERT INTO part SELECT g, g FROM generate_series(0, 399) g");
	must("CREATE TABLE ih (id int, v int)");
	must("CREATE TABLE ihc () INHERITS (ih)");
	must("INSERT INTO ih SELECT g, g FROM generate_series(1, 40) g");
	must("INSERT INTO ihc SELECT g, g FROM generate_series(41, 80) g");
	must("CREATE TABLE swap_a (id int, v int)");
	must("CREATE TABLE swap_b (id int, v int)");
	must("INSERT INTO swap_a SELECT g, g FROM generate_series(1, 40) g");
	must("INSERT INTO swap_b SELECT g, -g FROM generate_series(1, 40) g");
	must("CREATE VIEW swap AS SELECT * FROM swap_a");
	must("CREATE MATERIALIZED VIEW mv AS SELECT k, sum(v) AS v FROM t4 GROUP BY k");
	for (int i = 0; i < NREPLACED; i++)
	{
		snprintf(sql, sizeof(sql), replaced[i], 1);
		must(sql);
	}
	must("ANALYZE");
}

/* Once all tables are there; what is made later is not counted. */
void
make_scans(void)
{
	must("DO $$ BEGIN EXECUTE format('CREATE FUNCTION scans() RETURNS bigint"
		 " LANGUAGE sql AS ''SELECT sum(pg_stat_get_xact_numscans(x))::bigint"
		 " FROM unnest(''''%s''''::oid[]) x''', (SELECT array_agg(oid)::text FROM pg_class"
		 " WHERE relnamespace = 'stress'::regnamespace"
		 " AND relkind IN ('r', 'i', 'm'))); END $$");
}

/* A definition of those above, with something changed. */
const char *
replace_something(void)
{
	static char sql[500];

	snprintf(sql, sizeof(sql), replaced[upto(NREPLACED)], upto(1000));
	return sql;
}

/* the text with its table, and with the value in place of $1 if wanted */
void
spell(char *sql, size_t size, const Read *r, int table, int value)
{
	char		text[500];
	char	   *dollar;

	snprintf(text, sizeof(text), r->sql, table);
	dollar = value >= 0 ? strstr(text, "$1") : NULL;
	if (dollar != NULL)
		snprintf(sql, size, "%.*s%d%s", (int) (dollar - text), text, value,
				 dollar + 2);
	else
		snprintf(sql, size, "%s", text);
}

void
pick(const Read **r, int *table, int *value)
{
	*r = &pool[upto(npool)];
	*table = (*r)->table ? upto((*r)->table) : 0;
	*value = 1 + upto(4);
}
