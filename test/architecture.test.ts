/** The dependency rule of docs/architecture.md, checked on every import of src. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const src = join(import.meta.dirname, '..', 'src');

/** No file is longer: one idea a file. */
const LONGEST = 350;

/** What each part may import, beside itself and Node. Files that stand alone in src are parts of their own. */
const MAY: Record<string, readonly string[]> = {
  engine: ['errors.ts', 'escape.ts', 'nearest.ts'],
  outpass: [
    'engine',
    'errors.ts',
    'escape.ts',
    'hide-secrets.ts',
    'mail-address.ts',
    'make-folder.ts',
    'nearest.ts',
    'owner.ts',
  ],
  store: ['engine', 'outpass', 'errors.ts', 'escape.ts', 'build-info.ts', 'make-folder.ts', 'owner.ts'],
  runner: ['engine', 'make-folder.ts', 'syntax.ts'],
  edge: [
    'engine',
    'config.ts',
    'errors.ts',
    'escape.ts',
    'hide-secrets.ts',
    'mail-address.ts',
    'make-folder.ts',
    'syntax.ts',
  ],
  'passito-error.ts': ['escape.ts'],
  'errors.ts': ['escape.ts', 'passito-error.ts'],
  'escape.ts': [],
  'hide-secrets.ts': [],
  'mail-address.ts': [],
  'make-folder.ts': [],
  'owner.ts': ['escape.ts'],
  'nearest.ts': [],
  'syntax.ts': [],
  'build-info.ts': [],
  'boot.ts': [],
  'users-code.ts': [],
  config: ['engine', 'outpass', 'errors.ts', 'mail-address.ts', 'nearest.ts', 'syntax.ts', 'users-code.ts'],
  'config.ts': ['config', 'engine', 'errors.ts', 'escape.ts', 'nearest.ts', 'owner.ts'],
  library: ['engine', 'outpass', 'store', 'errors.ts'],
  // These put the parts together.
  care: [
    'app.ts',
    'job-types.ts',
    'build-info.ts',
    'config.ts',
    'errors.ts',
    'escape.ts',
    'engine',
    'edge',
    'make-folder.ts',
    'store',
  ],
  'app.ts': ['config.ts', 'engine', 'outpass', 'store', 'edge'],
  'alerts.ts': ['app.ts', 'config.ts', 'engine', 'edge', 'errors.ts', 'store'],
  'monitor.ts': ['alerts.ts', 'config.ts', 'engine', 'edge', 'errors.ts', 'store'],
  'published.ts': ['api.ts', 'build-info.ts', 'config.ts', 'engine'],
  'services.ts': ['engine', 'outpass', 'store'],
  'schedules.ts': ['care', 'config.ts', 'engine', 'store', 'edge'],
  'api.ts': ['app.ts', 'config.ts', 'errors.ts', 'edge', 'engine', 'outpass', 'store'],
  'parents.ts': ['config.ts', 'outpass', 'store', 'edge'],
  'job-types.ts': ['config.ts', 'engine', 'errors.ts', 'nearest.ts'],
  'threads.ts': ['app.ts', 'build-info.ts', 'config', 'config.ts', 'edge', 'engine', 'job-types.ts'],
  'generations.ts': ['config.ts', 'daemon.ts', 'edge', 'engine', 'errors.ts'],
  'worker.ts': ['engine', 'runner', 'outpass', 'edge'],
  'daemon.ts': [
    'app.ts',
    'monitor.ts',
    'api.ts',
    'job-types.ts',
    'parents.ts',
    'published.ts',
    'services.ts',
    'schedules.ts',
    'threads.ts',
    'config.ts',
    'build-info.ts',
    'errors.ts',
    'engine',
    'store',
    'edge',
  ],
  'edge/cli': [
    'users-code.ts',
    'alerts.ts',
    'app.ts',
    'care',
    'daemon.ts',
    'generations.ts',
    'job-types.ts',
    'services.ts',
    'threads.ts',
    'config.ts',
    'config',
    'build-info.ts',
    'errors.ts',
    'escape.ts',
    'make-folder.ts',
    'nearest.ts',
    'edge',
    'engine',
    'outpass',
    'runner',
    'store',
  ],
  'main.ts': ['errors.ts', 'edge/cli'],
};

/** Of the engine the office sees the words of a handler, the clock and the zones, and nothing that runs. */
const ENGINE_FOR_OUTPASS = new Set([
  'engine/handler.ts',
  'engine/clock.ts',
  'engine/units.ts',
  'engine/zone.ts',
]);

/** Where each package is known. */
const PACKAGES: Record<string, string> = {
  piscina: 'engine/pool.ts',
  'better-sqlite3': 'store/',
  cac: 'edge/cli/parse.ts',
  croner: 'engine/cron.ts',
  'csv-parse': 'edge/csv.ts',
  nodemailer: 'edge/mail.ts',
  pino: 'edge/log.ts',
  fontkit: 'outpass/fonts.ts',
  pdfkit: 'outpass/pdf/',
  qrcode: 'outpass/qr.ts',
  zod: 'outpass/',
};

interface Import {
  from: string;
  /** A path below src, or the name of a package. */
  to: string;
  inside: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .toSorted();
const imports = files.flatMap(importsOf);

function importsOf(from: string): Import[] {
  const text = readFileSync(join(src, from), 'utf8');
  const named = text.matchAll(/^(?:import|export)\s[\w\s{},*]*?from\s+'([^']+)'/gm);
  const bare = text.matchAll(/^import\s+'([^']+)'/gm);
  const late = text.matchAll(/\bimport\(\s*'([^']+)'/g);
  return [...named, ...bare, ...late]
    .map(([, name = '']) => name)
    .filter((name) => !name.startsWith('node:'))
    .map((name) => {
      const inside = name.startsWith('.');
      return { from, to: inside ? normalize(join(dirname(from), name)) : name, inside };
    });
}

function partOf(file: string): string {
  if (file.startsWith('edge/cli/')) return 'edge/cli';
  return file.split('/')[0] as string;
}

const told = (found: readonly Import[]) => found.map(({ from, to }) => `${from} imports ${to}`);

test('the imports are read: every part of src is there and imports something, or is known not to', () => {
  assert.deepEqual([...new Set(files.map(partOf))].toSorted(), Object.keys(MAY).toSorted());
  const silent = Object.keys(MAY).filter((part) => MAY[part]?.length !== 0);
  for (const part of silent) {
    assert.ok(
      imports.some(({ from, inside }) => partOf(from) === part && inside),
      `${part} seems to import nothing`,
    );
  }
  for (const { to, inside } of imports) if (inside) assert.ok(files.includes(to), `${to} is no file of src`);
});

test('each part imports only what it may', () => {
  const wrong = imports.filter(({ from, to, inside }) => {
    const [own, other] = [partOf(from), partOf(to)];
    return inside && own !== other && !MAY[own]?.includes(other);
  });
  assert.deepEqual(told(wrong), []);
});

test('no permission is left over', () => {
  const used = new Set(
    imports.filter(({ inside }) => inside).map(({ from, to }) => `${partOf(from)} ${partOf(to)}`),
  );
  const idle = Object.entries(MAY).flatMap(([part, others]) =>
    others.filter((other) => !used.has(`${part} ${other}`)).map((other) => `${part} never imports ${other}`),
  );
  assert.deepEqual(idle, []);
});

test('the office sees nothing of the engine that runs', () => {
  const wrong = imports.filter(
    ({ from, to }) => partOf(from) === 'outpass' && to.startsWith('engine/') && !ENGINE_FOR_OUTPASS.has(to),
  );
  assert.deepEqual(told(wrong), []);
});

test('each package is known in one place', () => {
  const wrong = imports.filter(({ from, to, inside }) => {
    if (inside) return false;
    const place = PACKAGES[to.split('/')[0] as string];
    return place === undefined || !from.startsWith(place);
  });
  assert.deepEqual(told(wrong), []);
});

test('no import goes round in a circle', () => {
  const next = new Map(
    files.map((file) => [
      file,
      imports.filter(({ from, inside }) => inside && from === file).map(({ to }) => to),
    ]),
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    assert.equal(start, -1, `a circle: ${[...path.slice(start), file].join(' → ')}`);
    if (done.has(file)) return;
    for (const other of next.get(file) ?? []) visit(other, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

test(`no file of src is longer than ${LONGEST} lines`, () => {
  const long = files
    .map((file) => ({ file, lines: readFileSync(join(src, file), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > LONGEST);
  assert.deepEqual(long, []);
});
