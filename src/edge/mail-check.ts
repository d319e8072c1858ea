/** What is checked of a mail before any of it leaves the machine. */

import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

import type { MailAttachment, MailMessage } from '../engine/handler.ts';
import { type MailAddress, readMailAddress } from '../mail-address.ts';
import { badMail } from './mail-error.ts';

/** An attachment as the mail library gets it: bytes, never a path or an address. */
export interface LoadedAttachment {
  filename: string;
  content: Buffer;
  contentType?: string;
  cid?: string;
}

/** Reads `a@b.c` or `Name <a@b.c>`; anything else is refused. */
export function parseAddress(text: string, field: string): MailAddress {
  const read = readMailAddress(headerText(text, field));
  if (read === undefined) throw badMail(`${field} ${JSON.stringify(text)} is not a mail address`);
  return read;
}

/** The recipients; at least one. */
export function recipients(to: MailMessage['to']): MailAddress[] {
  const list: unknown = typeof to === 'string' ? [to] : to;
  if (!Array.isArray(list)) throw badMail('the recipient is not a text, nor a list of them');
  if (list.length === 0) throw badMail('it has no recipient');
  return list.map((one: string) => parseAddress(one, 'the recipient'));
}

/** A line break in a header field would begin a header of the sender's choice. */
export function headerText(text: string, field: string): string {
  bodyText(text, field);
  if (/[\r\n\0]/.test(text)) throw badMail(`${field} holds a line break: ${JSON.stringify(text)}`);
  return text;
}

/** A handler may be JavaScript, and the mail library takes `{ path }` or `{ href }` for a body as well. */
export function bodyText(text: unknown, field: string): string {
  if (typeof text !== 'string') throw badMail(`${field} is not a text`);
  return text;
}

/** `<left@right>`, as one word. */
export function messageIdText(id: string): string {
  const bare = headerText(id, 'the message id').replaceAll(/^<|>$/g, '');
  if (!/^[^\s<>@]+@[^\s<>@]+$/.test(bare)) {
    throw badMail(`the message id ${JSON.stringify(id)} is not of the form left@right`);
  }
  return `<${bare}>`;
}

/** Reads the attachments. Each file's real path, behind all links, must lie below the files folder. */
export async function loadAttachments(
  list: readonly MailAttachment[],
  filesRoot: string,
): Promise<LoadedAttachment[]> {
  return Promise.all(
    list.map(async ({ filename, path: name, content, contentType, cid }) => {
      headerText(filename, 'an attachment’s name');
      for (const [field, text] of [
        ['type', contentType],
        ['cid', cid],
      ] as const) {
        if (text !== undefined) headerText(text, `an attachment’s ${field}`);
      }
      return {
        filename,
        content: await bytesOf(filename, name, content, filesRoot),
        ...(contentType === undefined ? {} : { contentType }),
        ...(cid === undefined ? {} : { cid }),
      };
    }),
  );
}

async function bytesOf(
  filename: string,
  name: string | undefined,
  content: Uint8Array | undefined,
  filesRoot: string,
): Promise<Buffer> {
  if (content !== undefined) {
    if (!(content instanceof Uint8Array)) {
      throw badMail(`the content of the attachment ${filename} is not a Buffer or Uint8Array`);
    }
    return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  }
  if (typeof name !== 'string') throw badMail(`the attachment ${filename} has neither a path nor content`);
  let root: string;
  let file: string;
  try {
    root = await realpath(filesRoot);
    file = await realpath(path.resolve(root, name));
  } catch {
    throw badMail(`the attachment ${name} does not exist in the files folder`);
  }
  if (!file.startsWith(root + path.sep)) {
    throw badMail(`the attachment ${name} lies outside the files folder`);
  }
  // Reading a folder fails, and reading a named pipe never ends.
  if (!(await stat(file)).isFile()) throw badMail(`the attachment ${name} is not a file`);
  return readFile(file);
}
