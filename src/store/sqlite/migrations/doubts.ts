/** How many mails may have arrived more than once: attempts that began without the answer to the one before. */

export const doubts = `
ALTER TABLE mails ADD COLUMN doubts INTEGER NOT NULL DEFAULT 0;
`;
