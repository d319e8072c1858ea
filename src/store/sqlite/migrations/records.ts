/** The office's further records: staff, parents' answers, the gate's log, report settings, the ledger of mails. */

/** Refuses what nobody could read or sort: `2026-01-01T…`, an offset, a 13th month. */
const TIME = (column: string) =>
  `CHECK (${column} IS NULL OR
          (${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(${column}, 17) NOT GLOB '*[^0-9.:]*' AND julianday(${column}) IS NOT NULL))`;

const NOW = `(strftime('%Y-%m-%d %H:%M:%f','now'))`;

const GENDER = `CHECK (gender IN ('male','female'))`;

const SWITCH = (column: string) => `CHECK (${column} IN (0,1))`;

// Nothing secret is kept of a parent's link: only a hash of its token, by which an answer finds its row.
// A pass has one movement out and one in at most; the index says so to every program.
export const records = `
ALTER TABLE students ADD COLUMN gender TEXT ${GENDER};
ALTER TABLE students ADD COLUMN academic_year TEXT;
ALTER TABLE students ADD COLUMN phone TEXT;
ALTER TABLE students ADD COLUMN active INTEGER NOT NULL DEFAULT 1 ${SWITCH('active')};

ALTER TABLE outpasses ADD COLUMN attachments TEXT NOT NULL DEFAULT '[]'
  CHECK (json_valid(attachments) AND json_type(attachments) = 'array');
ALTER TABLE outpasses ADD COLUMN closed_by TEXT;
ALTER TABLE outpasses ADD COLUMN closed_at TEXT ${TIME('closed_at')};

CREATE TABLE users (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  name         TEXT    NOT NULL CHECK (name <> ''),
  email        TEXT    NOT NULL UNIQUE COLLATE NOCASE CHECK (email LIKE '_%@_%'),
  role         TEXT    NOT NULL CHECK (role IN ('student','warden','chief_warden','verifier')),
  gender       TEXT    ${GENDER},
  phone        TEXT,
  hostel_id    INTEGER REFERENCES hostels (id),
  active       INTEGER NOT NULL DEFAULT 1 ${SWITCH('active')},
  created_at   TEXT    NOT NULL DEFAULT ${NOW},
  updated_at   TEXT    NOT NULL DEFAULT ${NOW}
) STRICT;

CREATE INDEX users_role ON users (role, gender);

CREATE TABLE parent_verifications (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  outpass_id   INTEGER NOT NULL REFERENCES outpasses (id),
  issue        INTEGER NOT NULL DEFAULT 1 CHECK (issue > 0),
  token_hash   TEXT    UNIQUE CHECK (length(token_hash) = 64 AND token_hash NOT GLOB '*[^0-9a-f]*'),
  method       TEXT    NOT NULL CHECK (method IN ('sms','mail')),
  sent_to      TEXT    NOT NULL CHECK (sent_to <> ''),
  sent_at      TEXT    ${TIME('sent_at')},
  expires_at   TEXT    NOT NULL ${TIME('expires_at')},
  decision     TEXT    CHECK (decision IN ('parent_approved','parent_denied')),
  decided_at   TEXT    ${TIME('decided_at')},
  created_at   TEXT    NOT NULL DEFAULT ${NOW},
  UNIQUE (outpass_id, issue),
  CHECK ((decision IS NULL) = (decided_at IS NULL))
) STRICT;

CREATE TABLE movements (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  outpass_id   INTEGER NOT NULL REFERENCES outpasses (id),
  direction    TEXT    NOT NULL CHECK (direction IN ('out','in')),
  at           TEXT    NOT NULL ${TIME('at')},
  recorded_by  TEXT    NOT NULL CHECK (recorded_by <> ''),
  created_at   TEXT    NOT NULL DEFAULT ${NOW},
  UNIQUE (outpass_id, direction)
) STRICT;

CREATE INDEX movements_at ON movements (at);

CREATE TABLE report_settings (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  report       TEXT    NOT NULL CHECK (report IN ('daily_movement','late_arrivals')),
  gender       TEXT    NOT NULL ${GENDER},
  enabled      INTEGER NOT NULL DEFAULT 0 ${SWITCH('enabled')},
  frequency    TEXT    NOT NULL DEFAULT 'daily' CHECK (frequency IN ('daily','weekly','monthly','yearly')),
  weekday      INTEGER CHECK (weekday BETWEEN 1 AND 7),
  day          INTEGER CHECK (day BETWEEN 1 AND 31),
  month        INTEGER CHECK (month BETWEEN 1 AND 12),
  time         TEXT    NOT NULL DEFAULT '21:00'
               CHECK (time GLOB '[0-2][0-9]:[0-5][0-9]' AND time < '24:00'),
  last_sent_at TEXT    ${TIME('last_sent_at')},
  next_send_at TEXT    ${TIME('next_send_at')},
  created_at   TEXT    NOT NULL DEFAULT ${NOW},
  updated_at   TEXT    NOT NULL DEFAULT ${NOW},
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
  created_at   TEXT    NOT NULL DEFAULT ${NOW},
  sent_at      TEXT    ${TIME('sent_at')},
  updated_at   TEXT    NOT NULL DEFAULT ${NOW}
) STRICT;

CREATE INDEX mails_job ON mails (job_id);
CREATE INDEX mails_open ON mails (state, created_at) WHERE state <> 'sent';
`;
