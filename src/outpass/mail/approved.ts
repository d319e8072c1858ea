/** The mail that says: your outpass is approved. */

import { tellDate, tellTime, tellZone } from '../local-time.ts';
import type { OfficeSettings, PassDetails } from '../office.ts';
import { escapeHtml, factTable, mailPage, paragraph } from './html.ts';
import type { Fact } from './html.ts';

/** The name by which the mail's HTML shows the attached QR code. */
export const QR_CID = 'qr@outpass';

/** Subject, plain text and HTML; both texts say the same. */
export function approvedMail(
  pass: PassDetails,
  settings: OfficeSettings,
): { subject: string; text: string; html: string } {
  const zone = settings.timeZone;
  const heading = `Outpass ${pass.reference} is approved`;
  const greeting = `Hello ${pass.student.name},`;
  const news = `Your outpass (${pass.kind}) has been approved.`;
  const advice =
    'Show the QR code at the gate when you leave and when you come back, on your phone or on the attached document.';
  const footer = `Sent by ${settings.appName} for ${settings.institutionName}. If you did not ask for this outpass, tell your warden.`;
  const facts = passFacts(pass, zone);
  return {
    subject: oneLine(`${heading}: ${pass.kind}, ${tellDate(pass.leavesAt, zone)}`),
    text: [
      `${greeting}\n\n${news}\n`,
      ...facts.map(([label, value]) => `${`${label}:`.padEnd(14)}${value}`),
      `\n${advice}\n\n-- \n${footer}\n`,
    ].join('\n'),
    html: mailPage({
      institution: settings.institutionName,
      heading,
      preview: `${pass.kind}: out ${tellTime(pass.leavesAt, zone)}, back by ${tellTime(pass.returnsAt, zone)}`,
      body:
        paragraph(greeting) +
        paragraph(news) +
        factTable(facts) +
        qrPicture(pass.reference) +
        paragraph(advice),
      footer,
    }),
  };
}

function passFacts(pass: PassDetails, zone: string): Fact[] {
  const facts: Fact[] = [
    ['Pass number', pass.reference],
    ['Out', `${tellTime(pass.leavesAt, zone)} (${tellZone(pass.leavesAt, zone)})`],
    ['Back by', `${tellTime(pass.returnsAt, zone)} (${tellZone(pass.returnsAt, zone)})`],
    ['Destination', pass.destination],
    ['Purpose', pass.purpose],
  ];
  if (pass.approvedBy !== null) facts.push(['Approved by', pass.approvedBy]);
  if (pass.remarks !== null) facts.push(['Remarks', pass.remarks]);
  return facts;
}

function qrPicture(reference: string): string {
  const alt = escapeHtml(`QR code of outpass ${reference}; it is also in the attached document`);
  return `<div style="text-align:center;padding:14px 0 20px"><img src="cid:${QR_CID}" width="300" height="300" alt="${alt}" style="border:1px solid #dbe1e8;border-radius:4px;max-width:100%;height:auto"></div>`;
}

/** A value from a form may hold a line break; a subject may not. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
