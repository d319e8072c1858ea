/** The engine tells; whoever listens can do it no harm. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Events } from '../../src/engine/events.ts';

const lost = { id: 1, type: 'A', attempt: 1 };

test('a listener hears every event of its name until it is taken off', () => {
  const events = new Events();
  const heard: unknown[] = [];
  assert.equal(events.has('lost'), false);
  const off = events.on('lost', (event) => heard.push(event));
  assert.equal(events.has('lost'), true);
  events.emit('lost', lost);
  events.emit('idle', { process: 1 });
  off();
  events.emit('lost', lost);
  assert.deepEqual(heard, [lost]);
  assert.equal(events.has('lost'), false);
});

test('next() waits for one event, and for one that passes the test', async () => {
  const events = new Events();
  const any = events.next('lost');
  const second = events.next('lost', ({ id }) => id === 2);
  events.emit('lost', lost);
  assert.deepEqual(await any, lost);
  events.emit('lost', { ...lost, id: 2 });
  assert.equal((await second).id, 2);
  assert.equal(events.has('lost'), false, 'nobody is left listening');
});

test('[30] a listener that throws harms neither the others nor whoever emits', () => {
  const events = new Events();
  const heard: string[] = [];
  const troubles: unknown[] = [];
  events.on('trouble', (trouble) => troubles.push(trouble));
  events.on('lost', () => {
    throw new Error('broken listener');
  });
  events.on('lost', () => heard.push('second'));
  assert.doesNotThrow(() => events.emit('lost', lost));
  assert.deepEqual(heard, ['second']);
  assert.equal(troubles.length, 1);
  assert.match(JSON.stringify(troubles[0]), /listener of lost/);
});

test('[30] a listener of trouble that throws does not go round for ever', () => {
  const events = new Events();
  let times = 0;
  events.on('trouble', () => {
    times++;
    throw new Error('broken');
  });
  assert.doesNotThrow(() => events.emit('trouble', { where: 'x', error: null }));
  events.on('lost', () => {
    throw new Error('broken too');
  });
  assert.doesNotThrow(() => events.emit('lost', lost));
  assert.equal(times, 2);
});

test('a listener may take itself and others off while it is told', () => {
  const events = new Events();
  const heard: number[] = [];
  const off = events.on('lost', () => {
    heard.push(1);
    off();
    offSecond();
  });
  const offSecond = events.on('lost', () => heard.push(2));
  events.emit('lost', lost);
  events.emit('lost', lost);
  assert.deepEqual(heard, [1]);
});
