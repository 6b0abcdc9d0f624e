-- Test messages, and who confirmed that they arrived.

CREATE TABLE proof (
  code         TEXT NOT NULL PRIMARY KEY,
  channel      TEXT NOT NULL,
  sent_at      REAL NOT NULL, -- wall time
  detail       TEXT NOT NULL,
  confirmed_at REAL,
  "by"         TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX proof_by_channel ON proof (channel, confirmed_at, sent_at);
