import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The file that users copy to their servers. */
export const executable: string = join(import.meta.dirname, '..', '..', 'dist', 'passito');

if (!existsSync(executable)) throw new Error('dist/passito is missing; run: npm run build');

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** The whole environment; empty when not given. */
  env?: Record<string, string>;
  cwd?: string;
  uid?: number;
  gid?: number;
}

/** Runs a program to its end. Whatever its exit code, the promise is kept. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const settings = { env: {}, ...options, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    execFile(file, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else reject(new Error(`${file} did not run to its end`, { cause: error }));
    });
  });
}
