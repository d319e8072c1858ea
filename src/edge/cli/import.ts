/** `passito import …`: records from a CSV or JSON file, all or nothing, or as many as are sound. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openOffice, openStore } from '../../app.ts';
import type { Config } from '../../config.ts';
import { EXIT, errors, messageOf } from '../../errors.ts';
import {
  HEAD,
  hostelRows,
  ImportError,
  movementRows,
  outpassRows,
  PROBLEM_COLUMN,
  reportRows,
  type RowProblem,
  studentRows,
  tellProblems,
  userRows,
} from '../../outpass/import.ts';
import type { ImportOptions, ImportResult } from '../../store/sqlite/office-import.ts';
import type { SqliteOffice } from '../../store/sqlite/office.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import { readTable, type Table, TableError } from '../csv.ts';
import { rejectedPath, rejectedRows } from '../rejected.ts';
import { type Command, type CommandOption, type Input, JSON_OPTION } from './command.ts';
import { audited } from './audit.ts';
import { progressBar } from './progress.ts';
import { readFile } from './values.ts';

/** A file that was checked: how many rows are sound, what is wrong with the others, and how the sound ones are written. */
interface Checked {
  sound: number;
  problems: RowProblem[];
  write: (office: SqliteOffice, options: ImportOptions) => Promise<ImportResult>;
}

const KINDS = {
  hostels(table: Table): Checked {
    const { rows, problems } = hostelRows(table);
    return { sound: rows.length, problems, write: (office, options) => office.importHostels(rows, options) };
  },
  users(table: Table): Checked {
    const { rows, problems } = userRows(table);
    return { sound: rows.length, problems, write: (office, options) => office.importUsers(rows, options) };
  },
  students(table: Table): Checked {
    const { rows, problems } = studentRows(table);
    return { sound: rows.length, problems, write: (office, options) => office.importStudents(rows, options) };
  },
  outpasses(table: Table, zone: string): Checked {
    const { rows, problems } = outpassRows(table, zone);
    return {
      sound: rows.length,
      problems,
      write: (office, options) => office.importOutpasses(rows, options),
    };
  },
  movements(table: Table, zone: string): Checked {
    const { rows, problems } = movementRows(table, zone, Date.now());
    return {
      sound: rows.length,
      problems,
      write: (office, options) => office.importMovements(rows, options),
    };
  },
  reports(table: Table): Checked {
    const { rows, problems } = reportRows(table);
    return { sound: rows.length, problems, write: (office, options) => office.importReports(rows, options) };
  },
};

type Kind = keyof typeof KINDS;

const OPTIONS: readonly CommandOption[] = [
  { name: 'partial', about: 'Import the good rows, and write the others into a file of their own' },
  { name: 'dry-run', about: 'Say what would be imported, and write nothing' },
  JSON_OPTION,
];

const command = (kind: Kind, key: string, does = `Insert or update ${kind}`): Command => ({
  name: `import ${kind}`,
  args: '<file>',
  about: `${does} from CSV or JSON, by ${key}`,
  options: OPTIONS,
  example: `passito import ${kind} ${kind}.csv`,
  run: (input) => run(input, kind),
});

export const importHostels = command('hostels', 'name');
export const importUsers = command('users', 'e-mail address');
export const importStudents = command('students', 'roll number');
export const importOutpasses = command('outpasses', 'reference');
export const importMovements = command('movements', "the pass's reference");
export const importReports = command('reports', 'report and gender', 'Change the settings of reports');

async function run(input: Input, kind: Kind): Promise<number> {
  const path = input.args[0] as string;
  const how = { partial: input.has('partial'), dryRun: input.has('dry-run'), input };
  const { table, ...result } = await importFile(await input.config(), path, kind, how);
  const { inserted, updated, unchanged, problems } = result;
  const rejected = how.dryRun || problems.length === 0 ? null : rejectedPath(path, kind, table.format);
  if (problems.length > 0) input.note(tellProblems(problems));
  if (rejected !== null) writeRejected(rejected, table, problems);
  const counts = { inserted, updated, unchanged, rejected: problems.length };
  if (input.json) {
    input.print(JSON.stringify({ ...counts, rejected_file: rejected, dry_run: how.dryRun }));
  } else {
    const left = problems.length === 0 ? '' : `, ${problems.length} rejected`;
    const end = how.dryRun ? ' (a dry run: nothing was written)' : '';
    input.print(`${kind}: ${inserted} inserted, ${updated} updated, ${unchanged} unchanged${left}${end}.`);
    if (rejected !== null) input.note(`Correct the rejected rows in ${rejected}, and import that file.`);
  }
  return problems.length === 0 ? 0 : EXIT.no;
}

/**
 * Reads, checks and writes a file. Where a row is bad, nothing is written, unless the import may be partial. `input`:
 * of the command that is noted as having done it.
 */
export async function importFile(
  config: Config,
  path: string,
  kind: Kind,
  { partial = false, dryRun = false, input }: { partial?: boolean; dryRun?: boolean; input?: Input } = {},
): Promise<ImportResult & { table: Table }> {
  const what = path === '-' ? 'Standard input' : path;
  try {
    const table = await readTable(readFile(path));
    const { sound, problems, write } = KINDS[kind](table, config.settings.timeZone);
    if (problems.some(({ place }) => place === HEAD)) throw new ImportError(problems);
    const bar = progressBar(sound);
    const options = { problems, partial, dryRun, progress: (done: number) => bar.to(done) };
    const doomed = dryRun || (problems.length > 0 && !partial);
    try {
      const result = await inOffice(config, doomed, (office, store) => {
        const work = () => write(office, options);
        if (input === undefined) return work();
        return audited(store, input, `import ${kind}`, work, ({ inserted, updated }) =>
          inserted + updated === 0 ? undefined : `${what}: ${inserted} inserted, ${updated} updated`,
        );
      });
      return { ...result, table };
    } finally {
      bar.end();
    }
  } catch (error) {
    if (error instanceof TableError) throw errors.badRows(what, error.message);
    if (!(error instanceof ImportError)) throw error;
    const hint = error.problems.some(({ place }) => place === HEAD)
      ? undefined
      : '--partial imports the other rows, and writes these into a file of their own.';
    throw errors.badRows(what, error.message, hint);
  }
}

/** What is to leave no trace makes no database either: where there is none, it runs on one that goes away. */
async function inOffice<T>(
  config: Config,
  traceless: boolean,
  work: (office: SqliteOffice, store: SqliteStore) => Promise<T>,
): Promise<T> {
  const absent = traceless && !existsSync(config.settings.db);
  const folder = absent ? mkdtempSync(join(tmpdir(), 'passito-')) : undefined;
  const settings = {
    ...config.settings,
    ...(folder === undefined ? {} : { db: join(folder, 'passito.db') }),
  };
  const store = await openStore({ ...config, settings }, 'create');
  try {
    return await work(openOffice(config, store), store);
  } finally {
    await store.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function writeRejected(path: string, table: Table, problems: readonly RowProblem[]): void {
  const byPlace = new Map(problems.map(({ place, reason }) => [place, reason]));
  try {
    // Names and numbers of people: for the owner alone.
    writeFileSync(path, rejectedRows(table, PROBLEM_COLUMN, byPlace), { mode: 0o600 });
  } catch (error) {
    throw errors.rejectedUnwritten(path, messageOf(error));
  }
}
