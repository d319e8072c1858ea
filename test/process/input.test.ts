/**
 * Bad input of every kind: the right exit code, one clear message, no stack, no partial effect (behaviours 40, 50).
 * Every message stands in messages.snapshot; `UPDATE=1` writes it anew, and then it is read by a person.
 */

import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Site } from '../tools/daemon.ts';
import { commands } from '../../src/edge/cli/commands.ts';
import { type Case, type Said, say, transcript } from '../tools/daemon-messages.ts';
import { executable } from '../tools/executable.ts';
import { cases } from './input.cases.ts';

const snapshot = join(import.meta.dirname, 'messages.snapshot');
const isRoot = process.getuid?.() === 0;

/** Commands that run at once. */
const AT_ONCE = 3;

const COMMANDS = ['', ...commands.map(({ name }) => name)];

const help: Case[] = COMMANDS.map((command) => ({
  name: command === '' ? 'the help' : `the help of ${command}`,
  args: [...command.split(' ').filter((word) => word !== ''), '--help'],
  code: 0,
  prints: true,
}));

describe('what the program answers', () => {
  const site = new Site(after, {});
  const all = [...help, ...cases];
  const said = new Map<string, Said>();
  const texts: string[] = [];

  before(async () => {
    chmodSync(site.folder, 0o755);
    // As root, a user without rights must be able to reach the executable.
    const copy = site.path('passito');
    if (isRoot) copyFileSync(executable, copy, constants.COPYFILE_FICLONE);
    if (isRoot) chmodSync(copy, 0o755);
    await site.ok('migrate');
    for (const status of ['pending', 'failed', 'completed', 'cancelled']) {
      site.sql.prepare('INSERT INTO jobs (type, status) VALUES (?, ?)').run('Old', status);
    }
    site.sql.pragma('wal_checkpoint(TRUNCATE)');
    let next = 0;
    const work = async () => {
      while (next < all.length) {
        const number = next++;
        const one = all[number]!;
        if (one.stranger === true && !isRoot) continue;
        const result = await say(site, one, number, site.db, copy);
        said.set(one.name, result);
        const text = transcript(one, result, site.path(`case-${number}`));
        // Messages name the executable that is to be installed.
        texts[number] = text.replaceAll(`${copy} `, '/tmp/passito ');
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  });

  it('each case has a name of its own', () => {
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
  });

  for (const one of all) {
    const skip = one.stranger === true && !isRoot ? 'only root can become another user' : false;
    it(one.name, { skip }, () => {
      const result = said.get(one.name)!;
      const shown = `${result.stdout}${result.stderr}`;
      assert.equal(result.code, one.code, shown);
      if (one.stack !== true) assert.doesNotMatch(result.stderr, /^\s+at .*:\d+/m, 'no stack trace');
      assert.doesNotMatch(result.stderr, /inside passito itself|undefined|\[object|NaN/);
      if (one.effect !== true) assert.equal(result.after, result.before, 'nothing has changed');
      if (one.prints !== true) assert.equal(result.stdout, '');
      if (one.code === 0) return;
      const lines = result.stderr.trimEnd().split('\n');
      assert.notEqual(result.stderr, '');
      if (one.list !== true) assert.ok(lines.length <= 2, `${lines.length} lines:\n${result.stderr}`);
    });
  }

  it('all messages are as they were when somebody read them', { skip: !isRoot && 'some need root' }, () => {
    const text = texts.join('\n');
    if (process.env['UPDATE'] === '1') writeFileSync(snapshot, text);
    assert.ok(existsSync(snapshot), 'run once with UPDATE=1');
    const kept = new Map(
      readFileSync(snapshot, 'utf8')
        .split(/^(?=## )/m)
        .map((part) => [part.split('\n')[0], part.trim()]),
    );
    for (const part of texts) {
      assert.equal(part.trim(), kept.get(part.split('\n')[0]), 'UPDATE=1 keeps the new words');
    }
    assert.equal(kept.size, texts.length);
  });
});
