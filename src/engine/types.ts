/** The job types that a process knows, with every option filled in. */

import { type BackoffPolicy, DEFAULT_BACKOFF } from './backoff.ts';
import type { JobOptions } from './handler.ts';
import type { StoredOptions } from './store.ts';
import { cannotBe } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { parseDuration, parseSize } from './units.ts';

/** A type with its options as numbers: milliseconds, bytes. */
export interface JobType {
  type: string;
  source: string;
  maxAttempts: number;
  backoff: BackoffPolicy;
  /** 0: none. */
  timeout: number;
  memoryLimit: number;
  priority: number;
  queue: string;
  /** Infinity: no limit. */
  concurrency: number;
  redact: readonly string[];
  /** Whether payloads are to be checked before they are dispatched. */
  checked: boolean;
}

/** What counts where neither the job nor its type says otherwise. */
export const DEFAULTS = {
  maxAttempts: 3,
  backoff: DEFAULT_BACKOFF,
  timeout: 600_000,
  memoryLimit: 256 * 1024 ** 2,
  priority: 0,
  queue: 'default',
  concurrency: Number.POSITIVE_INFINITY,
} as const;

/** Names of queues and types: what can stand in a shell, a URL and a log line without quoting. */
export const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.:-]{0,99}$/u;

/** The longest unique key, in characters. */
const MAX_KEY = 500;

/** What a unique key must be, in words. */
export const UNIQUE_KEY = `of 1 to ${MAX_KEY} characters`;

export function isUniqueKey(key: string): boolean {
  return key !== '' && key.length <= MAX_KEY;
}

/** Every key that a job definition may have. */
export const DEFINITION_KEYS = [
  'type',
  'handle',
  'schema',
  'unique',
  'redact',
  'override',
  'maxAttempts',
  'backoff',
  'timeout',
  'memoryLimit',
  'priority',
  'queue',
  'concurrency',
] as const;

/** Keys that look like a slip of a known one. Others are the author's own business. */
export function misspelt(definition: Record<string, unknown>): string[] {
  const known: readonly string[] = DEFINITION_KEYS;
  return Object.keys(definition).flatMap((key) => {
    const close = known.includes(key) ? undefined : nearest(key, known);
    return close === undefined ? [] : [`there is no option '${key}'; did you mean '${close}'?`];
  });
}

/** What is wrong with options, each with its key and what is allowed; empty if nothing is. */
export function optionProblems(options: Record<string, unknown>): string[] {
  const problems: string[] = [];
  const check = (key: string, ok: boolean, allowed: string) => {
    if (options[key] !== undefined && !ok) {
      problems.push(cannotBe(key, show(options[key]), allowed));
    }
  };
  const { maxAttempts, backoff, timeout, memoryLimit, priority, queue, concurrency } = options;
  check('maxAttempts', isWhole(maxAttempts, 1, 1000), 'a whole number from 1 to 1000');
  check('timeout', parseDuration(timeout) !== undefined, 'a duration such as 30s or 10m; 0 for none');
  check(
    'memoryLimit',
    (parseSize(memoryLimit) ?? 0) >= 16 * 1024 ** 2,
    'a size such as 256mb, at least 16mb',
  );
  check('priority', isWhole(priority, 0, 9), 'a whole number from 0 to 9');
  check('queue', typeof queue === 'string' && NAME.test(queue), 'a name of letters, digits and . _ : -');
  check('concurrency', isWhole(concurrency, 1, 10_000), 'a whole number from 1 to 10000');
  if (backoff !== undefined) {
    if (typeof backoff !== 'object' || backoff === null) {
      check('backoff', false, "an object such as { base: '10s', factor: 2, max: '1h' }");
    } else {
      const { base, factor, max } = backoff as Record<string, unknown>;
      if (base !== undefined && parseDuration(base) === undefined) {
        problems.push(cannotBe('backoff.base', show(base), 'a duration such as 10s'));
      }
      if (max !== undefined && parseDuration(max) === undefined) {
        problems.push(cannotBe('backoff.max', show(max), 'a duration such as 1h'));
      }
      if (factor !== undefined && !(typeof factor === 'number' && factor >= 1 && factor <= 100)) {
        problems.push(cannotBe('backoff.factor', show(factor), 'a number from 1 to 100'));
      }
    }
  }
  return problems;
}

/** Fills in what a definition leaves open. Its options must have been checked. */
export function completeType(
  definition: JobOptions & { type: string; source: string; redact?: readonly string[]; checked?: boolean },
): JobType {
  return {
    type: definition.type,
    source: definition.source,
    maxAttempts: definition.maxAttempts ?? DEFAULTS.maxAttempts,
    backoff: backoffOf(definition.backoff),
    timeout: parseDuration(definition.timeout) ?? DEFAULTS.timeout,
    memoryLimit: parseSize(definition.memoryLimit) ?? DEFAULTS.memoryLimit,
    priority: definition.priority ?? DEFAULTS.priority,
    queue: definition.queue ?? DEFAULTS.queue,
    concurrency: definition.concurrency ?? DEFAULTS.concurrency,
    redact: definition.redact ?? [],
    checked: definition.checked ?? false,
  };
}

/** What is kept with one job of its own options, as JSON text; null where there are none. */
export function storedOptions(options: JobOptions, redact: readonly string[] = []): string | null {
  const kept: StoredOptions = {};
  if (options.backoff !== undefined) kept.backoff = backoffOf(options.backoff);
  if (options.timeout !== undefined) kept.timeout = parseDuration(options.timeout) ?? DEFAULTS.timeout;
  if (options.memoryLimit !== undefined) {
    kept.memoryLimit = parseSize(options.memoryLimit) ?? DEFAULTS.memoryLimit;
  }
  if (options.concurrency !== undefined) kept.concurrency = options.concurrency;
  if (redact.length > 0) kept.redact = [...redact];
  return Object.keys(kept).length === 0 ? null : JSON.stringify(kept);
}

function backoffOf(backoff: JobOptions['backoff']): BackoffPolicy {
  return {
    base: parseDuration(backoff?.base) ?? DEFAULT_BACKOFF.base,
    factor: backoff?.factor ?? DEFAULT_BACKOFF.factor,
    max: parseDuration(backoff?.max) ?? DEFAULT_BACKOFF.max,
  };
}

function isWhole(value: unknown, from: number, to: number): boolean {
  return Number.isInteger(value) && (value as number) >= from && (value as number) <= to;
}

function show(value: unknown): string {
  let text: string;
  try {
    text = typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value));
  } catch {
    text = typeof value === 'bigint' ? `${value}n` : `a ${typeof value}`;
  }
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
