/** What handlers log, on its way to the main thread: bounded, each line and all that wait there together. */

import type { FromWorker, WireJob } from '../engine/wire.ts';

type LogMessage = Extract<FromWorker, { kind: 'log' }>;

/** Longer messages, and fields as JSON, are cut. Characters. */
const LONGEST_MESSAGE = 4000;
const LONGEST_FIELDS = 16_000;

/** A line costs about this much beside its characters. */
const LINE = 200;

/** What the main thread has not read yet, in characters: a loop that logs is faster than whoever writes it down. */
const MOST_UNREAD = 8 * 1024 * 1024;

// Taken now: a handler that patches globals must not break the jobs after it.
const { add, load } = Atomics;
const { parse, stringify } = JSON;

export class ThreadLog {
  readonly #unread: Int32Array;
  readonly #send: (message: LogMessage) => void;
  #dropped = 0;

  /** `unread` is shared with the main thread, which takes off what it has read. */
  constructor(unread: Int32Array, send: (message: LogMessage) => void) {
    this.#unread = unread;
    this.#send = send;
  }

  write(job: WireJob, level: LogMessage['level'], text: string, fields?: Record<string, unknown>): void {
    const message = text.slice(0, LONGEST_MESSAGE);
    const json = fields === undefined ? '' : textOf(fields);
    if (load(this.#unread, 0) > MOST_UNREAD) {
      this.#dropped++;
      return;
    }
    this.flush(job);
    this.#post(job, level, message, json);
  }

  /** Says how many lines were left out. */
  flush(job: WireJob): void {
    if (this.#dropped === 0) return;
    const json = `{"lines":${this.#dropped}}`;
    this.#dropped = 0;
    this.#post(job, 'warn', 'more was logged than can be written: lines were left out', json);
  }

  #post({ id, type, attempt }: WireJob, level: LogMessage['level'], message: string, json: string): void {
    const size = message.length + json.length + LINE;
    const line: LogMessage = { kind: 'log', id, type, attempt, level, message, size };
    if (json.length > LONGEST_FIELDS) line.fields = { fields: json.slice(0, LONGEST_FIELDS) };
    else if (json !== '') line.fields = parse(json) as Record<string, unknown>;
    add(this.#unread, 0, size);
    this.#send(line);
  }
}

/** What structured cloning can take: functions and symbols are left out. */
function textOf(fields: Record<string, unknown>): string {
  try {
    return stringify(fields) ?? '';
  } catch {
    return '';
  }
}
