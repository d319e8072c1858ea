/** The page that a parent sees: the pass and two buttons, or where the matter stands. Without scripts; styled for phones. */

import { createHash } from 'node:crypto';

import { escapeHtml } from '../../escape.ts';
import { tellTime, tellZone } from '../local-time.ts';
import { passFacts } from '../mail/pass-facts.ts';
import type { OfficeSettings } from '../office.ts';
import type { Decision, ParentPageFacts } from './link.ts';

/** A page and how it is answered. */
export interface Page {
  status: number;
  html: string;
}

const STYLE = `
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;background:#eef1f5;color:#1b2430;font:17px/1.5 system-ui,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}
main{max-width:560px;margin:0 auto;background:#fff;min-height:100vh;overflow-wrap:anywhere}
header{background:#1d3a5f;color:#fff;padding:20px 24px}
header p{margin:0;color:#c9d6e6;font-size:15px}
h1{margin:2px 0 0;font-size:23px;line-height:1.3}
section{padding:20px 24px}
section>p{margin:0 0 16px}
dl{margin:0 0 20px}
dt{color:#5b6573;font-size:14px}
dd{margin:0 0 10px;white-space:pre-line}
form{margin:0 0 18px}
button{display:block;width:100%;min-height:54px;margin:0 0 12px;padding:10px 16px;border:2px solid;border-radius:8px;font:inherit;font-weight:600;cursor:pointer}
button.yes{background:#17683b;border-color:#17683b;color:#fff}
button.no{background:#fff;border-color:#a3252b;color:#a3252b}
button:focus-visible{outline:3px solid #e0a100;outline-offset:2px}
small{display:block;color:#5b6573;font-size:14px}
@media (min-width:600px){main{min-height:0;margin:32px auto;border-radius:10px;overflow:hidden;box-shadow:0 1px 4px #0003}}
`;

/** The only style that the page's Content-Security-Policy allows. */
export const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;

/** What a link shows when it is opened: the question, or how the matter stands. */
export function parentPage(facts: ParentPageFacts | undefined, settings: OfficeSettings): Page {
  if (facts === undefined) return unknownLink(settings);
  const { state, pass, expiresAt, decision } = facts;
  if (state === 'answered') return answered(facts, settings, decision as Decision, 410);
  if (state === 'open') {
    const zone = settings.timeZone;
    const until = `${tellTime(expiresAt, zone)} (${tellZone(expiresAt, zone)})`;
    return page(200, settings, `May ${pass.student.name} leave the hostel?`, [
      factList(facts, settings),
      '<form method="post">',
      '<button class="yes" name="decision" value="approve">Yes, I allow it</button>',
      '<button class="no" name="decision" value="deny">No, I do not allow it</button>',
      '</form>',
      `<small>You can answer once, until ${escapeHtml(until)}.</small>`,
    ]);
  }
  const why =
    state === 'expired'
      ? 'The time to answer is over. Please talk to the hostel office if your answer still matters.'
      : `Outpass ${pass.reference} does not need your answer any more: it is ${told(pass.status)}.`;
  return page(410, settings, state === 'expired' ? 'This link has expired' : 'No answer is needed', [
    `<p>${escapeHtml(why)}</p>`,
  ]);
}

/** What is said to a parent who has just answered. */
export function thanksPage(facts: ParentPageFacts, settings: OfficeSettings, decision: Decision): Page {
  return answered(facts, settings, decision, 200);
}

/** The same for every link that was never sent: nobody learns which passes there are. */
export function unknownLink(settings: OfficeSettings): Page {
  return page(404, settings, 'This link cannot be used', [
    '<p>Please open the link exactly as it stands in the message. If it does not work, please call the hostel office.</p>',
  ]);
}

function answered(
  facts: ParentPageFacts,
  settings: OfficeSettings,
  decision: Decision,
  status: number,
): Page {
  const yes = decision === 'parent_approved';
  const { pass } = facts;
  const next = yes
    ? pass.status === 'parent_approved'
      ? 'The hostel office decides next.'
      : `The outpass is ${told(pass.status)}.`
    : 'The student does not get this outpass.';
  return page(status, settings, yes ? 'You said yes' : 'You said no', [
    `<p>${escapeHtml(`Your answer for ${pass.student.name} is noted. ${next}`.trim())}</p>`,
    factList(facts, settings),
    '<small>If this was a mistake, please call the hostel office.</small>',
  ]);
}

function factList({ pass }: ParentPageFacts, settings: OfficeSettings): string {
  const { student } = pass;
  const facts = [
    ['Student', `${student.name}, ${student.rollNumber}`],
    ...passFacts(pass, settings, [['Hostel', student.hostel]]),
  ] as const;
  const rows = facts.map(
    ([label, value]) => `<dt>${escapeHtml(label ?? '')}</dt><dd>${escapeHtml((value ?? '').trim())}</dd>`,
  );
  return `<dl>${rows.join('')}</dl>`;
}

function told(status: string): string {
  return status.replaceAll('_', ' ');
}

function page(status: number, settings: OfficeSettings, heading: string, body: readonly string[]): Page {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>${escapeHtml(heading)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header><p>${escapeHtml(settings.institutionName)}</p><h1>${escapeHtml(heading)}</h1></header>
<section>
${body.join('\n')}
</section>
</main>
</body>
</html>
`;
  return { status, html };
}
