/** The schema, forward only. A step that has shipped is never edited; a change is a new step. */

import { alerts } from './migrations/alerts.ts';
import { audit } from './migrations/audit.ts';
import { doubts } from './migrations/doubts.ts';
import { jobs } from './migrations/jobs.ts';
import { office } from './migrations/office.ts';
import { parents } from './migrations/parents.ts';
import { records } from './migrations/records.ts';
import { schedules } from './migrations/schedules.ts';
import { threshold } from './migrations/threshold.ts';

/** Step n brings a database from version n to n + 1; the version is SQLite's own `user_version`. */
export const MIGRATIONS: readonly { name: string; sql: string }[] = [
  { name: 'jobs', sql: jobs },
  { name: 'office', sql: office },
  { name: 'records', sql: records },
  { name: 'parents', sql: parents },
  { name: 'schedules', sql: schedules },
  { name: 'alerts', sql: alerts },
  { name: 'doubts', sql: doubts },
  { name: 'audit', sql: audit },
  { name: 'threshold', sql: threshold },
];

/** "pass" in ASCII: tells a passito database from any other SQLite file. */
export const APPLICATION_ID = 0x70617373;
