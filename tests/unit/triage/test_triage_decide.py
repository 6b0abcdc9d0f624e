"""How triage decides: the tie-breaks of the taxonomy one by one, what is known besides the log, and any text at all."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offduty.runs.failure import Cause, Failure, Frame
from offduty.transactions.transaction import Transaction
from offduty.triage.case import Case
from offduty.triage.decide import decide
from offduty.triage.evidence import case_of, gather
from offduty.triage.signature import catalogue

HEAD = "Traceback (most recent call last):\n"


def frame(file: str, code: str, function: str = "main") -> str:
    """A frame as Python prints it."""
    return f'  File "{file}", line 7, in {function}\n    {code}\n'


def category(log: str, exit_code: int | None = None) -> str:
    """What triage makes of nothing but a log."""
    return decide(case_of(log, exit_code)).category


CHAINED = (
    HEAD
    + frame("/srv/load.py", "cur.execute(q)")
    + 'psycopg2.errors.UndefinedTable: relation "kpi" does not exist\n\n'
    + "The above exception was the direct cause of the following exception:\n\n"
    + HEAD
    + frame("/srv/job.py", "load()")
    + "RuntimeError: step 3 failed\n"
)
JAVA = (
    "java.lang.RuntimeException: job failed\n\tat org.example.Job.run(Job.java:4)\n"
    "Caused by: java.lang.IllegalStateException: load\n\t... 3 more\n"
    "Caused by: java.net.UnknownHostException: feeds.example\n\t... 9 more\n"
)
WRAPPED = (
    "ERROR - Task failed with exception\n"
    + HEAD
    + frame("/dags/x.py", "open(p)")
    + "FileNotFoundError: [Errno 2] No such file or directory: 'in.csv'\nmake: *** [all] Error 1"
)
PANDAS = frame("/venv/lib/python3.11/site-packages/pandas/core/frame.py", "indexer = self.columns.get_loc(key)", "__getitem__")
OS = frame("/usr/lib/python3.11/os.py", "raise KeyError(key) from None", "__getitem__")


@pytest.mark.parametrize(
    "log, expected",
    [
        (CHAINED, "db_query_error"),
        (JAVA, "network_unreachable"),
        (WRAPPED, "input_missing"),
    ],
    ids=["python chain", "java chain", "wrapped by schedulers"],
)  # fmt: skip
def test_tie_break_1_the_deepest_cause_decides(log, expected):
    """B5: what a chain began with, never the words of whoever only passed it on."""
    assert category(log) == expected


@pytest.mark.parametrize(
    "log, expected",
    [
        (
            'psycopg2.OperationalError: connection to server at "db", port 5432 failed: SSL error: certificate verify failed',
            "tls_certificate",
        ),
        ("redis.exceptions.ConnectionError: Error -2 connecting to cache:6379. Name or service not known.", "network_unreachable"),
    ],
)
def test_tie_break_2_certificates_and_names_come_first(log, expected):
    """Even when a database driver reports them."""
    assert category(log) == expected


@pytest.mark.parametrize(
    "said, expected",
    [
        ("401 Client Error: Unauthorized for url: https://a.example", "auth_failed"),
        ("403 Client Error: Forbidden for url: https://a.example", "permission_denied"),
        ("429 Client Error: Too Many Requests for url: https://a.example", "rate_limited"),
        ("503 Server Error: Service Unavailable for url: https://a.example", "remote_server_error"),
        ("407 Client Error: Proxy Authentication Required for url: https://a.example", "network_unreachable"),
    ],
)
def test_tie_break_3_statuses_of_http(said, expected):
    """401 is not 403, and 407 is the proxy's."""
    assert category(f"requests.exceptions.HTTPError: {said}") == expected


def test_tie_break_3_a_proxy_that_says_403_is_the_network():
    """A 403 of the tunnel is no missing right."""
    assert category("OSError: Tunnel connection failed: 403 Forbidden") == "network_unreachable"


@pytest.mark.parametrize(
    "said, expected",
    [
        ("An error occurred (404) when calling the HeadObject operation: Not Found", "input_missing"),
        ("404 Client Error: Not Found for url: https://hub.example/models/churn/resolve/main/config.json", "model_artifact"),
        ("404 Client Error: Not Found for url: https://api.example/v1/prices", "api_contract_change"),
    ],
)
def test_tie_break_4_what_is_not_found(said, expected):
    """Data, a model, or a route."""
    assert category(f"botocore.exceptions.ClientError: {said}") == expected


@pytest.mark.parametrize(
    "log, expected",
    [
        ("ORA-00942: table or view does not exist", "db_query_error"),
        ("google.api_core.exceptions.NotFound: 404 Not found: Table shop:raw.sales_20240301", "input_missing"),
    ],
)
def test_tie_break_5_a_table_that_is_missing(log, expected):
    """Of a database it is the statement's, of a day it is the delivery's."""
    assert category(log) == expected


@pytest.mark.parametrize(
    "frames, expected",
    [
        (frame("/srv/job.py", 'df["x"]') + PANDAS, "schema_drift"),
        (frame("/srv/job.py", 'os.environ["X"]') + OS, "config_missing"),
        (frame("/srv/job.py", 'rows = response.json()["x"]'), "api_contract_change"),
        (frame("/srv/job.py", "price = prices[name]"), "code_bug"),
    ],
)
def test_tie_break_6_whose_key_is_missing(frames, expected):
    """The same KeyError is four failures, told apart by where it was raised."""
    assert category(f"{HEAD}{frames}KeyError: 'x'") == expected


@pytest.mark.parametrize(
    "path, expected",
    [
        ("in/sales.csv", "input_missing"),
        ("models/churn.pkl", "model_artifact"),
        ("/usr/lib/libodbc.so.2", "dependency_missing"),
        ("/etc/job/settings.ini", "config_missing"),
    ],
)
def test_tie_break_7_which_file_is_missing(path, expected):
    """Data, a model, a library or the configuration."""
    assert category(f"FileNotFoundError: [Errno 2] No such file or directory: '{path}'") == expected


@pytest.mark.parametrize(
    "log, expected",
    [
        ("requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='a.example', port=443): Read timed out.", "network_unreachable"),
        ("pymongo.errors.ServerSelectionTimeoutError: db.example:27017: timed out", "db_unavailable"),
        ("(1205, 'Lock wait timeout exceeded; try restarting transaction')", "db_locked_or_deadlock"),
        ("Task timed out after 120.00 seconds", "job_timeout"),
    ],
)
def test_tie_break_8_who_timed_out(log, expected):
    """A client, a driver, a lock, or the job's own limit."""
    assert category(log) == expected


@pytest.mark.parametrize(
    "log, expected",
    [
        ("BlockingIOError: [Errno 11] unable to lock file, Resource temporarily unavailable", "concurrency_lock"),
        ("pthread_create failed for thread 3 of 64: Resource temporarily unavailable", "os_limit"),
    ],
)
def test_tie_break_9_what_is_temporarily_unavailable(log, expected):
    """A lock, or one more thread."""
    assert category(log) == expected


@pytest.mark.parametrize(
    "log, expected",
    [
        ("ValueError: The feature names should match those that were passed during fit.\n- promo", "schema_drift"),
        ("ValueError: X has 3 features, but SVC is expecting 4 features as input.", "shape_mismatch"),
        ("pandera.errors.SchemaError: column 'qty' not in dataframe", "validation_failed"),
    ],
)
def test_tie_break_10_names_or_numbers(log, expected):
    """A column with a name drifted; bare numbers do not fit; what a check raised is the check's."""
    assert category(log) == expected


@pytest.mark.parametrize("code, expected", [("requests.get(u).json()", "remote_server_error"), ("json.load(open(path))", "input_corrupt")])
def test_tie_break_11_whose_json(code, expected):
    """An answer that is no JSON is the service's, a file that is none is damaged."""
    log = f"{HEAD}{frame('/srv/job.py', code)}json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
    assert category(log) == expected


@pytest.mark.parametrize(
    "log, code, expected",
    [
        ("fitting", 137, "out_of_memory"),
        ("Warning  Evicted  kubelet  The node was low on resource: memory.", 137, "infra_evicted"),
        ("DataLoader worker (pid 3) is killed by signal: Bus error. insufficient shared memory (shm)", 135, "os_limit"),
        ("nbclient.exceptions.DeadKernelError: Kernel died", 1, "notebook_kernel_died"),
        ("Out of memory: Killed process 41 (python)\nnbclient.exceptions.DeadKernelError: Kernel died", 1, "out_of_memory"),
        ("fitting", 139, "process_crashed"),
        ("fitting", 143, "infra_evicted"),
        ("fitting", 124, "job_timeout"),
    ],
)
def test_tie_break_12_how_it_died(log, code, expected):
    """137 alone is memory; an eviction, shared memory or another written cause is that."""
    assert category(log, code) == expected


@pytest.mark.parametrize(
    "log, expected",
    [
        ("sqlalchemy.exc.ArgumentError: Could not parse SQLAlchemy URL from string ''", "config_missing"),
        ("RuntimeError: environment variable API_URL is empty", "config_missing"),
    ],
)
def test_tie_break_13_an_empty_value(log, expected):
    """Empty means not set where the setting is clear."""
    assert category(log) == expected


def test_tie_break_14_loading_a_model_comes_before_versions():
    """A module that is missing while a model is loaded is the model's."""
    frames = frame("/srv/score.py", 'joblib.load("m.bin")') + frame(
        "/venv/lib/python3.11/site-packages/joblib/numpy_pickle.py", "_unpickle(f)"
    )
    assert category(f"{HEAD}{frames}ModuleNotFoundError: No module named 'sklearn.ensemble.forest'") == "model_artifact"


def test_tie_break_15_a_good_exit_with_errors_is_judged_by_the_first():
    """Exit 0 says nothing against an error that was logged."""
    assert category("ERROR OSError: [Errno 28] No space left on device\nERROR KeyError: 'x'\ndone", 0) == "disk_full"


@pytest.mark.parametrize(
    "log, expected",
    [
        ("FEHLER:  Relation »umsatz« existiert nicht", "db_query_error"),
        ("ERREUR:  la relation « ventes » n'existe pas", "db_query_error"),
        ("ERROR:  リレーション\"uriage\"は存在しません", "db_query_error"),
        ("错误:  关系 \"xiaoshou\" 不存在", "db_query_error"),
        ("OSError: [Errno 28] Auf dem Gerät ist kein Speicherplatz mehr verfügbar", "disk_full"),
        ("cp: impossible d'ouvrir 'in.csv': Aucun fichier ou dossier de ce type", "input_missing"),
        ("由于目标计算机积极拒绝，无法连接。", "network_unreachable"),
    ],
)  # fmt: skip
def test_messages_in_other_languages(log, expected):
    """Servers and systems speak the language of their machine."""
    assert category(log) == expected


@pytest.mark.parametrize(
    "log",
    [
        "[2024-05-01, 06:00:01 UTC] {taskinstance.py:1824} ERROR - Task failed\n[2024-05-01, 06:00:01 UTC] {x.py:2} INFO - MemoryError",
        '{"level": "error", "message": "step failed", "exception": "Traceback (most recent call last):\\nMemoryError"}',
        "\x1b[31mMemoryError\x1b[0m",
        "etl_1  | MemoryError",
        "> MemoryError",
        '    return f(x)\n  File "/srv/a.py", line 3, in f\n    y = x * 2\nMemoryError',
    ],
    ids=["airflow", "json", "colours", "compose", "quoted", "cut at the start"],
)
def test_what_stands_in_front_of_a_line_does_not_matter(log):
    """Logs come through schedulers, containers, terminals and mail."""
    assert category(log) == "out_of_memory"


def test_a_line_of_source_in_a_traceback_proves_nothing():
    """What the code would say is not what was said."""
    log = HEAD + frame("/srv/a.py", 'raise Retry("deadlock detected, no space left on device")') + "ZeroDivisionError: division by zero"
    assert category(log) == "code_bug"


def test_a_line_of_source_without_indentation_does_not_cut_a_trace_off():
    """Traces that were pasted or trimmed still end in their exception, with the frames before it."""
    log = 'File "/srv/a.py", line 3, in load\nlogger.debug("no space left on device")\nKeyError: \'net\'\n'
    said = [one for one in gather(case_of(log)).statements if one.kind == "raised"]
    assert [(one.types, len(one.frames)) for one in said] == [(("KeyError",), 1)] and category(log) == "code_bug"


def test_causes_count_in_a_trace_that_is_indented_as_a_whole():
    """A trace of Java that was logged by a space further in still tells its deepest cause."""
    log = " org.acme.StartException: no\n    at org.acme.Main.main(Main.java:3)\n Caused by: java.net.ConnectException: Connection refused"
    assert category(log) == "network_unreachable"


def test_a_special_signature_wins_over_a_general_one_that_was_said_first():
    """Of two that prove as much, what names the cause decides, not what any failure of that kind says."""
    log = "ERROR remote rpc client disassociated\nERROR java.lang.OutOfMemoryError: Java heap space"
    assert category(log) == "out_of_memory"


def test_what_was_got_over_does_not_decide():
    """A call that was retried, and warnings of libraries, weigh less than the error at the end, however plain that is."""
    warned = "WARNING urllib3.connectionpool: Retrying (Retry(total=2)) after connection broken by 'ReadTimeoutError'\n"
    assert category(warned + "x.py:3: FutureWarning: append is deprecated and will be removed\nTypeError: bad operand") == "code_bug"


def test_only_a_warning_is_judged_with_less_confidence():
    """Where nothing else is said, a warning is what there is."""
    verdict = decide(case_of("WARNING - request 1 failed: You exceeded your current quota, insufficient_quota"))
    assert verdict.category == "rate_limited" and verdict.confidence != "high"


def test_the_probe_tells_the_chain_where_nothing_was_printed():
    """The evidence of a run counts as the log does."""
    chain = (
        Cause("RuntimeError", "load failed"),
        Cause("PermissionError", "[Errno 13] Permission denied: '/data/x'", "cause", (), (Frame("/srv/a.py", 3, "f"),)),
    )
    verdict = decide(Case(exit_code=1, failure=Failure("exception", "python", "RuntimeError", "load failed", None, chain, (), "probe")))
    assert (verdict.category, verdict.owner_kind, verdict.confidence) == ("permission_denied", "platform", "high")
    assert "/srv/a.py:3" in verdict.evidence[0]


def test_a_failed_transaction_explains_a_silent_exit():
    """B5: what was swallowed before the last line is evidence."""
    call = Transaction(3, "http.request", "https://api.example/v1", ok=False, error={"type": "HTTPError", "message": "refused"}, status=503)
    assert decide(Case(exit_code=1, lines=("giving up",), transactions=(call,))).category == "remote_server_error"


def test_a_failure_that_was_swallowed_is_less_sure_than_the_exception_that_ended_the_run():
    """An optional file that is not there need have nothing to do with it; where nothing was raised, it is all there is."""
    error = {"type": "FileNotFoundError", "message": "[Errno 2] No such file or directory: 'data/holidays.csv'"}
    looked = Transaction(1, "file.read", "/srv/data/holidays.csv", ok=False, error=error)
    boo = Failure("exception", "python", "ValueError", "boo", None, (Cause("ValueError", "boo"),), (), "probe")
    sure = [decide(Case(exit_code=1, failure=failure, transactions=(looked,))) for failure in (None, boo)]
    assert [(one.category, one.confidence) for one in sure] == [("input_missing", "medium"), ("input_missing", "low")]


def test_a_timeout_names_what_never_ended():
    """A run over its limit says what it was waiting for."""
    verdict = decide(Case(outcome="timed_out", transactions=(Transaction(2, "db.query", "postgresql://dw/sales SELECT orders"),)))
    assert verdict.category == "job_timeout" and "postgresql://dw/sales" in " ".join(verdict.evidence)


def test_memory_that_the_kernel_counted_is_sure():
    """137 with a counted kill leaves no doubt."""
    verdict = decide(Case(exit_code=137, signal=9, oom=True))
    assert (verdict.category, verdict.confidence) == ("out_of_memory", "high")


def test_unknown_is_a_verdict_with_evidence_and_a_row_to_add():
    """Honest where nothing is known."""
    verdict = decide(case_of("loading\nFrobnicationError: flux 3 is amiss", 1))
    assert (verdict.category, verdict.row, verdict.source, verdict.confidence) == ("unknown", None, "unknown", "low")
    assert "flux 3" in verdict.evidence[0] and 'exception = "FrobnicationError"' in " ".join(verdict.steps)


EXAMPLES = [signature.example for signature in catalogue()]


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(EXAMPLES), max_size=4).map("\n".join),
        st.binary().map(lambda raw: raw.decode("utf-8", "backslashreplace")),
    ),
    st.one_of(st.none(), st.integers(-70, 300)),
)
def test_any_text_gets_a_verdict(log, exit_code):
    """B5: whatever a job prints, triage answers and never raises."""
    verdict = decide(case_of(log, exit_code))
    assert verdict.category and verdict.confidence in ("high", "medium", "low")


@pytest.mark.parametrize(
    "filler",
    [
        "a" * 1_000_000,
        "Traceback (most recent call last):\n" * 20_000,
        "KeyError: 'x'\n" * 40_000,
        "[" * 500_000,
        "\x1b[" * 300_000,
        " \n" * 200_000,
    ],
)
def test_a_hostile_log_takes_bounded_time(filler):
    """T26: no text makes a verdict slow; 1 MiB of anything is judged in seconds."""
    began = time.monotonic()
    decide(case_of(filler + "\nMemoryError"))
    assert time.monotonic() - began < 8


KINDS = [line.split("|", 1) for line in (Path(__file__).parent / "kinds.txt").read_text("utf-8").splitlines()]


def test_messages_of_many_libraries_keep_their_category():
    """A thousand messages, in kinds.txt: a signature that is made wider must not take another's."""
    told = [(kind, log, category(log.replace("\\n", "\n").replace("\\t", "\t"))) for kind, log in KINDS]
    assert [(log, found) for kind, log, found in told if kind != found] == []


@pytest.mark.parametrize(
    "log, expected",
    [
        ("java.io.FileNotFoundException: /out/part-0 (Permission denied)", "platform"),
        ("System.UnauthorizedAccessException: Access to the path 'C:\\out' is denied.", "platform"),
        ("chown: changing ownership of '/data': Operation not permitted", "platform"),
        (
            'Error in file(con, "w") : cannot open the connection\nIn file(con, "w") : cannot open file \'x.csv\': Permission denied',
            "platform",
        ),
        ('AccessControlException: Permission denied: user=bi, access=READ, inode="/lake":hr', "security/identity"),
        ("redis.exceptions.NoPermissionError: this user has no permissions to run the 'flushall' command", "dba"),
        ("Code: 62. DB::Exception: Syntax error: failed at position 8", "data_scientist"),
        ("psycopg2.errors.NumericValueOutOfRange: integer out of range", "data_scientist"),
        ("ERROR:  value too long for type character varying(10)", "dba"),
        ("ERROR 1054: Unknown column 'amt' in 'field list'", "dba"),
    ],
)
def test_the_owner_of_a_missing_right_or_a_rejected_statement_depends_on_whose_it_is(log, expected):
    """Files are the platform's, grants the database's, statements their author's."""
    assert decide(case_of(log)).owner_kind == expected


@pytest.mark.parametrize(
    "log, expected",
    [
        ("acme.store.BatchNotFoundException: 17", "input_missing"),
        ("acme.TokenExpiredException: 17", "auth_failed"),
        ("acme.QuotaUsedUpException: 17", "rate_limited"),
        ("acme.TruncatedBlockException: 17", "input_corrupt"),
    ],
)
def test_what_no_signature_knows_is_read_off_the_name_of_its_exception(log, expected):
    """A library that nobody has heard of still names its exceptions: a verdict with low confidence is better than none."""
    verdict = decide(case_of(log))
    assert (verdict.category, verdict.confidence) == (expected, "low")


NOISE = "checking for new files, none found, using cache\nvalidation: 0 rows rejected\nlock acquired\nretry 1 of 3: timeout\n"


def test_what_is_said_in_passing_does_not_decide_against_an_exception():
    """Words of trouble in the progress of a job are no failure: the exception that ended it is."""
    log = NOISE + HEAD + frame("/srv/job.py", "open(path)") + "FileNotFoundError: [Errno 2] No such file or directory: 'in/sales.csv'"
    assert category(log) == "input_missing"


@pytest.mark.parametrize("after", ["INFO removing part %d of 9000", "WARNING worker %d did not answer yet, asking again"])
def test_a_cause_in_the_middle_of_a_long_log_is_found(after):
    """Thousands of lines before and after an error, also such as speak of trouble themselves, do not hide it."""
    lines = [f"wrote part {number}" for number in range(900)]
    trace = (HEAD + frame("/srv/job.py", "open(path)") + "OSError: [Errno 28] No space left on device: 'out.csv'").split("\n")
    assert category("\n".join([*lines, *trace, *(after % number for number in range(9000))])) == "disk_full"


def test_a_number_of_three_digits_is_no_status():
    """Dimensions and counts are not read as answers of a server."""
    assert category("AssertionError: vectors not aligned: expected 768 dims, got 512") == "shape_mismatch"


def test_the_folder_of_a_job_says_nothing():
    """A job that lies in …/popen/ or …/models/ fails as one that lies elsewhere."""
    log = 'Traceback (most recent call last):\n  File "/srv/popen/models/config/job.py", line 1, in <module>\n'
    log += "FileNotFoundError: [Errno 2] No such file or directory: '/feeds/sales-2026-11-23.csv'\n"
    assert decide(case_of(log, 1)).category == "input_missing"
