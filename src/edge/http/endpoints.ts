/**
 * What this process listens on. An endpoint outlives a reload: the newest of those who serve it answers, the former
 * one ends what it has begun, and no connection is refused meanwhile.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createListener, type Limits } from './listener.ts';

/** Something that is open, such as a port or a socket's file. */
export interface Opened {
  close(ms: number): Promise<void>;
}

/** One who serves an endpoint. */
export interface Served<T extends Opened> {
  readonly opened: T;
  /** Whether new requests come here. */
  readonly newest: boolean;
  /** Takes no new requests; those under way have `ms` to end. The last one closes the endpoint. */
  close(ms: number): Promise<void>;
}

/** Answers requests, and knows which of them it has not answered yet. */
class Responder {
  readonly #server: Server;
  readonly #open = new Set<ServerResponse>();
  #emptied: (() => void) | undefined;

  /** The server itself never listens; it only answers. */
  constructor(server: Server) {
    this.#server = server;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    this.#open.add(response);
    response.once('close', () => {
      this.#open.delete(response);
      if (this.#open.size === 0) this.#emptied?.();
    });
    this.#server.emit('request', request, response);
  }

  async end(ms: number): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
      setTimeout(resolve, ms);
    });
    for (const response of this.#open) response.destroy();
  }
}

interface Endpoint {
  /** The newest is the last. */
  responders: Responder[];
  opened: Opened;
}

export class Endpoints {
  readonly #endpoints = new Map<string, Endpoint>();

  /**
   * Serves the endpoint of this name. Where nobody does yet, `open` makes it, from servers that `create` gives it, and
   * what it throws is thrown.
   */
  async serve<T extends Opened>(
    name: string,
    server: Server,
    limits: Limits,
    open: (create: () => Server) => Promise<T>,
  ): Promise<Served<T>> {
    const responder = new Responder(server);
    const known = this.#endpoints.get(name);
    const responders = known?.responders ?? [];
    responders.push(responder);
    const create = () =>
      createListener(
        limits,
        async (request, response) => responders.at(-1)?.answer(request, response),
        (_error, response) => response.destroy(),
      );
    const opened = (known?.opened as T | undefined) ?? (await open(create));
    if (known === undefined) this.#endpoints.set(name, { responders, opened });
    return {
      opened,
      get newest() {
        return responders.at(-1) === responder;
      },
      close: async (ms) => {
        if (responders.length === 1) {
          // It goes on answering what comes in on connections that are still open.
          this.#endpoints.delete(name);
          return opened.close(ms);
        }
        responders.splice(responders.indexOf(responder), 1);
        return responder.end(ms);
      },
    };
  }
}
