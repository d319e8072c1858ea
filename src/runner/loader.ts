/**
 * Loading job files inside a thread: TypeScript that the main thread has already turned into JavaScript,
 * and `import … from 'passito'`, which gives the program's own copy.
 */

import { registerHooks } from 'node:module';
import { basename, extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { misspelt, NAME, optionProblems } from '../engine/types.ts';
import type { JobDefinition } from '../engine/handler.ts';
import { loadProblem } from '../syntax.ts';
import * as library from './library.ts';

/** The imported module is made of source text, which finds the real one here. */
const LIBRARY = Symbol.for('passito.library');
const LIBRARY_URL = 'passito:library';

/** The script that was loaded last in this thread. */
let last: string | undefined;

/** A definition whose type is known. */
export type LoadedJob = JobDefinition<unknown> & { type: string };

/** Makes `passito` and prepared TypeScript importable in this thread. Call once. */
export function installHooks(compiled: ReadonlyMap<string, string>): void {
  Object.defineProperty(globalThis, LIBRARY, { value: library, configurable: true });
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'passito') return { url: LIBRARY_URL, format: 'module', shortCircuit: true };
      try {
        return next(specifier, context);
      } catch (error) {
        // It was there when the process read its job files, and that is what counts.
        const url = keptUrl(specifier, context.parentURL, compiled);
        if (url === undefined) throw error;
        return { url, shortCircuit: true };
      }
    },
    load(url, context, next) {
      if (url === LIBRARY_URL) return { format: 'module', source: librarySource(), shortCircuit: true };
      if (!url.startsWith('file:')) return next(url, context);
      const path = fileURLToPath(url);
      last = path;
      const source = compiled.get(path);
      // The format is given, or Node would warn of a missing "type" for every file in every thread.
      if (source !== undefined) {
        const format = formatOf(path, source, context.format);
        return { format, source, shortCircuit: true };
      }
      return next(url, context);
    },
  });
}

/**
 * Imports a file of the jobs folder and reads its definition; undefined where it has no default export:
 * it is there to help others. Throws an Error whose message is for the author.
 */
export async function loadJobFile(path: string): Promise<LoadedJob | undefined> {
  const module = (await import(pathToFileURL(path).href)) as { default?: unknown };
  let exported = module.default;
  // A CommonJS file that was itself compiled from `export default`.
  if (isObject(exported) && 'default' in exported) exported = exported['default'];
  if (isObject(exported) && Object.keys(exported).length === 0) exported = undefined;
  return exported === undefined ? undefined : readDefinition(exported, basename(path, extname(path)));
}

/** Found now, lest each payload be blamed for it. */
function schemaProblems({ schema }: Record<string, unknown>): string[] {
  const standard = Object(schema) as { '~standard'?: { validate?: unknown } };
  const isStandard = schema === undefined || typeof standard['~standard']?.validate === 'function';
  return isStandard ? [] : ['the schema is no Standard Schema, such as one of zod, valibot or arktype'];
}

/** What is to be told of a file that could not be loaded just now: the script that is broken, and why. */
export function problemOf(error: unknown, path: string): { path: string; message: string } {
  return loadProblem(error, path, last);
}

/** Reads a definition: an object with `handle`, or a class whose instances have one. */
function readDefinition(exported: unknown, fallbackType: string): LoadedJob {
  const definition = typeof exported === 'function' ? fromClass(exported) : exported;
  if (!isObject(definition) || typeof definition['handle'] !== 'function') {
    throw new Error('its default export is neither a job definition nor a class with a handle method');
  }
  const type = definition['type'] ?? fallbackType;
  if (typeof type !== 'string' || !NAME.test(type)) {
    throw new Error(
      `the type cannot be ${JSON.stringify(type)}; it must be at most 100 letters, digits and . _ : -`,
    );
  }
  const problems = [...optionProblems(definition), ...misspelt(definition), ...schemaProblems(definition)];
  if (problems.length > 0) throw new Error(problems.join('; '));
  const { handle } = definition as unknown as LoadedJob;
  return { ...(definition as unknown as LoadedJob), type, handle: handle.bind(definition) };
}

/** A class in the guide's style: options are static fields, or fields of the instance. */
function fromClass(exported: Function): Record<string, unknown> {
  const Class = exported as new () => Record<string, unknown>;
  const instance = new Class();
  const options: Record<string, unknown> = { ...(exported as unknown as Record<string, unknown>) };
  return Object.assign(Object.create(instance) as Record<string, unknown>, options, instance, {
    handle: instance['handle'],
    type:
      instance['type'] ??
      options['type'] ??
      (exported.name === '' || exported.name === 'default' ? undefined : exported.name),
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function librarySource(): string {
  const names = Object.keys(library);
  return `const { ${names.join(', ')} } = globalThis[Symbol.for('passito.library')];\nexport { ${names.join(', ')} };\n`;
}

/** The address of a script that is kept, as another one names it. */
function keptUrl(
  specifier: string,
  parent: string | undefined,
  compiled: ReadonlyMap<string, string>,
): string | undefined {
  if (!/^(?:file:|\.{0,2}\/)/.test(specifier) || !URL.canParse(specifier, parent)) return undefined;
  const { href } = new URL(specifier, parent);
  return href.startsWith('file:') && compiled.has(fileURLToPath(href)) ? href : undefined;
}

/** `told` is what Node knows by the nearest package.json. */
function formatOf(path: string, source: string, told?: string | null): 'module' | 'commonjs' {
  const extension = extname(path);
  if (extension === '.mjs' || extension === '.mts') return 'module';
  if (extension === '.js' && (told === 'module' || told === 'commonjs')) return told;
  if (extension === '.cts' || extension === '.cjs') return 'commonjs';
  if (extension !== '.js') return 'module';
  return /^\s*(?:import\s*[\w{*'"]|export\s)/m.test(source) ||
    !/\b(?:module\.exports|exports\.\w|require\()/.test(source)
    ? 'module'
    : 'commonjs';
}
