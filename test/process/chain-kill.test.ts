/** kill -9 between any two steps of the chain, beside a mail server that keeps its own account (behaviours 13, 42). */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { test } from 'node:test';
import { simpleParser } from 'mailparser';
import { ChainBattle, type Point, student } from '../tools/chain-battle.ts';

/** How often at each step: fifty kills. Only after the mail server's yes can a kill make something twice. */
const PLAN: readonly [point: Point, times: number][] = [
  ['QR code begun', 4],
  ['QR code half written', 3],
  ['QR code written', 3],
  ['while it starts', 1],
  ['QR code noted', 4],
  ['document begun', 2],
  ['document half written', 2],
  ['document written', 2],
  ['document noted', 2],
  ['mail begun', 3],
  ['recipient named', 3],
  ['while it starts', 1],
  ['text begun', 2],
  ['text whole', 3],
  ['yes said', 6],
  ['mail noted', 3],
  ['any moment', 6],
];

/** A step that every kill has missed, since the machine was busy, is tried again: so often altogether. */
const EXTRA = 15;

/** Passes whose mail is killed. */
const PREPARED = 20;

interface PassRow {
  id: number;
  qr: string;
  document: string;
  job: number;
  messageId: string;
  state: string;
  attempts: number;
  doubts: number;
}

test('42: fifty kills, and every pass has one QR code, one document and its mail', async (t) => {
  const battle = await ChainBattle.begin(t);
  await battle.prepare(PREPARED);
  let extra = EXTRA;
  const missed: Point[] = [];
  for (const [point, times] of PLAN) {
    let hits = 0;
    for (let n = 0; n < times; n++) if (await battle.kill(point)) hits++;
    while (hits === 0 && extra-- > 0) if (await battle.kill(point)) hits++;
    if (hits === 0) missed.push(point);
  }
  await battle.finish();
  const fell = Map.groupBy(battle.kills, (point) => point);
  t.diagnostic(
    `${battle.kills.length} kills: ${[...fell].map(([point, all]) => `${all.length} ${point}`).join(', ')}`,
  );
  assert.deepEqual(missed, [], 'every step was hit');
  assert.ok(battle.kills.length >= 50);

  const { here, approved } = battle;
  const jobs = here.sql
    .prepare('SELECT status, attempts, max(crashes) < 3 AS calm, count(*) AS n FROM jobs GROUP BY 1, 2')
    .all();
  assert.deepEqual(jobs, [{ status: 'completed', attempts: 1, calm: 1, n: 3 * approved }]);

  const passes = here.sql
    .prepare(
      `SELECT o.id, o.qr_path AS qr, o.document_path AS document,
              m.job_id AS job, m.message_id AS messageId, m.state, m.attempts, m.doubts
       FROM outpasses o LEFT JOIN mails m ON m.outpass_id = o.id WHERE o.status = 'approved'`,
    )
    .all() as PassRow[];
  assert.deepEqual(
    passes.map(({ id }) => id),
    Array.from({ length: approved }, (_, i) => i + 1),
    'every pass has one mail in the ledger',
  );
  assert.deepEqual(
    filesBelow(here.path('files')),
    passes.flatMap(({ qr, document }) => [qr, document]).toSorted(),
    'and two files, with nothing beside them',
  );
  for (const pass of passes) await checkMail(battle, pass);

  const twice = battle.post.accepted.length - approved;
  assert.ok(twice >= 6, 'a yes that nobody hears makes a second mail, or this test sees nothing');
  const doubtful = passes.filter(({ doubts }) => doubts > 0).length;
  const listed = (await here.ok('mail', 'list', '--limit', '1000')).match(/may have arrived/g)?.length;
  assert.equal(listed, doubtful, 'the admin can count them');
  const crashes = here.value('SELECT sum(crashes) FROM jobs');
  t.diagnostic(
    `${approved} passes, ${crashes} crashes of jobs; ${twice} mails accepted a second time, of ${doubtful} that 'mail list' tells of`,
  );
});

/** Once, and once more for each kill between the server's yes and the note of it. */
async function checkMail({ here, post, unheard, log }: ChainBattle, pass: PassRow): Promise<void> {
  const name = `the mail of outpass #${pass.id}`;
  const mails = post.accepted.filter(({ to }) => to === student(pass.id));
  assert.equal(mails.length, 1 + (unheard.get(pass.messageId) ?? 0), name);
  assert.ok(
    mails.every(({ messageId }) => messageId === pass.messageId),
    `${name}: one Message-ID`,
  );
  assert.deepEqual([pass.state, pass.attempts], ['sent', 1 + pass.doubts], name);
  assert.ok(pass.doubts >= mails.length - 1, `${name}: no second one that the ledger does not count`);
  // The line may die with the process that would have written it; the attempt that ended well has written its own.
  const warned = log.match(new RegExp(`may have taken this mail before.* id=${pass.job} `, 'g'))?.length ?? 0;
  assert.ok(warned <= pass.doubts && warned > 0 === pass.doubts > 0, `${name}: ${warned} warnings`);
  const files = [pass.qr, pass.document].map((file) => readFileSync(here.path('files', file)));
  for (const { raw } of mails) {
    const { attachments } = await simpleParser(raw);
    const given = attachments.map(({ content }) => content).toSorted((a, b) => a.length - b.length);
    assert.ok(
      given.length === 2 && given.every((content, i) => content.equals(files[i]!)),
      `${name}: its files`,
    );
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, `${parentPath}/${name}`))
    .toSorted();
}
