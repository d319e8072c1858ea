/** The gate-pass office's built-in job types. Their heavy libraries load at the first job, not with this list. */

import type { JobDefinition } from '../engine/handler.ts';
import {
  sendAccountCreationEmail,
  sendAccountDeletionEmail,
  sendPasswordResetEmail,
} from './jobs/account-emails.ts';
import { cleanupExpiredFiles } from './jobs/cleanup-expired-files.ts';
import { generateOutpassPdf } from './jobs/generate-outpass-pdf.ts';
import { generateQrCode } from './jobs/generate-qr-code.ts';
import { sendOutpassEmail } from './jobs/send-outpass-email.ts';
import { sendParentApproval } from './jobs/send-parent-approval.ts';
import { sendScheduledReport } from './jobs/send-scheduled-report.ts';
import type { OfficeContext } from './office.ts';

/** Every built-in definition; each names its type. */
// oxlint-disable-next-line no-explicit-any -- each has a payload of its own
export const officeJobs: readonly JobDefinition<any, OfficeContext>[] = [
  generateQrCode,
  generateOutpassPdf,
  sendOutpassEmail,
  sendParentApproval,
  sendAccountCreationEmail,
  sendAccountDeletionEmail,
  sendPasswordResetEmail,
  cleanupExpiredFiles,
  sendScheduledReport,
];
