/** A job as the model knows it, and the small print of what makes one. */

import type { NestedDispatch } from '../../../src/engine/job.ts';
import type { NewJob } from '../../../src/engine/store.ts';
import type { Row } from './watch.ts';

export interface Job extends Omit<Row, 'due' | 'finished' | 'waitingFor' | 'discarded'> {
  due: number;
  finished: number | null;
  discarded: boolean;
  parents: number[];
  /** Attempts that did not end well. */
  kept: string[];
}

/** What a row has that says nothing of itself. */
export const PLAIN: Omit<NewJob, 'type'> = {
  payload: '{}',
  queue: 'default',
  priority: 0,
  maxAttempts: null,
  uniqueKey: null,
  options: null,
  dependsOn: [],
};

/** A payload that has lost these fields. */
export function without(payload: string, fields: readonly string[]): string {
  const all = Object.entries(JSON.parse(payload) as object).filter(([name]) => !fields.includes(name));
  return JSON.stringify(Object.fromEntries(all));
}

/** References between a handler's dispatches are places in one batch. */
export function nested(dispatches: readonly NestedDispatch[], now: number): NewJob[] {
  return dispatches.map((one) => ({
    type: one.type,
    payload: one.payload,
    queue: one.queue ?? 'default',
    priority: one.priority ?? 0,
    maxAttempts: one.maxAttempts ?? null,
    availableAt: now + (one.delay ?? 0),
    uniqueKey: one.uniqueKey ?? null,
    options: null,
    dependsOn: (one.dependsOn ?? []).map((parent) =>
      typeof parent === 'number' ? parent : { index: dispatches.findIndex(({ ref }) => ref === parent) },
    ),
  }));
}
