-- Step 2, as it was in commit a6f5d7a.

CREATE TABLE hostels (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  name         TEXT    NOT NULL UNIQUE COLLATE NOCASE CHECK (name <> ''),
  type         TEXT,
  category     TEXT,
  created_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
  updated_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now'))
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
  created_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
  updated_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now'))
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
  leaves_at     TEXT    NOT NULL CHECK (leaves_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'),
  returns_at    TEXT    NOT NULL CHECK (returns_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'),
  qr_path       TEXT,
  document_path TEXT,
  token_id      TEXT,
  approved_by   TEXT,
  approved_at   TEXT CHECK (approved_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'),
  remarks       TEXT,
  custom_values TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(custom_values)),
  created_at    TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
  updated_at    TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
  CHECK (leaves_at < returns_at)
) STRICT;

CREATE INDEX outpasses_student ON outpasses (student_id);
CREATE INDEX outpasses_status ON outpasses (status, returns_at);
