CREATE TRIGGER content_of_no_run AFTER DELETE ON fingerprint BEGIN
  DELETE FROM content WHERE id = OLD.content AND NOT EXISTS (SELECT 1 FROM fingerprint WHERE content = OLD.content);
END;

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

CREATE TABLE channel (
  name  TEXT NOT NULL PRIMARY KEY,
  entry TEXT NOT NULL -- JSON: offduty.alerts.owed.Health
) STRICT, WITHOUT ROWID;

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

CREATE TABLE coverage (
  number INTEGER PRIMARY KEY,
  job    TEXT NOT NULL,
  at     REAL NOT NULL, -- wall time
  share  REAL NOT NULL,
  known  REAL NOT NULL,
  holes  INTEGER NOT NULL,
  faults INTEGER NOT NULL
) STRICT;

CREATE TABLE drill (
  number INTEGER PRIMARY KEY,
  job    TEXT NOT NULL,
  at     REAL NOT NULL, -- wall time
  "row"  TEXT NOT NULL,
  fault  TEXT NOT NULL,
  passed INTEGER NOT NULL,
  entry  TEXT NOT NULL -- JSON
) STRICT;

CREATE TABLE drill_turn (
  number   INTEGER PRIMARY KEY,
  job      TEXT NOT NULL,
  began_at REAL NOT NULL, -- wall time
  "by"     TEXT NOT NULL,
  tries    INTEGER NOT NULL,
  ended_at REAL,
  outcome  TEXT NOT NULL,
  passed   INTEGER NOT NULL,
  "of"     INTEGER NOT NULL,
  said     TEXT NOT NULL,
  code     TEXT NOT NULL
) STRICT;

CREATE TABLE fingerprint (
  run_id  TEXT NOT NULL PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
  brief   TEXT NOT NULL, -- JSON: object, what is of this run alone
  content INTEGER NOT NULL REFERENCES content (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE happened (
  key TEXT NOT NULL PRIMARY KEY,
  at  REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE incident (
  id     TEXT NOT NULL PRIMARY KEY,
  number INTEGER NOT NULL,  -- in order of opening
  job    TEXT NOT NULL,
  state  TEXT NOT NULL CHECK (state IN ('pending', 'open', 'settling', 'resolved')),
  due    REAL,              -- wall time; planned `due_in` seconds ahead
  due_in REAL NOT NULL,
  entry  TEXT NOT NULL      -- JSON: offduty.alerts.incident.Incident
) STRICT;

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

CREATE TABLE outbox (
  number     INTEGER PRIMARY KEY AUTOINCREMENT, -- order; never given twice
  key        TEXT NOT NULL UNIQUE,
  chain      TEXT NOT NULL,
  channel    TEXT NOT NULL,
  job        TEXT NOT NULL,
  run        TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('waiting', 'leased', 'folded', 'delivered', 'dead', 'dropped', 'silenced')),
  at         REAL NOT NULL,
  not_before REAL NOT NULL, -- wall time; planned `within` seconds ahead
  within     REAL NOT NULL,
  down       REAL NOT NULL,
  attempts   INTEGER NOT NULL,
  ambiguous  INTEGER NOT NULL,
  owner      TEXT NOT NULL,
  boot       TEXT NOT NULL,
  lease_wall REAL NOT NULL,
  lease_mono REAL NOT NULL, -- of the machine whose boot it is
  "group"    TEXT NOT NULL,
  entry      TEXT NOT NULL  -- JSON: the rest of offduty.alerts.owed.Owed
) STRICT;

CREATE TABLE ping (
  job    TEXT NOT NULL REFERENCES ping_check (job) ON DELETE CASCADE,
  place  INTEGER NOT NULL, -- its number, modulo how many are remembered: a new one takes the place of the oldest
  number INTEGER NOT NULL,
  facts  TEXT NOT NULL, -- JSON: offduty.watch.pings.check.Heard
  PRIMARY KEY (job, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE ping_check (
  job      TEXT NOT NULL PRIMARY KEY,
  digest   TEXT NOT NULL UNIQUE, -- of its uuid
  key_name TEXT NOT NULL,
  slug     TEXT NOT NULL,
  facts    TEXT NOT NULL -- JSON: offduty.watch.pings.check.Check
) STRICT, WITHOUT ROWID;

CREATE TABLE ping_key (
  name   TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  facts  TEXT NOT NULL -- JSON: offduty.watch.pings.check.Key
) STRICT, WITHOUT ROWID;

CREATE TABLE plan (
  job  TEXT NOT NULL PRIMARY KEY,
  tell TEXT NOT NULL -- JSON: object
) STRICT, WITHOUT ROWID;

CREATE TABLE proof (
  code         TEXT NOT NULL PRIMARY KEY,
  channel      TEXT NOT NULL,
  sent_at      REAL NOT NULL, -- wall time
  detail       TEXT NOT NULL,
  confirmed_at REAL,
  "by"         TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE readiness (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  job    TEXT NOT NULL,
  at     REAL NOT NULL,
  level  TEXT NOT NULL,
  score  INTEGER NOT NULL, -- per cent
  entry  TEXT NOT NULL     -- JSON: {code: state}
) STRICT;

CREATE TABLE request (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  job    TEXT NOT NULL,
  state  TEXT NOT NULL CHECK (state IN ('open', 'agreed', 'done', 'declined', 'elsewhere')),
  entry  TEXT NOT NULL -- JSON: offduty.handover.request.Request
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

CREATE TABLE silence (
  id    TEXT NOT NULL PRIMARY KEY,
  ended INTEGER NOT NULL,
  entry TEXT NOT NULL -- JSON: offduty.alerts.owed.Silence
) STRICT, WITHOUT ROWID;

CREATE TABLE sqlite_sequence(name,seq);

CREATE TABLE start (
  number INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order in which the store heard of them; never given twice
  job    TEXT NOT NULL,
  run    TEXT NOT NULL,
  at     REAL NOT NULL -- as the run's machine wrote it down
) STRICT;

CREATE TABLE touch (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  job    TEXT NOT NULL,
  at     REAL NOT NULL,
  "by"   TEXT NOT NULL,
  text   TEXT NOT NULL,
  hours  REAL
) STRICT;

CREATE TABLE watched (
  job        TEXT NOT NULL PRIMARY KEY,
  promise    TEXT NOT NULL, -- JSON: offduty.watch.promise.Promise
  source     TEXT NOT NULL, -- the configuration file that says so
  since      REAL NOT NULL, -- wall time, like all below
  slot       REAL,
  due        REAL,
  output_due REAL
) STRICT, WITHOUT ROWID;

CREATE TABLE watcher (
  id      TEXT NOT NULL PRIMARY KEY,
  host    TEXT NOT NULL,
  beats   INTEGER NOT NULL,
  tick_at REAL NOT NULL,
  seen    INTEGER NOT NULL,
  facts   TEXT NOT NULL -- JSON: object
) STRICT, WITHOUT ROWID;

CREATE TABLE week_told (
  source TEXT NOT NULL, -- the configuration file that the team stands in
  team   TEXT NOT NULL,
  slot   REAL NOT NULL, -- wall time: when its last digest was due
  since  REAL NOT NULL, -- from when on the next one has to tell
  PRIMARY KEY (source, team)
) STRICT, WITHOUT ROWID;

CREATE INDEX acceptance_by_job ON acceptance (job, number);

CREATE INDEX coverage_by_job ON coverage (job, number);

CREATE INDEX drill_by_job ON drill (job, number);

CREATE INDEX drill_turn_by_job ON drill_turn (job, number);

CREATE INDEX fingerprint_by_content ON fingerprint (content);

CREATE UNIQUE INDEX incident_by_number ON incident (number);

CREATE INDEX incident_due ON incident (due) WHERE due IS NOT NULL;

CREATE INDEX incident_not_over ON incident (job) WHERE state <> 'resolved';

CREATE INDEX outbox_by_chain ON outbox (chain, channel, number);

CREATE INDEX outbox_by_group ON outbox ("group", number) WHERE "group" <> '';

CREATE INDEX outbox_by_run ON outbox (run) WHERE state IN ('waiting', 'leased', 'folded');

CREATE INDEX outbox_dead ON outbox (number) WHERE state = 'dead';

CREATE INDEX outbox_silenced ON outbox (number) WHERE state = 'silenced';

CREATE INDEX outbox_to_send ON outbox (channel, number) WHERE state IN ('waiting', 'leased');

CREATE INDEX ping_check_by_slug ON ping_check (key_name, slug);

CREATE INDEX proof_by_channel ON proof (channel, confirmed_at, sent_at);

CREATE INDEX readiness_by_job ON readiness (job, number);

CREATE INDEX request_by_job ON request (job, number);

CREATE INDEX run_by_job ON run (job, started_at, id, outcome);

CREATE INDEX run_by_start ON run (started_at, id, outcome);

CREATE INDEX run_running ON run (started_at, id) WHERE outcome = 'running';

CREATE INDEX silence_not_over ON silence (id) WHERE ended = 0;

CREATE INDEX touch_by_job ON touch (job, at);

CREATE INDEX watched_due ON watched (due) WHERE due IS NOT NULL;

CREATE INDEX watched_output_due ON watched (output_due) WHERE output_due IS NOT NULL;
