-- Step 3, as it was in commit e0015c7.

ALTER TABLE students ADD COLUMN gender TEXT CHECK (gender IN ('male','female'));
ALTER TABLE students ADD COLUMN academic_year TEXT;
ALTER TABLE students ADD COLUMN phone TEXT;
ALTER TABLE students ADD COLUMN active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0,1));

ALTER TABLE outpasses ADD COLUMN attachments TEXT NOT NULL DEFAULT '[]'
  CHECK (json_valid(attachments) AND json_type(attachments) = 'array');
ALTER TABLE outpasses ADD COLUMN closed_by TEXT;
ALTER TABLE outpasses ADD COLUMN closed_at TEXT CHECK (closed_at IS NULL OR
          (closed_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(closed_at, 17) NOT GLOB '*[^0-9.:]*' AND julianday(closed_at) IS NOT NULL));

CREATE TABLE users (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  name         TEXT    NOT NULL CHECK (name <> ''),
  email        TEXT    NOT NULL UNIQUE COLLATE NOCASE CHECK (email LIKE '_%@_%'),
  role         TEXT    NOT NULL CHECK (role IN ('student','warden','chief_warden','verifier')),
  gender       TEXT    CHECK (gender IN ('male','female')),
  phone        TEXT,
  hostel_id    INTEGER REFERENCES hostels (id),
  active       INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0,1)),
  created_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
  updated_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now'))
) STRICT;

CREATE INDEX users_role ON users (role, gender);

CREATE TABLE parent_verifications (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  outpass_id   INTEGER NOT NULL REFERENCES outpasses (id),
  issue        INTEGER NOT NULL DEFAULT 1 CHECK (issue > 0),
  token_hash   TEXT    UNIQUE CHECK (length(token_hash) = 64 AND token_hash NOT GLOB '*[^0-9a-f]*'),
  method       TEXT    NOT NULL CHECK (method IN ('sms','mail')),
  sent_to      TEXT    NOT NULL CHECK (sent_to <> ''),
  sent_at      TEXT    CHECK (sent_at IS NULL OR
          (sent_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(sent_at, 17) NOT GLOB '*[^0-9.:]*' AND julianday(sent_at) IS NOT NULL)),
  expires_at   TEXT    NOT NULL CHECK (expires_at IS NULL OR
          (expires_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(expires_at, 17) NOT GLOB '*[^0-9.:]*' AND julianday(expires_at) IS NOT NULL)),
  decision     TEXT    CHECK (decision IN ('parent_approved','parent_denied')),
  decided_at   TEXT    CHECK (decided_at IS NULL OR
          (decided_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(decided_at, 17) NOT GLOB '*[^0-9.:]*' AND julianday(decided_at) IS NOT NULL)),
  created_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
  UNIQUE (outpass_id, issue),
  CHECK ((decision IS NULL) = (decided_at IS NULL))
) STRICT;

CREATE TABLE movements (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  outpass_id   INTEGER NOT NULL REFERENCES outpasses (id),
  direction    TEXT    NOT NULL CHECK (direction IN ('out','in')),
  at           TEXT    NOT NULL CHECK (at IS NULL OR
          (at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(at, 17) NOT GLOB '*[^0-9.:]*' AND julianday(at) IS NOT NULL)),
  recorded_by  TEXT    NOT NULL CHECK (recorded_by <> ''),
  created_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
  UNIQUE (outpass_id, direction)
) STRICT;

CREATE INDEX movements_at ON movements (at);

CREATE TABLE report_settings (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  report       TEXT    NOT NULL CHECK (report IN ('daily_movement','late_arrivals')),
  gender       TEXT    NOT NULL CHECK (gender IN ('male','female')),
  enabled      INTEGER NOT NULL DEFAULT 0 CHECK (enabled IN (0,1)),
  frequency    TEXT    NOT NULL DEFAULT 'daily' CHECK (frequency IN ('daily','weekly','monthly','yearly')),
  weekday      INTEGER CHECK (weekday BETWEEN 1 AND 7),
  day          INTEGER CHECK (day BETWEEN 1 AND 31),
  month        INTEGER CHECK (month BETWEEN 1 AND 12),
  time         TEXT    NOT NULL DEFAULT '21:00'
               CHECK (time GLOB '[0-2][0-9]:[0-5][0-9]' AND time < '24:00'),
  last_sent_at TEXT    CHECK (last_sent_at IS NULL OR
          (last_sent_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(last_sent_at, 17) NOT GLOB '*[^0-9.:]*' AND julianday(last_sent_at) IS NOT NULL)),
  next_send_at TEXT    CHECK (next_send_at IS NULL OR
          (next_send_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(next_send_at, 17) NOT GLOB '*[^0-9.:]*' AND julianday(next_send_at) IS NOT NULL)),
  created_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
  updated_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
  UNIQUE (report, gender),
  CHECK (frequency <> 'weekly' OR weekday IS NOT NULL),
  CHECK (frequency NOT IN ('monthly','yearly') OR day IS NOT NULL),
  CHECK (frequency <> 'yearly' OR month IS NOT NULL)
) STRICT;

-- Every setting there can be, switched off: an admin changes them and makes none.
INSERT INTO report_settings (report, gender) VALUES
  ('daily_movement','male'), ('daily_movement','female'), ('late_arrivals','male'), ('late_arrivals','female');

CREATE TABLE report_recipients (
  setting_id   INTEGER NOT NULL REFERENCES report_settings (id),
  user_id      INTEGER NOT NULL REFERENCES users (id),
  PRIMARY KEY (setting_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE mails (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  message_id   TEXT    NOT NULL UNIQUE CHECK (message_id <> ''),
  job_id       INTEGER,
  outpass_id   INTEGER REFERENCES outpasses (id),
  kind         TEXT    NOT NULL CHECK (kind <> ''),
  sent_to      TEXT    NOT NULL CHECK (sent_to <> ''),
  subject      TEXT    NOT NULL,
  state        TEXT    NOT NULL DEFAULT 'queued' CHECK (state IN ('queued','sending','sent','failed')),
  attempts     INTEGER NOT NULL DEFAULT 0,
  via          TEXT    CHECK (via IN ('smtp','outbox')),
  response     TEXT,
  created_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
  sent_at      TEXT    CHECK (sent_at IS NULL OR
          (sent_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(sent_at, 17) NOT GLOB '*[^0-9.:]*' AND julianday(sent_at) IS NOT NULL)),
  updated_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now'))
) STRICT;

CREATE INDEX mails_job ON mails (job_id);
CREATE INDEX mails_open ON mails (state, created_at) WHERE state <> 'sent';
