/**
 * Every error that a user can meet, in one list: its code, its exit status, its words.
 * A message says what is wrong and where; the hint says what to type next.
 */

import { dirname } from 'node:path';
import { quoted } from './escape.ts';
import { cannotBe, type Problem, READ_ONLY_HINT, refused, sentence, several } from './passito-error.ts';
import { shorten, unreachable, usage, whatIsLarge } from './passito-error.ts';

export { cannotBe, EXIT, messageOf, PassitoError, READ_ONLY_HINT, shorten } from './passito-error.ts';
export { type Problem, sentence } from './passito-error.ts';

/** Makes each error. The name is the code in camel case. */
export const errors = {
  // usage
  unknownCommand: (given: string, nearest?: string) =>
    usage(
      'UNKNOWN_COMMAND',
      `There is no command '${given}'.`,
      nearest ? `Did you mean 'passito ${nearest}'?` : "'passito --help' lists them.",
    ),
  unknownOption: (command: string, given: string, nearest?: string) =>
    usage(
      'UNKNOWN_OPTION',
      `Unknown option ${given}.`,
      nearest ? `Did you mean ${nearest}?` : `'passito ${command} --help' lists the options.`,
    ),
  missingArgument: (command: string, name: string) =>
    usage('MISSING_ARGUMENT', `'${command}' needs ${name}.`, `'passito ${command} --help' shows an example.`),
  extraArgument: (command: string, given: string) =>
    usage(
      'EXTRA_ARGUMENT',
      `'${command}' does not take '${given}'.`,
      `'passito ${command} --help' shows an example.`,
    ),
  missingValue: (option: string) => usage('MISSING_VALUE', `${option} needs a value.`),
  unexpectedValue: (option: string, value: string) =>
    usage('UNEXPECTED_VALUE', `${option} takes no value, but was given '${value}'.`),
  repeatedOption: (option: string) => usage('REPEATED_OPTION', `${option} was given more than once.`),
  /** `allowed`: the end of "it must be …". */
  badValue: (what: string, value: string, allowed: string, nearest?: string) =>
    usage(
      'BAD_VALUE',
      sentence(cannotBe(what, `'${shorten(value)}'`, allowed)),
      nearest && `Did you mean '${nearest}'?`,
    ),
  badOption: (problem: string) => usage('BAD_OPTION', sentence(problem)),
  conflictingOptions: (a: string, b: string) =>
    usage('CONFLICTING_OPTIONS', `${a} and ${b} cannot be used together.`),
  badJson: (where: string, reason: string, hint?: string) =>
    usage('BAD_JSON', `${where} is not valid JSON: ${reason}.`, hint),
  badPayload: (type: string, issues: string) =>
    usage('BAD_PAYLOAD', `The payload does not fit ${type}: ${issues}.`),
  payloadTooLarge: (where: string, size: string, limit: string) =>
    usage(
      'PAYLOAD_TOO_LARGE',
      `${where} is ${size}; a payload holds at most ${limit}.`,
      'Put the data into a file and its path into the payload.',
    ),
  badFile: (path: string, reason: string) => usage('BAD_FILE', `Cannot read ${path}: ${reason}.`),
  badLines: (what: string, problems: readonly Problem[]) => {
    const lines = problems.map(
      ({ line, message }) => `  ${line === undefined ? '' : `line ${line}: `}${message}`,
    );
    const error = usage('BAD_LINES', `${what} was not dispatched; nothing has changed.\n${lines.join('\n')}`);
    error.problems = problems;
    return error;
  },
  /** `next`: the number of the line that was to be written next. */
  partlyDispatched: (written: number, of: number, next: number, reason: string) =>
    unreachable(
      'PARTLY_DISPATCHED',
      `${written} of ${of} jobs were dispatched; from line ${next} on none was: ${reason}`,
      'Repair that, and dispatch the rest; with --atomic a file is dispatched as a whole or not at all.',
    ),
  folderInUse: (path: string) =>
    usage(
      'FOLDER_IN_USE',
      `${path} exists and is not a folder of the demo.`,
      'Name another one with --folder.',
    ),
  fileExists: (path: string, hint = 'Use another folder, or remove the file.') =>
    usage('FILE_EXISTS', `${path} exists already; nothing was changed.`, hint),
  notAFolder: (path: string) =>
    usage('NOT_A_FOLDER', `${path} is a file and not a folder; nothing was changed.`, 'Name another folder.'),
  badRows: (path: string, problems: string, hint?: string) =>
    usage('BAD_ROWS', `${path} was not imported; nothing has changed.\n${problems}`, hint),
  rejectedUnwritten: (path: string, reason: string) =>
    usage(
      'REJECTED_UNWRITTEN',
      sentence(`The good rows were imported, but the others could not be written to ${path}: ${reason}`),
      'They are named above; correct them in your file and import it again.',
    ),
  badConfig: (problems: readonly string[]) =>
    several('BAD_CONFIG', problems, `The configuration has ${problems.length} problems:`),
  unsafeFolder: (what: string, path: string, through: string, rootOwns: boolean) =>
    usage(
      'UNSAFE_FOLDER',
      `${what} ${path} can be changed by other users${through === path ? '' : ` (through ${through})`}, and passito runs as root.`,
      through !== path && !rootOwns
        ? `Put it where only root can change it, all the way up, such as /etc/passito; or type it as the user whose folder ${through} is.`
        : `Type: ${through === path ? `chown root ${quoted(path)} && ` : ''}chmod go-w ${quoted(through)}`,
    ),
  unknownSchedule: (name: string, nearest?: string) =>
    usage(
      'UNKNOWN_SCHEDULE',
      `There is no schedule '${shorten(name)}'.`,
      nearest ? `Did you mean '${nearest}'?` : "'passito schedule list' shows them.",
    ),
  badCron: (where: string, expression: string, reason: string) =>
    usage(
      'BAD_CRON',
      `${where} cannot be '${shorten(expression)}': ${sentence(reason)}`,
      "Five fields are meant: minute, hour, day, month, day of the week, such as '30 2 * * MON'.",
    ),
  publicAddress: (address: string, reason: string) =>
    unreachable(
      'PUBLIC_ADDRESS',
      `The parents' page cannot be served on ${address}: ${reason}.`,
      'Name a free address of this machine with --public, such as 127.0.0.1:8080.',
    ),
  // the service
  needsRoot: (command: string, line: string, look: string) =>
    usage(
      'NEEDS_ROOT',
      `'${command}' changes the system, which only root may do.`,
      `Type: ${line}, or look first: ${look}`,
    ),
  noSystemd: (command: string) =>
    usage(
      'NO_SYSTEMD',
      `'${command}' needs systemd, and this machine was not started by it.`,
      "Let what starts programs here run 'passito supervisor'; it stops at SIGTERM.",
    ),
  notExecutable: (command: string, line: string) =>
    usage('NOT_EXECUTABLE', `'${command}' needs the executable, and this runs from source.`, `Type: ${line}`),
  unknownGroup: (name: string) =>
    usage(
      'UNKNOWN_GROUP',
      `There is no group '${shorten(name)}' on this machine.`,
      "Name the group that the portal runs as, such as www-data; 'groupadd --system NAME' makes one.",
    ),
  serviceSettings: (option: string, path: string) =>
    usage(
      'SERVICE_SETTINGS',
      `The service takes no --${option}: it reads its settings from ${path}.`,
      `Set it there: sudoedit ${path}`,
    ),
  stepFailed: (step: string, reason: string, hint?: string) =>
    refused(
      'STEP_FAILED',
      sentence(`This step failed: ${step}: ${reason}`),
      hint ?? 'Repair that, and type the command again: what is done already is left as it is.',
    ),
  noUpgrade: (file: string, reason: string) =>
    usage(
      'NO_UPGRADE',
      sentence(`${file} cannot take the place of this passito: ${reason}`),
      'Nothing was changed.',
    ),
  upgradeUndone: (found: string, former: string, reason: string) =>
    refused(
      'UPGRADE_UNDONE',
      `passito ${found} did not come up, and passito ${former} runs again: ${sentence(reason)}`,
      'Read why: journalctl -u passito-supervisor -n 50',
    ),
  tablesNotRestored: (path: string, reason: string) =>
    unreachable(
      'TABLES_NOT_RESTORED',
      `The newer passito did not come up, and the tables of ${path} cannot be put back: ${sentence(reason)} The service is stopped, the newer executable is still in place, and nothing is lost.`,
      'Read why: journalctl -u passito-supervisor -n 50. Repair that, then type: sudo systemctl start passito-supervisor',
    ),
  httpAddress: (address: string, reason: string) =>
    unreachable(
      'HTTP_ADDRESS',
      `HTTP cannot be served on ${address}: ${reason}.`,
      'Name a free address of this machine with --http, such as 127.0.0.1:8090.',
    ),
  localSocket: (path: string, reason: string) =>
    unreachable(
      'LOCAL_SOCKET',
      `The local socket ${path} cannot be served: ${reason}.`,
      'Name another path with --socket; off leaves it out.',
    ),
  /** A mail server was reached, and said no. */
  mailRefused: (message: string, hint?: string) => refused('MAIL_REFUSED', sentence(message), hint),
  mailUnsent: (message: string, hint?: string) => unreachable('MAIL_UNSENT', sentence(message), hint),
  oldNode: (found: string, oldest: number) =>
    usage('OLD_NODE', `The passito library needs Node ${oldest} or newer; this is ${found}.`),
  /** Of a file or folder that no other error is about. */
  pathRefused: (path: string, reason: string) =>
    unreachable('PATH_REFUSED', `${path} cannot be used: ${reason}.`),
  folderGone: () =>
    unreachable('FOLDER_GONE', 'The folder that this was typed in is not there any more.', 'Type: cd'),
  // jobs
  unknownDependency: (id: number, line?: number) =>
    usage(
      'UNKNOWN_DEPENDENCY',
      `${line === undefined ? '' : `Line ${line}: `}There is no job #${id} to depend on.`,
      'Completed jobs are pruned after a while; leave out what is done.',
    ),
  dependencyCycle: (jobs: readonly { ref?: string | undefined; number: number }[]) => {
    const circle = jobs.map(({ ref, number }) => `${ref} (line ${number})`).join(' → ');
    return usage('DEPENDENCY_CYCLE', `These jobs wait for each other in a circle: ${circle}.`);
  },
  passNotFound: (key: number | string) =>
    usage('UNKNOWN_PASS', `There is no outpass ${key}.`, "'passito outpass list' shows the latest."),
  unknownMail: (id: number | string) =>
    usage('UNKNOWN_MAIL', `There is no mail #${id} in the ledger.`, "'passito mail list' shows the latest."),
  unknownJob: (id: number | string) =>
    usage('UNKNOWN_JOB', `There is no job #${id}.`, "'passito jobs list' shows the latest."),
  unknownType: (type: string, nearest?: string) =>
    usage(
      'UNKNOWN_TYPE',
      `No handler is known for the type '${type}'.`,
      nearest
        ? `Did you mean '${nearest}'?`
        : 'Put its file into the jobs folder, or name the folder with --jobs.',
    ),
  badJobFiles: (problems: readonly { path: string; message: string }[]) => {
    const lines = problems.map(({ path, message }) => sentence(`${path}: ${message}`));
    return several('BAD_JOB_FILE', lines, `${problems.length} job files cannot be used:`);
  },
  duplicateType: (type: string, first: string, second: string) =>
    usage(
      'DUPLICATE_TYPE',
      `Two jobs have the type '${type}': ${first} and ${second}.`,
      'Rename one of them.',
    ),
  builtInType: (type: string, path: string) =>
    usage(
      'BUILT_IN_TYPE',
      `${path} defines '${type}', which is built in.`,
      'Choose another name, or set override: true to replace it.',
    ),
  // database
  databaseAbsent: (
    path: string,
    hint = "Name it with --db or PASSITO_DB; 'passito migrate' makes a new one.",
  ) => unreachable('DATABASE_ABSENT', `There is no database at ${path}.`, hint),
  databaseEmpty: (path: string) =>
    unreachable(
      'DATABASE_EMPTY',
      `${path} is empty: there is no database in it yet.`,
      `Type: passito migrate --db ${quoted(path)}`,
    ),
  databaseUnusable: (path: string, reason: string, cause?: unknown, hint?: string) =>
    unreachable('DATABASE_UNUSABLE', `The database ${path} cannot be used: ${reason}.`, hint, cause),
  /** Somebody else's, or shut to its own user. */
  databaseDenied: (path: string, reason: string, hint: string) =>
    unreachable('DATABASE_DENIED', `The database ${path} cannot be used: ${reason}.`, hint),
  diskReadOnly: (path: string) =>
    unreachable(
      'DISK_READ_ONLY',
      `The database ${path} cannot be used: its disk is read-only.`,
      READ_ONLY_HINT,
    ),
  databaseForeign: (path: string) =>
    unreachable(
      'DATABASE_FOREIGN',
      `${path} is an SQLite database, but not one of passito's.`,
      'Name another file with --db or PASSITO_DB.',
    ),
  databaseOlder: (path: string) =>
    unreachable(
      'DATABASE_OLDER',
      `The database ${path} is from an older passito.`,
      'Restart the supervisor, which brings it up to date: sudo systemctl restart passito-supervisor. Is there none? Type: passito migrate',
    ),
  tablesInUse: (path: string, pid: number) =>
    unreachable(
      'TABLES_IN_USE',
      `The tables of ${path} must be brought up to date, and the process with pid ${pid} still works with them as they are.`,
      'Stop it (the service: sudo systemctl stop passito-supervisor), type this again, then start it again.',
    ),
  noRoomToMigrate: (path: string) =>
    unreachable(
      'NO_ROOM_TO_MIGRATE',
      `The tables of ${path} must be brought up to date, and the disk has no room for the copy that is made before.`,
      `Nothing was changed. Free some space, then type this again. ${whatIsLarge(dirname(path))}`,
    ),
  databaseNewer: (path: string, version: number, known: number) =>
    unreachable(
      'DATABASE_NEWER',
      `The database ${path} is from a newer passito (schema ${version}; this one knows ${known}).`,
      'Use the newer executable.',
    ),
  databaseBusy: (path: string, seconds: number, holder?: { program: string; pid: number }) =>
    unreachable(
      'DATABASE_BUSY',
      `The database ${path} was locked by ${holder ? `${holder.program} (pid ${holder.pid})` : 'another program'} for ${seconds} seconds; nothing was written.`,
      holder
        ? `See what it is: ps -fp ${holder.pid}. Let it end its transaction, or stop it; then try again.`
        : 'Close programs that hold a transaction open, then try again.',
    ),
  databaseFull: (path: string) =>
    unreachable(
      'DATABASE_FULL',
      `The disk that holds ${path} is full; nothing was written.`,
      `Free some space, then try again. ${whatIsLarge(dirname(path))}`,
    ),
  databaseReadOnly: (path: string, user: string, hint: string) =>
    unreachable('DATABASE_READ_ONLY', `The database ${path} cannot be written by ${user}.`, hint),
  databaseReplaced: (path: string) =>
    unreachable(
      'DATABASE_REPLACED',
      `The database ${path} was deleted or replaced while the supervisor ran.`,
      'Stop the supervisor before you restore a backup; then start it again.',
    ),
  databaseInUse: (path: string, users: string) =>
    refused(
      'DATABASE_IN_USE',
      `The database ${path} is in use by ${users}; nothing was changed.`,
      'Stop the supervisor first (sudo systemctl stop passito-supervisor), and whatever else works on the database.',
    ),
  restoreInterrupted: (path: string) =>
    unreachable(
      'RESTORE_INTERRUPTED',
      `A restore of the database ${path} is in its last step, or was cut off in it.`,
      `If no restore is running now, type: passito restore --db ${quoted(path)}`,
    ),
  /** Written by somebody else, since passito links it to its place when it is whole. */
  restoreMarkUnsound: (path: string) =>
    unreachable(
      'RESTORE_MARK_UNSOUND',
      `${path} says that a restore was cut off, but nothing in it can be read.`,
      `If no restore is running now, type: mv ${quoted(path)} ${quoted(`${path}.odd`)}. Then check everything: passito doctor`,
    ),
  badBackup: (path: string, reason: string) =>
    usage('BAD_BACKUP', `${path} cannot be restored: ${sentence(`it ${reason}`)}`, 'Nothing was changed.'),
  backupUnwritten: (path: string, reason: string, hint?: string) =>
    unreachable('BACKUP_UNWRITTEN', `The backup ${path} was not written: ${sentence(reason)}`, hint),
  restoreUnwritten: (folder: string, reason: string, hint?: string) =>
    unreachable(
      'RESTORE_UNWRITTEN',
      `Nothing was restored into ${folder}, and nothing was changed: ${sentence(reason)}`,
      hint,
    ),
  interrupted: (what: string) => refused('INTERRUPTED', `${what} was interrupted; nothing was changed.`),
  unwritten: (jobs: number, path: string) =>
    unreachable(
      'OUTCOMES_UNWRITTEN',
      `Stopped, but what became of ${jobs === 1 ? 'one job' : `${jobs} jobs`} could not be written to ${path}.`,
      'They run again at the next start. The disk may be full, or a program may hold the database locked: passito doctor',
    ),
  /** A row that the tables' own rules refuse: somebody's input, not the database's state. */
  rowRefused: (reason: string) =>
    usage('ROW_REFUSED', `The database refuses this: ${reason}.`, 'Nothing was written.'),
} as const;
