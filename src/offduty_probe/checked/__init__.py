"""What libraries for checking data report, as checks of the run: one file a library, with `install(report, module) -> undo`, one line here.

Nothing of the data is kept: which rule, of which column, how many rows. `OFFDUTY_CAPTURE=-pandera` leaves one out.
"""

from __future__ import annotations

from offduty_probe.patching import when_imported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from offduty_probe.checked.report import Report
    from offduty_probe.recorder import Recorder

# module that is imported by the job: (the library, our module). A job that does not import it pays nothing.
CHECKED = {
    "pandera.api.pandas.container": ("pandera", "pandera"),
    "pandera.api.pandas.array": ("pandera", "pandera"),
    "pandera.api.polars.container": ("pandera", "pandera"),
    "pandera.api.ibis.container": ("pandera", "pandera"),
    "great_expectations.validator.validator": ("great_expectations", "great_expectations"),
    "pydantic.main": ("pydantic", "pydantic"),
    "pydantic.type_adapter": ("pydantic", "pydantic"),
    "pointblank.validate": ("pointblank", "pointblank"),
    "patito.pydantic": ("patito", "patito"),
}


def install(recorder: Recorder, chosen: str = "") -> None:
    """Watch the libraries, now or when they are imported. `chosen`: as in `$OFFDUTY_CAPTURE`."""
    left_out = [one.strip().lstrip("-") for one in chosen.split(",")]
    for module, (library, ours) in CHECKED.items():
        if library not in left_out:
            when_imported(module, lambda module, ours=ours: _load(ours)(_report(recorder), module))  # type: ignore[misc]


def _report(recorder: Recorder) -> Report:
    from offduty_probe.checked.report import Report

    return Report(recorder)


def _load(ours: str) -> Callable[..., object]:
    """The `install` of one of our modules."""
    return getattr(__import__(f"{__name__}.{ours}", fromlist=["install"]), "install")  # type: ignore[no-any-return]  # noqa: B009
