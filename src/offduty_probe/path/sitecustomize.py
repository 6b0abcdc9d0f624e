"""What Python imports at start-up: starts the probe, then runs the `sitecustomize` this one hid.

Valid from Python 2.7 on, because a job may run under any Python; before 3.8 it only hands over.
The job must find `sys.path` as it would be without offduty, so this folder leaves it first. PYTHONPATH stays as it is:
the Pythons that the job starts get the probe by it.
"""

# mypy: ignore-errors
import os
import sys

_HERE = os.path.dirname(__file__)


def _leave_the_path():
    sys.path[:] = [entry for entry in sys.path if entry != _HERE]
    sys.path_importer_cache.pop(_HERE, None)


def _load_the_package():
    """Load `offduty_probe` from beside this folder, without its parent ever being on `sys.path`."""
    from _frozen_importlib import module_from_spec
    from _frozen_importlib_external import spec_from_file_location

    package = os.path.dirname(_HERE)
    spec = spec_from_file_location("offduty_probe", package + "/__init__.py", submodule_search_locations=[package])
    module = module_from_spec(spec)
    sys.modules["offduty_probe"] = module
    spec.loader.exec_module(module)


def _start_the_probe():
    if sys.version_info < (3, 8) or not (os.environ.get("OFFDUTY_EVENTS") and os.environ.get("OFFDUTY_TOKEN")):
        return
    try:
        if "offduty_probe" not in sys.modules:
            _load_the_package()
        from offduty_probe.start import start

        start(os.environ)
    except Exception:
        pass  # the job goes on without a probe; no `hello` in the events tells offduty so


_leave_the_path()
_start_the_probe()
# The reference keeps these globals alive under Python 2 while the next `sitecustomize` is looked for.
_this = sys.modules.pop("sitecustomize", None)
# When there is none this raises ImportError for `sitecustomize`, which `site` takes as "there is none". Any other error is the
# hidden module's own, and `site` reports it as it would have. What is in sys.modules afterwards is what Python gives to the job.
import sitecustomize  # noqa: E402, F401
