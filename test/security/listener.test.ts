/** The listeners under attack: slow and idle clients, odd and smuggled requests. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { createListener, listenAt, networkOf, readBody, write } from '../../src/edge/http/listener.ts';
import { startPublicServer } from '../../src/edge/public-server.ts';
import { errors } from '../../src/errors.ts';
import { ask } from '../tools/http.ts';

/** Sends pieces, and gives what came back until the other side closed, with the milliseconds that took. */
async function exchange(
  address: string,
  pieces: readonly string[],
  everyMs = 0,
): Promise<{ text: string; ms: number }> {
  const [host, port] = address.split(':') as [string, string];
  const began = performance.now();
  const socket = connect(Number(port), host);
  let text = '';
  socket.on('error', () => undefined).on('data', (part) => (text += part.toString('latin1')));
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  const rest = [...pieces];
  const send = () => {
    const next = rest.shift();
    if (next !== undefined && socket.writable) socket.write(next);
  };
  if (everyMs === 0) while (rest.length > 0) send();
  const timer = setInterval(send, Math.max(1, everyMs));
  await over(socket);
  clearInterval(timer);
  return { text, ms: performance.now() - began };
}

/** Resolves once the connection is over, by whichever end: one that is reset is over, too. */
async function over(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

/** Resolves once it is so; half a minute at most. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const began = performance.now();
  while (!(await holds())) {
    assert.ok(performance.now() - began < 30_000, 'not within half a minute');
    await sleep(50);
  }
}

const HEAD = 'POST /parent/abc HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n';

/** A public listener whose pages count what reached them. */
async function publicServer(t: TestContext) {
  const calls: string[] = [];
  const server = await startPublicServer(
    { host: '127.0.0.1', port: 0 },
    {
      styleHash: 'sha256-x',
      nothing: () => ({ status: 404, html: 'nothing' }),
      show: async (token) => (calls.push(`show ${token}`), { status: 200, html: 'page' }),
      decide: async (token, decision) => (calls.push(`${decision} ${token}`), { status: 200, html: 'done' }),
    },
    (error) => assert.fail(String(error)),
  );
  t.after(() => server.close());
  return { address: server.address, calls };
}

describe('slow clients', { concurrency: true }, () => {
  /** With short patience; the real one is 5 and 10 seconds. */
  async function impatient(t: TestContext): Promise<{ address: string; server: Server }> {
    const limits = { headersMs: 300, requestMs: 600, silenceMs: 1500, keepAliveMs: 300, connections: 5 };
    const server = createListener(
      { ...limits, requestsPerConnection: 3 },
      async (request, response) => {
        await readBody(request, 1000);
        write(response, 200, 'text/plain', 'x'.repeat(100));
      },
      () => undefined,
    );
    t.after(() => server.closeAllConnections());
    t.after(() => server.close());
    return { address: await listenAt(server, { host: '127.0.0.1', port: 0 }, errors.publicAddress), server };
  }

  const drip = (text: string) => text.split('');
  for (const [name, pieces] of [
    ['that sends nothing', []],
    ['that sends its head letter by letter', drip(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'y'.repeat(500)}`)],
    [
      'that sends its body letter by letter',
      [`${HEAD}Content-Length: 900\r\n\r\n`, ...drip('z'.repeat(300))],
    ],
    [
      'that sends chunks without an end',
      [`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, ...Array<string>(300).fill('1\r\nz\r\n')],
    ],
    ['that keeps a connection for nothing', ['GET / HTTP/1.1\r\nHost: x\r\n\r\n']],
  ] as const) {
    it(`one ${name} is cut off`, { timeout: 20_000 }, async (t) => {
      const { address } = await impatient(t);
      const { text } = await exchange(address, pieces, 20);
      if (name.includes('keeps')) assert.match(text, /^HTTP\/1\.1 200 /);
      else assert.ok(text === '' || text.startsWith('HTTP/1.1 408 '), text);
      assert.doesNotMatch(text, name.includes('keeps') ? / 408 / : / 200 /);
    });
  }

  it('one that asks too much on a connection, and one that comes when all places are taken', async (t) => {
    const { address } = await impatient(t);
    const { text } = await exchange(address, ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5)]);
    assert.equal(text.match(/HTTP\/1\.1 200 /g)?.length, 3);
    const [host, port] = address.split(':') as [string, string];
    const all: Socket[] = Array.from({ length: 5 }, () => connect(Number(port), host));
    await Promise.all(all.map((socket) => once(socket, 'connect')));
    const more = await exchange(address, []);
    assert.equal(more.text, '');
    for (const socket of all) socket.destroy();
  });
});

describe('odd requests', () => {
  const refused: [string, string][] = [
    ['both lengths', `${HEAD}Content-Length: 16\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['two lengths', `${HEAD}Content-Length: 16\r\nContent-Length: 17\r\n\r\ndecision=approve`],
    ['a length that is none', `${HEAD}Content-Length: +16\r\n\r\ndecision=approve`],
    ['a hidden encoding', `${HEAD}Transfer-Encoding: chunked, identity\r\n\r\ndecision=approve`],
    ['a space before the colon', `${HEAD}Content-Length : 16\r\n\r\ndecision=approve`],
    ['a folded header', `${HEAD}X: a\r\n b\r\nContent-Length : 16\r\n\r\ndecision=approve`],
    ['a bare line feed', `${HEAD.replaceAll('\r\n', '\n')}Content-Length: 16\n\ndecision=approve`],
    ['a bare carriage return', `${HEAD}X: a\rContent-Length: 16\r\n\r\ndecision=approve`],
    [
      'a chunk of a size that is none',
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n0x10\r\ndecision=approve\r\n0\r\n\r\n`,
    ],
    ['a NUL in a header', `${HEAD}X: a\0b\r\nContent-Length: 16\r\n\r\ndecision=approve`],
    ['no host', 'GET /parent/abc HTTP/1.1\r\n\r\n'],
    ['another protocol', 'GET /parent/abc HTTP/9.9\r\nHost: x\r\n\r\n'],
    ['a tunnel', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an unknown method', 'BREW /parent/abc HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a huge address', `GET /parent/abc?${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['huge headers', `GET / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(4000)}\r\n`],
    ['TLS', '\u0016\u0003\u0001\u0002\0\u0001\0'],
  ];
  for (const [name, bytes] of refused) {
    it(`${name}: nothing is decided or shown`, { timeout: 30_000 }, async (t) => {
      const { address, calls } = await publicServer(t);
      const { text } = await exchange(address, [bytes]);
      assert.doesNotMatch(text, /^HTTP\/1\.1 2/);
      assert.deepEqual(calls, []);
    });
  }

  it('a proxy that is asked for another site, or a path in other forms, gets nothing', async (t) => {
    const { address, calls } = await publicServer(t);
    for (const path of [
      'http://x/parent/abc',
      '//parent/abc',
      '/parent//abc',
      '/./parent/abc',
      '/parent/../parent/abc',
      '/parent/abc%00',
      '/PARENT/abc',
      '/parent/abc;x',
      '/parent/ab\\c',
      '*',
    ]) {
      const { text } = await exchange(address, [
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      ]);
      assert.match(text, /^HTTP\/1\.1 40[04] /, path);
    }
    assert.deepEqual(calls, []);
  });

  it('whatever bytes come, nothing is decided by chance, and it goes on answering', async (t) => {
    const { address, calls } = await publicServer(t);
    const token = fc.constantFrom(
      'GET',
      'POST',
      ' ',
      '/parent/abc',
      'HTTP/1.1',
      '\r\n',
      '\n',
      'Host: x',
      'Content-Length: ',
      '16',
      'Transfer-Encoding: chunked',
      '\0',
      '\u00ff',
      'decision=approve',
      ':',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(token, { maxLength: 20 }), async (parts) => {
        const [host, port] = address.split(':') as [string, string];
        const socket = connect(Number(port), host);
        socket.on('error', () => undefined).resume();
        await once(socket, 'connect');
        socket.end(Buffer.from(parts.join(''), 'latin1'));
        await over(socket);
      }),
      { numRuns: 150 },
    );
    assert.deepEqual(
      calls.filter((call) => call.startsWith('approve')),
      [],
    );
    assert.equal(
      (await fetch(`http://${address}/parent/x`, { headers: { 'x-forwarded-for': '10.9.9.9' } })).status,
      200,
    );
  });
});

const elsewhere = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

describe('who is one client', () => {
  const skip = elsewhere === undefined && 'this machine has no address that others see';
  it('does not get the places of all others', { skip }, async (t) => {
    const limits = { headersMs: 5000, requestMs: 5000, silenceMs: 5000, keepAliveMs: 5000, connections: 10 };
    const server = createListener(
      { ...limits, connectionsPerAddress: 3, requestsPerConnection: 0 },
      async (_, response) => write(response, 200, 'text/plain', 'x'),
      () => undefined,
    );
    t.after(() => server.closeAllConnections());
    t.after(() => server.close());
    const bound = await listenAt(server, { host: '0.0.0.0', port: 0 }, errors.publicAddress);
    const port = Number(bound.split(':').at(-1));
    const all = Array.from({ length: 5 }, () => connect(port, elsewhere).resume());
    t.after(() => all.forEach((socket) => socket.destroy()));
    await Promise.all(all.slice(3).map(over));
    assert.deepEqual(
      all.map(({ closed }) => closed),
      [false, false, false, true, true],
    );
    // A proxy of this machine comes in; and so does the client, once it has let one go.
    assert.equal((await ask(`127.0.0.1:${port}`, '/')).status, 200);
    all[0]?.destroy();
    await until(async () => {
      const { text } = await exchange(`${elsewhere}:${port}`, ['GET / HTTP/1.0\r\nHost: x\r\n\r\n']);
      return text.startsWith('HTTP/1.1 200 ');
    });
  });

  it('is an IPv4 address, or a network of 64 bits', () => {
    for (const [address, name] of [
      ['203.0.113.9', '203.0.113.9'],
      ['::ffff:203.0.113.9', '203.0.113.9'],
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
      ['2001:DB8:1:2::', '2001:db8:1:2'],
      ['2001:0db8:0001:0002::9', '2001:db8:1:2'],
      ['2001:db8::1', '2001:db8:0:0'],
      ['::1', '::1'],
      ['fe80::1%eth0', 'fe80:0:0:0'],
      ['x'.repeat(10_000), 'x'.repeat(64)],
    ]) {
      assert.equal(networkOf(address!), name, address);
    }
  });

  it('asks from all the addresses of its network as often as from one', async (t) => {
    const { address } = await publicServer(t);
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const headers = { 'x-forwarded-for': `2001:db8:1:2::${i.toString(16)}` };
        return (await fetch(`http://${address}/parent/abc`, { headers })).status;
      }),
    );
    assert.ok(statuses.filter((status) => status === 429).length >= 35, String(statuses));
  });
});
