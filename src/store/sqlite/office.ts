/** The office's records on SQLite. Writes go through the group-committing writer, as the queue's do. */

import type { Database, Statement } from 'better-sqlite3';

import { formatTime } from '../../engine/clock.ts';
import { officeErrors } from '../../outpass/errors.ts';
import type { OutpassRow, StudentRow } from '../../outpass/import.ts';
import { loadOrCreateSigningKey } from '../../outpass/keys.ts';
import type { SigningKey } from '../../outpass/keys.ts';
import type { Office, OfficeSettings, PassDetails, PassStatus } from '../../outpass/office.ts';
import type { OverduePass } from '../../outpass/cleanup.ts';
import { movePass } from '../../outpass/passes.ts';
import { prepareCleanup } from './office-cleanup.ts';
import { writeOutpasses, writeStudents } from './office-import.ts';
import type { ImportCounts } from './office-import.ts';
import { PASS_QUERY, toPass } from './office-rows.ts';
import type { PassRow } from './office-rows.ts';

/** What the records stand on. */
export interface SqliteOfficeParts {
  db: Database;
  /** Runs a synchronous operation in a write transaction; where it throws, its own changes alone are undone. */
  write: <T>(op: () => T) => Promise<T>;
  read: <T>(op: () => T) => Promise<T>;
  settings: OfficeSettings;
  /** Where the signing key is, or will be made. */
  keysFolder: string;
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
  readonly #approve: Statement;
  readonly #cleanup: ReturnType<typeof prepareCleanup>;
  #key: SigningKey | undefined;

  constructor(parts: SqliteOfficeParts) {
    const { db } = parts;
    this.#parts = parts;
    this.#cleanup = prepareCleanup(db);
    this.#byId = db.prepare(`${PASS_QUERY} WHERE o.id = ?`);
    this.#byReference = db.prepare(`${PASS_QUERY} WHERE o.reference = ?`);
    this.#list = db.prepare(
      `${PASS_QUERY} WHERE @status IS NULL OR o.status = @status ORDER BY o.id DESC LIMIT @limit`,
    );
    this.#saveFiles = db.prepare(
      `UPDATE outpasses SET qr_path = coalesce(@qr, qr_path), document_path = coalesce(@document, document_path),
         token_id = coalesce(@tokenId, token_id) WHERE id = @id`,
    );
    this.#approve = db.prepare(
      `UPDATE outpasses SET status = @status, approved_by = @by, approved_at = @at, updated_at = @at WHERE id = @id`,
    );
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
    return this.#parts.read(() => this.#cleanup.overdue(this.#overdueBefore(), after, limit));
  }

  async closePasses(ids: readonly number[]): Promise<void> {
    await this.#parts.write(() => this.#cleanup.close(ids, this.#overdueBefore(), formatTime(Date.now())));
  }

  /** A pass that ended before this has used up its grace. */
  #overdueBefore(): string {
    return formatTime(Date.now() - this.#parts.settings.lateGrace);
  }

  async signingKey(): Promise<SigningKey> {
    this.#key ??= loadOrCreateSigningKey(this.#parts.keysFolder);
    return this.#key;
  }

  /**
   * Approves a pass. Synchronous and for use inside a write operation, so that the jobs of its chain are dispatched in
   * the same transaction: either both happen or neither.
   */
  approvePass(id: number, by: string, at: number = Date.now()): PassDetails {
    const row = this.#byId.get(id);
    if (row === undefined) throw officeErrors.passNotFound(id);
    const verdict = movePass('approve', row.status);
    if (!verdict.ok) throw officeErrors.passMove(id, row.reference, verdict.reason);
    const approval = { id, by, at: formatTime(at), status: verdict.status };
    this.#approve.run(approval);
    return toPass({ ...row, status: verdict.status, approved_by: by, approved_at: approval.at });
  }

  /** Inserts or updates students by roll number, all or nothing. */
  async importStudents(rows: readonly StudentRow[]): Promise<ImportCounts> {
    return this.#parts.write(() => writeStudents(this.#parts.db, rows));
  }

  /** Inserts or updates outpasses by reference, all or nothing; throws an ImportError that names the bad rows. */
  async importOutpasses(rows: readonly OutpassRow[]): Promise<ImportCounts> {
    return this.#parts.write(() => writeOutpasses(this.#parts.db, rows));
  }

  #find(key: number | string): PassRow | undefined {
    if (typeof key === 'number') return this.#byId.get(key);
    const row = this.#byReference.get(key);
    return row === undefined && /^\d{1,15}$/.test(key) ? this.#byId.get(Number(key)) : row;
  }
}
