/**
 * Leases. A process renews the lease of all its jobs with one row every few seconds; whoever sees that
 * a process is gone from this host, or has not renewed for 30 s, takes its jobs back.
 */

import type { Clock } from './clock.ts';
import type { Events } from './events.ts';
import type { ProcessIdentity, ProcessRecord, Store } from './store.ts';

/** Between two heartbeats, in milliseconds. */
export const HEARTBEAT_MS = 5000;

/** Without a heartbeat for this long a lease has lapsed, in milliseconds. */
export const LEASE_MS = 30_000;

/** What the machine knows of a process: it is there, it is gone, or it runs on another host. */
export type Presence = 'here' | 'gone' | 'elsewhere';

export interface LivenessParts {
  store: Store;
  clock: Clock;
  events: Events;
  identity: Omit<ProcessIdentity, 'info'>;
  presence: (record: ProcessRecord) => Presence;
  /** A process of this host is gone: what it started must end before its jobs are run again. */
  buried: (record: ProcessRecord) => void;
  /** JSON of what this process tells of itself. */
  info: () => Promise<string>;
  /** This process was declared lost and has a new id. */
  renamed: (id: number) => void;
}

export class Liveness {
  readonly #parts: LivenessParts;
  /** When a heartbeat was first seen with its value: monotonic time, so a clock that jumps kills nobody. */
  readonly #seen = new Map<number, { heartbeat: string; since: number }>();
  #id = 0;
  #beating: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: LivenessParts) {
    this.#parts = parts;
  }

  /** This process's id in the store. */
  get id(): number {
    return this.#id;
  }

  /** Registers this process, then takes back at once what dead ones left on this host. */
  async start(): Promise<number> {
    this.#id = await this.#register();
    await this.rescue();
    return this.#id;
  }

  /** Renews the lease; where this process was declared lost in its sleep, registers it anew, once. */
  beat(): Promise<void> {
    if (this.#beating === undefined) {
      this.#beating = this.#beat().finally(() => (this.#beating = undefined));
      return this.#beating;
    }
    // What it tells may have changed since the one under way asked: one more, for all who ask meanwhile.
    this.#next ??= this.#beating
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.beat();
      });
    return this.#next;
  }

  async #beat(): Promise<void> {
    const { store, info } = this.#parts;
    try {
      if (await store.beat(this.#id, await info())) return;
    } catch (error) {
      // Nobody can write: the others' silence says nothing of them until it has lasted anew.
      this.#seen.clear();
      throw error;
    }
    // It came behind the goodbye.
    if (this.#stopped) return;
    this.#id = await this.#register();
    this.#parts.renamed(this.#id);
  }

  /** Takes back the jobs of every process whose lease has lapsed or that is gone. */
  async rescue(): Promise<void> {
    const { store, events, presence, buried } = this.#parts;
    // No process has the number 0: this takes back what says it runs and nobody holds (another program's rows).
    const unowned = await store.expire(0);
    if (unowned.returned.length + unowned.failed.length > 0) {
      events.emit('rescued', { process: 0, pid: 0, ...unowned });
    }
    for (const record of await store.processes()) {
      if (
        record.id === this.#id ||
        record.stoppedAt !== null ||
        record.lostAt !== null ||
        !this.#lapsed(record)
      ) {
        continue;
      }
      if (presence(record) === 'gone') buried(record);
      const { returned, failed } = await store.expire(record.id);
      this.#seen.delete(record.id);
      events.emit('rescued', { process: record.id, pid: record.pid, returned, failed });
    }
  }

  /** Says goodbye, so that nobody looks for this process. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#parts.store.signOff(this.#id);
  }

  async #register(): Promise<number> {
    const { store, identity, info } = this.#parts;
    return store.register({ ...identity, info: await info() });
  }

  #lapsed(record: ProcessRecord): boolean {
    if (this.#parts.presence(record) === 'gone') return true;
    const now = this.#parts.clock.monotonic();
    const seen = this.#seen.get(record.id);
    if (seen?.heartbeat === record.heartbeatAt) return now - seen.since >= LEASE_MS;
    this.#seen.set(record.id, { heartbeat: record.heartbeatAt, since: now });
    return false;
  }
}
