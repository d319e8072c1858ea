/** The composition root of `supervisor` and `worker`: builds the parts, starts them and drains them in order. */

import { serveApi, type ServedApi } from './api.ts';
import { databaseId, openOffice, openStore } from './app.ts';
import { version } from './build-info.ts';
import type { Config } from './config.ts';
import { readJobFiles } from './edge/job-files.ts';
import type { Log } from './edge/log.ts';
import { watchForAway } from './edge/away.ts';
import { narrate } from './edge/narrate.ts';
import { Endpoints } from './edge/http/endpoints.ts';
import type { PublicServer } from './edge/public-server.ts';
import { areFilesShort, fileLimit, RAISE_FILES, refuseFewFiles, roomForThreads } from './edge/open-files.ts';
import { endOrphans, holderName, ownIdentity, presence } from './edge/machine.ts';
import { CHECK_MS } from './engine/alert.ts';
import type { Vitals } from './edge/systemd/service.ts';
import { systemClock, type Timer } from './engine/clock.ts';
import { Dispatcher } from './engine/dispatcher.ts';
import { Events } from './engine/events.ts';
import { HEARTBEAT_MS, Liveness } from './engine/liveness.ts';
import { Maintenance } from './engine/maintenance.ts';
import type { Pool } from './engine/pool.ts';
import { Scaler } from './engine/scaler.ts';
import { SetClock } from './engine/set-clock.ts';
import type { JobType } from './engine/types.ts';
import { Watchdog } from './engine/watchdog.ts';
import { errors, PassitoError } from './errors.ts';
import { monitor } from './monitor.ts';
import { serveParents } from './parents.ts';
import { describeProcess } from './published.ts';
import { makeScheduler } from './schedules.ts';
import { serveJobs, serveOffice } from './services.ts';
import { prepareScaling } from './store/sqlite/scaling.ts';
import { prepareSetClock } from './store/sqlite/set-clock.ts';
import type { SqliteOffice } from './store/sqlite/office.ts';
import type { SqliteStore } from './store/sqlite/store.ts';
import { startThreads } from './threads.ts';
import { strayOptions } from './job-types.ts';

/** Between a change and its being told to `passito status`, in milliseconds. */
const PUBLISH_MS = 1000;

/** Others may commit a thousand times a second, and hardly ever change the tables. Milliseconds between two looks. */
const LOOK_MS = 1000;

const NO_MORE_THREADS = `The limit of ${fileLimit()} open files leaves no room for all workers. ${RAISE_FILES}`;
const FILES_SHORT = `Nearly all of the ${fileLimit()} files that may be open are: handlers may not close theirs. Threads are ended when they are idle, which does. ${RAISE_FILES}`;

/** The status that systemd shows counts jobs no further. */
const COUNTED = 1000;

/** A running `supervisor` or `worker`. */
export interface Daemon {
  events: Events;
  types: ReadonlyMap<string, JobType>;
  /** Rejects where it cannot go on: its database file is not there any more. */
  broken: Promise<never>;
  /** How it is, for systemd. */
  vitals(): Vitals;
  /**
   * Stops claiming, lets running jobs finish for up to `ms`, gives the rest back, and closes everything.
   * Resolves with false where a thread could not be ended: only the end of the process ends it.
   * Throws where the last outcomes could not be written.
   */
  stop(ms: number, cutShort: AbortSignal): Promise<boolean>;
  /** As {@link Daemon.stop}, for one that another has followed: what it has begun may take as long as it takes. */
  retire(cutShort: AbortSignal): Promise<boolean>;
}

/** Starts everything. Throws, with nothing left running, where something is wrong. */
export async function startDaemon(
  config: Config,
  kind: 'supervisor' | 'worker',
  log: Log,
  endpoints = new Endpoints(),
): Promise<Daemon> {
  refuseFewFiles(config.settings.minWorkers);
  const jobFiles = readJobFiles(config);
  // Every other timer and thread lets the process end; this one is the reason why it lives.
  const keepAlive = setInterval(() => undefined, 2 ** 30);
  const opened: { store?: SqliteStore; pool?: Pool; parents?: PublicServer | undefined; api?: ServedApi } =
    {};
  const close = async (cutShort?: AbortSignal) => {
    await Promise.all([opened.parents?.close(), opened.api?.close(cutShort)]);
    const gone = await opened.pool?.destroy();
    await opened.store?.close();
    clearInterval(keepAlive);
    return gone !== false;
  };
  try {
    const store = await openStore(config, 'create', {
      daemon: true,
      ...(kind === 'supervisor' && {
        migrate: (told) => log.info(told, 'the tables were brought up to date'),
      }),
    });
    opened.store = store;
    const events = new Events();
    narrate(events, log);
    const id = await databaseId(store);
    const { pool, types } = await startThreads({ config, kind, jobFiles, databaseId: id, events, log });
    opened.pool = pool;
    for (const stray of strayOptions(types, config)) {
      log.warn(stray, 'the config file has options of a type that does not exist');
    }
    const office = openOffice(config, store);
    if (kind === 'supervisor') {
      opened.parents = await serveParents({ config, store, office, endpoints, log });
      opened.api = await serveApi({ config, store, types, pool, endpoints, log });
    }
    const { api } = opened;
    return await assemble({ config, kind, store, office, pool, events, types, api, log, close });
  } catch (error) {
    await close();
    throw error;
  }
}

interface Parts {
  config: Config;
  kind: 'supervisor' | 'worker';
  store: SqliteStore;
  office: SqliteOffice;
  pool: Pool;
  events: Events;
  types: ReadonlyMap<string, JobType>;
  api: ServedApi | undefined;
  log: Log;
  /** Ends the threads and closes the database; with whether all threads are gone. */
  close: (cutShort?: AbortSignal) => Promise<boolean>;
}

async function assemble({
  config,
  kind,
  store,
  office,
  pool,
  events,
  types,
  api,
  log,
  close,
}: Parts): Promise<Daemon> {
  const { settings } = config;
  const clock = systemClock;
  const scaling = prepareScaling(store.db, clock);
  const setClock = new SetClock(clock);
  const moveTimes = prepareSetClock(store.db);
  const state: { dispatcher?: Dispatcher; scaler?: Scaler; watchdog?: Watchdog; retiring?: boolean } = {};

  const liveness = new Liveness({
    store,
    clock,
    events,
    identity: ownIdentity(kind),
    presence,
    buried: (record) => endOrphans(holderName(record)),
    info: () => describeProcess(config, types, pool, api, state),
    renamed(id) {
      state.watchdog?.takenOver(id);
    },
  });
  const away = watchForAway(events);
  const process = await liveness.start();

  const dispatcher = new Dispatcher({
    store,
    pool,
    types,
    queues: settings.queues,
    events,
    clock,
    random: Math.random,
    process,
  });
  const watchdog = new Watchdog(dispatcher, pool, store, clock);
  const scaler = new Scaler({
    limits: settings,
    ceiling: async () => {
      const wanted = await store.read(() => scaling.ceiling());
      const room = Math.max(pool.threads.length + roomForThreads(), 1);
      if (room >= (wanted ?? settings.maxWorkers)) return wanted;
      events.emit('trouble', { where: 'scaling', error: new Error(NO_MORE_THREADS) });
      return room;
    },
    interval: settings.checkInterval * 1000,
    clock,
    events,
    countDue: (limit) => store.countDue(limit, [...types.keys()], settings.queues),
    apply(target) {
      dispatcher.target = target;
      dispatcher.wake();
    },
  });
  state.dispatcher = dispatcher;
  state.scaler = scaler;
  state.watchdog = watchdog;

  serveJobs(pool, dispatcher, store);
  serveOffice(pool, () => office);

  let answered = clock.monotonic();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  let lookedAt = 0;
  const look = () => {
    lookedAt = clock.monotonic();
    try {
      store.assertKnown();
    } catch (error) {
      if (error instanceof PassitoError) broken.reject(error);
    }
  };
  const scheduler =
    kind === 'supervisor' ? makeScheduler({ config, store, office, types, clock, events, log }) : undefined;
  const maintenance = new Maintenance(
    [
      {
        name: 'heartbeat',
        every: HEARTBEAT_MS,
        async run() {
          if (!store.inPlace) broken.reject(errors.databaseReplaced(store.file));
          look();
          await liveness.beat().finally(() => (answered = clock.monotonic()));
        },
      },
      { name: 'rescue', every: HEARTBEAT_MS, run: () => liveness.rescue() },
      {
        name: 'clock',
        every: HEARTBEAT_MS,
        run: () =>
          setClock.look(async (by) => {
            const jobs = await store.write((now) => moveTimes(by, dispatcher.process, now));
            log.warn({ seconds: Math.round(by / 1000), jobs }, 'the wall clock was set');
            dispatcher.wake();
            scheduler?.wake();
          }),
      },
      { name: 'socket', every: HEARTBEAT_MS, run: async () => api?.ensure() },
      {
        name: 'open files',
        every: HEARTBEAT_MS,
        run() {
          if (!areFilesShort()) return;
          pool.refresh();
          throw new Error(FILES_SHORT);
        },
      },
      { name: 'checkpoint', every: 60_000, run: () => store.checkpoint() },
      ...(kind === 'supervisor'
        ? [
            {
              name: 'monitor',
              every: CHECK_MS,
              run: () => (state.retiring === true ? undefined : monitor({ config, store, log, clock })),
            },
          ]
        : []),
    ],
    clock,
    events,
  );

  /** What `passito status` shows is at most a second old while jobs run; an idle process writes nothing more. */
  let publishing: Timer | undefined;
  const publish = () => {
    publishing ??= clock.after(PUBLISH_MS, () => {
      publishing = undefined;
      liveness.beat().catch((error: unknown) => events.emit('trouble', { where: 'heartbeat', error }));
    });
  };

  const stopListening = store.onChange((change) => {
    dispatcher.wake();
    if (change !== 'external') return;
    // Another process may have cancelled what runs here, or have changed the tables.
    watchdog.checkLeases();
    if (clock.monotonic() - lookedAt > LOOK_MS) look();
  });
  events.on('launched', () => {
    watchdog.poke();
    publish();
  });
  events.on('scaled', () => publish());
  // Claims that come back full mean that more waits than the workers there are can take.
  events.on('backlog', () => scaler.burst());

  dispatcher.start();
  scaler.start();
  maintenance.start();
  await scheduler?.start();
  away.tell(log);
  log.info(
    {
      pid: globalThis.process.pid,
      version,
      db: store.file,
      workers: `${settings.minWorkers}-${settings.maxWorkers}`,
      types: types.size,
    },
    `${kind} ready`,
  );

  /** `finishing` ends what the supervisor itself does just now, such as a backup. */
  const stop = async (ms: number, cutShort: AbortSignal, finishing: AbortSignal) => {
    scaler.stop();
    const [written] = await Promise.all([dispatcher.drain(ms, cutShort), scheduler?.stop(finishing)]);
    publishing?.cancel();
    stopListening();
    maintenance.stop();
    watchdog.stop();
    if (!written) {
      // No goodbye: whoever starts next sees that this process is gone, and takes its jobs back.
      await pool.destroy();
      throw errors.unwritten(dispatcher.held, store.file);
    }
    await liveness.stop();
    await store.checkpoint();
    return close(finishing);
  };

  return {
    events,
    types,
    broken: broken.promise,
    vitals: () => ({
      workers: pool.threads.length,
      maxWorkers: scaler.limits.maxWorkers,
      running: dispatcher.running.size,
      silentFor: clock.monotonic() - answered,
      counts: () => {
        const { due, failed } = store.glance(COUNTED + 1, [...types.keys()], settings.queues);
        const shown = (count: number) => (count > COUNTED ? `${COUNTED}+` : String(count));
        return { due: shown(due), failed: shown(failed) };
      },
    }),
    stop: (ms, cutShort) => stop(ms, cutShort, AbortSignal.abort()),
    retire(cutShort) {
      state.retiring = true;
      liveness.beat().catch((error: unknown) => events.emit('trouble', { where: 'heartbeat', error }));
      return stop(Number.POSITIVE_INFINITY, cutShort, cutShort);
    },
  };
}
