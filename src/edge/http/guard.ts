/**
 * What a listener on a port must refuse, since browsers reach it: pages elsewhere that send requests, and names that
 * were made to point at this machine (DNS rebinding). Programs send none of the headers that tell.
 */

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { header } from './listener.ts';

/** Why a request is refused; undefined where it may pass. */
export function foreign(request: IncomingMessage): string | undefined {
  const host = header(request, 'host') ?? '';
  const name = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(host);
  const plain = name?.[1] ?? name?.[2] ?? '';
  // A page can rebind a name, and not an address.
  if (plain.toLowerCase() !== 'localhost' && isIP(plain) === 0) {
    return 'The Host must be an address such as 127.0.0.1, or localhost.';
  }
  const site = header(request, 'sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return 'This came from a page of another site.';
  }
  const origin = header(request, 'origin');
  if (origin !== undefined && origin !== `http://${host}`) return 'This came from a page of another site.';
  return undefined;
}
