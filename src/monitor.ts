/** The monitor: looks at the queue's health from inside the supervisor, tells the admin, and says that it lives. */

import { checkHealth, tellAdmin } from './alerts.ts';
import type { Config } from './config.ts';
import type { Log } from './edge/log.ts';
import type { Clock } from './engine/clock.ts';
import { messageOf } from './errors.ts';
import type { SqliteStore } from './store/sqlite/store.ts';

/** The address that is pinged may be far away, in milliseconds. */
const PING_MS = 10_000;

/** One check. What goes wrong with a mail or a ping is logged; the next check tries again. */
export async function monitor({
  config,
  store,
  log,
  clock,
}: {
  config: Config;
  store: SqliteStore;
  log: Log;
  clock: Clock;
}): Promise<void> {
  const { alertThreshold, adminEmail, pingUrl } = config.settings;
  const health = await checkHealth(store, alertThreshold, clock);
  const { reasons } = health;
  if (pingUrl !== '' && reasons.length === 0) void ping(pingUrl, log);
  if (reasons.length > 0) {
    log.warn({ reasons: reasons.map(({ message }) => message) }, 'the job queue has issues');
  }
  if (adminEmail === '') return;
  const result = await tellAdmin({ config, store, clock }, health, { by: 'monitor' });
  if (result.done === 'mailed') {
    const { kind, to, receipt } = result;
    log.info({ alert: kind, to, via: receipt.via, response: receipt.response }, 'the admin was told');
  } else if (result.done === 'failed') {
    const { kind, to, reason } = result;
    log.error(
      { alert: kind, to, error: reason },
      'the admin could not be told; tried again at the next check',
    );
  }
}

/** Whoever listens raises the alarm when these stop. Waits for nobody. */
async function ping(url: string, log: Log): Promise<void> {
  try {
    const { status, body } = await fetch(url, { signal: AbortSignal.timeout(PING_MS), redirect: 'follow' });
    await body?.cancel();
    if (status >= 400) throw new Error(`it answered ${status}`);
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'PASSITO_PING_URL could not be reached');
  }
}
