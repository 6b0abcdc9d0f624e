"""Run a notebook as a job: `python -m offduty.runs.notebook NOTEBOOK [OPTIONS-JSON]`, started by the supervisor like any other command.

Cell outputs appear as they come; the executed copy is written after every cell, beside the log and with secrets masked as in the log, so
that it is there also after a kill. Needs the extra `notebook` (nbclient, ipykernel). Parameters go into a cell behind the one tagged
`parameters`, as papermill does it. Asked to stop, it interrupts the cell, so that its `finally` runs, and then ends by the signal.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from offduty.errors import BAD_DATA, UNAVAILABLE, ConfigError, MissingExtra, OffdutyError, quoted

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
FRAME = re.compile(r"^(?:Cell In\s?\[(\d+)\], line (\d+)|File (\S.*?):(\d+))(?:, in (\w+))?", re.MULTILINE)
LIBRARY = re.compile(r"/(site|dist)-packages/|/lib/python3")
EVENTS_ENDING = ".events.jsonl"
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
INTERRUPT_TIME = 3.0  # seconds for a cell to end after its KeyboardInterrupt; a time limit gives us eight
LONGEST_FOLDER = 80  # of the 107 bytes that the path of a socket may have


def main() -> None:
    """Execute the notebook named on the command line; exit status 1 if a cell fails."""
    path = sys.argv[1]
    options = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    leave_probe()
    notebook = read(path)
    if options.get("parameters"):
        insert_parameters(notebook, options["parameters"])
    redact = masking(options) if options.get("redact", True) else lambda text: text
    sys.exit(execute(notebook, path, copy_path(path, os.environ), redact))


def leave_probe() -> None:
    """What this process does with files is not the job's doing; the kernel has a probe of its own."""
    from offduty_probe import start

    if start.recorder is not None:
        start.recorder.aim("", "")


def read(path: str) -> Any:
    """The notebook, without what a former execution left in it. Ends the process where that cannot be."""
    try:
        import nbclient  # noqa: F401
        import nbformat
    except ImportError as error:
        refuse(
            MissingExtra("E701", "notebooks need an extra", why=f"{error.name} is not installed", fix="pip install 'offduty[notebook]'"),
            UNAVAILABLE,
        )
    warnings.filterwarnings("ignore", module="nbformat")  # that an old notebook is old is no news
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises whatever its JSON and schema libraries raise
        why = (str(error).splitlines() or [type(error).__name__])[0]
        refuse(ConfigError("E702", "is not a notebook", where=path, why=why[:200]), BAD_DATA)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def refuse(error: OffdutyError, status: int) -> Any:
    """End with one line."""
    print(f"offduty: {error}", file=sys.stderr)
    sys.exit(status)


def masking(options: Mapping[str, Any]) -> Callable[[str], str]:
    """What masks secrets in a text, as the log does it."""
    from offduty.secrets.redactor import Redactor

    return Redactor(os.environ, names=options.get("secrets", ())).text


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


def execute(notebook: Any, path: str, copy: str, redact: Callable[[str], str]) -> int:
    """Run all cells; 0, or what a script would end with that failed as the failing cell did. Does not return if it is told to stop."""
    folder = _folder()
    client = _client(notebook, path, folder, lambda: save(notebook, copy, redact))
    try:
        status = _execute(client, notebook, path)
    finally:
        save(notebook, copy, redact)
        shutil.rmtree(folder, ignore_errors=True)
    if client.told:
        print(f"offduty: stopped by {client.told.name} {_place(notebook, path, client.at)}", file=sys.stderr, flush=True)
        signal.signal(client.told, signal.SIG_DFL)
        os.kill(os.getpid(), client.told)
    return status


def _execute(client: Any, notebook: Any, path: str) -> int:
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import CellExecutionError

    try:
        client.execute(cwd=os.getcwd())
    except CellExecutionError as error:
        return _cell_failed(notebook, path, client.at, error)
    except NoSuchKernel as error:
        what, fix = (
            f"the kernel {quoted(error.name)} is not installed",
            "install it (python3: pip install ipykernel), or choose another in the notebook",
        )
        refuse(MissingExtra("E703", what, where=path, fix=fix), UNAVAILABLE)
    except Exception as error:
        if client.told:
            return 1
        if client.at < 0:
            refuse(
                MissingExtra("E703", f"the kernel {quoted(client.kernel_name)} does not start", where=path, why=str(error)[:200]),
                UNAVAILABLE,
            )
        return _kernel_failed(notebook, path, client.at, error)
    return 0


def _folder() -> str:
    """A folder of our own for the sockets: on TCP any user of the machine could listen, and in the job's folder two runs would meet."""
    return tempfile.mkdtemp(prefix="offduty-", dir="/tmp" if len(tempfile.gettempdir()) > LONGEST_FOLDER else None)


def runs(cell: Any) -> bool:
    """Whether a cell is executed: nbclient passes over empty ones, and they get no number."""
    return cell.cell_type == "code" and bool(cell.source.strip()) and "skip-execution" not in cell.get("metadata", {}).get("tags", [])


def _client(notebook: Any, path: str, folder: str, save_copy: Callable[[], None]) -> Any:
    from nbclient import NotebookClient
    from traitlets.config import Config

    total = sum(map(runs, notebook.cells))

    class Client(NotebookClient):
        """Passes on what cells print, keeps the copy up to date, and stops when it is told to. `at`: the cell, -1 before the first."""

        at = -1
        told: signal.Signals | None = None

        async def async_start_new_kernel(self, **more: Any) -> None:
            loop = asyncio.get_running_loop()
            for number in STOPPING:
                loop.add_signal_handler(number, self.stop, number)
            await super().async_start_new_kernel(**more)

        def stop(self, number: signal.Signals) -> None:
            self.told = self.told or number
            if not self.signal_kernel(signal.SIGINT) and self.at < 0:  # there is no kernel yet, and nothing to lose
                shutil.rmtree(folder, ignore_errors=True)
                os._exit(128 + number)
            asyncio.get_running_loop().call_later(INTERRUPT_TIME, self.signal_kernel, signal.SIGKILL)

        def signal_kernel(self, number: signal.Signals) -> bool:
            pid = getattr(getattr(self.km, "provisioner", None), "pid", None)
            try:
                os.killpg(pid or 0, number if pid else 0)
            except ProcessLookupError:
                return False
            return pid is not None

        async def async_execute_cell(self, cell: Any, cell_index: int, *args: Any, **more: Any) -> Any:
            self.at = cell_index
            if runs(cell):
                print(f"[{_number(notebook, cell_index)}/{total}] {_first_line(cell)}", flush=True)
            done = await super().async_execute_cell(cell, cell_index, *args, **more)
            save_copy()
            return done

        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            show(msg)
            return super().process_message(msg, cell, cell_index)

    config = Config({"KernelManager": {"transport": "ipc", "connection_file": f"{folder}/kernel.json"}})
    return Client(notebook, timeout=None, coalesce_streams=True, resources={"metadata": {"path": os.getcwd()}}, config=config)


def show(message: Mapping[str, Any]) -> None:
    """Pass on what a message from the kernel would show a reader: streams, and results as text."""
    content = message["content"]
    if message["msg_type"] == "stream":
        stream = sys.stderr if content["name"] == "stderr" else sys.stdout
        stream.write(content["text"])
        stream.flush()
    elif message["msg_type"] in ("execute_result", "display_data") and (text := content["data"].get("text/plain")):
        print(text, flush=True)


def _cell_failed(notebook: Any, path: str, index: int, error: Any) -> int:
    """Tell which cell failed: on stderr, and as an event for the summary. `sys.exit` ends the notebook as it would end a script."""
    message = ESCAPES.sub("", error.evalue)
    if error.ename == "SystemExit" and message in ("", "0", "None"):
        return 0
    traceback = ESCAPES.sub("", error.traceback)
    print(traceback.rstrip(), file=sys.stderr)
    failed = f"failed {_place(notebook, path, index)}"
    print(f"offduty: {failed}", file=sys.stderr)
    frames = [_frame(path, *found) for found in FRAME.findall(traceback)]
    _tell(error.ename, message, failed, frames)
    return int(message) & 0xFF if error.ename == "SystemExit" and message.removeprefix("-").isdigit() else 1


def _frame(path: str, cell: str, cell_line: str, file: str, line: str, function: str) -> dict[str, Any]:
    """A frame of the printed traceback: in a cell, or in a file."""
    if cell:
        return {"file": f"{os.path.basename(path)} cell {cell}", "line": int(cell_line), "function": function or "<module>", "own": True}
    file = os.path.expanduser(file)
    return {"file": file, "line": int(line), "function": function or "<module>", "own": not LIBRARY.search(file)}


def _kernel_failed(notebook: Any, path: str, index: int, error: Exception) -> int:
    """The kernel died, or does not answer: nbclient says it in many ways."""
    died = "Dead" in type(error).__name__ or "died" in str(error)
    name, message = ("DeadKernelError", "the kernel died") if died else (type(error).__name__, str(error))
    failed = f"failed {_place(notebook, path, index)}"
    print(f"{name}: {message}\noffduty: {failed}", file=sys.stderr)
    file = f"{os.path.basename(path)} cell {_number(notebook, index)}"
    _tell(name, message, failed, [{"file": file, "line": None, "function": "<module>", "own": True}])
    return 1


def _tell(name: str, message: str, note: str, frames: list[dict[str, Any]]) -> None:
    chain = [{"type": name, "message": message, "link": None, "notes": [note], "frames": frames}]
    _record({"where": "main", "uncaught": True, "chain": chain})


def _number(notebook: Any, index: int) -> int:
    """The number by which Jupyter calls the cell, `In [3]`."""
    return sum(map(runs, notebook.cells[: index + 1]))


def _first_line(cell: Any) -> str:
    return next((line for line in cell.source.splitlines() if line.strip()), "")[:100]


def _place(notebook: Any, path: str, index: int) -> str:
    if index < 0:
        return f"before the first cell of {os.path.basename(path)}"
    return f"in cell {_number(notebook, index)} of {os.path.basename(path)}: {_first_line(notebook.cells[index])}"


def _record(keys: dict[str, Any]) -> None:
    """Append the exception event; the notebook has failed either way."""
    from offduty_probe.recorder import Recorder

    if events := os.environ.get("OFFDUTY_EVENTS"):
        Recorder(events, os.environ.get("OFFDUTY_TOKEN", "")).record("exception", keys)


def save(notebook: Any, copy: str, redact: Callable[[str], str]) -> None:
    """Write the executed copy, whole or not at all, for its owner alone, without secrets."""
    import nbformat

    fd = os.open(f"{copy}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(fd, "w", encoding="utf-8", errors="backslashreplace") as file:
        nbformat.write(nbformat.from_dict(masked(notebook, redact)), file)
    os.replace(f"{copy}.new", copy)


def masked(value: Any, redact: Callable[[str], str]) -> Any:
    """`value` (of JSON's kinds) with every text in it masked."""
    if isinstance(value, dict):
        return {key: masked(item, redact) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, redact) for item in value]
    return redact(value) if isinstance(value, str) else value


if __name__ == "__main__":
    main()
