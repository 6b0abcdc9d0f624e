-- Drills that come again by themselves: each turn of them; and of which week a team was told last.

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

CREATE INDEX drill_turn_by_job ON drill_turn (job, number);

CREATE TABLE week_told (
  source TEXT NOT NULL, -- the configuration file that the team stands in
  team   TEXT NOT NULL,
  slot   REAL NOT NULL, -- wall time: when its last digest was due
  since  REAL NOT NULL, -- from when on the next one has to tell
  PRIMARY KEY (source, team)
) STRICT, WITHOUT ROWID;
