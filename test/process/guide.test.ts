/**
 * docs/guide.md, as an admin would use it: every block is typed into a shell on a stand-in for a server
 * (tools/guide-server.ts) and must print what is shown below it; SQL runs, settings load, cron's lines parse, and the
 * tables name every command, option and job there is.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { KEYS, PROFILES } from '../../src/config/keys.ts';
import { readSchedules } from '../../src/config/schedules.ts';
import { commands } from '../../src/edge/cli/commands.ts';
import { parse } from '../../src/edge/cli/parse.ts';
import { supervisor } from '../../src/edge/cli/supervisor.ts';
import { health } from '../../src/edge/cli/health.ts';
import { readCron } from '../../src/engine/cron.ts';
import { targetWorkers } from '../../src/engine/scaler.ts';
import { officeJobs } from '../../src/outpass/jobs.ts';
import { Site } from '../tools/daemon.ts';
import { cronCommands, type Placed, typeOnServer, units } from '../tools/guide-server.ts';
import { blocksOf, settled } from '../tools/pages.ts';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'guide.md'), 'utf8');

/** Chapters by their title, each with its blocks. */
const chapters = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((text) => {
      const [title = ''] = text.split('\n');
      const blocks = text.split(/^### /m).flatMap((part) => {
        const heading = part.split('\n')[0] ?? '';
        return blocksOf(part).map((block): Placed => ({ ...block, heading }));
      });
      return [title, { text, blocks }];
    }),
);
const everyBlock = [...chapters.values()].flatMap(({ blocks }) => blocks);

/** Whether a block is typed, or written into a file. */
const isTyped = ({ language, mark }: Placed) =>
  ['test', 'service'].includes(mark) || mark.startsWith('file=') || language === 'cron';

/** The rows of the table whose head begins so: lists of cells, without code marks. */
function table(head: string): string[][] {
  const [, rows] = page.split(`| ${head} |`);
  assert.ok(rows, `no table begins with '${head}'`);
  const lines = rows.slice(rows.indexOf('\n') + 1).split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(1, end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

/** The same texts, in whatever order. */
function assertSame(shown: readonly (string | undefined)[], real: readonly string[]): void {
  const inOrder = (texts: readonly (string | undefined)[]) =>
    texts.map(String).toSorted((a, b) => a.localeCompare(b));
  assert.deepEqual(inOrder(shown), inOrder(real));
}

/** What differs from run to run; the stand-in of the server types the service's own file. */
function usual(text: string): string {
  return settled(text)
    .replaceAll(' --env-file /etc/passito/passito.env', '')
    .replaceAll(/\bpid \d+/g, 'pid N')
    .replaceAll(/\bup \d+\w+/g, 'up T')
    .replaceAll(/\d+ MB\b/g, 'N MB')
    .replaceAll(/Jobs:( +)\d+/g, 'Jobs:$1N')
    .replaceAll(/^ *\d+ \S+ +WRITE +/gm, 'PID PROGRAM WRITE ');
}

/** The shown text as a pattern; a line of `…` stands for any lines, one at a line's end for any end. */
function patternOf(shown: string): RegExp {
  const lines = usual(shown)
    .split('\n')
    .map((line) => {
      if (line === '…') return '(?:.*\\n)*';
      const words = line.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
      return `${words.replaceAll('…', '.*')}\\n`;
    });
  return new RegExp(`^${lines.join('')}$`);
}

describe('docs/guide.md', { concurrency: 2 }, () => {
  for (const [title, { blocks }] of chapters) {
    const typed = blocks.filter(isTyped);
    if (typed.length === 0) continue;
    it(`what '${title}' has to type works, and prints what is shown`, async (t) => {
      const printed = await typeOnServer(t, typed);
      const heard = typed.filter(({ mark }) => !mark.startsWith('file='));
      assert.equal(printed.length, heard.length);
      heard.forEach((block, i) => {
        const shown = blocks[blocks.indexOf(block) + 1];
        if (shown?.language !== 'text') return;
        assert.match(`${usual(printed[i] ?? '')}\n`, patternOf(shown.text), printed[i]);
      });
    });
  }

  it('leaves no block unchecked', () => {
    const known = new Set(['text', 'sql', 'ini', 'ts']);
    for (const block of everyBlock.filter((one) => !isTyped(one))) {
      assert.ok(
        known.has(block.language),
        `${block.heading}: ${block.language} ${block.mark}\n${block.text}`,
      );
    }
    assert.ok(everyBlock.filter(isTyped).length > 40);
  });

  it('names commands, options and units that exist', () => {
    const inline = [...page.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);
    const lines = [...everyBlock.filter(({ language }) => language === 'sh'), { text: inline.join('\n') }]
      .flatMap(({ text }) => text.split('\n'))
      .filter((line) => !line.includes('passito …'));
    let found = 0;
    for (const line of lines) {
      const [, words = ''] =
        /(?:^|\| |\$\()(?:sudo )?(?:-u passito )?(?:\.\/)?passito ([a-z].*)$/.exec(line) ?? [];
      for (const unit of line.match(/passito-[a-z]+(?:@?\.[a-z]+)?/g) ?? []) {
        const there = units.some((name) => name === unit || name === `${unit}.service`);
        assert.ok(there || /^passito-(?:new|w)$/.test(unit), `${line}: there is no unit ${unit}`);
      }
      if (words === '') continue;
      found += 1;
      const list = [...words.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
      assert.doesNotThrow(() => parse(commands, [...list, '--help'], ''), `passito ${words}`);
    }
    assert.ok(found > 100, String(found));
  });

  it('has SQL that answers, also in the sqlite3 of this machine', async (t) => {
    const here = new Site((clean) => t.after(clean));
    here.job('Bad', `throw new Error('No.');`, 'maxAttempts: 1,');
    here.job('Good', 'return 1;');
    for (const type of ['Bad', 'Good', 'Good']) await here.ok('dispatch', type);
    await here.ok('worker', '--drain');
    here.sql.exec(`INSERT INTO jobs (type, available_at) VALUES ('Good', '2020-01-01 00:00:00.000')`);
    const queries = everyBlock.filter(({ language }) => language === 'sql');
    assert.ok(queries.length >= 3);
    const own = spawnSync('sqlite3', ['--version']).status === 0;
    for (const statement of queries.flatMap(({ text }) => text.split(/;\n/)).filter((one) => one.trim())) {
      assert.ok(here.sql.prepare(statement).all().length > 0, `no rows: ${statement}`);
      if (!own) continue;
      const { status, stdout, stderr } = spawnSync('sqlite3', ['-readonly', here.db], {
        input: `${statement};`,
        encoding: 'utf8',
      });
      assert.deepEqual([status, stderr], [0, ''], statement);
      assert.ok(stdout.length > 0, statement);
    }
  });

  it('has settings, configs and drop-ins that load', async (t) => {
    const here = new Site((clean) => t.after(clean));
    delete here.env['TIME_ZONE'];
    for (const { language, mark, text } of everyBlock) {
      if (language === 'ini' && mark === 'env') {
        const file = here.write('some.env', text);
        const args = ['config', '--env-file', file];
        const keys = await here.json<{ env: string; origin: string }[]>(...args);
        for (const [, name] of text.matchAll(/^(\w+)=/gm)) {
          assert.equal(keys.find(({ env }) => env === name)?.origin, file, name);
        }
      }
      if (language === 'ts' && mark === '') {
        here.write('passito.config.ts', text);
        await here.ok('config');
      }
      if (language === 'ini' && mark === 'unit') {
        assert.match(text, /^\[Service\]\n(?:[A-Z]\w+=\S+\n)+$/);
        const unit = readFileSync(join(root, 'deployment', 'passito-supervisor.service'), 'utf8');
        const file = here.write(
          'passito-supervisor.service',
          `${unit.replaceAll('/usr/local/bin/passito', '/bin/true')}\n${text}`,
        );
        const { stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
        assert.doesNotMatch(stderr ?? '', /passito-supervisor\.service:\d+/);
      }
    }
  });

  it('has lines of cron that parse, and are those of the built-in schedules', () => {
    const text = everyBlock.find(({ language }) => language === 'cron')?.text ?? '';
    const timed = text.split('\n').filter((line) => line !== '' && !/^[A-Z]+=/.test(line));
    assert.equal(cronCommands(text).trim().split('\n').length, timed.length);
    for (const line of timed) {
      readCron(line.split(/ +/).slice(0, 5).join(' '), 'Asia/Kolkata', 'cron');
    }
    const { schedules } = readSchedules(undefined, { zone: 'UTC', backups: true }, 'schedules');
    assertSame(
      table('schedule').map(([name, cron]) => `${name} ${cron}`),
      schedules.map(({ name, cron }) => `${name} ${cron}`),
    );
  });

  it('lists every option of the supervisor with its default, and of health', () => {
    const rows = table('option | in the env file');
    assertSame(
      rows.map(([option]) => option),
      (supervisor.options ?? []).map(({ name }) => `--${name}`),
    );
    for (const { name, setting } of supervisor.options ?? []) {
      const [, env, said] = rows.find(([option]) => option === `--${name}`) ?? [];
      if (setting === undefined) continue;
      assert.equal(env, KEYS[setting].env);
      const unset = KEYS[setting].fallback() ?? (setting === 'queues' ? 'all' : 'off');
      const value = typeof unset === 'object' ? '' : String(unset);
      assert.equal(said, setting === 'drainTimeout' ? `${Number(value) / 1000}s` : value, name);
    }
    assertSame(
      table('option | does').map(([option]) => option),
      (health.options ?? []).map(({ name }) => `--${name}`),
    );
  });

  it('works its examples of scaling out as the program does', () => {
    const limits = { minWorkers: 1, maxWorkers: 10, scaleUpThreshold: 5, scaleDownThreshold: 2 };
    for (const [due, now, load, , then] of table('due jobs')) {
      assert.equal(Number(due) / Number(now), Number(load));
      assert.equal(targetWorkers(Number(due), Number(now), limits), Number(then), due);
    }
    const rows = table('profile').map(([name, , min, max, up]) => [name, min, max, up]);
    const profiles = Object.entries(PROFILES).map(([name, one]) => [
      name,
      one.minWorkers,
      one.maxWorkers,
      one.scaleUpThreshold,
    ]);
    assert.deepEqual(rows, profiles);
  });

  it('lists every command with its aliases, and every built-in job', () => {
    assertSame(
      table('command').map(([name, aliases]) => `${name} (${aliases})`),
      commands.map(({ name, aliases = [] }) => `${name} (${aliases.join(', ')})`),
    );
    assertSame(
      table('job').map(([type]) => type),
      officeJobs.map(({ type }) => String(type)),
    );
  });
});
