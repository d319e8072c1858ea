-- Step 9, as it was in commit da0a52f.

ALTER TABLE alert_state ADD COLUMN mailed_threshold INTEGER;
