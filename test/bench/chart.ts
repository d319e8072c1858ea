/** A small bar chart as SVG: panels one below the other, readable on light and on dark pages. */

import { format, type Summary } from './report.ts';

export interface Bar extends Summary {
  name: string;
  /** Drawn in the strong colour. */
  ours?: boolean;
}

export interface Panel {
  title: string;
  /** A linear axis begins at 0; a logarithmic one at a power of ten below the smallest. */
  axis: 'linear' | 'log';
  bars: Bar[];
}

const WIDTH = 760;
const LEFT = 190;
const RIGHT = 120;
const ROW = 22;
const HEAD = 40;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; } .axis { font-size: 11px; fill: #57606a; }
  .bar { fill: #8c959f; } .ours { fill: #0a7d4f; } .spread { stroke: #24292f; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .axis { fill: #9198a1; }
    .bar { fill: #6e7681; } .ours { fill: #2fbf85; } .spread { stroke: #e6edf3; }
  }`;

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** Where a value lies on the panel's axis, in pixels from the left. */
function scale({ axis, bars }: Panel): (value: number) => number {
  const room = WIDTH - LEFT - RIGHT;
  const most = Math.max(...bars.map(({ high }) => high));
  if (axis === 'linear') return (value) => LEFT + (room * value) / most;
  const least = 10 ** Math.floor(Math.log10(Math.min(...bars.map(({ low }) => low)) * 0.999));
  return (value) => LEFT + (room * Math.log10(value / least)) / Math.log10(most / least);
}

function draw(panel: Panel, top: number): string[] {
  const at = scale(panel);
  const axis = panel.axis === 'log' ? 'logarithmic axis' : 'axis from 0';
  return [
    `<text class="title" x="0" y="${top + 18}">${escape(panel.title)} <tspan class="axis">${axis}</tspan></text>`,
    ...panel.bars.flatMap(({ name, median, low, high, ours }, i) => {
      const y = top + HEAD + i * ROW - 12;
      const end = at(median);
      const whisker = `<line class="spread" x1="${at(low).toFixed(1)}" x2="${at(high).toFixed(1)}" y1="${y + 8}" y2="${y + 8}"/>`;
      return [
        `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${escape(name)}</text>`,
        `<rect class="bar${ours === true ? ' ours' : ''}" x="${LEFT}" y="${y}" width="${(end - LEFT).toFixed(1)}" height="16"/>`,
        ...(low === high ? [] : [whisker]),
        `<text x="${(Math.max(end, at(high)) + 6).toFixed(1)}" y="${y + 13}">${format(median)}</text>`,
      ];
    }),
  ];
}

export function chart(title: string, panels: readonly Panel[]): string {
  const parts: string[] = [];
  let top = 0;
  for (const panel of panels) {
    parts.push(...draw(panel, top));
    top += HEAD + panel.bars.length * ROW + 6;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" role="img" aria-label="${escape(title)}">`,
    `<title>${escape(title)}</title>`,
    `<style>${STYLE}</style>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}
