"""Sets up and runs everything. Needs Python 3.11 and pip; makes and uses .venv beside this file, and nothing outside it.

python3 dev.py demo           run the example solution under offduty; --break WHAT breaks what it relies on
python3 dev.py test [ARG …]   run the tests; arguments go to pytest
python3 dev.py lint           ruff, mypy, import-linter, deptry
python3 dev.py bench [NAME]   run the benchmarks, or the one of that name
python3 dev.py sim            simulate alerts under faults: --hours N, --seed S, --store sqlite, --faults F, --bustle B, --alone, --trace
python3 dev.py sim --fleet    simulate a fleet and its watchers: --job-hours N, --seed S, --jobs J, --faults F, --trace
python3 dev.py lock [ARG …]   write requirements/*.txt anew; --upgrade takes what is two weeks old or older
python3 dev.py docs           build the pages and the man pages
"""

import sys

if sys.version_info < (3, 11):  # the syntax of this file suits every Python 3.6 and later, so that this line is reached
    sys.exit("dev.py: needs Python 3.11 or newer; this is {}.{} ({})".format(*sys.version_info[:2], sys.executable))

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import time
import tomllib
import venv

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "offduty-stamp")
OUTER = getattr(sys, "_base_executable", None) or sys.executable  # .venv gets no pip of its own: this one's is used

LOCKS = ("run", "test", "dev")  # each holds all of the one before
LOCKED = {  # what `lock` asks uv for; the smaller files are held to the pins of the largest
    "dev": ["--all-extras", "--group", "dev"],
    "test": [
        "--all-extras",
        "--group",
        "build",
        "--group",
        "example",
        "--group",
        "test",
        "--group",
        "captured",
        "-c",
        "requirements/dev.txt",
    ],
    "run": ["--group", "build", "--group", "example", "-c", "requirements/dev.txt"],
}
COMPILE = (  # no address gets into the files: pip asks the index it is set up with, and the hashes say whether it got the right thing
    "pip compile --quiet --no-config --system-certs --universal --python-version 3.11"
    " --generate-hashes --no-header --no-annotate --no-emit-index-url"
)
AGAIN = 3  # real processes against real time fail now and then for what runs beside them; more than that is no chance
# command: Debian's package
PEERS = {"hyperfine": "hyperfine", "chronic": "moreutils", "ts": "moreutils", "s6-log": "s6", "tini": "tini", "rg": "ripgrep"}


def main(arguments: list[str]) -> int:
    """Run the command that `arguments` names; its exit status."""
    if arguments and arguments[0] in COMMANDS:
        return COMMANDS[arguments[0]](arguments[1:])
    print(__doc__, file=sys.stdout if arguments in (["-h"], ["--help"]) else sys.stderr)
    return 0 if arguments in (["-h"], ["--help"]) else 2


def demo(arguments: list[str]) -> int:
    """The example solution, supervised; its state and logs go to .demo."""
    install("run")
    os.environ.setdefault("OFFDUTY_STATE_DIR", os.path.join(ROOT, ".demo"))
    os.environ["PATH"] = os.path.join(VENV, "bin") + os.pathsep + os.environ.get("PATH", os.defpath)  # as an activated .venv has it
    job = ("offduty", "run", "--summary", "always", "forecast")
    status = call(PYTHON, os.path.join("examples", "clinic", "world.py"), *arguments, "--", *job)
    if not arguments:
        say("see it fail: python3 dev.py demo --break feed-column (or api-503, db-locked …)")
        say(f"its runs are recorded in {os.environ['OFFDUTY_STATE_DIR']}; the command itself, for this shell: . .venv/bin/activate")
    return status


def test(arguments: list[str]) -> int:
    """pytest, two tests at a time. Of the whole suite, up to AGAIN tests that failed are run once more, alone, and named."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # users have their byte code cached, and so other timings
    install("test")
    status = call(PYTHON, "-m", "pytest", "-n", "2", "--dist", "worksteal", *(arguments or ["--cache-clear"]))
    failed = failures() if status == 1 and not arguments else []
    if not 0 < len(failed) <= AGAIN:
        return status
    say(f"failed beside other tests, and run once more, alone: {shlex.join(failed)}")
    return call(PYTHON, "-m", "pytest", *failed)


def failures() -> list[str]:
    """The tests that failed last, as pytest noted them."""
    try:
        return sorted(json.loads(read(os.path.join(".pytest_cache", "v", "cache", "lastfailed"))))
    except (OSError, ValueError):
        return []


def lint(_: list[str]) -> int:
    """Every check that reads the code; one line each, and what it said when it found something."""
    install("dev")
    checks = {
        "ruff": ("ruff", "check", "--quiet", "."),
        "format": ("ruff", "format", "--quiet", "--diff", "."),
        "types": ("mypy", "--no-error-summary"),
        "layers": ("lint-imports", "--no-cache"),
        "dependencies": ("deptry", "--no-ansi", "."),
    }
    return max([check(name, command) for name, command in checks.items()])


def check(name: str, command: tuple[str, ...]) -> int:
    """Run one tool of .venv and say how it went; 1 when it found something."""
    started = time.monotonic()
    done = subprocess.run([os.path.join(VENV, "bin", command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr)
    print(f"{name:13} {'FAILED' if done.returncode else 'ok':7} {time.monotonic() - started:.1f} s   ({' '.join(command)})", flush=True)
    return 1 if done.returncode else 0


def bench(arguments: list[str]) -> int:
    """The benchmarks, one after another, so that they do not disturb each other; 1 when one missed its budget."""
    install("test")
    for command, package in PEERS.items():
        if not shutil.which(command):
            say(f"{command} is not here (Debian's package {package}): what is measured against it is left out")
    folder = os.path.join(ROOT, "benchmarks")
    names = sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".py") and not name.startswith("_"))
    chosen = [name for name in names if not arguments or name in arguments]
    if not chosen:
        say(f"no such benchmark; there are: {', '.join(names) or 'none yet'}")
        return 2
    return max([bench_one(name) for name in chosen])


def bench_one(name: str) -> int:
    """One benchmark under its title."""
    print(f"== {name} ==", flush=True)
    return call(PYTHON, os.path.join("benchmarks", name + ".py"))


def sim(arguments: list[str]) -> int:
    """Alerts, or a fleet, under virtual time and faults, from one seed; ends with one line of JSON, and with 1 if anything was wrong."""
    install("test")
    script = "fleet.py" if "--fleet" in arguments else "sim.py"
    return call(PYTHON, os.path.join("tests", "simulation", script), *[word for word in arguments if word != "--fleet"])


def lock(arguments: list[str]) -> int:
    """requirements/*.txt from pyproject.toml, against the usual index whatever this machine is set up to use."""
    install("dev")
    for name in list(os.environ):
        if name.startswith(("UV_", "PIP_")):
            del os.environ[name]
    if "--upgrade" in arguments:
        arguments = [*arguments, "--exclude-newer", time.strftime("%Y-%m-%d", time.gmtime(time.time() - 14 * 86400))]
    for name, wanted in LOCKED.items():
        if call(os.path.join(VENV, "bin", "uv"), *COMPILE.split(), *wanted, *arguments, "pyproject.toml", "-o", f"requirements/{name}.txt"):
            return 1
        say(f"wrote requirements/{name}.txt")
    return 0


def docs(_: list[str]) -> int:
    """docs/reference/cli.md from the commands, docs/_build/html, and the man pages that the wheel ships."""
    install("dev")
    if call(PYTHON, "-m", "offduty.cli.reference"):
        return 1
    for builder, folder in (("html", "docs/_build/html"), ("man", "share/man")):
        if call(PYTHON, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", builder, "-d", f"docs/_build/{builder}-cache", "docs", folder):
            return 1
        say(f"wrote {folder}")
    return 0


COMMANDS = {"demo": demo, "test": test, "lint": lint, "bench": bench, "sim": sim, "lock": lock, "docs": docs}


def say(text: str) -> None:
    """One line of talk, on stderr: stdout belongs to what was asked for."""
    print("dev.py: " + text, file=sys.stderr, flush=True)


def call(*command: str) -> int:
    """Run a command in the repository; its exit status. Ctrl-C is left to the command."""
    process = subprocess.Popen(command, cwd=ROOT)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def install(name: str) -> None:
    """Make .venv hold what requirements/NAME.txt pins, and the project itself; at once when it does already."""
    make_venv()
    wanted = fingerprint()
    if stamps().get(name) == wanted[name]:
        return
    if os.path.exists(STAMP):
        os.remove(STAMP)  # an install that is cut short must not pass for a whole one
    pip(f"requirements/{name}.txt", "--only-binary", ":all:", "--require-hashes", "-r", f"requirements/{name}.txt")
    # The build tools are in the lock, so nothing that is not pinned is fetched.
    pip("offduty", "--no-deps", "--no-build-isolation", "--no-index", "-e", ".")
    call(PYTHON, "-m", "compileall", "-q", "src")  # pip does so for what it copies; under PYTHONDONTWRITEBYTECODE nobody would later
    with open(STAMP, "w", encoding="ascii") as file:
        file.writelines(f"{lock} {wanted[lock]}\n" for lock in LOCKS[: LOCKS.index(name) + 1])


def make_venv() -> None:
    """.venv without pip, which works where Debian's python3-venv is missing too. One that is there and runs is kept."""
    if os.path.exists(PYTHON):
        return
    say(f"makes .venv with Python {sys.version.split()[0]}")
    venv.EnvBuilder(with_pip=False, symlinks=True, clear=True).create(VENV)


def fingerprint() -> dict[str, str]:
    """For each lock, what .venv must have been made from."""
    python = subprocess.run([PYTHON, "-c", "import sys; print(sys.version)"], capture_output=True, check=True).stdout
    project = tomllib.loads(read("pyproject.toml").decode())
    built_from = repr((ROOT, project["build-system"], project["project"], project["tool"]["hatch"])).encode()
    shared = python + built_from + read("scripts/offduty") + read("src/offduty/version.py")
    return {name: hashlib.sha256(shared + read(f"requirements/{name}.txt")).hexdigest() for name in LOCKS}


def read(name: str) -> bytes:
    """A file of the repository."""
    with open(os.path.join(ROOT, name), "rb") as file:
        return file.read()


def stamps() -> dict[str, str]:
    """What .venv was made from, as far as it got."""
    try:
        with open(STAMP, encoding="ascii") as file:
            return dict(line.split() for line in file)
    except (OSError, ValueError):
        return {}


def pip(what: str, *arguments: str) -> None:
    """Install into .venv with the pip outside, counting aloud; ends dev.py when it fails."""
    started, count = time.monotonic(), 0
    command = [*pip_command(), "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off", *arguments]
    environ = {name: value for name, value in os.environ.items() if name not in ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PYTHONPATH")}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
    say(f"installs {what}")
    for line in process.stdout or ():
        if line.startswith(("Collecting", "Requirement already")):
            count += 1
            if sys.stderr.isatty():
                print(f"\r\033[K  {count}  {line.split(' in ')[0].strip()[:60]}", end="\r", file=sys.stderr, flush=True)
    if process.wait():
        sys.exit(f"dev.py: pip could not install {what}; what it said is above")
    say(f"installed {what} in {time.monotonic() - started:.1f} s")


def pip_command() -> list[str]:
    """The pip of the Python outside, told to work on .venv; without one, the pip that Python brings along."""
    if quiet(OUTER, "-m", "pip", "--python", PYTHON, "--version"):
        return [OUTER, "-m", "pip", "--python", PYTHON]
    if quiet(PYTHON, "-m", "pip", "--version") or quiet(PYTHON, "-m", "ensurepip"):
        return [PYTHON, "-m", "pip"]
    sys.exit(f"dev.py: needs pip 22.3 or newer for {OUTER}; on Debian and Ubuntu: apt-get install python3-pip")


def quiet(*command: str) -> bool:
    """Whether a command goes well; what it says is dropped."""
    return subprocess.run(command, capture_output=True).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
