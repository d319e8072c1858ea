/** A store of one job, in memory: what the engine needs to run a job that is in no queue. */

import type { Settlement } from '../../engine/job.ts';
import type { ClaimedJob, ClaimRequest, Exchange, Settle, Store } from '../../engine/store.ts';

export class TryStore implements Pick<Store, 'exchange' | 'lost'> {
  readonly #ended = Promise.withResolvers<Settlement>();
  /** Until it is claimed. */
  #job: ClaimedJob | undefined;

  constructor(type: string, payload: string) {
    this.#job = {
      id: 0,
      type,
      payload,
      priority: 0,
      attempt: 1,
      maxAttempts: null,
      crashes: 0,
      lease: 1,
      options: {},
      dependencies: [],
    };
  }

  /** Resolves with what would be written of the job's one attempt. */
  get ended(): Promise<Settlement> {
    return this.#ended.promise;
  }

  async exchange(settles: readonly Settle[], claim: ClaimRequest | null): Promise<Exchange> {
    const [settle] = settles;
    if (settle !== undefined) this.#ended.resolve(settle.settlement);
    const claimed = claim === null || this.#job === undefined ? [] : [this.#job];
    if (claimed.length > 0) this.#job = undefined;
    return {
      settled: settles.map(() => true),
      claimed,
      suspectsWaiting: 0,
      nextDue: null,
      registered: true,
      crowded: false,
    };
  }

  /** Nobody else knows of the job. */
  async lost(): Promise<never[]> {
    return [];
  }
}
