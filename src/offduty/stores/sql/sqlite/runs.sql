-- The questions and changes of offduty.stores.sqlite, by name. Columns are always listed: a newer offduty may have added some.

-- name: get
SELECT {columns} FROM run WHERE id = ?;

-- name: put
-- INV-4 in SQL: a running run may change, a lost one may get its real end, and nothing else is ever overwritten.
INSERT INTO run ({columns}) VALUES ({values})
ON CONFLICT (id) DO UPDATE SET {updates}
WHERE run.outcome = 'running' OR (run.outcome = 'lost' AND excluded.outcome NOT IN ('running', 'lost'));

-- name: mark_lost
UPDATE run SET outcome = 'lost', ended_at = :ended_at, summary = :summary WHERE id = :id AND outcome = 'running';

-- name: find
-- `:after` is the first text behind all that begin with `:part`. The ends of ids have no index of their own: reading all ids takes
-- about 20 ms for 100 000 runs, when a person asks; the index would cost every commit of every run 10 % more.
SELECT {columns} FROM run WHERE id IN (
  SELECT id FROM run WHERE id >= :part AND id < :after
  UNION
  SELECT id FROM run WHERE substr(id, -length(:part)) = :part
  ORDER BY id DESC LIMIT :limit
) ORDER BY started_at DESC, id DESC;

-- name: runs
SELECT {columns} FROM run
WHERE started_at >= :since AND (started_at, id) < (:until, :until_id) AND outcome IN (SELECT value FROM json_each(:outcomes))
ORDER BY started_at DESC, id DESC LIMIT :limit;

-- name: runs_of_job
SELECT {columns} FROM run
WHERE job = :job AND started_at >= :since AND (started_at, id) < (:until, :until_id) AND outcome IN (SELECT value FROM json_each(:outcomes))
ORDER BY started_at DESC, id DESC LIMIT :limit;

-- name: running
-- Left to itself, SQLite reads every run in order of start to spare the sorting of a few.
SELECT {columns} FROM run INDEXED BY run_running WHERE outcome = 'running' AND (:host IS NULL OR host = :host) ORDER BY started_at, id;

-- name: jobs
-- Hops from name to name in the index: DISTINCT would read all of it.
WITH RECURSIVE name (job) AS (
  SELECT min(job) FROM run
  UNION ALL
  SELECT (SELECT min(run.job) FROM run WHERE run.job > name.job) FROM name WHERE name.job IS NOT NULL
)
SELECT job FROM name WHERE job IS NOT NULL;

-- name: last
SELECT {columns} FROM run WHERE job = ? AND outcome <> 'skipped' ORDER BY started_at DESC, id DESC LIMIT 1;

-- name: last_at_all
SELECT {columns} FROM run WHERE job = ? ORDER BY started_at DESC, id DESC LIMIT 1;

-- name: last_good
SELECT {columns} FROM run WHERE job = ? AND outcome IN ('succeeded', 'warned') ORDER BY started_at DESC, id DESC LIMIT 1;

-- name: counts
SELECT job, outcome, count(*) FROM run GROUP BY job, outcome;

-- name: delete
-- A run that an alert is still owed for stays (F78).
DELETE FROM run WHERE id = ? AND outcome <> 'running'
AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.run = run.id AND state IN ('waiting', 'leased', 'folded'));

-- name: put_ledger
INSERT OR REPLACE INTO ledger (run_id, number, op, target, ok, entry) VALUES (?, ?, ?, ?, ?, ?);

-- name: ledger
SELECT entry FROM ledger WHERE run_id = ? ORDER BY number;

-- name: good_runs
SELECT {columns} FROM run
WHERE job = :job AND (started_at, id) < (:until, :until_id) AND outcome IN ('succeeded', 'warned') AND "trigger" <> 'drill'
ORDER BY started_at DESC, id DESC LIMIT :limit;

-- name: put_content
INSERT OR IGNORE INTO content (text) VALUES (?);

-- name: put_fingerprint
INSERT INTO fingerprint (run_id, brief, content) SELECT :run_id, :brief, id FROM content WHERE text = :content
ON CONFLICT (run_id) DO UPDATE SET brief = excluded.brief, content = excluded.content;

-- name: fingerprint
SELECT fingerprint.brief, content.text FROM fingerprint JOIN content ON content.id = fingerprint.content WHERE run_id = ?;

-- name: put_check
INSERT OR REPLACE INTO check_result (run_id, number, name, outcome, entry) VALUES (?, ?, ?, ?, ?);

-- name: checks
SELECT entry FROM check_result WHERE run_id = ? ORDER BY number;

-- name: put_metric
INSERT OR REPLACE INTO metric (run_id, number, name, value, unit) VALUES (?, ?, ?, ?, ?);

-- name: metrics
SELECT name, value, unit FROM metric WHERE run_id = ? ORDER BY number;

-- name: good_since
SELECT 1 FROM run WHERE job = ? AND started_at > ? AND outcome IN ('succeeded', 'warned') LIMIT 1;
