/** Handlers from hell in the real executable, beside and before well-behaved ones, which notice nothing (behaviours 17, 20 to 22, 35). */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Daemon, Site } from '../tools/daemon.ts';
import { jobFiles, Neighbours, traces, type Traces } from './neighbours.ts';
import { HEAVY, LIGHT } from './hell.ts';

/** What a report may have: the message and the stack are cut, the rest is short. Characters. */
const LONGEST_REPORT = 50_000;
const LONGEST_LINE = 25_000;

interface Row {
  status: string;
  attempts: number;
  crashes: number;
  last_error: string | null;
}

describe('handlers from hell', () => {
  const here = new Site(after);
  const neighbours = new Neighbours(here);
  const ids = new Map<string, number>();
  let daemon: Daemon;
  let found: Traces;

  const row = (name: string) =>
    here.sql
      .prepare('SELECT status, attempts, crashes, last_error FROM jobs WHERE id = ?')
      .get(ids.get(name)) as Row;

  before(async () => {
    jobFiles(here, [...LIGHT, ...HEAVY]);
    daemon = await here.start(['--min-workers', '4', '--max-workers', '4']);
    neighbours.add(30);
    await here.drained();
    found = traces(daemon.pid);
    for (const { name } of LIGHT) {
      neighbours.add(3);
      ids.set(name, here.insert(name));
      neighbours.add(3);
    }
    await here.drained(120_000);
    for (const { name } of HEAVY) {
      neighbours.add(3);
      ids.set(name, here.insert(name));
      neighbours.add(3);
      await here.drained(60_000);
    }
  });

  for (const { name, error, either = false } of [...LIGHT, ...HEAVY]) {
    it(`${name}: ${error === undefined ? 'completes' : 'fails, and says why'}`, () => {
      const { status, attempts, crashes, last_error: said } = row(name);
      const fails = error !== undefined && !(either && status === 'completed');
      assert.deepEqual([status, attempts, crashes], [fails ? 'failed' : 'completed', 1, 0], said ?? '');
      if (fails) assert.match(said ?? '', error);
    });
  }

  it('17: the neighbours complete in their first attempt, each once in the ledger', () => {
    neighbours.verify();
  });

  it('reports and log lines are bounded', async () => {
    for (const name of [
      'ToJsonThrowsMuch',
      'ThrowsMuch',
      'LongStack',
      'HostileError',
      'UncaughtMuch',
      'SnoozeMuch',
    ]) {
      const shown = await here.ok('jobs', 'show', String(ids.get(name)));
      assert.ok(shown.length < LONGEST_REPORT, `${name}: ${shown.length}`);
    }
    const longest = daemon.log.split('\n').toSorted((a, b) => b.length - a.length)[0] ?? '';
    assert.ok(longest.length < LONGEST_LINE, `${longest.length}: ${longest.slice(0, 200)}`);
    const stray = 'what a job left behind threw after its end; its thread is not used again';
    assert.match(
      daemon.log,
      new RegExp(`${stray} error=".+" id=\\d+ type=(Throws|Rejects|Exits)\\w+ attempt=1$`, 'm'),
    );
    assert.match(
      daemon.log,
      /more was logged than can be written: lines were left out lines=\d+ id=\d+ type=Log /,
    );
    assert.doesNotMatch(daemon.log, /trouble/);
  });

  it('no program, and no thread beyond the pool, is left behind', async () => {
    // What a job has left in its thread goes with the thread: an idle one above the minimum ends after 5 s.
    await here.run(['health']);
    const now = traces(daemon.pid);
    assert.deepEqual(now.programs, []);
    assert.ok(now.threads <= found.threads + 4, `${found.threads} threads before, ${now.threads} after`);
    assert.ok(
      now.descriptors <= found.descriptors + 40,
      `${found.descriptors} descriptors, then ${now.descriptors}`,
    );
    const { code } = await daemon.stop();
    assert.equal(code, 0, daemon.log.slice(-2000));
  });
});
