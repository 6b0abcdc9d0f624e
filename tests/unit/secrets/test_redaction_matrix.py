"""T01: no form of a secret reaches the log: formats x encodings x where the reads are cut."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from offduty.secrets import Redactor

sys.path.insert(0, str(Path(__file__).parent))
import canaries

CANARIES = canaries.canaries()
print(f"canary seed {canaries.SEED}")


@pytest.fixture(scope="module")
def knowing() -> Redactor:
    """A redactor whose environment holds every canary, under names that look secret."""
    return Redactor({f"K{number}_SECRET": value for number, value in enumerate([*CANARIES.values(), canaries.password()])})


@pytest.fixture(scope="module")
def ignorant() -> Redactor:
    """A redactor that knows formats only."""
    return Redactor({})


@pytest.mark.parametrize("encoding", canaries.ENCODINGS)
@pytest.mark.parametrize("title", [*CANARIES, "password"])
def test_a_known_value_is_masked_in_every_encoding(knowing, title, encoding):
    """T01: exact values of the environment, as URL, JSON, shell, base64 at three alignments and hex write them."""
    value = CANARIES.get(title, canaries.password()).encode()
    line = b"sent " + canaries.ENCODINGS[encoding](value) + b" to the service\n"
    out = knowing.redact(line, final=True)[0]
    assert b"***" in out and out.startswith(b"sent ") and out.endswith(b" to the service\n")
    assert not canaries.leaks(out, value), canaries.SEED


@pytest.mark.parametrize("encoding", ["plain", "url", "json", "shell"])
@pytest.mark.parametrize("title", CANARIES)
def test_a_token_nobody_told_us_about_is_masked(ignorant, title, encoding):
    """T01: 40 formats by their fixed beginnings, in the encodings that keep those."""
    value = CANARIES[title].encode()
    out = ignorant.redact(b"key " + canaries.ENCODINGS[encoding](value) + b" end\n", final=True)[0]
    assert b"***" in out and out.startswith(b"key ") and out.endswith(b" end\n")
    assert not canaries.leaks(out, value), canaries.SEED


def in_two(redactor: Redactor, text: bytes, at: int) -> bytes:
    """What comes out when `text` is read in two parts."""
    first, held = redactor.redact(text[:at], final=False)
    second, nothing = redactor.redact(held + text[at:], final=True)
    assert nothing == b""
    return first + second


PEM = (
    b"-----BEGIN RSA PRIVATE KEY-----\n"
    + b"\n".join(bytes([65 + n]) * 60 + b"/+09" for n in range(5))
    + b"\nQUJDRA==\n-----END RSA PRIVATE KEY-----\n"
)
SPLIT = {
    "github": b"a ghp_Z9abcdefghijklmnopqrstuvwxyz01234567 b\n",
    "password": b'  "password": "Hx7!kk20 with spaces", "n": 1\n',
    "option": b"+ curl --token Zx8123nnqpALk4 http://h/x\n",
    "header": b"> Authorization: Bearer Zx8123nnqpALk4.77abcdef\n> Accept: */*\n",
    "basic": b"> Authorization: Basic dXNlcjpaeDgxMjNubnFwQUxrNA==\n",
    "userinfo": b"connect postgresql://etl:Zx8123nnqpALk4@db:5432/x now\n",
    "jwt": b"t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.Zx8123nnqpALk4Zx8123nnqpALk4Zx8123nnqpALk44 .\n",
    "webhook": b"POST https://hooks.slack.com/services/T01/B02/Zx8123nnqpALk4 404\n",
    "signature": b"GET https://x.blob/c?sv=1&sig=Zx8123nnqpALk4AAAAAA%3D&se=2 200\n",
    "pem": b"key:\n" + PEM + b"done\n",
    "colour": b"gh\x1b[31mp_Z9abcdefghijk\x1b[0mlmnopqrstuvwxyz01234567 b\n",
    "aws": b"aws_secret_access_key = Zx8123nnqpALk4AAAAAAZx8123nnqpALk4AAAAAA\n",
    "environment": b"MY_DB_PASSWORD=Zx8123nnqpALk4,AAAA\n",
}


@pytest.mark.parametrize("title", SPLIT)
def test_it_does_not_matter_where_two_reads_are_cut(ignorant, title):
    """T01: at every byte, the two halves give what the whole gives."""
    text = SPLIT[title]
    whole = ignorant.redact(text, final=True)[0]
    assert b"***" in whole and whole.count(b"\n") == text.count(b"\n")
    assert b"Zx8123nnqpALk4" not in whole and b"/+09" not in whole and b"abcdefghijk" not in whole
    for at in range(len(text) + 1):
        assert in_two(ignorant, text, at) == whole, (at, text[:at])


@pytest.mark.parametrize("title", ["jwt", "github", "slack bot", "age", "atlassian", "aws id"])
@pytest.mark.parametrize("width", [0, 16, 20, 64, 76])
def test_a_known_value_may_be_cut_anywhere_and_wrapped(knowing, title, width):
    """T01: known values over two reads, and with line breaks inside at a fixed width."""
    value = CANARIES[title].encode()
    wrapped = b"\n".join(value[n : n + width] for n in range(0, len(value), width)) if width else value
    text = b"v:\n" + wrapped + b"\nafter\n"
    for at in range(len(text)):
        out = in_two(knowing, text, at)
        assert not canaries.leaks(out, value), (at, out)
        assert out.startswith(b"v:\n") and out.endswith(b"\nafter\n") and out.count(b"\n") == text.count(b"\n")


@pytest.mark.parametrize("width", [30, 64, 76])
def test_base64_of_a_known_value_may_be_wrapped(knowing, width):
    """T01: `base64` wraps its output at 76 columns."""
    value = CANARIES["atlassian"].encode()
    coded = canaries.ENCODINGS["base64 at 1"](value)
    text = b"".join(coded[n : n + width] + b"\n" for n in range(0, len(coded), width))
    out = knowing.redact(text, final=True)[0]
    assert not canaries.leaks(out, value) and out.count(b"\n") == text.count(b"\n")


@pytest.mark.parametrize("title", ["github", "npm", "aws id", "google", "jwt"])
@pytest.mark.parametrize("indent", [b"", b"    "])
def test_a_wrapped_token_nobody_told_us_about(ignorant, title, indent):
    """T01: formats whose end can be known are followed over a line break."""
    value = CANARIES[title].encode()
    for at in range(16, len(value)):
        out = ignorant.redact(b"x " + value[:at] + b"\n" + indent + value[at:] + b"\nnext line\n", final=True)[0]
        assert not canaries.leaks(out, value) and out.endswith(b"\nnext line\n"), (at, out)


@pytest.mark.parametrize("title", CANARIES)
def test_colours_inside_do_not_help(ignorant, title):
    """T01: a program that highlights a part of the token prints escape codes in the middle of it."""
    value = CANARIES[title].encode()
    for at in range(1, len(value), 5):
        out = ignorant.redact(b"x " + value[:at] + b"\x1b[31m" + value[at:] + b"\x1b[0m\n", final=True)[0]
        assert out == b"x ***\x1b[31m\x1b[0m\n" or (title == "telegram" and not canaries.leaks(out, value[10:])), (at, out)


def test_a_multi_line_value_is_masked_line_by_line():
    """T01: a key in the environment may be printed whole, indented, one line of it, or with escaped line breaks."""
    body = PEM.split(b"\n")[1]
    redactor = Redactor({"SSH_PRIVATE_KEY": PEM.decode()})
    for text in (
        PEM,
        PEM.replace(b"\n", b"\n    "),
        b"line " + body + b"\n",
        PEM.replace(b"\n", b"\\n") + b"\n",
        PEM.replace(b"\n", b"%0A"),
    ):
        assert body[:20] not in redactor.redact(text, final=True)[0]


def test_a_secret_across_the_edge_of_a_block(ignorant):
    """T01: the 64 KiB boundary, inside of one call and between two."""
    token = b"ghp_" + b"Z9" * 18
    for at in range(65536 - 45, 65536 + 5):
        text = b"." * (at - 1) + b" " + token + b" " + b"." * 70000
        assert ignorant.redact(text, final=True)[0] == b"." * (at - 1) + b" *** " + b"." * 70000
        first, held = ignorant.redact(text[:65536], final=False)
        assert token[:10] not in first + ignorant.redact(held + text[65536:], final=True)[0]


@pytest.mark.parametrize(
    "start, unit", [(b"ghp_", b"a"), (b"-----BEGIN PRIVATE KEY-----\n", b"QUJD" * 16 + b"\n"), (b'password="', b"x y "), (b"eyJ", b"ab")]
)
def test_what_is_held_back_stays_small(ignorant, start, unit):
    """T01, T03: an unfinished secret of megabytes is masked as it comes, and what is held stays under 20 KiB."""
    held, out = start, b""
    for _ in range(60):
        done, held = ignorant.redact(held + unit * (4096 // len(unit)), final=False)
        out += done
        assert len(held) <= 20 << 10
    out += ignorant.redact(held, final=True)[0]
    if unit != b"ab":
        assert unit * 4 not in out
    if b"\n" in unit:
        assert out.count(b"\n") == 60 * (4096 // len(unit)) + 1
