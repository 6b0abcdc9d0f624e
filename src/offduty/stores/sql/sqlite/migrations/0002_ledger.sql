-- What a run touched: one row a transaction, in the order in which they began. It goes with its run.
CREATE TABLE ledger (
  run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  op     TEXT NOT NULL,
  target TEXT NOT NULL,
  ok     INTEGER,       -- NULL: began, and never ended
  entry  TEXT NOT NULL, -- JSON: object, offduty.transactions.transaction.Transaction.as_json
  PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;
