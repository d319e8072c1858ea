/** Steps that change the system: each is shown as what a person would type, and left out where nothing is to do. */

import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { quoted } from '../../escape.ts';
import { errors, messageOf } from '../../errors.ts';
import type { Input } from './command.ts';

/** Where programs for administrators lie; the PATH of `su` leaves them out. */
const ADMIN_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** One step. */
export interface Step {
  /** What a person would type, or what is written where. */
  line: string;
  /** Whether it is as it should be already. Asked right before the step. */
  done?: () => boolean;
  act: () => void;
  /** What to type where it fails. */
  hint?: string;
}

/** Runs the steps, or shows them; gives the lines of those that were to do. Throws the first failure. */
export function runSteps(input: Input, steps: readonly Step[], dry: boolean): string[] {
  const acted: string[] = [];
  for (const { line, done, act, hint } of steps) {
    if (done?.() === true) {
      input.print(input.paint('dim', `  # not needed: ${line}`));
      continue;
    }
    input.print(`  ${line}`);
    acted.push(line);
    if (dry) continue;
    try {
      act();
    } catch (error) {
      throw errors.stepFailed(line, messageOf(error), hint);
    }
  }
  return acted;
}

/** A step that is a program with its arguments. */
export function command(words: readonly string[], more: Partial<Omit<Step, 'line' | 'act'>> = {}): Step {
  return { line: words.map(quoted).join(' '), act: () => void runProgram(words), ...more };
}

/** A step that writes a text file. */
export function file(path: string, text: string, mode: number): Step {
  return {
    line: `write ${path} (mode ${mode.toString(8).padStart(4, '0')}, ${text.split('\n').length - 1} lines)`,
    done: () => contentOf(path) === text,
    act() {
      writeFileSync(`${path}.new`, text);
      chmodSync(`${path}.new`, mode);
      renameSync(`${path}.new`, path);
    },
  };
}

/** A file's text; undefined where it cannot be read. */
export function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** What a program prints; undefined where it fails or is missing. */
export function outputOf(...words: string[]): string | undefined {
  try {
    return runProgram(words);
  } catch {
    return undefined;
  }
}

/** Whether a program succeeds. */
export function succeeds(...words: string[]): boolean {
  return outputOf(...words) !== undefined;
}

/** Runs a program to its end; gives what it printed. Throws what it complained of. */
function runProgram([program = '', ...args]: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:${ADMIN_PATH}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (error !== undefined) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw missing ? new Error(`there is no program '${program}' on this machine`) : error;
  }
  if (status !== 0) {
    throw new Error(stderr.trim().replaceAll(/\s*\n\s*/g, ' ') || `${program} ended with ${status}`);
  }
  return stdout.trim();
}
