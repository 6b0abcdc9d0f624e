"""Programs that are started: subprocess, os, asyncio, and a notebook's `!command`."""

from __future__ import annotations

import ast
import os.path
import re

from offduty.transactions.scan.rules import Call, Rule, Touch, each
from offduty.transactions.scan.targets import statement
from offduty.transactions.scan.texts import source

INTERPRETER = re.compile(r"(?:python[\d.]*|bash|sh|zsh|Rscript|R|perl|ruby|node|java|julia|\{sys\.executable\}|\$\{PYTHON\})\Z")
ASSIGNMENT = re.compile(r"\w+=\S*\Z")
BEFORE = frozenset("sudo env nohup nice time exec command timeout".split())
SHELL_MAGICS = frozenset("bash sh script zsh ! sx system pip conda mamba R perl ruby js javascript cmd".split())
SQL_MAGICS = frozenset("sql bigquery sqlcmd read_sql".split())
WRITE_MAGICS = frozenset("writefile file".split())


def spawns(call: Call) -> Touch:
    """The program; its first argument too if the program only runs what that says."""
    node = call.given(0, "args", "cmd", "command", "program", "file", "path")
    return "process.spawn", program(_words(call, node)) if node is not None else None


def spawns_words(call: Call) -> Touch:
    """`create_subprocess_exec("ls", "-l")`: every argument is a word."""
    return "process.spawn", program([call.texts.shown(each, call.context) for each in call.node.args])


def spawns_mode_first(call: Call) -> Touch:
    """`os.spawnl(mode, path, …)`."""
    return "process.spawn", program([call.text(1, "file", "path") or ""])


def _words(call: Call, node: ast.expr) -> list[str]:
    """A list of words, or a shell's line split at spaces."""
    places = call.names.values(node, call.context) or [(node, call.context)]
    whole, context = places[0] if len(places) == 1 else (node, call.context)
    while isinstance(whole, ast.BinOp) and isinstance(whole.op, ast.Add) and call.texts.known(whole, context) is None:
        whole = whole.left
    if isinstance(whole, ast.List | ast.Tuple):
        return [call.texts.shown(each, context) for each in whole.elts if not isinstance(each, ast.Starred)]
    if isinstance(whole, ast.Call) and isinstance(whole.func, ast.Attribute) and source(whole.func) == "shlex.split" and whole.args:
        whole = whole.args[0]
    return call.texts.shown(whole, context).split()


def program(words: list[str]) -> str | None:
    """`dbt`; `python train.py`: never options, which may hold secrets."""
    while words and (ASSIGNMENT.match(words[0]) or words[0] in BEFORE):
        words = words[1:]
    if not words:
        return None
    name = words[0].rstrip(";&|")
    if not INTERPRETER.match(os.path.basename(name)):
        return name
    if words[1:2] == ["-m"]:
        return " ".join([name, *words[1:3]])
    script = next((word for word in words[1:2] if not word.startswith("-")), None)
    return f"{name} {script}" if script else name


def magic(call: Call) -> Touch | None:
    """`%%bash`, `%sql …`, `%%writefile name`: as IPython itself writes them in Python."""
    name, line = call.text(0) or "", call.text(1) or ""
    body = call.text(2) or line
    if name in SQL_MAGICS:
        return "db.query", statement(body) or None
    if name in WRITE_MAGICS:
        words = [word for word in line.split() if not word.startswith("-")]
        return "file.write", words[0] if words else None
    if name in SHELL_MAGICS:
        return "process.spawn", program(line.split()) if name in ("script", "!", "sx", "system") else name
    return None


CALLS: dict[str, Rule] = {
    **each("subprocess.", "run call check_call check_output Popen getoutput getstatusoutput", spawns),
    **each("os.", "system popen execv execve execvp execvpe execl execle execlp posix_spawn posix_spawnp startfile", spawns),
    **each("os.", "spawnl spawnle spawnlp spawnv spawnve spawnvp spawnvpe", spawns_mode_first),
    "pty.spawn": spawns,
    "asyncio.create_subprocess_shell": spawns,
    "asyncio.create_subprocess_exec": spawns_words,
    **each("", "pexpect.spawn pexpect.run invoke.run plumbum.local.cmd", spawns),
}

IPYTHON: dict[str, Rule] = {
    **each("", "system getoutput", spawns),
    **each("", "run_line_magic run_cell_magic", magic),
}

ON: dict[str, dict[str, Rule]] = {"get_ipython": IPYTHON, "IPython.get_ipython": IPYTHON}

METHODS: dict[str, Rule] = {}

SAME: dict[str, str] = {}

HANDLES = frozenset({"subprocess.run", "subprocess.Popen", "subprocess.check_output", "os.popen"})
