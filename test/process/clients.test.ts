/** Each page of docs/clients, as a reader would use it: its files are written, its commands typed, what it shows is printed. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Site } from '../tools/daemon.ts';
import { blocksOf } from '../tools/pages.ts';

const folder = join(import.meta.dirname, '..', '..', 'docs', 'clients');

/** What a page runs, and how to find out whether it is there. npm installs none of these. */
const NEEDS: Record<string, readonly string[]> = {
  'php.md': ['php', '-r', 'exit(extension_loaded("curl") ? 0 : 1);'],
  'python.md': ['python3', '--version'],
  'shell.md': ['curl', '--version'],
};

describe('docs/clients', () => {
  it('every page is tested', () => {
    assert.deepEqual(readdirSync(folder).toSorted(), Object.keys(NEEDS));
  });

  for (const [page, [program = '', ...args]] of Object.entries(NEEDS)) {
    const there = spawnSync(program, args).status === 0;
    const missing = `NOT TESTED: docs/clients/${page} needs ${program}${program === 'php' ? ' with its curl extension' : ''}, which this machine does not have`;
    // Beside the report, which many a reporter shortens: nobody shall take this page for tested.
    if (!there) process.stderr.write(`\n*** ${missing}\n\n`);
    it(page, { skip: there ? false : missing }, async (t) => {
      const here = new Site((clean) => t.after(clean));
      here.env['PASSITO_SOCKET'] = here.path('passito.sock');
      here.job('Welcome', 'return { welcomed: payload.name };');
      const blocks = blocksOf(readFileSync(join(folder, page), 'utf8'));
      for (const { mark, text } of blocks) {
        if (mark.startsWith('file=')) here.write(mark.slice('file='.length), text);
      }
      await here.start();
      const typed = blocks.filter(({ mark }) => mark === 'test');
      assert.ok(typed.length > 0);
      for (const block of typed) {
        const shown = blocks[blocks.indexOf(block) + 1];
        assert.equal(shown?.language, 'text');
        const { code, stdout, stderr } = await here.run(['-ec', block.text], { file: '/bin/sh' });
        assert.deepEqual([code, stdout, stderr], [0, shown.text, '']);
      }
      assert.equal(here.value(`SELECT count(*) FROM jobs WHERE status = 'completed'`), 1);
    });
  }
});
