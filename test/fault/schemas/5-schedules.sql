-- Step 5, as it was in commit 09eb8ba.

CREATE TABLE schedules (
  name          TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
  cron          TEXT NOT NULL,
  zone          TEXT NOT NULL,
  type          TEXT,
  overlap       TEXT NOT NULL CHECK (overlap IN ('skip','queue')),
  catch_up      TEXT NOT NULL CHECK (catch_up IN ('latest','all','skip')),
  decided_until TEXT NOT NULL CHECK (decided_until IS NULL OR
          (decided_until GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(decided_until, 17) NOT GLOB '*[^0-9.:]*' AND julianday(decided_until) IS NOT NULL)),
  next_tick     TEXT CHECK (next_tick IS NULL OR
          (next_tick GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(next_tick, 17) NOT GLOB '*[^0-9.:]*' AND julianday(next_tick) IS NOT NULL)),
  paused_at     TEXT CHECK (paused_at IS NULL OR
          (paused_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(paused_at, 17) NOT GLOB '*[^0-9.:]*' AND julianday(paused_at) IS NOT NULL)),
  paused_by     TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE ticks (
  schedule   TEXT NOT NULL,
  tick       TEXT NOT NULL CHECK (tick IS NULL OR
          (tick GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(tick, 17) NOT GLOB '*[^0-9.:]*' AND julianday(tick) IS NOT NULL)),
  outcome    TEXT NOT NULL CHECK (outcome IN ('run','skipped','missed')),
  job_id     INTEGER,
  decided_at TEXT NOT NULL CHECK (decided_at IS NULL OR
          (decided_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]*'
           AND substr(decided_at, 17) NOT GLOB '*[^0-9.:]*' AND julianday(decided_at) IS NOT NULL)),
  PRIMARY KEY (schedule, tick)
) STRICT, WITHOUT ROWID;
