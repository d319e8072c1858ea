/** Puts the HTTP API together: the local socket, the admin's port, and what both ask of the store and the pool. */

import { socketPath } from './app.ts';
import type { Config } from './config.ts';
import { Api, type Jobs, LIMITS } from './edge/http/api.ts';
import type { Endpoints } from './edge/http/endpoints.ts';
import { type Address, openPort } from './edge/http/listener.ts';
import { SocketFile, SocketRefused } from './edge/http/socket-file.ts';
import type { Log } from './edge/log.ts';
import { isAlive, remedies } from './edge/machine.ts';
import { systemClock } from './engine/clock.ts';
import { healthAsJson, healthReasons } from './engine/health.ts';
import {
  insertLines,
  type JobLine,
  readLines,
  readOne,
  refuse,
  refuseUnknown,
  toldLines,
} from './engine/job-lines.ts';
import { PayloadChecks } from './engine/payload-checks.ts';
import type { Pool } from './engine/pool.ts';
import type { TypeDefaults } from './engine/queue.ts';
import type { Inserted, NewJob } from './engine/store.ts';
import type { JobType } from './engine/types.ts';
import { Waits } from './engine/waits.ts';
import { errors, type Problem } from './errors.ts';
import { readTime, timeForm } from './outpass/read-time.ts';
import { HealthQueries } from './store/sqlite/health-queries.ts';
import { jobWhole } from './store/sqlite/job-json.ts';
import { lockHolder } from './store/sqlite/lock-holder.ts';
import { publishedType, Queries } from './store/sqlite/queries.ts';
import type { SqliteStore } from './store/sqlite/store.ts';

/** A client is told to try again rather than to wait longer than this for another program's lock, in milliseconds. */
const PATIENCE_MS = 5000;

/** The most jobs and dependencies of one request: checked and written without a pause, some tenths of a second. */
const MOST_LINES = 10_000;

/** Monitors may ask as often as they like: health is looked at no more often than this. Milliseconds. */
const HEALTH_MS = 1000;

/** At a stop, answers that are under way have this long to get out. Milliseconds. */
const FAREWELL_MS = 2000;

/** At a reload they have as long as the longest wait takes. Milliseconds. */
const LONGEST_ANSWER_MS = 65_000;

/** What it is made of. */
export interface ApiParts {
  config: Config;
  store: SqliteStore;
  types: ReadonlyMap<string, JobType>;
  pool: Pool;
  endpoints: Endpoints;
  log: Log;
}

/** The API of a supervisor that runs. */
export interface ServedApi {
  /** The socket's path while this process serves it. */
  readonly socket: string | null;
  /** The port's address. */
  readonly http: string | null;
  /** Takes the socket over where the process that served it has gone. Called every few seconds. */
  ensure(): Promise<void>;
  /** Ends it; with a signal, requests that wait for a job have until then, or until they are answered. */
  close(cutShort?: AbortSignal): Promise<void>;
}

/** Serves it. Throws where a socket or address that somebody named cannot be had. */
export async function serveApi(parts: ApiParts): Promise<ServedApi> {
  const { config, endpoints, log } = parts;
  const api = new Api(jobsOf(parts), (error) =>
    log.error({ err: error }, 'HTTP: a request could not be answered'),
  );
  const path = socketPath(config);
  const socket =
    path === null
      ? null
      : await endpoints.serve(`socket ${path}`, api.createServer(false), LIMITS, async (create) =>
          openSocket(new SocketFile(path, create), config.settings.socket === 'auto', log),
        );
  const { http: wanted } = config.settings;
  const port = await servePort(wanted, api, endpoints).catch(async (error: unknown) => {
    await socket?.close(0);
    throw error;
  });
  if (port !== null) log.info({ address: port.opened.address }, 'HTTP is served');
  return {
    get socket() {
      return socket?.opened.file.serving === true ? socket.opened.file.path : null;
    },
    http: port?.opened.address ?? null,
    async ensure() {
      if (socket?.newest === true) await socket.opened.ensure().catch(() => undefined);
    },
    async close(cutShort = AbortSignal.abort()) {
      cutShort.addEventListener('abort', () => api.close());
      if (cutShort.aborted) api.close();
      const ms = cutShort.aborted ? FAREWELL_MS : LONGEST_ANSWER_MS;
      await Promise.all([socket?.close(ms), port?.close(ms)]);
      api.close();
    },
  };
}

async function servePort(wanted: Address | null, api: Api, endpoints: Endpoints) {
  if (wanted === null) return null;
  return endpoints.serve(`http ${wanted.host}:${wanted.port}`, api.createServer(true), LIMITS, (create) =>
    openPort(create(), wanted, errors.httpAddress),
  );
}

/** `optional`: where nobody asked for it, it is no reason not to run jobs. */
async function openSocket(file: SocketFile, optional: boolean, log: Log) {
  const { path } = file;
  const ensure = keeper(file, log);
  await ensure().catch((error: unknown) => {
    if (!optional || !(error instanceof SocketRefused)) throw named(error, path);
    log.warn({ path, reason: error.message }, 'the local socket is not served');
  });
  return { file, ensure, close: (ms: number) => file.close(ms) };
}

/** Tells of a change, and only of that. */
function keeper(socket: SocketFile, log: Log): () => Promise<void> {
  let known: boolean | undefined;
  return async () => {
    const serving = await socket.ensure();
    if (serving === known) return;
    known = serving;
    const { path } = socket;
    if (serving) log.info({ path }, 'the local socket is served');
    else log.info({ path }, 'another process serves the local socket; this one takes over when it has gone');
  };
}

function named(error: unknown, path: string): unknown {
  return error instanceof SocketRefused ? errors.localSocket(path, error.message) : error;
}

function jobsOf({ config, store, types, pool, log }: ApiParts): Jobs {
  const { timeZone } = config.settings;
  const times = { read: (text: string) => readTime(text, timeZone), form: timeForm };
  const queries = new Queries(store.db, systemClock);
  const health = new HealthQueries(store.db, systemClock);
  const waits = new Waits(store);
  const checks = new PayloadChecks({
    ask: (requests, timeout) => pool.check(requests, timeout),
    silent: (type, error) =>
      log.warn(
        { type, err: error },
        'payloads of this type are not checked at dispatch: its code does not answer',
      ),
  });

  async function write(lines: JobLine[], atomic: boolean, what: string): Promise<Inserted[]> {
    const size = lines.reduce((sum, { after }) => sum + 1 + after.length, 0);
    if (size > MOST_LINES) {
      const message = `It has ${size} jobs and dependencies; send at most ${MOST_LINES} at once.`;
      refuse(what, [{ message, tooLarge: true }]);
    }
    await check(lines, what);
    const anyWaits = lines.some(({ after }) => after.length > 0);
    if (anyWaits) await store.read(() => refuseUnknown(lines, (ids) => queries.unknown(ids)));
    return insertLines(lines, { atomic, defaults, insert: (jobs) => insertSoon(store, jobs) });
  }

  async function check(lines: readonly JobLine[], what: string): Promise<void> {
    const problems: Problem[] = [];
    const verdicts = lines.map(async ({ number, request }) => {
      const { type, payload } = request;
      const { checked, source = '' } = types.get(type) ?? {};
      if (checked !== true) return;
      const { problem, uniqueKey } = await checks.check({ type, source, payload });
      if (problem !== undefined) {
        const { message } = errors.badPayload(type, problem);
        problems.push({ ...(lines.length > 1 ? { line: number } : {}), key: 'payload', message });
      } else if (uniqueKey !== undefined) request.uniqueKey ??= uniqueKey;
    });
    await Promise.all(verdicts);
    refuse(what, problems);
  }

  /** Attempts are left to the type that the job meets when it runs. */
  function defaults(type: string): TypeDefaults | undefined {
    const { priority, queue, redact } = types.get(type) ?? publishedType(queries, type) ?? {};
    return priority === undefined || queue === undefined
      ? undefined
      : { priority, queue, redact: redact ?? [] };
  }

  const look = remembered(HEALTH_MS, () =>
    store.read(() => {
      const snapshot = health.snapshot(config.settings.alertThreshold, isAlive);
      return healthAsJson(snapshot, healthReasons(snapshot, remedies(store.file)));
    }),
  );

  return {
    async dispatch(text) {
      const line = readOne(text, times, 'The job');
      const [inserted] = await write([line], true, 'The job');
      return inserted as Inserted;
    },
    async dispatchLines(text, atomic) {
      const what = 'The request';
      const lines = readLines(text, times, what);
      return toldLines(lines, await write(lines, atomic, what));
    },
    job: (id) => store.read(() => jobWhole(queries, id)),
    ended: (id, signal) => waits.until(id, signal),
    health: look,
  };
}

/** Inserts, or gives up so that it surely is not done later: who is told to try again must not get it twice. */
function insertSoon(store: SqliteStore, jobs: readonly NewJob[]): Promise<Inserted[]> {
  const busy = () => errors.databaseBusy(store.file, PATIENCE_MS / 1000, lockHolder(store.file));
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(busy());
    }, PATIENCE_MS);
    const written = store.write((now) => {
      if (late) throw busy();
      return store.insertNow(jobs, now);
    });
    written.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Asks again only when the last answer is `ms` old. */
function remembered<T>(ms: number, ask: () => Promise<T>): () => Promise<T> {
  let last: { at: number; answer: Promise<T> } | undefined;
  return () => {
    const now = performance.now();
    if (last === undefined || now - last.at > ms) last = { at: now, answer: ask() };
    return last.answer;
  };
}
