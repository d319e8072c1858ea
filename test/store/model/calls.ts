/** What is asked of a store, as data: the same question goes to the store and to the model. */

import type {
  Applied,
  AttemptKey,
  ClaimRequest,
  Exchange,
  Expired,
  Inserted,
  NewJob,
  Settle,
} from '../../../src/engine/store.ts';

export type Call =
  | { verb: 'insert'; jobs: NewJob[] }
  /** A row that another program writes. */
  | { verb: 'foreign'; type: string; due: number }
  | { verb: 'exchange'; settles: Settle[]; claim: ClaimRequest | null }
  | { verb: 'cancel' | 'revive' | 'remove'; ids: number[] }
  | { verb: 'expire' | 'beat' | 'signOff'; process: number }
  | { verb: 'register'; pid: number }
  | { verb: 'progress'; attempt: AttemptKey; text: string }
  | { verb: 'lost'; attempts: AttemptKey[] }
  | { verb: 'pause' | 'resume'; queue: string | null }
  | { verb: 'prune'; completed: number; failed: number };

/** What an exchange says, but for how crowded the file is. */
export type Told = Omit<Exchange, 'crowded'>;

/** Stands for the answer of a call that was refused as a whole. */
export const REFUSED = 'refused';

export type Answer =
  | Inserted[]
  | Told
  | Applied[]
  | Expired
  | AttemptKey[]
  | { completed: number; failed: number }
  | number
  | boolean
  | null
  | typeof REFUSED;
