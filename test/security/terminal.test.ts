/**
 * No text of the database, a payload or a handler steers the terminal of the admin who looks at it: every column of
 * every table holds what terminals obey, as another program may write it, and every command is asked.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { quoted } from '../../src/escape.ts';
import { type Daemon, Site } from '../tools/daemon.ts';
import { executable, type Run } from '../tools/executable.ts';
import { OBEYED } from '../tools/nasty.ts';

/** Clears the screen, names the window, links, fills the clipboard, in both forms of CSI and OSC; goes back and over; turns round. */
const STEERS =
  '\u001b[2J\u001b]0;owned\u0007\u001b]8;;http://evil.example\u001b\\\u001b]52;c;eA==\u0007\u009b31m\u009d0;x\u009c\r\b\u007f\u202e\u2066$(touch owned)';

/** A second line, which could pass for one of ours. */
const FORGED = 'FORGED supervisor ready';
const NASTY = `${STEERS}\n${FORGED}`;

const zones = { TIME_ZONE: 'UTC', ADMIN_EMAIL: 'admin@example.edu' };

/** What a program says, word for word; no line of it is the payload's. */
function harmless({ stdout, stderr, code }: Run, what: string): void {
  for (const text of [stdout, stderr]) {
    assert.doesNotMatch(text, OBEYED, `${what}: ${JSON.stringify(text)}`);
    assert.doesNotMatch(text, /^(<\d>)?FORGED/m, `${what}: ${text}`);
    assert.doesNotMatch(text, /something went wrong inside passito/, what);
    // What a person would copy.
    for (const [, command] of text.matchAll(/(?:Try:|type:|Type:) +(passito .*)/g)) {
      const words = spawnSync('sh', ['-c', `set -- ${command}; echo $#`], { encoding: 'utf8', cwd: '/tmp' });
      assert.equal(words.stderr, '', `${what} proposes: ${command}`);
      assert.ok(!command!.replaceAll(/'[^']*'/g, '').includes('$('), `${what} proposes: ${command}`);
    }
  }
  assert.ok(code >= 0 && code <= 3, `${what}: ${code} ${stderr}`);
}

describe('what the database holds', { concurrency: 2 }, () => {
  const here = new Site(after, zones);

  before(async () => {
    here.job('Bad', 'throw new Error(payload.words);', 'maxAttempts: 1,');
    here.write('s.csv', 'name,email,roll_number,hostel,room,parent_phone\nA,a@b.edu,1,Ganga,1,9840012345\n');
    await here.ok('import', 'students', 's.csv');
    here.write('u.csv', 'name,email,role\nW,w@b.edu,warden\n');
    await here.ok('import', 'users', 'u.csv');
    const pass = ['outpass', 'create', '--student', '1', '--kind', 'Home', '--purpose', 'Rest'];
    const when = ['--out', '2099-01-01 10:00', '--in', '2099-01-02 10:00', '--reference', 'OP-1'];
    await here.ok(...pass, '--destination', 'Home', ...when);
    await here.ok('outpass', 'approve', 'OP-1');
    await here.ok('worker', '--drain');
    await here.ok('pause', '--queue', 'mail');
    const { sql } = here;
    const states = ['blocked', 'pending', 'processing', 'completed', 'failed', 'cancelled'];
    const add = sql.prepare(
      `INSERT INTO jobs (type, status, queue, payload, last_error, result, progress, unique_key, options, attempts,
                         started_at, finished_at, claimed_by, available_at)
       VALUES ('A', ?, 'mail', ?, '', ?, ?, 'k' || ?, ?, 1, '2026-01-01 00:00:00.000',
               '2026-01-01 00:00:00.000', 1, '2026-01-01 00:00:00.000')`,
    );
    const json = JSON.stringify({ [NASTY]: NASTY });
    for (const state of states) add.run(state, json, json, json, state, json);
    sql.exec(`INSERT INTO attempts (job_id, attempt, outcome, ended_at, error, stack)
              SELECT id, 1, 'failed', '2026-01-01 00:00:00.000', '', '' FROM jobs;
              INSERT INTO dependencies SELECT max(id), min(id), 0 FROM jobs;
              INSERT OR IGNORE INTO dependencies SELECT (SELECT max(id) FROM jobs), id, 0 FROM jobs WHERE status = 'blocked';
              INSERT INTO settings VALUES ('paused:x', '${JSON.stringify({ since: '2026-01-01', by: 'x' })}');
              INSERT INTO parent_verifications (outpass_id, method, sent_to, sent_at, expires_at)
              VALUES (1, 'sms', 'x', '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000');
              INSERT INTO mails (message_id, kind, sent_to, subject, state, response)
              VALUES ('x', 'x', 'x', 'x', 'queued', 'x'), ('y', 'y', 'y', 'y', 'failed', 'y');
              UPDATE alert_state SET failed_tries = 2, last_error = 'x', mailed = 'stale';
              INSERT INTO movements (outpass_id, direction, at, recorded_by)
              VALUES (1, 'out', '2026-01-01 00:00:00.000', 'x');
              UPDATE settings SET value = '{"since":"2026-01-01 00:00:00.000","by":"x"}' WHERE key LIKE 'paused%';
              INSERT INTO report_recipients SELECT id, (SELECT id FROM users) FROM report_settings;`);
    fillEverything();
  });

  /** Every column that takes it, of every row; what has a meaning of its own is left. */
  function fillEverything(): void {
    const { sql } = here;
    const kept = new Set(['processes.info', 'processes.boot_id', 'processes.start_time', 'settings.key']);
    const tables = sql
      .prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
      .pluck()
      .all();
    let filled = 0;
    for (const table of tables) {
      const columns = sql.pragma(`table_info(${table})`) as { name: string; type: string }[];
      for (const { name, type } of columns) {
        if (type !== 'TEXT' || kept.has(`${table}.${name}`)) continue;
        const column = `"${name}"`;
        // JSON keeps its shape where a program reads it as such; times keep theirs where the table does not insist.
        if (/_at$|^at$|^tick$|_until$|^since$/.test(name)) continue;
        for (const set of [
          `json_replace(${column}, '$.by', json_extract(${column}, '$.by') || ?)`,
          `${column} || ?`,
          `substr(${column} || ?, 1, 30)`,
        ]) {
          try {
            if (set.startsWith('json') && table !== 'settings') continue;
            if (table === 'settings' && !set.startsWith('json')) continue;
            const where = table === 'settings' ? `WHERE key LIKE 'paused%'` : `WHERE ${column} IS NOT NULL`;
            filled +=
              sql.prepare(`UPDATE OR IGNORE ${table} SET ${column} = ${set} ${where}`).run(NASTY).changes > 0
                ? 1
                : 0;
            break;
          } catch (error) {
            assert.match(String(error), /CHECK constraint|malformed JSON|datatype/, `${table}.${name}`);
          }
        }
      }
    }
    assert.ok(filled >= 35, `${filled} columns took it`);
  }

  const commands = (): string[][] => {
    const ids = here.sql.prepare<[], number>('SELECT id FROM jobs').pluck().all().map(String);
    const alone = [
      ['status'],
      ['top', '--times', '1'],
      ['jobs', 'list', '--limit', '100'],
      ['health'],
      ['health', '--nagios'],
      ['doctor', '--offline'],
      ['audit'],
      ['mail', 'list'],
      ['outpass', 'list'],
      ['reports', 'list'],
      ['schedule', 'list'],
    ];
    return [
      ...alone,
      ...ids.flatMap((id) => [
        ['jobs', 'show', id],
        ['explain', id],
      ]),
      ['mail', 'show', '1'],
      ['outpass', 'show', '1'],
      ['dispatch', `Bad${NASTY}`, '--payload', '{}'],
      ['jobs', 'list', '--type', NASTY],
      ['jobs', 'list', '--state', NASTY],
      [NASTY],
      ['outpass', 'show', NASTY],
      ['verify', NASTY],
      ['schedule', 'next', NASTY],
      ['import', 'students', `/nowhere/${NASTY}`],
      ['pause', '--queue', NASTY],
      ['mail-test', NASTY],
    ];
  };

  it('steers no terminal, whatever is asked, for people and as JSON', async () => {
    for (const words of commands()) {
      harmless(await here.run(words), words.slice(0, 3).join(' '));
      if (['top', 'health'].includes(words[0]!) && words.length > 1) continue;
      const run = await here.run([...words, '--json']);
      harmless(run, `${words.slice(0, 3).join(' ')} --json`);
      const json = run.stdout.trim();
      if (json !== '') assert.doesNotThrow(() => JSON.parse(json), json);
    }
  });

  it('and so does no mail to the admin', async () => {
    const run = await here.run(['health', '--send-email', '--force']);
    const file = /lies in (\S+\.eml)/.exec(run.stderr)?.[1];
    assert.ok(file !== undefined, run.stderr);
    const raw = readFileSync(file);
    assert.doesNotMatch(
      raw.toString('latin1').replaceAll('\r\n', '\n'),
      /[\u0000-\u0008\u000b-\u001f\u007f]/,
    );
    const { subject = '', text = '', html } = await simpleParser(raw);
    assert.match(text, /\nLast errors:\n {2}#\d+ A/);
    for (const part of [subject, text, String(html)]) {
      assert.doesNotMatch(part, OBEYED);
      assert.doesNotMatch(part, /^FORGED/m);
    }
  });

  it('JSON says exactly what the row holds', async () => {
    const [job] = await here.json<{ payload: unknown }[]>(
      'jobs',
      'list',
      '--state',
      'completed',
      '--limit',
      '1',
    );
    assert.deepEqual(job?.payload, { [NASTY]: NASTY });
  });

  const noScript = spawnSync('script', ['--version']).status !== 0 && 'script (of bsdutils) is not there';
  it(
    'on a terminal nothing but our own colours and cursor moves gets through',
    { skip: noScript },
    async () => {
      for (const words of [
        'status',
        'top --times 1',
        'jobs list',
        'health',
        'jobs show 5',
        'audit',
        'mail list',
        'outpass show 1',
      ]) {
        const { stdout } = await here.run(['-qec', `${executable} ${words}`, '/dev/null'], {
          file: 'script',
        });
        assert.ok(stdout.length > 0, words);
        // The terminal's own line ends.
        const left = stdout
          .replaceAll('\r\n', '\n')
          .replaceAll(/\u001b\[(?:0|1|31|32|33|90)m|\u001b\[[HKJ]/g, '');
        assert.doesNotMatch(left, OBEYED, `${words}: ${JSON.stringify(left)}`);
        assert.doesNotMatch(left, /^FORGED/m, words);
      }
    },
  );
});

describe('what a handler says', () => {
  const run = async (t: { after: (clean: () => Promise<void>) => void }, args: string[], env = {}) => {
    const here = new Site((clean) => t.after(clean), { ...zones, ...env });
    here.job(
      'Talk',
      `context.log.info(payload.words, { words: payload.words, deep: { words: [payload.words] } });
       context.log.warn('fields', payload.fields);
       await context.progress(40, payload.words);
       throw new Error(payload.words);`,
      'maxAttempts: 1,',
    );
    const fields = {
      time: 5,
      level: NASTY,
      msg: NASTY,
      err: null,
      pid: NASTY,
      type: 'Other',
      [NASTY]: NASTY,
    };
    const daemon: Daemon = here.launch(args);
    await daemon.line(/supervisor ready/);
    const payload = JSON.stringify({ words: NASTY, fields });
    const waited = await here.run(['dispatch', 'Talk', '--payload', payload, '--wait', '20s']);
    await daemon.line(/job failed/);
    assert.equal((await daemon.stop()).code, 0, daemon.log);
    return { here, daemon, waited };
  };

  it('is one harmless line a record in the log, and its fields do not pass for ours', async (t) => {
    const { daemon, waited } = await run(t, []);
    harmless({ code: 0, stdout: '', stderr: daemon.log }, 'the log');
    harmless(waited, 'dispatch --wait');
    for (const line of daemon.log.trimEnd().split('\n')) {
      assert.match(line, /^20\d\d-\S+Z (info|warn|error) /);
    }
    assert.match(daemon.log, / warn {2}fields .*type=Talk/);
  });

  it('and in the log for programs', async (t) => {
    const { daemon } = await run(t, ['--log-format', 'json']);
    assert.doesNotMatch(daemon.log, OBEYED);
    const lines = daemon.log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const said = lines.find(({ msg }) => msg === NASTY);
    assert.deepEqual([said?.['words'], said?.['level'], said?.['type']], [NASTY, 30, 'Talk']);
    const fields = lines.find(({ msg }) => msg === 'fields');
    assert.deepEqual([fields?.['level'], fields?.['type'], fields?.['type_']], [40, 'Talk', 'Other']);
    assert.match(String(fields?.['time']), /^20/);
  });

  it('on a terminal, further lines stand below the first', async (t) => {
    const { daemon } = await run(t, ['--log-format', 'pretty']);
    const left = daemon.log.replaceAll(/\u001b\[(?:0|3[123]|90)m/g, '');
    assert.doesNotMatch(left, OBEYED);
    assert.doesNotMatch(left, /^FORGED/m);
  });
});

describe('what the admin is told to type', () => {
  it('names a type or a queue of any form, and runs no part of it', async (t) => {
    const here = new Site((clean) => t.after(clean), zones);
    const type = "A'; touch owned; $(touch owned) `touch owned` #";
    const daemon = await here.start();
    here.insert(type);
    await here.ok('pause', '--queue', 'default');
    here.sql
      .prepare(`INSERT INTO jobs (type, queue, available_at) VALUES (?, ?, '2026-01-01 00:00:00.000')`)
      .run(type, type);
    here.sql
      .prepare('INSERT INTO settings VALUES (?, ?)')
      .run(`paused:${type}`, JSON.stringify({ since: '2026-01-01 00:00:00.000', by: 'x' }));
    const { reasons } = await here.json<{ reasons: { try: string }[] }>('health');
    const mail = reasons.map((one) => one.try);
    const { explanation } = await here.json<{ explanation: string }>('explain', '2');
    const told = [...mail, /To go on, type: (.*)$/.exec(explanation)?.[1] ?? ''];
    const named = told.filter((line) => line.includes('touch'));
    assert.equal(named.length, 3, told.join('\n'));
    for (const line of named) {
      const script = `passito() { printf '%s\\n' "$@"; }\n${line}`;
      const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8', cwd: here.folder });
      assert.equal(stderr, '', line);
      assert.ok(stdout.split('\n').includes(type), line);
    }
    assert.ok(!existsSync(here.path('owned')));
    await daemon.stop();
  });

  it('is one word to the shell, whatever the word', () => {
    const words = fc.array(
      fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
      { maxLength: 50 },
    );
    fc.assert(
      fc.property(words, (all) => {
        const script = `printf '%s\\0' x ${all.map(quoted).join(' ')}`;
        const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
        assert.deepEqual(stdout.split('\0').slice(1, -1), all);
      }),
      { numRuns: 100 },
    );
  });
});
