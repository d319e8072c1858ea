/** What every store must do, whatever lies beneath it. A store's own test file runs this over it. */

import type { TestContext } from 'node:test';
import { suite, test } from 'node:test';

import type { Job } from '../../src/engine/job.ts';
import type { Store } from '../../src/engine/store.ts';
import { FakeClock } from '../tools/engine.ts';
import type { KeptAttempt } from '../tools/store.ts';
import { adminContract } from './contract/admin.ts';
import { claimContract } from './contract/claim.ts';
import { crashContract } from './contract/crash.ts';
import { dispatchContract } from './contract/dispatch.ts';
import { flowContract } from './contract/flow.ts';
import { settleContract } from './contract/settle.ts';
import { suspectsContract } from './contract/suspects.ts';

/** An open store, and eyes to see what it wrote. */
export interface Opened {
  store: Store;
  job(id: number): Job | undefined;
  attempts(id: number): KeptAttempt[];
  /** Every job's id, in order. */
  all(): number[];
  /** The same data through a connection of its own, as another process has it. */
  again(): Promise<Store>;
}

export type Open = (clock: FakeClock, t: TestContext) => Promise<Opened>;

/** What a test of the contract is given. */
export type Subject = Opened & { clock: FakeClock };
export type Check = (title: string, body: (subject: Subject) => Promise<void>) => void;

/** Runs the whole contract over the stores that `open` makes; each test has one of its own. */
export function storeContract(name: string, open: Open): void {
  const check: Check = (title, body) => {
    test(title, { timeout: 20_000 }, async (t) => {
      const clock = new FakeClock();
      await body({ ...(await open(clock, t)), clock });
    });
  };
  suite(`${name}: dispatch`, () => dispatchContract(check));
  suite(`${name}: claim`, () => claimContract(check));
  suite(`${name}: suspects`, () => suspectsContract(check));
  suite(`${name}: settle`, () => settleContract(check));
  suite(`${name}: flow`, () => flowContract(check));
  suite(`${name}: crash`, () => crashContract(check));
  suite(`${name}: admin`, () => adminContract(check));
}
