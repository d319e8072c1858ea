/** What `passito try` says of an attempt's end, and its exit status. */

import type { Json } from '../../engine/handler.ts';
import type { JobError, Settlement } from '../../engine/job.ts';
import { formatDuration } from '../../engine/units.ts';
import { EXIT } from '../../errors.ts';
import type { Input } from './command.ts';

/** Prints it. `ms`: how long the handler of a job that completed took. */
export function tell(input: Input, type: string, settlement: Settlement, ms: number): number {
  switch (settlement.move) {
    case 'complete':
      return completed(input, type, settlement, ms);
    case 'release':
      return snoozed(input, type, settlement);
    case 'retry':
      return failed(input, type, settlement.error, false);
    case 'fail':
      return failed(input, type, settlement.error, settlement.discarded);
  }
}

function completed(
  input: Input,
  type: string,
  { result: text, dispatches }: Extract<Settlement, { move: 'complete' }>,
  ms: number,
): number {
  const result = text === null ? null : (JSON.parse(text) as Json);
  const shown = result === null ? '' : ` Result: ${JSON.stringify(result)}`;
  if (input.json) input.print(JSON.stringify({ kind: 'completed', result, dispatches }));
  else input.print(`${type} completed in ${Math.round(ms)} ms.${shown}`);
  for (const one of dispatches ?? []) input.note(`Would dispatch ${one.type} with ${one.payload}.`);
  return 0;
}

/** With a reason it is a "no": what the handler was to do is not done. */
function snoozed(
  input: Input,
  type: string,
  { delay, error }: Extract<Settlement, { move: 'release' }>,
): number {
  const asked = `${type} asked to be tried again in ${formatDuration(delay)}`;
  if (input.json) input.print(JSON.stringify({ kind: 'snoozed', delay, error }));
  else if (error === undefined) input.print(`${asked}.`);
  if (error === undefined) return 0;
  input.note(`${asked}: ${error.message}`);
  return EXIT.no;
}

function failed(input: Input, type: string, error: JobError, discarded: boolean): number {
  if (input.json) input.print(JSON.stringify({ kind: discarded ? 'discarded' : 'failed', error }));
  input.note(discarded ? `${type} gave the job up: ${error.message}` : `${type} failed: ${withStack(error)}`);
  return EXIT.no;
}

/** The author of a handler wants to see where it was thrown. Most stacks begin with the message. */
function withStack({ message, stack }: JobError): string {
  if (stack === undefined) return message;
  return stack.includes(message) ? stack : `${message}\n${stack}`;
}
