/** `passito demo`: a day of a hostel office on sample data, in a folder of its own. */

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../../config.ts';
import { KEYS } from '../../config/keys.ts';
import { EXIT, errors } from '../../errors.ts';
import { makeFolder } from '../../make-folder.ts';
import { explain } from '../../store/sqlite/open.ts';
import type { Command } from './command.ts';
import { INSTITUTION, OFFICE_MAIL } from './demo/campus.ts';
import { STEPS } from './demo/steps.ts';
import { summarise } from './demo/summary.ts';
import { startTour } from './demo/tour.ts';

/** Marks a folder as one that a demo may use again. */
const MARK = 'passito-demo.txt';

const DATABASE = 'passito.db';

/** Widths of a step's title, of all before its time, and of that. */
const TITLE = 10;
const LINE = 72;
const TIME = 7;

export const demo: Command = {
  name: 'demo',
  about: 'Show a day of a hostel office on sample data',
  options: [{ name: 'folder', value: 'path', about: 'Where the demo keeps its files (./passito-demo)' }],
  example: 'passito demo --folder /tmp/passito-demo',
  async run(input) {
    const config = await input.config();
    const folder = runFolder(resolve(input.option('folder') ?? 'passito-demo'));
    input.print(
      `${input.paint('bold', 'passito demo: a small campus, and a day of its gate-pass office')}\n`,
    );
    const tour = await startTour(demoConfig(config, folder), folder);
    try {
      for (const [i, { title, run }] of STEPS.entries()) {
        const started = performance.now();
        const told = `${i + 1}. ${title.padEnd(TITLE)}${await run(tour)}`;
        const time = tellTook(performance.now() - started);
        input.print(`${told.padEnd(LINE)}${input.paint('dim', time.padStart(TIME))}`);
      }
      return (await summarise(tour, input)) ? 0 : EXIT.no;
    } finally {
      await tour.store.close();
    }
  },
};

/** @example tellTook(2140) === '2.1 s' */
function tellTook(ms: number): string {
  return ms < 100 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** A folder of its own for each run: what an earlier demo made stays beside it. */
function runFolder(parent: string): string {
  try {
    if (existsSync(parent) && readdirSync(parent).length > 0 && !existsSync(join(parent, MARK))) {
      throw errors.folderInUse(parent);
    }
    makeFolder(parent, 0o700);
    writeFileSync(join(parent, MARK), 'Made by "passito demo"; may be deleted whole.\n');
    for (let number = readdirSync(parent).length; ; number += 1) {
      const run = join(parent, String(number));
      // Two demos at once must not share one: whoever made it has it.
      if (makeFolder(run, 0o700) !== undefined) return run;
    }
  } catch (error) {
    throw explain(error, join(parent, DATABASE), 0);
  }
}

/** Sample students must never get real mail, nor their parents messages, nobody's own jobs are run, and limits of a real office do not count. */
function demoConfig(config: Config, folder: string): Config {
  const { settings, origins } = config;
  const named = origins.institutionName !== 'default';
  const demoSettings = {
    ...settings,
    db: join(folder, DATABASE),
    jobsFolder: join(folder, 'jobs'),
    smtpHost: '',
    twilioSid: '',
    mailerFrom: OFFICE_MAIL,
    minWorkers: 2,
    maxWorkers: 2,
    queues: null,
    lateGrace: KEYS.lateGrace.fallback(),
    ...(named ? {} : INSTITUTION),
  };
  return { ...config, settings: demoSettings, origins: { ...origins, jobsFolder: 'default' }, jobs: {} };
}
