/** Every edge where somebody else's text comes in: files, filters, lines, settings, words. It stays data, or is refused with a reason. */

import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { loadConfig } from '../../src/config.ts';
import { readTable, TableError, writeCsv } from '../../src/edge/csv.ts';
import { commands } from '../../src/edge/cli/commands.ts';
import { parse } from '../../src/edge/cli/parse.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { readLines } from '../../src/engine/job-lines.ts';
import { PassitoError } from '../../src/errors.ts';
import { studentRows } from '../../src/outpass/import.ts';
import { readTime, timeForm } from '../../src/outpass/read-time.ts';
import { Queries } from '../../src/store/sqlite/queries.ts';
import { Site } from '../tools/daemon.ts';
import { nasty, piece } from '../tools/nasty.ts';
import { openOffice, studentRecord } from '../tools/office.ts';
import { newJob, openStore, temporaryFolder } from '../tools/store.ts';

describe('command lines', () => {
  const word = fc.oneof(
    nasty,
    fc.constantFrom(
      ...commands.flatMap(({ name, options = [] }) => [
        ...name.split(' '),
        ...options.map((one) => `--${one.name}`),
      ]),
    ),
    fc
      .tuple(fc.constantFrom('--db', '--limit', '--payload', '-n', '--'), nasty)
      .map(([name, value]) => `${name}=${value}`),
  );
  it('are understood, or refused with a reason', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        try {
          parse(commands, words, '0');
        } catch (error) {
          assert.ok(error instanceof PassitoError, String((error as Error).stack));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('files that are imported', () => {
  it('any bytes are a table, or no table for a reason', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }).map(Buffer.from),
          nasty.map((text) => Buffer.from(`name,email,roll_number\n${text}`)),
          fc.json().map(Buffer.from),
        ),
        async (bytes) => {
          try {
            studentRows(await readTable(bytes));
          } catch (error) {
            assert.ok(
              error instanceof TableError ||
                (error instanceof Error && error.constructor.name === 'ImportError'),
              String(error),
            );
          }
          assert.equal(({} as Record<string, unknown>)['a'], undefined, 'prototypes are as they were');
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('a value comes back from the database as it was, whatever SQL it looks like', async (t) => {
    const { office, db } = await openOffice(t);
    const names = [
      "'); DROP TABLE students; --",
      '" OR 1=1',
      '%',
      '_',
      '\\',
      "Robert'); --",
      '🦉 ünï',
      '${x}',
    ];
    const cells = names.map((name, i) => ({
      ...studentRecord,
      name,
      roll_number: `R${i}`,
      email: `r${i}@example.edu`,
    }));
    const csv = writeCsv([Object.keys(cells[0]!), ...cells.map((cell) => Object.values(cell))]);
    await office.importStudents(studentRows(await readTable(Buffer.from(csv))).rows);
    const found = db
      .prepare(`SELECT name FROM students WHERE roll_number LIKE 'R%' ORDER BY id`)
      .pluck()
      .all();
    assert.deepEqual(found, names);
  });
});

describe('filters of the queue', () => {
  it('find what holds the very text, and nothing else', async (t) => {
    const store = await openStore(t, systemClock);
    const queries = new Queries(store.db, systemClock);
    const update = store.db.prepare(`UPDATE jobs SET last_error = ?, type = ?, queue = ? WHERE id = ?`);
    const [first, second] = (await store.insert([newJob('A'), newJob('B')])).map(({ id }) => id) as [
      number,
      number,
    ];
    const text = fc
      .array(
        piece.filter((part) => !/[\0\ud800]/.test(part)),
        { minLength: 1, maxLength: 6 },
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, text, text, (error, other, sought) => {
        update.run(error, error, error, first);
        update.run(other, other, other, second);
        const expected = (fits: (one: string) => boolean) =>
          [
            [first, error],
            [second, other],
          ]
            .filter(([, one]) => fits(one as string))
            .map(([id]) => id)
            .toSorted((a, b) => Number(a) - Number(b));
        const ids = (filter: object) =>
          queries
            .list({ ...filter, limit: 10 })
            .map(({ id }) => id)
            .toSorted((a, b) => Number(a) - Number(b));
        assert.deepEqual(
          ids({ error: sought }),
          expected((one) => one.toLowerCase().includes(sought.toLowerCase())),
        );
        assert.deepEqual(
          ids({ type: sought }),
          expected((one) => one === sought),
        );
        assert.deepEqual(
          ids({ queue: sought }),
          expected((one) => one === sought),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe('lines of jobs', () => {
  const times = { read: (text: string) => readTime(text, 'UTC'), form: timeForm };

  it('any text is jobs, or refused with the line and what is wrong', () => {
    const line = fc.oneof(
      nasty,
      fc.json(),
      fc
        .record(
          {
            type: nasty,
            payload: fc.jsonValue(),
            queue: nasty,
            priority: fc.oneof(fc.integer(), nasty),
            unique_key: nasty,
            depends_on: fc.oneof(fc.array(nasty), fc.jsonValue()),
          },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
        try {
          for (const { request } of readLines(lines.join('\n'), times, 'x')) {
            assert.match(request.type, /^[\p{L}\p{N}_][\p{L}\p{N}_.:-]{0,99}$/u);
          }
        } catch (error) {
          assert.ok(error instanceof PassitoError, String((error as Error).stack));
        }
      }),
      { numRuns: 2000 },
    );
    assert.equal(Object.keys(Object.prototype).length, 0);
  });
});

describe('settings', () => {
  it('any env file is read, or refused with a reason', async (t) => {
    const envFile = join(temporaryFolder(t), 'a.env');
    const name = fc.constantFrom(
      'PASSITO_DB',
      'SMTP_PORT',
      'TIME_ZONE',
      'PASSITO_HTTP',
      'PASSITO_MAX_WORKERS',
      'APP_URL',
      'LATE_GRACE',
      'MAILER_FROM',
      'PASSITO_QUEUES',
      '__proto__',
      'constructor',
    );
    const text = fc.array(
      fc.oneof(
        nasty,
        fc.tuple(name, nasty).map(([key, value]) => `${key}=${value}`),
      ),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(text, async (lines) => {
        writeFileSync(envFile, lines.join('\n'), { mode: 0o600 });
        try {
          await loadConfig({ values: {}, envFile }, {});
        } catch (error) {
          assert.ok(error instanceof PassitoError, String((error as Error).stack));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('any config file is read, or refused with a reason', async (t) => {
    const folder = temporaryFolder(t);
    const before = process.cwd();
    process.chdir(folder);
    t.after(() => process.chdir(before));
    const key = fc.constantFrom(
      'jobs',
      'schedules',
      'maxWorkers',
      'db',
      'http',
      'queues',
      '__proto__',
      'timeZone',
      'smtpPort',
      'fonts',
    );
    const inner = fc.dictionary(
      fc.constantFrom('a', 'command', 'cron', 'type', 'timeout', '__proto__', 'payload', 'zone'),
      fc.jsonValue({ maxDepth: 2 }),
      { maxKeys: 4 },
    );
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.dictionary(nasty, fc.oneof(inner, fc.jsonValue({ maxDepth: 1 })), { maxKeys: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          nasty,
          fc.dictionary(key, value, { maxKeys: 3 }).map((all) => JSON.stringify(all)),
        ),
        async (text) => {
          writeFileSync('passito.config.json', text, { mode: 0o600 });
          try {
            await loadConfig({ values: {}, envFile: '/dev/null' }, {});
          } catch (error) {
            assert.ok(error instanceof PassitoError, `${text}: ${String((error as Error).stack)}`);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('a profile of the name of something that every object has is none', async () => {
  for (const profile of ['toString', '__proto__', 'constructor']) {
    await assert.rejects(loadConfig({ values: {}, envFile: '/dev/null', profile }, {}), PassitoError);
  }
});

describe('commands of jobs', () => {
  it('get their words and their payload as they are: no shell reads them', async (t) => {
    const here = new Site((clean) => t.after(clean));
    const words = [
      '$(touch owned)',
      '`touch owned`',
      '; touch owned',
      '| touch owned',
      '> owned',
      "'",
      '"',
      '\\',
      '*',
      '~',
      '$HOME',
      'a\nb',
      '--',
      '',
    ];
    here.write(
      'passito.config.json',
      JSON.stringify({
        jobs: {
          Words: { command: ['/usr/bin/printf', '[%s]', ...words] },
          Payload: { command: ['/bin/cat'] },
          'No;touch owned': { command: ['/bin/true; touch owned'] },
        },
      }),
    );
    const refused = await here.run(['supervisor']);
    assert.equal(refused.code, 2, 'a type of such a name is refused');
    here.write(
      'passito.config.json',
      JSON.stringify({
        jobs: {
          Words: { command: ['/usr/bin/printf', '[%s]', ...words] },
          Payload: { command: ['/bin/cat'] },
          No: { command: ['/bin/true; touch owned'], maxAttempts: 1 },
        },
      }),
    );
    const daemon = await here.start();
    const payload = Object.fromEntries(words.map((word, i) => [`${i}${word}`, word]));
    const ids = [here.insert('Words'), here.insert('Payload', payload), here.insert('No')];
    await here.drained();
    const [said, echoed] = ids.map((id) =>
      here.value<string | null>('SELECT result FROM jobs WHERE id = ?', id),
    );
    // The last line of what it printed: the words behind the one with a line end.
    assert.equal(JSON.parse(said!), 'b][--][]');
    assert.deepEqual(JSON.parse(echoed!), payload);
    assert.match(
      here.value<string>('SELECT last_error FROM jobs WHERE id = ?', ids[2]),
      /cannot start .*ENOENT/,
    );
    assert.ok(!existsSync(here.path('owned')));
    await daemon.stop();
  });
});
