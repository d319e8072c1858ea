/** Samples → medians with their spread, Markdown tables, and the marked parts of docs/performance.md. */

import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';

/** Several runs of one figure. */
export interface Summary {
  median: number;
  low: number;
  high: number;
}

export function middle(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const [below, above] = [Math.floor((sorted.length - 1) / 2), Math.ceil((sorted.length - 1) / 2)];
  return ((sorted[below] ?? Number.NaN) + (sorted[above] ?? Number.NaN)) / 2;
}

export function summarize(samples: readonly number[]): Summary {
  return { median: middle(samples), low: Math.min(...samples), high: Math.max(...samples) };
}

/** Three significant digits, thousands with commas. */
export function format(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  const rounded = Number(value.toPrecision(3));
  return rounded.toLocaleString('en', { minimumFractionDigits: 0, maximumFractionDigits: digits });
}

/** `median (low–high)`. */
export function spread({ median, low, high }: Summary): string {
  return low === high ? format(median) : `${format(median)} (${format(low)}–${format(high)})`;
}

export function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const [loadBefore = 0] = loadavg();

/** The machine, in one line, and what else it did. */
export function machine(): string {
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').split('-')[0];
  return `${availableParallelism()} cores of ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release}, Node ${process.version}; load average ${loadBefore.toFixed(1)} before the run`;
}

const docs = join(import.meta.dirname, '..', '..', 'docs');
const parts = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const write = process.argv.includes('--write');

/** Prints a part of the page; with `--write` it replaces what stands between the part's marks there. */
export function publish(part: string, text: string): void {
  if (write && parts.length > 0) {
    throw new Error('--write puts whole tables into docs/: name no parts with it');
  }
  console.log(`\n${text}\n`);
  if (write) replacePart('performance.md', part, text);
}

/** Replaces what stands between the marks of a part in a page of docs/. */
export function replacePart(page: string, part: string, text: string): void {
  const path = join(docs, page);
  const [begin, end] = [`<!-- bench ${part} -->`, `<!-- end ${part} -->`];
  const old = readFileSync(path, 'utf8');
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`docs/${page} has no marks for ${part}`);
  writeFileSync(path, `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`);
}

/** With `--write`, the picture goes into docs/. */
export function publishPicture(name: string, svg: string): void {
  if (write) writePicture(name, svg);
}

export function writePicture(name: string, svg: string): void {
  writeFileSync(join(docs, name), svg);
}

/** Whether a part of a benchmark was asked for: all, where none was named. */
export function asked(part: string): boolean {
  return parts.length === 0 || parts.includes(part);
}
