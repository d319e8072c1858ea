/** What a guard is told: a scanned code genuine and in force, or why not; a student back in time, or late. */

import assert from 'node:assert/strict';
import { cpSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createPublicKey, verify } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { Site } from '../tools/daemon.ts';
import { readQrPng } from '../tools/qr.ts';

describe('verify and keys', () => {
  const here = new Site(after);
  let token: string;

  before(async () => {
    here.write('students.csv', 'name,email,roll_number\nAsha,asha@example.edu,21CS001\n');
    await here.ok('migrate');
    await here.ok('import', 'students', 'students.csv');
    const pass = ['--kind', 'Home pass', '--purpose', 'Wedding', '--destination', 'Madurai'];
    const window = ['--out', '2099-01-01 08:00', '--in', '2099-01-02 08:00'];
    await here.ok('outpass', 'create', '--student', '21CS001', ...pass, ...window);
    await here.ok('outpass', 'approve', '1', '--by', 'Dr. Rao');
    await here.ok('worker', '--drain');
    token = readQrPng(readFileSync(here.path('files', 'qr', 'outpass-1.png'))) ?? '';
  });

  const said = async (...args: string[]) => {
    const { code, stdout, stderr } = await here.run(['verify', ...args]);
    return [code, `${stdout}${stderr}`];
  };
  const during = ['--at', '2099-01-01 12:00'];

  it('a scanned pass in its window is valid', async () => {
    assert.deepEqual(await said(token, ...during), [
      0,
      'Valid: outpass OP-000001 of 21CS001 (Home pass), until Fri 2 Jan 2099, 8:00 AM UTC.\n',
    ]);
  });

  it('in the grace after its end it is valid, and said to have ended', async () => {
    assert.deepEqual(await said(token, '--at', '2099-01-02 08:29'), [
      0,
      'Valid: outpass OP-000001 of 21CS001 (Home pass), which ended Fri 2 Jan 2099, 8:00 AM; its grace lasts until Fri 2 Jan 2099, 8:30 AM UTC.\n',
    ]);
  });

  it('outside of its window, altered, and nonsense are not', async () => {
    for (const [text, at, why] of [
      [token, '2099-01-02 08:30', /^Not valid: The pass is not valid after Fri 2 Jan 2099, 8:30 AM UTC\.\n$/],
      [token, '2098-12-31 08:00', /^Not valid: .*\n$/],
      [token.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')), '2099-01-01 12:00', /^Not valid: .*\n$/],
      ['abc', '2099-01-01 12:00', /^Not valid: This is not a gate-pass token\.\n$/],
    ] as const) {
      const [code, words] = await said(text, '--at', at);
      assert.equal(code, 1, String(words));
      assert.match(String(words), why);
    }
  });

  it('who comes back is late after the end and their own grace', async () => {
    const head = 'reference,roll_number,kind,purpose,destination,leaves_at,returns_at,status\n';
    const pass = (n: number) =>
      `G-${n},21CS001,Day,Bank,T. Nagar,2026-01-01 08:00,2026-01-01 18:00,approved\n`;
    here.write('girl.csv', 'name,email,roll_number,gender\nAsha,asha@example.edu,21CS001,female\n');
    here.write('past.csv', `${head}${[1, 2, 3].map(pass).join('')}`);
    await here.ok('import', 'students', 'girl.csv');
    await here.ok('import', 'outpasses', 'past.csv');
    const back = async (n: number, time: string, env: Record<string, string> = {}) => {
      await here.ok('movements', 'out', `G-${n}`, '--at', '2026-01-01 09:00');
      const { stdout } = await here.run(['movements', 'in', `G-${n}`, '--at', `2026-01-01 ${time}`], { env });
      return stdout;
    };
    const came = 'Asha (21CS001) came back, Thu 1 Jan 2026,';
    assert.equal(await back(1, '18:30'), `Outpass G-1: ${came} 6:30 PM UTC.\n`);
    assert.equal(
      await back(2, '18:31'),
      `Outpass G-2: ${came} 6:31 PM; the pass ended at Thu 1 Jan 2026, 6:00 PM UTC.\n`,
    );
    assert.equal(await back(3, '18:31', { LATE_GRACE_FEMALE: '1h' }), `Outpass G-3: ${came} 6:31 PM UTC.\n`);
  });

  it('the public key is enough for a verifier, and the private one stays at home', async () => {
    const [head, body, signature] = token.split('.');
    const key = createPublicKey(await here.ok('keys', 'export'));
    assert.ok(verify(null, Buffer.from(`${head}.${body}`), key, Buffer.from(signature ?? '', 'base64url')));
    assert.equal(statSync(here.path('keys', 'signing.pem')).mode & 0o777, 0o600);
    assert.doesNotMatch(await here.ok('keys'), /PRIVATE/);
  });

  it('its mail stands in the ledger, and can be sent once more', async () => {
    assert.match(
      await here.ok('mail', 'list'),
      /^#1  outbox  .* asha@example\.edu  Outpass OP-000001 is approved/m,
    );
    assert.match(
      await here.ok('mail', 'show', '1'),
      /State +outbox: not sent,[^]*Attempts {4}1\n[^]*Message-ID {2}passito\.3\.1@/,
    );
    assert.match(await here.ok('mail', 'show', '1'), /Attempts {4}1\n[^]*Message-ID {2}passito\.3\.1@/);
    here.sql.exec('UPDATE mails SET attempts = 3, doubts = 1');
    assert.match(await here.ok('mail', 'list'), /OP-000001 is approved: .* \(may have arrived twice\)\n/);
    here.sql.exec('UPDATE mails SET doubts = 2');
    assert.match(await here.ok('mail', 'show', '1'), /^ {2}Attempts {4}3; may have arrived 3 times$/m);
    assert.match(await here.ok('mail', 'resend', '1'), /^Job #4 dispatched\.\n$/);
    await here.ok('worker', '--drain');
    assert.equal((await here.ok('mail', 'list')).trim().split('\n').length, 3, 'a heading, and two mails');
  });

  it('a pass that went out and came back has been used', async () => {
    const out = ['movements', 'out', '1', '--at', '2026-01-02 09:00', '--force'];
    await here.ok(...out);
    assert.match((await said(token, ...during)).join(), /^0,Valid/, 'it opens the gate on the way back');
    await here.ok('movements', 'in', '1', '--at', '2026-01-02 10:00');
    assert.deepEqual(await said(token, ...during), [
      1,
      'Not valid: The token is genuine, but outpass OP-000001 has been used: it came back Fri 2 Jan 2026, 10:00 AM UTC.\n',
    ]);
    here.sql.exec('DELETE FROM movements WHERE outpass_id = 1');
  });

  it('at a gate that has the public keys alone, signature and window are told, and that nothing else is known', async () => {
    const gate = here.path('gate');
    cpSync(here.path('keys'), join(gate, 'storage', 'keys'), {
      recursive: true,
      filter: (path) => !path.endsWith('signing.pem') && !path.endsWith('.key'),
    });
    const at = { cwd: gate, env: { PASSITO_DB: 'storage/passito.db' } };
    const { code, stdout, stderr } = await here.run(['verify', token, ...during], at);
    assert.deepEqual(
      [code, stdout, stderr],
      [
        0,
        'Valid: outpass OP-000001 of 21CS001 (Home pass), until Fri 2 Jan 2099, 8:30 AM UTC.\n',
        `By its signature alone: there is no database at ${join(gate, 'storage', 'passito.db')}, so whether it was cancelled or used is not known.\n`,
      ],
    );
    const told = await here.run(['verify', token, ...during, '--json'], at);
    assert.equal((JSON.parse(told.stdout) as { by_signature_alone: boolean }).by_signature_alone, true);
    assert.equal((await here.run(['verify', token, '--at', '2099-03-01 08:00'], at)).code, 1);
    assert.equal((await here.run(['verify', 'abc'], at)).code, 1);
  });

  it('a running supervisor signs with the new key after a rotation, and what is printed verifies on', async () => {
    const keyOf = (one: string) =>
      (JSON.parse(Buffer.from(one.split('.')[0]!, 'base64url').toString()) as { kid: string }).kid;
    const sign = async () => {
      await here.ok('dispatch', 'GenerateQrCode', '--payload', '{"outpass_id": 1}', '--wait');
      return readQrPng(readFileSync(here.path('files', 'qr', 'outpass-1.png'))) ?? '';
    };
    const daemon = await here.start();
    const former = keyOf(await sign());
    assert.match(await here.ok('keys', 'rotate', '--by', 'Dr. Rao'), /signs passes from now on, instead of/);
    const { key_id: current } = await here.json<{ key_id: string }>('keys', 'list');
    assert.notEqual(current, former);
    const fresh = await sign();
    assert.equal(keyOf(fresh), current);
    for (const one of [token, fresh]) assert.match((await said(one, ...during)).join(), /^0,Valid/);
    assert.match(await here.ok('audit'), /Dr\. Rao +keys rotate/);
    await daemon.stop();
  });

  it('a pass that was cancelled after it was printed is not in force', async () => {
    await here.ok('outpass', 'cancel', '1', '--reason', 'Exams');
    assert.deepEqual(await said(token, ...during), [
      1,
      'Not valid: The token is genuine, but outpass OP-000001 is cancelled.\n',
    ]);
  });

  it('what a revoked key has signed is not valid', async () => {
    await here.ok('keys', 'rotate', '--revoke');
    assert.match(
      (await said(token, ...during)).join(),
      /^1,Not valid: The token names the key .*not known here/,
    );
  });
});
