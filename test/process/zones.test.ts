/** Every time that people read is one of the office's clock, and says so; programs get UTC. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, after, describe, it } from 'node:test';

import { Site } from '../tools/daemon.ts';
import { readQrPng } from '../tools/qr.ts';

const ZONE = 'Asia/Kolkata';

describe('times in the office’s zone', () => {
  const here = new Site(after, { TIME_ZONE: ZONE });
  let token: string;

  before(async () => {
    here.write('students.csv', 'name,email,roll_number\nAsha,asha@example.edu,21CS001\n');
    await here.ok('migrate');
    await here.ok('import', 'students', 'students.csv');
  });

  const said = async (...args: string[]) => {
    const { stdout, stderr } = await here.run(args);
    return `${stdout}${stderr}`;
  };

  it('a pass that is made, approved and scanned', async () => {
    const pass = ['--kind', 'Home pass', '--purpose', 'Wedding', '--destination', 'Madurai'];
    const window = ['--out', '2099-01-01 08:00', '--in', '2099-01-02 08:00'];
    assert.match(
      await said('outpass', 'create', '--student', '21CS001', ...pass, ...window),
      /: Thu 1 Jan 2099, 8:00 AM – Fri 2 Jan 2099, 8:00 AM \(Asia\/Kolkata\)\. It is pending\./,
    );
    await here.ok('outpass', 'approve', '1');
    await here.ok('worker', '--drain');
    token = readQrPng(readFileSync(here.path('files', 'qr', 'outpass-1.png'))) ?? '';
    for (const [at, words] of [
      ['2099-01-01 12:00', 'Valid: outpass OP-000001 of 21CS001 (Home pass), until Fri 2 Jan 2099, 8:00 AM'],
      [
        '2099-01-02 08:29',
        'Valid: outpass OP-000001 of 21CS001 (Home pass), which ended Fri 2 Jan 2099, 8:00 AM; its grace lasts until Fri 2 Jan 2099, 8:30 AM',
      ],
      ['2099-01-02 08:30', 'Not valid: The pass is not valid after Fri 2 Jan 2099, 8:30 AM'],
      ['2098-12-31 08:00', 'Not valid: The pass is not valid before Thu 1 Jan 2099, 8:00 AM'],
    ] as const) {
      assert.equal(await said('verify', token, '--at', at), `${words} (${ZONE}).\n`);
    }
    const { message } = JSON.parse(await said('verify', token, '--at', '2099-01-02 08:30', '--json')) as {
      message: string;
    };
    assert.equal(message, 'The pass is not valid after 2099-01-02 03:00:00.000 UTC.');
  });

  it('its mail', async () => {
    assert.match(await here.ok('mail', 'show', '1'), /^ {2}Mail {8}#1, \w+ {2}\(times in Asia\/Kolkata\)\n/);
  });

  it('the gate', async () => {
    here.write(
      'o.csv',
      'reference,roll_number,kind,purpose,destination,leaves_at,returns_at,status\nG-1,21CS001,Day,Bank,T. Nagar,2026-01-01 08:00,2026-01-01 18:00,approved\n',
    );
    await here.ok('import', 'outpasses', 'o.csv');
    const end = `(${ZONE}).`;
    for (const [way, at, words] of [
      ['out', '07:00', 'begins only at Thu 1 Jan 2026, 8:00 AM'],
      ['out', '09:00', 'went out, Thu 1 Jan 2026, 9:00 AM'],
      ['out', '09:01', 'went out already, Thu 1 Jan 2026, 9:00 AM'],
      [
        'in',
        '08:59',
        'went out only at Thu 1 Jan 2026, 9:00 AM (Asia/Kolkata), and cannot come back before.',
      ],
      ['in', '19:00', 'came back, Thu 1 Jan 2026, 7:00 PM; the pass ended at Thu 1 Jan 2026, 6:00 PM'],
      ['in', '19:01', 'came back already, Thu 1 Jan 2026, 7:00 PM'],
    ] as const) {
      const text = await said('movements', way, 'G-1', '--at', `2026-01-01 ${at}`);
      assert.ok(text.includes(words.endsWith('.') ? words : `${words} ${end}`), text);
    }
    assert.match(
      await said('outpass', 'cancel', 'G-1'),
      /the student went out Thu 1 Jan 2026, 9:00 AM \(Asia\/Kolkata\)\./,
    );
  });

  it('a pause, ticks and jobs', async () => {
    const daemon = await here.start();
    await daemon.stop();
    await here.ok('pause', '--by', 'asha');
    here.sql.exec(
      `UPDATE settings SET value = json_set(value, '$.since', '2026-11-26 02:05:00.000') WHERE json_valid(value) AND value ->> 'by' = 'asha'`,
    );
    const paused = 'All queues were paused by asha at 2026-11-26 07:35:00 (Asia/Kolkata).';
    const status = await here.ok('status');
    assert.ok(status.includes(`${paused}\n`), status);
    assert.match(status, /^Next: \S+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d.* {2}\(times in Asia\/Kolkata\)$/m);
    assert.ok((await said('health')).includes(`  ${paused}\n`));
    await here.ok('dispatch', 'Nobody');
    const id = Number(here.value('SELECT max(id) FROM jobs'));
    assert.ok((await here.ok('explain', `${id}`)).includes(paused));
    await here.ok('dispatch', 'Nobody', '--at', '2099-12-24 08:00');
    assert.match(
      await here.ok('explain', `${id + 1}`),
      /is scheduled at 2099-12-24 08:00:00 \(Asia\/Kolkata\), in /,
    );
    await here.ok('jobs', 'cancel', `${id}`);
    assert.match(await here.ok('explain', `${id}`), /was cancelled at [\d-]+ [\d:]+ \(Asia\/Kolkata\); /);
    const inUtc = await here.run(['explain', `${id}`], { env: { TIME_ZONE: 'UTC' } });
    assert.match(inUtc.stdout, /was cancelled at [\d-]+ [\d:]+ UTC; /);
  });

  it('the book', async () => {
    await here.ok('scale', '--max', '5', '--for', '1h');
    const [line] = await here.json<{ detail: string }[]>('audit');
    const [, kept = ''] = /until (\S+ \S+) UTC$/.exec(line?.detail ?? '') ?? [];
    const local = new Date(Date.parse(`${kept.replace(' ', 'T')}Z`) + 5.5 * 3_600_000).toISOString();
    const shown = await here.ok('audit', '--limit', '1');
    assert.match(shown, /^when \(Asia\/Kolkata\)/);
    assert.ok(shown.trimEnd().endsWith(`at most 5 until ${local.slice(0, 19).replace('T', ' ')}`), shown);
    const note =
      "INSERT INTO audit (at, who, action, detail) VALUES ('2026-11-26 02:05:00.000', 'a', 'outpass reject', ?)";
    here.sql.prepare(note).run('OP-1: late 2026-01-01 01:00:00 UTC');
    assert.match(await here.ok('audit', '--limit', '1'), /OP-1: late 2026-01-01 01:00:00 UTC/);
  });
});
