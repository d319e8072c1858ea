/** Users' own code in a process of ours: the config file, a job's file and its checks at dispatch. */

/** It holds up nobody for longer than this, in milliseconds. */
const LONGEST_MS = 15_000;

/** Waits for it. Rejects where it would end the process, which a slip can do in silence and with success, or does not finish. */
export async function usersCode<T>(work: () => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const { exit } = process;
  process.exit = (code) => {
    const error = new Error(`it would end the process: process.exit(${code ?? ''})`);
    // It may catch what is thrown at it.
    reject(error);
    throw error;
  };
  const late = () => reject(new Error(`it has not finished within ${LONGEST_MS / 1000} s`));
  const timer = setTimeout(late, LONGEST_MS).unref();
  try {
    return await Promise.race([work(), promise]);
  } finally {
    clearTimeout(timer);
    process.exit = exit;
  }
}
