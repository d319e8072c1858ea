/** The API over HTTP: addresses, statuses, limits, and what browsers are refused. The jobs are made up. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { Api, type Jobs } from '../../src/edge/http/api.ts';
import { closeListener, listenAt } from '../../src/edge/http/listener.ts';
import { SocketFile } from '../../src/edge/http/socket-file.ts';
import { errors } from '../../src/errors.ts';
import { ask, get, post, type Told } from '../tools/http.ts';
import { temporaryFolder } from '../tools/store.ts';

const lines = { dispatched: 1, existing: 0, jobs: [{ line: 1, id: 1, existing: false }] };

/** Serves jobs that do as the test says. */
async function served(t: TestContext, jobs: Partial<Jobs> = {}) {
  const troubles: unknown[] = [];
  const api = new Api(
    {
      dispatch: async () => ({ id: 1, existing: false }),
      dispatchLines: async () => lines,
      job: async (id) => (id === 12 ? { id, status: 'completed' } : undefined),
      ended: async () => true,
      health: async () => ({ healthy: true }),
      ...jobs,
    },
    (error) => troubles.push(error),
  );
  const path = join(temporaryFolder(t), 's');
  const socket = new SocketFile(path, () => api.createServer(false));
  assert.ok(await socket.ensure());
  t.after(() => socket.close(0));
  return { path, api, socket, troubles };
}

suite('the API', () => {
  test('a job is dispatched, and shown', async (t) => {
    const texts: unknown[] = [];
    const { path } = await served(t, {
      dispatch: async (text) => {
        texts.push(text);
        return { id: 12, existing: text.includes('again') };
      },
      dispatchLines: async (text, atomic) => {
        texts.push([text, atomic]);
        return text === '' ? { dispatched: 0, existing: 0, jobs: [] } : lines;
      },
    });
    assert.deepEqual(await post(path, '{"ä":1}'), { status: 201, body: { id: 12, existing: false } });
    assert.deepEqual(await post(path, 'again'), { status: 200, body: { id: 12, existing: true } });
    assert.deepEqual(await post(path, '{}\n', { kind: 'lines' }), { status: 201, body: lines });
    assert.equal((await post(path, '', { kind: 'lines', query: '?atomic=1' })).status, 200);
    assert.deepEqual(texts, ['{"ä":1}', 'again', ['{}\n', false], ['', true]]);
    assert.deepEqual(await get(path, '/v1/jobs/12'), { status: 200, body: { id: 12, status: 'completed' } });
    const head = await ask(path, '/v1/jobs/12', { method: 'HEAD' });
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.deepEqual(
      ['content-type', 'cache-control', 'x-content-type-options'].map((name) => head.headers[name]),
      ['application/json', 'no-store', 'nosniff'],
    );
  });

  test('what a job says steers no terminal that curl writes to', async (t) => {
    const result = '\u001b[2J\u009b2J\u007f\u202e';
    const { path } = await served(t, { job: async (id) => ({ id, result }) });
    const { text } = await ask(path, '/v1/jobs/12');
    assert.match(text, /^[\x20-\x7e]+\n$/);
    assert.deepEqual(JSON.parse(text), { id: 12, result });
  });

  test('health is 200 or 503', async (t) => {
    let healthy = true;
    const { path } = await served(t, { health: async () => ({ healthy }) });
    assert.deepEqual(await get(path, '/healthz'), { status: 200, body: { healthy: true } });
    healthy = false;
    assert.deepEqual(await get(path, '/healthz'), { status: 503, body: { healthy: false } });
  });

  test('everything else is refused with its reason', async (t) => {
    const { path, troubles } = await served(t);
    const code = async (asked: ReturnType<typeof get>) => {
      const { status, body } = await asked;
      assert.ok(body.error.message.endsWith('.'), body.error.message);
      return `${status} ${body.error.code}`;
    };
    for (const other of ['/', '/v1/jobs/', '/v1/jobs/abc', '/v1/jobs/-1', '/parent/abc', '//v1/jobs/12']) {
      assert.equal(await code(get(path, other)), '404 NOT_FOUND', other);
    }
    assert.equal(await code(get(path, '/v1/jobs/7')), '404 UNKNOWN_JOB');
    assert.equal(await code(get(path, '/v1/jobs')), '405 METHOD');
    const wrong = await ask(path, '/v1/jobs/12', { method: 'DELETE' });
    assert.deepEqual([wrong.status, wrong.headers.allow], [405, 'GET, HEAD']);
    for (const wait of ['61', 'x', '-1', '1.5', '']) {
      assert.equal(await code(get(path, `/v1/jobs/12?wait=${wait}`)), '400 BAD_QUERY', wait);
    }
    for (const query of ['?weit=3', '?wait=1&wait=2']) {
      assert.equal(await code(get(path, `/v1/jobs/12${query}`)), '400 BAD_QUERY', query);
    }
    assert.equal(await code(post(path, '{}', { query: '?atomic=1' })), '400 BAD_QUERY');
    assert.equal(await code(post(path, '{}', { query: '?atomic=yes', kind: 'lines' })), '400 BAD_QUERY');
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', '']) {
      const answer = await ask(path, '/v1/jobs', { body: '{}', headers: { 'content-type': type } });
      assert.equal(answer.status, 415, type);
    }
    const latin = Buffer.from('{"type":"\xe4"}', 'latin1');
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    assert.equal((await ask(path, '/v1/jobs', { body: latin, headers })).status, 400);
    assert.deepEqual(troubles, []);
  });

  test('what goes wrong has its status, and is told to try again only where that helps', async (t) => {
    let error = new Error();
    const { path, troubles } = await served(t, { dispatch: () => Promise.reject(error) });
    const told = async (given: Error) => {
      error = given;
      const answer = await ask(path, '/v1/jobs', {
        body: '',
        headers: { 'content-type': 'application/json' },
      });
      return [answer.status, answer.headers['retry-after'], (JSON.parse(answer.text) as Told).error] as const;
    };
    assert.deepEqual(await told(errors.badLines('The job', [{ key: 'type', message: 'x' }, { line: 2, message: 'y' }])), [
      400,
      undefined,
      {
        code: 'BAD_LINES',
        message: 'The job was not dispatched; nothing has changed.\n  x\n  line 2: y',
        problems: [{ key: 'type', message: 'x' }, { line: 2, message: 'y' }],
      },
    ]); // prettier-ignore
    const status = async (given: Error) => (await told(given)).slice(0, 2);
    assert.deepEqual(await status(errors.badLines('x', [{ message: 'x', tooLarge: true }])), [
      413,
      undefined,
    ]);
    assert.deepEqual(await status(errors.unknownDependency(3)), [422, undefined]);
    assert.deepEqual(await status(errors.databaseBusy('/db', 5)), [503, '2']);
    assert.deepEqual(await status(errors.databaseFull('/db')), [503, '2']);
    assert.deepEqual(troubles, []);
    assert.deepEqual(await status(errors.partlyDispatched(500, 600, 501, 'full')), [500, undefined]);
    const [code, , fault] = await told(new Error('at /secret/place'));
    assert.deepEqual([code, fault.code], [500, 'FAULT']);
    assert.doesNotMatch(JSON.stringify(fault), /secret/);
    assert.equal(troubles.length, 2);
  });

  test('a wait ends with the job, with its time, with the client, and with the server', async (t) => {
    const waits: AbortSignal[] = [];
    let end: () => void = () => undefined;
    const { path, api, socket } = await served(t, {
      ended: (_id, signal) => {
        waits.push(signal);
        return new Promise((resolve) => {
          end = () => resolve(true);
          signal.addEventListener('abort', () => resolve(false));
        });
      },
    });
    const first = get(path, '/v1/jobs/12?wait=60');
    while (waits.length < 1) await new Promise(setImmediate);
    end();
    assert.equal((await first).status, 200);
    assert.equal(waits[0]?.aborted, false);

    const started = performance.now();
    assert.equal((await get(path, '/v1/jobs/12?wait=1')).status, 200);
    assert.ok(performance.now() - started >= 990);

    const gone = new AbortController();
    const left = ask(path, '/v1/jobs/12?wait=60', { signal: gone.signal });
    while (waits.length < 3) await new Promise(setImmediate);
    gone.abort();
    await assert.rejects(left);
    if (waits[2]?.aborted === false) await once(waits[2], 'abort');

    const agent = new Agent({ keepAlive: true });
    const last = ask(path, '/v1/jobs/12?wait=60', { agent });
    while (waits.length < 4) await new Promise(setImmediate);
    api.close();
    const [answer] = await Promise.all([last, socket.close(1000)]);
    assert.deepEqual([answer.status, answer.headers.connection], [200, 'close']);
  });

  test('no more than 256 wait at once', async (t) => {
    const ends: (() => void)[] = [];
    const { path } = await served(t, {
      ended: () => new Promise((resolve) => ends.push(() => resolve(true))),
    });
    const all = Array.from({ length: 256 }, () => get(path, '/v1/jobs/12?wait=60'));
    while (ends.length < 256) await new Promise(setImmediate);
    const more = await ask(path, '/v1/jobs/12?wait=60');
    assert.deepEqual([more.status, more.headers['retry-after']], [503, '2']);
    assert.equal((await get(path, '/v1/jobs/12')).status, 200, 'a look is no wait');
    for (const end of ends) end();
    assert.ok((await Promise.all(all)).every(({ status }) => status === 200));
  });

  test('a body has 16 MB at most, and all that come at once 64', async (t) => {
    const { path } = await served(t);
    const large = await post(path, 'x'.repeat(16 * 1024 ** 2 + 1));
    assert.deepEqual([large.status, large.body.error.code], [413, 'BODY_TOO_LARGE']);
    assert.equal((await post(path, 'x'.repeat(16 * 1024 ** 2))).status, 201);
    // Five that have sent all but their last byte.
    const size = 15 * 1024 ** 2;
    const head = `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\n\r\n`;
    const answers: string[] = [];
    const sockets = Array.from({ length: 5 }, () => {
      const client = connect(path);
      client.on('data', (part) => answers.push(part.toString().slice(9, 12)));
      client.on('error', () => undefined);
      client.write(head);
      client.write(Buffer.alloc(size - 1, 'x'));
      return client;
    });
    while (answers.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(answers, ['503']);
    for (const client of sockets) client.write('x');
    while (answers.length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(answers, ['503', '201', '201', '201', '201']);
    for (const client of sockets) client.destroy();
  });
});

suite('the API on a port', () => {
  async function onPort(t: TestContext) {
    const api = new Api(
      { job: async () => ({}), dispatch: async () => ({ id: 1, existing: false }) } as unknown as Jobs,
      () => {},
    );
    const server = api.createServer(true);
    const where = await listenAt(server, { host: '127.0.0.1', port: 0 }, errors.httpAddress);
    t.after(() => closeListener(server));
    return {
      where,
      status: async (headers: Record<string, string>) => (await ask(where, '/v1/jobs/1', { headers })).status,
    };
  }

  test('names that point here are refused, addresses and localhost are not', async (t) => {
    const { where, status } = await onPort(t);
    const port = where.split(':')[1];
    for (const host of [where, `localhost:${port}`, 'localhost', `[::1]:${port}`, '192.168.1.7', '127.0.0.1:80']) {
      assert.equal(await status({ host }), 200, host);
    }
    for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', '127.0.0.1.evil.example', 'a@127.0.0.1', '127.0.0.1:80:90', '[evil.example]']) {
      assert.equal(await status({ host }), 403, host);
    }
  }); // prettier-ignore

  test('pages of other sites are refused', async (t) => {
    const { where, status } = await onPort(t);
    for (const site of ['cross-site', 'same-site']) {
      assert.equal(await status({ 'sec-fetch-site': site }), 403);
    }
    for (const site of ['same-origin', 'none']) assert.equal(await status({ 'sec-fetch-site': site }), 200);
    for (const origin of ['http://evil.example', 'null', `https://${where}`]) {
      assert.equal(await status({ origin }), 403, origin);
    }
    assert.equal(await status({ origin: `http://${where}` }), 200);
    const form = { 'content-type': 'text/plain' };
    assert.equal((await ask(where, '/v1/jobs', { body: '{"type":"A"}', headers: form })).status, 415);
    assert.equal((await post(where, {})).status, 201);
  });

  test('an address that is taken is said in one line', async (t) => {
    const { where } = await onPort(t);
    const server = new Api({} as Jobs, () => {}).createServer(true);
    const port = Number(where.split(':')[1]);
    await assert.rejects(listenAt(server, { host: '127.0.0.1', port }, errors.httpAddress), {
      code: 'HTTP_ADDRESS',
      message: `HTTP cannot be served on ${where}: another program listens there already.`,
    });
  });
});
