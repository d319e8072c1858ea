/** What stands on stderr where journald reads it: each line with its priority, whatever is in it. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { it, type TestContext } from 'node:test';
import { Site } from '../tools/daemon.ts';
import { executable } from '../tools/executable.ts';

function site(t: TestContext): Site {
  return new Site((clean) => t.after(clean));
}

/** Runs a command whose stderr is a file that JOURNAL_STREAM names, as systemd does with its socket; gives the lines. */
async function journal(here: Site, args: readonly string[], { named = true } = {}): Promise<string[]> {
  const file = openSync(here.path('stderr'), 'w');
  const { dev, ino } = fstatSync(file);
  const env = { ...here.env, JOURNAL_STREAM: named ? `${dev}:${ino}` : '8:4711' };
  const child = spawn(executable, args, { cwd: here.folder, env, stdio: ['ignore', 'ignore', file] });
  await once(child, 'exit');
  closeSync(file);
  return readFileSync(here.path('stderr'), 'utf8').trimEnd().split('\n');
}

it('each line of the log has its priority, and a message with line ends is one line', async (t) => {
  const here = site(t);
  here.job(
    'Talk',
    String.raw`context.log.info('one\n<0>two'); context.log.warn('three'); throw new Error('no\nway');`,
  );
  await here.ok('dispatch', 'Talk', '--max-attempts', '1');
  const lines = await journal(here, ['worker', '--drain']);
  for (const line of lines) assert.match(line, /^<[3-6]>\S/);
  assert.ok(lines.includes(String.raw`<6>one\n<0>two id=1 type=Talk attempt=1`), lines.join('\n'));
  assert.ok(lines.includes('<4>three id=1 type=Talk attempt=1'));
  assert.ok(lines.includes(String.raw`<3>job failed id=1 type=Talk attempt=1 error="no\nway"`));
});

it("a command's error, and what to type next, have the priority of errors", async (t) => {
  const here = site(t);
  assert.deepEqual(await journal(here, ['jobs', 'list']), [
    `<3>passito: There is no database at ${here.db}.`,
    "<3>Name it with --db or PASSITO_DB; 'passito migrate' makes a new one.",
  ]);
});

it('a variable that was inherited from a service gives no priorities', async (t) => {
  const here = site(t);
  const [first] = await journal(here, ['jobs', 'list'], { named: false });
  assert.match(first ?? '', /^passito: There is no database/);
});
