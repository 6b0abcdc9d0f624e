"""`offduty scan`: 50 000 lines in one file, the same in 100 files, and one line with 50 000 calls; beside what parsing alone takes.

Budgets: 50 000 lines of data science code in <= 5 s of CPU; at most 4x of what `ast.parse` and a walk over the tree take.
The floor is what any tool that reads Python by `ast` (pyflakes, bandit, vulture) has to spend.
"""

from __future__ import annotations

import ast
import os
import shutil
import tempfile
import time
from pathlib import Path

from _measure import Report, alternate

from offduty.transactions.scan import scan

LINES = int(os.environ.get("LINES", "50000"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
HEAD = "import os\nimport pandas as pd\nimport requests\nfrom sqlalchemy import create_engine, text\nENGINE = create_engine('postgresql://dw/sales')\n"
PART = '''
class Loader{n}:
    """Loads one feed."""

    def __init__(self, day, base="in"):
        self.day, self.base = day, base
        self.session = requests.Session()
        self.path = os.path.join(base, f"sales-{{day}}.csv")

    def load(self, columns=None):
        frame = pd.read_csv(self.path, usecols=columns)
        frame = frame.dropna().rename(columns=str.lower)
        frame["total"] = frame["units"] * frame["price"] * (1 + frame["tax"].fillna(0))
        for name in ("store", "item"):
            frame[name] = frame[name].astype("category")
        return frame.groupby(["store", "item"], observed=True).agg({{"total": "sum"}}).reset_index()

    def send(self, frame):
        try:
            answer = self.session.post(f"https://api.example/v1/feeds/{{self.day}}", json=frame.to_dict("records"), timeout=10)
            answer.raise_for_status()
        except Exception as error:
            print("not sent", error)
            return None
        with ENGINE.begin() as connection:
            connection.execute(text("insert into sent{n} (day) values (:day)"), {{"day": self.day}})
        return answer.json()


def main{n}(day):
    loader = Loader{n}(day)
    data = loader.load()
    if len(data) > 10 and data["total"].max() < 1e9:
        data.to_parquet(f"out/{{day}}.parquet")
    return [loader.send(part) for _, part in data.groupby("store")]
'''


def code(lines: int) -> str:
    """So many lines of it."""
    parts = -(-lines // PART.count("\n"))
    return HEAD + "".join(PART.format(n=n) for n in range(parts))


def write(folder: str) -> dict[str, list[str]]:
    """The cases: name and files."""
    one, many, wide = Path(folder, "one.py"), Path(folder, "many"), Path(folder, "wide.py")
    one.write_text(code(LINES))
    many.mkdir()
    for n in range(100):
        (many / f"m{n}.py").write_text(code(LINES // 100))
    wide.write_text("x = [" + ", ".join(f"open('a{n}')" for n in range(LINES)) + "]\n")
    return {"one file": [str(one)], "100 files": [str(file) for file in sorted(many.iterdir())], "50 000 calls in a line": [str(wide)]}


def parsing(files: list[str]) -> float:
    """CPU seconds to parse and to see every node once."""
    began = time.process_time()
    for file in files:
        for _ in ast.walk(ast.parse(Path(file).read_text())):
            pass
    return time.process_time() - began


def scanning(files: list[str]) -> float:
    """CPU seconds to scan, and that it found something."""
    began = time.process_time()
    if len(scan(files).places) < LINES // 20:
        raise SystemExit("the scan missed what is there")
    return time.process_time() - began


def main() -> None:
    """Print the figures; leave with 1 when a budget is missed."""
    folder = tempfile.mkdtemp(prefix="offduty-bench-")
    report = Report(f"scan: {LINES} lines, CPU time, medians of {ROUNDS} rounds")
    for name, files in write(folder).items():
        took = alternate({"parse": lambda files=files: parsing(files), "scan": lambda files=files: scanning(files)}, ROUNDS)
        report.figure(f"{name}: ast.parse and a walk", took["parse"], "s")
        report.budget(f"{name}: scan", took["scan"], 5, unit="s")
        report.budget(f"{name}: scan / ast.parse and a walk", took["scan"] / took["parse"], 4)
        report.figure(f"{name}: lines scanned", LINES / took["scan"], "lines/s")
    shutil.rmtree(folder)
    report.end()


if __name__ == "__main__":
    main()
