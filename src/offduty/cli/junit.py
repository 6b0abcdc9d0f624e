"""Results of drills as JUnit XML, which every CI system shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from offduty.drills.store import Rehearsed

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(job: str, found: Sequence[Rehearsed]) -> str:
    """One test case a drill: a failure says what was not as promised."""
    failures = sum(not one.passed for one in found)
    suite = Element("testsuite", name=_clean(f"offduty drill {job}"), tests=str(len(found)), failures=str(failures), errors="0")
    for one in found:
        name = " ".join(part for part in (one.row, one.fault, one.op, one.target) if part)
        case = SubElement(suite, "testcase", classname=_clean(job), name=_clean(name), time=f"{one.took or 0.0:.3f}")
        if not one.passed:
            SubElement(case, "failure", message=_clean(one.said)).text = _clean(str(one.entry.get("what") or one.said))
    indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def _clean(text: str) -> str:
    """What XML cannot hold is shown as `?`."""
    return NOT_XML.sub("?", text)
