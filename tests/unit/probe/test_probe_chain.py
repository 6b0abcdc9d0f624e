"""Chains of exceptions: bounded, complete in what counts, and total."""

from __future__ import annotations

import linecache
import sysconfig

import pytest

from offduty_probe.chain import MOST_EXCEPTIONS, MOST_FRAMES, chain_of, is_own, type_name


def raised(error: Exception) -> BaseException:
    """`error` with a traceback."""
    try:
        raise error
    except Exception as caught:  # noqa: BLE001
        return caught


def test_a_cycle_ends() -> None:
    """Exceptions that cause one another are each told once."""
    a, b = ValueError("a"), ValueError("b")
    a.__cause__, b.__cause__ = b, a
    assert [entry["message"] for entry in chain_of(a)] == ["a", "b"]


def test_a_very_long_chain_keeps_both_ends() -> None:
    """INV-11, INV-13: 500 contexts: the first and the deepest are kept, the others are counted."""
    error: BaseException = ValueError("deepest")
    for number in range(500):
        outer = ValueError(str(number))
        outer.__context__ = error
        error = outer
    chain = chain_of(error)
    assert len(chain) == MOST_EXCEPTIONS
    assert (chain[0]["message"], chain[-1]["message"]) == ("499", "deepest")
    assert [entry["message"] for entry in chain if entry["type"] == "…"] == ["470 exceptions left out"]


def test_a_deep_recursion_keeps_both_ends() -> None:
    """INV-11: hundreds of frames become few: where it began, and where it happened."""

    def deeper(levels: int) -> None:
        if not levels:
            raise ValueError
        deeper(levels - 1)

    with pytest.raises(ValueError) as caught:  # noqa: PT011
        deeper(500)
    frames = chain_of(caught.value)[0]["frames"]
    assert len(frames) == MOST_FRAMES
    assert (frames[0]["function"], frames[-1]["function"]) == ("test_a_deep_recursion_keeps_both_ends", "deeper")
    assert sum("frames left out" in frame["function"] for frame in frames) == 1


@pytest.mark.parametrize("notes", [3, "text", None, [1, object()], ["x"] * 1000])
def test_odd_notes(notes: object) -> None:
    """`__notes__` can be anything."""
    error = ValueError("a")
    error.__notes__ = notes
    assert all(isinstance(note, str) for note in chain_of(error)[0]["notes"])


def test_a_group_within_a_group() -> None:
    """Members follow their group, depth first."""
    group = ExceptionGroup("outer", [ExceptionGroup("inner", [KeyError("a"), OSError("b")]), ValueError("c")])
    assert [entry["type"] for entry in chain_of(raised(group))] == ["ExceptionGroup", "ExceptionGroup", "KeyError", "OSError", "ValueError"]


@pytest.mark.parametrize(
    "file, own",
    [
        ("/srv/jobs/forecast.py", True), ("forecast.py", True), ("<string>", True), ("<stdin>", True), ("<ipython-input-1>", True),
        (linecache.__file__, False), (f"{sysconfig.get_path('purelib')}/pandas/io/common.py", False),
        ("<frozen importlib._bootstrap>", False),
        ("/usr/lib/python3/dist-packages/x.py", False), (chain_of.__code__.co_filename, False),
    ],
)  # fmt: skip
def test_which_files_are_the_jobs_own(file: str, own: bool) -> None:
    """Not the standard library, installed packages, the interpreter, the probe."""
    assert is_own(file) is own


def test_names_of_types_are_those_of_tracebacks() -> None:
    """Built-in ones bare, others with their module, nested ones with their class."""
    local = type("Odd", (Exception,), {"__module__": None})
    assert [type_name(cls) for cls in (ValueError, linecache.tokenize.TokenError, local)] == ["ValueError", "tokenize.TokenError", "Odd"]


def test_base_classes_are_told():
    """Triage rows name a base class and mean all below it."""
    with pytest.raises(OSError, match="No such file") as caught:
        open("/nowhere/at/all")
    assert chain_of(caught.value)[0]["bases"] == ["OSError", "Exception"]
