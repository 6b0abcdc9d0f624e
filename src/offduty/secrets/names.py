"""Which names (of environment variables, options, keys) announce a secret value.

The words are those of the default lists of Sentry's scrubber and Airflow's secrets masker, read as words and not as
substrings: `tokens_per_second` and `TOKENIZERS_PARALLELISM` hold no token.
"""

from __future__ import annotations

import re
from functools import lru_cache

NOT_SECRET, MAYBE, SURELY = 0, 1, 2

# Inside a name written without separators these mean what they say: `PGPASSWORD`, `mysqlpasswd`, `xApiKey`.
_STRONG_PARTS = (
    "password", "passwd", "passwort", "passphrase", "apikey", "accesskey", "privatekey", "secretkey", "accountkey", "authkey",
    "fernetkey", "signingkey", "encryptionkey", "masterkey", "deploykey", "storagekey", "sharedkey", "subscriptionkey",
    "sharedaccesssignature", "connectionstring", "keyfiledict",
)  # fmt: skip
_STRONG_WORDS = {"secret", "secrets", "credential", "credentials", "authorization", "pgpass"}
_WEAK_WORDS = {"auth", "cookie", "cookies", "csrf", "xsrf", "dsn", "webhook", "signature", "sig", "pwd", "session", "sessionid"}
# `token_count`, `SECRET_FILE`, `password_policy`: about a secret, not the secret.
_ABOUT = frozenset(
    "age agent algorithm alias arn at backend budget bus class column columns count counts dir directory disabled enabled endpoint"
    " env error errors expiration expired expires expiry field file filename files folder format hint host ids idx index info label"
    " len length level limit manager max method min mode name names parallelism path paths pattern pid plugin policy port prefix"
    " provider rate regex region required reset rotation scheme size sock socket status store strength template timeout ttl type"
    " types uri url usage used user username valid version window".split()
)
# A language model's tokens, and counts of them.
_NLP = frozenset(
    "avg bos cls eos eot first image last mask max mean min n next num number pad per prev sep special start stop time total unk"
    " word".split()
)
# `DB_PASS` is a password; `first_pass` is none.
_ACCOUNTS = frozenset(
    "admin basic database db ftp http jdbc keystore ldap login mail mongo mysql pg postgres proxy rabbitmq redis root sftp smtp sql"
    " ssh user".split()
)
_DESKTOP = {"xdg", "dbus", "desktop", "gnome", "kde", "term", "iterm", "wt", "manager", "sqlalchemy", "spark", "tf"}

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")


@lru_cache(maxsize=4096)
def secrecy(name: str) -> int:
    """How surely `name` announces a secret: `SURELY` (password, api_key …), `MAYBE` (token, auth … judge by the value) or `NOT_SECRET`."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or (words[-1] in _ABOUT and "webhook" not in words) or words in (["pwd"], ["oldpwd"]):
        return NOT_SECRET
    joined = "".join(words)
    if any(part in joined for part in _STRONG_PARTS) or any(_is_strong(word) for word in words) or _is_account_pass(words):
        return SURELY
    return MAYBE if any(_is_weak(word, words) for word in words) else NOT_SECRET


def _is_account_pass(words: list[str]) -> bool:
    return words[-1] == "pass" and len(words) > 1 and words[-2] in _ACCOUNTS


def _is_strong(word: str) -> bool:
    return word in _STRONG_WORDS or (word.endswith("secret") and len(word) > 6) or (word.endswith("pwd") and len(word) > 3)


def _is_weak(word: str, words: list[str]) -> bool:
    if word.endswith("token"):
        return not (set(words) & _NLP)
    if word.startswith("session") or word.endswith(("sessid", "sessionid")):
        return not (set(words) & _DESKTOP)
    return word in _WEAK_WORDS or (word == "pass" and len(words) > 1 and words[-1] == "pass")
