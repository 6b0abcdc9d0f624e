-- What jobs have promised, which slot of each is open, what has started, and who watches.

CREATE TABLE watched (
  job        TEXT NOT NULL PRIMARY KEY,
  promise    TEXT NOT NULL, -- JSON: offduty.watch.promise.Promise
  source     TEXT NOT NULL, -- the configuration file that says so
  since      REAL NOT NULL, -- wall time, like all below
  slot       REAL,
  due        REAL,
  output_due REAL
) STRICT, WITHOUT ROWID;

CREATE INDEX watched_due ON watched (due) WHERE due IS NOT NULL;
CREATE INDEX watched_output_due ON watched (output_due) WHERE output_due IS NOT NULL;

CREATE TABLE start (
  number INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order in which the store heard of them; never given twice
  job    TEXT NOT NULL,
  run    TEXT NOT NULL,
  at     REAL NOT NULL -- as the run's machine wrote it down
) STRICT;

CREATE TABLE watcher (
  id      TEXT NOT NULL PRIMARY KEY,
  host    TEXT NOT NULL,
  beats   INTEGER NOT NULL,
  tick_at REAL NOT NULL,
  seen    INTEGER NOT NULL,
  facts   TEXT NOT NULL -- JSON: object
) STRICT, WITHOUT ROWID;
