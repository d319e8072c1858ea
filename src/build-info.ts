/** What the build told this program about itself. From source the build has said nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

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

/** This program, as the beginning of a command line. */
export function ownCommand(): [string, ...string[]] {
  const quiet = '--disable-warning=ExperimentalWarning';
  return packaged ? [process.execPath] : [process.execPath, quiet, join(import.meta.dirname, 'main.ts')];
}

function sourceVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
