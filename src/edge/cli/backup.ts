/** `passito backup` and `passito restore`: everything in one file, and back. */

import { writeBackup } from '../../care/backup.ts';
import { finishRestore, restore as restoreFrom } from '../../care/restore.ts';
import type { Steps } from '../../care/steps.ts';
import { counted, formatSize } from '../../engine/units.ts';
import { errors } from '../../errors.ts';
import { type Command, type Input, JSON_OPTION } from './command.ts';
import { progressBar } from './progress.ts';
import { toldIn } from './render.ts';
import { readBy } from './values.ts';

/** The bar counts in megabytes. */
const MB = 1024 ** 2;

export const backup: Command = {
  name: 'backup',
  args: '<file>',
  about: 'Write the database, the keys and all files into one file, while everything runs on',
  options: [{ name: 'force', about: 'Replace an older file of that name' }, JSON_OPTION],
  needsOnlyDatabase: true,
  example: 'passito backup /mnt/backups/passito-2026-11-24.tar',
  async run(input) {
    const config = await input.config();
    const [file = ''] = input.args;
    const report = await steps(input, 'The backup', (one) =>
      writeBackup(config, file, { ...one, force: input.has('force') }),
    );
    if (input.json) input.print(JSON.stringify(report));
    else {
      input.print(
        `Made ${report.file} (${formatSize(report.bytes)}): the database and ${counted(report.files, 'file')}. It was read back and is sound.`,
      );
      const what = report.keys ? 'the signing keys' : 'all records';
      input.note(`It holds ${what}: keep it as safe as the server.`);
    }
    return 0;
  },
};

export const restore: Command = {
  name: 'restore',
  args: '[file]',
  about:
    'Put a backup in the place of the database, the keys and the files; nothing runs until you resume. Without a file: complete a restore that was cut off',
  options: [
    { name: 'force', about: 'Where something is there already, keep it under another name' },
    { name: 'dry-run', about: 'Only check the backup' },
    JSON_OPTION,
  ],
  example: 'passito restore /mnt/backups/passito-2026-11-24.tar --force',
  async run(input) {
    const config = await input.config();
    const [file] = input.args;
    if (file === undefined) {
      if (!(await finishRestore(config))) throw errors.missingArgument('restore', 'FILE');
      if (input.json) input.print(JSON.stringify({ completed: true }));
      else input.print('The restore that was cut off is complete.');
      goOn(input);
      return 0;
    }
    const dryRun = input.has('dry-run');
    const report = await steps(input, 'The restore', (one) =>
      restoreFrom(config, file, { ...one, force: input.has('force'), dryRun, by: readBy(input) }),
    );
    const made = toldIn(report.made_at, config.settings.timeZone);
    const files = counted(report.files, 'file');
    if (input.json) input.print(JSON.stringify({ ...report, dry_run: dryRun }));
    else if (dryRun) input.print(`${file} is sound: the database of ${made} and ${files}.`);
    else {
      input.print(`Restored ${report.database} as it was on ${made}, with ${files}.`);
      if (report.kept !== null) input.print(`What was there before lies in ${report.kept}.`);
    }
    if (!dryRun) goOn(input);
    return 0;
  },
};

function goOn({ note }: Input): void {
  note('It is paused: jobs that ran after the backup was made would run again.');
  note('Look at them with: passito jobs list --state pending');
  note('Then start the supervisor, and type: passito resume');
}

/** Ctrl+C and SIGTERM end the work in good order. */
async function steps<T>(input: Input, what: string, work: (steps: Steps) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const abort = () => stop.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, abort);
  try {
    return await work({
      what,
      signal: stop.signal,
      say: (text) => {
        if (process.stderr.isTTY) input.note(`${text} …`);
      },
      bar(total) {
        const bar = progressBar(Math.ceil(total / MB), undefined, 'MB');
        let bytes = 0;
        return {
          step: (more) => bar.to(Math.floor((bytes += more) / MB)),
          end: () => bar.end(),
        };
      },
    });
  } finally {
    for (const signal of signals) process.off(signal, abort);
  }
}
