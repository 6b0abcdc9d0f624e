"""Made-up secrets of every format, from a printed seed, and the ways a program may write them."""

from __future__ import annotations

import base64
import json
import os
import random
import shlex
import string
from urllib.parse import quote

SEED = int(os.environ.get("OFFDUTY_TEST_SEED", "20261123"))
_ALNUM, _HEX, _UPPER = string.ascii_letters + string.digits, "0123456789abcdef", string.ascii_uppercase + string.digits
_URLSAFE = _ALNUM + "-_"


def _make(rng: random.Random, template: str) -> str:
    """`{A36}`: 36 letters or digits; `{H..}` hex digits, `{U..}` upper-case letters or digits, `{B..}` base64url."""
    sets = {"A": _ALNUM, "H": _HEX, "U": _UPPER, "B": _URLSAFE, "D": string.digits}
    first, *others = template.split("{")
    out = first
    for part in others:
        kind, _, rest = part.partition("}")
        start = "Z9" if kind[0] in "AUB" else ""  # a digit and a capital, as real tokens of this length have them
        out += start + "".join(rng.choices(sets[kind[0]], k=int(kind[1:]) - len(start))) + rest
    return out


TEMPLATES = {
    "github": "ghp_{A36}", "github oauth": "gho_{A36}", "github app": "ghs_{A36}", "github fine": "github_pat_{A22}_{A59}",
    "gitlab": "glpat-{B20}", "gitlab runner": "glrt-{B20}", "slack bot": "xoxb-{D12}-{D12}-{A24}", "slack user": "xoxp-{D12}-{D12}-{A24}",
    "slack app": "xapp-1-{U11}-{D12}-{H32}", "aws id": "AKIA{U16}", "aws session id": "ASIA{U16}", "google": "AIza{B35}",
    "google oauth": "ya29.{B60}", "google secret": "GOCSPX-{B28}", "stripe": "sk_live_{A24}", "stripe restricted": "rk_live_{A24}",
    "webhook": "whsec_{A32}", "openai": "sk-{A48}", "openai project": "sk-proj-{B60}", "anthropic": "sk-ant-api03-{B60}",
    "pypi": "pypi-AgEI{B100}", "npm": "npm_{A36}", "sendgrid": "SG.{B22}.{B43}", "huggingface": "hf_{A34}", "databricks": "dapi{H32}",
    "digitalocean": "dop_v1_{H64}", "docker": "dckr_pat_{B27}", "vault": "hvs.{B90}", "grafana": "glsa_{A32}_{H8}",
    "shopify": "shpat_{H32}", "atlassian": "ATATT3xFfGF0{B180}", "sentry": "sntrys_{A100}", "linear": "lin_api_{A40}",
    "postman": "PMAK-{H24}-{H34}",
    "new relic": "NRAK-{U27}", "pulumi": "pul-{H40}", "rubygems": "rubygems_{H48}", "groq": "gsk_{A52}", "age": "AGE-SECRET-KEY-1{U58}",
    "jwt": "eyJ{B33}.eyJ{B80}.{B43}", "telegram": "{D10}:AA{B33}",
}  # fmt: skip


def canaries() -> dict[str, str]:
    """Title to token."""
    rng = random.Random(SEED)
    return {title: _make(rng, template) for title, template in TEMPLATES.items()}


def password() -> str:
    """A password in which every encoding finds something to escape."""
    rng = random.Random(SEED)
    return f"pä/s+w%{_make(rng, '{B12}')}\"'$ =&{_make(rng, '{A6}')}"


def _inside(value: bytes, shift: int) -> bytes:
    return base64.b64encode(b"x" * shift + value + b"tail")


ENCODINGS = {
    "plain": lambda v: v,
    "url": lambda v: quote(v, safe="").encode(),
    "json": lambda v: json.dumps({"k": v.decode()}).encode(),
    "shell": lambda v: b"echo " + shlex.quote(v.decode()).encode(),
    "base64 at 0": lambda v: _inside(v, 0),
    "base64 at 1": lambda v: _inside(v, 1),
    "base64 at 2": lambda v: _inside(v, 2),
    "hex": lambda v: v.hex().encode(),
}


def leaks(out: bytes, value: bytes) -> bool:
    """Whether a good part of `value` can be read in `out`, plain or in one of the encodings, colours and line breaks taken away."""
    out = b"".join(out.split()).replace(b"\x1b[31m", b"").replace(b"\x1b[0m", b"")
    shown = [b"".join(encode(value).split()) for encode in ENCODINGS.values()]
    return any(form[at : at + 10] in out for form in shown for at in range(8, len(form) - 18))
