/**
 * `npm run bench`: passito alone, a row for each goal, on this machine with the real executable.
 *
 *   npm run bench -- drain pickup     only some parts
 *   npm run bench -- --write          puts the table into docs/performance.md
 */

import { statSync } from 'node:fs';
import { executable } from '../tools/executable.ts';
import { dispatchPart } from './parts/dispatch.ts';
import { cpuPart, drainPart } from './parts/drain.ts';
import { memoryPart } from './parts/memory.ts';
import { mixedPart } from './parts/mixed.ts';
import { pickupPart } from './parts/pickup.ts';
import { rowsPart } from './parts/rows.ts';
import { stallPart } from './parts/stall.ts';
import { startPart } from './parts/start.ts';
import { asked, machine, publish } from './report.ts';
import { Table } from './table.ts';

const PARTS = {
  drain: drainPart,
  dispatch: dispatchPart,
  pickup: pickupPart,
  cpu: cpuPart,
  stall: stallPart,
  memory: memoryPart,
  start: startPart,
  rows: rowsPart,
  mixed: mixedPart,
};

const table = new Table();
for (const [name, part] of Object.entries(PARTS)) if (asked(name)) await part(table);
const size = (statSync(executable).size / 1e6).toFixed(0);
publish('alone', `${machine()}; executable of ${size} MB, synchronous FULL.\n\n${table.toString()}`);
