/** `passito audit`, and how the other commands write into its book. */

import { prepareAudit } from '../../store/sqlite/audit.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import { type Command, type Input, JSON_OPTION, limitOption } from './command.ts';
import { withStore } from './with-store.ts';
import { inColumns, told } from './render.ts';
import { readBy, readWhole } from './values.ts';

/** A time in the book, which is kept in UTC. */
const KEPT_TIME = /(\d{4}-\d\d-\d\d [\d:.]+) UTC$/;

export const audit: Command = {
  name: 'audit',
  about:
    'Show who retried, cancelled, approved, imported, restored, paused and scaled, and when; kept for 90 days',
  options: [limitOption(50), JSON_OPTION],
  example: 'passito audit --limit 20',
  run: (input) =>
    withStore(input, async (store, _queries, { settings }) => {
      const limit = readWhole(input, 'limit', 1, 1_000_000) ?? 50;
      const lines = await store.read(() => prepareAudit(store.db).list(limit));
      if (input.json) input.print(JSON.stringify(lines));
      else if (lines.length === 0) input.note('Nobody has changed anything by hand.');
      else {
        const { timeZone: zone } = settings;
        const local = (detail: string) => detail.replace(KEPT_TIME, (_, utc: string) => told(utc, zone));
        const cells = lines.map(({ at, who, action, detail }) => [
          told(at, zone),
          who,
          action,
          // They keep a time there; what people have written stays as it is.
          ['scale', 'restore'].includes(action) ? local(detail) : detail,
        ]);
        input.print(inColumns([`when (${zone})`, 'who', 'command', 'what'], cells, input));
      }
      return 0;
    }),
};

/**
 * Does what changes something, and writes it down in the same transaction: a kill leaves neither without the other.
 * `detail` is given what a write of `work` has written, and gives nothing where that has changed nothing.
 */
export function audited<T, Written = T>(
  store: SqliteStore,
  input: Input,
  action: string,
  work: () => Promise<T>,
  detail: (written: Written) => string | undefined,
): Promise<T> {
  const [book, who] = [prepareAudit(store.db), readBy(input)];
  return store.followed((written, now) => {
    const what = detail(written as Written);
    if (what !== undefined) book.note(who, action, what, now);
  }, work);
}
