-- Step 4, as it was in commit b947afb.

ALTER TABLE students ADD COLUMN parent_email TEXT COLLATE NOCASE CHECK (parent_email LIKE '_%@_%');

ALTER TABLE parent_verifications ADD COLUMN job_id INTEGER;
ALTER TABLE parent_verifications ADD COLUMN message_id TEXT;
