/** `passito import …`: records from a CSV or JSON file, all or nothing. */

import { openOffice, openStore } from '../../app.ts';
import type { Config } from '../../config.ts';
import { errors } from '../../errors.ts';
import { ImportError, outpassRows, studentRows, tellProblems } from '../../outpass/import.ts';
import { readTable, TableError } from '../csv.ts';
import { type Command, type Input, JSON_OPTION } from './command.ts';
import { readFile } from './values.ts';

export const importStudents: Command = {
  name: 'import students',
  args: '<file>',
  about: 'Insert or update students from CSV or JSON, by roll number',
  options: [JSON_OPTION],
  example: 'passito import students students.csv',
  run: (input) => importFile(input, 'students'),
};

export const importOutpasses: Command = {
  name: 'import outpasses',
  args: '<file>',
  about: 'Insert or update outpasses from CSV or JSON, by reference',
  options: [JSON_OPTION],
  example: 'passito import outpasses outpasses.csv',
  run: (input) => importFile(input, 'outpasses'),
};

async function importFile(input: Input, what: 'students' | 'outpasses'): Promise<number> {
  const config = await input.config();
  const path = input.args[0] as string;
  try {
    const counts = await write(config, path, what);
    if (input.json) input.print(JSON.stringify(counts));
    else {
      input.print(
        `${what}: ${counts.inserted} inserted, ${counts.updated} updated, ${counts.unchanged} unchanged.`,
      );
    }
    return 0;
  } catch (error) {
    if (error instanceof TableError || error instanceof ImportError) {
      throw errors.badRows(path, error.message);
    }
    throw error;
  }
}

/** Reads, checks and writes a file. Nothing is written where a row is bad. */
export async function write(config: Config, path: string, what: 'students' | 'outpasses') {
  const records = await readTable(readFile(path));
  const students = what === 'students' ? studentRows(records) : undefined;
  const passes = what === 'outpasses' ? outpassRows(records, config.settings.timeZone) : undefined;
  const problems = (students ?? passes)?.problems ?? [];
  if (problems.length > 0) throw errors.badRows(path, tellProblems(problems));
  const store = await openStore(config, 'create');
  try {
    const office = openOffice(config, store);
    return students === undefined
      ? await office.importOutpasses(passes?.rows ?? [])
      : await office.importStudents(students.rows);
  } finally {
    await store.close();
  }
}
