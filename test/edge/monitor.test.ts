/** The monitor beside cron's command: one mail of each, a mail server that fails, the ping. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { test, type TestContext } from 'node:test';

import { simpleParser } from 'mailparser';

import { checkHealth, tellAdmin } from '../../src/alerts.ts';
import { loadConfig } from '../../src/config.ts';
import type { Log } from '../../src/edge/log.ts';
import { CHECK_MS } from '../../src/engine/alert.ts';
import { formatTime } from '../../src/engine/clock.ts';
import { monitor } from '../../src/monitor.ts';
import { FakeClock } from '../tools/engine.ts';
import { closedPort, startSmtp } from '../tools/smtp.ts';
import { openStore, temporaryFolder } from '../tools/store.ts';

/** A queue that a test can make ill and well, on a clock of its own. */
async function opened(t: TestContext, env: Record<string, string>, typed = false) {
  const clock = new FakeClock();
  const file = path.join(temporaryFolder(t), 'passito.db');
  const store = await openStore(t, clock, { file });
  const config = await loadConfig(
    { values: typed ? { db: file } : {}, envFile: '/dev/null' },
    {
      PASSITO_DB: typed ? '' : file,
      TIME_ZONE: 'UTC',
      SMTP_HOST: '127.0.0.1',
      MAILER_FROM: 'gate@example.edu',
      ...env,
    },
  );
  const lines: [level: string, msg: string, fields: string][] = [];
  const line = (level: string) => (fields: object, msg: string) =>
    lines.push([level, msg, Object.keys(fields).join()]);
  const log = { info: line('info'), warn: line('warn'), error: line('error') } as unknown as Log;
  const look = () => monitor({ config, store, log, clock });
  const command = async (threshold = config.settings.alertThreshold) =>
    tellAdmin({ config, store, clock }, await checkHealth(store, threshold, clock), { by: 'command' });
  const ill = (since = Date.UTC(2026, 10, 23)) =>
    store.db.prepare(`INSERT INTO jobs (type, available_at) VALUES ('Sync', ?)`).run(formatTime(since));
  const well = () => store.db.exec('DELETE FROM jobs');
  return { file, clock, lines, look, command, ill, well };
}

test('cron that is stricter than the monitor, and cron that is less strict: still one mail of each', async (t) => {
  for (const minutes of [1, 600]) {
    const smtp = await startSmtp(t);
    const { clock, look, command, ill, well } = await opened(t, {
      ADMIN_EMAIL: 'admin@example.edu',
      SMTP_PORT: String(smtp.port),
    });
    for (let minute = 0; minute <= 90; minute += 5) {
      if (minute === 20) ill(clock.now() - 3 * 60_000);
      if (minute === 80) well();
      await command(minutes * 60_000);
      await look();
      clock.freeze(CHECK_MS);
    }
    assert.equal(smtp.mails.length, 2, `${minutes} minutes`);
  }
});

test('an hour of trouble, seen every five minutes by the monitor and by cron: one mail, and one at its end', async (t) => {
  const smtp = await startSmtp(t);
  const { clock, look, command, ill, well, lines } = await opened(t, {
    ADMIN_EMAIL: 'admin@example.edu, second@example.edu',
    SMTP_PORT: String(smtp.port),
  });
  for (let minute = 0; minute <= 90; minute += 5) {
    if (minute === 20) ill();
    if (minute === 80) well();
    await look();
    await command();
    clock.freeze(CHECK_MS);
  }
  const subjects = smtp.mails.map((mail) => /^Subject: .*$/m.exec(mail.toString())?.[0]);
  assert.equal(subjects.length, 2);
  assert.match(subjects[0]!, /has issues/);
  assert.match(subjects[1]!, /is healthy again/);
  assert.ok(lines.every(([level]) => level !== 'error'));
});

test('alone, the monitor mails at its second bad look, and logs what the contract says', async (t) => {
  const smtp = await startSmtp(t);
  const env = { ADMIN_EMAIL: 'admin@example.edu', SMTP_PORT: String(smtp.port) };
  const { clock, look, ill, lines } = await opened(t, env);
  ill();
  await look();
  assert.equal(smtp.mails.length, 0);
  clock.freeze(CHECK_MS);
  await look();
  assert.equal(smtp.mails.length, 1);
  assert.deepEqual(lines, [
    ['warn', 'the job queue has issues', 'reasons'],
    ['warn', 'the job queue has issues', 'reasons'],
    ['info', 'the admin was told', 'alert,to,via,response'],
  ]);
});

test('what a mail proposes names a database that commands would not find by themselves', async (t) => {
  for (const typed of [true, false]) {
    const smtp = await startSmtp(t);
    const env = { ADMIN_EMAIL: 'admin@example.edu', SMTP_PORT: String(smtp.port) };
    const { file, command, ill } = await opened(t, env, typed);
    ill();
    await command();
    const { text = '' } = await simpleParser(smtp.mails[0]!);
    assert.match(text, new RegExp(`Type: +passito supervisor --db ${file}\n`));
    assert.match(text, new RegExp(`To see for yourself, type on .*: passito health --db ${file}\n`));
  }
});

test('a mail that cannot be sent is an error in the log at every look', async (t) => {
  const env = { ADMIN_EMAIL: 'admin@example.edu', SMTP_PORT: String(await closedPort()) };
  const { clock, look, ill, lines } = await opened(t, env);
  ill();
  for (let i = 0; i < 3; i += 1) {
    await look();
    clock.freeze(CHECK_MS);
  }
  const failed = ['error', 'the admin could not be told; tried again at the next check', 'alert,to,error'];
  assert.deepEqual(
    lines.filter(([level]) => level === 'error'),
    [failed, failed],
  );
});

test('the ping is sent while all is well, and holds nothing up where nobody answers', async (t) => {
  let pings = 0;
  const server = createServer((_request, response) => {
    pings += 1;
    response.statusCode = pings === 1 ? 200 : 500;
    response.end();
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/uuid`;
  const { look, ill, lines } = await opened(t, { PASSITO_PING_URL: url });
  const pinged = (count: number) => t.waitFor(() => assert.equal(pings, count));
  await look();
  await pinged(1);
  await look();
  await pinged(2);
  await t.waitFor(() =>
    assert.deepEqual(lines, [['warn', 'PASSITO_PING_URL could not be reached', 'error']]),
  );
  ill();
  await look();
  assert.equal(pings, 2, 'whoever waits for it is to notice');
});
