"""Whether the failure of a transaction would go unheard."""

from __future__ import annotations

import textwrap

import pytest


def around(handler, what="open('a')"):
    """`what` in a try with the given handlers."""
    return f"import logging, sys, requests, contextlib, os\nlog = logging.getLogger()\nfor i in x:\n try:\n  {what}\n" + textwrap.indent(
        handler, " "
    )


SWALLOWED = [
    "except: pass",
    "except Exception: pass",
    "except BaseException: continue",
    "except Exception as error: log.error('no feed: %s', error)",
    "except Exception: print('oops')",
    "except (ValueError, Exception): logging.exception('x'); found = None",
    "except ValueError: raise\nexcept Exception: pass",
    "except OSError: pass",
    "except Exception: sys.exit(0)",
    "except Exception: sys.exit()",
    "except Exception:\n if x: log.info('x')\n else: pass",
    "except Exception:\n def g(): raise ValueError",
]
HEARD = [
    "except Exception: raise",
    "except Exception as error: raise RuntimeError('no feed') from error",
    "except Exception:\n if i == 3: raise\n continue",
    "except Exception: sys.exit(1)",
    "except Exception: sys.exit('no feed')",
    "except Exception as error: tell_somebody(error)",
    "except Exception as error: failures.append(error)",
    "except FileNotFoundError: pass",
    "except ValueError: pass",
    "except OSError: raise\nexcept Exception: pass",
    "finally: print('done')",
]


@pytest.mark.parametrize("handler", SWALLOWED)
def test_an_except_that_goes_on_as_if_nothing_had_failed_swallows(places, handler):
    """It passes, continues, returns, or only prints or logs."""
    assert [place.swallowed for place in places(around(handler))] == [True]


@pytest.mark.parametrize("handler", HEARD)
def test_an_except_that_raises_leaves_or_acts_does_not_swallow(places, handler):
    """Nor does one for a single case."""
    assert [place.swallowed for place in places(around(handler))] == [False]


def test_the_classes_of_a_library_count_for_its_own_transactions(places):
    """`RequestException` is everything that requests can raise, but not what open can."""
    handler = "except requests.RequestException: pass"
    assert [place.swallowed for place in places(around(handler, "requests.get('http://a')"))] == [True]
    assert [place.swallowed for place in places(around(handler, "open('a')"))] == [False]


@pytest.mark.parametrize("what, swallowed", [("Exception", True), ("OSError", True), ("FileNotFoundError", False), ("", False)])
def test_suppress_swallows_what_it_names(places, what, swallowed):
    """`contextlib.suppress(FileNotFoundError)` around a removal is no fault."""
    source = f"import contextlib, os\nwith contextlib.suppress({what}):\n os.remove('a')"
    assert [place.swallowed for place in places(source)] == [swallowed]


def test_a_return_in_finally_swallows(places):
    """Python drops the exception then."""
    assert [place.swallowed for place in places("def f():\n try:\n  open('a')\n finally:\n  return 1")] == [True]


def test_what_is_raised_again_meets_the_next_one_outside(places):
    """The inner handler lets it go, the outer one does not."""
    inner = "  try:\n   open('a')\n  except OSError:\n   log()\n   raise\n"
    assert [place.swallowed for place in places(f"def f():\n try:\n{inner} except Exception:\n  return None")] == [True]


def test_only_the_body_of_a_try_is_guarded(places):
    """Not its handlers, its else, what follows it, or a function that is only defined in it."""
    source = "try:\n open('in')\n def f(): open('f')\n g = lambda: open('g')\nexcept Exception:\n open('x')\nelse:\n open('y')\nopen('z')"
    found = {place.target: place.swallowed for place in places(source)}
    assert found == {"in": False, "f": False, "g": False, "x": False, "y": False, "z": False}
    found = {place.target: place.swallowed for place in places(source.replace("open('x')", "pass"))}
    assert found == {"in": True, "f": False, "g": False, "y": False, "z": False}
