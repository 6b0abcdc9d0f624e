"""Files: open and its kin, pathlib, shutil, os, archives."""

from __future__ import annotations

from offduty.transactions.scan.rules import Call, Rule, Touch, by_mode, each, on_receiver, touches


def os_open(call: Call) -> Touch | None:
    """The flags of `os.open` say what for."""
    flags = call.node.args[1] if len(call.node.args) > 1 else None
    names = {getattr(part, "attr", "") for part in _terms(flags)}
    return ("file.write" if names & {"O_WRONLY", "O_RDWR", "O_CREAT", "O_APPEND", "O_TRUNC"} else "file.read"), call.text(0, "path")


def _terms(node: object) -> list[object]:
    """`a | b | c` as [a, b, c]."""
    terms: list[object] = []
    while (right := getattr(node, "right", None)) is not None:
        terms.append(right)
        node = getattr(node, "left", None)
    return [*terms, node]


def path_open(call: Call) -> Touch | None:
    """`path.open("w")`."""
    writes = set(call.known(0, "mode") or "r") & set("wax+")
    return on_receiver("file.write" if writes else "file.read")(call)


FILE = ("file", "filename", "name", "path")

CALLS: dict[str, Rule] = {
    **each("", "open io.open codecs.open aiofiles.open smart_open.open smart_open.smart_open", by_mode(0, FILE, 1)),
    **each("", "gzip.open bz2.open lzma.open zipfile.ZipFile tarfile.open tarfile.TarFile.open", by_mode(0, FILE, 1)),
    **each("", "gzip.GzipFile bz2.BZ2File lzma.LZMAFile io.FileIO tarfile.TarFile", by_mode(0, FILE, 1)),
    "os.open": os_open,
    **each("os.", "remove unlink rmdir removedirs", touches("file.delete", 0, "path", "name")),
    **each("os.", "rename replace renames link symlink", touches("file.write", 1, "dst", "new")),
    "os.truncate": touches("file.write", 0, "path"),
    **each("shutil.", "copy copy2 copyfile copytree move", touches("file.write", 1, "dst")),
    "shutil.rmtree": touches("file.delete", 0, "path"),
    "shutil.make_archive": touches("file.write", 0, "base_name"),
    "shutil.unpack_archive": touches("file.read", 0, "filename"),
    "fileinput.input": touches("file.read", 0, "files"),
    "shelve.open": touches("file.write", 0, "filename"),
}

ON: dict[str, dict[str, Rule]] = {
    "pathlib.Path": {
        **each("", "read_text read_bytes", on_receiver("file.read")),
        **each("", "write_text write_bytes touch symlink_to hardlink_to", on_receiver("file.write")),
        **each("", "unlink rmdir", on_receiver("file.delete")),
        **each("", "rename replace", touches("file.write", 0, "target")),
        "open": path_open,
    },
    "configparser.ConfigParser": {"read": touches("file.read", 0, "filenames")},
}

METHODS: dict[str, Rule] = {
    **each("", "read_text read_bytes", on_receiver("file.read")),
    **each("", "write_text write_bytes", on_receiver("file.write")),
}

PATH = "pathlib.Path()"
SAME: dict[str, str] = {
    **dict.fromkeys("pathlib.PurePath() pathlib.PosixPath() pathlib.PurePosixPath() pathlib.Path.cwd() pathlib.Path.home()".split(), PATH),
    **{f"{PATH}.{name}()": PATH for name in "joinpath with_suffix with_name with_stem resolve absolute expanduser".split()},
    **{f"{PATH}.{name}": PATH for name in ("parent", "parents[]")},
    f"{PATH}.open()": "open()",
    "builtins.open": "open",
    "configparser.RawConfigParser()": "configparser.ConfigParser()",
}

HANDLES = frozenset(
    "open io.open io.BytesIO io.StringIO io.TextIOWrapper io.BufferedReader codecs.open gzip.open bz2.open lzma.open gzip.GzipFile"
    " bz2.BZ2File zipfile.ZipFile tarfile.open tempfile.TemporaryFile tempfile.NamedTemporaryFile aiofiles.open"
    " tempfile.SpooledTemporaryFile smart_open.open os.open os.fdopen sys.stdin.buffer".split()
)
