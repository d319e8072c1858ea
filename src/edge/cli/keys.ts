/** `passito keys` and `passito verify`: the keys that sign passes, and what a scanned token says. */

import { join } from 'node:path';
import { openOffice, openStore, stateFolder } from '../../app.ts';
import type { Config } from '../../config.ts';
import { EXIT } from '../../errors.ts';
import { loadOrCreateSigningKey, loadPublicKeys, rotateSigningKey } from '../../outpass/keys.ts';
import { tellTime } from '../../outpass/local-time.ts';
import type { PassDetails } from '../../outpass/office.ts';
import { type PassClaims, verifyToken } from '../../outpass/token.ts';
import { formatTime, parseTime } from '../../engine/clock.ts';
import { noteAudit } from './audit.ts';
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
      input.print(`These verify: ${all.join(', ')}  (passito keys export)`);
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
      const { former, key } = rotateSigningKey(keysFolder(config), revoke);
      await noteAudit(store, input, 'keys rotate', `${former} → ${key.keyId}${revoke ? ', revoked' : ''}`);
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
  about: "Say whether a QR code's token is genuine, and its pass in force",
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
    if (!verdict.valid) return refuse(input, verdict.fault, verdict.message, verdict.claims);
    const { claims } = verdict;
    const found = await passInForce(config, claims);
    if ('problem' in found) return refuse(input, 'pass', found.problem, claims);
    if (input.json) input.print(JSON.stringify({ valid: true, ...claims }));
    else {
      const { returnsAt } = found;
      const end = tellTime(returnsAt, zone);
      const graceEnd = tellTime(formatTime(claims.exp * 1000), zone);
      const until =
        now < parseTime(returnsAt) ? `until ${end}` : `which ended ${end}; its grace lasts until ${graceEnd}`;
      input.print(`Valid: outpass ${claims.ref} of ${claims.roll} (${claims.kind}), ${until}.`);
    }
    return 0;
  },
};

/** The pass of a genuine token, or what the records say against it: it may have been cancelled since it was printed. */
async function passInForce(config: Config, claims: PassClaims): Promise<PassDetails | { problem: string }> {
  const store = await openStore(config, 'read');
  try {
    const pass = await openOffice(config, store).pass(claims.pass);
    const but = (reason: string) => ({ problem: `The token is genuine, but ${reason}.` });
    if (pass === undefined) return but(`there is no outpass #${claims.pass} here`);
    if (pass.status !== 'approved') return but(`outpass ${pass.reference} is ${pass.status}`);
    if (pass.files.tokenId !== claims.jti) {
      return but(`older than the last change of outpass ${pass.reference}`);
    }
    return pass;
  } finally {
    await store.close();
  }
}

function refuse(input: Input, fault: string, message: string, claims: PassClaims | undefined): number {
  if (input.json) input.print(JSON.stringify({ valid: false, fault, message, ...claims }));
  else input.note(`Not valid: ${message}`);
  return EXIT.no;
}

function keysFolder(config: Config): string {
  return join(stateFolder(config), 'keys');
}
