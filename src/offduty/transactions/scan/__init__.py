"""What a solution touches that can fail, found in its source code: nothing is run, nothing imported, nothing sent.

found = scan(["forecast.py", "src"])
found.places[0]   Place(path='forecast.py', line=31, op='file.read', target='data/sales.csv', function='load', …)
"""

from __future__ import annotations

from collections.abc import Iterable

from offduty.transactions.scan.found import Found, Place, Problem
from offduty.transactions.scan.gather import gather

__all__ = ["Found", "Place", "Problem", "scan"]


def scan(paths: Iterable[str], *, tests: bool = False) -> Found:
    """Look at files and at everything below folders (`tests`: their tests too).

    Raises NotThere E508 for a path that does not exist; what is wrong with single files is in the answer's `problems`.
    """
    from offduty.transactions.scan.module import Scanner

    scanner, places, problems, files = Scanner(), list[Place](), list[Problem](), 0
    for path in gather(paths, tests=tests):
        if isinstance(path, Problem):
            problems.append(path)
            continue
        found, wrong = scanner.file(path)
        places += found
        problems += wrong
        files += bool(found) or not wrong
    return Found(tuple(places), tuple(problems), files)
