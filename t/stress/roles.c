/*-------------------------------------------------------------------------
 *
 * roles.c
 *	  The same statement by several roles, whose privileges and policies
 *	  others change.
 *
 * Permission to do is no part of a snapshot: a failed check is an answer like
 * another, and a difference counts only if nothing was altered meanwhile.
 *
 * The roles are of the whole cluster and stay.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stress.h"

static const char *const roles[] = {"stress_a", "stress_b", "stress_c"};

#define NROLES	((int) (sizeof(roles) / sizeof(roles[0])))

typedef struct Question
{
	Kind		kind;
	const char *sql;			/* %d: a small int */
	const char *twin;			/* or NULL: a comment at the end */
} Question;

static const Question questions[] = {
	{KIND_ROLE, "SELECT count(*), sum(v) FROM t10 WHERE k <> %d"},
	{KIND_ROLE, "SELECT id, v FROM t11 WHERE k = %d"},
	{KIND_ROLE, "SELECT id FROM t11 WHERE k = %d"},
	{KIND_ROLE, "SELECT sum(guarded(v)) FROM t12 WHERE k = %d"},
	{KIND_ROLE, "SELECT count(*), sum(t10.v) FROM t10 JOIN t12 USING (id) WHERE t12.k = %d"},
	{KIND_ROLE, "SELECT count(*), sum(v) FROM own_view WHERE k <> %d"},
	{KIND_ROLE, "SELECT count(*), sum(v) FROM asking_view WHERE k <> %d"},
	{KIND_POLICY, "SELECT count(*), sum(v) FROM rls WHERE k <> %d"},
	{KIND_POLICY, "SELECT id, v FROM rls WHERE k = %d"},
	{KIND_POLICY, "SELECT count(*), sum(rls.v) FROM rls JOIN t12 USING (id) WHERE t12.k < %d"},
	{KIND_POLICY, "SELECT count(*), sum(v) FROM tenants WHERE k <> %d"},
	{KIND_POLICY, "SELECT id, v FROM tenants WHERE k = %d"},
	{KIND_DEFINER, "SELECT definer(%d)", "SELECT definer_n(%d)"},
	{KIND_DEFINER, "SELECT invoker(%d)", "SELECT invoker_n(%d)"},
	{KIND_DEFINER, "SELECT definer(%d) = invoker(2)", "SELECT definer_n(%d) = invoker_n(2)"},
};

#define NQUESTIONS	((int) (sizeof(questions) / sizeof(questions[0])))

void
make_roles(void)
{
	char		sql[1000];

	for (int i = 0; i < NROLES; i++)
	{
		snprintf(sql, sizeof(sql), "DO $$ BEGIN IF to_regrole('%s') IS NULL"
				 " THEN CREATE ROLE %s; END IF; END $$", roles[i], roles[i]);
		must(sql);
		snprintf(sql, sizeof(sql), "DROP OWNED BY %s; GRANT ALL ON SCHEMA stress TO %s;"
				 " GRANT SELECT ON t10, t11, t12, t13 TO %s",
				 roles[i], roles[i], roles[i]);
		must(sql);
	}
	must("REVOKE stress_a FROM stress_b, stress_c");
	must("CREATE FUNCTION guarded(int) RETURNS int RETURN $1 + 1");
	must("REVOKE EXECUTE ON FUNCTION guarded(int) FROM PUBLIC");
	must("GRANT EXECUTE ON FUNCTION guarded(int) TO stress_a, stress_c");
	must("CREATE TABLE rls (id int PRIMARY KEY, k int, v int)");
	must("INSERT INTO rls SELECT g, g % 10, g FROM generate_series(1, 100) g");
	must("ALTER TABLE rls ENABLE ROW LEVEL SECURITY");
	must("CREATE POLICY pa ON rls TO stress_a USING (k < 5)");
	must("CREATE POLICY pb ON rls TO stress_b, stress_c USING (k >= 5)");
	must("CREATE TABLE tenants (id int PRIMARY KEY, k int, v int, tenant text, owner name)");
	must("INSERT INTO tenants SELECT g, g % 10, g, 't' || g % 3,"
		 " 'stress_' || chr(97 + g % 3) FROM generate_series(1, 100) g");
	must("ALTER TABLE tenants ENABLE ROW LEVEL SECURITY");
	must("CREATE POLICY pt ON tenants TO stress_a, stress_b"
		 " USING (tenant = current_setting('stress.tenant', true))");
	must("CREATE POLICY po ON tenants TO stress_c USING (owner = current_user)");
	must("GRANT SELECT ON rls, tenants TO stress_a, stress_b, stress_c");
	must("CREATE VIEW own_view AS SELECT * FROM rls");
	must("ALTER VIEW own_view OWNER TO stress_a");
	must("CREATE VIEW asking_view WITH (security_invoker) AS SELECT * FROM rls");
	must("GRANT SELECT ON own_view, asking_view TO stress_a, stress_b, stress_c");
	for (int i = 0; i < 4; i++)
	{
		snprintf(sql, sizeof(sql), "CREATE FUNCTION %s%s(a int) RETURNS text"
				 " LANGUAGE plpgsql STABLE SECURITY %s AS $$"
				 " DECLARE s text; x text; BEGIN SELECT %s sum(v) INTO s FROM rls WHERE k <> a;"
				 " SELECT %s count(*) INTO x FROM t12; s := concat(s, ' ', x);"
				 " SELECT %s sum(v) INTO x FROM t10; RETURN concat(s, ' ', x); END $$",
				 i < 2 ? "definer" : "invoker", i % 2 ? "_n" : "",
				 i < 2 ? "DEFINER" : "INVOKER", i % 2 ? CALM : "",
				 i % 2 ? CALM : "", i % 2 ? CALM : "");
		must(sql);
	}
	must("ALTER FUNCTION definer(int) OWNER TO stress_a");
	must("ALTER FUNCTION definer_n(int) OWNER TO stress_a");
}

/* What the alterer does to them. */
const char *
alter_privileges(void)
{
	static char sql[300];
	const char *one = roles[upto(NROLES)];
	bool		give = percent(60);

	switch (upto(9))
	{
		case 0:
			snprintf(sql, sizeof(sql), "%s SELECT ON t10 %s %s",
					 give ? "GRANT" : "REVOKE", give ? "TO" : "FROM", one);
			break;
		case 1:
			snprintf(sql, sizeof(sql), give ? "GRANT SELECT ON t11 TO %s" :
					 "REVOKE SELECT ON t11 FROM %s; GRANT SELECT (id, k) ON t11 TO %s",
					 one, one);
			break;
		case 2:
			snprintf(sql, sizeof(sql), "%s EXECUTE ON FUNCTION guarded(int) %s %s",
					 give ? "GRANT" : "REVOKE", give ? "TO" : "FROM", one);
			break;
		case 3:
			snprintf(sql, sizeof(sql), "ALTER POLICY pa ON rls USING (k < %d)",
					 upto(10));
			break;
		case 4:
			snprintf(sql, sizeof(sql), "ALTER POLICY pb ON rls TO %s, %s", one,
					 give ? "stress_b" : "stress_c");
			break;
		case 5:
			snprintf(sql, sizeof(sql), "ALTER TABLE rls %s ROW LEVEL SECURITY",
					 percent(80) ? "ENABLE" : "DISABLE");
			break;
		case 6:
			snprintf(sql, sizeof(sql), "%s stress_a %s stress_%c",
					 give ? "REVOKE" : "GRANT", give ? "FROM" : "TO",
					 'b' + upto(2));
			break;
		case 7:
			snprintf(sql, sizeof(sql), "ALTER VIEW own_view OWNER TO %s", one);
			break;
		default:
			snprintf(sql, sizeof(sql), "ALTER FUNCTION definer(int) OWNER TO %s;"
					 " ALTER FUNCTION definer_n(int) OWNER TO %s", one, one);
			break;
	}
	return sql;
}

typedef struct Asked
{
	char		text[300];
	char		as[200];
} Asked;

/* For twins: the mode stays, the role is set each time. */
static char *
give_as(void *arg)
{
	Asked	   *asked = arg;
	char	   *answer = NULL;

	if (run("SAVEPOINT guard; %s", asked->as))
	{
		answer = answer_of(query(asked->text), false);
		if (answer != NULL)
			run("%s guard; RESET ROLE",
				PQtransactionStatus(conn) == PQTRANS_INERROR ?
				"ROLLBACK TO" : "RELEASE");
	}
	return answer;
}

static bool
compare_as(void)
{
	const Question *q = &questions[upto(NQUESTIONS)];
	long		steps = steps_at_begin();
	int			value = 1 + upto(3);
	Asked		asked;
	Asked		twin;
	char		what[600];

	snprintf(asked.as, sizeof(asked.as),
			 "SET LOCAL stress.tenant = 't%d'; SET LOCAL ROLE %s;",
			 upto(4), roles[upto(NROLES)]);
	snprintf(asked.text, sizeof(asked.text), q->sql, value);
	snprintf(what, sizeof(what), "%s %s", asked.as, asked.text);
	if (percent(50))
		return compare_modes(q->kind, what, give_statement, asked.text,
							 asked.as, true, steps);
	twin = asked;
	if (q->twin)
		snprintf(twin.text, sizeof(twin.text), q->twin, value);
	else
		strcat(twin.text, " " CALM);
	return compare_twins(q->kind, what, give_as, &asked, give_as, &twin, steps);
}

void
actor(int me)
{
	while (!stopped())
	{
		bool		ok;

		reconnect_if_lost();
		ok = begin_repeatable();
		for (int n = 1 + upto(8); ok && n > 0; n--)
		{
			ok = compare_as();
			if (ok && percent(20))
				ok = run("SET LOCAL perfopt.cache = force");
		}
		run("COMMIT");
		/* each by itself, compared by the server */
		for (int n = upto(6); n > 0; n--)
		{
			char		sql[300];

			snprintf(sql, sizeof(sql), questions[upto(NQUESTIONS)].sql,
					 1 + upto(3));
			run("SET stress.tenant = 't%d'; SET ROLE %s", upto(4),
				roles[upto(NROLES)]);
			run("%s", sql);
		}
		run("RESET ROLE");
	}
}
