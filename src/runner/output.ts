/** What is kept of a program's output. */

/** Of standard error, the end that is kept, in bytes. */
const KEPT = 64 * 1024;

/** Collects the end of a stream. */
export function tail(stream: NodeJS.ReadableStream): () => string {
  let kept = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]);
    if (kept.length > KEPT) kept = kept.subarray(-KEPT);
  });
  return () => kept.toString('utf8');
}

/** A line of output, and its whole length in bytes; the text is missing where that is above the limit. */
export interface Line {
  text: string | undefined;
  bytes: number;
}

/** Collects the last line of a stream that is not empty, up to `limit` bytes. */
export function lastLine(stream: NodeJS.ReadableStream, limit: number): () => Line {
  let ended: Line = { text: '', bytes: 0 };
  let parts: Buffer[] = [];
  let bytes = 0;
  const add = (part: Buffer) => {
    bytes += part.length;
    if (bytes <= limit) parts.push(part);
  };
  const finish = () => {
    const text = bytes > limit ? undefined : Buffer.concat(parts).toString('utf8').trim();
    if (text !== '') ended = { text, bytes };
    parts = [];
    bytes = 0;
  };
  stream.on('data', (chunk: Buffer) => {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      add(chunk.subarray(from, at));
      finish();
      from = at + 1;
    }
    add(chunk.subarray(from));
  });
  return () => {
    finish();
    return ended;
  };
}
