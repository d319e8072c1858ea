/** The end of attempts: telling of those that were written, and saving the others from one that cannot be. */

import { EXIT, messageOf, PassitoError } from '../errors.ts';
import type { Random } from './clock.ts';
import type { Events } from './events.ts';
import { type Flight, land, nameOf } from './flight.ts';
import type { Settle, Store } from './store.ts';

/** An attempt that has ended and is to be written. */
export interface Landed {
  flight: Flight;
  settle: Settle;
  milliseconds: number;
}

/** Tells what became of attempts; `settled` says of each whether its lease still held. */
export function tell(events: Events, landed: readonly Landed[], settled: readonly boolean[]): void {
  landed.forEach(({ flight, settle: { settlement }, milliseconds }, i) => {
    const name = nameOf(flight);
    if (settled[i] !== true) {
      events.emit('lost', name);
      return;
    }
    switch (settlement.move) {
      case 'complete':
        // The hot path: nobody listens to this below the level debug.
        if (events.has('completed')) events.emit('completed', { ...name, ms: milliseconds });
        return;
      case 'retry':
        events.emit('retried', { ...name, error: settlement.error, delay: settlement.delay });
        return;
      case 'fail':
        events.emit('failed', { ...name, error: settlement.error, discarded: settlement.discarded });
        return;
      case 'release': {
        const { move: _move, ...told } = settlement;
        events.emit('released', { ...name, ...told });
      }
    }
  });
}

/** Whether the store as a whole is at fault (full, locked, read-only), and not what was to be written. */
function isStoreWide(error: unknown): boolean {
  return error instanceof PassitoError && error.exit === EXIT.unreachable;
}

/**
 * After a transaction that wrote nothing, because of `error`: gives the outcomes that are still to be written, when there
 * may be room. Where the store is well, one of them cannot be stored, nobody knows which, and must not hold up the others:
 * each is written by itself.
 */
export async function salvage(
  store: Pick<Store, 'exchange'>,
  events: Events,
  landed: readonly Landed[],
  error: unknown,
  random: Random,
): Promise<readonly Landed[]> {
  if (isStoreWide(error)) return landed;
  const left: Landed[] = [];
  for (const one of landed) {
    try {
      await settleAlone(store, events, one, random);
    } catch {
      left.push(one);
    }
  }
  return left;
}

/** Writes one outcome; where it cannot be stored, the attempt has failed and says so. */
async function settleAlone(
  store: Pick<Store, 'exchange'>,
  events: Events,
  one: Landed,
  random: Random,
): Promise<void> {
  try {
    tell(events, [one], (await store.exchange([one.settle], null)).settled);
  } catch (error) {
    if (isStoreWide(error)) throw error;
    const message = `Its outcome could not be stored: ${messageOf(error)}`;
    const settle = land(one.flight, { kind: 'failed', error: { message } }, random);
    tell(events, [{ ...one, settle }], (await store.exchange([settle], null)).settled);
  }
}
