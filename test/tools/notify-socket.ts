/**
 * systemd's end of a notify socket. Node cannot bind a Unix datagram socket, so perl does: perl-base, with its
 * Socket module, is an essential package of Debian and Ubuntu.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Prints each message as a line, its own line ends as tabs. */
const RECEIVE = `use Socket; $| = 1;
socket(S, PF_UNIX, SOCK_DGRAM, 0) && bind(S, sockaddr_un($ARGV[0])) or die "cannot bind: $!";
print "bound\\n";
while (defined(recv(S, $m, 65536, 0))) { $m =~ s/\\n/\\t/g; print "$m\\n" }`;

/** What systemd-notify does with assignments, for machines without systemd. */
const STAND_IN = `#!/usr/bin/perl
use Socket;
socket(S, PF_UNIX, SOCK_DGRAM, 0) && defined(send(S, join("\\n", @ARGV), 0, sockaddr_un($ENV{NOTIFY_SOCKET}))) or die $!;
`;

/** A bound notify socket, and what came in. */
export class NotifySocket {
  readonly path: string;
  /** Each message as its assignments. */
  readonly messages: string[][] = [];
  readonly #child: ChildProcess;
  readonly #bound: Promise<void>;
  readonly #listeners = new Set<() => void>();

  private constructor(path: string) {
    this.path = path;
    this.#child = spawn('perl', ['-e', RECEIVE, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#bound = promise;
    this.#child.on('error', reject);
    this.#child.on('exit', () => reject(new Error('the socket could not be bound')));
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      if (line === 'bound') resolve();
      // systemd-notify asks in a message of its own whether the first has been read.
      else if (line !== 'BARRIER=1') this.messages.push(line.split('\t'));
      for (const listener of this.#listeners) listener();
    });
  }

  static async bind(path: string, after: (clean: () => void) => void): Promise<NotifySocket> {
    const socket = new NotifySocket(path);
    after(() => socket.#child.kill());
    await socket.#bound;
    return socket;
  }

  /** Resolves with the first message, of those to come or from `from` on, that has all these assignments. */
  message(wanted: readonly (string | RegExp)[], from = 0, ms = 10_000): Promise<string[]> {
    const fits = (message: string[]) =>
      wanted.every((one) => message.some((said) => (one instanceof RegExp ? one.test(said) : said === one)));
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.messages.slice(from).find(fits);
        if (found === undefined) return;
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(look);
        reject(new Error(`no ${wanted.join(' ')} within ${ms} ms: ${JSON.stringify(this.messages)}`));
      }, ms);
      this.#listeners.add(look);
      look();
    });
  }
}

/** A PATH on which there is a systemd-notify: systemd's own where the machine has it. */
export function pathWithNotify(folder: string): string {
  const path = process.env['PATH'] ?? '';
  if (spawnSync('systemd-notify', ['--version']).status === 0) return path;
  assert.ok(!process.env['CI'], 'the build server must have systemd-notify (package systemd)');
  return `${writeProgram(folder, STAND_IN)}:${path}`;
}

/** Writes a program of the name systemd-notify; gives its folder. */
export function writeProgram(folder: string, text: string): string {
  const file = join(folder, 'systemd-notify');
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return folder;
}
