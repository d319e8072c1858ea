/** Telephone numbers as people write them, made into numbers that networks dial. Pure. */

/** What a network dials: a plus, and 10 to 15 digits (E.164 allows 15 at most). */
const DIALABLE = /^\+\d{10,15}$/;

/**
 * The number to dial, or what is wrong with the written one. Spaces and hyphens mean nothing; a number without a plus
 * is of the office's own country: its leading zeros go, and the country's code goes in front.
 * Source: the older system's rules.
 * @example dialNumber('098400-12345', '+91') // { number: '+919840012345' }
 */
export function dialNumber(written: string, countryCode: string): { number: string } | { wrong: string } {
  const bare = written.replaceAll(/[\s-]/g, '');
  const number = bare.startsWith('+') ? bare : `${countryCode}${bare.replace(/^0+/, '')}`;
  if (DIALABLE.test(number)) return { number };
  return { wrong: `'${written}' is no number that can be dialled (with + and 10 to 15 digits)` };
}

/** A country's code as it is set, with its plus; undefined where it is none. */
export function readCountryCode(text: string): string | undefined {
  return /^\+?[1-9]\d{0,3}$/.test(text) ? `+${text.replace('+', '')}` : undefined;
}
