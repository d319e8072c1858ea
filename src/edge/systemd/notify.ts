/**
 * Words to systemd. They go through a Unix datagram socket, which Node does not have: the program
 * `systemd-notify`, a part of systemd, sends them, and the unit allows that by NotifyAccess=all. It stays until
 * systemd has read the message; a sender that is gone by then could not be told from a stranger.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { messageOf } from '../../errors.ts';
import type { Log } from '../log.ts';

/** Milliseconds for one message; systemd-notify itself gives up after 5 s. */
const PATIENCE_MS = 10_000;

/** The way to systemd. */
export interface Notifier {
  /** Milliseconds within which systemd wants to hear WATCHDOG=1; null where it does not watch. */
  readonly watchdog: number | null;
  /** Sends assignments such as `READY=1` as one message, after those before it. Never rejects: a failure is logged. */
  send(...assignments: string[]): Promise<void>;
}

/**
 * What this process was given to speak to systemd with; undefined where systemd did not start it. Taken out of
 * the environment: a handler's programs must not speak for the supervisor.
 */
export function takeNotifier(env: NodeJS.ProcessEnv, log: Log): Notifier | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: watched } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (socket === undefined || socket === '') return undefined;

  const own = watched === undefined || watched === String(process.pid);
  const watchdog = own && Number(usec) > 0 ? Number(usec) / 1000 : null;
  let last: Promise<void> = Promise.resolve();
  let failing = false;
  const send = async (assignments: readonly string[]) => {
    try {
      await run(assignments, { ...env, NOTIFY_SOCKET: socket });
      failing = false;
    } catch (error) {
      // Told once: the watchdog would repeat it every minute.
      if (!failing) log.warn({ error: messageOf(error) }, 'systemd could not be told');
      failing = true;
    }
  };
  return {
    watchdog,
    // One after the other: an older status must not arrive last.
    send: (...assignments) => (last = last.then(() => send(assignments))),
  };
}

async function run(assignments: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn('systemd-notify', assignments, {
    env,
    stdio: 'ignore',
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
  // Whether it ends or not, it holds up nobody's end.
  child.unref();
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === null) throw new Error('systemd-notify did not come to its end');
  if (code !== 0) throw new Error(`systemd-notify ended with ${code}`);
}
