/** How often an address may ask: a bucket of tokens each, which fills up again with time. */

/** What a bucket holds, and how fast it fills. */
export interface Rate {
  /** Requests that may come at once. */
  burst: number;
  /** Requests a second after that. */
  perSecond: number;
}

interface Bucket {
  tokens: number;
  /** Milliseconds. */
  at: number;
}

/** More addresses than this are not told apart: whoever sends from a million of them must not fill the memory. */
const MOST_ADDRESSES = 10_000;

/** Counts requests by address. */
export class RateLimit {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Whether this address may ask now; `now` in milliseconds, from a clock that never goes back. */
  allows(address: string, now: number): boolean {
    const { burst, perSecond } = this.#rate;
    const bucket = this.#buckets.get(address) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    // Put last, so that the first of the map is the one that asked longest ago.
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > MOST_ADDRESSES) this.#buckets.delete(this.#buckets.keys().next().value ?? '');
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
