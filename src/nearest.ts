/** Finds what somebody probably meant. */

/** The name closest to a mistyped one, if it is close enough to be a slip, or else one that begins the same. */
export function nearest(given: string, names: readonly string[]): string | undefined {
  const wanted = plain(given);
  const begins = (name: string) => plain(name).startsWith(wanted.slice(0, 4)) && wanted.length >= 4;
  return slipOf(given, names) ?? names.find(begins);
}

/** The name of which a text is a slip of some letters; none where it may as well be another name. */
export function slipOf(given: string, names: readonly string[]): string | undefined {
  const wanted = plain(given);
  // Of one letter everything is a slip.
  if (wanted.length < 2) return undefined;
  let best: string | undefined;
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    const steps = distance(wanted, plain(name));
    if (steps < least) {
      least = steps;
      best = name;
    }
  }
  return best;
}

/** `Roll-Number` and `roll_number` are the same word. */
function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** Letters to insert, delete, replace or swap with their neighbour. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : replaced;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
