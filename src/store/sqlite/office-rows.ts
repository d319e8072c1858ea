/** How the office's rows are read: one query for a pass with all that belongs to it. */

import type { PassDetails, PassStatus } from '../../outpass/office.ts';
import type { Gender } from '../../outpass/report-settings.ts';

/** A row of {@link PASS_QUERY}. */
export interface PassRow {
  id: number;
  reference: string;
  kind: string;
  status: PassStatus;
  purpose: string;
  destination: string;
  leaves_at: string;
  returns_at: string;
  approved_by: string | null;
  approved_at: string | null;
  closed_by: string | null;
  closed_at: string | null;
  went_out_at: string | null;
  came_back_at: string | null;
  remarks: string | null;
  qr_path: string | null;
  document_path: string | null;
  token_id: string | null;
  student_id: number;
  name: string;
  email: string;
  roll_number: string;
  gender: Gender | null;
  year: number | null;
  programme: string | null;
  hostel: string | null;
  room: string | null;
  parent_phone: string | null;
  parent_email: string | null;
}

/** To be followed by a condition on `o`. */
export const PASS_QUERY = `
SELECT o.id, o.reference, o.kind, o.status, o.purpose, o.destination, o.leaves_at, o.returns_at,
       o.approved_by, o.approved_at, o.closed_by, o.closed_at, o.remarks,
       (SELECT at FROM movements WHERE outpass_id = o.id AND direction = 'out') AS went_out_at,
       (SELECT at FROM movements WHERE outpass_id = o.id AND direction = 'in') AS came_back_at,
       o.qr_path, o.document_path, o.token_id,
       o.student_id, s.name, s.email, s.roll_number, s.gender, s.year, s.programme, h.name AS hostel, s.room,
       s.parent_phone, s.parent_email
FROM outpasses o
JOIN students s ON s.id = o.student_id
LEFT JOIN hostels h ON h.id = s.hostel_id`;

/** The office's word for a row. */
export function toPass(row: PassRow): PassDetails {
  return {
    id: row.id,
    reference: row.reference,
    kind: row.kind,
    status: row.status,
    purpose: row.purpose,
    destination: row.destination,
    leavesAt: row.leaves_at,
    returnsAt: row.returns_at,
    approvedBy: row.approved_by,
    approvedAt: row.approved_at,
    closedBy: row.closed_by,
    closedAt: row.closed_at,
    wentOutAt: row.went_out_at,
    cameBackAt: row.came_back_at,
    remarks: row.remarks,
    files: { qr: row.qr_path, document: row.document_path, tokenId: row.token_id },
    student: {
      id: row.student_id,
      name: row.name,
      email: row.email,
      rollNumber: row.roll_number,
      gender: row.gender,
      year: row.year,
      programme: row.programme,
      hostel: row.hostel,
      room: row.room,
      parent: { phone: row.parent_phone, email: row.parent_email },
    },
  };
}
