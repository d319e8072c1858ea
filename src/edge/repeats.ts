/** What happens over and over is told at once, then once a minute: a full disk must not be filled by the log as well. */

const QUIET_MS = 60_000;

export class Repeats {
  readonly #told = new Map<string, { at: number; since: number }>();

  /** How often it has happened since it was last told; 0 where it is too early to tell it again. `now`: monotonic, in milliseconds. */
  count(what: string, now = performance.now()): number {
    const known = this.#told.get(what);
    if (known !== undefined && now - known.at < QUIET_MS) {
      known.since += 1;
      return 0;
    }
    // What did not come again in its minute is over.
    for (const [key, { at }] of this.#told) if (now - at >= 2 * QUIET_MS) this.#told.delete(key);
    this.#told.set(what, { at: now, since: 0 });
    return 1 + (known?.since ?? 0);
  }
}
