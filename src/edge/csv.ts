/** Reads a file of records, CSV or a JSON array, into named values, and writes CSV; knows nothing of what they mean. */

import { isUtf8 } from 'node:buffer';

import { messageOf } from '../errors.ts';

/** A file of records: its columns, and each record with the place where it stands. */
export interface Table {
  format: 'csv' | 'json';
  columns: string[];
  records: TableRecord[];
}

/** One record. Values of CSV are text; those of JSON are what the file holds. */
interface TableRecord {
  /** `line 3` of a CSV file, `item 3` of a JSON array. */
  place: string;
  values: Record<string, unknown>;
  /** As it stands in the file: the cells of a line, or an item. */
  source: unknown;
  /** What is wrong with the record as a whole; its values then mean nothing. */
  fault?: string;
}

/** The file is not the kind of file it should be. The message says where and why. */
export class TableError extends Error {}

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Reads bytes as CSV (`,`, `;` or tab, whichever the first line uses most) or, where they begin with `[`, as JSON. */
export async function readTable(bytes: Buffer): Promise<Table> {
  const plain = bytes.subarray(0, 3).equals(UTF8_MARK) ? bytes.subarray(3) : bytes;
  if (!isUtf8(plain)) throw new TableError(notUtf8(plain));
  const text = plain.toString('utf8');
  if (text.trim() === '') throw new TableError('The file is empty.');
  return /^\s*[[{]/.test(text) ? fromJson(text) : fromCsv(text);
}

function notUtf8(bytes: Buffer): string {
  const advice = 'Save it as UTF-8 (in a spreadsheet: "CSV UTF-8").';
  if (bytes[0] === 0xff || bytes[0] === 0xfe) return `The file is in UTF-16. ${advice}`;
  let line = 1;
  for (let from = 0; from < bytes.length; line += 1) {
    const end = bytes.indexOf(10, from);
    const to = end === -1 ? bytes.length : end;
    if (!isUtf8(bytes.subarray(from, to))) break;
    from = to + 1;
  }
  return `The file is not in UTF-8: line ${line} holds other bytes. ${advice}`;
}

function fromJson(text: string): Table {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TableError(`The file is not valid JSON: ${messageOf(error)}.`);
  }
  if (!Array.isArray(value)) throw new TableError('The file holds JSON, but not an array of objects.');
  const columns = new Set<string>();
  const records = value.map((item: unknown, index): TableRecord => {
    const place = `item ${index + 1}`;
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      return { place, values: {}, source: item, fault: 'is not an object' };
    }
    for (const key of Object.keys(item)) columns.add(key);
    return { place, values: { ...item }, source: item };
  });
  return { format: 'json', columns: [...columns], records };
}

async function fromCsv(text: string): Promise<Table> {
  const { parse } = await import('csv-parse/sync');
  let rows: { record: string[]; info: { lines: number }; raw: string }[];
  // The parser counts a CRLF inside quotes as two lines.
  const plain = text.replaceAll('\r\n', '\n');
  try {
    rows = parse(plain, {
      delimiter: delimiterOf(text),
      info: true,
      raw: true,
      trim: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      relax_column_count: true,
    }) as unknown as typeof rows;
  } catch (error) {
    throw new TableError(csvFault(error as CsvError, plain));
  }
  const [head, ...body] = rows;
  if (head === undefined) throw new TableError('The file is empty.');
  const columns = head.record.map((name) => name.toLowerCase());
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) throw new TableError(`The column '${twice}' stands twice in the first line.`);
  return { format: 'csv', columns, records: body.map((row) => toRecord(row, columns)) };
}

function toRecord(
  row: { record: string[]; info: { lines: number }; raw: string },
  columns: string[],
): TableRecord {
  // The parser counts to the record's last line; people look for its first.
  const further = row.raw.trim().split('\n').length - 1;
  const place = `line ${row.info.lines - further}`;
  if (row.record.length !== columns.length) {
    const fault = `has ${row.record.length} values, but the first line names ${columns.length} columns`;
    return { place, values: {}, source: row.record, fault };
  }
  const values: Record<string, string> = {};
  for (const [index, name] of columns.entries()) values[name] = row.record[index] ?? '';
  return { place, values, source: row.record };
}

/** Only the first line counts, and only outside quotes: values may hold anything. */
function delimiterOf(text: string): string {
  const first = (text.trimStart().split('\n', 1)[0] ?? '').replaceAll(/"[^"]*"/g, '');
  const count = (mark: string) => first.split(mark).length - 1;
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

/** What the parser says of a record: what it had read of it, and the line where it stopped. */
interface CsvError extends Error {
  code?: string;
  lines?: number;
  raw?: string;
}

function csvFault(error: CsvError, text: string): string {
  const { code = '', lines, raw = '' } = error;
  if (code === 'CSV_QUOTE_NOT_CLOSED') {
    const before = text.slice(0, text.length - raw.length + openQuote(raw));
    return `A quote is opened in line ${before.split('\n').length} and never closed, so that the rest of the file looks like one value.`;
  }
  const line = lines === undefined ? '' : ` near line ${lines}`;
  if (code === 'INVALID_OPENING_QUOTE' || code === 'CSV_INVALID_CLOSING_QUOTE') {
    // It is the last that was read, and may be where another value begins: then an earlier quote was not closed.
    const since = raw.slice(openQuote(raw.slice(0, -1))).split('\n').length - 1;
    return since > 0 && lines !== undefined
      ? `A quotation mark${line} stands inside a value that begins in line ${lines - since}: close that one, or write the mark twice.`
      : `A quotation mark${line} stands inside a value: write it twice, and put the value in quotes.`;
  }
  return `The file is not valid CSV${line}: ${messageOf(error)}.`;
}

/** Where the quote stands that a part of a line opens and does not close; at its end where there is none. */
function openQuote(raw: string): number {
  let at = -1;
  for (let i = raw.indexOf('"'); i >= 0; i = raw.indexOf('"', i + 1)) {
    if (at < 0) at = i;
    else if (raw[i + 1] === '"') i++;
    else at = -1;
  }
  return at < 0 ? raw.length : at;
}

/** Lines of cells as CSV that {@link readTable} takes back as they were. */
export function writeCsv(lines: readonly (readonly string[])[]): string {
  return lines.map((cells) => `${cells.map(cell).join(',')}\n`).join('');
}

function cell(value: string): string {
  return /[",;\t\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
