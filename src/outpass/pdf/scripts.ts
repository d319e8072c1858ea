/** Which scripts join, reorder or turn their letters, so that a font must be told about them apart. */

const SHAPED = [
  'Devanagari',
  'Tamil',
  'Bengali',
  'Gurmukhi',
  'Gujarati',
  'Oriya',
  'Telugu',
  'Kannada',
  'Malayalam',
  'Sinhala',
  'Thai',
  'Lao',
  'Tibetan',
  'Myanmar',
  'Khmer',
  'Hangul',
  'Mongolian',
  'Meetei_Mayek',
  'Ol_Chiki',
];
const RIGHT_TO_LEFT = ['Arabic', 'Hebrew', 'Syriac', 'Thaana', 'Nko', 'Adlam', 'Hanifi_Rohingya'];

const tests = [...RIGHT_TO_LEFT, ...SHAPED].map(
  (name) => [name, new RegExp(`^(?!\\p{Nd})\\p{Script_Extensions=${name}}`, 'u')] as const,
);
const rightToLeft = new Set(RIGHT_TO_LEFT);

/** The script of a character that is shaped; empty for scripts set letter by letter, digits and signs. */
export function shapedScript(character: string): string {
  // Nearly all text is Latin, and no script below this point is shaped.
  if ((character.codePointAt(0) ?? 0) < 0x5_90) return '';
  return tests.find(([, test]) => test.test(character))?.[0] ?? '';
}

/** Whether a script is read from right to left. */
export function isRightToLeft(script: string): boolean {
  return rightToLeft.has(script);
}
