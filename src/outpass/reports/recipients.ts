/** Who gets a report, and who of them has it already. */

/** One setting for each report and gender, since hostels are separate. */
export type Gender = 'male' | 'female';

/** A user, as far as reports are concerned. A chief warden is a super admin. */
export interface ReportUser {
  readonly id: number;
  readonly email: string;
  readonly role: 'student' | 'warden' | 'chief_warden' | 'verifier';
  readonly gender: Gender | null;
  readonly status: 'active' | 'inactive';
}

/** How one recipient's mail went: taken by the server; not taken, but it may be later; refused for good. */
export type Delivery = 'sent' | 'failed' | 'refused';

/**
 * The recipients of a setting: the wardens that it lists, in its order, then every super admin of its gender, or of none, by id.
 * Nobody twice, however the address is written. Who is no warden any more, is inactive or has no address is left out:
 * a list made last year must not send students' movements to someone who has gone.
 */
export function reportRecipients<User extends ReportUser>(
  setting: { readonly gender: Gender; readonly recipientIds: readonly number[] },
  users: readonly User[],
): User[] {
  const able = users.filter(({ status, email }) => status === 'active' && email.trim() !== '');
  const wardens = new Map(able.filter(({ role }) => role === 'warden').map((user) => [user.id, user]));
  const listed = setting.recipientIds.flatMap((id) => wardens.get(id) ?? []);
  const superAdmins = able
    .filter(({ role, gender }) => role === 'chief_warden' && (gender ?? setting.gender) === setting.gender)
    .toSorted((a, b) => a.id - b.id);
  return withoutTwins([...listed, ...superAdmins]);
}

/**
 * Who of a run's recipients has still to be tried, given what is known of each address: neither those who have it nor
 * those who were refused for good. Who was never tried comes first, so that one mailbox that always fails keeps
 * nobody waiting.
 */
export function stillToTry<Recipient extends { readonly email: string }>(
  recipients: readonly Recipient[],
  known: Iterable<readonly [email: string, delivery: Delivery]>,
): Recipient[] {
  const settled = new Set<string>();
  const failed = new Set<string>();
  for (const [email, delivery] of known) (delivery === 'failed' ? failed : settled).add(addressKey(email));
  const open = withoutTwins(recipients).filter(({ email }) => !settled.has(addressKey(email)));
  const hasFailed = ({ email }: Recipient) => failed.has(addressKey(email));
  return [...open.filter((one) => !hasFailed(one)), ...open.filter(hasFailed)];
}

/** Who of a run's recipients were refused for good; whom the setting names no more does not count. */
export function refusedOf<Recipient extends { readonly email: string }>(
  recipients: readonly Recipient[],
  known: Iterable<readonly [email: string, delivery: Delivery]>,
): Recipient[] {
  const refused = new Set(
    [...known].filter(([, delivery]) => delivery === 'refused').map(([email]) => addressKey(email)),
  );
  return recipients.filter(({ email }) => refused.has(addressKey(email)));
}

/** Two spellings of an address that reach one mailbox have one key. */
function addressKey(email: string): string {
  return email.trim().normalize('NFC').toLowerCase();
}

/** The first of those who share an address. */
function withoutTwins<Recipient extends { readonly email: string }>(
  recipients: readonly Recipient[],
): Recipient[] {
  const seen = new Set<string>();
  return recipients.filter(({ email }) => {
    const key = addressKey(email);
    return !seen.has(key) && seen.add(key);
  });
}
