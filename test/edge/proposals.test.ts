/** Proposed commands name the database that was typed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { commands } from '../../src/edge/cli/commands.ts';
import { GROUPS_ON_DATABASE, ON_DATABASE, onDatabase } from '../../src/edge/proposals.ts';

/** They have no database, or one of their own. */
const WITHOUT = [
  'config',
  'demo',
  'init',
  'install-service',
  'licences',
  'try',
  'uninstall-service',
  'upgrade',
];

test('each command either works on a database or does not', () => {
  const known = commands.map(({ name }) =>
    name.includes(' ') ? GROUPS_ON_DATABASE.includes(name.split(' ')[0] ?? '') : ON_DATABASE.includes(name),
  );
  const others = commands.filter((_, i) => known[i] === false).map(({ name }) => name);
  assert.deepEqual(others.toSorted(), WITHOUT);
});

test('a proposal names the database; what names one, and what works on none, stays as it is', () => {
  const cases: [string, string][] = [
    ['passito status', 'passito status --db X'],
    ['passito jobs list --state failed', 'passito jobs list --db X --state failed'],
    [
      "'passito jobs retry 12' gives it one more attempt.",
      "'passito jobs retry --db X 12' gives it one more attempt.",
    ],
    ['To go on, type: passito resume', 'To go on, type: passito resume --db X'],
    ['sudo -u passito passito health', 'sudo -u passito passito health --db X'],
    ["'passito import students FILE' adds students.", "'passito import students --db X FILE' adds students."],
    ['passito dispatch-scheduled-reports', 'passito dispatch-scheduled-reports --db X'],
    [
      'Stop it, then: passito doctor --fix. Or: passito migrate',
      'Stop it, then: passito doctor --db X --fix. Or: passito migrate --db X',
    ],
    ['passito doctor, or passito restore F --db Y', 'passito doctor --db X, or passito restore F --db Y'],
  ];
  for (const [text, told] of cases) assert.equal(onDatabase(text, { db: 'X' }), told);
  for (const text of [
    'passito migrate --db Y',
    'passito restore FILE --force --db=Y',
    "'passito outpass --help' shows an example.",
    "'passito dispatch --help' shows an example.",
    'passito config',
    'sudo passito install-service',
    'sudo systemctl restart passito-supervisor',
    'sudo -u passito passito …',
    'ls -l /srv/passito status',
  ]) {
    assert.equal(onDatabase(text, { db: 'X' }), text);
  }
});

test('paths are quoted; an env file that was typed is named as well; nothing typed changes nothing', () => {
  const from = { db: "my jo'bs.db", envFile: '/srv/a b.env' };
  assert.equal(
    onDatabase('passito status', from),
    String.raw`passito status --db 'my jo'\''bs.db' --env-file '/srv/a b.env'`,
  );
  assert.equal(onDatabase('passito status', {}), 'passito status');
});
