/** Values come from forms: control characters have no shape, marks that turn the reading direction could mislead. */
export function printable(value: string): string {
  return value
    .normalize('NFC')
    .replaceAll(/\s*\n\s*/g, '\n')
    .replaceAll(/[[\p{Cc}\u202a-\u202e\u2066-\u2069]--[\n]]+/gv, ' ')
    .trim();
}
