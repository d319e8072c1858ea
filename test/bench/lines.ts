/** Lines over time as SVG: small panels one below the other, each from 0, readable on light and on dark pages. */

const WIDTH = 760;
const LEFT = 64;
const RIGHT = 16;
const HEIGHT = 84;
const HEAD = 34;
const GAP = 14;
const FOOT = 34;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; } .axis { font-size: 11px; font-weight: 400; fill: #57606a; }
  .grid { stroke: #d0d7de; stroke-width: 1; } .line { fill: none; stroke: #0a7d4f; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .axis { fill: #9198a1; } .grid { stroke: #3d444d; } .line { stroke: #2fbf85; }
  }`;

export interface LinePanel {
  title: string;
  /** What it comes to, said behind the title. */
  note: string;
  points: readonly { x: number; y: number }[];
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** The next round number above. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

/** No more points than pixels: of those that share one, the highest is drawn, so that no peak is hidden. */
function path({ points }: LinePanel, mostX: number, mostY: number, top: number): string {
  const room = WIDTH - LEFT - RIGHT;
  const columns = new Map<number, number>();
  for (const { x, y } of points) {
    const column = LEFT + Math.round((room * x) / mostX);
    columns.set(column, Math.max(columns.get(column) ?? 0, y));
  }
  const places = [...columns].map(([x, y]) => `${x},${(top + HEIGHT - (HEIGHT * y) / mostY).toFixed(1)}`);
  return `<polyline class="line" points="${places.join(' ')}"/>`;
}

function draw(panel: LinePanel, mostX: number, at: number): string[] {
  const top = at + HEAD;
  const mostY = roundUp(Math.max(...panel.points.map(({ y }) => y)));
  const rules = [0, 0.5, 1].flatMap((share) => {
    const y = top + HEIGHT * (1 - share);
    return [
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>`,
      `<text class="axis" x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${(mostY * share).toLocaleString('en')}</text>`,
    ];
  });
  return [
    `<text class="title" x="0" y="${at + 18}">${escape(panel.title)} <tspan class="axis">${escape(panel.note)}</tspan></text>`,
    ...rules,
    path(panel, mostX, mostY, top),
  ];
}

/** `axis`: what the panels have in common below them, with its last value. */
export function lines(
  title: string,
  axis: { name: string; end: number },
  panels: readonly LinePanel[],
): string {
  const parts = panels.flatMap((panel, i) => draw(panel, axis.end, i * (HEAD + HEIGHT + GAP)));
  const bottom = panels.length * (HEAD + HEIGHT + GAP);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const x = LEFT + (WIDTH - LEFT - RIGHT) * share;
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    const value = Math.round(axis.end * share).toLocaleString('en');
    return `<text class="axis" x="${x}" y="${bottom + 4}" text-anchor="${anchor}">${value}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + FOOT}" role="img" aria-label="${escape(title)}">`,
    `<title>${escape(title)}</title>`,
    `<style>${STYLE}</style>`,
    ...parts,
    ...ticks,
    `<text class="axis" x="${LEFT + (WIDTH - LEFT - RIGHT) / 2}" y="${bottom + 22}" text-anchor="middle">${escape(axis.name)}</text>`,
    '</svg>',
    '',
  ].join('\n');
}
