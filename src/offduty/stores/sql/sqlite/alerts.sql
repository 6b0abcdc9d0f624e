-- The questions and changes of offduty.stores.alerts_sqlite, by name. {row}: the columns of a row of the outbox, in the order it is read.

-- name: plan
SELECT tell FROM plan WHERE job = ?;

-- name: plans
SELECT job, tell FROM plan;

-- name: put_plan
INSERT INTO plan (job, tell) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET tell = excluded.tell WHERE tell <> excluded.tell;

-- name: is_new
INSERT OR IGNORE INTO happened (key, at) VALUES (?, ?);

-- name: open_incidents
SELECT entry FROM incident WHERE job = ? AND state <> 'resolved' ORDER BY number;

-- name: incident
SELECT entry FROM incident WHERE id = ?;

-- name: find_incidents
SELECT entry FROM incident WHERE id >= :part AND id < :after ORDER BY number DESC LIMIT :limit;

-- name: incidents
SELECT entry FROM incident WHERE (:job IS NULL OR job = :job) AND (:all OR state <> 'resolved') ORDER BY number DESC LIMIT :limit;

-- name: put_incident
INSERT INTO incident (id, number, job, state, due, due_in, entry)
VALUES (:id, (SELECT coalesce(max(number), 0) + 1 FROM incident), :job, :state, :due, :due_in, :entry)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, due = excluded.due, due_in = excluded.due_in, entry = excluded.entry;

-- name: due_incidents
-- A moment further ahead than it was ever planned is a clock that was set back.
SELECT entry FROM incident WHERE due IS NOT NULL AND (due <= :now OR due - :now > due_in + :set_back) ORDER BY due LIMIT :limit;

-- name: silences
SELECT entry FROM silence WHERE ended = 0 ORDER BY id;

-- name: put_silence
INSERT INTO silence (id, ended, entry) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, entry = excluded.entry;

-- name: add
INSERT INTO outbox (key, chain, channel, job, run, state, at, not_before, within, down, attempts, ambiguous, owner, boot, lease_wall,
  lease_mono, "group", entry)
VALUES (:key, :chain, :channel, :job, :run, :state, :at, :not_before, :within, :down, :attempts, :ambiguous, '', '', 0, 0, :group, :entry)
ON CONFLICT (key) DO NOTHING;

-- name: leased
SELECT {row} FROM outbox WHERE number = ? AND owner = ? AND attempts = ? AND state = 'leased';

-- name: put
UPDATE outbox SET state = :state, not_before = :not_before, within = :within, attempts = :attempts, ambiguous = :ambiguous, owner = '',
  "group" = :group, entry = :entry
WHERE number = :number;

-- name: bury
-- A row that cannot be read keeps what is in it, for whoever looks into it.
UPDATE outbox SET state = 'dead', owner = '' WHERE number = ?;

-- name: of_chain
SELECT {row} FROM outbox WHERE chain = ? AND channel = ? ORDER BY number;

-- name: silenced
SELECT {row} FROM outbox WHERE state = 'silenced' AND job GLOB :jobs AND at >= :since ORDER BY number;

-- name: heard_bad
SELECT DISTINCT channel FROM outbox
WHERE job <> '' AND job GLOB :jobs AND at >= :since AND state <> 'silenced'
AND CASE WHEN json_valid(entry) THEN json_extract(entry, '$.status') = 'firing' END
ORDER BY channel;

-- name: members
SELECT {row} FROM outbox WHERE "group" = ? AND "group" <> '' ORDER BY number;

-- name: end_members
UPDATE outbox SET state = :state, entry = json_set(entry, '$.done_at', :now) WHERE "group" = :group AND "group" <> '' AND state = 'folded';

-- name: waiting_longer
SELECT {row} FROM outbox WHERE channel = :channel AND state IN ('waiting', 'leased') AND state = 'waiting' AND down <= :down ORDER BY number;

-- name: strangers
SELECT {row} FROM outbox WHERE state IN ('waiting', 'leased') AND state = 'waiting' AND at < :before AND channel NOT IN (SELECT value FROM json_each(:known)) ORDER BY number;

-- name: health
SELECT entry FROM channel WHERE name = ?;

-- name: healths
SELECT entry FROM channel ORDER BY name;

-- name: put_health
INSERT INTO channel (name, entry) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET entry = excluded.entry;

-- name: is_due
SELECT EXISTS (SELECT 1 FROM outbox AS it WHERE {due});

-- name: due_rows
SELECT {row} FROM outbox AS it WHERE {due} ORDER BY number LIMIT :limit;

-- name: lease
-- What offduty.stores.alerts_sqlite._leased says of them too.
UPDATE outbox SET
  state = 'leased', attempts = attempts + 1, ambiguous = ambiguous + (state = 'leased'),
  owner = :owner, boot = :boot, lease_wall = :wall + :lease, lease_mono = :monotonic + :lease
WHERE number IN (SELECT value FROM json_each(:numbers));

-- name: due
-- Stands for {due} above. Its time has come, or it is further ahead than it was planned (the clock was set back). A lease of this boot is
-- judged by this machine's monotonic clock, which nobody can set; one of another boot by the wall clock, which may be behind theirs. And nothing
-- that is before it in its chain is still to be sent.
channel = :channel AND state IN ('waiting', 'leased')
AND CASE state
  WHEN 'waiting' THEN not_before <= :wall OR not_before - :wall > within + :set_back
  ELSE CASE boot
    WHEN :boot THEN lease_mono <= :monotonic
    ELSE lease_wall <= :wall OR lease_wall - :wall > :lease + :set_back
  END
END
AND NOT EXISTS (
  SELECT 1 FROM outbox AS earlier
  WHERE earlier.chain = it.chain AND earlier.channel = it.channel AND earlier.number < it.number
  AND earlier.state IN ('waiting', 'leased', 'folded')
);

-- name: next_due
SELECT min(not_before) FROM outbox WHERE channel = ? AND state IN ('waiting', 'leased') AND state = 'waiting';

-- name: channels_waiting
SELECT DISTINCT channel FROM outbox WHERE state IN ('waiting', 'leased');

-- name: alerts
SELECT {row} FROM outbox
WHERE (:states IS NULL OR state IN (SELECT value FROM json_each(:states))) AND (:channel IS NULL OR channel = :channel)
AND (:job IS NULL OR job = :job)
ORDER BY number DESC LIMIT :limit;

-- name: alerts_of
SELECT {row} FROM outbox WHERE chain = ? ORDER BY number;

-- name: find_alerts
SELECT {row} FROM outbox WHERE key >= :part AND key < :after ORDER BY number LIMIT :limit;

-- name: counts
SELECT state, count(*) FROM outbox GROUP BY state;

-- name: forget
DELETE FROM outbox WHERE number IN (
  SELECT number FROM outbox AS it WHERE at < :before AND state IN ('delivered', 'dropped', 'silenced', 'dead')
  AND NOT EXISTS (SELECT 1 FROM incident WHERE incident.id = it.chain AND incident.state <> 'resolved') LIMIT :limit
);

-- name: forget_incidents
DELETE FROM incident WHERE state = 'resolved' AND json_extract(entry, '$.resolved_at') < :before;

-- name: forget_happened
DELETE FROM happened WHERE at < :before;
