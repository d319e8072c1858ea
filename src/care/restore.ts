/**
 * A restore: the backup is unpacked and checked in a folder of its own, then takes the place of what is there. Up to the
 * mark beside the database everything is as it was; from then on no command opens the database, and what is left to do
 * are moves that can be done again. So a kill at any moment leaves the former state, or one that the next
 * `passito restore` completes.
 */

import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { isAlive, openedBy } from '../edge/machine.ts';
import { systemClock } from '../engine/clock.ts';
import { formatSize } from '../engine/units.ts';
import { errors, messageOf, PassitoError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { MIGRATIONS } from '../store/sqlite/migrations.ts';
import { isShared, restoringMark } from '../store/sqlite/open.ts';
import { Queries } from '../store/sqlite/queries.ts';
import { makeReady, withDatabase } from '../store/sqlite/snapshot.ts';
import { BadArchive } from './archive.ts';
import { DATABASE, FOLDERS } from './contents.ts';
import { checked, type Steps, syncFolder, withBar } from './steps.ts';
import { unpack } from './unpack.ts';
import { workFolder } from './work-folder.ts';

/** What was restored. */
export interface RestoreReport {
  database: string;
  /** The moment that it is of; UTC. */
  made_at: string;
  schema: number;
  /** How many files lie beside the database. */
  files: number;
  /** Where the former state lies, if there was one. */
  kept: string | null;
}

/** What stands in the mark: where the new state waits, and where the old one goes. */
interface Plan {
  staged: string;
  kept: string;
  /** What the backup holds: a part that does not wait any more has arrived. */
  parts: string[];
}

/** Puts a backup in the place of what is there, which `force` allows and keeps; `dryRun` only checks it. */
export async function restore(
  config: Config,
  file: string,
  steps: Steps & { force: boolean; dryRun: boolean; by: string },
): Promise<RestoreReport> {
  const database = resolve(config.settings.db);
  const state = dirname(database);
  if (existsSync(restoringMark(database))) throw errors.restoreInterrupted(database);
  const parent = checkPlace(file, state);
  if (!steps.dryRun) await refuseInUse(database);
  const there = [DATABASE, ...FOLDERS].map((name) => placeOf(name, database)).find(holdsSomething);
  if (there !== undefined && !steps.force && !steps.dryRun) {
    throw errors.fileExists(there, 'Use --force to keep it under another name, and restore.');
  }
  return written(file, state, async () => {
    const made = steps.dryRun ? undefined : makeFolder(state, 0o700);
    const staged = workFolder(steps.dryRun ? parent : state, 'restore');
    try {
      const manifest = await withBar(steps, statSync(file).size, (step) => unpack(file, staged, step));
      if (manifest.schema > MIGRATIONS.length) {
        throw new BadArchive('is from a newer passito; use the newer executable');
      }
      steps.say('Checking the database');
      const problem = await makeReady(join(staged, DATABASE), Date.now(), {
        by: steps.by,
        what: `${resolve(file)}, of ${manifest.made_at} UTC`,
      });
      if (problem !== undefined) throw new BadArchive(`holds a damaged database: ${problem}`);
      checked(steps);
      const parts = [DATABASE, ...FOLDERS].filter((name) => existsSync(join(staged, name)));
      const kept = keptName(database);
      if (!steps.dryRun) {
        giveToOwner(staged, state);
        // As it is where the database is made there.
        if (isShared(state)) chmodSync(join(staged, DATABASE), 0o660);
        await takePlace(database, { staged: basename(staged), kept: basename(kept), parts });
      }
      const { made_at, schema, files } = manifest;
      return { database, made_at, schema, files: files.length - 1, kept: existsSync(kept) ? kept : null };
    } finally {
      // Where the mark is still set, what it names is needed.
      if (!existsSync(restoringMark(database))) rmSync(staged, { recursive: true, force: true });
      if (made !== undefined && readdirSync(state).length === 0) rmdirSync(state);
    }
  });
}

/** Completes a restore that was cut off in its last step. False where there is none. */
export async function finishRestore(config: Config): Promise<boolean> {
  const database = resolve(config.settings.db);
  const mark = restoringMark(database);
  if (!existsSync(mark)) return false;
  refuseOpen(database);
  move(database, readPlan(mark));
  return true;
}

/** Where a part of a backup has its place. */
function placeOf(name: string, database: string): string {
  return name === DATABASE ? database : join(dirname(database), name);
}

function holdsSomething(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  return !found.isDirectory() || readdirSync(path).length > 0;
}

/** A supervisor says so in the database; whoever else has it open is seen by the system. */
async function refuseInUse(database: string): Promise<void> {
  // One that is too damaged to say so is no reason not to restore.
  const working = await withDatabase(database, 'read', (db) =>
    new Queries(db, systemClock).processes().filter(isAlive),
  ).catch(() => []);
  const [one] = working;
  if (one !== undefined) {
    throw errors.databaseInUse(database, `a ${one.kind} (pid ${one.pid} on ${one.host})`);
  }
  refuseOpen(database);
}

function refuseOpen(database: string): void {
  const users = [database, `${database}-wal`].flatMap(openedBy);
  if (users.length > 0) throw errors.databaseInUse(database, [...new Set(users)].join(', '));
}

/** Whether there is room, and all of it can be moved. Gives the folder that is there already, on the way to it. */
function checkPlace(file: string, state: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw errors.badFile(file, 'there is no such file');
  if (!found.isFile()) throw errors.badFile(file, found.isDirectory() ? 'it is a folder' : 'it is no file');
  try {
    accessSync(file, constants.R_OK);
  } catch {
    throw errors.badFile(file, 'this user may not read it');
  }
  const { size } = found;
  let folder = state;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < size) {
    const free = formatSize(bavail * bsize);
    throw errors.restoreUnwritten(
      state,
      `it needs ${formatSize(size)}, and ${free} are free`,
      'Free some space first.',
    );
  }
  for (const name of FOLDERS) {
    const there = lstatSync(join(state, name), { throwIfNoEntry: false });
    if (there?.isDirectory() === true && there.dev !== statSync(state).dev) {
      const reason = `${join(state, name)} is a disk of its own and cannot be moved aside`;
      throw errors.restoreUnwritten(state, reason, 'Unmount it, restore, and copy the files there by hand.');
    }
  }
  return folder;
}

/** What is wrong with the archive, and what with the place that it is to be restored into. */
async function written<T>(file: string, state: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BadArchive) throw errors.badBackup(file, error.message);
    const { code = '' } = error as NodeJS.ErrnoException;
    if (error instanceof PassitoError) {
      // Of the backup's own database: its path is that of a folder that is gone by now.
      if (!code.startsWith('DATABASE_') || code === 'DATABASE_IN_USE') throw error;
      throw errors.badBackup(file, `holds a database that cannot be used (${code})`);
    }
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw errors.badBackup(file, 'holds a file and a folder of one name');
    }
    if (['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].includes(code)) {
      throw errors.restoreUnwritten(state, 'the disk is full', 'Free some space first.');
    }
    if (/^E[A-Z]+$/.test(code)) throw errors.restoreUnwritten(state, messageOf(error));
    throw errors.badBackup(file, `holds a database that cannot be used (${messageOf(error)})`);
  }
}

/** Root restores for the service's user: everything belongs to whom the folder belongs to. */
function giveToOwner(staged: string, state: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = statSync(state);
  if (uid === 0) return;
  chownSync(staged, uid, gid);
  for (const entry of readdirSync(staged, { recursive: true, encoding: 'utf8' })) {
    chownSync(join(staged, entry), uid, gid);
  }
}

function keptName(database: string): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  for (let n = 1; ; n++) {
    const name = `${database}.before-restore-${time}${n === 1 ? '' : `-${n}`}`;
    if (!existsSync(name)) return name;
  }
}

async function takePlace(database: string, plan: Plan): Promise<void> {
  await refuseInUse(database);
  const mark = restoringMark(database);
  const draft = join(dirname(database), plan.staged, 'plan');
  writeFileSync(draft, JSON.stringify(plan), { mode: 0o600, flush: true });
  syncFolder(join(dirname(database), plan.staged));
  // Linked, and not renamed: of two restores at once the second fails here.
  linkSync(draft, mark);
  syncFolder(dirname(database));
  try {
    // Who opens the database from now on sees the mark, and who did before is seen here.
    refuseOpen(database);
  } catch (error) {
    rmSync(mark);
    throw error;
  }
  move(database, plan);
}

/** The moves. Each is left out where it was done before, so that a restore that was cut off can be completed. */
function move(database: string, { staged, kept, parts }: Plan): void {
  const state = dirname(database);
  const from = join(state, staged);
  const aside = join(state, kept);
  // The log of the old database first: it must never lie beside the new one.
  for (const suffix of ['-wal', '-shm', '-journal']) moveAside(`${database}${suffix}`, aside);
  for (const name of [DATABASE, ...FOLDERS]) {
    const [fresh, place] = [join(from, name), placeOf(name, database)];
    const done = parts.includes(name) && !existsSync(fresh);
    if (done) continue;
    moveAside(place, aside);
    if (parts.includes(name)) renameSync(fresh, place);
  }
  syncFolder(state);
  rmSync(restoringMark(database));
  syncFolder(state);
  rmSync(from, { recursive: true, force: true });
}

function moveAside(path: string, aside: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  if (mkdirSync(aside, { recursive: true, mode: 0o700 }) !== undefined && process.geteuid?.() === 0) {
    const { uid, gid } = statSync(dirname(aside));
    chownSync(aside, uid, gid);
  }
  let target = join(aside, basename(path));
  // 'passito keys' may have made a key between the two tries.
  for (let n = 2; existsSync(target); n++) target = join(aside, `${basename(path)}-${n}`);
  renameSync(path, target);
}

/** What stands in the mark, where it is one of ours: then its folder is there until the last move is done. */
function readPlan(mark: string): Plan {
  let found: Partial<Plan> | null = null;
  try {
    found = JSON.parse(readFileSync(mark, 'utf8')) as Partial<Plan> | null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const { staged, kept, parts } = found ?? {};
  if (typeof staged !== 'string' || typeof kept !== 'string' || !Array.isArray(parts)) {
    throw errors.restoreMarkUnsound(mark);
  }
  return { staged: basename(staged), kept: basename(kept), parts };
}
