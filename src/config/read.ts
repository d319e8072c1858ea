/** How texts of the configuration become values; `undefined` means that the text is no such value. */

import { shorten } from '../errors.ts';
import { readMailAddress } from '../mail-address.ts';

/** A host and a port to listen on. */
export interface Address {
  host: string;
  port: number;
}

/** `8080` is this machine alone; others are let in by `0.0.0.0:8080`, which must be said. */
const LOOPBACK = '127.0.0.1';

/** `8080`, `:8080`, `localhost:8080`, `0.0.0.0:8080`, `[::1]:8080`; port 0 is any free one. */
export function readAddress(text: string): Address | undefined {
  const match = /^(?:\[([\da-f:]+)\]|([\w.-]+)?)(:)?(?<=^|:)(\d{1,5})$/i.exec(text);
  if (match === null) return undefined;
  const [, v6, name, colon, digits] = match;
  const host = v6 ?? name;
  if (host !== undefined && colon === undefined) return undefined;
  const port = Number(digits);
  return port <= 65_535 ? { host: host ?? LOOPBACK, port } : undefined;
}

/** Whether only this machine reaches a host. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(host);
}

/** The beginning of addresses, without a slash at its end. */
export function readUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, search, hash, username, password, href } = new URL(text);
  const plain = search === '' && hash === '' && username === '' && password === '';
  return plain && /^https?:$/.test(protocol) ? href.replace(/\/+$/, '') : undefined;
}

/** Mail addresses with commas or semicolons between; a name may have some too, in quotes. Gives the addresses alone. */
export function readMailAddresses(text: string): string | undefined {
  const parts = (text.match(/(?:"[^"]*"|[^,;"])+|"/g) ?? []).map((part) => part.trim());
  const found = parts.filter((part) => part !== '').map((part) => readMailAddress(part)?.address);
  return found.length > 0 && found.every((one) => one !== undefined) ? found.join(', ') : undefined;
}

/** Who mails come from: one address, as it is written. */
export function readSender(text: string): string | undefined {
  return readMailAddress(text) === undefined ? undefined : text.trim();
}

const SWITCH: Readonly<Record<string, boolean>> = {
  yes: true,
  true: true,
  on: true,
  1: true,
  no: false,
  false: false,
  off: false,
  0: false,
};

export function readSwitch(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return Object.hasOwn(SWITCH, word) ? SWITCH[word] : undefined;
}

/**
 * The text of what a config file gives, which may be any value: `false` must not become a folder of that name.
 * Undefined where it can be none.
 */
export function textOf(given: unknown, also?: 'milliseconds' | 'booleans'): string | undefined {
  if (Array.isArray(given)) {
    const parts = given.map((one: unknown) => (Array.isArray(one) ? undefined : textOf(one)));
    return parts.includes(undefined) ? undefined : parts.join(',');
  }
  if (typeof given === 'string') return given;
  if (typeof given === 'number') return also === 'milliseconds' ? `${given}ms` : String(given);
  return typeof given === 'boolean' && also === 'booleans' ? String(given) : undefined;
}

/** A value as it may stand in a message, whatever it is. */
export function shown(value: unknown): string {
  try {
    return shorten(JSON.stringify(value) ?? typeof value);
  } catch {
    return typeof value;
  }
}

/** An IANA zone. */
export function readZone(value: string): string | undefined {
  try {
    // Kept as written: ICU would give Asia/Kolkata its old name.
    return Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone === ''
      ? undefined
      : value;
  } catch {
    return undefined;
  }
}
