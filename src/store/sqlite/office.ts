/** The office's records on SQLite. Writes go through the group-committing writer, as the queue's do. */

import { type Clock, parseTime, type Random } from '../../engine/clock.ts';
import type { Database, Statement } from 'better-sqlite3';

import { officeErrors } from '../../outpass/errors.ts';
import type {
  HostelRow,
  MovementRow,
  OutpassRow,
  ReportRow,
  StudentRow,
  UserRow,
} from '../../outpass/import.ts';
import { inZone, tellTime } from '../../outpass/local-time.ts';
import { type Direction, refusePassage } from '../../outpass/movements.ts';
import type { NewPass } from '../../outpass/new-pass.ts';
import { loadOrCreateLinkSecret, loadOrCreateSigningKey } from '../../outpass/keys.ts';
import type { SigningKey } from '../../outpass/keys.ts';
import type { Office, OfficeSettings, PassDetails, PassStatus } from '../../outpass/office.ts';
import type { OverduePass } from '../../outpass/cleanup.ts';
import type { MailReceipt } from '../../engine/handler.ts';
import type { KeptMail, LedgerEntry, MailFault, MailKey, MailVerdict } from '../../outpass/mail/ledger.ts';
import type { Delivery } from '../../outpass/reports/recipients.ts';
import type { Decision, LinkState, ParentPageFacts } from '../../outpass/parent/link.ts';
import type { AskedParent, NewQuestion, ParentSettings } from '../../outpass/parent/question.ts';
import type { ReportContent, ReportRound } from '../../outpass/reports/round.ts';
import { type MailFilter, prepareMailLedger } from './mail-ledger.ts';
import { prepareReportRuns } from './report-runs.ts';
import { prepareCleanup } from './office-cleanup.ts';
import type { PassMove } from '../../outpass/pass-states.ts';
import type { Gender, ReportName, ReportSetting } from '../../outpass/report-settings.ts';
import { movementWriter } from './import-movements.ts';
import { hostelWriter, outpassWriter, studentWriter, userWriter } from './import-writers.ts';
import { importRows, undone } from './office-import.ts';
import type { ImportOptions, ImportResult } from './office-import.ts';
import { PASS_QUERY, toPass } from './office-rows.ts';
import type { PassRow } from './office-rows.ts';
import { prepareParentAnswers } from './parent-answers.ts';
import type { AskedBefore } from './parent-answers.ts';
import { preparePassMoves } from './pass-moves.ts';
import type { ApplyMove, MoveNote } from './pass-moves.ts';
import { preparePassWrites } from './pass-writes.ts';
import type { Movement } from './pass-writes.ts';
import { prepareReportSettings } from './report-settings.ts';
import type { ReportChange } from './report-settings.ts';

/** What the records stand on. */
export interface SqliteOfficeParts {
  db: Database;
  /** Runs a synchronous operation in a write transaction; where it throws, its own changes alone are undone. */
  write: <T>(op: () => T) => Promise<T>;
  read: <T>(op: () => T) => Promise<T>;
  settings: OfficeSettings;
  parents: ParentSettings;
  /** Where the signing key and the secret of parents' links are, or will be made. */
  keysFolder: string;
  clock: Clock;
  random: Random;
}

/** Which passes to list; the newest first, 50 unless told. */
export interface PassFilter {
  status?: PassStatus;
  limit?: number;
}

/** Passes, students and the signing key. */
export class SqliteOffice implements Office {
  readonly #parts: SqliteOfficeParts;
  readonly #byId: Statement<[number], PassRow>;
  readonly #byReference: Statement<[string], PassRow>;
  readonly #list: Statement<[{ status: string | null; limit: number }], PassRow>;
  readonly #saveFiles: Statement;
  readonly #cleanup: ReturnType<typeof prepareCleanup>;
  readonly #mails: ReturnType<typeof prepareMailLedger>;
  readonly #reportRuns: ReturnType<typeof prepareReportRuns>;
  readonly #move: ApplyMove;
  readonly #writes: ReturnType<typeof preparePassWrites>;
  readonly #reports: ReturnType<typeof prepareReportSettings>;
  readonly #parents: ReturnType<typeof prepareParentAnswers>;
  #linkSecret: Buffer | undefined;

  constructor(parts: SqliteOfficeParts) {
    const { db, random } = parts;
    this.#parts = parts;
    this.#byId = db.prepare(`${PASS_QUERY} WHERE o.id = ?`);
    this.#byReference = db.prepare(`${PASS_QUERY} WHERE o.reference = ?`);
    this.#list = db.prepare(
      `${PASS_QUERY} WHERE @status IS NULL OR o.status = @status ORDER BY o.id DESC LIMIT @limit`,
    );
    this.#saveFiles = db.prepare(
      `UPDATE outpasses SET qr_path = coalesce(@qr, qr_path), document_path = coalesce(@document, document_path),
         token_id = coalesce(@tokenId, token_id) WHERE id = @id`,
    );
    this.#mails = prepareMailLedger(db, random);
    this.#reportRuns = prepareReportRuns(db);
    this.#move = preparePassMoves(db);
    this.#cleanup = prepareCleanup(db, this.#move, parts.settings.lateGrace);
    this.#writes = preparePassWrites(db);
    this.#reports = prepareReportSettings(db);
    this.#parents = prepareParentAnswers(db, this.#move, random);
  }

  /** A pass by its id, or by what a person typed: its reference, or its id in digits. */
  async pass(key: number | string): Promise<PassDetails | undefined> {
    const row = await this.#parts.read(() => this.#find(key));
    return row === undefined ? undefined : toPass(row);
  }

  async listPasses(filter: PassFilter = {}): Promise<PassDetails[]> {
    const { status = null, limit = 50 } = filter;
    const rows = await this.#parts.read(() => this.#list.all({ status, limit }));
    return rows.map((row) => toPass(row));
  }

  async settings(): Promise<OfficeSettings> {
    return this.#parts.settings;
  }

  async saveFiles(id: number, files: { qr?: string; document?: string; tokenId?: string }): Promise<void> {
    const { qr = null, document = null, tokenId = null } = files;
    await this.#parts.write(() => {
      if (this.#saveFiles.run({ id, qr, document, tokenId }).changes === 0) {
        throw officeErrors.passNotFound(id);
      }
    });
  }

  overduePasses(after: number, limit: number): Promise<OverduePass[]> {
    return this.#parts.read(() => this.#cleanup.overdue(after, limit, this.#now()));
  }

  async closePasses(ids: readonly number[]): Promise<void> {
    await this.#parts.write(() => this.#cleanup.close(ids, this.#now()));
  }

  /** Mails of the ledger, the newest first. */
  mails(filter: MailFilter): Promise<KeptMail[]> {
    return this.#parts.read(() => this.#mails.list(filter));
  }

  mailBegins(entry: LedgerEntry): Promise<{ receipt: MailReceipt | null; inDoubt: boolean }> {
    return this.#parts.write(() => this.#mails.begins(entry, this.#now()));
  }

  mailTaken(key: MailKey, receipt: MailReceipt): Promise<void> {
    return this.#parts.write(() => this.#mails.taken(key, receipt, this.#now()));
  }

  mailRefused(key: MailKey, fault: MailFault): Promise<MailVerdict> {
    return this.#parts.write(() => this.#mails.refused(key, fault, this.#now()));
  }

  /** Which reports are due; synchronous, for use inside a write that dispatches them. */
  decideReports(now: number, dryRun: boolean): ReportRound {
    return this.#reportRuns.decide(this.#parts.settings.timeZone, now, dryRun);
  }

  reportContent(settingId: number, scheduledFor: string): Promise<ReportContent | undefined> {
    const { timeZone, lateGrace } = this.#parts.settings;
    return this.#parts.read(() =>
      this.#reportRuns.content(settingId, parseTime(scheduledFor), timeZone, lateGrace),
    );
  }

  reportDeliveries(jobId: number): Promise<[string, Delivery][]> {
    return this.#parts.read(() => this.#mails.deliveries(jobId));
  }

  async reportSent(settingId: number, scheduledFor: string): Promise<void> {
    await this.#parts.write(() => this.#reportRuns.sent(settingId, parseTime(scheduledFor), this.#now()));
  }

  #now(): number {
    return this.#parts.clock.now();
  }

  async signingKey(): Promise<SigningKey> {
    // Read each time: 'passito keys rotate' may have made another.
    return loadOrCreateSigningKey(this.#parts.keysFolder);
  }

  /**
   * Makes one move of a pass. Synchronous and for use inside a write operation, so that what belongs to it (the jobs
   * of an approval) is written in the same transaction: either both happen or neither.
   */
  movePass(id: number, move: PassMove, note: MoveNote): PassDetails {
    const row = this.#row(id);
    if (move === 'cancel' && row.went_out_at !== null) {
      const { timeZone: zone } = this.#parts.settings;
      const when = inZone(tellTime(row.went_out_at, zone), zone);
      throw officeErrors.passUsed(id, row.reference, `went out ${when}`);
    }
    this.#move(row, move, note);
    return toPass(this.#row(id));
  }

  /** Writes a pending pass for a student. */
  createPass(pass: NewPass): Promise<PassDetails> {
    return this.#parts.write(() => toPass(this.#row(this.#writes.create(pass))));
  }

  /** Writes a passage into the gate's log: out on an approved pass, once, then in. */
  recordMovement(
    id: number,
    direction: Direction,
    {
      by,
      now = this.#now(),
      at = now,
      force = false,
    }: { by: string; at?: number; now?: number; force?: boolean },
  ): Promise<Movement> {
    return this.#parts.write(() => {
      const pass = toPass(this.#row(id));
      const refusal = refusePassage(pass, { direction, at, now, force }, this.#parts.settings.timeZone);
      if (refusal !== undefined) {
        throw officeErrors.passage(id, pass.reference, refusal.reason, refusal.hint);
      }
      return this.#writes.record(id, direction, at, by);
    });
  }

  /** Approves a pass; synchronous, as {@link movePass}. */
  approvePass(id: number, by: string, at: number = this.#now()): PassDetails {
    return this.movePass(id, 'approve', { by, at });
  }

  async parentSettings(): Promise<ParentSettings> {
    return this.#parts.parents;
  }

  async askParent(id: number, question: NewQuestion, at: number = this.#now()): Promise<AskedParent> {
    const { appUrl, linkLifetime: lifetime } = this.#parts.parents;
    this.#linkSecret ??= loadOrCreateLinkSecret(this.#parts.keysFolder);
    const how = { at, lifetime, secret: this.#linkSecret };
    const asked = await this.#parts.write(() => this.#parents.ask(this.#row(id), question, how));
    if (!asked.ok) return asked;
    const { token, question: row } = asked;
    const link = `${appUrl ?? ''}/parent/${token}`;
    return { ok: true, id: row.id, link, expiresAt: row.expiresAt, sentAs: row.messageId };
  }

  async parentAsked(id: number, messageId: string, at: number = this.#now()): Promise<void> {
    await this.#parts.write(() => this.#parents.sent(id, messageId, at));
  }

  async parentUnreached(id: number, at: number = this.#now()): Promise<number | null> {
    return this.#parts.read(() => this.#parents.unreached(id, at));
  }

  /** What the parent's page shows of a link, found by its token's hash. */
  parentPage(hash: string, at: number = this.#now()): Promise<ParentPageFacts | undefined> {
    return this.#parts.read(() => {
      const found = this.#parents.find(hash, at);
      if (found === undefined) return undefined;
      const { decision, expiresAt } = found.link;
      return { state: found.state, decision, expiresAt, pass: toPass(this.#row(found.passId)) };
    });
  }

  /**
   * A parent's answer: once, in time, and only while the pass waits for it. Gives where the link stood, and changes
   * nothing unless that was `open`. Synchronous, as {@link movePass}.
   */
  parentDecides(
    hash: string,
    decision: Decision,
    at: number,
  ): { passId: number; state: LinkState } | undefined {
    return this.#parents.decide(hash, decision, at);
  }

  /** The questions to the parent about a pass. */
  parentQuestions(passId: number): Promise<AskedBefore[]> {
    return this.#parts.read(() => this.#parents.list(passId));
  }

  /** Every report for each gender, with its own recipients. */
  reportSettings(): Promise<ReportSetting[]> {
    return this.#parts.read(() => this.#reports.list());
  }

  /** Who gets a report: its wardens and every chief warden of its gender, active, nobody twice. */
  reportReceivers(setting: Pick<ReportSetting, 'id' | 'gender'>): Promise<ReportSetting['recipients']> {
    return this.#parts.read(() => this.#reports.receivers(setting));
  }

  /** Changes a report's settings, of one gender or both; its next sending is to be worked out anew. */
  changeReport(
    report: ReportName,
    gender: Gender | undefined,
    change: ReportChange,
  ): Promise<ReportSetting[]> {
    return this.#parts.write(() => this.#reports.change(report, gender, change));
  }

  /** Inserts or updates hostels by name. This and the other imports throw an ImportError that names the bad rows. */
  importHostels(rows: readonly HostelRow[], options: ImportOptions = {}): Promise<ImportResult> {
    return this.#import(() => importRows(rows, hostelWriter(this.#parts.db), options));
  }

  /** Inserts or updates users by e-mail address. */
  importUsers(rows: readonly UserRow[], options: ImportOptions = {}): Promise<ImportResult> {
    return this.#import(() => importRows(rows, userWriter(this.#parts.db), options));
  }

  /** Inserts or updates students by roll number. */
  importStudents(rows: readonly StudentRow[], options: ImportOptions = {}): Promise<ImportResult> {
    return this.#import(() => importRows(rows, studentWriter(this.#parts.db), options));
  }

  /** Inserts or updates outpasses by reference. */
  importOutpasses(rows: readonly OutpassRow[], options: ImportOptions = {}): Promise<ImportResult> {
    return this.#import(() =>
      importRows(rows, outpassWriter(this.#parts.db, this.#move, this.#now()), options),
    );
  }

  /** Inserts or updates movements by the reference of their pass. */
  importMovements(rows: readonly MovementRow[], options: ImportOptions = {}): Promise<ImportResult> {
    const { db, settings } = this.#parts;
    return this.#import(() => importRows(rows, movementWriter(db, settings.timeZone), options));
  }

  /** Updates the settings of reports, by report and gender. */
  importReports(rows: readonly ReportRow[], options: ImportOptions = {}): Promise<ImportResult> {
    return this.#import(() => importRows(rows, this.#reports.rows, options));
  }

  #import(op: () => ImportResult): Promise<ImportResult> {
    return undone(this.#parts.write(op));
  }

  #row(id: number): PassRow {
    const row = this.#byId.get(id);
    if (row === undefined) throw officeErrors.passNotFound(id);
    return row;
  }

  #find(key: number | string): PassRow | undefined {
    if (typeof key === 'number') return this.#byId.get(key);
    const row = this.#byReference.get(key);
    return row === undefined && /^\d{1,15}$/.test(key) ? this.#byId.get(Number(key)) : row;
  }
}
