/*-------------------------------------------------------------------------
 *
 * functions.c
 *	  Statements inside functions, triggers, DO and procedures.
 *
 * Each function is made twice, f and f_n, the statements of the second with
 * a comment that keeps the cache away.  What is asked in one statement of two
 * STABLE functions reads one snapshot in READ COMMITTED as well.
 *
 * DO, procedures and triggers ask and compare themselves, and tell the client
 * by stress.told().
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stress.h"

typedef struct Function
{
	const char *name;
	const char *definition;		/* @S: "" or "_n", @C: the comment, @V varies */
	bool		stable;			/* and of one value */
	bool		set;
	bool		twin;
	bool		altered;
} Function;

static const Function functions[] = {
	{"fn_into", "(a int) RETURNS text LANGUAGE plpgsql STABLE AS $$"
		" DECLARE r record; m int; n bigint; BEGIN"
		" SELECT @C count(*) AS c, sum(v) AS v INTO r FROM t0 WHERE k = a;"
		" SELECT max(x.v) @C INTO m FROM t1 x JOIN t0 y USING (id) WHERE x.k = a;"
		" n := (SELECT @C count(*) FROM t3 WHERE k < a);"
		" RETURN concat_ws('/', r.c, r.v, m, n, @V * 0); END $$",
	true, false, true, false},
	{"fn_loop", "(a int) RETURNS text LANGUAGE plpgsql STABLE AS $$"
		" DECLARE r record; s text := ''; x int; BEGIN"
		" FOR r IN SELECT @C id, v FROM t2 WHERE k = a ORDER BY id LOOP"
		" SELECT @C v + @V * 0 INTO x FROM t3 WHERE id = r.id;"
		" s := concat(s, r.id, ':', r.v, ':', x, ' '); END LOOP; RETURN s; END $$",
	true, false, true, false},
	{"fn_many", "(a int) RETURNS text LANGUAGE plpgsql STABLE AS $$"
		" DECLARE s bigint := 0; x bigint; BEGIN FOR i IN 1..12 LOOP"
		" SELECT @C sum(v) + @V * 0 INTO x FROM t6 WHERE k = i % 4 + a; s := s * 31 % 1000007 + coalesce(x, 0);"
		" SELECT @C v INTO x FROM t10 WHERE id = a * i; s := s * 31 % 1000007 + coalesce(x, 0);"
		" PERFORM @C id FROM t14 WHERE id = i; IF FOUND THEN s := s + i; END IF;"
		" END LOOP; RETURN s; END $$",
	true, false, true, false},
	{"fn_rows", "(a int) RETURNS TABLE (id int, v int) LANGUAGE plpgsql AS $$"
		" BEGIN RETURN QUERY SELECT @C t.id, t.v FROM t3 t WHERE t.k = a;"
		" IF FOUND THEN RETURN QUERY EXECUTE 'SELECT @C id, v + @V * 0 FROM t4 WHERE k = $1' USING a; END IF;"
		" RETURN; END $$",
	false, true, true, false},
	{"fn_dynamic", "(a int) RETURNS text LANGUAGE plpgsql AS $$"
		" DECLARE s text := ''; x text; BEGIN FOR i IN 0..5 LOOP"
		" EXECUTE format('SELECT @C sum(v) + @V * 0 FROM t%s WHERE k = $1', i + a) INTO x USING a;"
		" s := concat(s, x, ' '); END LOOP; RETURN s; END $$",
	false, false, true, false},
	{"fn_sql", "(a int) RETURNS bigint LANGUAGE sql AS $$"
		" SELECT @C count(*) FROM t6; SELECT @C sum(v) + @V * 0 FROM t4 WHERE k = a $$",
	false, false, true, false},
	{"fn_sqlrows", "(a int) RETURNS SETOF int LANGUAGE sql AS $$"
		" SELECT @C v + @V * 0 FROM t2 WHERE k = a ORDER BY id $$",
	false, true, true, false},
	{"fn_atomic", "(a int) RETURNS bigint LANGUAGE sql STABLE STRICT BEGIN ATOMIC"
		" SELECT @C sum(v) + @V * 0 FROM t7 WHERE k = a; SELECT count(*) + sum(v) FROM t7; END",
	true, false, false, false},
	{"fn_fetched", "(a int) RETURNS text LANGUAGE plpgsql STABLE AS $$"
		" DECLARE c CURSOR (b int) FOR SELECT @C id, v + @V * 0 AS v FROM t1 WHERE k = b ORDER BY id;"
		" r record; s text := ''; BEGIN OPEN c (a); FETCH c INTO r; s := concat(s, r.v, ' ');"
		" MOVE FORWARD 2 IN c; FETCH c INTO r; s := concat(s, r.v, ' ');"
		" WHILE FOUND LOOP FETCH c INTO r; s := concat(s, r.id, ' '); EXIT WHEN r.id > a * 20; END LOOP;"
		" CLOSE c; FOR r IN c (a + 1) LOOP s := concat(s, r.v, ' '); END LOOP; RETURN s; END $$",
	true, false, true, false},
	{"fn_caught", "(a int) RETURNS text LANGUAGE plpgsql AS $$"
		" DECLARE s text; x text; n int; BEGIN"
		/* the block's own lock ends with it, and TRUNCATE is seen at once */
		" LOCK TABLE t16 IN ACCESS SHARE MODE;"
		" SELECT @C sum(v) + @V * 0 INTO x FROM t15; s := x;"
		" BEGIN UPDATE t15 SET v = v + 1 WHERE id = 100 + a; SELECT @C sum(v) + @V * 0 INTO x FROM t15; s := concat(s, ' ', x);"
		" SELECT @C sum(v) INTO x FROM t16; s := concat(s, ' ', x); n := 1 / 0;"
		" EXCEPTION WHEN division_by_zero THEN s := concat(s, ' caught '); END;"
		" SELECT @C sum(v) + @V * 0 INTO x FROM t15; RETURN concat(s, x); END $$",
	false, false, true, false},
	{"fn_strictly", "(a int) RETURNS text LANGUAGE plpgsql STABLE AS $$"
		" DECLARE x int; BEGIN SELECT @C v + @V * 0 INTO STRICT x FROM t17 WHERE k = 1 + 3 * a AND id < 8; RETURN x; END $$",
	false, false, true, false},
	{"fn_settings", "(a int) RETURNS text LANGUAGE plpgsql STABLE SET enable_seqscan = off"
		" SET datestyle = 'German' SET extra_float_digits = 0 AS $$ DECLARE s text; BEGIN"
		" SELECT @C sum(v / 7.0::float8)::text || date '2020-02-03' INTO s FROM t18 WHERE k = a;"
		" RETURN concat(s, @V * 0); END $$",
	true, false, true, false},
	{"fn_nested", "(a int) RETURNS text LANGUAGE plpgsql STABLE AS $$"
		" DECLARE s text; BEGIN SELECT @C concat(max(v), fn_into@S(a)) INTO s FROM t19;"
		" RETURN concat(s, fn_loop@S(a + 1), @V * 0); END $$",
	true, false, true, false},
	{"fn_varied", "(a int) RETURNS text LANGUAGE plpgsql STABLE AS $$"
		" DECLARE s text; BEGIN SELECT @C sum(v) + @V INTO s FROM t20 WHERE k > a;"
		" RETURN concat(s, @V); END $$",
	true, false, true, true},
	{"fn_variedsql", "(a int) RETURNS bigint LANGUAGE sql STABLE AS $$"
		" SELECT @C count(*) FROM t21; SELECT @C sum(v) + @V + fexpr(a) FROM t21 WHERE k < @V % 9 $$",
	true, false, true, true},
	{"fn_variedatomic", "(a int) RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC"
		" SELECT @C count(*) FROM t21; SELECT sum(v) + @V + fexpr(a) FROM t21; END",
	true, false, false, true},
	{"fn_parts", "(a int) RETURNS text LANGUAGE plpgsql STABLE AS $$"
		" DECLARE s text; x text; BEGIN SELECT @C sum(v) INTO s FROM part WHERE id % 5 = a;"
		" SELECT @C sum(v) + @V * 0 INTO x FROM part4; s := concat(s, ' ', x);"
		" SELECT @C sum(v) INTO x FROM swap; s := concat(s, ' ', x);"
		" SELECT @C sum(f(v)) INTO x FROM ih; RETURN concat(s, ' ', x); END $$",
	true, false, true, true},
	{"fn_materialized", "(a int) RETURNS text LANGUAGE plpgsql STABLE AS $$"
		" DECLARE s text := ''; r record; BEGIN FOR r IN SELECT @C k, v + @V * 0 AS v FROM mv ORDER BY k LOOP"
		" s := concat(s, r.k, ':', r.v, ' '); END LOOP; RETURN s; END $$",
	true, false, true, false},
};

#define NFUNCTIONS	((int) (sizeof(functions) / sizeof(functions[0])))

/* both of a pair, as one transaction */
static void
define(char *sql, size_t size, const Function *f, int variation)
{
	size_t		used = 0;

	for (int calm = 0; calm < 2; calm++)
	{
		used += (size_t) snprintf(sql + used, size - used,
								  "CREATE OR REPLACE FUNCTION %s%s", f->name,
								  calm ? "_n" : "");
		for (const char *s = f->definition; *s != '\0'; s++)
		{
			if (*s != '@')
			{
				sql[used++] = *s;
				continue;
			}
			s++;
			used += (size_t) (*s == 'V' ?
							  snprintf(sql + used, size - used, "%d", variation) :
							  snprintf(sql + used, size - used, "%s",
									   !calm ? "" : *s == 'S' ? "_n" : CALM));
		}
		used += (size_t) snprintf(sql + used, size - used, "; ");
	}
}

/* A function that is in use, with the same effect or with another one. */
const char *
replace_function(void)
{
	static char sql[4000];
	const Function *f;

	do
		f = &functions[upto(NFUNCTIONS)];
	while (!f->altered && percent(80));
	define(sql, sizeof(sql), f, upto(1000));
	return sql;
}

/* executed once, and asked twice: the second time it may be there */
#define TELL(kind, sql) \
	" b := '{}'; s0 := scans(); FOR r IN " sql CALM " LOOP b := b || r::text; END LOOP;" \
	" s0 := scans() - s0; FOR turn IN 1..2 LOOP a := '{}'; s1 := scans();" \
	" FOR r IN " sql " LOOP a := a || r::text; END LOOP;" \
	" PERFORM told('" kind "', a, b, scans() - s1 < s0); END LOOP;"
#define TELLERS \
	" DECLARE a text[]; b text[]; s0 bigint; s1 bigint; r record; "

void
make_functions(void)
{
	char		sql[4000];

	/* arrays are compared sorted: the order of rows is nobody's promise */
	must("CREATE FUNCTION told(kind text, answer text[], executed text[], served bool)"
		 " RETURNS void LANGUAGE plpgsql AS $$"
		 " DECLARE a text[] := ARRAY(SELECT unnest(answer) ORDER BY 1);"
		 " e text[] := ARRAY(SELECT unnest(executed) ORDER BY 1); BEGIN"
		 " IF a = e THEN RAISE NOTICE 'stress % % t', kind, CASE WHEN served THEN 't' ELSE 'f' END;"
		 " ELSE RAISE NOTICE 'stress % % f % executed % snapshot % in %', kind,"
		 " CASE WHEN served THEN 't' ELSE 'f' END, a, e, pg_current_snapshot(),"
		 " current_setting('transaction_isolation'); END IF; END $$");
	for (int i = 0; i < NFUNCTIONS; i++)
	{
		define(sql, sizeof(sql), &functions[i], 1);
		must(sql);
	}
	/* VOLATILE: a snapshot for each statement */
	must("CREATE FUNCTION tr_statement() RETURNS trigger LANGUAGE plpgsql AS $$"
		 TELLERS "BEGIN IF current_setting('transaction_isolation') = 'repeatable read' THEN"
		 TELL("trigger", "SELECT count(*), sum(v) FROM t8 WHERE k < 5 ")
		 TELL("trigger", "SELECT count(*), sum(v) FROM t2 ")
		 " END IF; RETURN NULL; END $$");
	/* STABLE: that of the statement which writes */
	must("CREATE FUNCTION tr_row() RETURNS trigger LANGUAGE plpgsql STABLE AS $$"
		 TELLERS "BEGIN"
		 TELL("trigger", "SELECT count(*), sum(v) FROM t9 WHERE k < 5 ")
		 TELL("trigger", "SELECT count(*), sum(v) FROM t4 WHERE k = 3 ")
		 " RETURN NULL; END $$");
	/* before, so that there are answers that must not be given after */
	must("CREATE TRIGGER tb BEFORE INSERT OR UPDATE OR DELETE ON t2"
		 " FOR EACH STATEMENT EXECUTE FUNCTION tr_statement()");
	must("CREATE TRIGGER ta AFTER INSERT OR UPDATE OR DELETE ON t2"
		 " FOR EACH STATEMENT EXECUTE FUNCTION tr_statement()");
	must("CREATE TRIGGER tr AFTER UPDATE OR DELETE ON t4"
		 " FOR EACH ROW WHEN (old.id % 3 = 0) EXECUTE FUNCTION tr_row()");
	/* transactions of one snapshot, if that is the default */
	must("CREATE PROCEDURE pr(n int) LANGUAGE plpgsql AS $$" TELLERS
		 " c refcursor; i int := 0; l text[]; BEGIN FOR m IN 1..n LOOP"
		 TELL("procedure", "SELECT count(*), sum(v) FROM t0 WHERE k = m ")
		 TELL("procedure", "SELECT id, v FROM t12 WHERE k = m ORDER BY v, id ")
		 " IF m % 3 = 0 THEN COMMIT; ELSIF m % 3 = 1 THEN ROLLBACK; ELSE COMMIT AND CHAIN; END IF;"
		 TELL("procedure", "SELECT a.id, b.v FROM t13 a JOIN t14 b USING (id) WHERE a.k = m ")
		 " END LOOP;"
		 /* a loop whose cursor outlives its transaction */
		 " b := '{}'; a := '{}'; s0 := scans();"
		 " FOR r IN SELECT " CALM " id, v FROM t1 WHERE k = n LOOP b := b || r::text; END LOOP;"
		 " s0 := scans() - s0; s1 := scans();"
		 " FOR r IN SELECT id, v FROM t1 WHERE k = n LOOP a := a || r::text; i := i + 1;"
		 " IF i = 2 THEN UPDATE t1 SET v = v + 1 WHERE id = r.id; END IF; IF i % 4 = 3 THEN COMMIT; END IF; END LOOP;"
		 " PERFORM told('procedure', a, b, scans() - s1 < s0); END $$");
}

/* ----------------------------------------------------------------
 *						calls
 * ----------------------------------------------------------------
 */

static void
spell_call(char *sql, size_t size, const Function *f, bool calm, int value)
{
	const char *suffix = calm ? "_n" : "";

	if (f->set && percent(30))
		snprintf(sql, size, "SELECT %s%s(%d)::text", f->name, suffix, value);
	else
		snprintf(sql, size, "SELECT * FROM %s%s(%d)", f->name, suffix, value);
}

/* Within a transaction of one snapshot: any function, by modes. */
bool
compare_call(Kind kind)
{
	long		steps = steps_at_begin();
	const Function *f = &functions[upto(NFUNCTIONS)];
	char		sql[200];

	spell_call(sql, sizeof(sql), f, false, 1 + upto(4));
	return compare_modes(kind, sql, give_statement, sql, "",
						 strcmp(f->name, "fn_strictly") == 0,
						 f->altered ? steps : NO_STEPS);
}

static bool
compare_call_with_twin(void)
{
	long		steps = steps_at_begin();
	const Function *f;
	int			value = 1 + upto(4);
	char		sql[200];
	char		twin[200];

	do
		f = &functions[upto(NFUNCTIONS)];
	while (!f->twin || strcmp(f->name, "fn_strictly") == 0);
	snprintf(sql, sizeof(sql), "SELECT * FROM %s(%d)", f->name, value);
	snprintf(twin, sizeof(twin), "SELECT * FROM %s_n(%d)", f->name, value);
	return compare_twins(KIND_FUNCTION, sql, give_statement, sql,
						 give_statement, twin, f->altered ? steps : NO_STEPS);
}

/*
 * In one statement, so in whatever isolation.  PostgreSQL computes a list from
 * left to right; if it did not, only the count of what was served would be
 * wrong.
 */
static bool
compare_within_statement(void)
{
	long		steps = steps_at_begin();
	const Function *f;
	int			value = 1 + upto(4);
	int			calm = upto(2);
	char		sql[300];
	PGresult   *res;
	bool		ok;

	do
		f = &functions[upto(NFUNCTIONS)];
	while (!f->stable || !f->twin);
	snprintf(sql, sizeof(sql),
			 "SELECT scans(), %s%s(%d), scans(), %s%s(%d), scans()",
			 f->name, calm == 0 ? "_n" : "", value,
			 f->name, calm == 1 ? "_n" : "", value);
	res = query(sql);
	ok = PQresultStatus(res) == PGRES_TUPLES_OK;
	if (ok)
	{
		long		s0 = atol(PQgetvalue(res, 0, 0));
		long		s1 = atol(PQgetvalue(res, 0, 2));
		long		s2 = atol(PQgetvalue(res, 0, 4));

		compared(KIND_STABLE, sql, PQgetvalue(res, 0, calm ? 3 : 1),
				 PQgetvalue(res, 0, calm ? 1 : 3),
				 calm ? s1 - s0 < s2 - s1 : s2 - s1 < s1 - s0,
				 f->altered ? steps : NO_STEPS);
	}
	PQclear(res);
	return ok;
}

/* A statement of the pool in a DO, in the transaction's snapshot. */
static bool
compare_block(void)
{
	long		steps = steps_at_begin();
	const Read *r;
	int			table;
	int			value;
	char		sql[600];
	bool		ok;

	pick(&r, &table, &value);
	spell(sql, sizeof(sql), r, table, value);
	expect_steps(r->altered ? steps : NO_STEPS);
	ok = run("DO $$" TELLERS "BEGIN" TELL("block", "%s ") " END $$", sql, sql);
	expect_steps(NO_STEPS);
	return ok;
}

static void
call_procedure(void)
{
	if (run("SET perfopt.cache_verify = 0;"
			" SET default_transaction_isolation = 'repeatable read'"))
		run("CALL pr(%d)", 1 + upto(4));
	run("RESET default_transaction_isolation; SET perfopt.cache_verify = 1");
}

void
caller(int me)
{
	while (!stopped())
	{
		int			kind = upto(100);
		bool		ok;

		reconnect_if_lost();
		if (kind < 30)
		{
			/* the server compares each statement */
			for (int n = 0; n < 10 && !stopped(); n++)
			{
				char		sql[200];

				if (percent(30))
					snprintf(sql, sizeof(sql),
							 "SELECT fn_many(g), fn_loop(g) FROM generate_series(1, 4) g");
				else
					spell_call(sql, sizeof(sql), &functions[upto(NFUNCTIONS)],
							   false, 1 + upto(4));
				run("%s%s", sql, percent(10) ? " LIMIT 3" : "");
			}
		}
		else if (kind < 50)
		{
			run("SET perfopt.cache_verify = 0");
			for (int n = 0; n < 10 && !stopped(); n++)
				compare_within_statement();
			run("SET perfopt.cache_verify = 1");
		}
		else if (kind < 58)
			call_procedure();
		else
		{
			ok = begin_repeatable();
			for (int n = 1 + upto(6); ok && n > 0; n--)
			{
				if (kind < 68)
					ok = compare_call(KIND_FUNCTION);
				else if (kind < 84)
					ok = compare_call_with_twin();
				else
					ok = compare_block();
			}
			run("%s", percent(50) ? "COMMIT" : "ROLLBACK");
		}
	}
}
