/** The words that make a text harmless. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hanging, oneLine, printable, printableJson } from '../../src/edge/terminal.ts';
import { OBEYED } from '../tools/nasty.ts';

describe('the words that make a text harmless', () => {
  const texts = fc.string({ unit: 'binary' });

  it('leave nothing that a terminal obeys, and everything else as it was', () => {
    fc.assert(
      fc.property(texts, (text) => {
        assert.doesNotMatch(printable(text), OBEYED);
        assert.doesNotMatch(oneLine(text), /[\n\r]/);
        assert.equal(printable(printable(text)), printable(text));
        for (const line of hanging(text, 4).split('\n').slice(1)) assert.ok(line.startsWith('    '));
        const json = printableJson(JSON.stringify({ text }));
        assert.doesNotMatch(json, OBEYED);
        assert.deepEqual(JSON.parse(json), { text });
        if (!OBEYED.test(text)) assert.equal(printable(text), text);
      }),
      { numRuns: 2000 },
    );
  });
});
