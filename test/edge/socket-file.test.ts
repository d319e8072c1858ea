/** The socket's file: its mode, its place, and who may take it. */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { SocketFile, SocketRefused } from '../../src/edge/http/socket-file.ts';
import { ask } from '../tools/http.ts';
import { temporaryFolder } from '../tools/store.ts';

function owner(t: TestContext, path: string, name: string) {
  const servers: Server[] = [];
  const socket = new SocketFile(path, () => {
    const server = createServer((_, response) => response.end(name));
    servers.push(server);
    return server;
  });
  t.after(() => socket.close(0));
  return { socket, servers };
}

const says = async (path: string) => (await ask(path, '/')).text;

suite('the socket file', () => {
  test('has its mode whatever the umask, and nothing else is left in the folder', async (t) => {
    const folder = temporaryFolder(t);
    for (const mask of [0, 0o777, 0o027]) {
      const path = join(folder, `s${mask}`);
      const { socket } = owner(t, path, 'a');
      const before = process.umask(mask);
      try {
        assert.ok(await socket.ensure());
      } finally {
        process.umask(before);
      }
      assert.equal(statSync(path).mode & 0o777, 0o660);
      assert.equal(await says(path), 'a');
      assert.deepEqual(readdirSync(folder), [`s${mask}`]);
      await socket.close(0);
      assert.deepEqual(readdirSync(folder), []);
    }
  });

  test("a live process's is left to it; a dead one's is taken", async (t) => {
    const path = join(temporaryFolder(t), 's');
    const first = owner(t, path, 'first');
    const second = owner(t, path, 'second');
    assert.ok(await first.socket.ensure());
    assert.equal(await second.socket.ensure(), false);
    assert.equal(await says(path), 'first');
    await second.socket.close(0);
    assert.equal(await says(path), 'first', 'who does not serve removes nothing');
    // What kill -9 leaves behind: the file, and nobody who listens.
    renameSync(path, `${path}.kept`);
    await first.socket.close(0);
    renameSync(`${path}.kept`, path);
    await assert.rejects(says(path), { code: 'ECONNREFUSED' });
    assert.ok(await second.socket.ensure());
    assert.equal(await says(path), 'second');
  });

  test('one that was removed comes back; one that was taken is let go', async (t) => {
    const path = join(temporaryFolder(t), 's');
    const first = owner(t, path, 'first');
    assert.ok(await first.socket.ensure());
    rmSync(path);
    assert.equal(first.socket.serving, false);
    assert.ok(await first.socket.ensure());
    assert.equal(await says(path), 'first');
    // Another that took it for a dead one's at the same moment.
    rmSync(path);
    const second = owner(t, path, 'second');
    assert.ok(await second.socket.ensure());
    assert.equal(await first.socket.ensure(), false);
    assert.ok(
      first.servers.every(({ listening }) => !listening),
      'the old one listens no more',
    );
    await first.socket.close(0);
    assert.equal(await says(path), 'second');
  });

  test('what is no socket is never replaced, and what cannot be had is said', async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, 'notes');
    writeFileSync(file, 'dear');
    const refused = (path: string, message: RegExp) =>
      assert.rejects(owner(t, path, 'a').socket.ensure(), (error: Error) => {
        assert.ok(error instanceof SocketRefused);
        assert.match(error.message, message);
        return true;
      });
    await refused(file, /no socket/);
    mkdirSync(join(folder, 'd'));
    await refused(join(folder, 'd'), /no socket/);
    await refused(join(folder, 'none', 's'), /its folder is not there/);
    await refused(join(folder, 'x'.repeat(108 - folder.length)), /too long.*107 bytes/);
    const longest = join(folder, 'x'.repeat(106 - folder.length));
    assert.equal(longest.length, 107);
    assert.ok(await owner(t, longest, 'long').socket.ensure());
    assert.equal(await says(longest), 'long');
  });

  test('a stop lets an answer get out', async (t) => {
    const path = join(temporaryFolder(t), 's');
    let answer: () => void = () => undefined;
    const socket = new SocketFile(path, () =>
      createServer((_, response) => {
        answer = () => response.end('late');
      }),
    );
    assert.ok(await socket.ensure());
    const asked = ask(path, '/', { headers: { connection: 'close' } });
    while (answer.length !== 0 || answer.toString().includes('undefined')) await new Promise(setImmediate);
    const closed = socket.close(5000);
    await assert.rejects(new Promise((_, reject) => connect(path).once('error', reject)), { code: 'ENOENT' });
    answer();
    assert.equal((await asked).text, 'late');
    await closed;
  });
});
