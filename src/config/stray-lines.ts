/** Lines of an env file that do not say what they seem to say. */

/** A remark; or a name, `=`, a value in quotes, which may hold line breaks, and what stands behind it. */
const REMARK_OR_QUOTED = /^[ \t]*(?:#.*|([^\n=#]*)=[ \t]*(["'`])[^]*?\2(.*))$/gm;

/** Tells of lines that set nothing, and of values that are cut; never of a value itself, which may be a password. */
export function strayLines(path: string, text: string): string[] {
  const found: [line: number, problem: string][] = [];
  const at = (offset: number) => text.slice(0, offset).split('\n').length;
  // Values in quotes are emptied, and their lines kept.
  const plain = text.replaceAll(
    REMARK_OR_QUOTED,
    (whole: string, name: string | undefined, quote: string, tail: string, offset: number) => {
      if (name === undefined) return '#';
      if (/^\s*[^\s#]/.test(tail)) {
        const other = quote === "'" ? '"' : "'";
        found.push([
          at(offset),
          `${keyOf(name)} ends at its second ${quote}, and what follows does not count; put the value between two ${other}.`,
        ]);
      }
      return `${name}=${whole.replaceAll(/[^\n]/g, '')}`;
    },
  );
  for (const [index, line] of plain.split(/\r?\n/).entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const [, name, value] = /^([^=]*)=(.*)$/.exec(line) ?? [];
    if (name === undefined) found.push([index + 1, 'there is no = in it, so it sets nothing.']);
    else if (/^#|\S#/.test(value ?? '')) {
      const ends = value?.startsWith('#') === true ? 'is empty' : 'ends before the #';
      found.push([
        index + 1,
        `${keyOf(name)} ${ends}, and what follows does not count; put the value between two '.`,
      ]);
    }
  }
  return found.toSorted(([a], [b]) => a - b).map(([line, problem]) => `${path}, line ${line}: ${problem}`);
}

function keyOf(name: string): string {
  return name.trim().replace(/^export\s+/, '');
}
