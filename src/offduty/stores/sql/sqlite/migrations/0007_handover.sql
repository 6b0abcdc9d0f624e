-- Letting go: what people did for a job and what they ask for, who took which row over, how ready it was when.

CREATE TABLE acceptance (
  number   INTEGER PRIMARY KEY AUTOINCREMENT, -- the newest of a job, team and row counts
  job      TEXT NOT NULL,
  team     TEXT NOT NULL,
  row      TEXT NOT NULL,    -- of the triage table; '' is the job itself
  digest   TEXT NOT NULL,    -- of what was accepted: another one has to be accepted again
  accepted INTEGER NOT NULL, -- 0: refused
  reason   TEXT NOT NULL,
  "by"     TEXT NOT NULL,
  at       REAL NOT NULL     -- wall time, like all below
) STRICT;

CREATE INDEX acceptance_by_job ON acceptance (job, number);

CREATE TABLE touch (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  job    TEXT NOT NULL,
  at     REAL NOT NULL,
  "by"   TEXT NOT NULL,
  text   TEXT NOT NULL,
  hours  REAL
) STRICT;

CREATE INDEX touch_by_job ON touch (job, at);

CREATE TABLE request (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  job    TEXT NOT NULL,
  state  TEXT NOT NULL CHECK (state IN ('open', 'agreed', 'done', 'declined', 'elsewhere')),
  entry  TEXT NOT NULL -- JSON: offduty.handover.request.Request
) STRICT;

CREATE INDEX request_by_job ON request (job, number);

-- A line is added only when the answer is another one than the last.
CREATE TABLE readiness (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  job    TEXT NOT NULL,
  at     REAL NOT NULL,
  level  TEXT NOT NULL,
  score  INTEGER NOT NULL, -- per cent
  entry  TEXT NOT NULL     -- JSON: {code: state}
) STRICT;

CREATE INDEX readiness_by_job ON readiness (job, number);
