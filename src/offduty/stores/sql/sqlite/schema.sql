CREATE TRIGGER content_of_no_run AFTER DELETE ON fingerprint BEGIN
  DELETE FROM content WHERE id = OLD.content AND NOT EXISTS (SELECT 1 FROM fingerprint WHERE content = OLD.content);
END;

CREATE TABLE check_result (
  run_id  TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  number  INTEGER NOT NULL,
  name    TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('passed', 'warned', 'failed')),
  entry   TEXT NOT NULL, -- JSON: object, the keys of the event `check`
  PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE content (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE -- JSON: object
) STRICT;

CREATE TABLE fingerprint (
  run_id  TEXT NOT NULL PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
  brief   TEXT NOT NULL, -- JSON: object, what is of this run alone
  content INTEGER NOT NULL REFERENCES content (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
  run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  op     TEXT NOT NULL,
  target TEXT NOT NULL,
  ok     INTEGER,       -- NULL: began, and never ended
  entry  TEXT NOT NULL, -- JSON: object, offduty.transactions.transaction.Transaction.as_json
  PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric (
  run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  name   TEXT NOT NULL,
  value  REAL NOT NULL,
  unit   TEXT,
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

CREATE INDEX fingerprint_by_content ON fingerprint (content);

CREATE INDEX run_by_job ON run (job, started_at, id, outcome);

CREATE INDEX run_by_start ON run (started_at, id, outcome);

CREATE INDEX run_running ON run (started_at, id) WHERE outcome = 'running';
