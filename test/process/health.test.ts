/** `passito health` and the alerts of the executable, with a real mail server. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { describe, it } from 'node:test';

import { simpleParser } from 'mailparser';

import { Site } from '../tools/daemon.ts';
import { smtpAnswer, startSmtp } from '../tools/smtp.ts';

type Ends = Parameters<typeof startSmtp>[0];

const ADMIN = { ADMIN_EMAIL: 'admin@example.edu', MAILER_FROM: 'gate@example.edu', APP_NAME: 'Gate' };

/** A queue with a job that has been due for an hour. */
async function stale(t: Ends, env: Record<string, string>): Promise<Site> {
  const here = new Site((clean) => t.after(clean), { ...ADMIN, ...env });
  await here.ok('migrate');
  here.sql.exec(
    `INSERT INTO jobs (type, available_at) VALUES ('Sync', strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 hour'))`,
  );
  return here;
}

describe('passito health', { concurrency: 2 }, () => {
  it('prints the guide’s text to the letter', async (t) => {
    const here = new Site((clean) => t.after(clean));
    await here.ok('migrate');
    here.sql.exec(`
      WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 12)
      INSERT INTO jobs (type) SELECT 'Sync' FROM n;
      INSERT INTO jobs (type, status, finished_at) VALUES ('Sync', 'failed', '2026-01-01 00:00:00.000');`);
    const { code, stdout, stderr } = await here.run(['jobs:health']);
    assert.equal(
      stdout,
      `Job Queue Health Check
==================================================
Pending Jobs:    12
Processing Jobs: 0
Failed Jobs:     1
Stale Jobs:      0 (older than 5m)

✓ Job queue is healthy
`,
    );
    assert.deepEqual([code, stderr], [0, `Database: ${here.db}\n`]);
  });

  it('answers monitoring programs in one line', async (t) => {
    const here = await stale(t, {});
    const { code, stdout } = await here.run(['health', '--nagios']);
    assert.equal(code, 2);
    assert.match(
      stdout,
      /^PASSITO CRITICAL - 1 job has been due .* \| pending=1 processing=0 failed=0 stale=1 stuck=0\n$/,
    );
    assert.equal((await here.run(['health', '--exit-code-on-failure'])).code, 1);
    const absent = await here.run(['health', '--nagios', '--db', 'nowhere.db']);
    assert.deepEqual([absent.code, absent.stdout.split(' - ')[0]], [3, 'PASSITO UNKNOWN']);
    assert.ok(!existsSync(here.path('nowhere.db')), 'looking makes no database');
  });

  it('names the threshold as it is', async (t) => {
    const here = new Site((clean) => t.after(clean));
    await here.ok('migrate');
    for (const [threshold, told] of [
      ['20s', '20s'],
      ['90s', '90s'],
      ['300s', '5m'],
    ]) {
      const { stdout } = await here.run(['health'], { env: { PASSITO_ALERT_THRESHOLD: threshold ?? '' } });
      assert.match(stdout, new RegExp(`^Stale Jobs: {6}0 \\(older than ${told}\\)$`, 'm'));
    }
  });

  it('tells monitoring programs that it knows nothing where the settings are unsound', async (t) => {
    const here = new Site((clean) => t.after(clean));
    const unknown = async (env: Record<string, string>, ...more: string[]) => {
      const { code, stdout } = await here.run(['health', '--nagios', ...more], { env });
      assert.match(stdout, /^PASSITO UNKNOWN - [^|\n]+\n$/);
      assert.equal(code, 3);
      return stdout;
    };
    assert.match(await unknown({ PASSITO_MIN_WORKERS: 'x' }), /PASSITO_MIN_WORKERS cannot be 'x'/);
    const both = await unknown({ PASSITO_MIN_WORKERS: 'x|y', SMTP_PORT: 'z' }, '--send-email');
    assert.match(both, /has 2 problems: PASSITO_MIN_WORKERS cannot be 'x\/y'.*SMTP_PORT cannot be 'z'/);
    assert.match(await unknown({}, '--alert-threshold', 'x'), /--alert-threshold/);
  });
});

it('what commands propose names the database that was typed', async (t) => {
  const here = await stale(t, {});
  here.env['PASSITO_DB'] = '';
  const typed = ['--db', here.db];
  await here.ok('pause', ...typed);
  const health = await here.run(['health', ...typed]);
  assert.match(health.stdout, new RegExp(`Try: passito supervisor --db ${here.db}\n`));
  const asJson = await here.json<{ reasons: { try: string }[] }>('health', ...typed);
  assert.equal(asJson.reasons[0]?.try, `passito supervisor --db ${here.db}`);
  assert.match(
    await here.ok('status', ...typed),
    new RegExp(`Start one: passito supervisor --db ${here.db}\n`),
  );
  assert.match(
    await here.ok('explain', '1', ...typed),
    new RegExp(`type: passito resume --db ${here.db}$`, 'm'),
  );
  const doctor = await here.run(['doctor', '--offline', ...typed]);
  assert.match(doctor.stdout, new RegExp(`Try: passito backup --db ${here.db} /`));
  const absent = await here.run(['jobs', 'show', '99', '--json', ...typed]);
  assert.match(absent.stderr, new RegExp(`^'passito jobs list --db ${here.db}' shows`, 'm'));
  assert.match(absent.stdout, new RegExp(`passito jobs list --db ${here.db}' shows`));
  here.sql.pragma('user_version = 1');
  const older = await here.run(['status', ...typed]);
  assert.match(older.stderr, new RegExp(`Type: passito migrate --db ${here.db}$`, 'm'));
});

describe('alerts', { concurrency: 2 }, () => {
  it('one mail a trouble, one at its end; what was mailed is said, and mailed again where that is wanted', async (t) => {
    const smtp = await startSmtp(t);
    const here = await stale(t, { SMTP_HOST: '127.0.0.1', SMTP_PORT: String(smtp.port) });
    const send = async (...more: string[]) => (await here.run(['health', '--send-email', ...more])).stderr;
    assert.match(await send(), /Mailed to admin@example\.edu; the server answered: 250/);
    assert.match(await send(), /Mailed already, .* to admin@example\.edu; --force mails it again\./);
    assert.equal(smtp.mails.length, 1);
    const mail = await simpleParser(smtp.mails[0]!);
    assert.match(mail.subject ?? '', /^\[Gate\] The job queue has issues \(/);
    for (const body of [mail.text ?? '', mail.html || '']) {
      assert.match(body, /1 job has been due for more than 5m/);
      assert.match(body, /Likely cause: No supervisor runs/);
      assert.match(body, /passito supervisor/);
    }
    await send('--force');
    assert.equal(smtp.mails.length, 2);
    await here.ok('jobs', 'cancel', '1');
    await send();
    await send();
    assert.equal(smtp.mails.length, 3);
    assert.match((await simpleParser(smtp.mails[2]!)).subject ?? '', /is healthy again/);
  });

  it('a mail that is refused is kept, and sent at the next check', async (t) => {
    let refuse = true;
    const smtp = await startSmtp(t, {
      onRcptTo: (_address, _session, callback) => callback(refuse ? smtpAnswer(451, 'later') : undefined),
    });
    const here = await stale(t, { SMTP_HOST: '127.0.0.1', SMTP_PORT: String(smtp.port) });
    const first = await here.run(['health', '--send-email']);
    assert.equal(first.code, 3);
    assert.match(
      first.stderr,
      /was not sent: The mail server .* 451 later.*It is tried again at the next check/,
    );
    assert.equal(here.value('SELECT failed_tries FROM alert_state'), 1);
    refuse = false;
    assert.equal((await here.run(['health', '--send-email'])).code, 0);
    assert.deepEqual([smtp.mails.length, here.value('SELECT last_error FROM alert_state')], [1, null]);
  });

  it('without an address the key is named; without a server the file is', async (t) => {
    const here = await stale(t, { ADMIN_EMAIL: '' });
    const none = await here.run(['health', '--send-email']);
    assert.deepEqual([none.code, /No mail was sent: set ADMIN_EMAIL/.test(none.stderr)], [0, true]);
    const kept = await here.run(['health', '--send-email'], { env: ADMIN });
    assert.match(
      kept.stderr,
      /No SMTP server is configured: the mail to admin@example\.edu lies in .*\.eml\./,
    );
    assert.equal(readdirSync(here.path('outbox')).length, 1);
  });

  it('a database that cannot be read is told once an hour, without one', async (t) => {
    const smtp = await startSmtp(t);
    const here = new Site((clean) => t.after(clean), {
      ...ADMIN,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(smtp.port),
    });
    here.write('passito.db', 'this is no database at all, and never was one');
    const first = await here.run(['health', '--send-email']);
    assert.deepEqual([first.code, smtp.mails.length], [3, 1]);
    assert.match((await here.run(['health', '--send-email'])).stderr, /Mailed already, within the last hour/);
    const stamp = readdirSync(here.folder).find((name) => name.startsWith('passito-alert-'))!;
    assert.equal(statSync(here.path(stamp)).mode & 0o777, 0o600);
    const old = new Date(Date.now() - 3_700_000);
    utimesSync(here.path(stamp), old, old);
    await here.run(['health', '--send-email']);
    assert.equal(smtp.mails.length, 2);
  });
});
