"""Any sequence of operations has the same answers from SQLite as from the reference in memory."""

from __future__ import annotations

import os
import shutil
import tempfile

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from offduty.clock import rfc3339
from offduty.errors import OffdutyError
from offduty.stores.memory import MemoryStore
from offduty.stores.record import OUTCOMES
from offduty.stores.sqlite import open_store
from offduty.testing import MONDAY, a_run

ids = st.integers(0, 5).map(lambda n: f"0193000{n}-0000-7000-8000-0000000000{n % 2}{n}")
times = st.integers(0, 5).map(lambda n: MONDAY + n)
jobs = st.sampled_from(["a", "b", "c"])
outcomes = st.sampled_from(OUTCOMES)
maybe = st.none() | times.map(rfc3339)
texts = st.text(st.characters(exclude_characters="\0"), max_size=5)


def answer(ask):
    """What an operation says: its result, or its error's code."""
    try:
        return ask()
    except OffdutyError as error:
        return error.code


class Agreement(RuleBasedStateMachine):
    """Both stores are asked the same."""

    known = Bundle("known")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.stores = [MemoryStore(), open_store(os.path.join(self.folder, "offduty.sqlite3"))]

    def teardown(self):
        self.stores[1].close()
        shutil.rmtree(self.folder)

    def both(self, ask):
        """The one answer of both."""
        reference, ours = (answer(lambda store=store: ask(store)) for store in self.stores)
        assert ours == reference
        return ours

    @rule(target=known, run_id=ids, job=jobs, outcome=outcomes, at=times, host=st.sampled_from(["x", "y"]), text=texts)
    def put(self, run_id, job, outcome, at, host, text):
        run = a_run(job, outcome, at=at, id=run_id, host=host, log="/l", cwd=text, command=[text], root_id=run_id)
        parts = {"fingerprint": {"host": host, "packages": {job: "1"}}, "checks": [{"name": "x", "outcome": "passed"}] if at % 2 else []}
        self.both(lambda store: store.put_run(run, **parts))
        return run

    @rule(run=known)
    def put_again(self, run):
        self.both(lambda store: store.put_run(run))

    @rule(run_id=ids, at=times, text=texts)
    def lose(self, run_id, at, text):
        self.both(lambda store: store.mark_lost(run_id, ended_at=rfc3339(at), summary={"what": text}))

    @rule(some=st.lists(ids, max_size=3))
    def forget(self, some):
        self.both(lambda store: store.delete_runs(some))

    @rule()
    def reopen(self):
        self.stores[1].close()

    @rule(
        job=st.none() | jobs,
        chosen=st.none() | st.sets(outcomes),
        since=maybe,
        until=maybe,
        limit=st.integers(0, 4),
        before=st.none() | known,
    )
    def list_runs(self, job, chosen, since, until, limit, before):
        cursor = before and (before["started_at"], before["id"])
        self.both(lambda store: store.runs(job, outcomes=chosen, since=since, until=until, limit=limit, before=cursor))

    @rule(part=st.one_of(ids, ids.map(lambda i: i[:9]), ids.map(lambda i: i[-4:]), st.sampled_from(["0193", "000", "----", "é"])))
    def find(self, part):
        self.both(lambda store: store.run(part))

    @rule(run_id=ids)
    def ask_for_parts(self, run_id):
        self.both(lambda store: (store.fingerprint(run_id), store.checks(run_id), store.metrics(run_id)))

    @rule(job=jobs, limit=st.integers(0, 3), before=st.none() | known)
    def list_good_runs(self, job, limit, before):
        self.both(lambda store: store.good_runs(job, limit, before=before and (before["started_at"], before["id"])))

    @rule(host=st.sampled_from([None, "x", "y"]))
    def list_running(self, host):
        self.both(lambda store: store.running(host))

    @invariant()
    def same_overview(self):
        self.both(lambda store: (store.jobs(), store.last_runs()))


Agreement.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
TestAgreement = Agreement.TestCase
