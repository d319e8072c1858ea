/** `passito keys` and `passito verify`: the keys that sign passes, and what a scanned token says. */

import { join } from 'node:path';
import { openOffice, openStore, stateFolder } from '../../app.ts';
import type { Config } from '../../config.ts';
import { EXIT } from '../../errors.ts';
import { loadOrCreateSigningKey, loadPublicKeys } from '../../outpass/keys.ts';
import { tellTime } from '../../outpass/local-time.ts';
import type { PassDetails } from '../../outpass/office.ts';
import { type PassClaims, verifyToken } from '../../outpass/token.ts';
import { formatTime, parseTime } from '../../engine/clock.ts';
import { type Command, type Input, JSON_OPTION } from './command.ts';
import { readAt } from './values.ts';

export const keys: Command = {
  name: 'keys',
  about: 'Show the key that signs passes, and make it where there is none',
  options: [
    { name: 'public', about: 'Print the public keys as PEM, for a verifier at the gate' },
    JSON_OPTION,
  ],
  example: 'passito keys --public > gate-keys.pem',
  async run(input) {
    const folder = keysFolder(await input.config());
    const { keyId } = loadOrCreateSigningKey(folder);
    const all = [...loadPublicKeys(folder)];
    if (input.has('public')) {
      const pems = all.map(([, key]) => key.export({ type: 'spki', format: 'pem' }).toString());
      input.print(pems.join('').trimEnd());
    } else if (input.json) {
      input.print(JSON.stringify({ key_id: keyId, folder, public_keys: all.map(([id]) => id) }));
    } else {
      input.print(`The key ${keyId} signs passes; its private half lies in ${join(folder, 'signing.pem')}.`);
      input.print(`Public keys for verifiers: ${all.map(([id]) => id).join(', ')} (passito keys --public)`);
    }
    return 0;
  },
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
