/*
 * A page of an application, by node-postgres.
 *
 *	node page.js HOST PORT USER DATABASE ROUNDS
 *
 * Prints a line for each step: its name, a digest, and how what it gave
 * begins.  Errors are answers, too.  Cursors only if pg-cursor is there.
 */
'use strict';

const { createHash } = require('crypto');
const pg = require('pg');

let Cursor = null;
try {
	Cursor = require('pg-cursor');
} catch (e) {
	if (e.code !== 'MODULE_NOT_FOUND')
		throw e;
}

const [host, port, user, database, rounds] = process.argv.slice(2);
let turn = 0;

async function step(name, call) {
	let got;
	try {
		got = await call();
	} catch (e) {
		if (!e.severity)
			throw e;
		got = ['error', e.code, e.message, e.position];
	}
	const text = JSON.stringify(got);
	const digest = createHash('md5').update(text).digest('hex').slice(0, 12);
	console.log(turn, name, digest, text.slice(0, 90));
}

function plain(result) {
	if (Array.isArray(result))
		return result.map(plain);
	return [result.command, result.rowCount, result.rows,
		result.fields.map((f) => [f.name, f.dataTypeID, f.dataTypeModifier, f.format,
			f.columnID, f.tableID > 0])];
}

/* the bytes of the binary format, as they are */
const raw = { getTypeParser: () => (value) => value.toString('hex') };

const ask = async (client, sql, values, more) =>
	plain(await client.query({ text: sql, values, ...more }));

const reads = [
	['by key', 'SELECT * FROM book WHERE id = $1', [7]],
	['nulls', 'SELECT * FROM book WHERE id = $1', [1000]],
	['none', 'SELECT * FROM book WHERE id = $1', [-1]],
	['page 1', 'SELECT id, title FROM book ORDER BY id LIMIT $1 OFFSET $2', [10, 0]],
	['page 2', 'SELECT id, title FROM book ORDER BY id LIMIT $1 OFFSET $2', [10, 10]],
	['count', 'SELECT count(*) FROM book WHERE sold', undefined],
	['count by', 'SELECT author_id, count(*) AS n, sum(price), avg(ratio) FROM book'
		+ ' GROUP BY author_id HAVING count(*) > $1 ORDER BY 1', [3]],
	['eager', 'SELECT a.id AS a_id, a.name, a.feeling, b.id AS b_id, b.title, b.added'
		+ ' FROM author AS a LEFT JOIN book AS b ON b.author_id = a.id AND b.price > $1'
		+ ' ORDER BY a.id, b.id', [150.5]],
	['as json', "SELECT a.id, coalesce(json_agg(json_build_object('id', b.id, 'title', b.title)"
		+ " ORDER BY b.id) FILTER (WHERE b.id IS NOT NULL), '[]') AS books"
		+ ' FROM author AS a LEFT JOIN book AS b ON b.author_id = a.id WHERE a.id < $1'
		+ ' GROUP BY a.id ORDER BY a.id', [4]],
	['in', 'SELECT id, tags, scores FROM book WHERE id IN ($1, $2, $3) ORDER BY id', [3, 5, 8]],
	['any', 'SELECT id, uid FROM book WHERE id = ANY($1) ORDER BY id', [[2, 4, 6]]],
	['any, none', 'SELECT id FROM book WHERE id = ANY($1)', [[]]],
	['any text', 'SELECT id FROM book WHERE title = ANY($1) ORDER BY id', [['title 1', "o'x", '{"']]],
	['types', 'SELECT price, cost, tags, scores, about, raw, cover, uid, sold, added, at, day,'
		+ ' hour, span, ratio, small, big, tiny, during, ip, isbn FROM book ORDER BY id LIMIT 30', undefined],
	['bytea', 'SELECT id, cover FROM book WHERE cover > $1 ORDER BY id LIMIT 5',
		[Buffer.from([0xc0, 0, 0xff])]],
	['timestamptz', 'SELECT id, added FROM book WHERE added < $1 ORDER BY id',
		[new Date('2024-03-31T01:00:00Z')]],
	['boolean', 'SELECT id FROM book WHERE sold = $1 ORDER BY id LIMIT 5', [true]],
	['null', 'SELECT id FROM book WHERE sold IS NOT DISTINCT FROM $1 ORDER BY id LIMIT 5', [null]],
	['enum', 'SELECT id, feeling FROM author WHERE feeling = $1 ORDER BY id', ['happy']],
	['jsonb', "SELECT id, about -> 'deep' FROM book WHERE about @> $1", [{ n: 17 }]],
	['partitions', 'SELECT k, sum(v) FROM part WHERE k = $1 GROUP BY k', [2]],
	['same names', 'SELECT id, id, name AS id FROM author WHERE id = $1', [1]],
	['wrong', 'SELECT nothing FROM book', undefined],
	['division', 'SELECT id / (id - $1) FROM author ORDER BY id', [5]],
	['bad value', 'SELECT id FROM author WHERE id = $1', ['x']],
];

async function read(client, label, more) {
	for (const [name, sql, values] of reads) {
		const own = more(name);
		for (let n = 0; n < 2; n++)
			await step(`${label}: ${name}`, () => ask(client, sql, values, own));
	}
}

const count = 'SELECT count(*), sum(qty), max(note) FROM orders';
const last = 'SELECT * FROM orders ORDER BY id DESC LIMIT 3';

async function both(name, ...clients) {
	for (let n = 0; n < 2; n++) {
		for (const [i, client] of clients.entries()) {
			await step(`${name} ${i}`, () => ask(client, count));
			await step(`${name}, last ${i}`, () => ask(client, last, undefined, { name: 'last' }));
		}
	}
}

async function writes(a, b) {
	await both('before', a, b);
	await a.query('BEGIN');
	await step('insert', () => ask(a,
		'INSERT INTO orders (book_id, qty, note, details) VALUES ($1, $2, $3, $4) RETURNING *',
		[turn, 5, "it's \\ new", { a: [1, null] }]));
	await both('own insert', a, b);
	await a.query('COMMIT');
	await both('committed', a, b);
	await a.query('BEGIN');
	await step('update', () => ask(a, 'UPDATE orders SET qty = qty + 1 WHERE id = $1 RETURNING *', [turn]));
	await both('own update', a, b);
	await a.query('SAVEPOINT one');
	await step('delete', () => ask(a, 'DELETE FROM orders WHERE id = $1', [2]));
	await both('own delete', a, b);
	await step('check', () => ask(a, 'UPDATE orders SET qty = $1', [0]));
	await step('aborted', () => ask(a, count));
	await a.query('ROLLBACK TO one');
	await both('to savepoint', a, b);
	await a.query('ROLLBACK');
	await both('rolled back', a, b);
	await b.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
	await both('snapshot', b);
	await a.query('UPDATE orders SET qty = qty + 1 WHERE id = 1');
	await both('still old', a, b);
	await b.query('COMMIT');
	await both('new at last', a, b);
	await a.query('DELETE FROM orders WHERE id > 10');
}

/* sent without waiting for one another: they queue in the client */
async function queued(client) {
	for (let n = 0; n < 2; n++) {
		const all = await Promise.all([
			client.query(count),
			client.query('SELECT id FROM author WHERE id < $1 ORDER BY id', [6]),
			client.query('UPDATE orders SET qty = qty + 1 WHERE id = 4 RETURNING qty'),
			client.query(count),
			client.query('SELECT id FROM author WHERE id < $1 ORDER BY id', [6]),
		]);
		await step('queued', async () => all.map(plain));
		await step('together', () => ask(client,
			'SELECT id FROM author WHERE id < 3 ORDER BY id; UPDATE orders SET qty = qty + 1 WHERE id = 3;'
			+ ' SELECT sum(qty) FROM orders'));
		await step('failing', () => ask(client,
			'UPDATE orders SET qty = qty + 1 WHERE id = 3; SELECT 1 / (id - 1) FROM author'));
		await step('sum', () => ask(client, 'SELECT sum(qty) FROM orders'));
	}
}

async function cursors(client) {
	if (Cursor === null)
		return;
	await client.query('BEGIN');
	for (let n = 0; n < 2; n++) {
		for (const portion of [7, 1000]) {
			const cursor = client.query(new Cursor(
				'SELECT id, title, added FROM book WHERE id < $1 ORDER BY id', [40]));
			await step(`cursor ${portion}`, async () => {
				const got = [];
				for (let rows; (rows = await cursor.read(portion)).length > 0;)
					got.push(rows);
				return got;
			});
			await cursor.close();
		}
		const half = client.query(new Cursor('SELECT id, title FROM book ORDER BY id'));
		await step('half a cursor', () => half.read(3));
		await half.close();
		await step('after it', () => ask(client, 'SELECT id, title FROM book ORDER BY id'));
	}
	await client.query('COMMIT');
}

async function settings(client) {
	for (let n = 0; n < 2; n++) {
		for (const who of ['red', 'blue']) {
			await client.query(`BEGIN; SET LOCAL search_path = ${who}, public`);
			await step(who, () => ask(client, 'SELECT * FROM tenant ORDER BY n'));
			await client.query(`COMMIT; BEGIN; SET LOCAL ROLE page_${who}`);
			await step(`secret of ${who}`, () => ask(client, 'SELECT * FROM shared ORDER BY secret'));
			await step(`of red, by ${who}`, () => ask(client, 'SELECT * FROM red.tenant ORDER BY n'));
			await client.query('ROLLBACK');
		}
		for (const zone of ['Asia/Tokyo', 'America/New_York']) {
			await client.query(`BEGIN; SET LOCAL TimeZone = '${zone}'`);
			await step(zone, () => ask(client,
				'SELECT added, added::text, added::date::text FROM book WHERE id < $1 ORDER BY id', [4]));
			await client.query('COMMIT');
		}
	}
}

async function evolve(a, b) {
	await b.query('ALTER TABLE evolving DROP COLUMN IF EXISTS b');
	for (const change of ['SELECT',
		'ALTER TABLE evolving ADD COLUMN b int DEFAULT 5',
		'ALTER TABLE evolving ALTER b TYPE numeric',
		'UPDATE evolving SET b = 7',
		'ALTER TABLE evolving DROP COLUMN b']) {
		await b.query(change);
		for (let n = 0; n < 3; n++) {
			await step(change, () => ask(a, 'SELECT * FROM evolving WHERE id > $1 ORDER BY id', [0],
				{ name: 'star' }));
			await step(`${change}, not named`, () => ask(a,
				'SELECT * FROM evolving WHERE id > $1 ORDER BY id', [0]));
		}
	}
}

/* connections that a pool gives out and takes back */
async function pooled(pool) {
	await step('pool', async () => (await Promise.all([1, 2, 3, 1, 2, 3, 1, 2, 3].map((id) =>
		pool.query('SELECT id, name FROM author WHERE id = $1', [id])))).map(plain));
	for (let n = 0; n < 2; n++) {
		const client = await pool.connect();
		await client.query('SET search_path = blue');
		await step('dirty', () => ask(client, 'SELECT * FROM tenant ORDER BY n'));
		await client.query('DISCARD ALL');
		await step('clean', () => ask(client, 'SELECT * FROM tenant ORDER BY n'));
		client.release();
	}
}

async function page() {
	const pool = new pg.Pool({ host, port, user, database, max: 3 });
	const a = await pool.connect();
	const b = await pool.connect();
	await read(a, 'plain', () => ({}));
	await read(a, 'named', (name) => ({ name }));
	await read(a, 'arrays', () => ({ rowMode: 'array' }));
	await read(a, 'binary', () => ({ binary: true, types: raw }));
	await read(a, 'named, binary', (name) => ({ name: name + 'b', binary: true, types: raw }));
	await writes(a, b);
	await queued(a);
	await cursors(a);
	await settings(a);
	await evolve(a, b);
	a.release();
	b.release();
	await pooled(pool);
	await pool.end();
}

(async () => {
	for (turn = 1; turn <= Number(rounds); turn++)
		await page();
})().catch((e) => {
	console.error(e);
	process.exit(1);
});
