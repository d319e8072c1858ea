/** What the build told this program about itself. From source the build has said nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getAsset } from 'node:sea';

/** Put in place by build.config.ts when it bundles; no such name exists from source. */
declare const __PASSITO_BUILD__: { version: string; packaged: boolean };

const build =
  typeof __PASSITO_BUILD__ === 'undefined'
    ? { version: sourceVersion(), packaged: false }
    : __PASSITO_BUILD__;

export const version: string = build.version;

/** True in the executable, false from source and in the library. */
export const packaged: boolean = build.packaged;

/** The absolute path of the thread entry, as Piscina wants it. */
export function threadEntry(): string {
  return join(import.meta.dirname, packaged ? 'handler.cjs' : 'worker.ts');
}

/** A data file below src/outpass/assets, named as there ('DejaVuSans.ttf'). */
export function readAsset(name: string): Uint8Array {
  if (packaged) return new Uint8Array(getAsset(`assets/${name}`));
  return readFileSync(join(import.meta.dirname, 'outpass', 'assets', name));
}

function sourceVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
