/** passito as a service under a real systemd, from install-service to uninstall-service: npm run test:systemd */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Machine } from './machine.ts';

const SERVICE = 'passito-supervisor.service';
const PASSITO = 'runuser -u passito -- passito';

/** Short, so that the test need not wait for two minutes. */
const WATCHDOG_S = 6;

const NAP = `import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob } from 'passito';
export default defineJob({ async handle({ ms }: { ms: number }, { log, progress, attempt }) {
  await progress(1); log.info('napping'); await sleep(ms); return { attempt }; } });
`;

const BAD = `export default { handle() { throw new Error('no'); } };\n`;

const CONFIG = `export default { jobs: { Slow: { command: ['/bin/sh', '-c', 'sleep 3; echo rested'] } } };\n`;

/** The command that seals a file as the build does. */
const seal = (file: string) =>
  `printf '\\n# passito sha256 %s\\n' $(sha256sum ${file} | cut -c1-64) >> ${file}`;

describe('the service', () => {
  let machine: Machine;
  const pid = () => machine.property(SERVICE, 'MainPID');

  before(async () => {
    machine = await Machine.boot();
  });
  after(() => machine.off());

  /** Dispatches a job as the service's user; gives its id. */
  const dispatch = (type: string, payload = '{}') => {
    const out = machine.ok(`${PASSITO} dispatch ${type} --max-attempts 1 --payload '${payload}' --json`);
    return (JSON.parse(out) as { id: number }).id;
  };
  const show = (id: number) =>
    JSON.parse(machine.ok(`${PASSITO} jobs show ${id} --json`)) as {
      status: string;
      progress: unknown;
      crashes: number;
      result: unknown;
    };
  const status = (id: number) => show(id).status;
  const begun = (id: number) => machine.until(`job ${id} runs`, () => show(id).progress !== null);
  const said = (unit: string, pattern: RegExp) =>
    machine.journal(unit).filter(({ message }) => pattern.test(message));

  it('a dry run prints the steps and changes nothing', () => {
    const all = 'find / -xdev -newer /tmp/mark -type f -not -path "/proc/*" -not -path "/var/log/*"';
    machine.ok('touch /tmp/mark; sleep 0.1');
    const out = machine.ok('/root/passito install-service --dry-run');
    assert.match(out, /^ {2}useradd --system .* passito$/m);
    assert.match(out, /^ {2}systemctl enable --now passito-supervisor.service passito-health.timer$/m);
    assert.equal(machine.ok(`${all} -not -path "/run/*"`), '');
    assert.equal(machine.sh('getent passwd passito').code, 2);
  });

  it('the executable alone does everything, in a folder of its own', async () => {
    const here = 'cd /root && mkdir -p try && cd try && ';
    const typed = (line: string) => machine.ok(`${here}${line} 2>&1`);
    machine.ok(`${here}(../passito supervisor > log 2>&1 &)`);
    await machine.until(
      'it is ready',
      () => machine.sh('grep -q "supervisor ready" /root/try/log').code === 0,
    );
    assert.match(typed('../passito dispatch CleanupExpiredFiles --wait'), /completed/);
    assert.match(typed('../passito health'), /Job queue is healthy/);
    assert.match(typed('../passito backup all.tar'), /is sound/);
    assert.match(typed('../passito doctor; true'), /database/);
    machine.ok('pkill -f "^../passito supervisor"');
    await machine.until('it has stopped', () => machine.sh('pgrep -f "^../passito supervisor"').code !== 0);
    assert.match(typed('../passito restore all.tar --force'), /Restored/);
    assert.match(typed('../passito resume && ../passito jobs list'), /CleanupExpiredFiles +completed/);
    machine.ok('rm -r /root/try');
  });

  it('install-service installs and starts it, and systemd knows it is ready', () => {
    const out = machine.ok('/root/passito install-service');
    assert.match(out, /passito runs, as the service passito-supervisor\.service/);
    assert.equal(machine.property(SERVICE, 'ActiveState'), 'active');
    assert.equal(machine.property(SERVICE, 'StatusText'), '1 of 10 workers, 0 due, 0 running, 0 failed');
    assert.equal(machine.property('passito-health.timer', 'ActiveState'), 'active');
    const socket = said(SERVICE, /^the local socket is served path=\/run\/passito\/passito\.sock$/);
    assert.equal(socket.length, 1, 'also where the service may write into its own folders alone');
    const modes = machine.ok(
      'stat -c "%a %U:%G %n" /etc/passito/passito.env /var/lib/passito /var/lib/passito/passito.db /usr/local/bin/passito',
    );
    assert.equal(
      modes,
      '640 root:passito /etc/passito/passito.env\n700 passito:passito /var/lib/passito\n' +
        '600 passito:passito /var/lib/passito/passito.db\n755 root:root /usr/local/bin/passito',
    );
    assert.equal(machine.ok(`ps -o user= -p ${pid()}`), 'passito');
  });

  it('a second time there is nothing to do, and the service runs on', () => {
    const old = pid();
    const lines = machine.ok('passito install-service').split('\n\n')[0]!.split('\n');
    assert.deepEqual(
      lines.filter((line) => !line.includes('# not needed: ')),
      [],
    );
    assert.equal(pid(), old);
  });

  it('it runs jobs from /etc/passito/jobs and commands', async () => {
    machine.write('/etc/passito/jobs/Nap.ts', NAP);
    machine.write('/etc/passito/jobs/Bad.js', BAD);
    machine.write('/etc/passito/passito.config.ts', CONFIG);
    // The stop is shorter than a job: passito asks for the time that its drain timeout is.
    const conf = `[Service]\nWatchdogSec=${WATCHDOG_S}\nTimeoutStopSec=2\n`;
    machine.write(`/etc/systemd/system/${SERVICE}.d/times.conf`, conf);
    machine.ok(`systemctl daemon-reload; systemctl restart ${SERVICE}`);
    const [nap, slow] = [dispatch('Nap', '{"ms": 10}'), dispatch('Slow')];
    await machine.until('both are done', () => [nap, slow].every((id) => status(id) === 'completed'));
    assert.equal(show(slow).result, 'rested');
  });

  it('the journal has its lines with their priorities', async () => {
    const bad = dispatch('Bad');
    await machine.until('it failed', () => status(bad) === 'failed');
    const priorities = (pattern: RegExp) => {
      const found = said(SERVICE, pattern);
      assert.ok(found.length > 0, String(pattern));
      for (const { message, identifier } of found) {
        assert.equal(identifier, 'passito');
        assert.doesNotMatch(message, /^<|^\d{4}-/, 'no priority and no time within the line');
      }
      return [...new Set(found.map(({ priority }) => priority))];
    };
    assert.deepEqual(priorities(/^supervisor ready pid=/), [6]);
    assert.deepEqual(priorities(/^napping id=\d+ type=Nap attempt=1$/), [6]);
    assert.deepEqual(priorities(/^job failed id=\d+ type=Bad attempt=1 error=no$/), [3]);
    assert.deepEqual(said(SERVICE, /systemd could not be told|warning/), []);
  });

  it('the watchdog restarts one that stands still, and its job is run again', async () => {
    await machine.until('a live status', () => machine.property(SERVICE, 'StatusText').endsWith(' 1 failed'));
    const old = pid();
    const nap = dispatch('Nap', '{"ms": 3000}');
    await begun(nap);
    machine.ok(`kill -STOP ${old}`);
    await machine.until('a restart', () => !['0', old].includes(pid()));
    assert.equal(said(SERVICE, /Watchdog timeout/).length, 1);
    await machine.until('the job is done', () => status(nap) === 'completed');
    assert.equal(machine.property(SERVICE, 'NRestarts'), '1');
  });

  it('it is fed: nothing else was restarted within two of its times', async () => {
    const old = pid();
    const fed = Date.now();
    await machine.until('two times', () => Date.now() - fed > 2 * WATCHDOG_S * 1000);
    assert.equal(pid(), old);
  });

  it('kill -9: started again at once, and the interrupted job completes', async () => {
    const nap = dispatch('Nap', '{"ms": 2000}');
    await begun(nap);
    machine.ok(`kill -9 ${pid()}`);
    await machine.until('the job is done', () => status(nap) === 'completed', 8000);
    assert.deepEqual([show(nap).crashes, show(nap).result], [1, { attempt: 1 }]);
    assert.equal(said(SERVICE, /^rescued the jobs of a process that is gone/).at(-1)?.priority, 4);
  });

  it('a stop lets running jobs finish, programs as well', async () => {
    const [nap, slow] = [dispatch('Nap', '{"ms": 3000}'), dispatch('Slow')];
    await begun(nap);
    await machine.until('the command runs', () => machine.sh('pgrep -x sleep').code === 0);
    machine.ok(`systemctl stop ${SERVICE}`);
    assert.deepEqual([status(nap), status(slow)], ['completed', 'completed']);
    assert.equal(machine.property(SERVICE, 'Result'), 'success');
    assert.deepEqual(said(SERVICE, /^stopped$/).at(-1)?.priority, 6);
  });

  it('a queue with issues fails the health unit, and an alert follows', async () => {
    machine.ok(`${PASSITO} jobs delete --state failed`);
    machine.ok('systemctl start passito-health.service');
    machine.ok(`${PASSITO} dispatch Nap --at '2020-01-01 00:00:00'`);
    assert.equal(machine.sh('systemctl start passito-health.service').code, 1);
    await machine.until('the alert', () => said('passito-alert@*', /^passito-health has failed/).length > 0);
    assert.equal(said('passito-alert@*', /^passito-health has failed/)[0]?.priority, 2);
  });

  it('a mistake in the settings is told once, and no restart follows', async () => {
    machine.ok('sed -i "s/^# PASSITO_MAX_WORKERS=.*/PASSITO_MAX_WORKERS=many/" /etc/passito/passito.env');
    assert.equal(machine.sh(`systemctl start ${SERVICE}`).code, 1);
    assert.equal(machine.property(SERVICE, 'ExecMainStatus'), '2');
    const told = said(
      SERVICE,
      /PASSITO_MAX_WORKERS in .* cannot be 'many'|PASSITO_MAX_WORKERS cannot be 'many'/,
    );
    assert.deepEqual(
      told.map(({ priority }) => priority),
      [3],
    );
    await machine.until(
      'the alert',
      () => said('passito-alert@*', /^passito-supervisor has failed/).length > 0,
    );
    machine.ok('sed -i "s/^PASSITO_MAX_WORKERS=.*/# &/" /etc/passito/passito.env');
  });

  it('a reload brings new jobs and settings without a pause, and says what it refuses', async () => {
    machine.ok(`systemctl start ${SERVICE}`);
    const old = pid();
    const nap = dispatch('Nap', '{"ms": 4000}');
    await begun(nap);
    machine.write('/etc/passito/jobs/Fresh.ts', 'export default { handle: () => 1 };\n');
    machine.ok('sed -i "s/^# PASSITO_MAX_WORKERS=.*/PASSITO_MAX_WORKERS=7/" /etc/passito/passito.env');
    machine.ok(`systemctl reload ${SERVICE}`);
    const text = () => machine.property(SERVICE, 'StatusText');
    await machine.until('the new settings', () => / of 7 workers/.test(text()));
    assert.equal(status(nap), 'processing');
    const fresh = dispatch('Fresh');
    await machine.until('the new job is done', () => status(fresh) === 'completed');
    await machine.until('the old one is done', () => status(nap) === 'completed');
    assert.equal(show(nap).crashes, 0);

    machine.ok('sed -i "s/^PASSITO_MAX_WORKERS=.*/PASSITO_MAX_WORKERS=many/" /etc/passito/passito.env');
    machine.ok(`systemctl reload ${SERVICE}`);
    await machine.until('the refusal', () => /reload refused: .*cannot be 'many'/.test(text()));
    machine.ok('sed -i "s/^PASSITO_MAX_WORKERS=.*/# PASSITO_MAX_WORKERS=10/" /etc/passito/passito.env');
    machine.ok(`systemctl reload ${SERVICE}`);
    await machine.until('the usual settings', () => / of 10 workers/.test(text()));
    assert.equal(machine.property(SERVICE, 'ActiveState'), 'active');
    assert.equal(pid(), old);
  });

  it('an upgrade that comes up stays, one that does not is undone', async () => {
    machine.ok(`cp /root/passito /root/newer; printf x >> /root/newer; ${seal('/root/newer')}`);
    const out = machine.ok('passito upgrade /root/newer');
    assert.match(out, /The service runs it\./);
    machine.ok('cmp /root/newer /usr/local/bin/passito');
    assert.equal(machine.ok(`readlink /proc/${pid()}/exe`), '/usr/local/bin/passito');
    machine.ok(`runuser -u passito -- passito restore --dry-run ${/before is (\S+);/.exec(out)![1]}`);

    machine.write(
      '/root/broken',
      '#!/bin/sh\ncase $1 in --version) echo "passito 9.9.9";; install-service) ;; supervisor) exit 7;; *) exec /usr/local/bin/passito "$@";; esac\n',
    );
    machine.ok(seal('/root/broken'));
    const { code, out: told } = machine.sh('passito upgrade /root/broken 2>&1');
    assert.equal(code, 1, told);
    assert.match(told, /passito 9\.9\.9 did not come up, and passito \S+ runs again/);
    machine.ok('cmp /root/newer /usr/local/bin/passito');
    assert.equal(machine.property(SERVICE, 'ActiveState'), 'active');
    const nap = dispatch('Nap', '{"ms": 10}');
    await machine.until('a job is done', () => status(nap) === 'completed');
  });

  it('install-service after an update restarts it, and keeps the settings', () => {
    machine.ok(
      'printf "# mine\\n" >> /etc/passito/passito.env; cd /usr/local/bin; cp passito p; printf x >> p; mv p passito',
    );
    machine.ok(`systemctl start ${SERVICE}`);
    const old = pid();
    const out = machine.ok('/root/passito install-service');
    assert.match(out, /^ {2}systemctl restart passito-supervisor.service$/m);
    assert.notEqual(pid(), old);
    assert.match(machine.ok('tail -1 /etc/passito/passito.env'), /^# mine$/);
  });

  it('--group lets a portal in, again without the option, and --group passito shuts it out', () => {
    machine.ok('groupadd portal; useradd --groups portal web');
    const asPortal = () =>
      machine.sh(
        'runuser -u web -- passito dispatch Nap --db /var/lib/passito/passito.db --env-file /dev/null',
      );
    const modes = () => machine.ok('stat -c "%a %U:%G" /var/lib/passito /var/lib/passito/passito.db*');
    assert.equal(asPortal().code, 3);
    for (const option of ['--group portal', '']) {
      machine.ok(`passito install-service ${option}`);
      assert.deepEqual(new Set(modes().split('\n')), new Set(['2770 passito:portal', '660 passito:portal']));
      assert.equal(asPortal().code, 0);
    }
    // Made anew by the service and by the portal: the group's as well.
    machine.ok(`systemctl stop ${SERVICE}; rm /var/lib/passito/passito.db*; systemctl start ${SERVICE}`);
    assert.equal(asPortal().code, 0);
    assert.deepEqual(said(SERVICE, /this user cannot read its settings/), []);
    machine.ok('passito install-service --group passito');
    assert.deepEqual(new Set(modes().split('\n')), new Set(['700 passito:passito', '600 passito:passito']));
    assert.equal(asPortal().code, 3);
    assert.equal(machine.property(SERVICE, 'ActiveState'), 'active');
  });

  it('a group that is not there is refused before anything is done', () => {
    assert.equal(machine.sh('passito install-service --group nobodys 2>&1').code, 2);
  });

  it('uninstall-service removes it, leaves data and settings, and can be repeated', () => {
    const out = machine.ok('passito uninstall-service');
    assert.match(out, /Data {6}\/var\/lib\/passito/);
    assert.match(machine.sh(`systemctl status ${SERVICE} 2>&1`).out, /could not be found/);
    assert.equal(machine.sh('ls /usr/local/bin/passito 2>&1').code, 2);
    machine.ok('ls /var/lib/passito/passito.db /etc/passito/passito.env');
    // The test's own drop-in is an admin's.
    machine.ok(`ls /etc/systemd/system/${SERVICE}.d/times.conf`);
    machine.ok('/root/passito uninstall-service');
  });
});
