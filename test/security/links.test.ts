/** Parents' links through the executable: guessed, forged, used twice, and while somebody takes every place. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Site } from '../tools/daemon.ts';
import { startTwilio } from '../tools/twilio.ts';

/** Resolves once it is so; half a minute at most. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const began = performance.now();
  while (!(await holds())) {
    assert.ok(performance.now() - began < 30_000, 'not within half a minute');
    await sleep(50);
  }
}

describe("parents' links through the executable", { concurrency: 3 }, () => {
  /** Two passes, each with a link. */
  async function campus(t: TestContext) {
    const twilio = await startTwilio(t);
    const here = new Site((clean) => t.after(clean), {
      APP_URL: 'https://gate.example.edu',
      PASSITO_TWILIO_URL: twilio.url,
      TWILIO_SID: 'AC1',
      TWILIO_AUTH_TOKEN: 'hush-hush',
      TWILIO_FROM: '+15005550006',
    });
    const NAME = '<img src=x onerror=alert(1)>"\'&';
    here.write(
      's.json',
      JSON.stringify([{ name: NAME, email: 'a@b.edu', roll_number: '1', parent_phone: '9840012345' }]),
    );
    await here.ok('import', 'students', 's.json');
    const pass = [
      'outpass',
      'create',
      '--student',
      '1',
      '--kind',
      NAME,
      '--purpose',
      NAME,
      '--destination',
      NAME,
    ];
    for (const day of ['02', '04']) {
      await here.ok(...pass, '--out', `2099-01-${day} 10:00`, '--in', `2099-01-${day} 12:00`);
    }
    const daemon = await here.start(['--public', '127.0.0.1:0', '--log-level', 'debug']);
    const base = `http://${/address=(\S+)/.exec(await daemon.line(/the parents' page is served/))![1]!}`;
    for (const id of [1, 2]) {
      await here.ok(
        'dispatch',
        'SendParentApproval',
        '--payload',
        JSON.stringify({ outpass_id: id }),
        '--wait',
        '20s',
      );
    }
    const tokens = twilio.asked.map(({ body }) => /\/parent\/([\w-]{22})/.exec(body)![1]!);
    return { here, daemon, base, tokens, NAME };
  }

  let client = 0;
  const headersOf = () => ({ 'x-forwarded-for': `10.0.0.${(client += 1) % 250}` });
  const fetched = (url: string) => fetch(url, { headers: headersOf() });
  const post = (url: string, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ decision: 'approve' }),
      headers: { ...headersOf(), ...headers },
    });

  it('cannot be guessed, replayed or forged, and stand nowhere but in the message', async (t) => {
    const { here, daemon, base, tokens, NAME } = await campus(t);
    const [first = '', second = ''] = tokens;
    assert.notEqual(first, second);

    const page = await fetched(`${base}/parent/${first}`);
    const html = await page.text();
    assert.ok(
      !html.includes('<img') && html.includes('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;'),
      NAME,
    );
    assert.ok(!html.includes(first), 'not even the page repeats it');
    assert.doesNotMatch(html, /<(script|link|img|iframe|a|base)\b/i);
    assert.equal(page.headers.get('referrer-policy'), 'no-referrer');

    // One letter off, cut, longer, of another case, another's hash: all the same answer.
    const hash = here.value<string>('SELECT token_hash FROM parent_verifications WHERE id = 1');
    const near = first
      .split('')
      .map((letter, i) => first.slice(0, i) + (letter === 'A' ? 'B' : 'A') + first.slice(i + 1));
    const answers = new Set<string>();
    for (const guess of [
      ...near,
      first.slice(0, -1),
      `${first}A`,
      first.toUpperCase(),
      hash,
      'A'.repeat(22),
      '1',
      '',
    ]) {
      if (guess === first) continue;
      for (const answer of [
        await fetched(`${base}/parent/${guess}`),
        await post(`${base}/parent/${guess}`),
      ]) {
        answers.add(`${answer.status} ${await answer.text()}`);
      }
    }
    assert.equal(answers.size, 1, [...answers].join('\n'));
    assert.match([...answers][0]!, /^404 /);
    assert.equal(here.value('SELECT count(*) FROM parent_verifications WHERE decision IS NOT NULL'), 0);

    // From another page, or one of the same site that is not ours.
    for (const site of ['cross-site', 'same-site', 'x']) {
      assert.equal((await post(`${base}/parent/${first}`, { 'sec-fetch-site': site })).status, 403);
    }
    // At the same moment, from ten browsers: one counts.
    const many = await Promise.all(Array.from({ length: 10 }, () => post(`${base}/parent/${first}`)));
    assert.equal(many.filter(({ status }) => status === 200).length, 1);
    assert.ok(many.every(({ status }) => status === 200 || status === 410));
    // An answer is for its own pass.
    assert.equal(here.value('SELECT status FROM outpasses WHERE id = 2'), 'parent_pending');

    // Asked anew: what was used stays used.
    assert.equal((await post(`${base}/parent/${first}`)).status, 410);

    // Nowhere at rest, and not in the log.
    await daemon.stop();
    here.sql.pragma('wal_checkpoint(TRUNCATE)');
    const everything = [
      daemon.log,
      JSON.stringify(here.sql.prepare('SELECT * FROM jobs').all()),
      JSON.stringify(here.sql.prepare('SELECT * FROM attempts').all()),
      JSON.stringify(here.sql.prepare('SELECT * FROM parent_verifications').all()),
      JSON.stringify(here.sql.prepare('SELECT * FROM mails').all()),
      await here.ok('jobs', 'list', '--json'),
      await here.ok('outpass', 'show', '1', '--json'),
    ].join('\n');
    for (const secret of [first, second, 'hush-hush']) assert.ok(!everything.includes(secret), secret);
  });

  it('that lead nowhere keep nobody from the database', async (t) => {
    const { here, base } = await campus(t);
    here.sql.exec('BEGIN IMMEDIATE');
    const answer = await post(`${base}/parent/${'A'.repeat(22)}`);
    here.sql.exec('ROLLBACK');
    assert.equal(answer.status, 404);
  });

  it(
    'are served again a few seconds after somebody has taken every place',
    { timeout: 60_000 },
    async (t) => {
      const { base, tokens } = await campus(t);
      const [, host = '', port = ''] = /^http:\/\/(.*):(\d+)$/.exec(base)!;
      const idle = Array.from({ length: 220 }, () =>
        connect(Number(port), host)
          .on('error', () => undefined)
          .resume(),
      );
      t.after(() => idle.forEach((socket) => socket.destroy()));
      await Promise.all(idle.slice(0, 200).map((socket) => once(socket, 'connect')));
      const served = () =>
        fetched(`${base}/parent/${tokens[0]!}`).then(
          ({ status }) => status,
          () => 0,
        );
      await until(async () => (await served()) === 200);
      await until(async () => idle.every(({ closed }) => closed));
    },
  );
});
