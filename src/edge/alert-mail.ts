/** The mail that tells an admin what is wrong, why that may be, and what to type. */

import type { AlertKind } from '../engine/alert.ts';
import type { HealthReason, HealthSnapshot } from '../engine/health.ts';
import { roughDuration } from '../engine/units.ts';
import { escapeHtml } from '../escape.ts';
import { oneLine } from './terminal.ts';

/** What an alert tells. */
export interface AlertFacts {
  kind: AlertKind;
  snapshot: HealthSnapshot;
  reasons: readonly HealthReason[];
  /** Since when, in milliseconds since 1970. */
  since: number | null;
  /** The latest failed jobs. */
  errors: readonly { id: number; type: string; error: string }[];
  /** Why an earlier mail about this was not sent. */
  failure: string | null;
  appName: string;
  host: string;
  /** What shows the same at a terminal. */
  look: string;
  database: string;
  zone: string;
}

/** A mail without its recipient. */
export interface AlertText {
  subject: string;
  text: string;
  html: string;
}

/** Why that may be, in the order of likelihood. */
const CAUSES: Readonly<Record<HealthReason['code'], string>> = {
  stale: 'No supervisor runs, its workers are all busy with long jobs, or the queue is paused.',
  stuck: 'A job hangs, or the process that ran it is gone and no supervisor runs that could take it back.',
  'failure-rate': 'A server that the jobs need is down, or a job was changed lately and has a fault.',
  'supervisor-gone':
    'It was killed, ran out of memory, or the machine was restarted and the service is not enabled.',
  'supervisor-silent': 'A program holds a transaction open, the disk is full, or the supervisor hangs.',
  'unknown-type':
    'The file of the job is not in the jobs folder (its name gives the type), or the supervisor was not reloaded after it was put there.',
  'waiting-mails':
    'The mail server is down or refuses mails for now, or SMTP_HOST, SMTP_USER or SMTP_PASS are wrong.',
  'failed-mails': 'An address is wrong, or the mail server refuses this sender.',
  'late-schedule': 'No supervisor runs, or the machine was asleep.',
  disk: 'Backups, logs or old jobs have filled the disk.',
  backup: 'The folder of PASSITO_BACKUPS cannot be written, or its disk is full.',
  wal: 'A program, or a shell with sqlite3, has held a transaction open.',
};

const HEADLINES: Readonly<Record<AlertKind, string>> = {
  problem: 'The job queue has issues',
  changed: 'The job queue has other issues than before',
  reminder: 'The job queue still has issues',
  recovered: 'The job queue is healthy again',
};

/** Longer errors are cut; `passito jobs show` has them whole. Characters. */
const LONGEST_ERROR = 300;

type Colour = 'good' | 'bad' | 'plain';

export function alertMail(given: AlertFacts): AlertText {
  const facts = shown(given);
  const { kind, appName, host } = facts;
  const headline = HEADLINES[kind];
  return {
    subject: `[${appName}] ${headline} (${host})`,
    text: plain(facts, headline, metrics(facts)),
    html: page(facts, headline, metrics(facts)),
  };
}

/** Names of types and queues, and errors, are what somebody else wrote: none of it may pass for a line of the mail. */
function shown(facts: AlertFacts): AlertFacts {
  return {
    ...facts,
    reasons: facts.reasons.map((one) => ({ ...one, message: oneLine(one.message), try: oneLine(one.try) })),
    errors: facts.errors.map(({ id, type, error }) => ({ id, type: oneLine(type), error: short(error) })),
    failure: facts.failure === null ? null : short(facts.failure),
  };
}

function metrics({ snapshot, reasons }: AlertFacts): [string, string, Colour][] {
  const { pending, processing, failed, stale, stuck, supervisors, finished, threshold } = snapshot;
  const bad = (wrong: boolean): Colour => (wrong ? 'bad' : 'good');
  // Judged by health alone, which knows from how many jobs on a share says something.
  const tooMany = reasons.some(({ code }) => code === 'failure-rate');
  const share = finished.total === 0 ? 0 : Math.round((100 * finished.failed) / finished.total);
  return [
    ['Pending jobs', String(pending), 'plain'],
    ['Processing jobs', String(processing), 'plain'],
    ['Failed jobs', String(failed), failed > 0 ? 'bad' : 'good'],
    [`Stale jobs (older than ${roughDuration(threshold)})`, String(stale), bad(stale > 0)],
    ['Stuck jobs', String(stuck.length), bad(stuck.length > 0)],
    ['Failure rate', `${share} % of ${finished.total}`, bad(tooMany)],
    ['Supervisors', String(supervisors), bad(supervisors === 0)],
  ];
}

function whence({ host, database, snapshot, since, zone, kind, failure }: AlertFacts): string {
  const when = (ms: number) =>
    new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(ms);
  const lasted =
    since === null ? '' : ` ${kind === 'recovered' ? 'It had issues' : 'Issues'} since ${when(since)}.`;
  const untold = failure === null ? '' : ` An earlier mail about it was not sent: ${failure}`;
  return `${when(snapshot.now)} (${zone}) on ${host}, ${database}.${lasted}${untold}`;
}

function plain(facts: AlertFacts, headline: string, rows: readonly [string, string, Colour][]): string {
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  const parts = [
    headline,
    whence(facts),
    rows.map(([label, value]) => `${label.padEnd(width)}${value}`).join('\n'),
  ];
  for (const { code, message, try: command } of facts.reasons) {
    parts.push(`- ${message}\n  Likely cause: ${CAUSES[code]}\n  Type:         ${command}`);
  }
  if (facts.errors.length > 0) {
    parts.push(
      ['Last errors:', ...facts.errors.map(({ id, type, error }) => `  #${id} ${type}: ${error}`)].join('\n'),
    );
  }
  if (facts.reasons.length > 0) parts.push(lookLine(facts));
  return `${parts.join('\n\n')}\n`;
}

const FONT = "font-family:'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const CODE =
  "font-family:Consolas,Menlo,'Courier New',monospace;font-size:14px;background:#f4f6f9;border:1px solid #dbe1e8;border-radius:4px;padding:6px 10px;margin:4px 0 0;overflow-wrap:anywhere";
const COLOURS: Readonly<Record<Colour, string>> = { good: '#17683b', bad: '#a3252b', plain: '#1b2430' };

function page(facts: AlertFacts, headline: string, rows: readonly [string, string, Colour][]): string {
  const band = facts.kind === 'recovered' ? COLOURS.good : COLOURS.bad;
  const cell = (text: string, style: string) =>
    `<td style="${FONT};font-size:14px;padding:5px 12px 5px 0;${style}">${escapeHtml(text)}</td>`;
  const table = rows
    .map(
      ([label, value, colour]) =>
        `<tr>${cell(label, 'color:#5b6573')}${cell(value, `color:${COLOURS[colour]};font-weight:600`)}</tr>`,
    )
    .join('');
  const reasons = facts.reasons
    .map(
      ({ code, message, try: command }) =>
        `<div style="margin:0 0 18px"><div style="font-weight:600">${escapeHtml(message)}</div>` +
        `<div style="color:#5b6573;font-size:14px">Likely cause: ${escapeHtml(CAUSES[code])}</div>` +
        `<div style="${CODE}">${escapeHtml(command)}</div></div>`,
    )
    .join('');
  const errors = facts.errors
    .map(
      ({ id, type, error }) =>
        `<div style="font-size:14px;margin:0 0 8px;overflow-wrap:anywhere"><b>#${id} ${escapeHtml(type)}</b><br>${escapeHtml(error)}</div>`,
    )
    .join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light"><title>${escapeHtml(headline)}</title></head>
<body style="margin:0;padding:24px 12px;background:#eef1f5;${FONT};font-size:15px;line-height:1.5;color:#1b2430">
<div style="max-width:620px;margin:0 auto;background:#ffffff;border:1px solid #dbe1e8;border-radius:8px">
<div style="background:${band};border-radius:8px 8px 0 0;padding:16px 24px;color:#ffffff"><div style="font-size:13px">${escapeHtml(facts.appName)}</div><div style="font-size:20px;font-weight:600">${escapeHtml(headline)}</div></div>
<div style="padding:20px 24px">
<p style="margin:0 0 14px;color:#5b6573;font-size:14px;overflow-wrap:anywhere">${escapeHtml(whence(facts))}</p>
<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 18px">${table}</table>
${reasons}
${errors === '' ? '' : `<div style="font-weight:600;margin:0 0 6px">Last errors</div>${errors}`}${facts.reasons.length === 0 ? '' : `\n<p style="margin:14px 0 0;color:#5b6573;font-size:14px;overflow-wrap:anywhere">${escapeHtml(lookLine(facts))}</p>`}
</div></div>
</body></html>
`;
}

/** Whoever reads the mail is not the service's user. */
function lookLine({ look, host }: AlertFacts): string {
  const user = /^sudo -u (\S+) /.exec(look)?.[1];
  const others =
    user === undefined ? '' : `. Type every 'passito' command above like this, as the user ${user}`;
  return `To see for yourself, type on ${host}: ${look}${others}`;
}

/** One line: what a job's error says is shown, never obeyed. */
function short(error: string): string {
  const line = oneLine(error.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim());
  return line.length > LONGEST_ERROR ? `${line.slice(0, LONGEST_ERROR - 1)}…` : line;
}
