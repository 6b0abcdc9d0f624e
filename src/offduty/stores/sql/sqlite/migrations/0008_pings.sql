-- Checks: jobs that offduty does not start, and that ping. Secrets are found by their SHA-256, so that looking takes the same time always.

CREATE TABLE ping_key (
  name   TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  facts  TEXT NOT NULL -- JSON: offduty.watch.pings.check.Key
) STRICT, WITHOUT ROWID;

CREATE TABLE ping_check (
  job      TEXT NOT NULL PRIMARY KEY,
  digest   TEXT NOT NULL UNIQUE, -- of its uuid
  key_name TEXT NOT NULL,
  slug     TEXT NOT NULL,
  facts    TEXT NOT NULL -- JSON: offduty.watch.pings.check.Check
) STRICT, WITHOUT ROWID;

CREATE INDEX ping_check_by_slug ON ping_check (key_name, slug);

CREATE TABLE ping (
  job    TEXT NOT NULL REFERENCES ping_check (job) ON DELETE CASCADE,
  place  INTEGER NOT NULL, -- its number, modulo how many are remembered: a new one takes the place of the oldest
  number INTEGER NOT NULL,
  facts  TEXT NOT NULL, -- JSON: offduty.watch.pings.check.Heard
  PRIMARY KEY (job, place)
) STRICT, WITHOUT ROWID;
