/** The gate's log and the report settings from files, as an admin who moves in brings them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { Site } from '../tools/daemon.ts';

const PASSES = `reference,roll_number,kind,purpose,destination,leaves_at,returns_at,status
P-1,21CS001,Day,Bank,T. Nagar,2026-01-01 08:00,2026-01-01 18:00,approved
P-2,21CS001,Day,Bank,T. Nagar,2026-01-02 08:00,2026-01-02 18:00,expired
P-3,21CS001,Day,Bank,T. Nagar,2026-01-03 08:00,2026-01-03 18:00,rejected
`;

async function office(t: { after: (clean: () => Promise<void>) => void }): Promise<Site> {
  const here = new Site((clean) => t.after(clean));
  here.write('s.csv', 'name,email,roll_number\nAsha,asha@example.edu,21CS001\n');
  here.write('o.csv', PASSES);
  here.write('u.csv', 'name,email,role\nRao,rao@example.edu,warden\nMeera,meera@example.edu,warden\n');
  await here.ok('import', 'students', 's.csv');
  await here.ok('import', 'outpasses', 'o.csv');
  await here.ok('import', 'users', 'u.csv');
  return here;
}

describe('import', { concurrency: 2 }, () => {
  it('movements: all or nothing, then in part, then the mended rest', async (t) => {
    const here = await office(t);
    here.write(
      'm.csv',
      'reference,out_at,in_at,recorded_by\nP-1,2026-01-01 09:00,,Gate 1\nP-3,2026-01-03 09:00,,Gate 1\nP-2,2026-01-02 09:00,2026-01-02 17:00,Gate 1\n',
    );
    const refused = await here.run(['import', 'movements', 'm.csv']);
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /^ *line 3: outpass 'P-3' is rejected; only an approved pass opens the gate$/m,
    );
    assert.equal(here.value('SELECT count(*) FROM movements'), 0);

    const partial = await here.run(['import', 'movements', 'm.csv', '--partial']);
    assert.deepEqual(
      [partial.code, partial.stdout],
      [1, 'movements: 2 inserted, 0 updated, 0 unchanged, 1 rejected.\n'],
    );
    assert.equal(
      readFileSync(here.path('m.rejected.csv'), 'utf8'),
      `problem,reference,out_at,in_at,recorded_by\n"outpass 'P-3' is rejected; only an approved pass opens the gate",P-3,2026-01-03 09:00,,Gate 1\n`,
    );
    const pass = await here.json<{ went_out_at: string; came_back_at: string }>('outpass', 'show', 'P-2');
    assert.deepEqual(
      [pass.went_out_at, pass.came_back_at],
      ['2026-01-02 09:00:00.000', '2026-01-02 17:00:00.000'],
    );
    here.write(
      'm.json',
      JSON.stringify([
        { reference: 'P-1', out_at: '2026-01-01 09:00', in_at: '2026-01-01 19:00', recorded_by: 'Gate 1' },
      ]),
    );
    assert.equal(
      await here.ok('import', 'movements', 'm.json'),
      'movements: 0 inserted, 1 updated, 0 unchanged.\n',
    );
    const late = await here.run(['movements', 'in', 'P-1']);
    assert.match(late.stderr, /came back already/);
  });

  it('report settings: as reports list shows them, and the next sending anew', async (t) => {
    const here = await office(t);
    here.sql.exec(`UPDATE report_settings SET next_send_at = '2026-11-20 10:00:00.000'`);
    here.write(
      'r.csv',
      'report;gender;enabled;frequency;weekday;time;recipients\n' +
        'daily_movement;male;yes;;;21:30;"rao@example.edu;meera@example.edu"\n' +
        'late_arrivals;female;no;weekly;7;06:15;rao@example.edu\n' +
        'late_arrivals;male;no;daily;;21:00;\n',
    );
    assert.equal(
      await here.ok('import', 'reports', 'r.csv', '--dry-run'),
      'reports: 0 inserted, 2 updated, 1 unchanged (a dry run: nothing was written).\n',
    );
    assert.equal(here.value('SELECT max(enabled) FROM report_settings'), 0);
    assert.equal(
      await here.ok('import', 'reports', 'r.csv'),
      'reports: 0 inserted, 2 updated, 1 unchanged.\n',
    );
    assert.equal(
      await here.ok('import', 'reports', 'r.csv'),
      'reports: 0 inserted, 0 updated, 3 unchanged.\n',
    );
    assert.equal(
      await here.ok('reports', 'list'),
      [
        'daily_movement  male    on   daily at 21:30 (UTC), to chief wardens, meera@example.edu, rao@example.edu',
        'daily_movement  female  off  daily at 21:00 (UTC), to chief wardens',
        'late_arrivals   male    off  daily at 21:00 (UTC), to chief wardens',
        'late_arrivals   female  off  weekly on Sunday at 06:15 (UTC), to chief wardens, rao@example.edu',
        '',
      ].join('\n'),
    );
    assert.equal(here.value('SELECT count(*) FROM report_settings WHERE next_send_at IS NULL'), 2);
  });
});
