/** Pausing and resuming the real supervisor. */

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { Site } from '../tools/daemon.ts';

it('nothing starts while it is paused, also after a restart; everybody says so; resuming is felt at once', async (t) => {
  const here = new Site((clean) => t.after(clean));
  here.job('Quick', 'return 1;');
  await here.ok('migrate');
  assert.equal(await here.ok('pause', '--by', 'asha'), 'All queues are paused; running jobs finish.\n');
  const daemon = await here.start();
  await here.ok('dispatch', 'Quick');
  await daemon.stop();
  const second = await here.start();
  assert.equal(here.status(1), 'pending');
  assert.match(
    await here.ok('explain', '1'),
    /is due, but: All queues were paused by asha at .* type: passito resume$/m,
  );
  assert.match(await here.ok('status'), /^All queues were paused by asha/m);
  assert.match(await here.ok('health'), /^✓ Job queue is healthy\n {2}All queues were paused by asha/m);
  const { paused } = await here.json<{ paused: { by: string }[] }>('health');
  assert.equal(paused[0]?.by, 'asha');
  assert.equal(await here.ok('resume', '--queue', 'mail'), 'The queue mail was not paused.\n');
  assert.equal(await here.ok('resume'), 'All queues go on.\n');
  await here.reaches(1, 'completed', 1000);
  await here.ok('pause', '--queue', 'mail');
  await here.ok('dispatch', 'Quick', '--queue', 'mail');
  await here.ok('dispatch', 'Quick', '--wait', '10s');
  assert.equal(here.status(2), 'pending');
  await second.stop();
});
