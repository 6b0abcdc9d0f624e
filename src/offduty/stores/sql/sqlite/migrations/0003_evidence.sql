-- What a run was made of, and what it said of its data. All of it goes with its run.

-- What many runs share of their fingerprints (packages, files, names of variables), kept once.
CREATE TABLE content (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE -- JSON: object
) STRICT;

CREATE TABLE fingerprint (
  run_id  TEXT NOT NULL PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
  brief   TEXT NOT NULL, -- JSON: object, what is of this run alone
  content INTEGER NOT NULL REFERENCES content (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX fingerprint_by_content ON fingerprint (content);

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

CREATE TABLE metric (
  run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  name   TEXT NOT NULL,
  value  REAL NOT NULL,
  unit   TEXT,
  PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;
