/** README.md and docs/: what can be pasted works and prints what is shown, commands and links exist, sizes are true. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { commands } from '../../src/edge/cli/commands.ts';
import { parse } from '../../src/edge/cli/parse.ts';
import { type Block, blocksOf, settled } from '../tools/pages.ts';

const root = join(import.meta.dirname, '..', '..');
const executable = join(root, 'dist', 'passito');
const pages = [
  'README.md',
  'CHANGELOG.md',
  'docs/architecture.md',
  'docs/contract.md',
  'docs/guide.md',
  'docs/performance.md',
  'docs/reliability.md',
  'docs/security.md',
  'docs/clients/php.md',
  'docs/clients/python.md',
  'docs/clients/shell.md',
];
const read = (page: string) => readFileSync(join(root, page), 'utf8');
const readme = read('README.md');

/** Where one block's output begins. */
const BORDER = '@@ next block';

/** Runs the marked blocks one after another in one shell, as a reader would; gives what each printed. */
async function paste(t: TestContext, blocks: readonly Block[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'passito-docs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(existsSync(executable) ? executable : join(root, 'bin', 'passito'), join(bin, 'passito'));
  const script = blocks.map(({ mark, text }, i) => {
    if (mark === 'test') return `echo '${BORDER}'\n${text}`;
    const saved = join(folder, `block-${i}`);
    writeFileSync(saved, text);
    return `cp '${saved}' '${mark.slice('file='.length)}'\n`;
  });
  const child = spawn('/bin/sh', ['-e'], {
    cwd: folder,
    env: { PATH: `${bin}:${process.env['PATH']}`, HOME: folder, TIME_ZONE: 'Asia/Kolkata' },
    timeout: 120_000,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stdin.end(`exec 2>&1\n${script.join('')}`);
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0, out);
  return out.split(`${BORDER}\n`).slice(1);
}

test('what the README has to paste works, and prints what is shown below it', async (t) => {
  const all = blocksOf(readme);
  const marked = all.filter(({ mark }) => mark !== '');
  const outputs = await paste(t, marked);
  const tested = marked.filter(({ mark }) => mark === 'test');
  assert.ok(tested.length >= 5, 'few blocks are marked');
  assert.equal(outputs.length, tested.length);
  tested.forEach((block, i) => {
    const shown = all[all.indexOf(block) + 1];
    assert.equal(shown?.language, 'text', `the output of this is not shown:\n${block.text}`);
    assert.equal(settled(outputs[i] ?? ''), settled(shown.text));
  });
});

test('every command that the pages name exists, with its options', () => {
  const found = pages.flatMap((page) => {
    const blocks = blocksOf(read(page)).filter(({ language }) => language === 'sh');
    const inline = [...read(page).matchAll(/`(passito [^`]+)`/g)].map(([, line = '']) => line);
    return [...blocks.flatMap(({ text }) => text.split('\n')), ...inline];
  });
  const lines = found
    .map((line) => /(?:^|\| )passito (.*)$/.exec(line)?.[1])
    .filter((line) => line !== undefined);
  assert.ok(lines.length > 20);
  for (const line of lines) {
    const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
    // A command named without its arguments is no mistake.
    assert.doesNotThrow(() => parse(commands, [...words, '--help'], ''), `passito ${line}`);
  }
});

test('every link leads somewhere', () => {
  const anchor = (title: string) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
  for (const page of pages) {
    for (const [, link = ''] of read(page).matchAll(/\]\(([^)]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [file = '', place] = link.split('#');
      const target = file === '' ? join(root, page) : join(root, dirname(page), file);
      assert.ok(existsSync(target), `${page}: ${link}`);
      if (place === undefined) continue;
      const anchors = [...readFileSync(target, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
        anchor(title),
      );
      assert.ok(anchors.includes(place), `${page}: ${link}`);
    }
  }
});

for (const page of ['docs/security.md', 'docs/reliability.md']) {
  test(`the tests that ${page} names are there`, () => {
    const rows = read(page).match(/^\|.*\|$/gm) ?? [];
    const named = rows.flatMap((row) => [...row.matchAll(/`([a-z]+\/[a-z-]+)`/g)].map(([, name]) => name));
    assert.ok(named.length >= 15);
    for (const name of named) assert.ok(existsSync(join(root, 'test', `${name}.test.ts`)), name);
  });
}

test('the executable is as large as the README says', { skip: !existsSync(executable) }, () => {
  const said = Number(/about (\d+) MB/.exec(readme)?.[1]) * 1e6;
  const size = statSync(executable).size;
  assert.ok(Math.abs(size - said) < 0.05 * said, `${size} bytes`);
});

test('the architecture fits in 200 lines', () => {
  assert.ok(read('docs/architecture.md').split('\n').length < 200);
});
