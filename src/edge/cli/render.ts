/** How jobs look: as lines of a table, one whole, or as JSON. What a payload says is shown, never obeyed. */

import { parseTime } from '../../engine/clock.ts';
import { pauseText } from '../../engine/health.ts';
import { inZone } from '../../outpass/local-time.ts';
import type { Pause } from '../../store/sqlite/pauses.ts';
import type { AttemptRow, JobRow, RelatedRow, Secrets } from '../../store/sqlite/queries.ts';
import { masked } from '../../store/sqlite/job-json.ts';
import { hanging, oneLine, printable } from '../terminal.ts';
import type { Input } from './command.ts';
import { counted } from '../../engine/units.ts';

const COLOURS = {
  failed: 'red',
  completed: 'green',
  processing: 'yellow',
  cancelled: 'dim',
  blocked: 'dim',
  pending: 'bold',
} as const;

/** A stored time in a zone: `2026-11-23 08:30:00`. */
export function told(utc: string | null, zone: string): string {
  if (utc === null) return '-';
  const date = new Date(parseTime(utc));
  if (Number.isNaN(date.getTime())) return utc;
  // Swedish writes dates as ISO does.
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(
    date,
  );
}

/** In characters; the longest names, addresses and paths are shorter. */
const WIDEST_CELL = 500;
/** The same in a sentence, where no heading names the zone: `2026-11-23 08:30:00 (Asia/Kolkata)`. */
export function toldIn(utc: string | null, zone: string): string {
  return utc === null ? '-' : inZone(told(utc, zone), zone);
}

/** A pause as a sentence for who reads the other times in the office's zone as well. */
export function pauseTold(pause: Pause, zone: string): string {
  const { since } = pause;
  const said = pauseText({ ...pause, since: '' });
  return since === '' ? said : said.replace(/\.$/, () => ` at ${toldIn(since, zone)}.`);
}

/** Lines in columns; `dress` colours a cell that is padded already. */
export function inColumns(
  head: readonly string[],
  lines: readonly (readonly string[])[],
  { paint }: Input,
  dress: (cell: string, line: number, column: number) => string = (cell) => cell,
): string {
  // A line end in a cell would begin a line of its own; one that another program wrote may be endless.
  const rows = lines.map((line) => line.map((cell) => oneLine(cut(cell))));
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const padded = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] as number)));
  const shown = rows.map((row, n) =>
    padded(row)
      .map((cell, i) => dress(cell, n, i))
      .join('  ')
      .trimEnd(),
  );
  return [paint('dim', padded(head).join('  ').trimEnd()), ...shown].join('\n');
}

function cut(cell: string): string {
  return cell.length > WIDEST_CELL ? `${cell.slice(0, WIDEST_CELL)}…` : cell;
}

/** One line a job. */
export function table(rows: readonly JobRow[], zone: string, input: Input): string {
  const lines = rows.map((job) => [
    `#${job.id}`,
    job.type,
    job.status,
    `${job.attempts}`,
    told(
      job.status === 'pending' ? job.available_at : (job.finished_at ?? job.started_at ?? job.created_at),
      zone,
    ),
    firstLine(job.last_error ?? ''),
  ]);
  const head = ['id', 'type', 'status', 'attempts', `when (${zone})`, 'last error'];
  return inColumns(head, lines, input, (cell, line, column) =>
    column === 2 ? input.paint(COLOURS[(rows[line] as JobRow).status], cell) : cell,
  );
}

/** Everything about one job. */
export function showJob(
  job: JobRow,
  { attempts, parents, children }: { attempts: AttemptRow[]; parents: RelatedRow[]; children: RelatedRow[] },
  secrets: Secrets,
  zone: string,
  { paint }: Input,
): string {
  const rows: [string, string | undefined][] = [
    ['Status', paint(COLOURS[job.status], job.status)],
    [
      'Attempts',
      `${job.attempts}${job.max_attempts === null ? '' : ` of ${job.max_attempts}`}${job.crashes > 0 ? `, and ${counted(job.crashes, 'crash', 'crashes')} of its process` : ''}`,
    ],
    ['Queue', `${job.queue}, priority ${job.priority}`],
    ['Dispatched', told(job.created_at, zone)],
    ['Due', job.status === 'pending' ? told(job.available_at, zone) : undefined],
    ['Started', job.started_at === null ? undefined : told(job.started_at, zone)],
    ['Finished', job.finished_at === null ? undefined : told(job.finished_at, zone)],
    ['Unique key', job.unique_key ?? undefined],
    ['Options', job.options ?? undefined],
    ['Progress', job.progress ?? undefined],
    ['Payload', JSON.stringify(masked(job, secrets))],
    ['Result', job.result ?? undefined],
    ['Last error', job.last_error ?? undefined],
    ['Depends on', related(parents)],
    ['Waited for by', related(children)],
  ];
  const lines = rows
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) => `  ${name.padEnd(14)}${name === 'Status' ? value : hanging(value as string, 16)}`,
    );
  const history = attempts.map(({ attempt, outcome, ended_at: ended, error, stack }) => {
    const head = hanging(`  ${attempt}  ${outcome}  ${told(ended, zone)}  ${error ?? ''}`, 7);
    return stack === null || stack === undefined
      ? head
      : `${head}\n${paint('dim', `       ${hanging(stack, 7)}`)}`;
  });
  return [
    paint('bold', `Job #${job.id} ${oneLine(job.type)}`) + `  (times in ${zone})`,
    ...lines,
    ...(history.length === 0 ? [] : ['', '  Attempts that did not end well:', ...history]),
  ].join('\n');
}

function related(rows: readonly RelatedRow[]): string | undefined {
  if (rows.length === 0) return undefined;
  const shown = rows.slice(0, 10).map(({ id, type, status }) => `#${id} ${type} (${status})`);
  return `${shown.join(', ')}${rows.length > 10 ? ` and ${rows.length - 10} more` : ''}`;
}

function firstLine(text: string): string {
  const line = printable(text).split('\n')[0] ?? '';
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
