/**
 * A tar archive (POSIX ustar, with pax headers where a name or a size needs one), so that any `tar` can look into a backup.
 * What is read is held to what is written here: plain files and nothing else. A link, a folder or a device has no
 * meaning in it, so no archive can make one.
 */

import type { FileHandle } from 'node:fs/promises';

const BLOCK = 512;

/** Bytes that are read and written at once. */
const CHUNK = 1024 ** 2;

/** A name of more bytes, or a file of more, does not fit a plain header. */
const LONGEST_NAME = 100;
const LARGEST = 8 ** 11 - 1;

/** A pax header holds one name or size; more is nonsense, and would be held in memory. */
const LARGEST_PAX = 64 * 1024;

/** A file of an archive that is read. */
export interface ArchivedFile {
  name: string;
  size: number;
  /** Its bytes; may be left unread. */
  content: AsyncIterable<Buffer>;
}

/** Why a file is no archive of ours, in words that go behind "it". */
export class BadArchive extends Error {}

/** Writes an archive, one file after another. */
export class ArchiveWriter {
  readonly #out: FileHandle;
  readonly #time: number;

  /** `time`: what the files' dates are set to, in milliseconds since 1970. */
  constructor(out: FileHandle, time: number) {
    this.#out = out;
    this.#time = Math.floor(time / 1000);
  }

  /** Adds a file of exactly `size` bytes: what the content has more is left out, what it lacks is made up with zeros. */
  async add(name: string, size: number, content: AsyncIterable<Buffer>): Promise<void> {
    const records = [
      ...(Buffer.byteLength(name) > LONGEST_NAME ? [paxRecord('path', name)] : []),
      ...(size > LARGEST ? [paxRecord('size', String(size))] : []),
    ];
    if (records.length > 0) {
      const pax = Buffer.from(records.join(''));
      await this.#write(header('pax', pax.length, 'x', this.#time));
      await this.#write(padded(pax));
    }
    const short = Buffer.from(name).subarray(0, LONGEST_NAME).toString('latin1');
    await this.#write(header(short, Math.min(size, LARGEST), '0', this.#time));
    let left = size;
    for await (const chunk of content) {
      const part = chunk.subarray(0, left);
      await this.#write(part);
      left -= part.length;
      if (left === 0) break;
    }
    for (let zeros = left + gap(size); zeros > 0; zeros -= CHUNK) {
      await this.#write(Buffer.alloc(Math.min(zeros, CHUNK)));
    }
  }

  /** Two empty blocks end an archive. */
  async end(): Promise<void> {
    await this.#write(Buffer.alloc(2 * BLOCK));
  }

  async #write(bytes: Buffer): Promise<void> {
    // Once is not always enough: a disk that fills up takes a part.
    for (let done = 0; done < bytes.length;) {
      done += (await this.#out.write(bytes, done)).bytesWritten;
    }
  }
}

/** Goes through the files of an archive. Throws a {@link BadArchive}. */
export async function* readArchive(file: FileHandle): AsyncGenerator<ArchivedFile> {
  let at = 0;
  let told: { path?: string; size?: number } = {};
  for (;;) {
    const block = await readExactly(file, at, BLOCK);
    at += BLOCK;
    if (block.every((byte) => byte === 0)) return;
    const { name, size: plainSize, type } = readHeader(block);
    if (type === 'x') {
      if (plainSize > LARGEST_PAX) throw new BadArchive('has a header that is too long');
      told = readPax(await readExactly(file, at, plainSize));
      at += plainSize + gap(plainSize);
      continue;
    }
    if (type !== '0') throw new BadArchive(`holds something that is no plain file (${JSON.stringify(name)})`);
    const size = told.size ?? plainSize;
    yield { name: told.path ?? name, size, content: chunks(file, at, size) };
    at += size + gap(size);
    told = {};
  }
}

/** The bytes of an open file from `at` on. Ends early where the file does. */
export async function* chunksUpTo(file: FileHandle, at: number, size: number): AsyncGenerator<Buffer> {
  for (let done = 0; done < size;) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, size - done));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at + done);
    if (bytesRead === 0) return;
    done += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* chunks(file: FileHandle, at: number, size: number): AsyncGenerator<Buffer> {
  let left = size;
  for await (const chunk of chunksUpTo(file, at, size)) {
    left -= chunk.length;
    yield chunk;
  }
  if (left > 0) throw new BadArchive('ends in the middle');
}

async function readExactly(file: FileHandle, at: number, size: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks(file, at, size)) parts.push(chunk);
  return Buffer.concat(parts);
}

/** Up to the end of the block. */
function gap(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(gap(bytes.length))]);
}

function header(name: string, size: number, type: '0' | 'x', time: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number) =>
    block.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  block.write(name, 0, LONGEST_NAME, 'latin1');
  octal(0o600, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(time, 136, 11);
  block.write(type, 156, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  octal(checksum(block), 148, 6);
  block[155] = 0x20;
  return block;
}

/** The sum of the header's bytes, its own field taken for blanks. */
function checksum(block: Buffer): number {
  return block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

function readHeader(block: Buffer): { name: string; size: number; type: string } {
  const text = (at: number, length: number) => {
    const field = block.subarray(at, at + length);
    const end = field.indexOf(0);
    return field.subarray(0, end === -1 ? length : end);
  };
  const octal = (at: number, length: number) => {
    const digits = text(at, length).toString('latin1').trim();
    if (!/^[0-7]+$/.test(digits)) throw new BadArchive('is no archive that passito wrote');
    return Number.parseInt(digits, 8);
  };
  if (block.toString('latin1', 257, 265) !== 'ustar\u000000' || octal(148, 8) !== checksum(block)) {
    throw new BadArchive('is no archive that passito wrote');
  }
  return {
    name: text(0, LONGEST_NAME).toString(),
    size: octal(124, 12),
    type: block.toString('latin1', 156, 157),
  };
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bare = Buffer.byteLength(rest);
  let length = bare + String(bare).length;
  if (bare + String(length).length > length) length++;
  return `${length}${rest}`;
}

function readPax(bytes: Buffer): { path?: string; size?: number } {
  const found: { path?: string; size?: number } = {};
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, blank));
    const [, key, value = ''] = /^(\w+)=([^]*)\n$/.exec(bytes.toString('utf8', blank + 1, at + length)) ?? [];
    if (key === 'path') found.path = value;
    else if (key === 'size' && /^\d{1,15}$/.test(value)) found.size = Number(value);
    else throw new BadArchive('is no archive that passito wrote');
    at += length;
  }
  return found;
}
