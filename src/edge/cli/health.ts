/** `passito health`: the queue's health, from any shell, whether or not a supervisor runs. */

import { openStore } from '../../app.ts';
import { systemClock } from '../../engine/clock.ts';
import { type HealthReason, type HealthSnapshot, healthReasons } from '../../engine/health.ts';
import type { ProcessRecord } from '../../engine/store.ts';
import { EXIT } from '../../errors.ts';
import { HealthQueries } from '../../store/sqlite/health-queries.ts';
import type { ProcessRow } from '../../store/sqlite/queries.ts';
import { printable } from '../log.ts';
import { presence } from '../machine.ts';
import { type Command, type Input, JSON_OPTION } from './command.ts';
import { readWhole } from './values.ts';

export const health: Command = {
  name: 'health',
  aliases: ['jobs:health'],
  about: "Show the queue's health, and what to do where it has issues",
  options: [
    { name: 'alert-threshold', value: 'minutes', about: 'Minutes after which a due job is stale (5)' },
    { name: 'exit-code-on-failure', about: 'Exit with 1 where the queue has issues' },
    JSON_OPTION,
  ],
  example: 'passito health --alert-threshold=10 --exit-code-on-failure',
  async run(input) {
    const minutes = readWhole(input, 'alert-threshold', 1, 100_000) ?? 5;
    const store = await openStore(await input.config(), 'existing');
    try {
      input.note(`Database: ${store.file}`);
      const queries = new HealthQueries(store.db, systemClock);
      const snapshot = await store.read(() => queries.snapshot(minutes * 60_000, isAlive));
      const reasons = healthReasons(snapshot);
      if (input.json) input.print(JSON.stringify(asJson(snapshot, reasons)));
      else print(input, snapshot, reasons, minutes);
      return reasons.length > 0 && input.has('exit-code-on-failure') ? EXIT.no : 0;
    } finally {
      await store.close();
    }
  },
};

/** Another host's process is taken to live for half a minute after its last heartbeat. */
export function isAlive(row: ProcessRow): boolean {
  const record = {
    pid: row.pid,
    host: row.host,
    bootId: row.boot_id,
    startTime: row.start_time,
  } as ProcessRecord;
  const seen = presence(record);
  return (
    seen === 'here' ||
    (seen === 'elsewhere' && Date.now() - Date.parse(`${row.heartbeat_at.replace(' ', 'T')}Z`) < 30_000)
  );
}

function print(input: Input, snapshot: HealthSnapshot, reasons: HealthReason[], minutes: number): void {
  input.print(
    [
      'Job Queue Health Check',
      '='.repeat(50),
      `Pending Jobs:    ${snapshot.pending}`,
      `Processing Jobs: ${snapshot.processing}`,
      `Failed Jobs:     ${snapshot.failed}`,
      `Stale Jobs:      ${snapshot.stale} (older than ${minutes}m)`,
      '',
    ].join('\n'),
  );
  if (reasons.length === 0) {
    input.print(input.paint('green', '✓ Job queue is healthy'));
    return;
  }
  input.print(input.paint('red', '✗ Job queue has issues'));
  for (const { message, try: next } of reasons) input.print(printable(`  - ${message}\n    Try: ${next}`));
}

function asJson(snapshot: HealthSnapshot, reasons: HealthReason[]): object {
  return {
    healthy: reasons.length === 0,
    pending: snapshot.pending,
    processing: snapshot.processing,
    failed: snapshot.failed,
    stale: snapshot.stale,
    stuck: snapshot.stuck.length,
    supervisors: snapshot.supervisors,
    finished: snapshot.finished,
    threshold_minutes: snapshot.threshold / 60_000,
    reasons: reasons.map(({ code, message, try: next }) => ({ code, message, try: next })),
  };
}
