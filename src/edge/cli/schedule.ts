/** `passito schedule …`: what ticks when, what became of it, and holding it up. */

import type { ConfiguredSchedule } from '../../config/schedules.ts';
import { formatTime, systemClock } from '../../engine/clock.ts';
import { readCron } from '../../engine/cron.ts';
import { newJob } from '../../engine/queue.ts';
import type { Schedule } from '../../engine/schedule.ts';
import type { Inserted } from '../../engine/store.ts';
import { tellOffset } from '../../engine/zone.ts';
import { errors, EXIT } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import { publishedType } from '../../store/sqlite/queries.ts';
import { type ScheduleRow, SqliteSchedules } from '../../store/sqlite/schedules.ts';
import type { SqliteStore } from '../../store/sqlite/store.ts';
import { audited } from './audit.ts';
import { type Command, type Input, JSON_OPTION, limitOption } from './command.ts';
import { withStore } from './with-store.ts';
import { inColumns, told } from './render.ts';
import { readBy, readWhole } from './values.ts';

const SECOND = 1000;

export const list: Command = {
  name: 'schedule list',
  about: 'List the schedules: when each ticks next, and what became of its last tick',
  options: [JSON_OPTION],
  example: 'passito schedule list',
  run: (input) =>
    withStore(input, async (store, _queries, { schedules }) => {
      const rows = new Map((await new SqliteSchedules(store).list()).map((row) => [row.name, row]));
      const all = schedules.map((schedule) => ({ schedule, row: rows.get(schedule.name) }));
      if (input.json) input.print(JSON.stringify(all.map(asJson)));
      else {
        const head = ['name', 'cron', 'zone', 'next', 'last', ''];
        input.print(inColumns(head, all.map(asLine), input));
        if (rows.size === 0) input.note('No supervisor has run yet; the schedules begin with the first.');
      }
      return 0;
    }),
};

interface Listed {
  schedule: ConfiguredSchedule;
  /** Absent before a supervisor knew of it. */
  row: ScheduleRow | undefined;
}

function asLine({ schedule: { name, cron, zone }, row }: Listed): string[] {
  const next = nextTicks({ cron, zone, name }, 1)[0];
  const { last_tick: last = null, last_outcome: became, last_job: job, paused_at: since } = row ?? {};
  const held = since !== undefined && since !== null;
  const words = [became, job && `#${job}`, held && `paused by ${row?.paused_by}`];
  return [
    name,
    cron,
    zone,
    held ? '-' : next === undefined ? 'never' : told(formatTime(next), zone),
    last === null ? '-' : told(last, zone),
    words.filter(Boolean).join(' '),
  ];
}

function asJson({ schedule, row }: Listed): object {
  const { name, cron, zone, overlap, catchUp, request } = schedule;
  const next = nextTicks(schedule, 1)[0];
  return {
    name,
    cron,
    zone,
    type: request?.type ?? null,
    overlap,
    catch_up: catchUp,
    next_tick: next === undefined ? null : formatTime(next),
    paused_at: row?.paused_at ?? null,
    paused_by: row?.paused_by ?? null,
    last_tick: row?.last_tick ?? null,
    last_outcome: row?.last_outcome ?? null,
    last_job: row?.last_job ?? null,
  };
}

export const next: Command = {
  name: 'schedule next',
  args: '<name>',
  about: 'Print the next ticks of a schedule, in its zone',
  options: [{ ...limitOption(5), also: ['-n', '--n'] }, JSON_OPTION],
  example: 'passito schedule next cleanup-expired-files -n 10',
  async run(input) {
    const schedule = find(await input.config(), input);
    const ticks = nextTicks(schedule, readWhole(input, 'limit', 1, 1000) ?? 5);
    const { zone } = schedule;
    const lines = ticks.map((tick) => ({
      utc: formatTime(tick),
      local: told(formatTime(tick), zone),
      zone,
      offset: tellOffset(tick, zone),
    }));
    if (input.json) input.print(JSON.stringify(lines));
    else if (lines.length === 0) input.note(`${schedule.cron} never ticks again.`);
    for (const { local, offset } of input.json ? [] : lines) input.print(`${local}  ${zone}, ${offset}`);
    return 0;
  },
};

export const show: Command = {
  name: 'schedule show',
  args: '<name>',
  about: 'Show what became of the latest ticks of a schedule',
  options: [limitOption(20), JSON_OPTION],
  example: 'passito schedule show cleanup-expired-files',
  run: (input) =>
    withStore(input, async (store, _queries, config) => {
      const { name, zone } = find(config, input);
      const ticks = await new SqliteSchedules(store).ledger(name, readWhole(input, 'limit', 1, 1000) ?? 20);
      if (input.json) input.print(JSON.stringify(ticks));
      else if (ticks.length === 0) input.note(`${name} has not ticked yet.`);
      else {
        const lines = ticks.map(({ tick, outcome, job_id: job, decided_at: at }) => [
          told(tick, zone),
          outcome,
          job === null ? '' : `#${job}`,
          told(at, zone),
        ]);
        input.print(inColumns([`tick (${zone})`, 'became', 'job', 'decided'], lines, input));
      }
      return 0;
    }),
};

export const run: Command = {
  name: 'schedule run',
  args: '<name>',
  about: 'Dispatch the job of a schedule now, beside its ticks',
  options: [JSON_OPTION],
  example: 'passito schedule run cleanup-expired-files',
  run: (input) =>
    withStore(input, async (store, queries, config) => {
      const { name, request } = find(config, input);
      if (request === undefined) {
        if (input.json) input.print(JSON.stringify({ id: null, existing: false }));
        input.note(
          `${name} has no job: the supervisor does it. By hand, type: ${BY_HAND[name] ?? 'passito --help'}`,
        );
        return EXIT.no;
      }
      const job = newJob(request, publishedType(queries, request.type));
      const [inserted] = await audited(
        store,
        input,
        'schedule run',
        () => store.insert([job]),
        ([one]) => `${name}: job #${one?.id}`,
      );
      const { id, existing } = inserted as Inserted;
      if (input.json) input.print(JSON.stringify({ id, existing }));
      else input.print(existing ? `Job #${id} does so already.` : `Job #${id} dispatched.`);
      return 0;
    }),
};

/** What a schedule without a job does, as a command. */
const BY_HAND: Readonly<Record<string, string>> = {
  'dispatch-scheduled-reports': 'passito dispatch-scheduled-reports',
  'prune-jobs': 'passito jobs prune',
  backup: 'passito backup FILE',
};

export const pause: Command = {
  name: 'schedule pause',
  args: '<name>',
  about: 'Let a schedule tick no more, until it is resumed',
  options: [{ name: 'by', value: 'name', about: 'Who pauses (you)' }, JSON_OPTION],
  example: 'passito schedule pause dispatch-scheduled-reports',
  run: (input) => hold(input, 'paused'),
};

export const resume: Command = {
  name: 'schedule resume',
  args: '<name>',
  about: 'Let a schedule tick again; what it missed is made up for as its catchUp says',
  options: [JSON_OPTION],
  example: 'passito schedule resume dispatch-scheduled-reports',
  run: (input) => hold(input, 'resumed'),
};

function hold(input: Input, done: 'paused' | 'resumed'): Promise<number> {
  return withStore(input, async (store, _queries, config) => {
    const { request, ...schedule } = find(config, input);
    const { name } = schedule;
    const schedules = new SqliteSchedules(store);
    const [first = null] = nextTicks(schedule, 1);
    const job = request === undefined ? {} : { job: newJob(request, {}) };
    const work = (): Promise<boolean | undefined> =>
      done === 'paused'
        ? schedules.pause({ ...schedule, ...job, next: first }, readBy(input))
        : schedules.resume(name);
    const action = done === 'paused' ? 'schedule pause' : 'schedule resume';
    const changed = await audited(store, input, action, work, (is) => (is === true ? name : undefined));
    if (input.json) {
      input.print(JSON.stringify({ name, paused: done === 'paused', changed: changed === true }));
    }
    if (changed === undefined) {
      input.note(`No supervisor has run ${name} yet: there is nothing to resume.`);
      return EXIT.no;
    }
    if (!input.json) {
      const before = done === 'paused' ? 'was paused already' : 'was not paused';
      input.print(`Schedule ${name} ${changed ? done : before}.`);
    }
    return 0;
  });
}

/**
 * Dispatches a schedule's job as the system's cron does: within a minute of a tick it is that tick's job, whoever
 * comes first.
 */
export function joinTick(store: SqliteStore, schedule: Schedule): Promise<{ id: number; existing: boolean }> {
  const ticks = readCron(schedule.cron, schedule.zone, schedule.name);
  return new SqliteSchedules(store).join(schedule, (now) => {
    // The later of the two that may be near: cron calls at the tick, or a little after.
    const [before, after] = [ticks.after(now - 60 * SECOND), ticks.after(now)];
    return before !== undefined && before <= now ? before : after;
  });
}

function nextTicks({ cron, zone, name }: Pick<Schedule, 'cron' | 'zone' | 'name'>, count: number): number[] {
  const ticks = readCron(cron, zone, name);
  const found: number[] = [];
  for (
    let at = ticks.after(systemClock.now());
    at !== undefined && found.length < count;
    at = ticks.after(at)
  ) {
    found.push(at);
  }
  return found;
}

function find({ schedules }: { schedules: readonly ConfiguredSchedule[] }, input: Input): ConfiguredSchedule {
  const name = input.args[0] as string;
  const found = schedules.find((one) => one.name === name);
  if (found === undefined) {
    throw errors.unknownSchedule(
      name,
      nearest(
        name,
        schedules.map((one) => one.name),
      ),
    );
  }
  return found;
}
