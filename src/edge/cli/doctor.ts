/** `passito doctor`: what is wrong on this server, and the command that mends it. */

import { CHECKS, unsound } from '../../care/doctor/checks.ts';
import { exitOf, type Finding, well } from '../../care/doctor/finding.ts';
import { gather } from '../../care/doctor/gather.ts';
import { mend } from '../../care/doctor/mend.ts';
import type { Config } from '../../config.ts';
import { EXIT, PassitoError } from '../../errors.ts';
import { hanging, oneLine } from '../terminal.ts';
import { type Command, type Input, JSON_OPTION } from './command.ts';
import { counted } from '../../engine/units.ts';

/** Each check has its number, whatever the others find. */
type Examined = Finding & { number: number; check: string };

const MARKS = { well: ['green', '✓'], hint: ['yellow', '!'], fault: ['red', '✗'] } as const;

/** Below the messages. */
const MARGIN = ' '.repeat(19);

export const doctor: Command = {
  name: 'doctor',
  about: 'Look for what is wrong on this server, and say what mends it',
  options: [
    {
      name: 'fix',
      about: 'Repair what is safe to repair: permissions, missing folders, the write-ahead log',
    },
    { name: 'offline', about: 'Do not ask the mail server' },
    {
      name: 'jobs',
      value: 'folder',
      about: 'The folder with your job files (./jobs)',
      setting: 'jobsFolder',
    },
    JSON_OPTION,
  ],
  example: 'passito doctor --fix',
  async run(input) {
    let findings: Examined[];
    let mended: string[] = [];
    try {
      const config = await input.config();
      findings = await examine(config, input);
      if (input.has('fix')) {
        const { done, failed } = await mend(findings, config.settings.db);
        mended = done;
        for (const line of failed) input.note(`Not mended: ${line}.`);
        if (done.length > 0) findings = await examine(config, input);
      }
    } catch (error) {
      // Nothing else can be looked at: where, stands in the configuration.
      if (!(error instanceof PassitoError) || error.exit !== EXIT.usage) throw error;
      const command = /^Type: (.+)$/.exec(error.hint ?? '')?.[1];
      findings = [{ number: 1, check: 'configuration', ...unsound(error.message, command) }];
    }
    const exit = exitOf(findings);
    if (input.json) input.print(JSON.stringify(asJson(findings, mended, exit)));
    else print(input, findings, mended, exit);
    return exit;
  },
};

async function examine(config: Config, input: Input): Promise<Examined[]> {
  const facts = await gather(config, input.has('offline'));
  const typed = (one: Finding) => (one.try === undefined ? one : { ...one, try: input.proposal(one.try) });
  const sound = { number: 1, check: 'configuration', ...well('all settings can be read') };
  return [
    sound,
    ...CHECKS.flatMap(([check, look], i) =>
      look(facts).map((one) => ({ number: i + 2, check, ...typed(one) })),
    ),
  ];
}

function asJson(findings: readonly Examined[], mended: string[], exit: number): object {
  return {
    healthy: exit === 0,
    findings: findings.map(({ number, check, level, message, try: command = null }) => ({
      number,
      check,
      level,
      message,
      try: command,
    })),
    mended,
  };
}

function print(input: Input, findings: readonly Examined[], mended: readonly string[], exit: number): void {
  for (const line of mended) input.print(`Mended: ${oneLine(line)}`);
  for (const { number, check, level, message, try: command } of findings) {
    const [colour, mark] = MARKS[level];
    const text = hanging(message, MARGIN.length);
    input.print(`${String(number).padStart(2)} ${input.paint(colour, mark)} ${check.padEnd(13)} ${text}`);
    if (command !== undefined) input.print(`${MARGIN}Try: ${oneLine(command)}`);
  }
  const faults = findings.filter(({ level }) => level === 'fault').length;
  const told = `✗ ${counted(faults, 'thing is wrong', 'things are wrong')}`;
  input.print(`\n${exit === 0 ? input.paint('green', '✓ Nothing is wrong') : input.paint('red', told)}`);
}
