"""Drills of jobs that the probe cannot enter: shell, R, anything. The kernel holds them back, and breaks what they read and reach.

`can_enclose` asks whether this machine lets us; `Enclosed` prepares each rehearsal: the enclosure's spec, the gate on its network, the
job's environment; and makes transactions of what both of them saw.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from offduty.drills.enclosure import LITTLE_MEMORY, Spec
from offduty.drills.faults import FAULTS
from offduty.drills.gate import LATE, Gate, Rules, Server, server_of
from offduty.drills.reads import below
from offduty.drills.scratch import Scratch
from offduty.drills.spoil import ON_FILES
from offduty.drills.synthetic import SHELL, age_of, column_of
from offduty.errors import CannotDrill, quoted
from offduty.settings.launch import environment
from offduty.transactions.transaction import Transaction

if TYPE_CHECKING:
    from offduty.drills.plan import Planned
    from offduty.drills.synthetic import Spot
    from offduty.settings.load import Settings

PROXY = ("127.0.0.1", 3128)
NOBODY = "127.66.6.6"
TABLES = (".csv", ".tsv")
CODE = (".sh", ".bash", ".py", ".r", ".rmd", ".pl", ".awk", ".sql", ".jl", ".toml", ".ipynb", ".pyc", ".so", ".rb", ".mk")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/dev", "/proc", "/sys", "/boot")
SHARE_OF_LIMIT, LONGEST_PATIENCE = 0.25, 30.0
SEEN = ("read", "asked", "peak")
"""Notes of what the job did, which are made into transactions."""
MOST_SPOTS = 10
STATUSES = ("status-401", "status-403", "status-404", "status-429", "status-500", "garbage")
_NAMED = re.compile(r"[\w.~+-]*(?:/[\w.+-]+)+|[\w+-]+\.\w+")
_ADDRESS = re.compile(r"\d+(?:\.\d+){3}")


def can_enclose() -> str:
    """Why this machine does not let us hold a program back by the kernel; "" if it does. Tried with a program that does nothing."""
    with Scratch() as scratch:
        try:
            done = subprocess.run(
                [*enclosing(write_spec(scratch, Spec(scratch.path))), "true"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    return "" if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2].partition("made safe: ")[2] or "it cannot be tried"


def enclosing(spec: str) -> list[str]:
    """What stands before the command."""
    return [sys.executable, "-I", "-m", "offduty.drills.enclosure", spec]


def write_spec(scratch: Scratch, spec: Spec) -> str:
    """The path of the spec as a file."""
    path = f"{scratch.path}/enclosure.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(asdict(spec), file)
    return path


class Enclosed:
    """How the job `name` is rehearsed where the kernel holds it. `allow`: globs; `limit`: seconds of one rehearsal.

    Raises CannotDrill E823 for a server in `[drill] through` that cannot be read.
    """

    def __init__(self, settings: Settings, name: str, allow: Sequence[str], limit: float) -> None:
        self.launch: Mapping[str, Any] = settings.launch(name)
        self.allow = list(allow)
        self.patience = min(LONGEST_PATIENCE, limit * SHARE_OF_LIMIT)
        self.values = environment(self.launch, os.environ)[0]
        environ = {**os.environ, **self.values}
        job = settings.job(name).drill.through
        self.servers = [_server(text, environ) for text in (settings.drill.through if job is None else job) or ()]
        self.is_big = False
        self.folders = list(dict.fromkeys(self._folders()))

    def gate(self, scratch: Scratch, planned: Planned | None) -> Gate:
        """What is on the job's network. To be entered before the job starts."""
        struck = _cut_off(planned)
        doors = [None, *(one for one in self.servers if struck is None or one.host != struck.host)]
        fault = planned.fault if planned is not None and struck is None and planned.spot.op else ""
        rules = Rules(
            self.allow, self.servers, fault if fault in (*STATUSES, *LATE) else "", planned.spot.op if planned else "",
            planned.spot.target if planned else "", self.patience,
        )  # fmt: skip
        return Gate(f"{scratch.path}/gate", doors, rules, lambda *told: _note(scratch, *told))

    def spec(self, scratch: Scratch, planned: Planned | None) -> str:
        """The path of the enclosure's spec. What is broken by leaving it away is noted at once."""
        struck = _cut_off(planned)
        if struck is not None and planned is not None:
            _note(scratch, "struck", planned.spot.op, planned.spot.target, planned.fault)
        names = self._addresses(struck, hidden=planned is not None and planned.fault == "dns")
        doors = [PROXY, *((names[one.host], one.port) for one in self.servers if struck is None or one.host != struck.host)]
        spec = Spec(
            scratch.path, self.allow, folders=self.folders, doors=doors, addresses=list(names.values()), gate=f"{scratch.path}/gate",
            hosts=_hosts(names),
        )  # fmt: skip
        return write_spec(scratch, spec if planned is None else _broken(spec, planned))

    def environ(self, planned: Planned | None) -> dict[str, str]:
        """The proxy, for all programs that honour it; the server that is cut off is asked without it."""
        struck = _cut_off(planned)
        proxy = f"http://{PROXY[0]}:{PROXY[1]}"
        names = {"http_proxy": proxy, "https_proxy": proxy, "all_proxy": proxy, "no_proxy": struck.host if struck else ""}
        return {**names, **{name.upper(): value for name, value in names.items()}}

    def seen(self, notes: Sequence[Mapping[str, Any]], ledger: Sequence[Transaction]) -> list[Transaction]:
        """What the enclosure and the gate saw the job touch, and no probe in a part of it did."""
        peaks = [int(one["target"]) for one in notes if one["did"] == "peak"]
        self.is_big = any(peak > LITTLE_MEMORY for peak in peaks)
        known = {(one.op, one.target) for one in ledger}
        told = [(str(one["op"]), str(one["target"])) for one in notes if one["did"] in ("read", "asked", "redirected")]
        wanted = [one for one in dict.fromkeys(told) if one not in known and (one[0] != "file.read" or self._is_data(one[1]))]
        return [Transaction(len(ledger) + number, op, target) for number, (op, target) in enumerate(wanted, 1)]

    def _is_data(self, path: str) -> bool:
        """Not the job's own code, nor a program."""
        return not path.lower().endswith(CODE) and not os.access(path, os.X_OK) and path not in self._words()

    def _addresses(self, struck: Server | None, *, hidden: bool) -> dict[str, str]:
        """The address inside of each host: its own, or one of a loopback. `hidden`: the one that is struck has none at all."""
        found = {one.host: _address(one.host) or f"127.66.0.{number}" for number, one in enumerate(self.servers, 1)}
        if struck is not None:
            found[struck.host] = _address(struck.host) or NOBODY
            if hidden:
                del found[struck.host]
        return found

    def _folders(self) -> Iterator[str]:
        """Where it may read: its own folder, and those of the files that its command, script and variables name."""
        cwd = str(self.launch["cwd"])
        yield from below(cwd)
        for text in self._texts(cwd):
            for word in _NAMED.findall(text):
                folder = os.path.dirname(os.path.abspath(os.path.join(cwd, os.path.expanduser(word))))
                if os.path.isdir(folder) and not folder.startswith(SYSTEM) and folder != "/":
                    yield folder

    def _words(self) -> list[str]:
        return [str(word) for word in self.launch["command"] or [self.launch["shell"] or ""]]

    def _texts(self, cwd: str) -> Iterator[str]:
        yield from (*self._words(), *self.values.values())
        for word in self._words():
            try:
                with open(os.path.join(cwd, word), encoding="utf-8", errors="replace") as file:
                    yield file.read(1 << 20) if word.lower().endswith(CODE) or os.access(file.name, os.X_OK) else ""
            except (OSError, ValueError):  # no file, or no name of one
                continue


def trials(spots: Iterable[Spot], *, is_big: bool, everything: bool = False) -> list[tuple[Spot, str]]:
    """(spot, fault) of what can be brought about from outside at what was seen there; of each op the first ten spots, or `everything`.

    `is_big`: it can run out of memory.
    """
    found: list[tuple[Spot, str]] = []
    ops: Counter[str] = Counter()
    for spot in sorted(dict.fromkeys(spots), key=lambda one: one.dependency is None):
        if spot.via == SHELL and (everything or ops[spot.op] < MOST_SPOTS):
            found += [(spot, fault) for fault in playable(spot, first=not ops[spot.op]) if fault != "memory" or is_big]
            ops[spot.op] += 1
    return found


def playable(spot: Spot, *, first: bool) -> list[str]:
    """The faults that enclosure and gate can bring about there. `first`: of its kind; what concerns all alike is played once."""
    if spot.op == "file.read":
        names = [
            *(one for one in ON_FILES if not one.startswith("column-") or spot.target.lower().endswith(TABLES)),
            *(("memory",) * first),
        ]
    elif spot.op == "file.write":
        names = ["disk-full"] * first
    else:
        host = _place(spot).host
        named = not _address(host)
        names = ["refused", *(("dns",) * named), *LATE, *(STATUSES if spot.target.startswith("http://") else ())]
    return [name for name in names if FAULTS[name].strikes(spot.op)]


def _broken(spec: Spec, planned: Planned) -> Spec:
    """With what the enclosure itself has to do."""
    fault, spot = planned.fault, planned.spot
    if FAULTS[fault].by == "signal" or fault in ("disk-full", "memory") or (fault in ON_FILES and spot.op == "file.read"):
        return replace(spec, fault=fault, op=spot.op, path=spot.target, age=age_of(spot), column=column_of(spot))
    return spec


def _cut_off(planned: Planned | None) -> Server | None:
    """The server that nothing leads to in this rehearsal."""
    return _place(planned.spot) if planned is not None and planned.fault in ("refused", "dns") and planned.spot.via == SHELL else None


def _place(spot: Spot) -> Server:
    return server_of(spot.target, {}) or Server("localhost", 80)


def _address(host: str) -> str:
    """Of what is an address already, or this machine; else ""."""
    return "127.0.0.1" if host == "localhost" else host if _ADDRESS.fullmatch(host) else ""


def _hosts(names: Mapping[str, str]) -> str:
    """`/etc/hosts` with ours in front: the first line that fits counts."""
    try:
        with open("/etc/hosts", encoding="utf-8", errors="replace") as file:
            usual = file.read()
    except OSError:
        usual = "127.0.0.1 localhost\n"
    lines = [line for line in usual.splitlines() if not set(line.split()[1:]) & set(names)]
    own = [f"{address} {host}" for host, address in names.items() if host != address]
    return "\n".join([*own, *lines, ""])


def _server(text: str, environ: Mapping[str, str]) -> Server:
    found = server_of(text, environ)
    if found is None:
        why = "it has to be `host:port`, a URL, or the name of a variable that holds one of them"
        raise CannotDrill("E823", f"{quoted(text)} in `through` names no server", where="[drill]", why=why, fix="see config.md")
    return found


def _note(scratch: Scratch, did: str, op: str, target: str, why: str) -> None:
    with open(f"{scratch.path}/notes.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"did": did, "op": op, "target": target, "why": why, "pid": os.getpid()}) + "\n")
