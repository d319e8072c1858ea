/** Schedules, and the ledger of what became of each tick. */

const TIME = (column: string) =>
  `CHECK (${column} IS NULL OR
          (${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(${column}, 17) NOT GLOB '*[^0-9.:]*' AND julianday(${column}) IS NOT NULL))`;

export const schedules = `
CREATE TABLE schedules (
  name          TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
  cron          TEXT NOT NULL,
  zone          TEXT NOT NULL,
  type          TEXT,
  overlap       TEXT NOT NULL CHECK (overlap IN ('skip','queue')),
  catch_up      TEXT NOT NULL CHECK (catch_up IN ('latest','all','skip')),
  decided_until TEXT NOT NULL ${TIME('decided_until')},
  next_tick     TEXT ${TIME('next_tick')},
  paused_at     TEXT ${TIME('paused_at')},
  paused_by     TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE ticks (
  schedule   TEXT NOT NULL,
  tick       TEXT NOT NULL ${TIME('tick')},
  outcome    TEXT NOT NULL CHECK (outcome IN ('run','skipped','missed')),
  job_id     INTEGER,
  decided_at TEXT NOT NULL ${TIME('decided_at')},
  PRIMARY KEY (schedule, tick)
) STRICT, WITHOUT ROWID;
`;
