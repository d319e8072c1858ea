/** What the steps of `passito demo` share. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openOffice, openStore } from '../../../app.ts';
import type { Config } from '../../../config.ts';
import { systemClock } from '../../../engine/clock.ts';
import type { PassDetails } from '../../../outpass/office.ts';
import type { SqliteOffice } from '../../../store/sqlite/office.ts';
import { Queries } from '../../../store/sqlite/queries.ts';
import type { SqliteStore } from '../../../store/sqlite/store.ts';
import { writeCsv } from '../../csv.ts';
import { type PlannedPass, planPasses } from './passes.ts';

/** A demo under way. */
export interface Tour {
  readonly config: Config;
  /** Where all of it lies. */
  readonly folder: string;
  /** When it began, in milliseconds: yesterday and tomorrow are counted from here. */
  readonly now: number;
  readonly zone: string;
  readonly plan: readonly PlannedPass[];
  readonly store: SqliteStore;
  readonly office: SqliteOffice;
  readonly queries: Queries;
}

/** Opens a database in the folder. */
export async function startTour(config: Config, folder: string): Promise<Tour> {
  const now = Date.now();
  const zone = config.settings.timeZone;
  const store = await openStore(config, 'create');
  const office = openOffice(config, store);
  const queries = new Queries(store.db, systemClock);
  return { config, folder, now, zone, plan: planPasses(now, zone), store, office, queries };
}

/** Writes an import file into the folder and gives its path. */
export function keepCsv({ folder }: Tour, name: string, lines: readonly (readonly string[])[]): string {
  const path = join(folder, `${name}.csv`);
  writeFileSync(path, writeCsv(lines), { mode: 0o600 });
  return path;
}

/** The pass that was planned. */
export async function passOf({ office }: Tour, { reference }: PlannedPass): Promise<PassDetails> {
  const pass = await office.pass(reference);
  if (pass === undefined) throw new Error(`the demo's pass ${reference} is not there`);
  return pass;
}

/** The results of jobs; of one that did not complete, nothing. */
export function resultsOf<T>({ queries }: Tour, ids: readonly number[]): Partial<T>[] {
  return ids.map((id) => JSON.parse(queries.job(id)?.result ?? '{}') as Partial<T>);
}
