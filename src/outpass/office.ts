/** What the built-in jobs may ask of the office's records. The store answers, in the main thread. */

import type { HandlerContext } from '../engine/handler.ts';
import type { CleanupOffice } from './cleanup.ts';
import type { LateGrace } from './late-grace.ts';
import type { MailLedger } from './mail/ledger.ts';
import type { ParentDesk } from './parent/question.ts';
import type { Gender } from './report-settings.ts';
import type { ReportDesk } from './reports/round.ts';

/** The eight statuses of a pass. */
export type PassStatus =
  | 'pending'
  | 'parent_pending'
  | 'parent_approved'
  | 'parent_denied'
  | 'approved'
  | 'rejected'
  | 'expired'
  | 'cancelled';

/** A pass with all that its QR code, its document and its mails show. Times are UTC text. */
export interface PassDetails {
  id: number;
  /** What students and guards read aloud, such as `OP-000123`; unique. */
  reference: string;
  kind: string;
  status: PassStatus;
  purpose: string;
  destination: string;
  leavesAt: string;
  returnsAt: string;
  approvedBy: string | null;
  approvedAt: string | null;
  /** Who rejected or cancelled it; when it was rejected, cancelled or expired. */
  closedBy: string | null;
  closedAt: string | null;
  /** What the gate's log says. */
  wentOutAt: string | null;
  cameBackAt: string | null;
  /** What the approver noted, or why the pass was rejected. */
  remarks: string | null;
  /** Where the pass's files are, relative to the files folder, and the id of the token in its QR code. */
  files: { qr: string | null; document: string | null; tokenId: string | null };
  student: {
    id: number;
    name: string;
    email: string;
    rollNumber: string;
    gender: Gender | null;
    year: number | null;
    programme: string | null;
    hostel: string | null;
    room: string | null;
    parent: { phone: string | null; email: string | null };
  };
}

/** The institution and the place in which times are told. */
export interface OfficeSettings {
  institutionName: string;
  institutionAddress: string;
  /** Absolute path of a PNG or JPEG, if there is one. */
  brandLogo: string | null;
  /** Absolute path of a folder of fonts for scripts that the built-in ones do not have, if there is one. */
  fontsFolder: string | null;
  /** IANA name, such as `Asia/Kolkata`. */
  timeZone: string;
  /** The name in the mails' footer. */
  appName: string;
  /** How long after its end a pass still holds. */
  lateGrace: LateGrace;
}

/** The calls that a built-in handler can make; each is one message to the main thread. */
export interface Office extends CleanupOffice, MailLedger, ParentDesk, ReportDesk {
  /** Undefined where there is no such pass. */
  pass(id: number): Promise<PassDetails | undefined>;
  settings(): Promise<OfficeSettings>;
  /** Notes where the pass's files are; paths are relative to the files folder. */
  saveFiles(id: number, files: { qr?: string; document?: string; tokenId?: string }): Promise<void>;
  /** The key that signs passes, made at first use. */
  signingKey(): Promise<{ keyId: string; privateKeyPem: string }>;
}

/** All of them: a thread can call these and no other. */
export const OFFICE_CALLS = [
  'pass',
  'settings',
  'saveFiles',
  'signingKey',
  'overduePasses',
  'closePasses',
  'mailBegins',
  'mailTaken',
  'mailRefused',
  'parentSettings',
  'askParent',
  'parentAsked',
  'parentUnreached',
  'reportContent',
  'reportDeliveries',
  'reportSent',
] as const satisfies readonly (keyof Office)[];

/** What a built-in handler is given. */
export interface OfficeContext extends HandlerContext {
  readonly office: Office;
}
