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
