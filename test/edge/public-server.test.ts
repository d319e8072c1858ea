/** The public listener: what it serves, and what it refuses. */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { suite, test, type TestContext } from 'node:test';

import fc from 'fast-check';

import { startPublicServer } from '../../src/edge/public-server.ts';
import { RateLimit } from '../../src/edge/rate-limit.ts';

/** A listener whose pages say what they were asked. */
async function served(t: TestContext, show?: (token: string) => Promise<never>) {
  const calls: string[] = [];
  const troubles: unknown[] = [];
  const server = await startPublicServer(
    { host: '127.0.0.1', port: 0 },
    {
      styleHash: 'sha256-abc',
      nothing: () => ({ status: 404, html: 'nothing' }),
      show: async (token) => {
        calls.push(`show ${token}`);
        if (show !== undefined) return show(token);
        return { status: 200, html: `<p>${token} ä</p>` };
      },
      decide: async (token, decision) => {
        calls.push(`${decision} ${token}`);
        return { status: 200, html: 'done' };
      },
    },
    (error) => troubles.push(error),
  );
  t.after(() => server.close());
  const ask = (path: string, init?: RequestInit) => fetch(`http://${server.address}${path}`, init);
  const post = (body: string, headers: Record<string, string> = {}) =>
    ask('/parent/abc', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  return { ask, post, calls, troubles, address: server.address };
}

/** Sends bytes as they are and gives what comes back until the other side closes. */
function raw(address: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const [host, port] = address.split(':') as [string, string];
    const socket = connect(Number(port), host, () => socket.write(bytes));
    let answer = '';
    socket.on('data', (part) => {
      answer += part.toString('latin1');
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

suite('the public listener', () => {
  test('GET shows, HEAD shows no more than its head, POST decides', async (t) => {
    const { ask, post, calls } = await served(t);
    const shown = await ask('/parent/abc');
    assert.deepEqual([shown.status, await shown.text()], [200, '<p>abc ä</p>']);
    const head = await ask('/parent/abc', { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text(), head.headers.get('content-length')], [200, '', '13']);
    assert.equal(await (await post('decision=deny')).text(), 'done');
    assert.equal(await (await post('decision=approve', { 'sec-fetch-site': 'same-origin' })).text(), 'done');
    assert.deepEqual(calls, ['show abc', 'show abc', 'deny abc', 'approve abc']);
  });

  test('a link with a query, or a slash behind it, is the same link', async (t) => {
    const { ask, calls } = await served(t);
    for (const more of ['/', '?x=1', '/?fbclid=a/b?c', '?', '/?']) {
      assert.deepEqual([more, (await ask(`/parent/abc${more}`)).status], [more, 200]);
    }
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = { method: 'POST', body: 'decision=deny', headers };
    assert.equal(await (await ask('/parent/abc/?x=1', answer)).text(), 'done');
    assert.deepEqual(new Set(calls), new Set(['show abc', 'deny abc']));
  });

  test('nothing is loaded, kept, framed or told to others', async (t) => {
    const { ask } = await served(t);
    for (const path of ['/parent/abc', '/']) {
      const { headers } = await ask(path);
      assert.equal(
        headers.get('content-security-policy'),
        "default-src 'none'; style-src 'sha256-abc'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
      assert.deepEqual(
        ['cache-control', 'referrer-policy', 'x-content-type-options', 'x-frame-options'].map((name) =>
          headers.get(name),
        ),
        ['no-store', 'no-referrer', 'nosniff', 'DENY'],
      );
      assert.equal(headers.get('server') ?? headers.get('x-powered-by'), null);
    }
  });

  test('nothing else is served', async (t) => {
    const { ask, calls } = await served(t);
    const paths = [
      '/',
      '/parent',
      '/parent/',
      '/parent/a/b',
      '/parent/a%2e',
      '/parent/abc//',
      '/parent/?x=/parent/abc',
      '/parent/abc/d?x=1',
      '/?/parent/abc',
      '/healthz',
      '/v1/jobs',
      `/parent/${'a'.repeat(65)}`,
    ];
    for (const path of paths) assert.deepEqual([path, (await ask(path)).status], [path, 404]);
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers } = await ask('/parent/abc', { method });
      assert.deepEqual([status, headers.get('allow')], [405, 'GET, HEAD, POST']);
    }
    assert.deepEqual(calls, []);
  });

  test('an answer that is none decides nothing', async (t) => {
    const { ask, post, calls } = await served(t);
    for (const body of ['', 'decision=', 'decision=maybe', 'decision=approve&decision=deny', 'x=approve']) {
      assert.deepEqual([body, (await post(body)).status], [body, 400]);
    }
    assert.equal((await post('{"decision":"approve"}', { 'content-type': 'application/json' })).status, 415);
    assert.equal((await ask('/parent/abc', { method: 'POST', body: new FormData() })).status, 415);
    assert.equal((await post('decision=approve', { 'sec-fetch-site': 'cross-site' })).status, 403);
    assert.equal((await post(`decision=approve&x=${'y'.repeat(2000)}`)).status, 413);
    assert.equal((await ask('/parent/abc?decision=approve')).status, 200);
    assert.deepEqual(calls, ['show abc'], 'a link that was opened decides nothing, whatever its query');
  });

  test('an endless answer is refused while it still comes', async (t) => {
    const { address, calls } = await served(t);
    const head =
      'POST /parent/abc HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000000\r\n\r\n';
    assert.match(await raw(address, head + 'a'.repeat(3000)), /^HTTP\/1\.1 413 /);
    assert.match(await raw(address, `GET / HTTP/1.1\r\nx: ${'y'.repeat(40_000)}\r\n`), /^HTTP\/1\.1 431 /);
    assert.match(await raw(address, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.deepEqual(calls, []);
  });

  test('who asks too often waits, and behind a proxy of this machine each client for itself', async (t) => {
    const { ask } = await served(t);
    const from = (client: string) =>
      ask('/parent/abc', { headers: { 'x-forwarded-for': `9.9.9.9, ${client}` } });
    const first = await Promise.all(Array.from({ length: 40 }, () => from('10.0.0.1')));
    const refused = first.filter(({ status }) => status === 429);
    assert.ok(refused.length >= 15 && refused.length <= 20, `${refused.length} refused`);
    assert.equal(refused[0]?.headers.get('retry-after'), '10');
    assert.equal((await from('10.0.0.2')).status, 200);
  });

  test('a fault inside is told to the admin, and not to the parent', async (t) => {
    const { ask, troubles } = await served(t, () => Promise.reject(new Error('SQLITE_FULL at /var/lib/x')));
    const answer = await ask('/parent/abc');
    assert.equal(answer.status, 503);
    assert.doesNotMatch(await answer.text(), /SQLITE|var/);
    assert.equal(troubles.length, 1);
  });

  test('an address that is taken is said in one line', async (t) => {
    const { address } = await served(t);
    const [host, port] = address.split(':') as [string, string];
    const pages = { styleHash: '', nothing: () => ({ status: 404, html: '' }) } as never;
    await assert.rejects(
      startPublicServer({ host, port: Number(port) }, pages, () => {}),
      {
        code: 'PUBLIC_ADDRESS',
        message: `The parents' page cannot be served on ${address}: another program listens there already.`,
      },
    );
  });
});

suite('the rate limit', () => {
  test('lets through no more than its burst and what time gives back', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3000), { maxLength: 100 }), (waits) => {
        const limit = new RateLimit({ burst: 5, perSecond: 2 });
        let [now, allowed] = [0, 0];
        for (const wait of waits) {
          now += wait;
          if (limit.allows('a', now)) allowed += 1;
        }
        assert.ok(allowed <= 5 + (now / 1000) * 2);
        assert.ok(allowed >= Math.min(5, waits.length));
      }),
    );
  });
  test('forgets the addresses that asked longest ago, and holds no more than 10,000', () => {
    const limit = new RateLimit({ burst: 1, perSecond: 0 });
    assert.ok(limit.allows('first', 0));
    assert.ok(!limit.allows('first', 0));
    for (let i = 0; i < 10_000; i += 1) limit.allows(`other ${i}`, 0);
    assert.ok(limit.allows('first', 0), 'forgotten');
  });
});
