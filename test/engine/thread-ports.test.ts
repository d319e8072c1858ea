/** Greetings and what threads post: in whatever order they come. */

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { ThreadPorts } from '../../src/engine/thread-ports.ts';

/** A thread's end of its port, which it has posted to already. */
function thread(t: TestContext, ports: ThreadPorts, threadId: number, secret = 's') {
  const { port1, port2 } = new MessageChannel();
  t.after(() => port1.close());
  port1.postMessage({ kind: 'loading', path: `by ${threadId}` });
  return { port: port1, greet: () => ports.greet({ secret, threadId, port: port2 }) };
}

function open() {
  const received: unknown[] = [];
  const ports = new ThreadPorts('s', (id, message) => received.push([id, message]));
  return { ports, received };
}

test('what was posted before the greeting came is received once it has', async (t) => {
  const { ports, received } = open();
  const { greet } = thread(t, ports, 7);
  assert.ok(!ports.isSettled(7));
  ports.drain(7);
  assert.deepEqual(received, []);
  const settled = ports.settled(7);
  greet();
  await settled;
  assert.ok(ports.isSettled(7));
  ports.drain(7);
  assert.deepEqual(received, [[7, { kind: 'loading', path: 'by 7' }]]);
  ports.closeAll();
});

test(
  'a thread that has not begun, or that never greets, holds up nobody for long',
  { timeout: 5000 },
  async () => {
    const { ports } = open();
    await ports.settled(0);
    await ports.settled(7);
    assert.ok(ports.isSettled(7));
  },
);

test('the end of a port is not the end of what is known', async (t) => {
  const { ports } = open();
  const { port, greet } = thread(t, ports, 7);
  greet();
  const closed = new Promise((resolve) => port.on('close', resolve));
  port.close();
  await closed;
  assert.ok(ports.isSettled(7));
});

test('a greeting without the secret, or a second one, is none', async (t) => {
  const { ports, received } = open();
  thread(t, ports, 7, 'guessed').greet();
  assert.ok(!ports.isSettled(7));
  for (const other of [null, 1, {}, { secret: 's', threadId: 7 }]) ports.greet(other);
  assert.ok(!ports.isSettled(7));
  thread(t, ports, 7).greet();
  const second = thread(t, ports, 7);
  second.greet();
  ports.drain(7);
  assert.equal(received.length, 1);
  ports.closeAll();
});
