CREATE TABLE ledger (
  run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  op     TEXT NOT NULL,
  target TEXT NOT NULL,
  ok     INTEGER,       -- NULL: began, and never ended
  entry  TEXT NOT NULL, -- JSON: object, offduty.transactions.transaction.Transaction.as_json
  PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE migration (
  number     INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  checksum   TEXT NOT NULL,
  applied_at TEXT NOT NULL
) STRICT;

CREATE TABLE run (
  id          TEXT NOT NULL PRIMARY KEY,
  root_id     TEXT NOT NULL,
  job         TEXT NOT NULL,
  "trigger"   TEXT NOT NULL,
  attempt     INTEGER NOT NULL,
  attempts    INTEGER NOT NULL,
  outcome     TEXT NOT NULL CHECK (outcome IN ('running', 'succeeded', 'warned', 'failed', 'timed_out', 'terminated', 'lost', 'skipped')),
  exit_code   INTEGER,
  exit_source TEXT,
  signal      INTEGER,
  started_at  TEXT NOT NULL, -- RFC 3339, UTC, always 24 characters: so text sorts as time
  ended_at    TEXT,
  duration_s  REAL,
  log         TEXT NOT NULL,
  host        TEXT NOT NULL,
  "user"      TEXT NOT NULL,
  pid         INTEGER NOT NULL,
  boot_id     TEXT NOT NULL,
  pid_started INTEGER NOT NULL,
  command     TEXT NOT NULL, -- JSON: list of text
  cwd         TEXT NOT NULL,
  summary     TEXT,          -- JSON: object
  CHECK ((outcome = 'running') = (ended_at IS NULL))
) STRICT;

CREATE INDEX run_by_job ON run (job, started_at, id, outcome);

CREATE INDEX run_by_start ON run (started_at, id, outcome);

CREATE INDEX run_running ON run (started_at, id) WHERE outcome = 'running';
