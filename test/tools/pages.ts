/** The blocks of a page of the docs. */

export interface Block {
  language: string;
  /** What stands behind the language: `test`, `file=jobs/A.ts`. */
  mark: string;
  text: string;
}

export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w+)(?: (.+))?\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', mark = '', text = '']) => ({ language, mark, text }),
  );
}

/** What differs from run to run and from machine to machine is left out. */
export function settled(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?/g, 'TIME')
    .replaceAll(/\w{3} \d+ \w{3} \d{4}, \d+:\d\d [AP]M/g, 'TIME')
    .replaceAll(/\bin \d+ ms/g, 'in N ms')
    .replaceAll(/\bin \d+s\b/g, 'in Ns')
    .replaceAll(/pid=\d+/g, 'pid=N')
    .replaceAll(/version=\S+/g, 'version=V')
    .replaceAll(/(db=|Database: )\S+/g, '$1DB')
    .replaceAll(/Made \S+ \([\d.]+ [KM]B\)/g, 'Made FILE')
    .replaceAll(/@[0-9a-f]{12}\./g, '@ID.')
    .trimEnd();
}
