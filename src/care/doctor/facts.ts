/** What `passito doctor` judges by. Gathered by `gather.ts`, judged by `checks.ts`. */

import type { Config } from '../../config.ts';

/** A file or folder that only its owner may use. */
export interface OwnedPath {
  path: string;
  folder: boolean;
  mode: number;
  uid: number;
}

/** What the database says, or why it does not. */
export type DatabaseFacts =
  | { state: 'failed'; code: string; message: string; hint: string | undefined }
  | {
      state: 'open';
      schema: number;
      /** What SQLite finds wrong. */
      problems: string[];
      /** Bytes of the write-ahead log. */
      log: number;
      /** The newest time in it, in milliseconds since 1970. */
      newest: number | null;
      due: number;
      supervisors: { pid: number; version: string }[];
      backup: { at: number; file: string; there: boolean } | null;
      /** An alert that waits to be mailed: why the last try failed, and how many have. */
      unsent: { message: string; tries: number } | null;
    };

export interface Facts {
  settings: Config['settings'];
  origins: Config['origins'];
  /** Milliseconds since 1970. */
  now: number;
  version: string;
  /** The newest version of the tables that this program knows. */
  knownSchema: number;
  envFile: { path: string; mode: number | null };
  /** There or not. */
  configFile: string;
  /** The database's folder, and what of ours lies in it. `mixed`: other things than ours do, too. */
  state: (OwnedPath & { mixed: boolean }) | { path: string; mode: null };
  owned: OwnedPath[];
  /** Named in the settings and not there. */
  missing: { setting: string; path: string; folder: boolean }[];
  database: DatabaseFacts;
  /** Where the supervisor's backups go, if anywhere; `inside`: a folder that is backed up, around it. */
  backups: { path: string; inside: string | null; hasParent: boolean } | null;
  /** Bytes that are free where the database lies. */
  free: number | null;
  /** What the system's own clock service says; null: nobody knows. */
  clockSynchronised: boolean | null;
  smtp: 'none' | 'skipped' | 'well' | { message: string; hint: string | undefined };
  outbox: number;
  /** `strays`: options in the config file for types that there are not. */
  jobs:
    | { types: number; strays: { type: string; nearest?: string }[] }
    | { problem: string; hint: string | undefined };
  /** What systemd says of the supervisor's unit; null: there is no systemd. */
  unit: { enabled: string; active: string } | null;
  /** The version of the system's own `sqlite3`. */
  sqlite3: string | null;
}
