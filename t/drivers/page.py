"""A page of an application, by psycopg 2 or 3.

    page.py 2|3 CONNINFO ROUNDS [pooled]

Prints a line for each step: its name, a digest, and how what it gave begins.
Errors are answers, too.  "pooled": through a pooler that gives no session,
hence without prepared statements, cursors WITH HOLD and session settings.
"""
import datetime
import decimal
import hashlib
import logging
import sys
import uuid

version, conninfo, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
pooled = len(sys.argv) > 4

if version == '2':
    import psycopg2 as driver
    import psycopg2.extras as extras
else:
    import psycopg as driver

logging.getLogger('psycopg').setLevel(logging.CRITICAL)
turn = 0


def plain(x):
    """What a value is, whatever object the driver makes of it."""
    if isinstance(x, memoryview):
        return bytes(x)
    if isinstance(x, (list, tuple)):
        return [plain(y) for y in x]
    return x


def column(d):
    return (d.name, d.type_code, d.internal_size, d.precision, d.scale)


def what(cur):
    rows = plain(cur.fetchall()) if cur.description else None
    heads = [column(d) for d in cur.description] if cur.description else None
    return rows, heads, cur.rowcount, cur.statusmessage


def error(e):
    if version == '2':
        return 'error', e.pgcode, e.diag.message_primary
    return 'error', getattr(e, 'sqlstate', None), e.diag.message_primary


def step(name, call):
    try:
        got = call()
    except driver.Error as e:
        got = error(e)
    text = repr(got)
    digest = hashlib.md5(text.encode()).hexdigest()[:12]
    print(turn, name, digest, text[:90], flush=True)
    return got


def connect():
    conn = driver.connect(conninfo)
    if version == '2':
        extras.register_uuid(conn_or_curs=conn)
    elif pooled:
        conn.prepare_threshold = None
    return conn


vienna = datetime.timezone(datetime.timedelta(hours=2))
some_day = datetime.datetime(2024, 3, 31, 3, 0, tzinfo=vienna)

# what mappers of objects send; all is read from tables nobody changes
READS = [
    ('by key', 'SELECT * FROM book WHERE id = %s', (7,)),
    ('by key, none', 'SELECT * FROM book WHERE id = %s', (-1,)),
    ('nulls', 'SELECT * FROM book WHERE id = %s', (1000,)),
    ('page 1', 'SELECT id, title FROM book ORDER BY id LIMIT %s OFFSET %s', (10, 0)),
    ('page 2', 'SELECT id, title FROM book ORDER BY id LIMIT %s OFFSET %s', (10, 10)),
    ('page 99', 'SELECT id, title FROM book ORDER BY id LIMIT %s OFFSET %s', (10, 990)),
    ('no limit', 'SELECT id, title FROM book ORDER BY id LIMIT %s', (None,)),
    ('count', 'SELECT count(*) FROM book WHERE sold', None),
    ('count by', 'SELECT author_id, count(*) AS n, sum(price), avg(ratio)'
     ' FROM book GROUP BY author_id HAVING count(*) > %s ORDER BY 1', (3,)),
    ('exists', 'SELECT EXISTS (SELECT 1 FROM book WHERE title = %s)', ('title 9',)),
    ('eager', 'SELECT a.id AS a_id, a.name, a.feeling, b.id AS b_id, b.title, b.added'
     ' FROM author AS a LEFT JOIN book AS b ON b.author_id = a.id AND b.price > %s'
     ' ORDER BY a.id, b.id', (decimal.Decimal('150.5'),)),
    ('in', 'SELECT id, tags, scores FROM book WHERE id IN (%s, %s, %s) ORDER BY id', (3, 5, 8)),
    ('any', 'SELECT id, uid FROM book WHERE id = ANY(%s) ORDER BY id', ([2, 4, 6],)),
    ('any, none', 'SELECT id FROM book WHERE id = ANY(%s::int[])', ([],)),
    ('any text', 'SELECT id FROM book WHERE title = ANY(%s) ORDER BY id', (['title 1', "o'x"],)),
    ('like', 'SELECT id FROM book WHERE title ILIKE %s ORDER BY id', ('%TLE 1_',)),
    ('types', 'SELECT price, cost, tags, scores, about, raw, cover, uid, sold, added, at, day,'
     ' hour, span, ratio, small, big, tiny, during, ip, isbn FROM book ORDER BY id LIMIT 30', None),
    ('uuid', 'SELECT id FROM book WHERE uid = %s',
     (uuid.UUID(hashlib.md5(b'book11').hexdigest()),)),
    ('numeric', 'SELECT id, price * 3 FROM book WHERE price = %s', (decimal.Decimal('10.6250'),)),
    ('bytea', 'SELECT id FROM book WHERE cover = %s',
     (bytes.fromhex(hashlib.md5(b'13').hexdigest() + '00ff5c27'),)),
    ('timestamptz', 'SELECT id, added, date_trunc(%s, added) FROM book'
     ' WHERE added < %s ORDER BY id', ('hour', some_day)),
    ('boolean', 'SELECT id FROM book WHERE sold = %s ORDER BY id LIMIT 5', (True,)),
    ('enum', 'SELECT id, feeling FROM author WHERE feeling = %s ORDER BY id', ('happy',)),
    ('null', 'SELECT id FROM author WHERE feeling IS NOT DISTINCT FROM %s::mood ORDER BY id', (None,)),
    ('jsonb', "SELECT id, about -> 'deep' FROM book WHERE about ->> 'n' = %s", ('17',)),
    ('window', 'SELECT id, rank() OVER (PARTITION BY author_id ORDER BY price DESC) FROM book'
     ' WHERE author_id < %s ORDER BY id', (4,)),
    ('with', 'WITH top AS (SELECT author_id, max(price) AS p FROM book GROUP BY 1)'
     ' SELECT b.id FROM book AS b JOIN top AS t ON (t.author_id, t.p) = (b.author_id, b.price)'
     ' ORDER BY 1', None),
    ('partitions', 'SELECT k, sum(v) FROM part WHERE k = %s GROUP BY k', (2,)),
    ('no rows', 'SELECT id, title FROM book WHERE false', None),
    ('no columns', 'SELECT FROM author WHERE id < %s', (4,)),
    ('same names', 'SELECT id, id, name AS id FROM author WHERE id = %s', (1,)),
    ('wrong', 'SELECT nothing FROM book', None),
    ('division', 'SELECT id / (id - %s) FROM author ORDER BY id', (5,)),
    ('bad value', 'SELECT id FROM author WHERE id = %s', ('x',)),
]


def ask(conn, sql, args=None, **how):
    with conn.cursor(**how) as cur:
        cur.execute(sql, args)
        return what(cur)


def reads(conn, label, **how):
    conn.autocommit = True
    for name, sql, args in READS:
        for n in (1, 2):
            step(f'{label}: {name} {n}', lambda: ask(conn, sql, args, **how))
    conn.autocommit = False


COUNT = 'SELECT count(*), sum(qty), max(note) FROM orders'
LAST = 'SELECT * FROM orders ORDER BY id DESC LIMIT 3'


def both(conn, label):
    """What is written and read in turn, twice each."""
    for sql in (COUNT, LAST, COUNT, LAST):
        step(label, lambda: ask(conn, sql))


def writes(conn, other):
    for c in (conn, other):
        c.autocommit = False
    both(conn, 'before')
    both(other, 'before, other')
    conn.commit()
    other.commit()
    step('insert', lambda: ask(
        conn, 'INSERT INTO orders (book_id, qty, note) VALUES (%s, %s, %s) RETURNING *',
        (turn + 1, 5, "it's \\ new")))
    both(conn, 'own insert')
    both(other, 'not committed, other')
    other.commit()
    conn.commit()
    both(conn, 'committed')
    both(other, 'committed, other')
    other.commit()
    step('update', lambda: ask(
        conn, 'WITH changed AS (UPDATE orders SET qty = qty + 1 WHERE book_id = %s RETURNING id, qty)'
        ' SELECT * FROM changed ORDER BY id', (turn + 1,)))
    both(conn, 'own update')
    conn.rollback()
    both(conn, 'rolled back')

    # savepoints, and an error in the middle
    ask_none(conn, 'SAVEPOINT one')
    step('delete', lambda: ask(conn, 'DELETE FROM orders WHERE id = %s RETURNING id', (2,)))
    both(conn, 'own delete')
    ask_none(conn, 'SAVEPOINT two')
    step('check', lambda: ask(conn, 'UPDATE orders SET qty = %s', (0,)))
    step('aborted', lambda: ask(conn, COUNT))
    ask_none(conn, 'ROLLBACK TO two')
    both(conn, 'to two')
    ask_none(conn, 'ROLLBACK TO one')
    both(conn, 'to one')
    step('foreign key', lambda: ask(
        conn, 'INSERT INTO orders (book_id, qty) VALUES (%s, 1)', (99999,)))
    step('aborted', lambda: ask(conn, COUNT))
    conn.rollback()
    both(conn, 'after all')
    conn.commit()

    # a snapshot that is kept while others write
    ask_none(other, 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ')
    both(other, 'snapshot')
    step('upsert', lambda: ask(
        conn, 'INSERT INTO orders (id, book_id, qty) VALUES (1, 1, %s)'
        ' ON CONFLICT (id) DO UPDATE SET qty = excluded.qty RETURNING xmax <> 0, qty', (turn * 100,)))
    conn.commit()
    both(conn, 'new')
    both(other, 'still old')
    other.commit()
    both(other, 'new at last')
    other.commit()
    with conn.cursor() as cur:
        step('many', lambda: cur.executemany(
            'INSERT INTO orders (book_id, qty, details) VALUES (%s, %s, %s)',
            [(n, n, '{"n": %d}' % n) for n in range(1, 6)]))
    both(conn, 'batch')
    conn.commit()
    step('one left', lambda: ask(conn, 'DELETE FROM orders WHERE id > 12'))
    conn.commit()


def ask_none(conn, sql):
    with conn.cursor() as cur:
        cur.execute(sql)


def settings(conn):
    """SET LOCAL: what names lead to, what values look like, who asks."""
    conn.autocommit = False
    for n in (1, 2):
        for who in ('red', 'blue'):
            ask_none(conn, f'SET LOCAL search_path = {who}, public')
            step(f'{who} {n}', lambda: ask(conn, 'SELECT * FROM tenant ORDER BY n'))
            conn.commit()
            ask_none(conn, f'SET LOCAL ROLE page_{who}')
            step(f'secret of {who} {n}', lambda: ask(conn, 'SELECT * FROM shared ORDER BY secret'))
            step(f'columns of {who} {n}', lambda: ask(conn, 'SELECT id, title FROM book WHERE id < 5 ORDER BY id'))
            conn.rollback()
            ask_none(conn, f'SET LOCAL ROLE page_{who}')
            step(f'of red, by {who} {n}', lambda: ask(conn, 'SELECT * FROM red.tenant ORDER BY n'))
            conn.rollback()
        for zone in ('Asia/Tokyo', 'America/New_York'):
            ask_none(conn, f"SET LOCAL TimeZone = '{zone}'")
            step(f'{zone} {n}', lambda: ask(
                conn, 'SELECT added, added::text, added::date FROM book WHERE id < %s ORDER BY id', (4,)))
            conn.commit()
        for style in ('German, DMY', 'ISO, MDY'):
            ask_none(conn, f"SET LOCAL DateStyle = '{style}'")
            ask_none(conn, "SET LOCAL extra_float_digits = 0")
            ask_none(conn, "SET LOCAL bytea_output = escape")
            step(f'{style} {n}', lambda: ask(
                conn, 'SELECT day::text, at::text, ratio::text, cover::text FROM book'
                ' WHERE id IN (1, 2, 3) ORDER BY id'))
            conn.rollback()


def cursors(conn):
    """Rows fetched in portions."""
    conn.autocommit = False
    for n in (1, 2):
        cur = conn.cursor(name='c%d' % n)
        cur.itersize = 7
        cur.execute('SELECT id, title, added FROM book WHERE id < %s ORDER BY id', (40,))
        step(f'named {n}', lambda: [plain(cur.fetchone()), plain(cur.fetchmany(5)),
                                    [plain(row) for row in cur]])
        cur.close()
        cur = conn.cursor(name='s%d' % n, scrollable=True)
        cur.execute('SELECT id, title FROM book ORDER BY id')

        def scroll():
            got = [plain(cur.fetchmany(3))]
            for by, mode in ((5, 'relative'), (-6, 'relative'), (100, 'absolute'), (0, 'absolute')):
                cur.scroll(by, mode=mode)
                got.append(plain(cur.fetchmany(2)))
            return got
        step(f'scroll {n}', scroll)
        cur.close()
        # a cursor has the rows of its own time
        cur = conn.cursor(name='o%d' % n)
        cur.execute('SELECT id, qty FROM orders ORDER BY id')
        first = cur.fetchmany(2)
        ask_none(conn, 'UPDATE orders SET qty = qty + 1000')
        step(f'old {n}', lambda: [plain(first), plain(cur.fetchall())])
        step(f'changed {n}', lambda: ask(conn, COUNT))
        conn.rollback()
        if not pooled:
            cur = conn.cursor(name='h%d' % n, withhold=True)
            cur.execute('SELECT id FROM book ORDER BY id')
            conn.commit()
            step(f'held {n}', lambda: plain(cur.fetchmany(4)))
            cur.close()
        conn.commit()


def copies(conn):
    for n in (1, 2):
        for sql in ('COPY author TO STDOUT',
                    'COPY (SELECT id, title, price, about FROM book ORDER BY id LIMIT 20) TO STDOUT (FORMAT csv)',
                    'COPY (SELECT count(*) FROM orders) TO STDOUT (FORMAT binary)'):
            step(f'copy {n}', lambda: copy(conn, sql))
    conn.commit()


def evolve(conn, other, **how):
    """A definition that changes between executions of the same statement."""
    conn.autocommit = other.autocommit = True
    ask_none(other, 'ALTER TABLE evolving DROP COLUMN IF EXISTS b; ALTER TABLE evolving ALTER a TYPE text')
    star = 'SELECT * FROM evolving WHERE id > %s ORDER BY id'
    for change in (None,
                   "ALTER TABLE evolving ADD COLUMN b int DEFAULT 5",
                   "ALTER TABLE evolving ALTER b TYPE numeric",
                   "ALTER TABLE evolving RENAME COLUMN b TO c",
                   "UPDATE evolving SET c = 7",
                   "ALTER TABLE evolving RENAME COLUMN c TO b",
                   "ALTER TABLE evolving DROP COLUMN b",
                   "CREATE INDEX evolving_a ON evolving (a)",
                   "DROP INDEX evolving_a"):
        if change:
            ask_none(other, change)
        for n in (1, 2, 3):
            step(f'{change} {n}', lambda: ask(conn, star, (0,), **how))
        if version == '3':
            forget(conn)
            for n in (1, 2):
                step(f'{change}, anew {n}', lambda: ask(conn, star, (0,), **how))
    # in a transaction the error stays
    conn.autocommit = False
    step('in a transaction', lambda: ask(conn, star, (1,), **how))
    conn.commit()
    ask_none(other, "ALTER TABLE evolving ADD COLUMN b int DEFAULT 6")
    step('in a transaction, changed', lambda: ask(conn, star, (1,), **how))
    step('and then', lambda: ask(conn, 'SELECT id FROM evolving ORDER BY id'))
    conn.rollback()
    step('after it', lambda: ask(conn, star, (1,), **how))
    conn.rollback()


def several(conn):
    """Statements sent together, without parameters."""
    conn.autocommit = True
    for n in (1, 2):
        step(f'together {n}', lambda: ask(
            conn, 'SELECT 1; SELECT id FROM book WHERE id < 4 ORDER BY id'))
        step(f'with a change {n}', lambda: ask(
            conn, 'SELECT sum(qty) FROM orders; UPDATE orders SET qty = qty + 1 WHERE id = 3;'
            ' SELECT sum(qty) FROM orders'))
        step(f'failing {n}', lambda: ask(
            conn, 'UPDATE orders SET qty = qty + 1 WHERE id = 3; SELECT 1 / (id - 1) FROM author'))
        step(f'sum {n}', lambda: ask(conn, 'SELECT sum(qty) FROM orders'))
    conn.autocommit = False


def reset(conn):
    """What a pool does when a session is given back."""
    conn.autocommit = True
    for n in (1, 2):
        ask_none(conn, "SET TimeZone = 'Asia/Tokyo'; SET search_path = red; CREATE TEMP TABLE tenant AS SELECT 'mine' AS who, 0 AS n")
        step(f'dirty {n}', lambda: ask(conn, 'SELECT * FROM tenant ORDER BY n'))
        step(f'dirty zone {n}', lambda: ask(conn, 'SELECT added::text FROM public.book WHERE id = 1'))
        ask_none(conn, 'DISCARD TEMP')
        step(f'schema {n}', lambda: ask(conn, 'SELECT * FROM tenant ORDER BY n'))
        ask_none(conn, 'DISCARD ALL')
        if version == '3':
            forget(conn)
        step(f'clean {n}', lambda: ask(conn, 'SELECT * FROM tenant ORDER BY n'))
        step(f'clean zone {n}', lambda: ask(conn, 'SELECT added::text FROM public.book WHERE id = 1'))
    conn.autocommit = False


if version == '2':
    def copy(conn, sql):
        import io
        out = io.BytesIO()
        with conn.cursor() as cur:
            cur.copy_expert(sql, out)
        return out.getvalue()

    def others(conn, other):
        conn.autocommit = True
        for n in (1, 2):
            for factory in (extras.RealDictCursor, extras.NamedTupleCursor):
                step(f'{factory.__name__} {n}', lambda: ask(
                    conn, 'SELECT id, name FROM author ORDER BY id LIMIT 3', cursor_factory=factory))
            step(f'tuple {n}', lambda: ask(
                conn, 'SELECT id FROM book WHERE id IN %s ORDER BY id', ((1, 2, 3),)))
        conn.autocommit = False
        with conn.cursor() as cur:
            step('values', lambda: extras.execute_values(
                cur, 'INSERT INTO orders (book_id, qty) VALUES %s RETURNING book_id',
                [(1, 1), (2, 2), (3, 3)], fetch=True))
            step('batch', lambda: extras.execute_batch(
                cur, 'UPDATE orders SET qty = %s WHERE book_id = %s', [(8, 1), (9, 2)]))
        both(conn, 'values and batch')
        conn.rollback()
        if pooled:
            return
        conn.autocommit = True
        ask_none(conn, 'PREPARE q(int) AS SELECT id, title FROM book WHERE id < $1 ORDER BY id')
        for n in range(8):
            step(f'execute {n}', lambda: ask(conn, 'EXECUTE q(%s)', (4,)))
        ask_none(conn, 'DEALLOCATE q')
        conn.autocommit = False
else:
    def copy(conn, sql):
        with conn.cursor() as cur:
            with cur.copy(sql) as c:
                return b''.join(bytes(data) for data in c)

    def forget(conn):
        """Let psycopg prepare anew what it has prepared."""
        conn._prepared.clear()
        conn.execute('SELECT 1', prepare=False)

    def described(conn):
        """Described, and not executed."""
        pg = conn.pgconn
        name = b'd%d' % turn
        pg.prepare(name, b'SELECT id, title, added FROM book WHERE id = $1')
        got = pg.describe_prepared(name)
        out = [(got.fname(i), got.ftype(i), got.fmod(i), got.ftable(i) > 0, got.ftablecol(i))
               for i in range(got.nfields)]
        again = pg.exec_prepared(name, [b'3'])
        return out, [again.get_value(0, i) for i in range(again.nfields)], again.ftablecol(1)

    def others(conn, other):
        reads(conn, 'binary', binary=True)
        if pooled:
            return
        conn.prepare_threshold = 0
        reads(conn, 'prepared')
        reads(conn, 'prepared, binary', binary=True)
        evolve(conn, other)
        evolve(conn, other, binary=True)
        conn.autocommit = True
        for n in (1, 2):
            step(f'described {n}', lambda: described(conn))
        for threshold in (2, 5):
            conn.prepare_threshold = threshold
            for n in range(8):
                step(f'threshold {threshold}, {n}', lambda: ask(
                    conn, f'SELECT id, name, {threshold} AS t FROM author WHERE id < %s ORDER BY id', (n,)))
        for n in (1, 2):
            step(f'stream {n}', lambda: [plain(row) for row in conn.cursor().stream(
                'SELECT id, price FROM book WHERE id < %s ORDER BY id', (20,))])
            step(f'half a stream {n}', lambda: half(conn))
        conn.autocommit = False
        with conn.cursor(name='b', binary=True) as cur:
            cur.execute('SELECT id, price, added FROM book ORDER BY id')
            step('binary cursor', lambda: [plain(cur.fetchmany(3)), plain(cur.fetchmany(4))])
        conn.commit()
        for n in (1, 2):
            step(f'pipeline {n}', lambda: pipeline(conn))
            conn.rollback()
        step('pipeline, error', lambda: failing_pipeline(conn))
        conn.rollback()
        step('after it', lambda: ask(conn, COUNT))
        with conn.transaction():
            ask_none(conn, 'UPDATE orders SET qty = qty + 1 WHERE id = 5')
            both(conn, 'nested 1')
            try:
                with conn.transaction():
                    ask_none(conn, 'UPDATE orders SET qty = qty + 10')
                    both(conn, 'nested 2')
                    raise driver.Rollback()
            except driver.Rollback:
                pass
            both(conn, 'nested 3')
        conn.commit()

    def half(conn):
        stream = conn.cursor().stream('SELECT id, uid FROM book ORDER BY id')
        got = [plain(next(stream)), plain(next(stream))]
        stream.close()
        return got

    def pipeline(conn):
        got = []
        with conn.pipeline() as p:
            cursors = []
            for sql, args in ((COUNT, None), ('SELECT id FROM author WHERE id < %s ORDER BY id', (6,)),
                              ('UPDATE orders SET qty = qty + 1 WHERE id = 4 RETURNING qty', None),
                              (COUNT, None), (LAST, None),
                              ('SELECT id FROM author WHERE id < %s ORDER BY id', (6,))):
                cursors.append(conn.cursor())
                cursors[-1].execute(sql, args)
            p.sync()
            for cur in cursors:
                got.append(what(cur))
        return got

    def failing_pipeline(conn):
        with conn.pipeline():
            cur = conn.cursor()
            cur.execute(COUNT)
            first = what(cur)
            conn.execute('SELECT 1 / (id - 1) FROM author')
            conn.execute(COUNT)
        return first


def page():
    conn, other = connect(), connect()
    # the same default for all that follows, whatever the machine's
    for c in (conn, other):
        c.autocommit = True
        if not pooled:
            ask_none(c, "SET TimeZone = 'Europe/Vienna'")
        c.autocommit = False
    reads(conn, 'plain')
    writes(conn, other)
    settings(conn)
    cursors(conn)
    copies(conn)
    several(conn)
    if not pooled:
        evolve(conn, other)
    others(conn, other)
    if not pooled:
        reset(conn)
    conn.close()
    other.close()


for turn in range(1, rounds + 1):
    page()
