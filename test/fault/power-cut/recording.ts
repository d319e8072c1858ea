/** What recorder.c wrote down, and the disk that a power cut leaves at any moment of it. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a program did: wrote, truncated, began and ended a sync, removed a file, or said something on stdout. */
export interface Event {
  what: 'WRIT' | 'TRUN' | 'SYNC' | 'DONE' | 'GONE' | 'SAID';
  pid: number;
  /** Where it wrote, or the size that it cut a file to. */
  at: number;
  /** The file, from the folder on; '' is the folder itself. */
  name: string;
  data: Buffer;
}

const HEAD = 24;

export function readRecording(path: string): Event[] {
  const bytes = readFileSync(path);
  const events: Event[] = [];
  for (let from = 0; from < bytes.length;) {
    const what = bytes.toString('latin1', from, from + 4) as Event['what'];
    const name = from + HEAD;
    const data = name + bytes.readUInt32LE(from + 16);
    const end = data + bytes.readUInt32LE(from + 20);
    events.push({
      what,
      pid: bytes.readUInt32LE(from + 4),
      at: Number(bytes.readBigUInt64LE(from + 8)),
      name: bytes.toString('utf8', name, data),
      data: bytes.subarray(data, end),
    });
    from = end;
  }
  return events;
}

/** A disk persists this much at once, in bytes. */
const SECTOR = 512;

/** Gives numbers from 0 to 1. */
export type Random = () => number;

class File {
  bytes = Buffer.alloc(1 << 16);
  size = 0;
  /** Writes and truncations that no sync has covered yet. */
  pending: Event[] = [];
  /** How many have been made in all, those on the disk among them. */
  made = 0;

  clone(): File {
    const copy = new File();
    copy.bytes = Buffer.from(this.bytes.subarray(0, this.size));
    copy.size = this.size;
    return copy;
  }

  /** Puts everything that was made before the `upTo`th on the disk. */
  sync(upTo: number): void {
    const first = this.made - this.pending.length;
    for (const event of this.pending.splice(0, Math.max(0, upTo - first))) this.put(event);
  }

  put({ what, at, data }: Event, from = 0, to = data.length): void {
    if (what === 'TRUN') return this.#resize(at);
    if (at + to > this.size) this.#resize(at + to);
    data.copy(this.bytes, at + from, from, to);
  }

  #resize(size: number): void {
    if (size > this.bytes.length) {
      const larger = Buffer.alloc(Math.max(size, this.bytes.length * 2));
      this.bytes.copy(larger, 0, 0, this.size);
      this.bytes = larger;
    }
    if (size < this.size) this.bytes.fill(0, size, this.size);
    this.size = size;
  }
}

/** The files of the folder: what is on the disk for sure, and what the kernel may or may not have written yet. */
export class Disk {
  /** As programs see them. */
  readonly #seen = new Map<string, File>();
  /** As a directory on the disk has them. */
  readonly #kept = new Map<string, File>();
  /** Files that were made and removed since, in this order, which a journal of metadata keeps. */
  #changes: [name: string, file: File | undefined][] = [];
  /** How much had been written to a file when a process began to sync it. */
  readonly #begun = new Map<string, number>();

  apply(event: Event): void {
    const { what, pid, name } = event;
    if (what === 'SAID') return;
    if (what === 'GONE') {
      this.#seen.delete(name);
      this.#changes.push([name, undefined]);
      return;
    }
    if (name === '') {
      if (what === 'DONE') this.#keep();
      return;
    }
    let file = this.#seen.get(name);
    if (file === undefined) {
      file = new File();
      this.#seen.set(name, file);
      this.#changes.push([name, file]);
    }
    if (what === 'SYNC') this.#begun.set(`${pid} ${name}`, file.made);
    else if (what === 'DONE') {
      file.sync(this.#begun.get(`${pid} ${name}`) ?? 0);
      // A journal that has written a file's size has written what led to the file as well.
      if (this.#changes.some(([, made]) => made === file)) this.#keep();
    } else {
      file.pending.push(event);
      file.made++;
    }
  }

  #keep(count = this.#changes.length, kept = this.#kept): void {
    for (const [name, file] of this.#changes.slice(0, count)) {
      if (file === undefined) kept.delete(name);
      else kept.set(name, file);
    }
    if (kept === this.#kept) this.#changes = [];
  }

  /**
   * Makes the folder as the next boot may find it: all that was synced, and of the rest any part, sector by sector and
   * in any order. What lay in memory (`-shm`) is rubbish.
   */
  cut(random: Random, folder: string): void {
    mkdirSync(folder, { recursive: true });
    const kept = new Map(this.#kept);
    this.#keep(Math.floor(random() * (this.#changes.length + 1)), kept);
    // Nothing, all, or each with this chance.
    const chance = [0, 1, random(), random()][Math.floor(random() * 4)]!;
    for (const [name, file] of kept) {
      const copy = file.clone();
      for (const event of file.pending) {
        if (random() >= chance) continue;
        if (event.what === 'TRUN' || random() < 0.7) copy.put(event);
        else this.#tear(copy, event, random);
      }
      writeFileSync(join(folder, name), copy.bytes.subarray(0, copy.size));
    }
    const rubbish = Buffer.from(Array.from({ length: 32_768 }, (_, i) => (i * 131) % 251));
    if (kept.has('passito.db-wal')) writeFileSync(join(folder, 'passito.db-shm'), rubbish);
  }

  #tear(file: File, event: Event, random: Random): void {
    for (let from = 0; from < event.data.length; from += SECTOR) {
      if (random() < 0.5) file.put(event, from, Math.min(from + SECTOR, event.data.length));
    }
  }
}

/** Tells what was promised on stdout so far: the ids of jobs that were dispatched, and of those that are said to be done. */
export class Promises {
  readonly dispatched = new Set<number>();
  readonly completed = new Set<number>();
  readonly #texts = new Map<number, string>();

  hear({ what, pid, data }: Event): void {
    if (what !== 'SAID') return;
    const text = (this.#texts.get(pid) ?? '') + data.toString('utf8');
    this.#texts.set(pid, text);
    for (const [, id] of text.matchAll(/"id":(\d+)[,}]/g)) this.dispatched.add(Number(id));
    for (const [, id] of text.matchAll(/"id":(\d+)[^{}]*"status":"completed"/g)) {
      this.completed.add(Number(id));
    }
  }
}
