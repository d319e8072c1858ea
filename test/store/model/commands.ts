/** What may be done, as commands of fast-check. */

import fc from 'fast-check';
import type { Settle } from '../../../src/engine/store.ts';
import { alone, type Ask, by, claim, shared } from './asks.ts';
import type { Call, Told } from './calls.ts';
import type { World } from './world.ts';

/** fast-check keeps no model for us: the world has it, since it judges each step by itself. */
type Nothing = object;

class Command implements fc.AsyncCommand<Nothing, World> {
  readonly #words: string;
  readonly #act: (world: World) => Promise<unknown>;

  constructor(words: string, act: (world: World) => Promise<unknown>) {
    this.#words = words;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(_: Nothing, world: World): Promise<void> {
    world.tally.commands++;
    await this.#act(world);
  }

  toString(): string {
    return this.#words;
  }
}

/** Asks one thing, or several in one turn of the loop. */
function asking(
  name: string,
  who: number,
  asks: readonly Ask[],
  act: (world: World, calls: Call[]) => Promise<unknown>,
): Command {
  return new Command(`${name} ${who}`, (world) =>
    act(
      world,
      asks.map((one) => one(world, who)),
    ),
  );
}

const ask = fc
  .tuple(
    by,
    fc.oneof(
      { weight: 6, arbitrary: shared.map((one) => [one]) },
      { weight: 3, arbitrary: alone.map((one) => [one]) },
      { weight: 1, arbitrary: fc.array(shared, { minLength: 2, maxLength: 3 }) },
    ),
  )
  .map(([who, asks]) => asking('ask', who, asks, (world, calls) => world.ask(who, calls)));

const kill = fc
  .tuple(by, fc.array(shared, { maxLength: 2 }))
  .map(([who, asks]) => asking('kill', who, asks, (world, calls) => world.kill(who, calls)));

/** What a job that kills its process does: it is claimed, the process dies, the other one takes back what it held. */
const crash = fc.tuple(by, claim).map(
  ([who, wish]) =>
    new Command(`crash ${who}`, async (world) => {
      const process = world.processes[who]!;
      await world.ask(who, [{ verb: 'exchange', settles: [], claim: wish(process) }]);
      await world.kill(who, []);
      await world.ask(1 - who, [{ verb: 'expire', process }]);
    }),
);

/** A lease lapses while its process lives: another one has the jobs again, and then the first one comes with its outcomes. */
const lapse = fc.tuple(by, claim, claim).map(
  ([who, first, second]) =>
    new Command(`lapse ${who}`, async (world) => {
      const process = world.processes[who]!;
      const other = 1 - who;
      const [answer] = await world.ask(who, [{ verb: 'exchange', settles: [], claim: first(process) }]);
      const { claimed } = answer as Told;
      await world.ask(other, [{ verb: 'expire', process }]);
      await world.ask(other, [{ verb: 'exchange', settles: [], claim: second(world.processes[other]!) }]);
      const settles = claimed.map(({ id, lease }): Settle => ({
        id,
        lease,
        settlement: { move: 'complete', result: '"late"' },
      }));
      await world.ask(who, [{ verb: 'exchange', settles, claim: first(process) }]);
      await world.ask(who, [{ verb: 'beat', process }]);
      await world.register(who);
    }),
);

const renew = by.map((who) => new Command(`register ${who}`, (world) => world.register(who)));
const restart = fc.constant(null).map(() => new Command('restart', (world) => world.restart()));
const wait = fc
  .constantFrom(1, 20, 50)
  .map((ms) => new Command(`wait ${ms}`, (world) => world.clock.advance(ms)));
/** Somebody sets the clock. */
const jump = fc
  .constantFrom(-30, 25)
  .map((ms) => new Command(`jump ${ms}`, async (world) => world.clock.jump(ms)));

export function commands(most: number): fc.Arbitrary<Iterable<fc.AsyncCommand<Nothing, World>>> {
  const one = fc.oneof(
    { weight: 40, arbitrary: ask },
    { weight: 2, arbitrary: kill },
    { weight: 4, arbitrary: crash },
    { weight: 2, arbitrary: lapse },
    { weight: 2, arbitrary: renew },
    { weight: 1, arbitrary: restart },
    { weight: 4, arbitrary: wait },
    { weight: 2, arbitrary: jump },
  );
  return fc.commands([one], { maxCommands: most, size: 'max' });
}
