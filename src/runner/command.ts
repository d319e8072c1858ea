/**
 * A job that is a program: payload as JSON on its standard input, the last line of its standard output
 * as JSON result. It never passes through a shell. Exit 0 is done, 65 gives the job up, else it failed.
 */

import { spawn } from 'node:child_process';
import { discard, type HandlerContext, type JobDefinition } from '../engine/handler.ts';
import { formatSize } from '../engine/units.ts';
import type { CommandJob } from '../engine/wire.ts';
import { MAX_JSON } from './context.ts';
import { lastLine, tail } from './output.ts';

/** EX_DATAERR of sysexits.h. */
const DISCARD_EXIT = 65;

/** Makes the definition of a command job. `told` hears which programs run, so that they can be ended. */
export function commandJob(
  type: string,
  options: CommandJob,
  told: (pid: number, running: boolean) => void,
): JobDefinition<unknown> & { type: string } {
  const { command, ...rest } = options;
  return { ...rest, type, handle: (payload, context) => runCommand(command, payload, context, told) };
}

function runCommand(
  command: string[],
  payload: unknown,
  context: HandlerContext,
  told: (pid: number, running: boolean) => void,
): Promise<unknown> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      // Its own group, so that the programs it starts end with it.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PASSITO_JOB_ID: String(context.id),
        PASSITO_JOB_TYPE: context.type,
        PASSITO_ATTEMPT: String(context.attempt),
      },
    });
    const out = lastLine(child.stdout, MAX_JSON);
    const err = tail(child.stderr);
    const { pid } = child;
    if (pid !== undefined) told(pid, true);
    const stop = () => {
      if (pid !== undefined) endGroup(pid);
    };
    context.signal.addEventListener('abort', stop, { once: true });
    // A program that does not read its input closes it: no reason to fail.
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(payload));
    child.on('error', (error) => reject(new Error(`cannot start ${program}: ${error.message}`)));
    child.on('close', (code, signal) => {
      context.signal.removeEventListener('abort', stop);
      if (pid !== undefined) told(pid, false);
      const { text, bytes } = out();
      if (code === 0 && text === undefined) reject(tooLong(bytes));
      else if (code === 0) resolve(resultOf(text ?? ''));
      else reject(failure(program, code, signal, err()));
    });
  });
}

function failure(program: string, code: number | null, signal: string | null, stderr: string): Error {
  const said = stderr.trim().slice(-2000);
  const how = signal === null ? `exit ${code}` : `signal ${signal}`;
  if (code === DISCARD_EXIT) {
    try {
      discard(said === '' ? `${program}: ${how}` : said);
    } catch (error) {
      return error as Error;
    }
  }
  const error = new Error(
    said === '' ? `${program} ended with ${how}` : `${program} ended with ${how}: ${said}`,
  );
  // Our own stack says nothing about the program.
  delete error.stack;
  return error;
}

/** A line of output as JSON; text that is not JSON is kept as text. */
function resultOf(line: string): unknown {
  if (line === '') return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

function tooLong(bytes: number): Error {
  const error = new Error(
    `its result has ${formatSize(bytes)}; at most ${formatSize(MAX_JSON)} are kept. Write it to a file and print the path`,
  );
  delete error.stack;
  return error;
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    // Gone already.
  }
}
