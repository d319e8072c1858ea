/** Keeps secrets out of what a server says: some echo what they were sent, and their words are logged, stored and shown. */

/** What stands in a secret's place. */
const HIDDEN = '[hidden]';

/** A shorter one would be found in every other word. */
const SHORTEST = 4;

/** What hides each of the secrets, in the forms in which a server may have been sent it, and all links to parents' pages. */
export function hiding(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(secrets.flatMap(formsOf).filter((form) => form.length >= SHORTEST));
  // A form may begin as another does.
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) =>
    longestFirst
      .reduce((shown, form) => shown.replaceAll(form, HIDDEN), text)
      .replaceAll(/((?:\/|%2F)parent(?:\/|%2F))[\w-]{16,}/gi, `$1${HIDDEN}`);
}

/** The tokens of parents' links in a text that is sent: a server may echo one without its link. */
export function tokensIn(text: string): string[] {
  return [...text.matchAll(/\/parent\/([\w-]{16,})/g)].map(([, token = '']) => token);
}

function formsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  const all = [secret, base64, base64.replaceAll('+', '-').replaceAll('/', '_')];
  const encoded = all.map(encodeURIComponent);
  const quoted = JSON.stringify(secret).slice(1, -1);
  return [...all, ...encoded, ...encoded.map((one) => one.replaceAll('%20', '+')), quoted];
}
