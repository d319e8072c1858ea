/** Users' own code in a process of ours: the config file, a job's file and its checks at dispatch. */

/** It holds up nobody for longer than this, in milliseconds. */
const LONGEST_MS = 15_000;

/** Who waits for such code. */
const waiting = new Set<(error: Error) => void>();
let { exit } = process;

/** Waits for it. Rejects where it would end the process, which a slip can do in silence and with success, or does not finish. */
export async function usersCode<T>(work: () => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const late = () => reject(new Error(`it has not finished within ${LONGEST_MS / 1000} s`));
  const timer = setTimeout(late, LONGEST_MS).unref();
  if (waiting.size === 0) {
    ({ exit } = process);
    process.exit = refuse;
  }
  waiting.add(reject);
  try {
    return await Promise.race([work(), promise]);
  } finally {
    clearTimeout(timer);
    waiting.delete(reject);
    if (waiting.size === 0) process.exit = exit;
  }
}

/** In the place of `process.exit`; whose code called it cannot be told. */
function refuse(code?: number | string | null): never {
  const error = new Error(`it would end the process: process.exit(${code ?? ''})`);
  // The code may catch what is thrown at it.
  for (const reject of waiting) reject(error);
  throw error;
}
