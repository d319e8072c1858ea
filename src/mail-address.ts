/** What a mail address is: one decision for the settings, the import files, the payloads and the mailer, which has the last word. */

/** An address, taken apart so that the mail library need not guess. */
export interface MailAddress {
  name: string;
  address: string;
}

// One address and nothing that could make it two: no lists, comments or quoted local parts.
const ADDRESS = /^[^\s@<>(),;:\\"[\]\p{Cc}]+@[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?$/u;
const NAMED = /^\s*([^<>]*?)\s*<\s*([^<>]*?)\s*>\s*$/;

/** Whether a text is one address, without a name. */
export function isMailAddress(text: string): boolean {
  return text.length <= 254 && !text.includes('..') && ADDRESS.test(text);
}

/** Reads `a@b.c` or `Name <a@b.c>`; undefined for anything else, and for a line break, which could begin another header. */
export function readMailAddress(text: string): MailAddress | undefined {
  if (/[\r\n\0]/.test(text)) return undefined;
  const [, name = '', inner] = NAMED.exec(text) ?? [];
  const address = inner ?? text.trim();
  return isMailAddress(address) ? { name: name.replaceAll(/^"(.*)"$/g, '$1'), address } : undefined;
}
