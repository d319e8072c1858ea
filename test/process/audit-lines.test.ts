/** Every command that changes something by hand has its line in the book, and neither is without the other. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Site } from '../tools/daemon.ts';

const PASS = [
  'outpass create --student 1 --kind Home --purpose x --destination y'.split(' '),
  ['--out', '2099-01-01 10:00', '--in', '2099-01-02 10:00', '--reference'],
].flat();

/** An office with passes, and jobs in several states. */
async function office(t: TestContext): Promise<Site> {
  const here = new Site((clean) => t.after(clean));
  here.write('s.csv', 'name,email,roll_number\nA,a@b.edu,1\n');
  here.write('more.csv', 'name,email,roll_number\nB,b@b.edu,2\nC,c@b.edu,3\n');
  await here.ok('import', 'students', 's.csv');
  for (const reference of ['P-1', 'P-2', 'P-3']) await here.ok(...PASS, reference);
  await here.ok('keys');
  for (let n = 0; n < 4; n++) here.insert('Any');
  const ended = `status = 'failed', finished_at = strftime('%Y-%m-%d %H:%M:%f', 'now', '-2 days')`;
  here.sql.exec(`UPDATE jobs SET ${ended} WHERE id IN (2, 4)`);
  here.sql.exec(
    `INSERT INTO mails (message_id, outpass_id, kind, sent_to, subject) VALUES ('<1@a>', 1, 'approved', 'a@b.edu', 's')`,
  );
  return here;
}

const CHANGES: [string, string[], RegExp][] = [
  ['jobs retry', ['2'], /^#2$/],
  ['jobs cancel', ['1'], /^#1$/],
  ['jobs delete', ['3'], /^#3$/],
  ['jobs prune', ['--failed', '1d'], /^completed longer ago than 30d, failed than 1d$/],
  ['outpass create', [...PASS.slice(2), 'P-4'], /^P-4 for 1$/],
  ['outpass approve', ['P-1'], /^P-1$/],
  ['outpass reject', ['P-2', '--reason', 'Exams'], /^P-2: Exams$/],
  ['outpass cancel', ['P-3'], /^P-3$/],
  ['import students', ['more.csv'], /^more\.csv: 2 inserted, 0 updated$/],
  ['pause', ['--queue', 'mail'], /^queue mail$/],
  ['scale', ['--max', '20'], /^at most 20$/],
  ['schedule run', ['cleanup-expired-files'], /^cleanup-expired-files: job #\d+$/],
  ['schedule pause', ['prune-jobs'], /^prune-jobs$/],
  ['mail resend', ['1'], /^#1 to a@b\.edu: job #\d+$/],
  ['keys rotate', [], / → /],
];

/** What the office holds, without the book. */
function all(here: Site): unknown {
  const tables = ['jobs', 'outpasses', 'students', 'settings', 'schedules', 'mails', 'report_settings'];
  return tables.map((table) => here.sql.prepare(`SELECT * FROM ${table}`).all());
}

describe('the book of what people do by hand', { concurrency: 2 }, () => {
  it('has a line for each change', async (t) => {
    const here = await office(t);
    const before = here.value('SELECT max(id) FROM audit');
    for (const [action, words] of CHANGES) await here.ok(...action.split(' '), ...words);
    await here.ok('reports', 'enable', 'late_arrivals', '--gender', 'male');
    await here.ok('schedule', 'resume', 'prune-jobs');
    await here.ok('resume', '--queue', 'mail');
    const lines = here.sql
      .prepare<[number], { action: string; detail: string }>('SELECT * FROM audit WHERE id > ? ORDER BY id')
      .all(before);
    const wanted: [string, RegExp][] = [
      ...CHANGES.map(([action, , detail]): [string, RegExp] => [action, detail]),
      ['reports', /^late_arrivals male: on$/],
      ['schedule resume', /^prune-jobs$/],
      ['resume', /^queue mail$/],
    ];
    assert.deepEqual(
      lines.map(({ action }) => action),
      wanted.map(([action]) => action),
    );
    for (const [at, [action, detail]] of wanted.entries()) {
      assert.match(lines[at]?.detail ?? '', detail, action);
    }
  });

  it('is written with the change, or the change is not', async (t) => {
    const here = await office(t);
    here.sql.exec(`CREATE TRIGGER shut BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'shut'); END`);
    const before = all(here);
    for (const [action, words] of CHANGES.filter(([name]) => name !== 'keys rotate')) {
      const { code } = await here.run([...action.split(' '), ...words]);
      assert.notEqual(code, 0, action);
      assert.deepEqual(all(here), before, action);
    }
  });

  it('has no line where nothing was changed', async (t) => {
    const here = await office(t);
    const count = () => here.value('SELECT count(*) FROM audit');
    const before = count();
    await here.ok('import', 'students', 's.csv');
    await here.ok('import', 'students', 'more.csv', '--dry-run');
    await here.ok('jobs', 'prune', '--completed', '1d');
    await here.ok('resume', '--queue', 'mail');
    assert.equal((await here.run(['schedule', 'resume', 'prune-jobs'])).code, 1);
    assert.equal(count(), before);
  });

  it('tells in the restored database who restored what', async (t) => {
    const here = await office(t);
    await here.ok('backup', 'a.tar');
    here.sql.close();
    await here.ok('restore', 'a.tar', '--dry-run');
    await here.ok('restore', 'a.tar', '--force');
    const [line, next] = await here.json<{ action: string; detail: string; who: string }[]>('audit');
    assert.equal(line?.action, 'restore');
    assert.match(line?.detail ?? '', /\/a\.tar, of \d{4}-\d\d-\d\d [\d:.]+ UTC$/);
    assert.notEqual(line?.who, '');
    assert.notEqual(next?.action, 'restore');
  });
});
