-- Step 1, as it was in commit a6f5d7a.

CREATE TABLE jobs (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  type         TEXT    NOT NULL CHECK (type <> ''),
  status       TEXT    NOT NULL DEFAULT 'pending'
               CHECK (status IN ('blocked','pending','processing','completed','failed','cancelled')),
  queue        TEXT    NOT NULL DEFAULT 'default',
  priority     INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 9),
  attempts     INTEGER NOT NULL DEFAULT 0,
  max_attempts INTEGER CHECK (max_attempts > 0),
  crashes      INTEGER NOT NULL DEFAULT 0,
  available_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')) CHECK (available_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
          AND substr(available_at, 17) NOT GLOB '*[^0-9.:]*' AND julianday(available_at) IS NOT NULL),
  created_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
  started_at   TEXT,
  finished_at  TEXT,
  lease        INTEGER NOT NULL DEFAULT 0,
  claimed_by   INTEGER,
  parents      INTEGER NOT NULL DEFAULT 0,
  waiting_for  INTEGER NOT NULL DEFAULT 0,
  discarded    INTEGER NOT NULL DEFAULT 0,
  unique_key   TEXT,
  options      TEXT CHECK (options IS NULL OR json_valid(options)),
  progress     TEXT,
  last_error   TEXT,
  result       TEXT,
  payload      TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(payload))
) STRICT;

-- One lane for each (priority, queue, type): a paused queue, an unknown type or a type at its limit
-- is stepped over whole, and what is due in a lane is one seek away, however many rows lie beside it.
CREATE INDEX jobs_due        ON jobs (priority, queue, type, available_at) WHERE status = 'pending';
CREATE INDEX jobs_processing ON jobs (type) WHERE status = 'processing';
CREATE INDEX jobs_suspects   ON jobs (crashes, priority, available_at) WHERE status = 'pending' AND crashes > 0;
CREATE INDEX jobs_special   ON jobs (type) WHERE status = 'pending' AND options IS NOT NULL;
CREATE INDEX jobs_failed     ON jobs (finished_at) WHERE status = 'failed';
CREATE INDEX jobs_finished   ON jobs (finished_at, status) WHERE finished_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_unique ON jobs (type, unique_key)
  WHERE unique_key IS NOT NULL AND status IN ('blocked','pending','processing');

CREATE TABLE dependencies (
  parent_id INTEGER NOT NULL,
  job_id    INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  PRIMARY KEY (parent_id, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX dependencies_job ON dependencies (job_id, position);

-- Attempts that did not end well; one that completed is told by its job's own row.
CREATE TABLE attempts (
  job_id     INTEGER NOT NULL,
  attempt    INTEGER NOT NULL,
  outcome    TEXT    NOT NULL,
  started_at TEXT,
  ended_at   TEXT    NOT NULL,
  process    INTEGER,
  error      TEXT,
  stack      TEXT
) STRICT;
CREATE INDEX attempts_job ON attempts (job_id);

-- A row is one run of a process; its heartbeat is the lease of every job that it holds.
CREATE TABLE processes (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  pid          INTEGER NOT NULL,
  host         TEXT    NOT NULL,
  boot_id      TEXT    NOT NULL,
  start_time   TEXT    NOT NULL,
  kind         TEXT    NOT NULL,
  started_at   TEXT    NOT NULL,
  heartbeat_at TEXT    NOT NULL,
  stopped_at   TEXT,
  lost_at      TEXT,
  info         TEXT    NOT NULL DEFAULT '{}'
) STRICT;

CREATE TABLE settings (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
