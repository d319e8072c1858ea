/** The end of `passito demo`: where to look, and what to ask. */

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { packaged } from '../../../build-info.ts';
import { quoted } from '../../../escape.ts';
import type { PassDetails } from '../../../outpass/office.ts';
import { passClaims, signToken } from '../../../outpass/token.ts';
import type { Input } from '../command.ts';
import type { Tour } from './tour.ts';

const TAMIL = /\p{Script=Tamil}/u;

/** Scripts that a document is worth a look for. */
const SCRIPTS = [
  ['Tamil', TAMIL],
  ['Devanagari', /\p{Script=Devanagari}/u],
] as const;

/** Tells what lies in the folder and which commands to try; gives whether every job went well. */
export async function summarise(tour: Tour, input: Input): Promise<boolean> {
  const approved = await tour.office.listPasses({ status: 'approved', limit: 100 });
  const count = (name: string) => {
    const path = join(tour.folder, name);
    return existsSync(path) ? readdirSync(path).length : 0;
  };
  const here = shown(tour.folder);
  const kept: [string, string][] = [
    ['files/documents', `${count('files/documents')} gate passes${worthALook(approved)}`],
    ['files/qr', `${count('files/qr')} QR codes`],
    ['outbox', `${count('outbox')} mails (.eml), none sent: the demo has no SMTP server`],
    ['*.csv', 'what was imported: hostels, users, students, outpasses'],
  ];
  input.print(`\n${input.paint('bold', 'Look into')} ${here}`);
  for (const [name, what] of kept) input.print(`  ${name.padEnd(17)}${what}`);

  input.print(`\n${input.paint('bold', 'And ask')}`);
  const db = `--db ${shown(tour.config.settings.db)}`;
  for (const words of await questions(tour, approved)) input.print(`  ${self()} ${words} ${db}`);

  const open = tour.queries.ids({
    states: ['failed', 'pending', 'blocked', 'processing'],
    limit: 1000,
  }).length;
  if (open > 0) {
    input.note(`\n${open} jobs did not complete. Type: ${self()} jobs list --state failed,pending ${db}`);
  }
  input.print(`\nDelete it when you have seen enough: rm -r ${shown(dirname(tour.folder))}`);
  return open === 0;
}

/** Commands that can be pasted, without the database's name. */
async function questions({ office, folder }: Tour, approved: readonly PassDetails[]): Promise<string[]> {
  const words = ['outpass list --status pending'];
  const out = approved.filter(({ wentOutAt, files }) => wentOutAt !== null && files.tokenId !== null);
  const shownPass = out.find(({ student }) => TAMIL.test(student.name)) ?? out[0];
  if (shownPass !== undefined) {
    // What a scanner at the gate would read: too long to be typed.
    const path = join(folder, 'scanned.txt');
    const { lateGrace } = await office.settings();
    const token = signToken(passClaims(shownPass, lateGrace), await office.signingKey());
    writeFileSync(path, `${token}\n`, { mode: 0o600 });
    words.push(`outpass show ${shownPass.reference}`, `verify "$(cat ${shown(path)})"`);
  }
  const [report] = await office.mails({ limit: 1 });
  words.push('mail list --limit 5', ...(report === undefined ? [] : [`mail show ${report.id}`]));
  return [...words, 'reports list', 'jobs list --limit 5', 'health'];
}

/** A document for each script, to be looked at. */
function worthALook(passes: readonly PassDetails[]): string {
  const named = SCRIPTS.flatMap(([script, letters]) => {
    const pass = passes.find(({ student, files }) => files.document !== null && letters.test(student.name));
    return pass === undefined ? [] : [`${script} in outpass-${pass.id}`];
  });
  return named.length === 0 ? '' : `; ${named.join(', ')}`;
}

/** This program as it can be typed here. */
function self(): string {
  const path = packaged ? process.execPath : join(import.meta.dirname, '../../../../bin/passito');
  const onPath = (process.env['PATH'] ?? '').split(':').some((folder) => join(folder, 'passito') === path);
  if (onPath) return 'passito';
  const here = shown(path);
  return here.includes('/') ? here : `./${here}`;
}

/** A path as it can be typed here. */
function shown(path: string): string {
  const here = relative(process.cwd(), path) || '.';
  const short = here.startsWith('..') ? path : here;
  return quoted(short);
}
