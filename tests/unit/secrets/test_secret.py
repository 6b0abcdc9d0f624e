"""A Secret shows `***` wherever Python prints things."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import subprocess
import sys

import pytest

from offduty.secrets import Secret

VALUE = "hunter2-but-longer"


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{:>3}".format, "{!r}".format, lambda s: f"{s}"])
def test_it_prints_as_three_stars(show):
    """T04: str, repr, format, f-strings."""
    assert show(Secret(VALUE)) == "***"


def test_it_stays_hidden_in_containers_logs_and_json(caplog):
    """T04: what prints a container, a log record or a JSON object with `default=str` prints stars."""
    secret = Secret(VALUE)
    logging.getLogger("x").warning("the secret is %s, %r", secret, {"k": secret})
    shown = caplog.text + str([secret]) + repr({"k": secret}) + json.dumps({"k": secret}, default=str)
    assert VALUE not in shown and shown.count("***") >= 4


@pytest.mark.parametrize("store", [pickle.dumps, json.dumps, vars])
def test_it_cannot_be_stored_by_accident(store):
    """T04: pickle and JSON are refused; there is no dictionary of attributes."""
    with pytest.raises(TypeError) as refused:
        store(Secret(VALUE))
    assert VALUE not in str(refused.value)


def test_reveal_and_compare():
    """The value is there for those who ask; equality and truth are those of the value; a copy is the secret itself."""
    secret = Secret(VALUE)
    assert secret.reveal() == VALUE
    assert secret == Secret(VALUE) != Secret("other") and secret != VALUE and {secret: 1}[Secret(VALUE)] == 1
    assert not Secret("") and copy.deepcopy(secret) is secret and copy.copy(secret) is secret


def test_importing_the_package_loads_nothing_heavy():
    """The run command's fast path may import Secret: no `re`, no searcher, until Redactor is asked for."""
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
from offduty.secrets import Secret
print([name for name in ("re", "json", "ahocorasick_rs", "base64") if name in sys.modules])"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
