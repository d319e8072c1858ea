/**
 * Runs one job as a supervisor would, in a thread with its timeout and its memory limit, though it is in no queue. So a
 * handler that spins, ends its thread or throws on the side ends here as it will end there.
 */

import { openOffice, openStore } from '../../app.ts';
import type { Config } from '../../config.ts';
import { systemClock } from '../../engine/clock.ts';
import { Dispatcher } from '../../engine/dispatcher.ts';
import { Events } from '../../engine/events.ts';
import type { Settlement } from '../../engine/job.ts';
import type { Pool } from '../../engine/pool.ts';
import { Watchdog } from '../../engine/watchdog.ts';
import { LONGEST_PATIENCE, nextTry } from '../../outpass/mail/patience.ts';
import { serveOffice } from '../../services.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import type { Threads } from '../../threads.ts';
import { createLog } from '../log.ts';
import { TryStore } from './try-store.ts';
import { threadFor } from './try-type.ts';

/** `tell` hears what would be written of the job, and how many milliseconds it took if it completed. Gives what that says. */
export async function runOnce(
  type: string,
  payload: string,
  config: Config,
  tell: (settlement: Settlement, ms: number) => number,
): Promise<number> {
  const events = new Events();
  const threads = await threadFor(type, config, events);
  const { pool } = threads;
  endProgramsOnSignal(pool);
  const closeOffice = serve(pool, config, events);
  const store = new TryStore(type, payload);
  const completed = events.next('completed');
  const watchdog = startEngine(threads, store, events);
  const settlement = await store.ended;
  watchdog.stop();
  const gone = await pool.destroy();
  await closeOffice();
  const status = tell(settlement, settlement.move === 'complete' ? (await completed).ms : 0);
  if (!gone) await endBesideThread();
  return status;
}

function startEngine({ pool, types }: Threads, store: TryStore, events: Events): Watchdog {
  const dispatcher = new Dispatcher({
    store,
    pool,
    types,
    queues: null,
    events,
    clock: systemClock,
    random: Math.random,
    process: 0,
  });
  const watchdog = new Watchdog(dispatcher, pool, store, systemClock);
  events.on('launched', () => watchdog.poke());
  dispatcher.start();
  return watchdog;
}

/** Answers what the handler logs and asks. The database is opened only for a job that asks the office; gives what closes it. */
function serve(pool: Pool, config: Config, events: Events): () => Promise<void> {
  const log = createLog(config.settings.logFormat, 'debug');
  events.on('log', ({ level, message, fields }) => log[level](fields ?? {}, message));
  pool.services.add('job', (_chunk, _index, _method, [progress]) => log.info({ progress }, 'progress'));
  let store: Promise<SqliteStore> | undefined;
  serveOffice(pool, async () => openOffice(config, await (store ??= openStore(config, 'existing'))), {
    // The ledger is for jobs: what is tried again by hand is meant to be sent again.
    mailBegins: () => ({ receipt: null, inDoubt: false }),
    mailRefused: () => ({ wait: nextTry(0, 0, LONGEST_PATIENCE, () => 1), tried: 0 }),
    mailTaken: () => undefined,
  });
  return async () => {
    const opened = await store?.catch(() => undefined);
    await opened?.close();
  };
}

/** Command jobs have a group of their own, which Ctrl+C does not reach. */
function endProgramsOnSignal(pool: Pool): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void pool.destroy();
      process.kill(process.pid, signal);
    });
  }
}

/** A thread inside a call of the system would hold up `process.exit`; the default of SIGTERM does not wait for it. */
async function endBesideThread(): Promise<void> {
  await new Promise((resolve) => {
    process.stdout.write('', resolve);
  });
  process.removeAllListeners('SIGTERM');
  process.kill(process.pid, 'SIGTERM');
}
