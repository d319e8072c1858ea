/** Every command, in the order in which the help lists them. */

import type { Command } from './command.ts';
import { audit } from './audit.ts';
import * as backup from './backup.ts';
import { cleanupExpiredFiles } from './cleanup.ts';
import { config } from './config.ts';
import { demo } from './demo.ts';
import { dispatch } from './dispatch.ts';
import { dispatchScheduledReports } from './dispatch-reports.ts';
import { doctor } from './doctor.ts';
import { explain } from './explain.ts';
import { health } from './health.ts';
import * as imports from './import.ts';
import { init } from './init.ts';
import { installService, uninstallService } from './install-service.ts';
import * as jobs from './jobs.ts';
import * as keys from './keys.ts';
import { licences } from './licences.ts';
import * as mail from './mail.ts';
import { mailTest } from './mail-test.ts';
import { migrate } from './migrate.ts';
import * as movements from './movements.ts';
import * as outpassChange from './outpass-change.ts';
import * as outpass from './outpass.ts';
import { pause, resume } from './pause.ts';
import * as reports from './reports.ts';
import { scale } from './scale.ts';
import * as schedule from './schedule.ts';
import { status } from './status.ts';
import { supervisor, worker } from './supervisor.ts';
import { top } from './top.ts';
import { tryOnce } from './try.ts';
import { upgrade } from './upgrade.ts';

export const commands: readonly Command[] = [
  supervisor,
  worker,
  health,
  status,
  top,
  dispatch,
  jobs.list,
  jobs.show,
  jobs.retry,
  jobs.cancel,
  jobs.remove,
  jobs.prune,
  pause,
  resume,
  scale,
  audit,
  explain,
  schedule.list,
  schedule.next,
  schedule.show,
  schedule.run,
  schedule.pause,
  schedule.resume,
  tryOnce,
  imports.importHostels,
  imports.importUsers,
  imports.importStudents,
  imports.importOutpasses,
  imports.importMovements,
  imports.importReports,
  outpass.list,
  outpass.show,
  outpassChange.create,
  outpass.approve,
  outpassChange.reject,
  outpassChange.cancel,
  movements.out,
  movements.back,
  reports.list,
  reports.change,
  reports.enable,
  reports.disable,
  reports.runNow,
  mail.list,
  mail.show,
  mail.resend,
  mailTest,
  keys.list,
  keys.exported,
  keys.rotate,
  keys.verify,
  cleanupExpiredFiles,
  dispatchScheduledReports,
  config,
  doctor,
  backup.backup,
  backup.restore,
  init,
  migrate,
  upgrade,
  installService,
  uninstallService,
  licences,
  demo,
];
