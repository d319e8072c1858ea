/** Where parents have a mailbox, and which job sent which question, so that it is sent once. */

export const parents = `
ALTER TABLE students ADD COLUMN parent_email TEXT COLLATE NOCASE CHECK (parent_email LIKE '_%@_%');

ALTER TABLE parent_verifications ADD COLUMN job_id INTEGER;
ALTER TABLE parent_verifications ADD COLUMN message_id TEXT;
`;
