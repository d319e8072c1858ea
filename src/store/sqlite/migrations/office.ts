/** The office's tables: plain names that an admin can query. Times are UTC text, `YYYY-MM-DD HH:MM:SS.SSS`. */

/** Refuses `2026-01-01T…` from other programs: it would sort after every time of that day. */
const TIME = (column: string) =>
  `CHECK (${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*')`;

const NOW = `(strftime('%Y-%m-%d %H:%M:%f','now'))`;

// Names by which people call things (hostels, roll numbers, pass references) ignore case: a slip must not make a twin.
// Lengths are bounded where a value goes into the QR code, which holds no more.
export const office = `
CREATE TABLE hostels (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  name         TEXT    NOT NULL UNIQUE COLLATE NOCASE CHECK (name <> ''),
  type         TEXT,
  category     TEXT,
  created_at   TEXT    NOT NULL DEFAULT ${NOW},
  updated_at   TEXT    NOT NULL DEFAULT ${NOW}
) STRICT;

CREATE TABLE students (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  name         TEXT    NOT NULL CHECK (name <> ''),
  email        TEXT    NOT NULL COLLATE NOCASE CHECK (email LIKE '_%@_%'),
  roll_number  TEXT    NOT NULL UNIQUE COLLATE NOCASE CHECK (length(roll_number) BETWEEN 1 AND 40),
  year         INTEGER CHECK (year > 0),
  programme    TEXT,
  hostel_id    INTEGER REFERENCES hostels (id),
  room         TEXT,
  parent_phone TEXT,
  created_at   TEXT    NOT NULL DEFAULT ${NOW},
  updated_at   TEXT    NOT NULL DEFAULT ${NOW}
) STRICT;

CREATE INDEX students_hostel ON students (hostel_id);

CREATE TABLE outpasses (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  reference     TEXT    NOT NULL UNIQUE COLLATE NOCASE CHECK (length(reference) BETWEEN 1 AND 40),
  student_id    INTEGER NOT NULL REFERENCES students (id),
  kind          TEXT    NOT NULL CHECK (length(kind) BETWEEN 1 AND 60),
  status        TEXT    NOT NULL DEFAULT 'pending'
                CHECK (status IN ('pending','parent_pending','parent_approved','parent_denied',
                                  'approved','rejected','expired','cancelled')),
  purpose       TEXT    NOT NULL,
  destination   TEXT    NOT NULL,
  leaves_at     TEXT    NOT NULL ${TIME('leaves_at')},
  returns_at    TEXT    NOT NULL ${TIME('returns_at')},
  qr_path       TEXT,
  document_path TEXT,
  token_id      TEXT,
  approved_by   TEXT,
  approved_at   TEXT ${TIME('approved_at')},
  remarks       TEXT,
  custom_values TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(custom_values)),
  created_at    TEXT    NOT NULL DEFAULT ${NOW},
  updated_at    TEXT    NOT NULL DEFAULT ${NOW},
  CHECK (leaves_at < returns_at)
) STRICT;

CREATE INDEX outpasses_student ON outpasses (student_id);
CREATE INDEX outpasses_status ON outpasses (status, returns_at);
`;
