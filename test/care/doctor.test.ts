/** The doctor's checks over facts that a test machine does not have: full disks, clocks, units, versions. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECKS } from '../../src/care/doctor/checks.ts';
import type { DatabaseFacts, Facts } from '../../src/care/doctor/facts.ts';
import { exitOf } from '../../src/care/doctor/finding.ts';
import { loadConfig } from '../../src/config.ts';
import { quoted } from '../../src/escape.ts';

const MB = 1024 ** 2;
const NOW = Date.UTC(2026, 10, 24, 4);
const DAY = 86_400_000;

const { settings, origins } = await loadConfig(
  { values: { db: '/srv/passito/passito.db' }, envFile: '/dev/null' },
  { TIME_ZONE: 'UTC', ADMIN_EMAIL: 'admin@example.edu' },
);

const open: Extract<DatabaseFacts, { state: 'open' }> = {
  state: 'open',
  schema: 4,
  problems: [],
  log: 0,
  newest: NOW - 1000,
  due: 0,
  supervisors: [{ pid: 12, version: '0.1.0' }],
  backup: { at: NOW - DAY, file: '/mnt/a.tar', there: true },
  unsent: null,
};

/** A server on which nothing is wrong. */
const sound: Facts = {
  settings,
  origins,
  now: NOW,
  version: '0.1.0',
  knownSchema: 4,
  envFile: { path: '/etc/passito/passito.env', mode: 0o640 },
  configFile: '/etc/passito/passito.config.ts',
  state: { path: '/srv/passito', folder: true, mode: 0o700, uid: 7, mixed: false },
  owned: [{ path: '/srv/passito/passito.db', folder: false, mode: 0o600, uid: 7 }],
  missing: [],
  database: open,
  backups: null,
  free: 5000 * MB,
  clockSynchronised: true,
  smtp: 'well',
  outbox: 0,
  jobs: { types: 9, strays: [] },
  unit: { enabled: 'enabled', active: 'active' },
  sqlite3: '3.54.0',
};

/** What is found beside what is well. */
function found(changes: Partial<Facts>): string[] {
  const facts = { ...sound, ...changes };
  return CHECKS.flatMap(([check, look]) =>
    look(facts)
      .filter(({ level }) => level !== 'well')
      .map((one) => `${check}: ${one.level}: ${one.message} → ${one.try}`),
  );
}

const status = (changes: Partial<Facts>) =>
  exitOf(CHECKS.flatMap(([, look]) => look({ ...sound, ...changes })));

const of = (changes: Partial<typeof open>): Partial<Facts> => ({ database: { ...open, ...changes } });

test('where nothing is wrong, nothing is found', () => {
  assert.deepEqual(found({}), []);
  assert.equal(status({}), 0);
});

test('a fault on the machine is told with the command that mends it', () => {
  const restart = 'sudo systemctl restart passito-supervisor';
  for (const [changes, line] of [
    [{ free: 50 * MB }, 'disk: fault: 50 MB are free at /srv/passito → du -xh /srv/passito | sort -h | tail'],
    [
      { free: 499 * MB },
      'disk: fault: 499 MB are free at /srv/passito → du -xh /srv/passito | sort -h | tail',
    ],
    [
      { free: 500 * MB },
      'disk: hint: 500 MB are free at /srv/passito → du -xh /srv/passito | sort -h | tail',
    ],
    [
      of({ newest: NOW + 2 * 3_600_000 }),
      'clock: fault: it stands 2h before the newest time in the database → sudo timedatectl set-ntp true',
    ],
    [{ clockSynchronised: false }, 'clock: hint: nothing keeps it right → sudo timedatectl set-ntp true'],
    [
      {
        smtp: { message: 'no answer', hint: undefined },
        settings: { ...settings, adminEmail: "o'neil@example.edu, second@example.edu" },
      },
      String.raw`mail: fault: no answer. → passito mail-test 'o'\''neil@example.edu'`,
    ],
    [
      { jobs: { types: 9, strays: [{ type: 'Helo', nearest: 'Hello' }] } },
      'jobs: hint: jobs.Helo in the config file: there is no such type; did you mean Hello? → sudoedit /etc/passito/passito.config.ts',
    ],
    [
      {
        jobs: {
          problem: "the config file (jobs.GenerateQrCode) defines 'GenerateQrCode', which is built in.",
          hint: 'Choose another name, or set override: true to replace it.',
        },
        configFile: 'passito.config.ts',
      },
      "jobs: fault: the config file (jobs.GenerateQrCode) defines 'GenerateQrCode', which is built in. → ${EDITOR:-vi} passito.config.ts",
    ],
    [of({ supervisors: [], due: 3 }), `supervisor: fault: none runs, and 3 jobs are due → ${restart}`],
    [of({ supervisors: [] }), `supervisor: hint: none runs → ${restart}`],
    [
      of({ supervisors: [{ pid: 9, version: '0.0.9' }] }),
      `supervisor: hint: the one with pid 9 is passito 0.0.9, and this is 0.1.0 → ${restart}`,
    ],
    [
      { unit: { enabled: 'disabled', active: 'active' } },
      'unit: fault: passito-supervisor is disabled: it does not start with the machine → sudo systemctl enable --now passito-supervisor',
    ],
    [
      { unit: { enabled: 'enabled', active: 'failed' } },
      'unit: fault: passito-supervisor is failed → sudo systemctl enable --now passito-supervisor',
    ],
    [
      of({ backup: { at: NOW - 8 * DAY, file: '/mnt/my a.tar', there: true } }),
      "backup: hint: the last one, /mnt/my a.tar, was made 8d ago → passito backup '/mnt/my a.tar' --force",
    ],
    [
      of({ backup: { at: NOW, file: '/mnt/a.tar', there: false } }),
      'backup: hint: the last one, /mnt/a.tar, is not there any more → passito backup /mnt/a.tar --force',
    ],
    [
      of({ unsent: { message: '451 later', tries: 3 } }),
      'mail: fault: An alert could not be mailed (3 tries): 451 later. → passito health --send-email',
    ],
    [
      of({ problems: ['Page 3 is never used'] }),
      'database: fault: it is damaged: Page 3 is never used → passito restore /mnt/a.tar --force --db /srv/passito/passito.db',
    ],
    [
      of({ schema: 3 }),
      'database: fault: its tables are of version 3, and this passito wants 4 → passito migrate --db /srv/passito/passito.db',
    ],
    [
      of({ log: 300 * MB }),
      'database: fault: its write-ahead log has 300 MB: a program keeps a transaction open → passito doctor --fix',
    ],
  ] as [Partial<Facts>, string][]) {
    assert.deepEqual(found(changes), [line]);
    assert.equal(status(changes) > 0, line.includes(': fault: '), line);
  }
});

test('a write-ahead log that health takes is none of the doctor’s faults either', () => {
  assert.deepEqual(found(of({ log: 200 * MB })), []);
});

test('an older sqlite3 of the system is only to be read with', () => {
  for (const version of ['3.40.1', '3.51.2', '3.9.9', '2.99.99']) {
    assert.match(found({ sqlite3: version })[0] ?? '', /sqlite3: hint: .* → sqlite3 -readonly/, version);
  }
  for (const version of ['3.51.3', '3.51.10', '3.52.0', '4.0.0', null]) {
    assert.deepEqual(found({ sqlite3: version }), []);
  }
});

test('a group may share the folder where the admin has set that up, and the keys never', () => {
  const shared = { path: '/srv/passito', folder: true, mode: 0o2770, uid: 7, mixed: false };
  const db = { path: '/srv/passito/passito.db', folder: false, mode: 0o660, uid: 7 };
  const key = { path: '/srv/passito/keys/signing.pem', folder: false, mode: 0o640, uid: 7 };
  assert.deepEqual(found({ state: shared, owned: [db] }), []);
  assert.deepEqual(found({ state: shared, owned: [db, key] }), [
    'permissions: fault: /srv/passito/keys/signing.pem can be used by others than the owner → chmod go-rwx /srv/passito/keys/signing.pem',
  ]);
  assert.deepEqual(found({ state: shared, owned: [{ ...db, mode: 0o600 }] }), [
    'permissions: fault: /srv/passito/passito.db is in a folder that a group shares, and the group cannot write it → chmod g+rw /srv/passito/passito.db',
  ]);
  assert.deepEqual(found({ state: { ...shared, mixed: true }, owned: [db] }), []);
  assert.deepEqual(found({ state: { ...shared, mode: 0o2772, mixed: true }, owned: [db] }), [
    'permissions: fault: /srv/passito can be changed by others → chmod o-w /srv/passito',
  ]);
  assert.deepEqual(found({ owned: [db] }), [
    'permissions: fault: /srv/passito/passito.db can be used by others than the owner → chmod go-rwx /srv/passito/passito.db',
  ]);
  assert.deepEqual(found({ owned: [{ ...db, mode: 0o600, uid: 0 }] }), [
    'permissions: fault: /srv/passito/passito.db belongs to another user than the folder → chown -R --reference=/srv/passito /srv/passito/passito.db',
  ]);
});

test('what its own owner cannot write is a fault, and a key that can only be read is none', () => {
  const db = { path: '/srv/passito/passito.db', folder: false, mode: 0o400, uid: 7 };
  const key = { path: '/srv/passito/keys/signing.pem', folder: false, mode: 0o400, uid: 7 };
  assert.deepEqual(found({ owned: [db, key] }), [
    'permissions: fault: /srv/passito/passito.db cannot be written by its owner → chmod u+rwX /srv/passito/passito.db',
  ]);
  const state = { path: '/srv/passito', folder: true, mode: 0o500, uid: 7, mixed: false };
  assert.deepEqual(found({ state, owned: [db] }), [
    'permissions: fault: /srv/passito, /srv/passito/passito.db cannot be written by their owner → chmod u+rwX /srv/passito /srv/passito/passito.db',
  ]);
});

test('a folder with other things in it is not shut, though nobody else may rename the database', () => {
  const tmp = { path: '/tmp', folder: true, mode: 0o1777, uid: 7, mixed: true };
  assert.deepEqual(found({ state: tmp }), []);
  assert.deepEqual(found({ state: { ...tmp, mode: 0o755 } }), []);
  assert.deepEqual(found({ state: { ...tmp, mode: 0o775 } }), [
    'permissions: fault: /tmp can be changed by others → chmod go-w /tmp',
  ]);
  assert.deepEqual(found({ state: { ...tmp, mode: 0o755, mixed: false } }), [
    'permissions: fault: /tmp can be used by others than the owner → chmod go-rwx /tmp',
  ]);
});

test('what parents need must be there together', () => {
  const check = (changes: Partial<Facts['settings']>) => found({ settings: { ...settings, ...changes } });
  const address = { host: '127.0.0.1', port: 8080 };
  assert.match(
    check({ public: address })[0] ?? '',
    /parents: fault: .*APP_URL \(such as APP_URL=https:.*\) → sudoedit \S+ && sudo systemctl reload \S+$/,
  );
  assert.match(check({ parentApproves: true })[0] ?? '', /parents: fault: /);
  assert.match(check({ appUrl: 'https://gate.example.edu' })[0] ?? '', /parents: hint: .*PASSITO_PUBLIC/);
  assert.match(
    check({ public: address, appUrl: 'http://gate.example.edu' })[0] ?? '',
    /in clear .* APP_URL=https:/,
  );
  assert.deepEqual(check({ public: address, appUrl: 'https://gate.example.edu' }), []);
});

test('a backup is proposed where nobody else looks, and its folder is looked at', () => {
  const none = { ...of({ backup: null }), backups: { path: '/mnt/b', inside: null, hasParent: true } };
  assert.deepEqual(found(none), ['backup: hint: there is none → passito backup /mnt/b/passito.tar']);
  assert.doesNotMatch(found(of({ backup: null }))[0] ?? '', /\/tmp/);
  const at = (inside: string | null) => found({ backups: { path: '/srv/b/c', inside, hasParent: false } });
  assert.match(at('/srv/b')[0] ?? '', /^backup: fault: .* lies in \/srv\/b, .* → echo PASSITO_BACKUPS=/);
  const inside = { backups: { path: '/srv/b/c', inside: '/srv/b', hasParent: true } };
  assert.match(found(inside)[0] ?? '', /PASSITO_BACKUPS=\/var\/lib\/passito\/backups/);
  const own = found({ ...inside, unit: { enabled: 'not-found', active: 'inactive' } });
  assert.ok(
    own.some((line) => line.includes('PASSITO_BACKUPS=/var/backups/passito')),
    own.join('\n'),
  );
  assert.deepEqual(at(null), [
    'backup: fault: PASSITO_BACKUPS names /srv/b/c, and there is no /srv/b → mkdir -p /srv/b/c',
  ]);
});

test('the worst fault decides the exit status', () => {
  const failed: DatabaseFacts = { state: 'failed', code: 'DATABASE_ABSENT', message: 'no', hint: undefined };
  assert.equal(status({ free: MB }), 1);
  assert.equal(status({ free: MB, database: failed }), 3);
  const line = { message: '', level: 'fault' } as const;
  assert.equal(exitOf([{ ...line, exit: 3 }, { ...line, exit: 2 }, line]), 2);
});

test('a path is quoted as the shell wants it', () => {
  assert.equal(quoted('/srv/a-b_c.d'), '/srv/a-b_c.d');
  assert.equal(quoted("it's $HOME"), String.raw`'it'\''s $HOME'`);
});

test('what only the admin knows is never proposed as a line that counts when pasted', () => {
  const none = { smtp: 'none', settings: { ...settings, smtpHost: '', adminEmail: '' } } as const;
  const envFile = { path: '.env', mode: 0o600 };
  assert.deepEqual(found({ ...none, envFile }), [
    'mail: hint: SMTP_HOST is not set (such as SMTP_HOST=smtp.example.edu): mails are written into the outbox → ${EDITOR:-vi} .env',
    'mail: hint: ADMIN_EMAIL is not set (such as ADMIN_EMAIL=admin@example.edu): nobody is written to → ${EDITOR:-vi} .env',
  ]);
});
