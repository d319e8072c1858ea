/** The book of what people do by hand. */

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { Site } from '../tools/daemon.ts';

it('says who did what, in order, and nothing of what changed nothing', async (t) => {
  const here = new Site((clean) => t.after(clean));
  await here.ok('migrate');
  assert.match((await here.run(['audit'])).stderr, /Nobody has changed anything by hand/);
  await here.ok('dispatch', 'Nobody');
  await here.ok('jobs', 'cancel', '1');
  assert.equal((await here.run(['jobs', 'cancel', '1'])).code, 1);
  await here.ok('jobs', 'retry', '1');
  await here.ok('pause', '--queue', 'mail', '--by', 'Asha V.');
  await here.ok('pause', '--queue', 'mail', '--by', 'Ravi');
  await here.ok('scale', '--max', '20', '--by', 'Asha V.');
  const lines = await here.json<{ who: string; action: string; detail: string }[]>('audit');
  assert.deepEqual(
    lines.map(({ action, detail }) => `${action} ${detail}`),
    ['scale at most 20', 'pause queue mail', 'jobs retry #1', 'jobs cancel #1'],
  );
  assert.equal(lines[0]?.who, 'Asha V.');
  assert.ok((lines[3]?.who ?? '') !== '');
  const typed = await here.run(['jobs', 'cancel', '1'], { env: { SUDO_USER: 'ravi' } });
  assert.equal(typed.code, 0);
  assert.equal(
    here.value('SELECT who FROM audit ORDER BY id DESC'),
    process.getuid?.() === 0 ? 'ravi' : lines[3]?.who,
  );
});
