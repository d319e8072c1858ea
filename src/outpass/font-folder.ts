/** The admin's own fonts (`PASSITO_FONTS`), for scripts that the built-in ones do not have. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import { officeErrors } from './errors.ts';
import { builtInFonts, parseFace } from './fonts.ts';
import type { Face, FontStack } from './fonts.ts';

const FONT_FILE = /\.(?:ttf|otf|woff2?)$/i;

/** The last folder that was read; `state` changes with its files, so that a font can be added at any time. */
let known: { state: string; stack: FontStack } | undefined;

/**
 * The built-in fonts, then those of the folder in the order of their names; of these the ones of the text's weight
 * first. Throws an error that names the folder or file that cannot be used. Parsed once a thread and change.
 */
export function fontStack(folder: string | null): FontStack {
  const builtIn = builtInFonts();
  if (folder === null) return builtIn;
  const files = list(folder);
  const state = files.join('\n');
  if (known?.state === state) return known.stack;
  const taken = new Set([...builtIn.regular, ...builtIn.bold].map(({ name }) => name));
  const faces = files.map(([file]) => load(file, taken));
  const after = (weight: Face['weight']) => [
    ...faces.filter((face) => face.weight === weight),
    ...faces.filter((face) => face.weight !== weight),
  ];
  const stack: FontStack = {
    regular: [...builtIn.regular, ...after('regular')],
    bold: [...builtIn.bold, ...after('bold')],
  };
  known = { state, stack };
  return stack;
}

/** The font files with size and time of the last change. */
function list(folder: string): [file: string, size: number, changed: number][] {
  return attempt(folder, () => readdirSync(folder))
    .filter((name) => FONT_FILE.test(name))
    .toSorted()
    .map((name) => {
      const file = path.join(folder, name);
      const { size, mtimeMs } = attempt(file, () => statSync(file));
      return [file, size, mtimeMs];
    });
}

function load(file: string, taken: Set<string>): Face {
  const face = attempt(file, () => parseFace(readFileSync(file)));
  // Two files may hold parts of one font, under one name; the document tells fonts apart by it.
  let name = face.name;
  for (let number = 2; taken.has(name); number += 1) name = `${face.name}-${number}`;
  taken.add(name);
  return { ...face, name };
}

function attempt<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw officeErrors.font(place, error instanceof Error ? error.message : String(error));
  }
}
