"""Known formats of tokens: what a secret looks like that nobody told us about.

Each format is found by a literal beginning and confirmed by one regular expression that is matched at that place only.
Every expression runs over a stretch of text once (possessive repeats, or repeats with a small bound), so the whole stays linear.
"""

from __future__ import annotations

import re
from base64 import b64decode
from functools import cache

from offduty.secrets import shapes

LONGEST_UNBROKEN = 4096  # bytes of a token looked at when its lines are joined


class Found:
    """A stretch of text: `[start, end)` is to be masked; `context` is where the text begins that one must see to know it (a key's name).

    `unfinished` says that it may go on beyond the end of the text.
    """

    __slots__ = ("context", "end", "start", "unfinished")

    def __init__(self, start: int, end: int, *, context: int | None = None, unfinished: bool = False) -> None:
        self.start, self.end, self.unfinished = start, end, unfinished
        self.context = start if context is None else context


class Format:
    """A token's `literals` and the expression for it; group 1, if there is one, is what to mask. `full`: its exact length, if known."""

    __slots__ = ("full", "literals", "pattern", "title")

    def __init__(self, title: str, literals: str, pattern: str, full: int = 0) -> None:
        self.title, self.literals, self.pattern, self.full = title, literals.encode().split(), pattern.encode(), full

    def find(self, view: bytes, at: int) -> Found | None:
        """The token at `at`, or None."""
        match = compiled(self.pattern).match(view, at)
        if self.full and (not match or (match.end() - at < self.full and view[match.end() : match.end() + 1] in (b"\r", b"\n"))):
            return self._broken(view, at) or (match and Found(at, match.end()))
        if not match:
            return None
        start, end = match.span(1 if match.re.groups else 0)
        return Found(start, end, context=at, unfinished=end == len(view))

    def _broken(self, view: bytes, at: int) -> Found | None:
        """A token of known length with one line break inside; unfinished when the rest has not been read yet."""
        window = view[at : at + self.full + 128]
        if b"\n" not in window and len(window) >= self.full:
            return None
        joined = shapes.BREAK.sub(b"", window, count=1)
        match = compiled(self.pattern).match(joined) if joined != window else None
        if match and match.end() == self.full:
            return Found(at, shapes.forward(view, at, match[0]))
        return Found(at, at, unfinished=True) if len(window) < self.full and _is_one_run(joined) else None


def _is_one_run(joined: bytes) -> bool:
    run = compiled(rb"[\w.-]*+").match(joined)
    return run is not None and run.end() == len(joined)


class Jwt:
    """`eyJ….….…`: three parts, of any length, so it is followed over line breaks while it is not complete."""

    title, literals = "JWT", [b"eyJ"]
    # A start inside a run of token characters is none, except behind an escape: without this `eyJeyJeyJ…` would cost a scan each.
    pattern = rb"(?:(?<![\w-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))eyJ[\w-]{8,}+(?:\.[\w-]*+){0,4}+"
    next_line = rb"\r?\n[ \t]*+([\w.-]++)"
    signature_lengths = frozenset({43, 64, 86, 128, 171, 342, 512, 683})

    def find(self, view: bytes, at: int) -> Found | None:
        """The token at `at`, or None."""
        match = compiled(self.pattern).match(view, at)
        if not match:
            return None
        end, token = match.end(), match[0]
        while len(token) < LONGEST_UNBROKEN and not self._is_complete(token) and (more := compiled(self.next_line).match(view, end)):
            end, token = more.end(), token + more[1]
        at_end = not view[end : end + 2].strip(b"\r\n") and end + 2 >= len(view)
        if token.count(b".") < 2:
            return Found(at, at, unfinished=True) if at_end else Found(end, end)
        return Found(at, end, unfinished=end == len(view) or (at_end and not self._is_complete(token)))

    def _is_complete(self, token: bytes) -> bool:
        parts = token.split(b".", 2)
        return len(parts) == 3 and len(parts[2]) in self.signature_lengths


class Pem:
    """A private key block: its lines are masked up to the END line, or up to the first line that cannot belong to it."""

    title, literals = "PEM private key", [b"-----BEGIN "]
    header = rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    # Line breaks may be escaped once or more (`\n` in JSON); lines may be indented, quoted or joined by `+`.
    gap = rb"(?:[\s\"'`+,>|]|\\{1,4}[nrt\"]){0,64}+"
    line = rb"[A-Za-z0-9+/=]++"
    field = rb"[A-Z][A-Za-z-]{2,20}: [^\n]{0,200}+"

    def find(self, view: bytes, at: int) -> Found | None:
        """The lines of the block that begins at `at`; nothing if no line of a key follows."""
        header = compiled(self.header).match(view, at)
        if not header:
            return Found(at, at, unfinished=True) if compiled(rb"-----BEGIN [A-Z0-9 ]{0,55}-{0,5}\Z").match(view, at) else None
        start, end, at_end = self._body(view, header.end())
        if at_end:
            return Found(start, end, context=at, unfinished=True)
        return Found(start, end, context=at) if end > start else None

    def _body(self, view: bytes, at: int) -> tuple[int, int, bool]:
        """(first byte, past the last byte, whether the text ended before the block did)."""
        field, line = compiled(self.field), compiled(self.line)
        start = place = self._past_gap(view, at)
        end = start
        while place < len(view) and not view.startswith(b"-----", place):
            run = field.match(view, place) or line.match(view, place)
            if not run or not self._belongs(view, run, inside=end > start):
                return start, end, (run.end() == len(view)) if run else b"-----END".startswith(view[place : place + 5])
            end = run.end()
            place = self._past_gap(view, end)
        return start, end, place >= len(view)

    def _belongs(self, view: bytes, run: re.Match[bytes], *, inside: bool) -> bool:
        """A short line is a key's only if it is the last one, before END; a longer word can hardly be anything else here."""
        if len(run[0]) >= 16 or b":" in run[0]:
            return True
        behind = self._past_gap(view, run.end())
        return inside and b"-----".startswith(view[behind : behind + 5])

    def _past_gap(self, view: bytes, at: int) -> int:
        match = compiled(self.gap).match(view, at)
        return match.end() if match else at


class Basic:
    """`Authorization: Basic …`: masked if it is base64 of something with a colon in it, so that "Basic statistics" stays."""

    title, literals = "HTTP Basic", [b"Basic ", b"basic "]

    def find(self, view: bytes, at: int) -> Found | None:
        """The credentials at `at`, or None."""
        match = compiled(rb".asic {1,4}([A-Za-z0-9+/]{6,2048}+={0,2})").match(view, at)
        if not match:
            return None
        coded = match[1].rstrip(b"=")
        is_one = len(coded) % 4 != 1 and b":" in b64decode(coded + b"=" * (-len(coded) % 4))
        at_end = match.end() == len(view)
        return Found(match.start(1), match.end() if is_one else match.start(1), context=at, unfinished=at_end) if is_one or at_end else None


@cache
def compiled(pattern: bytes) -> re.Pattern[bytes]:
    """`pattern`, compiled when it is needed first: a job's output rarely needs more than one or two."""
    return re.compile(pattern)


_MIXED = r"(?=[\w-]{0,255}[0-9])(?=[\w-]{0,255}[A-Z])"

FORMATS = (
    Format("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{20,}+", 40),
    Format("GitHub fine-grained token", "github_pat_", r"github_pat_\w{20,}+", 93),
    Format("GitLab token", "glpat- gldt- glrt- glptt- glcbt- glsoat- glft- glimt- glagent-", r"gl[a-z]{2,6}-[\w.-]{16,}+"),
    Format("Slack token", "xoxb- xoxa- xoxp- xoxr- xoxs- xoxe- xoxe. xoxo- xapp-", r"x(?:ox.|app)[-.][\w.-]{10,}+"),
    Format("AWS key id", "AKIA ASIA", r"(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])", 20),
    Format("Google API key", "AIza", r"AIza[\w-]{35,}+", 39),
    Format("Google OAuth token", "ya29.", r"ya29\.[\w.-]{20,}+"),
    Format("Google OAuth secret", "GOCSPX-", r"GOCSPX-[\w-]{20,}+"),
    Format("Stripe key", "sk_live_ rk_live_ sk_test_ rk_test_", r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}+"),
    Format("Webhook signing secret", "whsec_", r"whsec_[A-Za-z0-9+/=]{20,}+"),
    Format("sk- key (OpenAI, Anthropic)", "sk-", rf"(?<![\w-])sk-{_MIXED}[\w-]{{20,}}+"),
    Format("PyPI token", "pypi-", r"pypi-[\w-]{40,}+"),
    Format("npm token", "npm_", r"npm_[A-Za-z0-9]{36,}+", 40),
    Format("SendGrid key", "SG.", r"(?<![A-Za-z0-9])SG\.[\w-]{16,64}\.[\w-]{16,}+"),
    Format("Hugging Face token", "hf_", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}+", 37),
    Format("Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?(?![0-9a-z])", 36),
    Format("DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", r"do[por]_v1_[0-9a-f]{40,}+", 71),
    Format("Docker token", "dckr_pat_", r"dckr_pat_[\w-]{20,}+"),
    Format("Vault token", "hvs. hvb. hvr.", r"hv[sbr]\.[\w-]{20,}+"),
    Format("Grafana token", "glsa_ glc_", r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_[A-Za-z0-9+/=]{32,}+"),
    Format("Shopify token", "shpat_ shpca_ shppa_ shpss_", r"shp[a-z]{2}_[0-9a-fA-F]{32}", 38),
    Format("Atlassian token", "ATATT3", r"ATATT3[\w=-]{40,}+"),
    Format("Sentry token", "sntrys_ sntryu_", r"sntry[su]_[\w+/=-]{32,}+"),
    Format("Linear key", "lin_api_", r"lin_api_[A-Za-z0-9]{32,}+"),
    Format("Postman key", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    Format("New Relic key", "NRAK-", r"NRAK-[A-Z0-9]{27}", 32),
    Format("Pulumi token", "pul-", r"(?<![A-Za-z0-9])pul-[0-9a-f]{40}(?![0-9a-z])", 44),
    Format("RubyGems key", "rubygems_", r"rubygems_[0-9a-f]{48}", 57),
    Format("Brevo key", "xkeysib-", r"xkeysib-[0-9a-f]{64}-\w{16}", 89),
    Format("Groq key", "gsk_", r"(?<![A-Za-z0-9])gsk_[A-Za-z0-9]{40,}+"),
    Format("Replicate token", "r8_", r"(?<![A-Za-z0-9])r8_[A-Za-z0-9]{37,}+", 40),
    Format("age key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[A-Z0-9]{58}", 74),
    Format("Telegram bot token", ":AA %3AAA %3aAA", r"(?<=[0-9]{8})(?::|%3[Aa])AA[\w-]{33}(?![\w-])"),
    Format("offduty key", "ofd_", r"(?<![A-Za-z0-9])ofd_[\w-]{20,}+"),
    Format("Slack webhook", "hooks.slack.com/", r"hooks\.slack\.com/(?:services|workflows|triggers)/([\w/-]{8,}+)"),
    Format("Discord webhook", "/api/webhooks/", r"/api/webhooks/([0-9]{5,20}/[\w-]{20,}+)"),
    Format("Teams webhook", "webhook.office.com/", r"webhook\.office\.com/webhookb2/([\w@/-]{20,}+)"),
    Format("Signature in a URL", "sig= Signature= signature= SIG=", r"(?<=[?&;-])(?i:sig|signature)=([\w%+/=-]{16,}+)"),
    Format("AWS security token in a URL", "X-Amz-Security-Token=", r"X-Amz-Security-Token=([\w%+/=-]{16,}+)"),
    Format("HTTP Bearer", "Bearer bearer", r"[Bb]earer[ ]{1,4}(?=[^\s0-9\"']{0,255}[0-9]|[\w.~+/-]{32})([\w.~+/-]{12,}+=*+)"),
    Jwt(), Pem(), Basic(),
)  # fmt: skip
