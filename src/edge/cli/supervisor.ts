/** `passito supervisor` and `passito worker`: run until stopped. */

import { closeSync, openSync } from 'node:fs';
import { envFileValues } from '../../config.ts';
import { CopiedEnvironment } from '../../config/environment.ts';
import { PROFILES } from '../../config/keys.ts';
import { systemClock } from '../../engine/clock.ts';
import { createLog, type Log } from '../log.ts';
import { Reloads } from './reloads.ts';
import { takeNotifier } from '../systemd/notify.ts';
import { SystemdService } from '../systemd/service.ts';
import type { Command, CommandOption, Input } from './command.ts';

const RUNNING: readonly CommandOption[] = [
  { name: 'jobs', value: 'folder', about: 'The folder with your job files (./jobs)', setting: 'jobsFolder' },
  {
    name: 'queues',
    value: 'names',
    about: 'Serve only these queues, such as mail,default (all)',
    setting: 'queues',
  },
  {
    name: 'synchronous',
    value: 'mode',
    about: 'full survives a power cut; normal is faster (full)',
    setting: 'synchronous',
  },
  {
    name: 'drain-timeout',
    value: 'time',
    about: 'How long running jobs may finish at a stop (30s)',
    setting: 'drainTimeout',
  },
  { name: 'log-format', value: 'format', about: 'pretty, plain, json or auto (auto)', setting: 'logFormat' },
  { name: 'log-level', value: 'level', about: 'debug, info, warn or error (info)', setting: 'logLevel' },
];

export const supervisor: Command = {
  name: 'supervisor',
  aliases: ['jobs:supervisor'],
  about: 'Run jobs, with as many workers as the load calls for, until stopped',
  options: [
    { name: 'min-workers', value: 'n', about: 'Workers that are always there (1)', setting: 'minWorkers' },
    {
      name: 'max-workers',
      value: 'n',
      about: 'Workers at most (10); auto: by memory and cores',
      setting: 'maxWorkers',
    },
    {
      name: 'scale-up-threshold',
      value: 'n',
      about: 'Due jobs per worker above which workers are added (5)',
      setting: 'scaleUpThreshold',
    },
    {
      name: 'scale-down-threshold',
      value: 'n',
      about: 'Due jobs per worker below which workers are removed (2)',
      setting: 'scaleDownThreshold',
    },
    {
      name: 'check-interval',
      value: 'seconds',
      about: 'Seconds between two checks of the load (10)',
      setting: 'checkInterval',
    },
    { name: 'profile', value: 'load', about: profiles() },
    {
      name: 'socket',
      value: 'path',
      about: 'Where local programs dispatch over HTTP (passito.sock beside the database); off: nowhere',
      setting: 'socket',
    },
    {
      name: 'http',
      value: 'addr',
      about: 'Serve the same on a port of this machine, such as 8090 (off)',
      setting: 'http',
    },
    {
      name: 'public',
      value: 'addr',
      about: "Where parents' answers come in, such as 8080 (this machine) or 0.0.0.0:8080 (off)",
      setting: 'public',
    },
    ...RUNNING,
  ],
  example: 'passito supervisor --min-workers=2 --max-workers=20 --scale-up-threshold=10',
  run: async (input) => runUntilStopped(input, 'supervisor'),
};

export const worker: Command = {
  name: 'worker',
  aliases: ['jobs:worker'],
  about: 'Run jobs with a single worker, for development',
  options: [{ name: 'drain', about: 'Stop when nothing is due any more' }, ...RUNNING],
  fixed: { minWorkers: '1', maxWorkers: '1' },
  example: 'passito worker --drain',
  run: async (input) => runUntilStopped(input, 'worker'),
};

function profiles(): string {
  const rows = Object.entries(PROFILES).map(
    ([name, { minWorkers, maxWorkers, scaleUpThreshold }]) =>
      `${name} ${minWorkers}-${maxWorkers}/${scaleUpThreshold}`,
  );
  return `Limits by load (none), as min-max workers/scale-up threshold: ${rows.join(', ')}`;
}

async function runUntilStopped(input: Input, kind: 'supervisor' | 'worker'): Promise<number> {
  const config = await input.config();
  const environment = new CopiedEnvironment(process.env, envFileValues(config.envFile));
  const log = createLog(config.settings.logFormat, config.settings.logLevel);
  // Before threads get their copy of the environment.
  const notifier = takeNotifier(process.env, log);
  const systemd = notifier === undefined ? undefined : new SystemdService(notifier, systemClock, log);
  const { Generations } = await import('../../generations.ts');
  const stopping = stopSignals(log);
  const generations = await Generations.start(config, kind, log);
  const vitals = () => generations.newest.vitals();
  systemd?.ready(vitals);
  const reloads = new Reloads({ input, generations, config, environment, systemd });
  onHangUp(kind, () => void reloads.ask(log), stopping.request);
  if (kind === 'worker' && input.has('drain')) {
    generations.newest.events.on('idle', () => stopping.request('nothing is due any more'));
  }
  try {
    await Promise.race([stopping.requested, generations.broken]);
  } catch (error) {
    // Whatever else goes wrong now follows from it; what cannot be given back is rescued at the next start.
    await generations.stop(0, AbortSignal.abort()).catch(() => undefined);
    throw error;
  }
  reloads.end();
  const { drainTimeout } = reloads.config.settings;
  systemd?.stopping(drainTimeout);
  const gone = await generations.stop(drainTimeout, stopping.again);
  if (!gone) endNow(log);
  log.info('stopped');
  return 0;
}

/**
 * Ends the process though a thread of it cannot be ended. `process.exit` would wait for that thread; the
 * default of SIGTERM does not, and counts as a clean end for systemd.
 */
function endNow(log: Log): void {
  log.warn('stopped; a handler is inside a call that cannot be interrupted, so the process ends by SIGTERM');
  process.removeAllListeners('SIGTERM');
  process.kill(process.pid, 'SIGTERM');
}

/** The first SIGTERM or SIGINT asks for a stop, the second for one at once; more change nothing. */
function stopSignals(log: Log): {
  requested: Promise<void>;
  request: (why: string) => void;
  again: AbortSignal;
} {
  const hurry = new AbortController();
  let resolve: () => void = () => undefined;
  let asked = false;
  const requested = new Promise<void>((done) => {
    resolve = done;
  });
  const request = (why: string) => {
    if (asked) return;
    asked = true;
    log.info({ why }, 'stopping: no new jobs are claimed, running ones may finish');
    resolve();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (asked && !hurry.signal.aborted) {
        log.warn({ why: signal }, 'stopping at once: running jobs are given back');
        hurry.abort();
      } else request(signal);
    });
  }
  // Until it runs there is nothing to reload, and the signal would end it without a word.
  process.on('SIGHUP', () => undefined);
  return { requested, request, again: hurry.signal };
}

/** SIGHUP asks a supervisor to reload. It is also what the kernel says to all that run in a terminal that was closed. */
function onHangUp(kind: 'supervisor' | 'worker', reload: () => void, stop: (why: string) => void): void {
  const inTerminal = hasTerminal();
  process.on('SIGHUP', () => {
    if (kind === 'worker') stop('SIGHUP');
    else if (inTerminal && !hasTerminal()) stop('its terminal was closed');
    else reload();
  });
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
