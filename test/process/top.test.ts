/** `passito top`, which only ends when it is told to. */

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { Site } from '../tools/daemon.ts';

it('shows what runs now so often, and ends at Ctrl+C with 0', async (t) => {
  const here = new Site((clean) => t.after(clean));
  here.job('Slow', 'await sleep(60_000);');
  const daemon = await here.start(['--drain-timeout', '0s']);
  await here.ok('dispatch', 'Slow');
  await here.reaches(1, 'processing');
  const text = await here.ok('top', '--times', '2', '--interval', '100ms');
  assert.equal(text.match(/^passito top, every 100ms; Ctrl\+C ends it$/gm)?.length, 2);
  assert.match(text, /#1 {2}Slow {2}attempt 1/);
  assert.match(text, /^Next: dispatch-scheduled-reports \d{4}-/m);
  assert.doesNotMatch(text, /\u001b/, 'no control characters where nobody looks');
  const top = here.launch(['--interval', '100ms'], 'top');
  setTimeout(() => top.signal('SIGINT'), 600);
  assert.deepEqual(await top.ended, { code: 0, signal: null });
  await daemon.stop();
});

it('draws once where the next look is a month away', async (t) => {
  const here = new Site((clean) => t.after(clean));
  await here.ok('migrate');
  const { stdout } = await here.run(['top', '--interval', '30d'], { killAfter: 1500 });
  assert.equal(stdout.match(/^passito top, every 30d;/gm)?.length, 1);
});
