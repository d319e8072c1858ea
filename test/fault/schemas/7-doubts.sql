-- Step 7, as it was in commit e6f0def.

ALTER TABLE mails ADD COLUMN doubts INTEGER NOT NULL DEFAULT 0;
