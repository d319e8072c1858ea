/** `passito demo`: the whole way of a gate pass, on sample data, in a folder of its own. */

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { packaged } from '../../build-info.ts';
import { openOffice, openStore } from '../../app.ts';
import type { Config } from '../../config.ts';
import { errors } from '../../errors.ts';
import { approvePass } from '../../store/sqlite/decisions.ts';
import { createLog } from '../log.ts';
import type { Command, Input } from './command.ts';
import { sampleOutpasses, sampleStudents } from './demo-data.ts';
import { importFile } from './import.ts';
import { progressBar } from './progress.ts';

/** Marks a folder as one that a demo may use again. */
const MARK = 'passito-demo.txt';

/** Longer than this, and something is wrong, in milliseconds. */
const PATIENCE_MS = 60_000;

export const demo: Command = {
  name: 'demo',
  about: 'Show the whole way of a gate pass on sample data',
  options: [{ name: 'folder', value: 'path', about: 'Where the demo keeps its files (./passito-demo)' }],
  example: 'passito demo --folder /tmp/passito-demo',
  async run(input) {
    const folder = prepareFolder(input.option('folder') ?? 'passito-demo');
    const config = demoConfig(await input.config(), folder);
    input.print(input.paint('bold', 'passito demo: import → approve → QR code → document → mail'));

    const students = await importFile(config, join(folder, 'students.csv'), 'students');
    const passes = await importFile(config, join(folder, 'outpasses.csv'), 'outpasses');
    input.print(`1. Imported ${count(students)} students and ${count(passes)} outpasses.`);

    const approved = await approveAll(config);
    input.print(`2. Approved ${approved} outpasses; each has three jobs: QR code → document → mail.`);

    const started = performance.now();
    const done = await runJobs(config, approved * 3, input);
    input.print(
      `3. Ran ${done} jobs on ${config.settings.minWorkers} worker threads in ${((performance.now() - started) / 1000).toFixed(1)} s.`,
    );
    summary(input, folder);
    return 0;
  },
};

function prepareFolder(name: string): string {
  const folder = resolve(name);
  if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, MARK))) {
    throw errors.folderInUse(folder);
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A run of its own each time: what an earlier demo made stays beside it.
  const run = join(folder, new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-'));
  mkdirSync(run, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, MARK), 'Made by "passito demo"; may be deleted whole.\n');
  writeFileSync(join(run, 'students.csv'), sampleStudents());
  writeFileSync(join(run, 'outpasses.csv'), sampleOutpasses(Date.now()));
  return run;
}

/** Sample students must never get real mail, and nobody's own jobs are run. */
function demoConfig(config: Config, folder: string): Config {
  const settings = {
    ...config.settings,
    db: join(folder, 'passito.db'),
    jobsFolder: join(folder, 'jobs'),
    smtpHost: '',
    minWorkers: 2,
    maxWorkers: 2,
  };
  return { ...config, settings, origins: { ...config.origins, jobsFolder: 'default' }, jobs: {} };
}

async function approveAll(config: Config): Promise<number> {
  const store = await openStore(config, 'existing');
  try {
    const office = openOffice(config, store);
    const pending = await office.listPasses({ status: 'pending' });
    await Promise.all(pending.map(({ id }) => approvePass(store, office, id, 'Dr. Meera Rao, Chief Warden')));
    return pending.length;
  } finally {
    await store.close();
  }
}

async function runJobs(config: Config, expected: number, input: Input): Promise<number> {
  const { startDaemon } = await import('../../daemon.ts');
  const daemon = await startDaemon(config, 'worker', createLog('auto', 'error'));
  let done = 0;
  const bar = progressBar(expected, 0);
  await new Promise<void>((finish) => {
    const timer = setTimeout(finish, PATIENCE_MS);
    const tick = () => {
      done++;
      bar.to(done);
      if (done < expected) return;
      clearTimeout(timer);
      finish();
    };
    daemon.events.on('completed', tick);
    daemon.events.on('failed', tick);
    if (expected === 0) finish();
  });
  bar.end();
  await daemon.stop(5000, new AbortController().signal);
  if (done < expected) input.note(`Only ${done} of ${expected} jobs ended within a minute.`);
  return done;
}

function summary(input: Input, folder: string): void {
  const here = (name: string) => join(relative(process.cwd(), folder) || '.', name);
  const files = (name: string) =>
    existsSync(join(folder, name)) ? readdirSync(join(folder, name)).length : 0;
  input.print('');
  input.print(`${input.paint('bold', 'Look into')} ${here('')}`);
  input.print(`  ${here('files/qr')}         ${files('files/qr')} QR codes (PNG)`);
  input.print(`  ${here('files/documents')}  ${files('files/documents')} gate passes (PDF)`);
  input.print(
    `  ${here('outbox')}           ${files('outbox')} mails (.eml): no SMTP server is configured, so nothing was sent`,
  );
  input.print(
    `Delete it when you have seen enough: rm -r ${relative(process.cwd(), join(folder, '..')) || '.'}`,
  );
  input.print('');
  input.print('And ask:');
  input.print(`  ${self()} jobs list --db ${here('passito.db')}`);
  input.print(`  ${self()} health --db ${here('passito.db')}`);
}

function count({
  inserted,
  updated,
  unchanged,
}: {
  inserted: number;
  updated: number;
  unchanged: number;
}): number {
  return inserted + updated + unchanged;
}

/** This program as it can be typed here. */
function self(): string {
  const path = packaged ? process.execPath : join(import.meta.dirname, '../../../bin/passito');
  const onPath = (process.env['PATH'] ?? '').split(':').some((folder) => join(folder, 'passito') === path);
  if (onPath) return 'passito';
  const here = relative(process.cwd(), path);
  return here.startsWith('..') ? path : `./${here}`;
}
