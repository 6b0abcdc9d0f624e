"""Run a program in a world of its own: what it writes lies in a layer that is thrown away, its network leads to the drill's gate alone.

python -I -m offduty.drills.enclosure SPEC COMMAND…     SPEC: a JSON file, see `Spec`

1. Namespaces of users, mounts, processes, network, IPC and names; a helper that stayed outside writes who is who.
2. The first process in there builds the file system and the network, spoils what is to be spoilt, and starts the job.
3. When the job has ended it notes what was read and written, and goes; everything else in there goes with it.
4. We end as the job ended. If anything of this cannot be done, the job is not started: status 125.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import glob

from offduty.drills import kernel, network
from offduty.drills.reads import Watch
from offduty.drills.spoil import ON_FILES, spoil
from offduty.drills.world import FULL, World, mounted, named_sockets, written
from offduty.runs import oom
from offduty_probe.drill import SIGNALS

UNSAFE, NOT_FOUND, NOT_EXECUTABLE = 125, 127, 126
LEFT_TO_THE_JOB = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
LITTLE_MEMORY = 24 << 20
"""Less than any program has that was seen to use more."""
MOST_NOTES = 200
OURS = kernel.NEW_USERS | kernel.NEW_MOUNTS | kernel.NEW_PIDS | kernel.NEW_NETWORK | kernel.NEW_IPC | kernel.NEW_NAMES


@dataclass(frozen=True)
class Spec:
    """`scratch`: the drill's folder; `allow`: globs of paths that are written for real; `fault`: the name of what to bring about, at
    `path` by `op`, with `age` seconds and `column`; `folders`: where to look for what is read; `doors`: (address, port) that lead to
    `gate`, `addresses`: which of them there are, with those that nothing listens at; `hosts`: the text of `/etc/hosts`.
    """

    scratch: str
    allow: Sequence[str] = ()
    fault: str = ""
    op: str = ""
    path: str = ""
    age: float = 0.0
    column: str = ""
    folders: Sequence[str] = ()
    doors: Sequence[Sequence[str | int]] = ()
    addresses: Sequence[str] = ()
    hosts: str = ""
    gate: str = ""


def main(argv: Sequence[str]) -> int:
    """Run the command, and end as it ends."""
    try:
        with open(argv[0], encoding="utf-8") as file:
            spec = Spec(**json.load(file))
        report, told = os.pipe()
        sockets = named_sockets()
        _leave_home()
        kernel.die_with_parent(signal.SIGKILL)
        inside = os.fork()
        if inside == 0:
            os._exit(_first(spec, argv[1:], told, sockets))
        os.close(told)
    except Exception as error:  # noqa: BLE001 - better no job than one that is not held back
        return _unsafe(error)
    for number in LEFT_TO_THE_JOB:
        signal.signal(number, signal.SIG_IGN)
    text = os.read(report, 32)
    _, status = os.waitpid(inside, 0)
    return _end_as(int(text)) if text else os.waitstatus_to_exitcode(status)


def _unsafe(error: BaseException) -> int:
    os.write(2, f"offduty: the drill cannot be made safe: {type(error).__name__}: {error}\n".encode(errors="replace"))
    return UNSAFE


def _end_as(status: int) -> int:
    """As the job did: its exit status, or its signal."""
    if not os.WIFSIGNALED(status):
        return os.waitstatus_to_exitcode(status)
    number = os.WTERMSIG(status)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number


def _leave_home() -> None:
    """Namespaces of our own, in which everybody has the number they had before."""
    read, write = os.pipe()
    me = os.getpid()
    helper = os.fork()
    if helper == 0:
        os.close(write)
        os._exit(_name_everybody(me) if os.read(read, 1) else 1)
    os.close(read)
    kernel.unshare(OURS)
    os.write(write, b"x")
    os.close(write)
    if os.waitpid(helper, 0)[1] != 0:
        raise PermissionError("the numbers of users cannot be kept")


def _name_everybody(pid: int) -> int:
    """Done by a process outside. Whoever is not root has only themselves."""
    try:
        is_root = os.geteuid() == 0
        if not is_root:
            _write(f"/proc/{pid}/setgroups", "deny")
        for kind, own in (("uid", os.geteuid()), ("gid", os.getegid())):
            _write(f"/proc/{pid}/{kind}_map", _same(f"/proc/self/{kind}_map") if is_root else f"{own} {own} 1")
    except OSError:
        return 1
    return 0


def _same(path: str) -> str:
    with open(path, encoding="ascii") as file:
        ranges = [line.split() for line in file]
    return "".join(f"{first} {first} {count}\n" for first, _, count in ranges)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _first(spec: Spec, command: Sequence[str], told: int, sockets: Sequence[str]) -> int:
    """The first process in there: builds the world, runs the job, tells how it ended."""
    try:
        kernel.die_with_parent(signal.SIGKILL)
        if os.getpid() != 1:
            raise PermissionError("no processes of its own")  # a signal to all would be one to all of this machine
        cwd = os.getcwd()
        world = _build(spec)
        _connect(spec, world)
        world.silence(sockets, spec.allow)
        kernel.enter(world.root)
        os.chdir(cwd)
        _bring_about(spec, world)
        known = set(_all_written(world, spec))
        watch = Watch(spec.folders)
        if spec.fault == "disk-full":
            world.fill()
            _note(spec, "struck", "file.write", spec.path, spec.fault)
    except Exception as error:  # noqa: BLE001 - see main
        return _unsafe(error)
    status = _run(command, spec)
    os.write(told, str(status).encode())
    if spec.fault == "memory":
        _note(
            spec,
            "struck" if status else "unable",
            spec.op,
            spec.path,
            f"{LITTLE_MEMORY >> 20} MiB" + ("" if status else " are enough for it"),
        )
    _note(spec, "peak", "process.spawn", str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10))
    _tell(spec, watch, [one for one in _all_written(world, spec) if one not in known])
    return 0


def _build(spec: Spec) -> World:
    """The file system, ready to be entered."""
    kernel.mount("", "/", flags=kernel.RECURSIVE | kernel.SLAVE)
    mounts = mounted()
    for name in ("root", "room", "own"):
        os.makedirs(f"{spec.scratch}/{name}", exist_ok=True)
    world = World(f"{spec.scratch}/root", f"{spec.scratch}/room", mounts)
    kernel.mount("tmpfs", world.root, "tmpfs", kernel.NOSUID | kernel.NODEV, "mode=755")
    if spec.fault == "disk-full":
        world.use_tmpfs(FULL)
    world.lay()
    world.own_parts()
    world.put(spec.scratch, spec.scratch)
    if world.on_tmpfs:
        kernel.mount(world.room, f"{world.root}{spec.scratch}/room", flags=kernel.BIND)
    if spec.fault == "disk-full":
        os.makedirs(f"{world.room}/tmp")
        kernel.mount(f"{world.room}/tmp", f"{world.root}{spec.scratch}/tmp", flags=kernel.BIND)
    for path in opened(spec.allow):
        world.put(path, path)
    return world


def opened(allow: Sequence[str]) -> Iterator[str]:
    """The folders and files that globs open: the folder of `/folder/*`, with what is yet to come there; else what is there already."""
    for one in allow:
        folder = one.rstrip("*").rstrip("/")
        if one.endswith("/*") and one.startswith("/") and os.path.isdir(folder):
            yield folder
        elif one.startswith("/"):
            yield from glob(one)


def _connect(spec: Spec, world: World) -> None:
    network.raise_up(spec.addresses)
    if spec.hosts:
        _write(f"{spec.scratch}/own/hosts", spec.hosts)
        world.put(f"{spec.scratch}/own/hosts", "/etc/hosts")
    if spec.doors:
        network.open_doors(spec.doors, spec.gate)


def _bring_about(spec: Spec, world: World) -> None:
    if spec.fault not in ON_FILES:
        return
    path = os.path.realpath(spec.path)
    try:
        if not world.holds(path):
            raise ValueError("the job may write there for real, or only read: it cannot be spoilt for the job alone")
        spoil(path, spec.fault, spec.age, spec.column)
        _note(spec, "struck", "file.read", spec.path, spec.fault)
    except (OSError, ValueError) as error:
        _note(spec, "unable", "file.read", spec.path, str(error))


def _run(command: Sequence[str], spec: Spec) -> int:
    """The status of the job, as waitpid has it. Orphans come to us, and are let go."""
    begun, begins = os.pipe()
    job = os.fork()
    if job == 0:
        os._exit(_become(command, spec))
    os.close(begins)
    os.read(begun, 1)  # the end: the job's own program has begun
    if spec.fault == "oom":
        oom.count(spec.scratch, 1)  # where the supervisor of a drill looks
    if spec.fault in SIGNALS:
        os.kill(-1, SIGNALS[spec.fault])
    while True:
        pid, status = os.wait()
        if pid == job:
            return status


def _become(command: Sequence[str], spec: Spec) -> int:
    kernel.give_up(kernel.SYS_ADMIN)
    if spec.fault == "memory":
        resource.setrlimit(resource.RLIMIT_AS, (LITTLE_MEMORY, LITTLE_MEMORY))
    try:
        os.execvp(command[0], list(command))
    except FileNotFoundError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode(errors="replace"))
        return NOT_FOUND
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode(errors="replace"))
        return NOT_EXECUTABLE


def _all_written(world: World, spec: Spec) -> list[tuple[str, str, int]]:
    """(what, path, when) of everything in the layers."""
    found = []
    for did, path in written(world.layers):
        if not path.startswith((f"{spec.scratch}/", "/dev/")):
            found.append((did, path, 0 if did == "left out" else os.lstat(path).st_mtime_ns))
    return found


def _tell(spec: Spec, watch: Watch, changed: Sequence[tuple[str, str, int]]) -> None:
    """What the job read and wrote, as notes of the drill."""
    made = {path for did, path, _ in changed if did == "redirected"}
    for path in watch.paths()[:MOST_NOTES]:
        if path not in made and not path.startswith(f"{spec.scratch}/"):
            _note(spec, "read", "file.read", path)
    for did, path, _ in changed[:MOST_NOTES]:
        _note(spec, did, "file.write" if did == "redirected" else "file.delete", path)


def _note(spec: Spec, did: str, op: str, target: str, why: str = "") -> None:
    line = json.dumps({"did": did, "op": op, "target": target, "why": why, "pid": os.getpid()})
    with open(f"{spec.scratch}/notes.jsonl", "a", encoding="utf-8") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
