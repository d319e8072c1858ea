/** The env file: lines that set nothing are told, and so is who cannot read the service's. */

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig, toldAsService } from '../../src/config.ts';
import { errors } from '../../src/errors.ts';

test('a line without = is told with its number, and nothing else is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'passito-env-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const envFile = join(folder, 'a.env');
  const told = async (text: string) => {
    writeFileSync(envFile, text, { mode: 0o600 });
    return (await loadConfig({ values: {}, envFile }, {})).warnings;
  };
  assert.deepEqual(
    await told(
      `# it's a remark, and = "half quoted\n\nAPP_NAME="St. John's\nCollege"\r\nINSTITUTION_NAME='x'\n  # y\n`,
    ),
    [],
  );
  assert.deepEqual(await told(`APP_NAME='a\nb'\nSMTP_HOST mail.example.edu\n`), [
    `${envFile}, line 3: there is no = in it, so it sets nothing.`,
  ]);
});

test('a value that is cut is told with its line and key, and never with its value', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'passito-env-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const envFile = join(folder, 'a.env');
  const told = async (text: string) => {
    writeFileSync(envFile, text, { mode: 0o600 });
    const { warnings, settings } = await loadConfig({ values: {}, envFile }, {});
    return [warnings.map((one) => one.replace(`${envFile}, `, '')), settings] as const;
  };
  const quote = (key: string, mark: string, other: string) =>
    `${key} ends at its second ${mark}, and what follows does not count; put the value between two ${other}.`;
  const [warnings, { smtpPass, appName, institutionName }] = await told(
    `SMTP_PASS='a'b'\n# it's\nexport APP_NAME = 'O''Neil'\r\nINSTITUTION_NAME="St. "Mary"\nSMTP_USER='x\ny'z\nSMTP_HOST\n`,
  );
  assert.deepEqual([smtpPass, appName, institutionName], ['a', 'O', 'St. ']);
  assert.deepEqual(warnings, [
    `line 1: ${quote('SMTP_PASS', "'", '"')}`,
    `line 3: ${quote('APP_NAME', "'", '"')}`,
    `line 4: ${quote('INSTITUTION_NAME', '"', "'")}`,
    `line 5: ${quote('SMTP_USER', "'", '"')}`,
    'line 7: there is no = in it, so it sets nothing.',
  ]);
  const [hash, { smtpPass: cut }] = await told(
    "SMTP_PASS=ab#cd\nAPP_NAME=Gate # a remark\nSMTP_USER='a#b' # b\n",
  );
  assert.equal(cut, 'ab');
  assert.deepEqual(hash, [
    "line 1: SMTP_PASS ends before the #, and what follows does not count; put the value between two '.",
  ]);
  assert.deepEqual((await told(`APP_NAME=x='b'c\nSMTP_USER="a'b"\nSMTP_PASS='x\n# y'\n`))[0], []);
});

test('a secret that everybody can read is told, whichever it is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'passito-env-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const envFile = join(folder, 'a.env');
  for (const [line, count] of [
    ['SMTP_PASS=hush', 1],
    ['TWILIO_AUTH_TOKEN=hush', 1],
    ['SMTP_HOST=mail.example.edu', 0],
  ] as const) {
    writeFileSync(envFile, `${line}\n`);
    chmodSync(envFile, 0o644);
    const { warnings } = await loadConfig({ values: {}, envFile }, {});
    assert.equal(warnings.filter((one) => one.includes(`chmod o-r ${envFile}`)).length, count, line);
  }
});

test('who cannot read where the database is, is not told to make one', async () => {
  const config = await loadConfig({ values: {}, envFile: '/dev/null' }, {});
  const absent = errors.databaseAbsent('/srv/passito.db');
  assert.match(toldAsService(config, absent).hint ?? '', /passito migrate/);
  const { message, hint } = toldAsService({ ...config, notAsService: true }, absent);
  assert.match(message, /^There is no database at .*\/storage\/passito\.db\.$/);
  assert.equal(hint, "Type it as the service's user: sudo -u passito passito …");
});
