/** The frame of the office's mails: tables and inline styles only, since mail programs know little else. */

import { escapeHtml } from '../../escape.ts';

/** One line of facts: a label and a value, both plain text. */
export type Fact = readonly [label: string, value: string];

const FONT = "font-family:'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
/** A word longer than a phone is wide must break, or the whole mail is shown smaller. */
const WRAP = 'word-wrap:break-word;overflow-wrap:anywhere;word-break:break-word';

/** The facts as rows of a table. */
export function factTable(facts: readonly Fact[]): string {
  const rows = facts.map(
    ([label, value]) =>
      `<tr><td style="${FONT};font-size:13px;line-height:1.6;color:#5b6573;padding:6px 16px 6px 0;vertical-align:top;white-space:nowrap">${escapeHtml(label)}</td>` +
      `<td style="${FONT};font-size:15px;line-height:1.4;color:#1b2430;padding:6px 0;vertical-align:top;${WRAP}">${lines(value)}</td></tr>`,
  );
  return `<table role="presentation" cellpadding="0" cellspacing="0" border="0" width="100%" style="margin:0 0 16px">${rows.join('')}</table>`;
}

/** A paragraph of plain text. */
export function paragraph(text: string): string {
  return `<p style="${FONT};font-size:15px;line-height:1.5;color:#1b2430;margin:0 0 16px;${WRAP}">${escapeHtml(text)}</p>`;
}

/** A button, and the address beneath it: buttons do not work everywhere. */
export function linkButton(label: string, url: string): string {
  const href = escapeHtml(url);
  return (
    `<div style="padding:4px 0 10px"><a href="${href}" style="${FONT};font-size:15px;font-weight:600;color:#ffffff;background:#1d3a5f;border-radius:6px;padding:12px 22px;text-decoration:none;display:inline-block">${escapeHtml(label)}</a></div>` +
    `<p style="${FONT};font-size:13px;line-height:1.5;color:#5b6573;margin:0 0 16px;${WRAP}">Or open this address: <a href="${href}" style="color:#1d3a5f">${href}</a></p>`
  );
}

/** Something to type off. */
export function codeBox(label: string, code: string): string {
  return (
    `<div style="${FONT};font-size:13px;color:#5b6573;padding:0 0 4px">${escapeHtml(label)}</div>` +
    `<div style="font-family:Consolas,Menlo,'Courier New',monospace;font-size:17px;color:#1b2430;background:#f4f6f9;border:1px solid #dbe1e8;border-radius:6px;padding:10px 14px;margin:0 0 16px;${WRAP}">${escapeHtml(code)}</div>`
  );
}

/** An attached picture, by its cid. Square, for a QR code. */
export function picture(cid: string, alt: string): string {
  return `<div style="text-align:center;padding:14px 0 20px"><img src="cid:${escapeHtml(cid)}" width="300" height="300" alt="${escapeHtml(alt)}" style="border:1px solid #dbe1e8;border-radius:4px;max-width:100%;height:auto"></div>`;
}

/** A value that may be of several lines. */
function lines(text: string): string {
  return escapeHtml(text.trim())
    .split(/\s*[\r\n]+\s*/)
    .join('<br>');
}

/** A whole mail: a preview line that inboxes show, a heading on the institution's band, the body, the footer. */
export function mailPage(page: {
  institution: string;
  heading: string;
  preview: string;
  body: string;
  footer: string;
}): string {
  const { institution, heading, preview, body, footer } = page;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>${escapeHtml(heading)}</title>
</head>
<body style="margin:0;padding:0;background:#eef1f5">
<div style="display:none;max-height:0;overflow:hidden">${escapeHtml(preview)}</div>
<table role="presentation" cellpadding="0" cellspacing="0" border="0" width="100%" style="background:#eef1f5">
<tr><td align="center" style="padding:24px 12px">
<table role="presentation" cellpadding="0" cellspacing="0" border="0" width="100%" style="max-width:580px;background:#ffffff;border:1px solid #dbe1e8;border-radius:8px">
<tr><td style="background:#1d3a5f;border-radius:8px 8px 0 0;padding:18px 28px">
<div style="${FONT};font-size:13px;color:#c9d6e6;${WRAP}">${escapeHtml(institution)}</div>
<div style="${FONT};font-size:21px;font-weight:600;color:#ffffff;padding-top:2px;${WRAP}">${escapeHtml(heading)}</div>
</td></tr>
<tr><td style="padding:24px 28px 10px">
${body}
</td></tr>
<tr><td style="border-top:1px solid #dbe1e8;padding:14px 28px;${FONT};font-size:12px;line-height:1.5;color:#5b6573;${WRAP}">${escapeHtml(footer)}</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
}
