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
  try {
    // The parser counts a CRLF inside quotes as two lines.
    rows = parse(text.replaceAll('\r\n', '\n'), {
      delimiter: delimiterOf(text),
      info: true,
      raw: true,
      trim: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      relax_column_count: true,
    }) as unknown as typeof rows;
  } catch (error) {
    throw new TableError(csvFault(error));
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

function csvFault(error: unknown): string {
  const line = error instanceof Error && 'lines' in error ? ` near line ${String(error.lines)}` : '';
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'CSV_QUOTE_NOT_CLOSED') {
    return 'A quote is opened and never closed, so that the rest of the file looks like one value.';
  }
  if (code === 'INVALID_OPENING_QUOTE' || code === 'CSV_INVALID_CLOSING_QUOTE') {
    return `A quotation mark${line} stands inside a value: write it twice, and put the value in quotes.`;
  }
  return `The file is not valid CSV${line}: ${messageOf(error)}.`;
}

/** Lines of cells as CSV that {@link readTable} takes back as they were. */
export function writeCsv(lines: readonly (readonly string[])[]): string {
  return lines.map((cells) => `${cells.map(cell).join(',')}\n`).join('');
}

function cell(value: string): string {
  return /[",;\t\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
