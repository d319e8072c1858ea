/** Runs a table of commands, and keeps what each said in one text that a person can read. */

import { chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Site, SiteRun } from './daemon.ts';
import { executable, type Run } from './executable.ts';

/** A command, where it is typed, and what it must end with. */
export interface Case {
  name: string;
  args: readonly string[];
  code: number;
  /** Files to write first. */
  files?: Record<string, string | Buffer>;
  /** Starts on a copy of the prepared database. */
  prepared?: boolean;
  /** The last touch to the folder, given its path. */
  arrange?: (folder: string) => void;
  input?: string;
  env?: Record<string, string>;
  /** Runs as a user without rights. */
  stranger?: boolean;
  /** Shows where the user's own code threw. */
  stack?: boolean;
  /** Tells several problems: more than two lines. */
  list?: boolean;
  /** Changes something, although it ends with an error or a warning. */
  effect?: boolean;
  /** May write to stdout as well. */
  prints?: boolean;
}

export interface Said extends Run {
  /** What changed in the folder and in the database. */
  before: string;
  after: string;
}

/** A user that owns nothing. */
export const STRANGER = 54_321;

/** Runs one case in a folder of its own. */
export async function say(
  site: Site,
  one: Case,
  number: number,
  template: string,
  copy: string,
): Promise<Said> {
  const folder = site.path(`case-${number}`);
  mkdirSync(folder);
  for (const [name, text] of Object.entries(one.files ?? {})) site.write(join(`case-${number}`, name), text);
  if (one.prepared === true) copyFileSync(template, join(folder, 'passito.db'));
  one.arrange?.(folder);
  const options: SiteRun = {
    cwd: folder,
    env: { PASSITO_DB: 'passito.db', TIME_ZONE: 'Asia/Kolkata', ...one.env },
  };
  if (one.input !== undefined) options.input = one.input;
  if (one.stranger === true) Object.assign(options, { uid: STRANGER, gid: STRANGER, file: copy });
  const before = stateOf(folder);
  const result = await site.run(one.args, options);
  return { ...result, before, after: stateOf(folder) };
}

/** All files with their sizes, and what the database holds; SQLite's own files beside it come and go. */
function stateOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/\.db(-wal|-shm)?$/.test(name))
    .map(
      (name) =>
        `${name} ${statSync(join(folder, name)).isDirectory() ? 'folder' : statSync(join(folder, name)).size}`,
    );
  return [...files.toSorted(), databaseState(join(folder, 'passito.db'))].join('\n');
}

function databaseState(path: string): string {
  if (!existsSync(path)) return 'no database';
  if (statSync(path).isDirectory()) return 'a folder';
  try {
    const db = new Database(path, { readonly: true });
    try {
      const rows = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1`).pluck().all();
      const jobs = rows.includes('jobs') ? db.prepare('SELECT id, status, lease FROM jobs').raw().all() : [];
      return JSON.stringify([rows, jobs]);
    } finally {
      db.close();
    }
  } catch {
    return `${statSync(path).size} bytes that are no database`;
  }
}

/** Makes the folder readable to a user without rights. */
export function giveTo(folder: string, uid: number): void {
  chownSync(folder, uid, uid);
}

/** One case as the snapshot shows it. What differs between machines and moments is replaced. */
export function transcript(one: Case, { code, stdout, stderr }: Run, folder: string): string {
  const clean = (text: string) =>
    text
      .replaceAll(folder, '.')
      .replaceAll(executable, 'EXECUTABLE')
      .replaceAll(/ +$/gm, '')
      .replaceAll(/\bpassito \d+\.\d+\.\d+\b/g, 'passito VERSION')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME')
      .replaceAll(/\bpid[= ]\d+/g, (found) => found.replace(/\d+/, 'N'));
  const streams = [
    ['out', stdout],
    ['err', stderr],
  ] as const;
  const told = streams.flatMap(([name, text]) =>
    text === ''
      ? []
      : clean(text)
          .trimEnd()
          .split('\n')
          .map((line) => `${name}| ${line}`.trimEnd()),
  );
  const lines = [
    `## ${one.name}`,
    `$ passito ${one.args.map(quoted).join(' ')}`.trimEnd(),
    `exit ${code}`,
    ...told,
  ];
  return `${lines.join('\n')}\n`;
}

function quoted(word: string): string {
  if (word.length > 100) return `'…${word.length} characters…'`;
  return /^[\w.:/@=,#-]+$/.test(word) ? word : `'${word}'`;
}
