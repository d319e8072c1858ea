/** Changing the limits of a supervisor that runs. */

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { Site } from '../tools/daemon.ts';

it('scales beyond what was configured, and back by itself, without a restart', async (t) => {
  const here = new Site((clean) => t.after(clean), { PASSITO_MAX_WORKERS: '2', PASSITO_CHECK_INTERVAL: '1' });
  here.job('Slow', 'await sleep(60_000);');
  const daemon = await here.start(['--drain-timeout', '0s']);
  here.write('jobs.ndjson', '{"type":"Slow"}\n'.repeat(80));
  await here.ok('dispatch', '--ndjson', 'jobs.ndjson');
  await here.until(`SELECT count(*) = 2 FROM jobs WHERE status = 'processing'`);
  assert.match(
    await here.ok('scale', '--max', '6', '--for', '3s', '--by', 'asha'),
    /^At most 6 workers, by asha, until /,
  );
  await here.until(`SELECT count(*) = 6 FROM jobs WHERE status = 'processing'`);
  await here.until(`SELECT json_extract(info, '$.max') = 6 FROM processes`);
  assert.match(await here.ok('status'), /6 workers wanted \(1 to 6\), 6 threads/);
  await daemon.line(/workers scaled from=6 to=2/);
  assert.equal(await here.ok('scale'), 'The supervisor has as many workers as are configured.\n');
  assert.equal(
    here.value(`SELECT count(*) FROM jobs WHERE status = 'processing'`),
    6,
    'nothing that runs is killed',
  );
  assert.match(await here.ok('scale', '--max', '1'), /^At most 1 worker, by /);
  assert.deepEqual(await here.json('scale', '--reset'), { max: null, until: null, by: null });
  assert.equal((await daemon.stop()).code, 0);
});

it('[42] a start after a kill says in one line what was left behind', async (t) => {
  const here = new Site((clean) => t.after(clean));
  here.job('Slow', 'await sleep(60_000);');
  const first = await here.start();
  await here.ok('dispatch', 'Slow');
  await here.reaches(1, 'processing');
  await first.kill();
  const second = await here.start(['--drain-timeout', '0s']);
  await second.line(/while you were away died=1 returned=1 failed=0 ticks_missed=0/);
  await second.stop();
  const third = await here.start(['--drain-timeout', '0s']);
  await third.stop();
  assert.doesNotMatch(third.log, /while you were away/, 'after a clean stop there is nothing to tell');
});
