-- The questions and changes of offduty.stores.watch_sqlite, by name.

-- name: watched
SELECT promise, source, since, slot, due, output_due FROM watched WHERE (:job IS NULL OR job = :job) ORDER BY job;

-- name: put_watched
INSERT INTO watched (job, promise, source, since, slot, due, output_due) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (job) DO UPDATE SET promise = excluded.promise, source = excluded.source, since = excluded.since, slot = excluded.slot,
  due = excluded.due, output_due = excluded.output_due;

-- name: forget
DELETE FROM watched WHERE job = ?;

-- name: due
SELECT promise, source, since, slot, due, output_due FROM watched WHERE due < ? ORDER BY due, job LIMIT ?;

-- name: outputs_due
SELECT promise, source, since, slot, due, output_due FROM watched WHERE output_due <= ? ORDER BY output_due, job LIMIT ?;

-- name: advance
UPDATE watched SET slot = :to, due = :due WHERE job = :job AND slot IS :slot;

-- name: look_again
UPDATE watched SET output_due = ? WHERE job = ?;

-- name: start
-- Only of jobs that somebody watches: nobody else would ever take it away again.
INSERT INTO start (job, run, at) SELECT :job, :run, :at WHERE EXISTS (SELECT 1 FROM watched WHERE job = :job);

-- name: started_after
SELECT number, job, run, at FROM start WHERE number > ? ORDER BY number LIMIT ?;

-- name: beat
INSERT INTO watcher (id, host, beats, tick_at, seen, facts) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET host = excluded.host, beats = excluded.beats, tick_at = excluded.tick_at, seen = excluded.seen,
  facts = excluded.facts;

-- name: peers
SELECT id, host, beats, tick_at, seen, facts FROM watcher ORDER BY id;

-- name: forget_peer
DELETE FROM watcher WHERE id = ?;

-- name: forget_starts
DELETE FROM start WHERE number < ?;
