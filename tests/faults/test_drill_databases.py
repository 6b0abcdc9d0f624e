"""What a job writes into PostgreSQL and MariaDB in a drill: it sees it, commits it, reads it back; and nothing of it remains."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = Path(__file__).resolve().parents[2] / "src" / "offduty_probe" / "path"
COUNT = "select count(*) from drilled"
INSERT = "insert into drilled values (1)"
CONNECTS = {
    "psycopg": "import psycopg; base = psycopg.connect(PG)",
    "psycopg2": "import psycopg2; base = psycopg2.connect(PG)",
    "pymysql": "import pymysql; base = pymysql.connect(host='127.0.0.1', port=MY, user='root', database='test')",
    "mysql.connector": "import mysql.connector; base = mysql.connector.connect(host='127.0.0.1', port=MY, user='root', database='test')",
    "mysql.connector in Python": "import mysql.connector; base = mysql.connector.connect("
    "host='127.0.0.1', port=MY, user='root', database='test', use_pure=True)",
}
WRITES = {
    "commit": f"one.execute({INSERT!r}); base.commit(); assert count() == 1",
    "commit twice": f"one.execute({INSERT!r}); base.commit(); one.execute({INSERT!r}); base.commit(); assert count() == 2",
    "rollback goes back to the commit": f"one.execute({INSERT!r}); base.commit(); one.execute({INSERT!r}); base.rollback();"
    " assert count() == 1",
    "rollback": f"one.execute({INSERT!r}); base.rollback(); assert count() == 0",
    "many": "one.executemany('insert into drilled values (%s)', [(1,), (2,)]); base.commit(); assert count() == 2",
    "an update": "one.execute('update drilled set a = 2'); base.commit()",
    "no end at all": f"one.execute({INSERT!r}); import os; os._exit(0)",  # the last one
}
REFUSED = {
    "COMMIT as a statement": f"one.execute({INSERT!r}); one.execute('commit')",
    "COMMIT behind a remark": f"one.execute({INSERT!r}); one.execute('-- all\\n COMMIT')",
    "two in one": f"one.execute({INSERT!r} + '; commit')",
    "each by itself": f"base.autocommit(True) if callable(base.autocommit) else setattr(base, 'autocommit', True); one.execute({INSERT!r})",
}


@pytest.fixture(scope="module")
def servers(postgres_port, mariadb_port):
    """Both, with an empty table each."""
    psycopg, pymysql = pytest.importorskip("psycopg"), pytest.importorskip("pymysql")
    place = f"host=127.0.0.1 port={postgres_port} user=postgres dbname=postgres"
    with psycopg.connect(place) as base:
        base.execute("drop table if exists drilled")
        base.execute("create table drilled (a int)")
    other = pymysql.connect(host="127.0.0.1", port=mariadb_port, user="root", database="test", autocommit=True)
    cursor = other.cursor()
    for name, engine in (("drilled", "InnoDB"), ("plain", "MyISAM")):
        cursor.execute(f"drop table if exists {name}")
        cursor.execute(f"create table {name} (a int) engine={engine}")

    def rows():
        with psycopg.connect(place) as base:
            found = [base.execute(COUNT).fetchone()[0]]
        for name in ("drilled", "plain"):
            cursor.execute(f"select count(*) from {name}")
            found.append(cursor.fetchone()[0])
        return found

    yield place, mariadb_port, rows
    other.close()


@pytest.fixture
def job(tmp_path, servers):
    """Runs Python code in a drill: (status, stderr, notes)."""
    scratch = tmp_path / "scratch"
    (scratch / "tmp").mkdir(parents=True)

    def run(code, allow=()):
        (tmp_path / "spec.json").write_text(json.dumps({"scratch": str(scratch), "fault": None, "allow": list(allow)}))
        (tmp_path / "job.py").write_text(f"PG, MY = {servers[0]!r}, {servers[1]}\n{code}\n")
        env = {
            "PATH": os.environ["PATH"], "OFFDUTY_DRILL": "1", "OFFDUTY_DRILL_SPEC": f"{tmp_path}/spec.json", "OFFDUTY_TOKEN": "t",
            "OFFDUTY_EVENTS": f"{scratch}/events", "PYTHONPATH": str(PROBE), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": f"{scratch}/tmp",
            "PGOPTIONS": "-c default_transaction_read_only=on",
        }  # fmt: skip
        done = subprocess.run([sys.executable, f"{tmp_path}/job.py"], env=env, capture_output=True, text=True, timeout=90)
        notes = (scratch / "notes.jsonl").read_text().splitlines() if (scratch / "notes.jsonl").exists() else []
        return done.returncode, done.stderr, [json.loads(line) for line in notes]

    return run


def code_of(driver, *steps):
    """Connects for each step, and does it; of what is refused the message is printed."""
    pytest.importorskip(driver.partition(" ")[0])
    counting = f"def count():\n    one.execute({COUNT!r})\n    return one.fetchone()[0]\n"
    return counting + "".join(f"{CONNECTS[driver]}\none = base.cursor()\n{step}\nbase.close()\n" for step in steps)


def refusing(*steps):
    """Each step is refused."""
    return [f"try:\n    {step}\nexcept PermissionError as error:\n    assert 'refused in a drill' in str(error)\n"
            f"else:\n    raise AssertionError({step!r})" for step in steps]  # fmt: skip


@pytest.mark.parametrize("driver", CONNECTS)
def test_what_is_written_is_there_for_the_job_alone(job, servers, driver):
    """`commit` is swallowed, `rollback` undoes what came after it; in the end nothing remains, and the drill tells (B: database rows)."""
    status, said, notes = job(code_of(driver, *WRITES.values()))
    assert (status, {one["did"] for one in notes}) == (0, {"undone"}), (said, notes)
    assert servers[2]() == [0, 0, 0]


@pytest.mark.parametrize("driver", CONNECTS)
def test_what_cannot_be_undone_is_refused(job, servers, driver):
    """An end in the text of a statement, and connections that commit each statement."""
    status, said, notes = job(code_of(driver, *refusing(*REFUSED.values())))
    assert (status, "refused" in {one["did"] for one in notes}) == (0, True), said
    assert servers[2]() == [0, 0, 0]


@pytest.mark.parametrize("driver", [name for name in CONNECTS if "mysql" in name])
def test_what_mysql_commits_by_itself_is_refused(job, servers, driver):
    """Schemas, locks, and tables that know no transactions; what was written before is undone all the same."""
    texts = [
        "create table more (a int)",
        "truncate drilled",
        "insert into plain values (1)",
        "lock tables drilled write",
        "set autocommit = 1",
    ]
    steps = [f"one.execute({INSERT!r}); one.execute({text!r})" for text in texts]
    status, said, _ = job(code_of(driver, *refusing(*steps, f"one.execute({INSERT!r}); one.callproc('anything')")))
    assert status == 0, said
    assert servers[2]() == [0, 0, 0]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_postgresql_undoes_schemas_too(job, servers, driver):
    """There they are part of the transaction."""
    texts = ["create table drilled_too (a int)", "drop table drilled", "truncate drilled", "alter table drilled add b int"]
    status, said, _ = job(code_of(driver, *(f"one.execute({text!r}); base.commit()" for text in texts)))
    assert status == 0, said
    assert servers[2]() == [0, 0, 0]


def test_what_postgresql_would_keep_prepared_is_refused(job, servers):
    """Two-phase commits outlive their connection."""
    step = f"base.tpc_begin(base.xid(1, 'a', 'b')); one.execute({INSERT!r}); base.tpc_prepare()"
    for driver in ("psycopg", "psycopg2"):
        status, said, _ = job(code_of(driver, *refusing(step)))
        assert status == 0, said
    assert servers[2]() == [0, 0, 0]


def test_the_block_of_psycopg2_commits_nothing(job, servers):
    """`with connection:` is written in C."""
    status, said, _ = job(code_of("psycopg2", f"with base:\n    one.execute({INSERT!r})\nassert count() == 1"))
    assert status == 0, said
    assert servers[2]() == [0, 0, 0]


def test_psycopgs_own_ways_to_commit(job, servers):
    """Blocks of the connection, of a transaction, and copies."""
    block = f"with base.transaction():\n    one.execute({INSERT!r})\nassert count() == 1\n"
    copy = "with one.copy('copy drilled from stdin') as copy:\n    copy.write_row((1,))\nbase.commit()\n"
    status, said, _ = job(code_of("psycopg", f"{block}{copy}with base:\n    pass"))
    assert status == 0, said
    assert servers[2]() == [0, 0, 0]


@pytest.mark.parametrize("url", ["postgresql+psycopg://", "postgresql+psycopg2://", "mysql+pymysql://", "mysql+mysqlconnector://"])
def test_through_sqlalchemy_and_pandas(job, servers, url):
    """A table is appended to in a transaction of the engine, and read back by the next one."""
    pytest.importorskip("sqlalchemy")
    place = "f'postgres@127.0.0.1:{PG.split()[1][5:]}/postgres'" if "postgresql" in url else "f'root@127.0.0.1:{MY}/test'"
    code = f"""\
import pandas, sqlalchemy
engine = sqlalchemy.create_engine({url!r} + {place})
with engine.begin() as base:
    pandas.DataFrame({{"a": [1, 2]}}).to_sql("drilled", base, if_exists="append", index=False)
assert len(pandas.read_sql("select * from drilled", engine)) == 2
"""
    status, said, notes = job(code)
    assert (status, [one["did"] for one in notes][:1]) == (0, ["undone"]), said
    assert servers[2]() == [0, 0, 0]


def test_what_the_user_allows_is_committed(job, servers):
    """`--allow-writes` with the database and the table: there the job writes for real."""
    import psycopg

    status, said, _ = job(code_of("psycopg", WRITES["commit"]), ["postgresql://127.0.0.1:*/postgres INSERT drilled"])
    assert (status, servers[2]()) == (0, [1, 0, 0]), said
    with psycopg.connect(servers[0]) as base:
        base.execute("delete from drilled")
