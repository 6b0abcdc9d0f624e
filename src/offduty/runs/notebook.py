"""Run a notebook as a job: `python -m offduty.runs.notebook NOTEBOOK [PARAMETERS-JSON]`, started by the supervisor like any other command.

Cell outputs appear as they come; the executed copy is written after every cell, beside the log, so that it is there also after a kill.
Needs the extra `notebook` (nbclient, ipykernel). Parameters go into a cell behind the one tagged `parameters`, as papermill does it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from offduty.errors import UNAVAILABLE, MissingExtra

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
FRAME = re.compile(r"^Cell In\s?\[(\d+)\], line (\d+)(?:, in (\w+))?", re.MULTILINE)
EVENTS_ENDING = ".events.jsonl"


def main() -> None:
    """Execute the notebook named on the command line; exit status 1 if a cell fails."""
    path = sys.argv[1]
    parameters = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    try:
        import nbclient  # noqa: F401
        import nbformat
    except ImportError as error:
        missing = MissingExtra("E701", "notebooks need an extra", why=f"{error.name} is not installed", fix="pip install 'offduty[notebook]'")
        print(f"offduty: {missing}", file=sys.stderr)
        sys.exit(UNAVAILABLE)
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises whatever its JSON and schema libraries raise
        sys.exit(f"offduty: E702 {path}: is not a notebook: {str(error).splitlines()[0]}")
    if parameters:
        insert_parameters(notebook, parameters)
    sys.exit(execute(notebook, path, copy_path(path, os.environ)))


def copy_path(path: str, environ: Mapping[str, str]) -> str:
    """Where the executed copy goes: beside the run's log, or beside the notebook when there is no run."""
    events = environ.get("OFFDUTY_EVENTS", "")
    return events[: -len(EVENTS_ENDING)] + ".ipynb" if events.endswith(EVENTS_ENDING) else path.removesuffix(".ipynb") + ".executed.ipynb"


def insert_parameters(notebook: Any, parameters: Mapping[str, Any]) -> None:
    """Put a cell with the parameters behind the one tagged `parameters`, or first."""
    from nbformat.v4 import new_code_cell

    source = "# Parameters\n" + "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    tagged = [at for at, cell in enumerate(notebook.cells) if "parameters" in cell.get("metadata", {}).get("tags", [])]
    cell = new_code_cell(source, metadata={"tags": ["injected-parameters"]})
    notebook.cells.insert(tagged[0] + 1 if tagged else 0, cell)


def execute(notebook: Any, path: str, copy: str) -> int:
    """Run all cells; 0, or 1 at the first that fails."""
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    client = _client(notebook, path, copy)
    try:
        client.execute(cwd=os.getcwd())
    except CellExecutionError as error:
        return _cell_failed(notebook, path, error)
    except DeadKernelError:
        print(f"DeadKernelError: the kernel died {_place(notebook, path, client.at)}", file=sys.stderr)
        return 1
    except CellTimeoutError:
        print(f"CellTimeoutError: no end {_place(notebook, path, client.at)}", file=sys.stderr)
        return 1
    finally:
        save(notebook, copy)
    return 0


def _client(notebook: Any, path: str, copy: str) -> Any:
    from nbclient import NotebookClient
    from traitlets.config import Config

    total = sum(cell.cell_type == "code" for cell in notebook.cells)

    class Client(NotebookClient):
        """Passes on what cells print, and keeps the copy up to date."""

        at = 0

        async def async_execute_cell(self, cell: Any, cell_index: int, *args: Any, **more: Any) -> Any:
            self.at = cell_index
            if cell.cell_type == "code":
                number = sum(each.cell_type == "code" for each in notebook.cells[: cell_index + 1])
                first = next((line for line in cell.source.splitlines() if line.strip()), "")
                print(f"[{number}/{total}] {first[:100]}", flush=True)
            done = await super().async_execute_cell(cell, cell_index, *args, **more)
            save(notebook, copy)
            return done

        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            show(msg)
            return super().process_message(msg, cell, cell_index)

    private = Config({"KernelManager": {"transport": "ipc"}})  # sockets in our own folder: on TCP any user of the machine could listen
    return Client(notebook, timeout=None, resources={"metadata": {"path": os.getcwd()}}, config=private)


def show(message: Mapping[str, Any]) -> None:
    """Pass on what a message from the kernel would show a reader: streams, and results as text."""
    content = message["content"]
    if message["msg_type"] == "stream":
        stream = sys.stderr if content["name"] == "stderr" else sys.stdout
        stream.write(content["text"])
        stream.flush()
    elif message["msg_type"] in ("execute_result", "display_data") and (text := content["data"].get("text/plain")):
        print(text, flush=True)


def _cell_failed(notebook: Any, path: str, error: Any) -> int:
    """Tell which cell failed: on stderr for people, and as an event for the summary."""
    index = _failed_index(notebook)
    traceback = ESCAPES.sub("", error.traceback)
    print(traceback.rstrip(), file=sys.stderr)
    failed = f"failed {_place(notebook, path, index)}"
    print(f"offduty: {failed}", file=sys.stderr)
    frames = [
        {"file": f"{os.path.basename(path)} cell {cell}", "line": int(line), "function": function or "<cell>", "own": True}
        for cell, line, function in FRAME.findall(traceback)
    ]
    _record({"where": "main", "uncaught": True, "chain": [{
        "type": error.ename, "message": ESCAPES.sub("", error.evalue), "link": None, "notes": [failed], "frames": frames,
    }]})  # fmt: skip
    return 1


def _failed_index(notebook: Any) -> int:
    """The cell that holds an error output."""
    failed = [at for at, cell in enumerate(notebook.cells) for output in cell.get("outputs", ()) if output["output_type"] == "error"]
    return failed[-1] if failed else 0


def _cell_name(notebook: Any, index: int) -> str:
    number = sum(cell.cell_type == "code" for cell in notebook.cells[: index + 1])
    return f"cell {number}"


def _place(notebook: Any, path: str, index: int) -> str:
    first = next((line for line in notebook.cells[index].source.splitlines() if line.strip()), "")
    return f"in {_cell_name(notebook, index)} of {os.path.basename(path)}: {first[:100]}"


def _record(keys: dict[str, Any]) -> None:
    """Append the exception event; the notebook has failed either way."""
    from offduty_probe.recorder import Recorder

    if events := os.environ.get("OFFDUTY_EVENTS"):
        Recorder(events, os.environ.get("OFFDUTY_TOKEN", "")).record("exception", keys)


def save(notebook: Any, copy: str) -> None:
    """Write the executed copy, whole or not at all, for its owner alone."""
    import nbformat

    fd = os.open(f"{copy}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(fd, "w", encoding="utf-8") as file:
        nbformat.write(notebook, file)
    os.replace(f"{copy}.new", copy)


if __name__ == "__main__":
    main()
