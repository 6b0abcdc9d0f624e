-- Incidents, and what is owed to whom. Both change in the transaction that takes in what happened.

CREATE TABLE incident (
  id     TEXT NOT NULL PRIMARY KEY,
  number INTEGER NOT NULL,  -- in order of opening
  job    TEXT NOT NULL,
  state  TEXT NOT NULL CHECK (state IN ('pending', 'open', 'settling', 'resolved')),
  due    REAL,              -- wall time; planned `due_in` seconds ahead
  due_in REAL NOT NULL,
  entry  TEXT NOT NULL      -- JSON: offduty.alerts.incident.Incident
) STRICT;

CREATE UNIQUE INDEX incident_by_number ON incident (number);
CREATE INDEX incident_not_over ON incident (job) WHERE state <> 'resolved';
CREATE INDEX incident_due ON incident (due) WHERE due IS NOT NULL;

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

CREATE INDEX outbox_to_send ON outbox (channel, number) WHERE state IN ('waiting', 'leased');
CREATE INDEX outbox_by_chain ON outbox (chain, channel, number);
CREATE INDEX outbox_by_group ON outbox ("group", number) WHERE "group" <> '';
CREATE INDEX outbox_by_run ON outbox (run) WHERE state IN ('waiting', 'leased', 'folded');
CREATE INDEX outbox_silenced ON outbox (number) WHERE state = 'silenced';
CREATE INDEX outbox_dead ON outbox (number) WHERE state = 'dead';

-- What happened and has no run to tell that it is known: a slot that passed.
CREATE TABLE happened (
  key TEXT NOT NULL PRIMARY KEY,
  at  REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest `tell` of each job.
CREATE TABLE plan (
  job  TEXT NOT NULL PRIMARY KEY,
  tell TEXT NOT NULL -- JSON: object
) STRICT, WITHOUT ROWID;

CREATE TABLE channel (
  name  TEXT NOT NULL PRIMARY KEY,
  entry TEXT NOT NULL -- JSON: offduty.alerts.owed.Health
) STRICT, WITHOUT ROWID;

CREATE TABLE silence (
  id    TEXT NOT NULL PRIMARY KEY,
  ended INTEGER NOT NULL,
  entry TEXT NOT NULL -- JSON: offduty.alerts.owed.Silence
) STRICT, WITHOUT ROWID;

CREATE INDEX silence_not_over ON silence (id) WHERE ended = 0;
