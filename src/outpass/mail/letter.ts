/** One mail, said twice from the same parts: as HTML, and as plain text for those who read no HTML. */

import type { OfficeSettings } from '../office.ts';
import { codeBox, factTable, linkButton, mailPage, paragraph, picture } from './html.ts';
import type { Fact } from './html.ts';

/** A mail without its recipient. */
export interface MailText {
  subject: string;
  text: string;
  html: string;
}

/** What a letter is made of, in its order. */
export type Part =
  | { readonly paragraph: string }
  | { readonly facts: readonly Fact[] }
  /** A page to open; the label stands on the button. */
  | { readonly link: string; readonly label: string }
  /** Something to type off, letter by letter. */
  | { readonly code: string; readonly label: string }
  /** A picture that is attached under this name; plain text does without. */
  | { readonly picture: string; readonly alt: string };

/** A letter in plain words; nothing of it needs to be escaped by its writer. */
export interface Letter {
  heading: string;
  /** Where it differs from the heading. */
  subject?: string;
  /** The line that inboxes show beside the subject. */
  preview: string;
  parts: readonly Part[];
  /** What to do where the mail is a surprise; the footer ends with it. */
  doubt: string;
}

/** Width of the labels' column in plain text, in characters. */
const LABELS = 14;

/** Writes the letter in both forms. */
export function writeLetter(letter: Letter, settings: OfficeSettings): MailText {
  const footer = `Sent by ${settings.appName} for ${settings.institutionName}. ${letter.doubt}`;
  const bodies = letter.parts.map(plainPart).filter((body) => body !== '');
  return {
    subject: oneLine(letter.subject ?? letter.heading),
    text: `${bodies.join('\n\n')}\n\n-- \n${oneLine(footer)}\n`,
    html: mailPage({
      institution: settings.institutionName,
      heading: letter.heading,
      preview: letter.preview,
      body: letter.parts.map(htmlPart).join(''),
      footer,
    }),
  };
}

function htmlPart(part: Part): string {
  if ('paragraph' in part) return paragraph(part.paragraph);
  if ('facts' in part) return factTable(part.facts);
  if ('link' in part) return linkButton(part.label, part.link);
  if ('code' in part) return codeBox(part.label, part.code);
  return picture(part.picture, part.alt);
}

function plainPart(part: Part): string {
  if ('paragraph' in part) return oneLine(part.paragraph);
  if ('facts' in part) {
    return part.facts.map(([label, value]) => `${`${label}:`.padEnd(LABELS)}${indented(value)}`).join('\n');
  }
  if ('link' in part) return `${oneLine(part.label)}:\n${part.link}`;
  if ('code' in part) return `${oneLine(part.label)}: ${part.code}`;
  return '';
}

/** A value of several lines must not look like a fact, or a footer, of its own. */
function indented(value: string): string {
  return value
    .trim()
    .split(/\s*[\r\n]+\s*/)
    .join(`\n${' '.repeat(LABELS)}`);
}

/** A value from a form may hold a line break; a subject may not. */
function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
}
