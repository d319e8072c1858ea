/** Random rows in the database, and random bytes at the listeners, of a supervisor that works meanwhile. */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import fc from 'fast-check';
import type { Site } from '../../tools/daemon.ts';
import { ask } from '../../tools/http.ts';
import { nasty, OBEYED, piece } from '../../tools/nasty.ts';
import { cleaning } from '../cleaning.ts';
import type { Part, Soak } from '../part.ts';

const STATES = ['blocked', 'pending', 'completed', 'failed', 'cancelled'];

/** What requests are made of. */
const words = fc.oneof(
  piece,
  fc.constantFrom(
    'GET ', 'POST ', '/parent/', 'A'.repeat(22), '/v1/jobs', '/healthz', ' HTTP/1.1', '\r\n', 'Host: 127.0.0.1',
    'Content-Length: 16', 'Transfer-Encoding: chunked', 'Content-Type: application/json', '{"type":"Work"}', '0',
  ), // prettier-ignore
);
const request = fc.array(words, { maxLength: 25 }).map((parts) => Buffer.from(parts.join(''), 'latin1'));

export const edgesPart: Part = {
  name: 'edges',
  what: 'random rows and bytes: nothing steers the terminal, nothing is decided, all goes on',
  share: 1,
  run: (soak) => cleaning((here) => attack(here, soak)),
};

async function attack(here: Site, { minutes, seed, tell }: Soak): Promise<void> {
  here.job('Work', 'return payload;');
  const daemon = await here.start(['--public', '127.0.0.1:0', '--http', '127.0.0.1:0']);
  const publicPage = /address=(\S+)/.exec(await daemon.line(/the parents' page is served/))![1]!;
  const targets = [publicPage, here.path('passito.sock')];
  const insert = here.sql.prepare(
    `INSERT OR IGNORE INTO jobs (type, status, queue, payload, unique_key, last_error, result, progress)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
  );
  const until = performance.now() + minutes * 60_000;
  const done = { rows: 0, commands: 0, requests: 0, jobs: 0 };
  for (let round = 0; performance.now() < until; round += 1) {
    const texts = fc.sample(
      nasty.filter((text) => !text.includes('\0')),
      { seed: seed + round, numRuns: 100 },
    );
    const ids: number[] = [];
    for (let i = 0; i + 6 < texts.length; i += 7) {
      const [type, queue, payload, ...more] = texts.slice(i, i + 7) as [string, string, string, ...string[]];
      const state = STATES[(round + i) % STATES.length];
      const row = insert.get(`${type}?`, state, `${queue}?`, JSON.stringify({ payload }), ...more) as {
        id: number;
      };
      if (row !== undefined) ids.push(row.id);
    }
    done.rows += ids.length;
    const id = String(ids[round % ids.length]);
    for (const command of [
      ['jobs', 'list'],
      ['jobs', 'show', id],
      ['explain', id],
      ['status'],
      ['health'],
      ['doctor', '--offline'],
    ]) {
      for (const json of [[], ['--json']]) {
        const { code, stdout, stderr } = await here.run([...command, ...json]);
        const told = `seed ${seed + round}: ${command.join(' ')}: ${JSON.stringify(stdout + stderr)}`;
        assert.doesNotMatch(stdout + stderr, OBEYED, told);
        assert.doesNotMatch(stderr, /something went wrong inside/, told);
        assert.ok(code >= 0 && code <= 3, told);
        if (json.length > 0 && stdout !== '') JSON.parse(stdout);
        done.commands += 1;
      }
    }
    for (const bytes of fc.sample(request, { seed: seed + round, numRuns: 50 })) {
      await send(targets[done.requests % targets.length]!, bytes);
      done.requests += 1;
    }
    // All goes on: the page, the socket, and jobs.
    const headers = { 'x-forwarded-for': `10.${round % 250}.${(round >> 8) % 250}.1` };
    assert.equal((await ask(publicPage, '/', { headers })).status, 404);
    const answer = await ask(here.path('passito.sock'), '/v1/jobs', {
      headers: { 'content-type': 'application/json' },
      body: '{"type":"Work","queue":"default"}',
    });
    assert.equal(answer.status, 201, answer.text);
    await here.reaches((JSON.parse(answer.text) as { id: number }).id, 'completed', 60_000);
    done.jobs += 1;
    assert.equal(here.value('SELECT count(*) FROM parent_verifications'), 0);
    here.sql.exec(`DELETE FROM jobs WHERE type <> 'Work'`);
  }
  assert.doesNotMatch(daemon.log, OBEYED);
  assert.equal((await daemon.stop()).code, 0, daemon.log);
  for (const [name, count] of Object.entries(done)) tell(name, count);
}

/** Sends bytes and waits until the other side is through with them. */
function send(target: string, bytes: Buffer): Promise<void> {
  const [host, port] = target.split(':');
  const socket = port === undefined ? connect(target) : connect(Number(port), host);
  return new Promise((resolve) => {
    socket.on('error', () => undefined).on('close', () => resolve());
    socket.resume();
    socket.end(bytes);
  });
}
