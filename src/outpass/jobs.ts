/** The gate-pass office's built-in job types. Their heavy libraries load at the first job, not with this list. */

import type { JobDefinition } from '../engine/handler.ts';
import { type CleanupPayload, cleanupExpiredFiles } from './jobs/cleanup-expired-files.ts';
import { generateOutpassPdf } from './jobs/generate-outpass-pdf.ts';
import { generateQrCode } from './jobs/generate-qr-code.ts';
import type { OutpassPayload } from './jobs/payload.ts';
import { sendOutpassEmail } from './jobs/send-outpass-email.ts';
import { type ReportPayload, sendScheduledReport } from './jobs/send-scheduled-report.ts';
import type { OfficeContext } from './office.ts';

/** Every built-in definition; each names its type. */
export const officeJobs: readonly (
  | JobDefinition<OutpassPayload, OfficeContext>
  | JobDefinition<CleanupPayload, OfficeContext>
  | JobDefinition<ReportPayload, OfficeContext>
)[] = [generateQrCode, generateOutpassPdf, sendOutpassEmail, cleanupExpiredFiles, sendScheduledReport];
