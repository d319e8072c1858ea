/** `passito outpass …`: look at passes, and approve them. */

import { openOffice } from '../../app.ts';
import { errors, sentence } from '../../errors.ts';
import { tellTime } from '../../outpass/local-time.ts';
import type { PassDetails, PassStatus } from '../../outpass/office.ts';
import { passStatuses } from '../../outpass/pass-states.ts';
import { approvePass } from '../../store/sqlite/decisions.ts';
import type { AskedBefore } from '../../store/sqlite/parent-answers.ts';
import type { SqliteOffice } from '../../store/sqlite/office.ts';
import { hanging } from '../terminal.ts';
import { audited } from './audit.ts';
import { type Command, JSON_OPTION, limitOption } from './command.ts';
import { withStore } from './with-store.ts';
import { inColumns } from './render.ts';
import { readBy, readWhole, set } from './values.ts';

export const list: Command = {
  name: 'outpass list',
  about: 'List outpasses, the newest first',
  options: [
    { name: 'status', value: 'status', about: passStatuses.join(', ') },
    limitOption(50),
    JSON_OPTION,
  ],
  example: 'passito outpass list --status pending',
  run: (input) =>
    withStore(input, async (store, _queries, config) => {
      const status = input.option('status');
      if (status !== undefined && !passStatuses.includes(status as PassStatus)) {
        throw errors.badValue('--status', status, `one of: ${passStatuses.join(', ')}`);
      }
      const limit = readWhole(input, 'limit', 1, 1_000_000);
      const passes = await openOffice(config, store).listPasses({
        ...set('status', status as PassStatus | undefined),
        ...set('limit', limit),
      });
      if (input.json) input.print(JSON.stringify(passes.map(passAsJson)));
      else if (passes.length === 0) input.note('No outpasses.');
      else {
        const zone = config.settings.timeZone;
        const lines = passes.map((pass) => [
          String(pass.id),
          pass.reference,
          pass.status,
          tellTime(pass.leavesAt, zone),
          tellTime(pass.returnsAt, zone),
          pass.student.rollNumber,
          pass.student.name,
        ]);
        const head = ['id', 'reference', 'status', `out (${zone})`, 'in', 'roll', 'student'];
        input.print(inColumns(head, lines, input));
      }
      return 0;
    }),
};

export const show: Command = {
  name: 'outpass show',
  args: '<pass>',
  about: 'Show one outpass, by its number or reference',
  options: [JSON_OPTION],
  example: 'passito outpass show OP-000001',
  run: (input) =>
    withStore(input, async (store, _queries, config) => {
      const office = openOffice(config, store);
      const pass = await findPass(office, input.args[0] as string);
      const asked = await office.parentQuestions(pass.id);
      if (input.json) {
        input.print(JSON.stringify({ ...passAsJson(pass), parent: asked.map(askedAsJson) }));
        return 0;
      }
      const zone = config.settings.timeZone;
      const { student } = pass;
      const rows: [string, string | null][] = [
        ['Status', pass.status],
        ['Student', `${student.name}, ${student.rollNumber}, ${student.email}`],
        [
          'Hostel',
          student.hostel === null
            ? null
            : `${student.hostel}${student.room === null ? '' : `, room ${student.room}`}`,
        ],
        ['Kind', pass.kind],
        ['Purpose', pass.purpose],
        ['Destination', pass.destination],
        ['Out', tellTime(pass.leavesAt, zone)],
        ['In', tellTime(pass.returnsAt, zone)],
        [
          'Approved',
          pass.approvedBy === null || pass.approvedAt === null
            ? null
            : `by ${pass.approvedBy}, ${tellTime(pass.approvedAt, zone)}`,
        ],
        ['Closed', pass.closedAt === null ? null : closed(pass.closedBy, tellTime(pass.closedAt, zone))],
        ['Remarks', pass.remarks],
        ...asked.map((one): [string, string] => ['Parent', parentLine(one, zone)]),
        ['Went out', pass.wentOutAt === null ? null : tellTime(pass.wentOutAt, zone)],
        ['Came back', pass.cameBackAt === null ? null : tellTime(pass.cameBackAt, zone)],
        ['QR code', pass.files.qr],
        ['Document', pass.files.document],
      ];
      input.print(
        `${input.paint('bold', `Outpass ${pass.reference}`)}  (number ${pass.id}; times in ${zone})`,
      );
      for (const [name, value] of rows) {
        if (value !== null) input.print(`  ${name.padEnd(14)}${hanging(value, 16)}`);
      }
      return 0;
    }),
};

export const approve: Command = {
  name: 'outpass approve',
  args: '<pass>',
  about: 'Approve an outpass: QR code, document and mail follow',
  options: [{ name: 'by', value: 'name', about: 'Who approves (you)' }, JSON_OPTION],
  example: 'passito outpass approve 1 --by "Dr. Rao"',
  run: (input) =>
    withStore(input, async (store, _queries, config) => {
      const office = openOffice(config, store);
      const pass = await findPass(office, input.args[0] as string);
      const jobs = await audited(
        store,
        input,
        'outpass approve',
        () => approvePass(store, office, pass.id, readBy(input)),
        () => pass.reference,
      );
      if (input.json) {
        input.print(
          JSON.stringify({
            id: pass.id,
            reference: pass.reference,
            status: 'approved',
            jobs: jobs.map(({ id }) => id),
          }),
        );
      } else {
        input.print(
          `Outpass ${pass.reference} approved. Jobs ${jobs.map(({ id }) => `#${id}`).join(' → ')} dispatched: QR code → document → mail.`,
        );
      }
      return 0;
    }),
};

/** A pass by what a person typed. */
export async function findPass(office: SqliteOffice, key: string): Promise<PassDetails> {
  const pass = await office.pass(key);
  if (pass === undefined) throw errors.passNotFound(key);
  return pass;
}

/** How a parent was asked, and what came back. */
function parentLine(
  { channel, sentTo, sentAt, expiresAt, decision, decidedAt, unsent }: AskedBefore,
  zone: string,
): string {
  const way = channel === 'sms' ? 'SMS' : 'mail';
  if (unsent !== null && decision === null) {
    return sentence(`${way} to ${sentTo} could not be sent: ${unsent}`);
  }
  const asked =
    sentAt === null ? `${way} to ${sentTo} not sent yet` : `${way} to ${sentTo}, ${tellTime(sentAt, zone)}`;
  if (decision === null || decidedAt === null) {
    return `${asked}; no answer (until ${tellTime(expiresAt, zone)})`;
  }
  return `${asked}; ${decision === 'parent_approved' ? 'said yes' : 'said no'}, ${tellTime(decidedAt, zone)}`;
}

function askedAsJson({
  channel,
  sentTo,
  sentAt,
  expiresAt,
  decision,
  decidedAt,
  unsent,
}: AskedBefore): object {
  return {
    channel,
    sent_to: sentTo,
    sent_at: sentAt,
    expires_at: expiresAt,
    decision,
    decided_at: decidedAt,
    unsent,
  };
}

const closed = (by: string | null, when: string) => (by === null ? when : `by ${by}, ${when}`);

/** The pass as a program reads it. */
export function passAsJson({ student, files, ...pass }: PassDetails): object {
  return {
    id: pass.id,
    reference: pass.reference,
    status: pass.status,
    kind: pass.kind,
    purpose: pass.purpose,
    destination: pass.destination,
    leaves_at: pass.leavesAt,
    returns_at: pass.returnsAt,
    approved_by: pass.approvedBy,
    approved_at: pass.approvedAt,
    closed_by: pass.closedBy,
    closed_at: pass.closedAt,
    remarks: pass.remarks,
    went_out_at: pass.wentOutAt,
    came_back_at: pass.cameBackAt,
    student: {
      id: student.id,
      name: student.name,
      email: student.email,
      roll_number: student.rollNumber,
      hostel: student.hostel,
      room: student.room,
    },
    qr_path: files.qr,
    document_path: files.document,
    token_id: files.tokenId,
  };
}
