-- How much of what can fail the triage table explained, each time somebody looked; and what was rehearsed, and how it went.

CREATE TABLE coverage (
  number INTEGER PRIMARY KEY,
  job    TEXT NOT NULL,
  at     REAL NOT NULL, -- wall time
  share  REAL NOT NULL,
  known  REAL NOT NULL,
  holes  INTEGER NOT NULL,
  faults INTEGER NOT NULL
) STRICT;

CREATE INDEX coverage_by_job ON coverage (job, number);

CREATE TABLE drill (
  number INTEGER PRIMARY KEY,
  job    TEXT NOT NULL,
  at     REAL NOT NULL, -- wall time
  "row"  TEXT NOT NULL,
  fault  TEXT NOT NULL,
  passed INTEGER NOT NULL,
  entry  TEXT NOT NULL -- JSON
) STRICT;

CREATE INDEX drill_by_job ON drill (job, number);
