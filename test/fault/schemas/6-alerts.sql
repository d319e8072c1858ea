-- Step 6, as it was in commit 2e746c8.

CREATE TABLE alert_state (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  seen          TEXT    NOT NULL DEFAULT '',
  seen_checks   INTEGER NOT NULL DEFAULT 0,
  checked_at    TEXT,
  since         TEXT,
  mailed        TEXT,
  mailed_at     TEXT,
  mailed_to     TEXT,
  sending       TEXT    CHECK (sending IN ('problem','changed','reminder','recovered')),
  sending_at    TEXT,
  last_error    TEXT,
  failed_tries  INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO alert_state (id) VALUES (1);
