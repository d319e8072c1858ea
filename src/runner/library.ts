/** What `import … from 'passito'` gives inside a job file. */

export { defineJob, discard, snooze } from '../engine/handler.ts';
export { JobPayloadBuilder } from '../engine/payload-builder.ts';

/** A thread may be ended at any moment, so it never opens the database. */
export class JobDispatcher {
  constructor() {
    throw new Error(
      "inside a job, use the context's own dispatch: handle(payload, { dispatch }) { dispatch('Type', { … }) }",
    );
  }
}
