/** The chain of an approved pass as anybody can see it from outside, while its supervisor works or after its death. */

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { Daemon, Site } from './daemon.ts';

/** The steps of a chain in their order, each by what can be seen once it has been made. */
export const STAGES = [
  'QR code waits',
  'QR code begun',
  'QR code half written',
  'QR code written',
  'QR code noted',
  'document waits',
  'document begun',
  'document half written',
  'document written',
  'document noted',
  'mail waits',
  'mail begun',
  'mail in the ledger',
  'mail noted',
  'done',
] as const;

export type Stage = (typeof STAGES)[number];

/** Between two looks, in milliseconds: the shortest step takes about one. */
const LOOK_MS = 0.1;

/** As long as the step before it has not begun. */
const GLANCE_MS = 2;

const still = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps in the thread: a timer cannot wait for less than a millisecond. */
function nap(): void {
  Atomics.wait(still, 0, 0, LOOK_MS);
}

interface Pass {
  qr_path: string | null;
  document_path: string | null;
  mail: string | null;
}

/** Reads the queue, the records and the files beside the supervisor, on a connection that cannot write. */
export class WatchedChains {
  readonly #files: string;
  readonly #db: Database.Database;
  readonly #statuses: Database.Statement<[string], string>;
  readonly #pass: Database.Statement<[number], Pass>;

  constructor(site: Site) {
    this.#files = site.path('files');
    this.#db = new Database(site.db, { readonly: true, timeout: 5000 });
    this.#statuses = this.#db
      .prepare<[string], string>('SELECT status FROM jobs WHERE payload = ? ORDER BY id')
      .pluck();
    this.#pass = this.#db.prepare(
      `SELECT qr_path, document_path, (SELECT state FROM mails WHERE outpass_id = o.id) AS mail
       FROM outpasses o WHERE id = ?`,
    );
  }

  close(): void {
    this.#db.close();
  }

  /** How far the chain of a pass has come. Files that an earlier attempt has left count as this one's. */
  stage(id: number): Stage {
    const [qr = '', document = '', mail = ''] = this.#statuses.all(JSON.stringify({ outpass_id: id }));
    const pass = this.#pass.get(id);
    if (qr !== 'completed') {
      return `QR code ${written(qr, this.#names('qr', `outpass-${id}.png`), pass?.qr_path)}`;
    }
    if (document !== 'completed') {
      const names = this.#names('documents', `outpass-${id}.pdf`);
      return `document ${written(document, names, pass?.document_path)}`;
    }
    if (mail === 'completed') return 'done';
    if (mail !== 'processing') return 'mail waits';
    if (pass?.mail === 'sent') return 'mail noted';
    return pass?.mail === 'sending' ? 'mail in the ledger' : 'mail begun';
  }

  /** The endings of the files whose names begin so: '' for the file itself. */
  #names(folder: string, name: string): string[] {
    try {
      const found = readdirSync(`${this.#files}/${folder}`).filter((one) => one.startsWith(name));
      return found.map((one) => one.slice(name.length));
    } catch {
      return [];
    }
  }

  /** Looks until the chain has come so far, or further. */
  async reaches(id: number, stage: Stage, ms = 15_000): Promise<void> {
    const until = performance.now() + ms;
    const wanted = STAGES.indexOf(stage);
    for (;;) {
      const seen = this.stage(id);
      if (STAGES.indexOf(seen) >= wanted) return;
      if (performance.now() > until) throw new Error(`no '${stage}' of outpass #${id} within ${ms} ms`);
      if (seen.endsWith('waits')) await sleep(GLANCE_MS);
      else {
        nap();
        // Whoever the supervisor talks to may live in this process.
        await new Promise(setImmediate);
      }
    }
  }
}

function written(status: string, endings: readonly string[], noted: string | null | undefined) {
  if (status !== 'processing') return 'waits';
  if (typeof noted === 'string') return 'noted';
  if (endings.includes('')) return 'written';
  return endings.length > 0 ? 'half written' : 'begun';
}

/** Stops every thread of a process, and returns once it stands: it can be ended then, or go on. */
export function freeze(daemon: Daemon): void {
  daemon.signal('SIGSTOP');
  // The state stands behind the name.
  while (!/\) T [^)]*$/.test(readFileSync(`/proc/${daemon.pid}/stat`, 'utf8'))) nap();
}
