/**
 * `npm run soak`: faults and load for a long time, against the real executable.
 *
 *   npm run soak                       an hour
 *   npm run soak -- --minutes 480      a night
 *   npm run soak -- storm              only some parts, which share the time
 *   npm run soak -- --seed 7           the same random choices as a run that printed this seed
 *   npm run soak -- --write            puts table and pictures into docs/reliability.md
 */

import { parseArgs } from 'node:util';
import { machine, markdown, replacePart, writePicture } from '../bench/report.ts';
import type { Part } from './part.ts';
import { edgesPart } from './parts/edges.ts';
import { faultsPart } from './parts/faults.ts';
import { hellPart } from './parts/hell.ts';
import { millionPart } from './parts/million.ts';
import { modelPart } from './parts/model.ts';
import { powerPart } from './parts/power.ts';
import { stormPart } from './parts/storm.ts';

const PARTS: Part[] = [stormPart, powerPart, faultsPart, hellPart, edgesPart, modelPart, millionPart];

const { values, positionals } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    write: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const names = PARTS.map(({ name }) => name);
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  refuse(`There is no part ${unknown.join(', ')}; there are: ${names.join(', ')}.`);
}
if (values.write && positionals.length > 0) {
  refuse('--write puts the whole table into docs/: name no parts with it.');
}
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  refuse('--minutes and --seed take numbers above 0.');
}

const asked = PARTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const shares = asked.reduce((sum, { share }) => sum + share, 0);
const rows: string[][] = [];
const pictures = new Map<string, string>();
let broken = 0;

console.error(`seed ${seed}, ${minutes} minutes`);
for (const part of asked) {
  const figures = new Map<string, string>();
  const began = performance.now();
  let fault = 'none';
  try {
    await part.run({
      minutes: (minutes * part.share) / shares,
      seed,
      tell: (name, figure) => {
        figures.set(name, typeof figure === 'number' ? figure.toLocaleString('en') : figure);
      },
      picture: (file, svg) => pictures.set(file, svg),
    });
  } catch (error) {
    broken++;
    fault = 'FOUND';
    console.error(error);
  }
  const took = ((performance.now() - began) / 60_000).toFixed(1);
  const told = [...figures].map(([name, figure]) => `${name} ${figure}`).join('; ');
  rows.push([part.what, `${took} min`, told, fault]);
  console.error(rows.at(-1)!.join('  '));
}

const table = markdown(['what', 'time', 'figures', 'broken promises'], rows);
const page = `${machine()}; seed ${seed}.\n\n${table}`;
console.log(`\n${page}\n`);
if (values.write) {
  replacePart('reliability.md', 'soak', page);
  for (const [file, svg] of pictures) writePicture(file, svg);
}
process.exitCode = broken > 0 ? 1 : 0;

/** Ends with what was typed wrongly. */
function refuse(why: string): never {
  console.error(`soak: ${why}`);
  process.exit(2);
}
