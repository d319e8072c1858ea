/**
 * The gate-pass office from a Node program: what the commands `import`, `outpass`, `movements` and `reports` do.
 *
 * @example
 * const office = await PassOffice.open('/var/lib/passito/passito.db', { timeZone: 'Asia/Kolkata' });
 * const pass = await office.create({ rollNumber: '21CS001', kind: 'Home pass', … });
 * await office.approve(pass.id, 'Dr. Rao');
 */

import { dirname, join, resolve } from 'node:path';
import { systemClock } from '../engine/clock.ts';
import { errors } from '../errors.ts';
import { officeErrors } from '../outpass/errors.ts';
import {
  HEAD,
  hostelRows,
  ImportError,
  type ImportRows,
  type ImportTable,
  movementRows,
  outpassRows,
  reportRows,
  studentRows,
  userRows,
} from '../outpass/import.ts';
import type { Direction } from '../outpass/movements.ts';
import { newPass } from '../outpass/new-pass.ts';
import type { PassDetails } from '../outpass/office.ts';
import { NOBODY_ASKED } from '../outpass/parent/question.ts';
import type { Gender, ReportName, ReportSetting } from '../outpass/report-settings.ts';
import type * as Decisions from '../store/sqlite/decisions.ts';
import type { ImportOptions, ImportResult } from '../store/sqlite/office-import.ts';
import type { PassFilter, SqliteOffice } from '../store/sqlite/office.ts';
import type { Movement } from '../store/sqlite/pass-writes.ts';
import type { ReportChange } from '../store/sqlite/report-settings.ts';
import type { SqliteStore } from '../store/sqlite/store.ts';
import { openDatabase } from './open.ts';

/** How an office is opened. */
export interface PassOfficeOptions {
  /** In which times without an offset are told; the machine's unless given. */
  timeZone?: string;
  synchronous?: 'full' | 'normal';
}

/** What a new pass is made of. Times: a Date, or text such as `2026-11-20 18:00` in the office's zone. */
export interface PassRequest {
  rollNumber: string;
  kind: string;
  purpose: string;
  destination: string;
  leavesAt: Date | string;
  returnsAt: Date | string;
  /** One is made where it is absent. */
  reference?: string;
}

/** Records as import files hold them: the columns of docs/contract.md. */
export type ImportRecord = Readonly<Record<string, string | number | boolean | null>>;

/** How bad records are dealt with. */
export type ImportWays = Pick<ImportOptions, 'partial' | 'dryRun' | 'progress'>;

/** Why, and in whose name, a pass is rejected or cancelled. */
export interface Closing {
  by: string;
  reason?: string;
}

/** A passage through the gate. */
export interface PassageRequest {
  by: string;
  /** Now unless given. */
  at?: Date;
  /** Out also before or after the pass's window. */
  force?: boolean;
}

/** The office's records. A pass is named by its id or by its reference. Every refusal is a PassitoError. */
export class PassOffice {
  readonly #store: SqliteStore;
  readonly #office: SqliteOffice;
  readonly #decisions: typeof Decisions;
  readonly #zone: string;

  private constructor(store: SqliteStore, office: SqliteOffice, decisions: typeof Decisions, zone: string) {
    this.#store = store;
    this.#office = office;
    this.#decisions = decisions;
    this.#zone = zone;
  }

  /** Opens a database, and makes it where it is absent. */
  static async open(database: string, options: PassOfficeOptions = {}): Promise<PassOffice> {
    const zone = options.timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
    const store = await openDatabase(database, options);
    const { SqliteOffice } = await import('../store/sqlite/office.ts');
    const decisions = await import('../store/sqlite/decisions.ts');
    const office = new SqliteOffice({
      db: store.db,
      write: (op) => store.write(op),
      read: (op) => store.read(op),
      settings: {
        institutionName: '',
        institutionAddress: '',
        brandLogo: null,
        timeZone: zone,
        appName: 'Passito',
        fontsFolder: null,
        lateGrace: { all: 30 * 60_000, male: null, female: null },
      },
      parents: NOBODY_ASKED,
      keysFolder: join(dirname(resolve(database)), 'keys'),
      clock: systemClock,
      random: Math.random,
    });
    return new PassOffice(store, office, decisions, zone);
  }

  /** Undefined where there is no such pass. */
  pass(key: number | string): Promise<PassDetails | undefined> {
    return this.#office.pass(key);
  }

  /** The newest first, 50 unless told. */
  passes(filter: PassFilter = {}): Promise<PassDetails[]> {
    return this.#office.listPasses(filter);
  }

  /** Makes a pending pass. */
  async create({ leavesAt, returnsAt, ...request }: PassRequest): Promise<PassDetails> {
    const text = (time: Date | string) => (typeof time === 'string' ? time : time.toISOString());
    const given = { ...request, leavesAt: text(leavesAt), returnsAt: text(returnsAt) };
    const read = newPass(given, this.#zone, Date.now(), (field) => field);
    if ('wrong' in read) throw errors.badOption(read.wrong.join('; '));
    return this.#office.createPass(read.pass);
  }

  /** Approves a pass; its three jobs (QR code, document, mail) are dispatched in the same transaction. */
  async approve(key: number | string, by: string): Promise<{ pass: PassDetails; jobs: number[] }> {
    const id = await this.#id(key);
    const jobs = await this.#decisions.approvePass(this.#store, this.#office, id, by);
    return { pass: await this.#known(id), jobs: jobs.map((job) => job.id) };
  }

  /** Rejects a pass; the mail to the student is dispatched in the same transaction. */
  async reject(key: number | string, { by, reason }: Closing & { reason: string }): Promise<PassDetails> {
    const id = await this.#id(key);
    const note = { by, remarks: reason };
    return (await this.#decisions.rejectPass(this.#store, this.#office, id, note)).pass;
  }

  async cancel(key: number | string, { by, reason }: Closing): Promise<PassDetails> {
    const id = await this.#id(key);
    const note = { by, remarks: reason ?? null };
    return this.#store.write((now) => this.#office.movePass(id, 'cancel', { ...note, at: now }));
  }

  /** Writes a passage into the gate's log. */
  async move(
    key: number | string,
    direction: Direction,
    { at, ...passage }: PassageRequest,
  ): Promise<Movement> {
    const when = at === undefined ? {} : { at: at.getTime() };
    return this.#office.recordMovement(await this.#id(key), direction, { ...passage, ...when });
  }

  reports(): Promise<ReportSetting[]> {
    return this.#office.reportSettings();
  }

  /** Changes a report's settings, of one gender or of both. */
  setReport(report: ReportName, change: ReportChange, gender?: Gender): Promise<ReportSetting[]> {
    return this.#office.changeReport(report, gender, change);
  }

  importHostels(records: readonly ImportRecord[], ways: ImportWays = {}): Promise<ImportResult> {
    return imported('hostels', hostelRows(tableOf(records)), ways, (rows, options) =>
      this.#office.importHostels(rows, options),
    );
  }

  importUsers(records: readonly ImportRecord[], ways: ImportWays = {}): Promise<ImportResult> {
    return imported('users', userRows(tableOf(records)), ways, (rows, options) =>
      this.#office.importUsers(rows, options),
    );
  }

  importStudents(records: readonly ImportRecord[], ways: ImportWays = {}): Promise<ImportResult> {
    return imported('students', studentRows(tableOf(records)), ways, (rows, options) =>
      this.#office.importStudents(rows, options),
    );
  }

  importOutpasses(records: readonly ImportRecord[], ways: ImportWays = {}): Promise<ImportResult> {
    return imported('outpasses', outpassRows(tableOf(records), this.#zone), ways, (rows, options) =>
      this.#office.importOutpasses(rows, options),
    );
  }

  importMovements(records: readonly ImportRecord[], ways: ImportWays = {}): Promise<ImportResult> {
    const read = movementRows(tableOf(records), this.#zone, Date.now());
    return imported('movements', read, ways, (rows, options) => this.#office.importMovements(rows, options));
  }

  importReports(records: readonly ImportRecord[], ways: ImportWays = {}): Promise<ImportResult> {
    return imported('reports', reportRows(tableOf(records)), ways, (rows, options) =>
      this.#office.importReports(rows, options),
    );
  }

  /** Closes the database; everything is written before. */
  close(): Promise<void> {
    return this.#store.close();
  }

  async #id(key: number | string): Promise<number> {
    return (await this.#known(key)).id;
  }

  async #known(key: number | string): Promise<PassDetails> {
    const pass = await this.#office.pass(key);
    if (pass === undefined) throw officeErrors.passNotFound(key);
    return pass;
  }
}

/** Records as a table; each is named by its place in the list. */
function tableOf(records: readonly ImportRecord[]): ImportTable {
  const columns = new Set(records.flatMap((record) => Object.keys(record)));
  return {
    columns: [...columns],
    records: records.map((values, index) => ({ place: `item ${index + 1}`, values })),
  };
}

/** Writes what was read; the bad records are told in the words of the command. */
async function imported<Row>(
  what: string,
  { rows, problems }: ImportRows<Row>,
  ways: ImportWays,
  write: (rows: Row[], options: ImportOptions) => Promise<ImportResult>,
): Promise<ImportResult> {
  try {
    if (problems.some(({ place }) => place === HEAD)) throw new ImportError(problems);
    return await write(rows, { ...ways, problems });
  } catch (error) {
    if (error instanceof ImportError) throw errors.badRows(`The list of ${what}`, error.message);
    throw error;
  }
}
