"""Two clients that share one session of the server, behind a pooler.

    pooler.py CONNINFO ROUNDS

Each takes the session for a transaction, in turn; nobody must see what another
may see, or sees it the way another set.  Prints a line for each step.
"""
import sys
import time

import psycopg2

conninfo, rounds = sys.argv[1], int(sys.argv[2])


def ask(conn, sql, args=None):
    with conn.cursor() as cur:
        try:
            cur.execute(sql, args)
            return cur.fetchall() if cur.description else cur.statusmessage
        except psycopg2.Error as e:
            return 'error', e.pgcode, e.diag.message_primary


QUESTIONS = [
    'SELECT * FROM shared ORDER BY secret',
    'SELECT count(*) FROM shared',
    'SELECT * FROM tenant ORDER BY n',
    'SELECT title FROM public.book WHERE id < 4 ORDER BY id',
    'SELECT added::text, ratio::text FROM public.book WHERE id = 9',
    'SELECT * FROM red.tenant ORDER BY n',
    'SELECT author_id FROM public.book WHERE id = 9',
    'SELECT current_user, pg_backend_pid() > 0',
]

clients = {
    'red': (psycopg2.connect(conninfo), 'Asia/Tokyo', 0),
    'blue': (psycopg2.connect(conninfo), 'America/New_York', 1),
    'owner': (psycopg2.connect(conninfo), 'UTC', 0),
}
sessions = set()

for turn in range(rounds):
    for question in QUESTIONS:
        for who, (conn, zone, digits) in clients.items():
            if who != 'owner':
                ask(conn, f'SET LOCAL ROLE page_{who}')
            ask(conn, f'SET LOCAL search_path = {"red" if who == "owner" else who}, public')
            ask(conn, f"SET LOCAL TimeZone = '{zone}'")
            ask(conn, f'SET LOCAL extra_float_digits = {digits}')
            print(turn, who, question, ask(conn, question))
            print(turn, who, 'other', ask(conn, 'SELECT * FROM public.shared WHERE secret = %s', ('r1',)))
            conn.rollback()
            sessions.add(ask(conn, 'SELECT pg_backend_pid()')[0])
            conn.commit()

    # one writes, and others read: committed or not yet, by the same session
    red, owner = clients['red'][0], clients['owner'][0]
    count = 'SELECT count(*), sum(qty) FROM orders'
    for end in ('rollback', 'commit'):
        print(turn, 'before', ask(owner, count), ask(owner, count))
        print(turn, 'writes', ask(owner, 'INSERT INTO orders (book_id, qty) VALUES (1, 7) RETURNING qty'))
        print(turn, 'own', ask(owner, count), ask(owner, count))
        getattr(owner, end)()
        print(turn, end, ask(red, count), ask(red, count))
        red.commit()

# a session that is kept tells its counters with a later transaction
time.sleep(0.2)
print(ask(owner, 'SELECT 1'))
owner.commit()
print(len(sessions), 'session')
for conn, _, _ in clients.values():
    conn.close()
