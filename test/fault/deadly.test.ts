/** Handlers that end the whole process: a crash of theirs, and nobody else's loss (behaviours 16, 33). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Site } from '../tools/daemon.ts';
import { DEADLY } from './hell.ts';
import { jobFiles, Neighbours } from './neighbours.ts';

describe('handlers that end the process', { concurrency: 2 }, () => {
  for (const { name } of DEADLY) {
    it(`16: ${name}: fails by its third crash, and its neighbours complete`, async (t) => {
      const here = new Site((clean) => t.after(clean));
      const neighbours = new Neighbours(here);
      jobFiles(here, DEADLY);
      await here.ok('migrate');
      neighbours.add(20);
      const id = here.insert(name);
      neighbours.add(20);
      for (let start = 1; here.status(id) !== 'failed'; start++) {
        assert.ok(start <= 4, `${start} starts`);
        const daemon = here.launch(['--min-workers', '2', '--max-workers', '2']);
        const failed = here.reaches(id, 'failed', 30_000).then(
          () => true,
          () => false,
        );
        if (await Promise.race([daemon.ended.then(() => false), failed])) {
          await here.drained();
          await daemon.stop();
        }
      }
      const said = await here.ok('jobs', 'show', String(id));
      assert.match(said, /crash/);
      assert.equal(here.value('SELECT crashes FROM jobs WHERE id = ?', id), 3);
      neighbours.verify();
    });
  }

  it('33: one that stops the supervisor by a signal has stopped it in order: nothing is lost', async (t) => {
    const here = new Site((clean) => t.after(clean));
    const neighbours = new Neighbours(here);
    jobFiles(here, [
      { name: 'Stops', body: `process.kill(process.pid, 'SIGTERM'); await sleep(20); return 1;` },
    ]);
    const first = await here.start();
    neighbours.add(20);
    const id = here.insert('Stops');
    neighbours.add(20);
    assert.equal((await first.ended).code, 0);
    await here.start();
    await here.drained();
    assert.equal(here.status(id), 'completed');
    neighbours.verify();
  });
});
