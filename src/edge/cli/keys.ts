/** `passito keys` and `passito verify`: the keys that sign passes, and what a scanned token says. */

import { join, resolve } from 'node:path';
import { openOffice, openStore, stateFolder } from '../../app.ts';
import type { Config } from '../../config.ts';
import { EXIT, PassitoError } from '../../errors.ts';
import { loadOrCreateSigningKey, loadPublicKeys, rotateSigningKey } from '../../outpass/keys.ts';
import { inZone, tellTime } from '../../outpass/local-time.ts';
import type { PassDetails } from '../../outpass/office.ts';
import { type PassClaims, type TokenVerdict, verifyToken } from '../../outpass/token.ts';
import { formatTime, parseTime } from '../../engine/clock.ts';
import { audited } from './audit.ts';
import { type Command, type Input, JSON_OPTION } from './command.ts';
import { withStore } from './with-store.ts';
import { readAt } from './values.ts';

export const list: Command = {
  name: 'keys list',
  aliases: ['keys'],
  about: 'Show the key that signs passes, and those that verify; make it where there is none',
  options: [JSON_OPTION],
  example: 'passito keys list',
  async run(input) {
    const folder = keysFolder(await input.config());
    const { keyId } = loadOrCreateSigningKey(folder);
    const all = [...loadPublicKeys(folder).keys()];
    if (input.json) input.print(JSON.stringify({ key_id: keyId, folder, public_keys: all }));
    else {
      input.print(`The key ${keyId} signs passes; its private half lies in ${join(folder, 'signing.pem')}.`);
      input.print(`These verify: ${all.join(', ')}  (${input.proposal('passito keys export')})`);
    }
    return 0;
  },
};

export const exported: Command = {
  name: 'keys export',
  about: 'Print the public keys as PEM, for a verifier at the gate',
  example: 'passito keys export > gate-keys.pem',
  async run(input) {
    const folder = keysFolder(await input.config());
    loadOrCreateSigningKey(folder);
    const pems = [...loadPublicKeys(folder).values()].map((key) =>
      key.export({ type: 'spki', format: 'pem' }),
    );
    input.print(pems.join('').trimEnd());
    return 0;
  },
};

export const rotate: Command = {
  name: 'keys rotate',
  about: 'Sign with a new key from now on; passes signed with an earlier one stay valid',
  options: [
    { name: 'revoke', about: 'After a theft: passes signed with any earlier key are not valid any more' },
    { name: 'by', value: 'name', about: 'Who does it (you)' },
    JSON_OPTION,
  ],
  example: 'passito keys rotate',
  run: (input) =>
    withStore(input, async (store, _queries, config) => {
      const revoke = input.has('revoke');
      // Within the transaction that writes it down: where that is refused at once, no key is changed.
      const { former, key } = await audited(
        store,
        input,
        'keys rotate',
        () => store.write(() => rotateSigningKey(keysFolder(config), revoke)),
        (made) => `${made.former} → ${made.key.keyId}${revoke ? ', revoked' : ''}`,
      );
      if (input.json) input.print(JSON.stringify({ key_id: key.keyId, former, revoked: revoke }));
      else {
        input.print(`The key ${key.keyId} signs passes from now on, instead of ${former}.`);
        input.note('Give verifiers at the gate the new public half: passito keys export > gate-keys.pem');
        if (revoke) {
          input.note(
            'Printed passes are not valid any more. To list them: passito outpass list --status approved --limit 100000',
          );
        }
      }
      return 0;
    }),
};

export const verify: Command = {
  name: 'verify',
  args: '<token>',
  about: "Say whether a QR code's token is genuine, and its pass in force and not used",
  options: [
    { name: 'at', value: 'time', about: 'As if it were then, such as "2026-12-24 08:00"' },
    JSON_OPTION,
  ],
  example: 'passito verify eyJhbGciOiJFZERTQSIs…',
  async run(input) {
    const config = await input.config();
    const zone = config.settings.timeZone;
    const at = input.option('at');
    const token = input.args[0] as string;
    const now = at === undefined ? Date.now() : readAt(at, zone);
    const verdict = verifyToken(token, loadPublicKeys(keysFolder(config)), now);
    if (!verdict.valid) {
      const { fault, message, claims } = verdict;
      return refuse(input, fault, input.json ? message : windowTold(verdict, zone), claims);
    }
    const { claims } = verdict;
    const pass = await recordOf(claims, config);
    const problem = pass === 'no database' ? undefined : notInForce(pass, claims, now, zone);
    if (problem !== undefined) return refuse(input, 'pass', problem, claims);
    const alone = typeof pass === 'string';
    if (input.json) {
      input.print(JSON.stringify({ valid: true, ...claims, by_signature_alone: alone }));
      return 0;
    }
    // The token's own end has the grace in it already.
    const graceEnd = tellTime(formatTime(claims.exp * 1000), zone);
    const end = typeof pass === 'object' ? tellTime(pass.returnsAt, zone) : graceEnd;
    const inGrace = typeof pass === 'object' && now >= parseTime(pass.returnsAt);
    const until = inGrace ? `which ended ${end}; its grace lasts until ${graceEnd}` : `until ${end}`;
    input.print(`Valid: outpass ${claims.ref} of ${claims.roll} (${claims.kind}), ${inZone(until, zone)}.`);
    if (alone) {
      input.note(
        `By its signature alone: there is no database at ${resolve(config.settings.db)}, so whether it was cancelled or used is not known.`,
      );
    }
    return 0;
  },
};

/** Why a token is refused, for a guard: the times of its window as the office's clock shows them. */
function windowTold({ fault, message, claims }: TokenVerdict & { valid: false }, zone: string): string {
  if (claims === undefined || (fault !== 'too-early' && fault !== 'too-late')) return message;
  const [word, seconds] = fault === 'too-early' ? ['before', claims.nbf] : ['after', claims.exp];
  return `The pass is not valid ${word} ${inZone(tellTime(formatTime(seconds * 1000), zone), zone)}.`;
}

/** The pass that a genuine token names; undefined where there is none. A gate may have the public keys alone. */
async function recordOf(
  { pass }: PassClaims,
  config: Config,
): Promise<PassDetails | undefined | 'no database'> {
  try {
    const store = await openStore(config, 'read');
    try {
      return await openOffice(config, store).pass(pass);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (error instanceof PassitoError && error.code === 'DATABASE_ABSENT') return 'no database';
    throw error;
  }
}

/** What the record says against a genuine token: its pass may have been cancelled since it was printed, or used. */
function notInForce(
  pass: PassDetails | undefined,
  claims: PassClaims,
  now: number,
  zone: string,
): string | undefined {
  const but = (reason: string) => `The token is genuine, but ${reason}.`;
  if (pass === undefined) return but(`there is no outpass #${claims.pass} here`);
  const { reference, status, cameBackAt } = pass;
  if (status !== 'approved') return but(`outpass ${reference} is ${status}`);
  if (pass.files.tokenId !== claims.jti) return but(`older than the last change of outpass ${reference}`);
  if (cameBackAt !== null && parseTime(cameBackAt) <= now) {
    return but(
      `outpass ${reference} has been used: it came back ${inZone(tellTime(cameBackAt, zone), zone)}`,
    );
  }
  return undefined;
}

function refuse(input: Input, fault: string, message: string, claims: PassClaims | undefined): number {
  if (input.json) input.print(JSON.stringify({ valid: false, fault, message, ...claims }));
  else input.note(`Not valid: ${message}`);
  return EXIT.no;
}

function keysFolder(config: Config): string {
  return join(stateFolder(config), 'keys');
}
