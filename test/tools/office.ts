/** A small office to test with: records in memory, files in a folder that goes away with the test. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

import Database from 'better-sqlite3';

import { type Clock, systemClock } from '../../src/engine/clock.ts';
import type { DependencyResult, MailMessage, MailReceipt } from '../../src/engine/handler.ts';
import { outpassRows, studentRows } from '../../src/outpass/import.ts';
import type { OfficeContext, OfficeSettings } from '../../src/outpass/office.ts';
import type { ParentSettings } from '../../src/outpass/parent/question.ts';
import { DEFAULT_SMS } from '../../src/outpass/parent/sms.ts';
import { jobFiles } from '../../src/runner/files.ts';
import { MIGRATIONS } from '../../src/store/sqlite/migrations.ts';
import { SqliteOffice } from '../../src/store/sqlite/office.ts';

/** An institution in India. */
export const settings: OfficeSettings = {
  institutionName: 'SRV Institute of Technology',
  institutionAddress: '12 College Road, Chennai 600 025',
  brandLogo: null,
  fontsFolder: null,
  timeZone: 'Asia/Kolkata',
  appName: 'Passito',
  lateGrace: { all: 30 * 60_000, male: null, female: null },
};

/** Parents are asked by SMS, and the page is there. */
export const parents: ParentSettings = {
  publicAddress: '127.0.0.1:8080',
  appUrl: 'https://gate.example.edu',
  linkLifetime: 48 * 3_600_000,
  countryCode: '+91',
  message: DEFAULT_SMS,
  twilio: null,
  approves: false,
};

/** The office, its parts, and a maker of handler contexts. */
export interface TestOffice {
  db: Database.Database;
  office: SqliteOffice;
  write: <T>(op: () => T) => Promise<T>;
  folder: string;
  files: string;
  /** What handlers logged as a warning. */
  warnings: string[];
  context: (extra?: {
    /** The job's and its attempt's; 1 unless told. */
    id?: number;
    attempt?: number;
    mail?: (message: MailMessage) => Promise<MailReceipt>;
    dependencies?: DependencyResult[];
  }) => OfficeContext;
}

/** Opens an office with one student, Arjun Selvam (21CS001), and one pending pass, OP-000001. Waits are as long as chance can make them. */
export async function openOffice(
  t: TestContext,
  changes: (folder: string) => Partial<OfficeSettings> = () => ({}),
  clock: Clock = systemClock,
  parentChanges: Partial<ParentSettings> = {},
): Promise<TestOffice> {
  const folder = mkdtempSync(path.join(tmpdir(), 'passito-office-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const files = path.join(folder, 'files');
  mkdirSync(files);
  const db = new Database(':memory:');
  t.after(() => db.close());
  db.pragma('foreign_keys = ON');
  for (const { sql } of MIGRATIONS) db.exec(sql);
  const write = async <T>(op: () => T): Promise<T> => db.transaction(op).immediate();
  const office = new SqliteOffice({
    db,
    write,
    read: async (op) => op(),
    settings: { ...settings, ...changes(folder) },
    parents: { ...parents, ...parentChanges },
    keysFolder: path.join(folder, 'keys'),
    clock,
    random: () => 1,
  });
  await office.importStudents(studentRows(one(studentRecord)).rows);
  await office.importOutpasses(outpassRows(one(passRecord), settings.timeZone).rows);
  const warnings: string[] = [];
  const context: TestOffice['context'] = (extra = {}) => ({
    id: extra.id ?? 1,
    type: 'Test',
    attempt: extra.attempt ?? 1,
    maxAttempts: 3,
    log: { debug() {}, info() {}, warn: (message) => warnings.push(message), error() {} },
    signal: new AbortController().signal,
    progress: async () => {},
    dependencies: extra.dependencies ?? [],
    dispatch: () => ({ ref: 'none' }),
    mail: extra.mail ?? (() => Promise.reject(new Error('no mail was expected'))),
    files: jobFiles(files, String(extra.id ?? 1)),
    office,
  });
  return { db, office, write, folder, files, warnings, context };
}

/** A table of one record, or several. */
export function one(...records: Record<string, unknown>[]) {
  return {
    columns: [...new Set(records.flatMap((record) => Object.keys(record)))],
    records: records.map((values, index) => ({ place: `item ${index + 1}`, values })),
  };
}

/** The student that every test office has. */
export const studentRecord = {
  name: 'Arjun Selvam',
  email: 'arjun@students.example.edu',
  roll_number: '21CS001',
  year: '3',
  programme: 'B.E. Computer Science',
  hostel: 'Kaveri',
  room: 'A-214',
  parent_phone: '+91 98400 12345',
};

/** The pass that every test office has; 18:00 in Chennai is 12:30 UTC. */
export const passRecord = {
  roll_number: '21CS001',
  kind: 'Home pass',
  purpose: 'Sister’s wedding',
  destination: 'Madurai',
  leaves_at: '2026-11-20 18:00',
  returns_at: '2026-11-23 08:00',
};
