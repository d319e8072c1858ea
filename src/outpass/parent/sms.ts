/** The words of the SMS to a parent. Pure. */

/** What an SMS tells; the template names them. */
interface SmsFacts {
  student_name: string;
  purpose: string;
  verification_link: string;
}

/** Where TWILIO_VERIFICATION_MESSAGE is not set. */
export const DEFAULT_SMS =
  '{student_name} asks to leave the hostel: {purpose}. Please answer: {verification_link}';

/** A long purpose must not cost an SMS of its own; the page shows it whole. Characters. */
const LONGEST = 80;

/** Fills the template in one pass: what stands in a student's name is never taken for a placeholder. */
export function smsText(template: string, facts: SmsFacts): string {
  const shown: Record<string, string> = {
    student_name: short(facts.student_name),
    purpose: short(facts.purpose),
    verification_link: facts.verification_link,
  };
  return template.replaceAll(/\{(\w+)\}/g, (placeholder, name: string) => shown[name] ?? placeholder);
}

/** A template without the link asks for an answer that cannot be given. */
export function readSmsTemplate(text: string): string | undefined {
  return text.includes('{verification_link}') && text.length <= 1000 ? text : undefined;
}

function short(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  const letters = Array.from(line);
  return letters.length <= LONGEST
    ? line
    : `${letters
        .slice(0, LONGEST - 1)
        .join('')
        .trimEnd()}…`;
}
