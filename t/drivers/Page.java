import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.security.MessageDigest;
import java.sql.Array;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.postgresql.PGConnection;

/*
 * A page of an application, by JDBC.
 *
 *	java -cp DRIVER Page.java URL ROUNDS OPTIONS...
 *
 * Sends its page with each of the OPTIONS added to the URL.  Prints a line for
 * each step: its name, a digest, and how what it gave begins.  Errors are
 * answers, too.
 */
public class Page
{
	interface Step
	{
		Object run() throws Exception;
	}

	static String label;
	static Connection conn, other;

	static void step(String name, Step call) throws Exception
	{
		String text;

		try
		{
			text = String.valueOf(call.run());
		}
		catch (BatchUpdateException e)
		{
			text = "error " + e.getSQLState() + " "
				+ java.util.Arrays.toString(e.getUpdateCounts());
		}
		catch (SQLException e)
		{
			text = "error " + e.getSQLState() + " "
				+ e.getMessage().split("\n")[0];
		}
		byte[] digest = MessageDigest.getInstance("MD5").digest(text.getBytes("UTF-8"));
		StringBuilder hex = new StringBuilder();
		for (int i = 0; i < 6; i++)
			hex.append(String.format("%02x", digest[i]));
		System.out.println(label + " " + name + " " + hex + " "
			+ text.substring(0, Math.min(text.length(), 90)).replace('\n', ' '));
	}

	/* Rows with what they are said to be. */
	static String rows(ResultSet rs) throws Exception
	{
		ResultSetMetaData meta = rs.getMetaData();
		int n = meta.getColumnCount();
		StringBuilder out = new StringBuilder();

		while (rs.next())
		{
			for (int i = 1; i <= n; i++)
			{
				Object value = meta.getColumnType(i) == Types.ARRAY ||
					meta.getColumnType(i) == Types.OTHER ? rs.getString(i) : rs.getObject(i);

				if (value instanceof byte[])
					value = new java.math.BigInteger(1, (byte[]) value).toString(16);
				out.append(value).append(i < n ? ", " : "\n");
			}
		}
		for (int i = 1; i <= n; i++)
			out.append(meta.getColumnLabel(i)).append(' ').append(meta.getColumnTypeName(i))
				.append(' ').append(meta.getPrecision(i)).append(' ').append(meta.getScale(i))
				.append(' ').append(meta.getTableName(i)).append(' ').append(meta.isNullable(i))
				.append(meta.isAutoIncrement(i)).append("; ");
		rs.close();
		return out.toString();
	}

	static PreparedStatement bind(PreparedStatement st, Object... args) throws Exception
	{
		for (int i = 0; i < args.length; i++)
		{
			if (args[i] instanceof Integer[])
				st.setArray(i + 1, st.getConnection().createArrayOf("int4", (Integer[]) args[i]));
			else if (args[i] instanceof String[])
				st.setArray(i + 1, st.getConnection().createArrayOf("text", (String[]) args[i]));
			else
				st.setObject(i + 1, args[i]);
		}
		return st;
	}

	static String ask(Connection c, String sql, Object... args) throws Exception
	{
		try (PreparedStatement st = c.prepareStatement(sql))
		{
			if (bind(st, args).execute())
				return rows(st.getResultSet());
			return "changed " + st.getUpdateCount();
		}
	}

	static void run(Connection c, String sql) throws Exception
	{
		try (Statement st = c.createStatement())
		{
			st.execute(sql);
		}
	}

	static final Object[][] READS = {
		{"by key", "SELECT * FROM book WHERE id = ?", 7},
		{"nulls", "SELECT * FROM book WHERE id = ?", 1000},
		{"none", "SELECT * FROM book WHERE id = ?", -1},
		{"page 1", "SELECT id, title FROM book ORDER BY id LIMIT ? OFFSET ?", 10, 0},
		{"page 2", "SELECT id, title FROM book ORDER BY id LIMIT ? OFFSET ?", 10, 10},
		{"fetch first", "SELECT id FROM book ORDER BY id OFFSET ? ROWS FETCH FIRST ? ROWS ONLY", 5, 5},
		{"count", "SELECT count(*) FROM book WHERE sold"},
		{"count by", "SELECT author_id, count(*) AS n, sum(price), avg(ratio) FROM book"
			+ " GROUP BY author_id HAVING count(*) > ? ORDER BY 1", 3},
		{"exists", "SELECT EXISTS (SELECT 1 FROM book WHERE title = ?)", "title 9"},
		{"eager", "SELECT a.id AS a_id, a.name, a.feeling, b.id AS b_id, b.title, b.added"
			+ " FROM author AS a LEFT JOIN book AS b ON b.author_id = a.id AND b.price > ?"
			+ " ORDER BY a.id, b.id", new BigDecimal("150.5")},
		{"in", "SELECT id, tags, scores FROM book WHERE id IN (?, ?, ?) ORDER BY id", 3, 5, 8},
		{"any", "SELECT id, uid FROM book WHERE id = ANY(?) ORDER BY id", new Integer[] {2, 4, 6}},
		{"any, none", "SELECT id FROM book WHERE id = ANY(?)", new Integer[] {}},
		{"any, null", "SELECT id FROM book WHERE id = ANY(?)", new Integer[] {9, null}},
		{"any text", "SELECT id FROM book WHERE title = ANY(?) ORDER BY id",
			new String[] {"title 1", "o'x", "{\"a\\b"}},
		{"types", "SELECT price, cost, tags, scores, about, raw, cover, uid, sold, added, at, day,"
			+ " hour, span, ratio, small, big, tiny, during, ip, isbn FROM book ORDER BY id LIMIT 30"},
		{"uuid", "SELECT id, uid FROM book WHERE uid = ?",
			UUID.fromString("65d8db90-b8b4-efbc-55b1-a062c58f2fc1")},
		{"numeric", "SELECT id, price * 3 FROM book WHERE price = ?", new BigDecimal("10.6250")},
		{"bytea", "SELECT id, cover FROM book WHERE cover > ? ORDER BY id LIMIT 5",
			new byte[] {(byte) 0xc0, 0, (byte) 0xff}},
		{"timestamptz", "SELECT id, added FROM book WHERE added < ? ORDER BY id",
			OffsetDateTime.parse("2024-03-31T03:00:00+02:00")},
		{"date", "SELECT id, day FROM book WHERE day = ?", Date.valueOf("2024-03-10")},
		{"boolean", "SELECT id FROM book WHERE sold = ? ORDER BY id LIMIT 5", true},
		{"bigint", "SELECT id, big FROM book WHERE big > ? ORDER BY id LIMIT 3", 1L << 39},
		{"double", "SELECT id, ratio, small FROM book WHERE ratio < ? ORDER BY id", 0.0051},
		{"enum", "SELECT id, feeling FROM author WHERE feeling = ?::mood ORDER BY id", "happy"},
		{"jsonb", "SELECT id, about -> 'deep' FROM book WHERE about ->> 'n' = ?", "17"},
		{"jsonb has", "SELECT count(*) FROM book WHERE about ?? ?", "n"},
		{"partitions", "SELECT k, sum(v) FROM part WHERE k = ? GROUP BY k", 2},
		{"same names", "SELECT id, id, name AS id FROM author WHERE id = ?", 1},
		{"wrong", "SELECT nothing FROM book"},
		{"division", "SELECT id / (id - ?) FROM author ORDER BY id", 5},
		{"bad value", "SELECT id FROM author WHERE id = ?", "x"},
	};

	static final String COUNT = "SELECT count(*), sum(qty), max(note) FROM orders";
	static final String LAST = "SELECT * FROM orders ORDER BY id DESC LIMIT 3";

	static void reads() throws Exception
	{
		for (Object[] read : READS)
		{
			Object[] args = java.util.Arrays.copyOfRange(read, 2, read.length);

			for (int n = 0; n < 2; n++)
				step((String) read[0], () -> ask(conn, (String) read[1], args));
		}
		/* one statement, as often as makes it a named one, and binary */
		for (int i : new int[] {9, 11, 15})
		{
			PreparedStatement st = conn.prepareStatement((String) READS[i][1]);
			Object[] args = java.util.Arrays.copyOfRange(READS[i], 2, READS[i].length);

			for (int n = 0; n < 8; n++)
				step("again " + READS[i][0], () -> rows(bind(st, args).executeQuery()));
			st.close();
		}
		PreparedStatement by = conn.prepareStatement("SELECT id, title, price FROM book WHERE author_id = ? AND id < ? ORDER BY id");
		for (int n = 0; n < 14; n++)
		{
			Integer author = n % 3 == 2 ? null : n % 3;

			step("parameter " + author, () -> {
				by.setObject(1, author, Types.INTEGER);
				by.setInt(2, 90);
				return rows(by.executeQuery());
			});
		}
		/* another type for the same statement */
		PreparedStatement typed = conn.prepareStatement("SELECT id FROM author WHERE id < ? ORDER BY id");
		for (Object value : new Object[] {3, 4L, new BigDecimal("2.5"), 3.5, 3, 4L})
			for (int n = 0; n < 3; n++)
				step("type of " + value, () -> rows(bind(typed, value).executeQuery()));
		by.close();
		typed.close();
	}

	/* What is known of a statement that is not executed. */
	static void described() throws Exception
	{
		for (int n = 0; n < 2; n++)
			step("described", () -> {
				try (PreparedStatement st = conn.prepareStatement("SELECT id, title, added FROM book WHERE id = ? AND sold = ?"))
				{
					ResultSetMetaData meta = st.getMetaData();
					ParameterMetaData params = st.getParameterMetaData();

					return meta.getColumnCount() + meta.getColumnTypeName(3) + meta.getTableName(2)
						+ params.getParameterTypeName(1) + params.getParameterTypeName(2)
						+ rows(bind(st, 3, true).executeQuery());
				}
			});
	}

	static void both(String name) throws Exception
	{
		for (int n = 0; n < 2; n++)
		{
			step(name, () -> ask(conn, COUNT));
			step(name + ", last", () -> ask(conn, LAST));
			step(name + ", other", () -> ask(other, COUNT));
			step(name + ", other, last", () -> ask(other, LAST));
		}
	}

	static void writes(int turn) throws Exception
	{
		conn.setAutoCommit(false);
		both("before");
		step("insert", () -> ask(conn, "INSERT INTO orders (book_id, qty, note) VALUES (?, ?, ?) RETURNING id, qty",
			turn, 5, "it's \\ new"));
		both("own insert");
		conn.commit();
		both("committed");
		step("update", () -> ask(conn, "UPDATE orders SET qty = qty + 1 WHERE book_id = ?", turn));
		both("own update");
		Savepoint one = conn.setSavepoint();
		step("delete", () -> ask(conn, "DELETE FROM orders WHERE id = ? RETURNING id", 2));
		both("own delete");
		step("check", () -> ask(conn, "UPDATE orders SET qty = ?", 0));
		step("aborted", () -> ask(conn, COUNT));
		conn.rollback(one);
		both("to savepoint");
		conn.rollback();
		both("rolled back");
		step("keys", () -> {
			try (PreparedStatement st = conn.prepareStatement(
				"INSERT INTO orders (book_id, qty, details) VALUES (?, ?, ?::jsonb)", Statement.RETURN_GENERATED_KEYS))
			{
				bind(st, turn, 7, "{\"a\": 1}").executeUpdate();
				return rows(st.getGeneratedKeys());
			}
		});
		step("batch", () -> {
			try (PreparedStatement st = conn.prepareStatement("INSERT INTO orders (book_id, qty) VALUES (?, ?)"))
			{
				for (int i = 1; i < 6; i++)
					bind(st, i, i).addBatch();
				return java.util.Arrays.toString(st.executeBatch());
			}
		});
		both("batch");
		step("failing batch", () -> {
			try (PreparedStatement st = conn.prepareStatement("INSERT INTO orders (book_id, qty) VALUES (?, ?)"))
			{
				for (int i = 1; i > -2; i--)
					bind(st, 1, i).addBatch();
				return java.util.Arrays.toString(st.executeBatch());
			}
		});
		conn.rollback();
		both("after batch");

		other.setAutoCommit(false);
		other.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
		both("snapshot");
		ask(conn, "UPDATE orders SET qty = qty + 1 WHERE id = 1");
		conn.commit();
		both("still old");
		other.commit();
		other.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
		other.setReadOnly(true);
		both("new at last");
		other.commit();
		other.setReadOnly(false);
		other.setAutoCommit(true);
		conn.commit();
		ask(conn, "DELETE FROM orders WHERE id > 10");
		conn.commit();
		conn.setAutoCommit(true);
	}

	static void portions() throws Exception
	{
		conn.setAutoCommit(false);
		for (int size : new int[] {7, 50, 1000, 0, 7})
		{
			step("fetch size " + size, () -> {
				try (PreparedStatement st = conn.prepareStatement("SELECT id, title, added, price FROM book WHERE id < ? ORDER BY id"))
				{
					st.setFetchSize(size);
					return rows(bind(st, 60).executeQuery());
				}
			});
			step("fetch size, changed " + size, () -> {
				try (PreparedStatement st = conn.prepareStatement("SELECT id, qty FROM orders ORDER BY id"))
				{
					st.setFetchSize(3);
					ResultSet rs = st.executeQuery();
					rs.next();
					run(conn, "UPDATE orders SET qty = qty + 100");
					return rows(rs) + ask(conn, COUNT);
				}
			});
			conn.rollback();
			step("most rows " + size, () -> {
				try (PreparedStatement st = conn.prepareStatement("SELECT id, title FROM book ORDER BY id"))
				{
					st.setMaxRows(size);
					return rows(st.executeQuery());
				}
			});
		}
		step("scroll", () -> {
			try (Statement st = conn.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY))
			{
				ResultSet rs = st.executeQuery("SELECT id, title FROM book ORDER BY id");
				rs.last();
				String last = rs.getString(1);
				rs.absolute(5);
				String fifth = rs.getString(2);
				rs.previous();
				return last + fifth + rs.getString(2);
			}
		});
		step("updatable", () -> {
			try (Statement st = conn.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE))
			{
				ResultSet rs = st.executeQuery("SELECT id, qty FROM orders ORDER BY id");
				rs.next();
				rs.updateInt(2, 777);
				rs.updateRow();
				return rs.getInt(2) + ask(conn, COUNT);
			}
		});
		conn.rollback();
		for (String sql : new String[] {"COPY author TO STDOUT",
			"COPY (SELECT id, title, about FROM book ORDER BY id LIMIT 20) TO STDOUT (FORMAT csv)"})
			for (int n = 0; n < 2; n++)
				step("copy", () -> {
					ByteArrayOutputStream out = new ByteArrayOutputStream();

					conn.unwrap(PGConnection.class).getCopyAPI().copyOut(sql, out);
					return out.toString("UTF-8");
				});
		conn.commit();
		conn.setAutoCommit(true);
	}

	static void settings() throws Exception
	{
		conn.setAutoCommit(false);
		for (int n = 0; n < 2; n++)
		{
			for (String who : new String[] {"red", "blue"})
			{
				run(conn, "SET LOCAL search_path = " + who + ", public");
				step(who, () -> ask(conn, "SELECT * FROM tenant ORDER BY n"));
				conn.commit();
				run(conn, "SET LOCAL ROLE page_" + who);
				step("secret of " + who, () -> ask(conn, "SELECT * FROM shared ORDER BY secret"));
				conn.rollback();
				run(conn, "SET LOCAL ROLE page_" + who);
				step("of red, by " + who, () -> ask(conn, "SELECT * FROM red.tenant ORDER BY n"));
				conn.rollback();
			}
			for (String zone : new String[] {"Asia/Tokyo", "America/New_York"})
			{
				run(conn, "SET LOCAL TimeZone = '" + zone + "'");
				step(zone, () -> ask(conn, "SELECT added, added::text, added::date FROM book WHERE id < ? ORDER BY id", 4));
				conn.commit();
			}
		}
		/* a pool's validation, and its way to forget */
		conn.setAutoCommit(true);
		for (int n = 0; n < 2; n++)
		{
			step("valid", () -> conn.isValid(5));
			run(conn, "SET search_path = blue");
			step("dirty", () -> ask(conn, "SELECT * FROM tenant ORDER BY n"));
			run(conn, "DISCARD ALL");
			step("clean", () -> ask(conn, "SELECT * FROM tenant ORDER BY n"));
			step("clean, book", () -> ask(conn, "SELECT id, title FROM book WHERE id = ?", 7));
		}
		step("together", () -> {
			try (Statement st = conn.createStatement())
			{
				StringBuilder out = new StringBuilder();
				boolean result = st.execute("SELECT id FROM author WHERE id < 3 ORDER BY id;"
					+ " UPDATE orders SET qty = qty WHERE id < 3; SELECT sum(qty) FROM orders");

				for (; result || st.getUpdateCount() >= 0; result = st.getMoreResults())
					out.append(result ? rows(st.getResultSet()) : "changed " + st.getUpdateCount());
				return out;
			}
		});
	}

	static void evolve() throws Exception
	{
		PreparedStatement star = conn.prepareStatement("SELECT * FROM evolving WHERE id > ? ORDER BY id");

		for (String change : new String[] {
			"SELECT",
			"ALTER TABLE evolving ADD COLUMN b int DEFAULT 5",
			"ALTER TABLE evolving ALTER b TYPE numeric",
			"ALTER TABLE evolving RENAME COLUMN b TO c",
			"UPDATE evolving SET c = 7",
			"ALTER TABLE evolving DROP COLUMN c"})
		{
			run(other, change);
			for (int n = 0; n < 6; n++)
				step(change, () -> rows(bind(star, 0).executeQuery()));
			/* in a transaction the driver cannot prepare it again */
			conn.setAutoCommit(false);
			for (int n = 0; n < 6; n++)
				step("in a transaction", () -> rows(bind(star, 1).executeQuery()));
			conn.commit();
			run(other, "ALTER TABLE evolving ADD COLUMN d int DEFAULT 6");
			step("in a transaction, changed", () -> rows(bind(star, 1).executeQuery()));
			step("and then", () -> ask(conn, COUNT));
			conn.rollback();
			run(other, "ALTER TABLE evolving DROP COLUMN d");
			conn.setAutoCommit(true);
		}
		star.close();
	}

	public static void main(String[] args) throws Exception
	{
		java.util.TimeZone.setDefault(java.util.TimeZone.getTimeZone("Europe/Vienna"));
		for (int turn = 1; turn <= Integer.parseInt(args[1]); turn++)
		{
			for (int i = 2; i < args.length; i++)
			{
				label = turn + " " + args[i] + ":";
				conn = DriverManager.getConnection(args[0] + "&" + args[i]);
				other = DriverManager.getConnection(args[0] + "&" + args[i]);
				reads();
				described();
				writes(turn);
				portions();
				settings();
				evolve();
				conn.close();
				other.close();
			}
		}
	}
}
