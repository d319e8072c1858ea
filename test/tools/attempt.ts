/** One attempt of a built-in job as a thread makes it, with a real mailer, and what the engine makes of its end. */

import assert from 'node:assert/strict';
import path from 'node:path';

import { createMailer } from '../../src/edge/mail.ts';
import type { MailSettings } from '../../src/edge/mail.ts';
import { decide } from '../../src/engine/job.ts';
import type { Outcome, Settlement } from '../../src/engine/job.ts';
import { completeType } from '../../src/engine/types.ts';
import { officeJobs } from '../../src/outpass/jobs.ts';
import { attempt } from '../../src/runner/attempt.ts';
import { Context } from '../../src/runner/context.ts';
import { jobFiles } from '../../src/runner/files.ts';
import type { LoadedJob } from '../../src/runner/loader.ts';
import type { TestOffice } from './office.ts';

/** A job of the office and the number of its attempt. */
export interface Tried {
  id: number;
  type: string;
  payload: unknown;
  attempt: number;
}

/** Runs the attempt to its end; waits are told without their chance, as long as they can be. */
export async function tryOffice(
  it: TestOffice,
  { id, type, payload, attempt: number }: Tried,
  server: Partial<MailSettings> = {},
): Promise<Settlement> {
  const definition = officeJobs.find((job) => job.type === type);
  assert.ok(definition, type);
  const { maxAttempts, backoff } = completeType({ ...definition, type, source: '' });
  const job = {
    id,
    type,
    payload: JSON.stringify(payload),
    attempt: number,
    maxAttempts,
    dependencies: [],
  };
  const mailer = createMailer({
    from: 'Gate Pass Office <office@example.edu>',
    outbox: path.join(it.folder, 'outbox'),
    filesRoot: it.files,
    hostname: 'gate.example.edu',
    ...server,
  });
  const office = it.office as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const context = new Context(job, 0, 0, {
    files: () => jobFiles(it.files, String(id)),
    log() {},
    call: async (_chunk, _index, _service, method, args) => office[method]?.(...args),
    mail: (_job, mail, message) => mailer.send(message, { messageId: `passito.${id}.${mail}@x.passito` }),
  });
  const text = await attempt(definition as LoadedJob, job, context);
  const outcome: Outcome =
    text === undefined ? { kind: 'completed', result: null } : (JSON.parse(text) as Outcome);
  return decide(outcome, { attempt: number, maxAttempts, backoff }, () => 1);
}
