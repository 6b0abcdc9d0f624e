"""The file system that an enclosed job sees: this machine's own, with a layer over each part of it that takes whatever is written.

A layer is an overlay; where the kernel cannot make one (some network file systems), that part can only be read. Devices are a few
harmless ones; sockets of this machine's services are not there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from offduty.drills import kernel

OF_THE_KERNEL = frozenset(
    "proc sysfs devtmpfs devpts mqueue cgroup cgroup2 securityfs debugfs tracefs bpf configfs efivarfs hugetlbfs fusectl autofs"
    " binfmt_misc rpc_pipefs nsfs pstore selinuxfs".split()
)
OURS = ("/proc", "/sys", "/dev")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
LOOKED_AT = ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi", "mtrr")
"""Of /proc: what sets the machine, for whoever is root outside too."""
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
SOCKETS = ("/run", "/var/run")
MOST_ENTRIES = 200
FULL = "16k"
"""The room of a full disk: what is left of it is filled."""


@dataclass
class World:
    """`root`: where it is built; `room`: where the layers lie; `mounts`: (path, kind) of everything that is mounted.

    `layers`: the upper folder of each layer by the path that it covers; `own`: the numbers of their mounts.
    """

    root: str
    room: str
    mounts: list[tuple[str, str]]
    layers: dict[str, str] = field(default_factory=dict)
    own: set[int] = field(default_factory=set)
    on_tmpfs: bool = False

    def lay(self, path: str = "/") -> None:
        """Show the folder `path`, with layers over everything in it that is no mount of the kernel's."""
        if path in OURS:
            return
        kind = next((kind for point, kind in reversed(self.mounts) if point == path), "")
        if kind in OF_THE_KERNEL:
            self._show(path)
        elif any(point.startswith(path.rstrip("/") + "/") for point, _ in self.mounts):
            self._open(path)
        else:
            self._cover(path)

    def _open(self, path: str) -> None:
        """A folder in which something is mounted: the kernel lets no layer cover it, so its entries get one each."""
        entries = _entries(path)
        if len(entries) > MOST_ENTRIES:
            self._show(path)
            return
        _make_like(path, self.root + path)
        for entry in entries:
            there = self.root + entry.path
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), there)
            elif entry.is_dir():
                self.lay(entry.path)
            elif entry.is_file():
                self._show(entry.path)

    def _cover(self, path: str) -> None:
        there, layer = self.root + path, f"{self.room}/{len(self.layers)}"
        _make_like(path, there)
        try:
            self._overlay(path, there, layer)
        except OSError:
            if self.on_tmpfs:
                self._show(path)
                return
            self.use_tmpfs()
            self._cover(path)

    def _overlay(self, path: str, there: str, layer: str) -> None:
        os.makedirs(f"{layer}/work")
        _make_like(path, f"{layer}/upper")
        names = {"lowerdir": path, "upperdir": f"{layer}/upper", "workdir": f"{layer}/work"}
        options = ",".join(f"{key}={_escaped(value)}" for key, value in names.items())
        kernel.mount("overlay", there, "overlay", kernel.NOSUID | kernel.NODEV, f"{options},userxattr")
        self.layers[path] = f"{layer}/upper"
        self.own.add(kernel.mount_of(there))

    def holds(self, path: str) -> bool:
        """Whether a change of what is at `path` falls into a layer; else it would be one of the real file. Raises OSError."""
        return kernel.mount_of(path) in self.own

    def use_tmpfs(self, size: str = "50%") -> None:
        """Layers in memory from now on: for folders that no layer can lie in, and for a disk that is full."""
        self.on_tmpfs = True
        kernel.mount("tmpfs", self.room, "tmpfs", kernel.NOSUID | kernel.NODEV, f"size={size},mode=700")

    def _show(self, path: str) -> None:
        """As it is, for reading only."""
        there = self.root + path
        if os.path.isdir(path):
            os.makedirs(there, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(there), exist_ok=True)
            os.close(os.open(there, os.O_CREAT | os.O_WRONLY, 0o600))
        try:
            kernel.bind(path, there, writable=False)
        except PermissionError:  # not ours to see
            os.chmod(there, 0)

    def own_parts(self) -> None:
        """What every system has: processes, devices, and the kernel's own settings, which can only be read."""
        for path in OURS:
            os.makedirs(self.root + path, exist_ok=True)
        try:
            kernel.mount("proc", f"{self.root}/proc", "proc", kernel.NOSUID | kernel.NODEV)
        except OSError:  # in a container whose own is covered in part
            kernel.bind("/proc", f"{self.root}/proc", writable=True)
        for name in LOOKED_AT:
            if os.path.exists(f"/proc/{name}"):
                kernel.bind(f"/proc/{name}", f"{self.root}/proc/{name}", writable=False)
        kernel.bind("/sys", f"{self.root}/sys", writable=False)
        self._devices(f"{self.root}/dev")

    def _devices(self, there: str) -> None:
        kernel.mount("tmpfs", there, "tmpfs", kernel.NOSUID, "size=1m,mode=755")
        for name in DEVICES:
            os.close(os.open(f"{there}/{name}", os.O_CREAT | os.O_WRONLY, 0o600))
            kernel.bind(f"/dev/{name}", f"{there}/{name}", writable=True)
        for name, aim in LINKS.items():
            os.symlink(aim, f"{there}/{name}")
        os.mkdir(f"{there}/shm")
        kernel.mount("tmpfs", f"{there}/shm", "tmpfs", kernel.NOSUID | kernel.NODEV, "mode=1777")
        os.mkdir(f"{there}/pts")
        if os.path.isdir("/dev/pts"):
            kernel.bind("/dev/pts", f"{there}/pts", writable=True)

    def put(self, source: str, path: str) -> None:
        """Show `source`, a file or folder, at `path` for writing, if there is anything to put it over."""
        if os.path.exists(self.root + path):
            kernel.bind(source, self.root + path, writable=True)

    def silence(self, sockets: Sequence[str], allowed: Sequence[str]) -> None:
        """Nobody answers at the `sockets` of this machine's services: what is only shown, a job could connect to."""
        for path in sorted({*map(os.path.realpath, sockets), *_lying_about()}):
            if not any(fnmatchcase(path, glob) for glob in allowed) and stat.S_ISSOCK(_mode(self.root + path)):
                self.put("/dev/null", path)

    def fill(self) -> None:
        """Use up what is left of the room: the disk is full."""
        with open(f"{self.room}/filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                return


def mounted() -> list[tuple[str, str]]:
    """(path, kind) of everything that is mounted for this process, in order."""
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            words, _, rest = line.partition(" - ")
            found.append((_decoded(words.split()[4]), rest.split()[0]))
    return found


def named_sockets() -> list[str]:
    """Those that processes have bound to a path, in the network of whoever asks."""
    with open("/proc/net/unix", encoding="utf-8", errors="surrogateescape") as file:
        words = [line.split(None, 7) for line in file]
    return [found[7].rstrip("\n") for found in words if len(found) == 8 and found[7].startswith("/")]


def _lying_about() -> Iterator[str]:
    """Those of other machines and containers, where they usually are shown."""
    for folder in SOCKETS:
        for where, _, names in os.walk(folder):
            yield from (f"{where}/{name}" for name in names if stat.S_ISSOCK(_mode(f"{where}/{name}")))


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0


def _decoded(text: str) -> str:
    """Blanks and the like are written in octal."""
    for code, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, letter)
    return text


def _escaped(path: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\,:" else letter for letter in path)


def _entries(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            return list(found)
    except OSError:  # not ours to see
        return []


def _make_like(path: str, there: str) -> None:
    """A folder `there` with the rights of `path`; its owner too, where we may."""
    os.makedirs(there, exist_ok=True)
    facts = os.stat(path)
    try:
        os.chown(there, facts.st_uid, facts.st_gid)
    except OSError:
        pass
    os.chmod(there, stat.S_IMODE(facts.st_mode))


def written(layers: dict[str, str]) -> Iterator[tuple[str, str]]:
    """(`redirected` or `left out`, path) of each file that lies in a layer: written, or removed."""
    for path, upper in layers.items():
        for folder, _, names in os.walk(upper):
            for name in names:
                facts = os.lstat(f"{folder}/{name}")
                gone = stat.S_ISCHR(facts.st_mode) and facts.st_rdev == 0
                yield "left out" if gone else "redirected", f"{path.rstrip('/')}{folder[len(upper) :]}/{name}"
