/**
 * Makes dist/passito (the executable) and dist/lib (the library for Node programs).
 *
 *   src → rolldown → build/app/*.cjs → V8's code caches → pkg's single executable
 *
 * Nothing is downloaded: the Node inside the executable is the one that npm installed. Nothing is written
 * outside build/ and dist/. `--force` builds even when nothing has changed.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { log as pkgLog } from '@yao-pkg/pkg/lib-es5/log.js';
import pkg from '@yao-pkg/pkg/lib-es5/sea.js';
import { seal } from './src/care/seal.ts';
import { rolldown, type OutputOptions, type Plugin } from 'rolldown';
import { licencesOf } from './build.licences.ts';

const root = import.meta.dirname;
const build = join(root, 'build');
const app = join(build, 'app');
const executable = join(root, 'dist', 'passito');
const stamp = join(build, 'stamp');
const library = join(root, 'src', 'library', 'passito.ts');
const node = join(root, 'node_modules', 'node', 'bin', 'node');

/** Of that Node. An install script fetches it, so that the lock file does not know it. */
const NODE_SHA256 = '7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c';

interface Manifest {
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}
const manifest = JSON.parse(fs.readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

async function main(): Promise<void> {
  checkNode();
  fs.mkdirSync(build, { recursive: true });
  const release = await lock(join(build, 'lock'));
  try {
    const sources = digestOfSources();
    if (!process.argv.includes('--force') && isCurrent(sources)) {
      console.log('dist/passito is up to date');
      return;
    }
    const started = performance.now();
    fs.rmSync(stamp, { force: true });
    fs.rmSync(app, { recursive: true, force: true });
    await bundle();
    precompile();
    await assemble();
    if (fs.existsSync(library)) await buildLibrary();
    report(performance.now() - started);
    // Last: a build that was cut short is not taken for one that is up to date.
    fs.writeFileSync(stamp, sources);
  } finally {
    release();
  }
}

function checkNode(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `the executable is built on and for Linux x64; this is ${process.platform} ${process.arch}`,
    );
  }
  const wanted = `v${manifest.devDependencies['node']}`;
  const found = fs.existsSync(node)
    ? execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
    : 'missing';
  if (found !== wanted) {
    throw new Error(`the Node in node_modules is ${found} and should be ${wanted}; run: npm ci`);
  }
  const digest = sha256(fs.readFileSync(node));
  if (digest !== NODE_SHA256) {
    throw new Error(`the Node in node_modules has the SHA-256 ${digest} and should have ${NODE_SHA256}`);
  }
}

/** One build at a time; a lock whose process is gone counts for nothing. */
async function lock(path: string): Promise<() => void> {
  for (;;) {
    try {
      fs.writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => fs.rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : '';
    if (holder !== '' && !fs.existsSync(`/proc/${holder}`)) fs.rmSync(path, { force: true });
    else await sleep(200);
  }
}

function digestOfSources(): string {
  const hash = createHash('sha256');
  const single = [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'build.config.ts',
    'build.licences.ts',
  ];
  const folders = ['src', 'deployment'].flatMap((folder) =>
    filesBelow(join(root, folder)).map((path) => join(folder, path)),
  );
  for (const name of [...single, ...folders].toSorted()) {
    hash
      .update(`${name}\0`)
      .update(fs.readFileSync(join(root, name)))
      .update('\0');
  }
  return hash.digest('hex');
}

function isCurrent(sources: string): boolean {
  return fs.existsSync(executable) && fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === sources;
}

/** Paths relative to the folder; none when there is no such folder. */
function filesBelow(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/** Three programs, bundled apart, so that a thread loads nothing that only the main thread needs. */
async function bundle(): Promise<void> {
  const modules = [
    ...(await write('boot', 'src/boot.ts', '[name].cjs')),
    ...(await write('main', 'src/main.ts', '[name].cjs')),
    ...(await write('handler', 'src/worker.ts', '[name].cjs')),
    // Piscina starts this file under this name, from the folder of the bundle that Piscina is in.
    ...(await write('worker', 'node_modules/piscina/dist/worker.js', '[name].js')),
  ];
  const nodeVersion = manifest.devDependencies['node'] ?? '';
  fs.writeFileSync(join(app, 'licences.txt'), licencesOf(modules, root, nodeVersion));
  for (const file of bundles()) {
    // What Node's loader does to a CommonJS module; src/boot.ts runs the function.
    const text = fs.readFileSync(join(app, file), 'utf8');
    const parameters = 'exports, require, module, __filename, __dirname';
    fs.writeFileSync(join(app, file), `(function (${parameters}) {${text}\n})`);
  }
}

async function write(name: string, input: string, entryFileNames: string): Promise<string[]> {
  return run(
    { [name]: join(root, input) },
    { dir: app, format: 'cjs', exports: 'named', entryFileNames, chunkFileNames: `${name}-[name].cjs` },
    { version: manifest.version, packaged: true },
    // Optional in Piscina, for threads of another niceness.
    ['@napi-rs/nice'],
  );
}

async function run(
  input: Record<string, string>,
  output: OutputOptions,
  info: { version: string; packaged: boolean },
  external: string[],
): Promise<string[]> {
  const bundler = await rolldown({
    input,
    external,
    platform: 'node',
    plugins: [honestWorker],
    transform: { define: { __PASSITO_BUILD__: JSON.stringify(info) } },
    onLog(level, log) {
      if (level === 'warn' && log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
    },
  });
  const { output: written } = await bundler.write(output);
  await bundler.close();
  return written.flatMap((one) => (one.type === 'chunk' ? one.moduleIds : []));
}

/** Piscina's thread swallows what the handler's file throws as it loads, and reports a missing file instead. */
const honestWorker: Plugin = {
  name: 'honest-worker',
  transform(code, id) {
    if (!id.endsWith('piscina/dist/worker.js')) return null;
    const silent = 'catch { }';
    if (code.split(silent).length !== 2) throw new Error(`${id} is not the file that this build knows`);
    return code.replace(silent, 'catch (error) { throw error; }');
  },
};

function bundles(): string[] {
  return fs.readdirSync(app).filter((file) => /\.c?js$/.test(file) && file !== 'boot.cjs');
}

/**
 * Lets V8 compile the bundles once, here, rather than at every start of the executable: runs `--version`, loads
 * every chunk, and keeps what V8 has compiled by then.
 */
function precompile(): void {
  const script = `
    const fs = require('node:fs'), vm = require('node:vm'), loaded = new Map();
    process.argv.splice(1, process.argv.length, 'passito', '--version');
    process.exit = () => {};
    const load = (id) => {
      const name = id.replace(/^\\.\\//, '');
      if (name === id) return require(id);
      if (loaded.has(name)) return loaded.get(name).module.exports;
      const module = { exports: {} };
      const script = new vm.Script(fs.readFileSync(name, 'utf8'), { filename: name });
      loaded.set(name, { module, script });
      script.runInThisContext().call(module.exports, module.exports, load, module, process.execPath + '/' + name, process.execPath);
      return module.exports;
    };
    process.on('exit', () => {
      for (const [name, { script }] of loaded) fs.writeFileSync(name + '.cache', script.createCachedData());
    });
    for (const name of ${JSON.stringify(bundles().toSorted((a, b) => Number(b === 'main.cjs') - Number(a === 'main.cjs')))}) {
      // The two that belong into a thread fail here, after they were compiled.
      try { load('./' + name); } catch {}
    }`;
  execFileSync(node, ['--disable-warning=ExperimentalWarning', '-e', script], {
    cwd: app,
    env: {},
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 60_000,
  });
}

async function assemble(): Promise<void> {
  const scratch = join(build, 'tmp');
  fs.rmSync(scratch, { recursive: true, force: true });
  fs.mkdirSync(scratch);
  process.env['TMPDIR'] = scratch;

  const addon = join(root, 'node_modules', 'better-sqlite3', 'prebuilds', 'linux-x64.node');
  fs.copyFileSync(addon, join(app, 'better_sqlite3.node'));
  const data = join(root, 'src', 'outpass', 'assets');
  // What 'passito install-service' writes.
  const deployment = join(root, 'deployment');
  const assets = Object.fromEntries([
    ...filesBelow(app).map((file) => [file, join(app, file)]),
    ...filesBelow(data).map((file) => [`assets/${file}`, join(data, file)]),
    ...filesBelow(deployment).map((file) => [`deployment/${file}`, join(deployment, file)]),
  ]) as Record<string, string>;

  const seaConfig = {
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
    assets,
    execArgv: [
      '--disable-warning=ExperimentalWarning',
      '--no-memory-reducer',
      // Jobs leave little that is young: 10 MB less, and as fast.
      '--min-semi-space-size=1',
      '--max-semi-space-size=2',
    ],
    // A NODE_OPTIONS in the admin's environment was meant for other programs.
    execArgvExtension: 'none',
  };
  // Its steps are told in paths that nobody needs; its warnings and errors stay.
  pkgLog.info = () => {};
  const output = join(build, 'passito');
  await pkg.default(join(app, 'boot.cjs'), {
    targets: [
      { nodeRange: `node${manifest.devDependencies['node']}`, platform: 'linux', arch: 'x64', output },
    ],
    nodePath: nodeWithoutEnvFile(),
    seaConfig,
  });
  fs.chmodSync(output, 0o755);
  fs.mkdirSync(join(root, 'dist'), { recursive: true });
  // A file that was written in one piece lies in the kernel's cache in large pieces, each of which counts as resident
  // as a whole: 22 MB more than for a copy.
  const fresh = `${executable}.new`;
  fs.copyFileSync(output, fresh);
  // 'passito upgrade' takes none that was cut short on its way.
  fs.appendFileSync(fresh, seal(createHash('sha256').update(fs.readFileSync(fresh)).digest('hex')));
  fs.rmSync(output);
  // Renamed, so that one that runs keeps its file.
  fs.renameSync(fresh, executable);
  fs.rmSync(scratch, { recursive: true, force: true });
}

/**
 * A copy of Node that leaves `--env-file` alone. Node looks through the words of every program for that option of its
 * own, also in an executable, and ends with status 9 where the file is missing; here it is passito's option. The
 * names that it compares with stand once in the binary, one after the other.
 */
function nodeWithoutEnvFile(): string {
  const names = Buffer.from(
    ['', '--env-file', '--env-file=', '--env-file-if-exists', '--env-file-if-exists=', ''].join('\0'),
  );
  const binary = fs.readFileSync(node);
  const at = binary.indexOf(names);
  if (at === -1 || binary.includes(names, at + 1)) {
    throw new Error(
      'this Node keeps the names of its --env-file options elsewhere; see nodeWithoutEnvFile()',
    );
  }
  // No word on a command line can begin with this byte and be typed by accident.
  for (let i = at; i < at + names.length - 1; i++) if (binary[i] === 0) binary[i + 1] = 1;
  const copy = join(build, 'node');
  fs.writeFileSync(copy, binary, { mode: 0o755 });
  return copy;
}

async function buildLibrary(): Promise<void> {
  const target = join(root, 'dist', 'lib');
  fs.rmSync(target, { recursive: true, force: true });
  await run(
    { passito: library },
    { dir: target, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name].js' },
    { version: manifest.version, packaged: false },
    Object.keys(manifest.dependencies),
  );
  const config = join(build, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rewriteRelativeImportExtensions: true,
    rootDir: join(root, 'src'),
    outDir: join(target, 'types'),
  };
  fs.writeFileSync(
    config,
    JSON.stringify({ extends: '../tsconfig.json', compilerOptions, files: [library], include: [] }),
  );
  execFileSync(node, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', config], {
    stdio: 'inherit',
  });
  fs.writeFileSync(join(target, 'passito.d.ts'), "export * from './types/library/passito.js';\n");
}

function report(took: number): void {
  const bytes = fs.readFileSync(executable);
  const digest = sha256(bytes);
  // For who copies it: sha256sum -c passito.sha256
  fs.writeFileSync(`${executable}.sha256`, `${digest}  passito\n`);
  console.log(
    `dist/passito  ${(bytes.length / 1e6).toFixed(1)} MB  sha256 ${digest}  (${(took / 1000).toFixed(1)} s)`,
  );
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

try {
  await main();
} catch (error) {
  console.error(`build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
