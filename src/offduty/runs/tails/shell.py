"""Shells and the commands they run: `x.sh: line 3: foo: command not found`, `cp: cannot stat …`, `make: *** … Error 2`, `Killed`."""

from __future__ import annotations

import re

from offduty.runs.tails.finding import LINE, WRAPPER, Cause, Finding, Frame, Tail

_DEATH = r"Killed|Segmentation fault|Aborted|Terminated|Bus error|Illegal instruction|Floating point exception|Hangup|Trace/breakpoint trap"
_COMMANDS = (
    "curl|wget|ssh|scp|sftp|rsync|cp|mv|rm|ln|ls|cat|mkdir|rmdir|tar|gzip|gunzip|unzip|zip|bzip2|xz|git|docker|podman|aws|az|gcloud|gsutil|kubectl|head|tail"
    "|awk|gawk|sed|grep|sort|cut|join|paste|split|uniq|wc|chmod|chown|touch|dd|df|du|tee|xargs|env|timeout|nohup|nice|flock|sudo|su|mount|umount|ftp|lftp|nc"
    "|python3?|Rscript|java|julia|node|npm|pip3?|conda|mamba|dvc|dbt|make|cmake|find|install|mktemp|stat|test|date|bc|jq|yq|psql|mysqldump|mysqladmin|sendmail|mail"
)
_NO_FILES = ("sh", "bash", "dash", "ksh", "zsh", "/bin/sh", "/bin/bash")  # `sh -c`: the line is of an argument

# (pattern, strength): the first that matches a line says what it is.
_PATTERNS = [
    (
        re.compile(
            rf"(?P<file>[^\s:]{{1,200}}): line (?P<line>\d{{1,9}}):\s+\d+ (?P<message>(?:{_DEATH})(?:\s+\(core dumped\))?)(?:\s.*)?$"
        ),
        LINE,
    ),
    (re.compile(r"(?P<file>[^\s:]{1,200}): line (?P<line>\d{1,9}): (?P<message>.+)$"), LINE),
    (re.compile(r"(?P<file>(?:/\S{0,200}/)?(?:sh|dash|bash|ksh|zsh|\S{1,200}\.sh)): (?P<line>\d{1,9}): (?P<message>.+)$"), LINE),
    (re.compile(r"(?P<type>g?make)(?:\[\d+\])?: \*\*\* (?P<message>.+)$"), WRAPPER),
    (re.compile(r"(?P<type>curl): \((?P<code>\d{1,3})\) (?P<message>.+)$"), LINE),
    (re.compile(rf"(?P<message>(?:{_DEATH})(?: \(core dumped\))?)$"), LINE),
    (re.compile(rf"(?:/\S{{0,100}}/)?(?P<type>{_COMMANDS}): (?P<message>\S.*)$"), LINE),
    (re.compile(r"(?P<type>[\w./+-]{1,80}): (?P<message>(?:fatal error|fatal|error|FATAL|ERROR|Error)\b.+)$"), LINE),
    (
        re.compile(
            r"(?!\w*warning:)(?P<type>[a-z][\w./+-]{0,80}): (?P<message>(?:cannot|can't|could not|couldn't|unable|failed|no such|not found"
            r"|permission|invalid|unknown|unrecognized|command not found|missing|connect)\b.*)$",
            re.IGNORECASE,
        ),
        LINE,
    ),
    (re.compile(r"(?:fatal|error|Error|ERROR|FATAL|CRITICAL): (?P<message>\S.*)$"), WRAPPER),
    (re.compile(r"(?P<message>Command (?:failed|exited|terminated)\b.*|.{0,80}\bexit(?:ed with)? (?:code|status) [1-9]\d*.*)$"), WRAPPER),
]
_WORTH = re.compile(rf"[^\s:]{{1,200}}: |{_DEATH}|Command |.{{0,80}}\bexit")


def find(tail: Tail) -> Finding | None:
    """The last line that says what failed; else the last that only says that something did."""
    wrapper: Finding | None = None
    for at in range(len(tail.plain) - 1, -1, -1):
        if not _WORTH.match(tail.plain[at]):
            continue
        finding = _finding(tail.plain[at].rstrip(), at)
        if finding and finding.strength == LINE:
            return finding
        wrapper = wrapper or finding
    return wrapper


def _finding(line: str, at: int) -> Finding | None:
    for pattern, strength in _PATTERNS:
        if found := pattern.match(line):
            given = found.groupdict()
            named = given.get("file") and given["file"] not in _NO_FILES
            frames = (Frame(given["file"], int(given["line"])),) if named else ()
            name = f"curl ({given['code']})" if given.get("code") else given.get("type")
            return Finding("shell", (Cause(name, given["message"], frames=frames),), strength, at + 1)
    return None
