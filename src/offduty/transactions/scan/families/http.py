"""HTTP: requests, httpx, aiohttp, urllib, urllib3, http.client."""

from __future__ import annotations

from offduty.transactions.scan import targets
from offduty.transactions.scan.rules import Call, Rule, Touch, each, touches

VERBS = "get post put patch delete head options"
AT_FIRST, AT_SECOND = touches("http.request", 0, "url"), touches("http.request", 1, "url")


def on_client(index: int) -> Rule:
    """A request of a client or session, which may have a base URL."""

    def rule(call: Call) -> Touch:
        url, maker = call.text(index, "url"), call.maker()
        base = maker.text(-1 if maker.method != "ClientSession" else 0, "base_url") if maker is not None else None
        if base and url is not None and not targets.scheme(url):
            url = f"{base.rstrip('/')}/{url.lstrip('/')}"
        return "http.request", url

    return rule


def on_connection(kind: str) -> Rule:
    """`http.client`: the host stands where the connection was made."""

    def rule(call: Call) -> Touch:
        maker = call.maker()
        host, port = (maker.text(0, "host"), maker.text(1, "port")) if maker is not None else (None, None)
        return "http.request", targets.address(kind, host, port, None) + (call.text(1, "url") or "")

    return rule


def urlopen(call: Call) -> Touch:
    """A URL, or a Request that holds one."""
    node = call.given(0, "url", "fullurl")
    made = call.made(node) if node is not None and call.kind(node) == "urllib.request.Request()" else None
    return "http.request", (made or call).text(0, "url", "fullurl")


def with_url(index: int) -> Rule:
    """On an object of unknown type: a request if the argument is a URL (`get` is also what dicts have)."""

    def rule(call: Call) -> Touch | None:
        url = call.known(index, "url")
        return ("http.request", url) if url and targets.scheme(url) in ("http", "https") else None

    return rule


CLIENT = {**each("", VERBS, on_client(0)), **each("", "request stream", on_client(1)), "ws_connect": on_client(0)}
CLIENTS = (
    "requests.Session httpx.Client httpx.AsyncClient aiohttp.ClientSession requests_oauthlib.OAuth1Session requests_oauthlib.OAuth2Session"
)
CLIENTS += " requests_cache.CachedSession"

CALLS: dict[str, Rule] = {
    **each("requests.", VERBS, AT_FIRST),
    **each("httpx.", VERBS, AT_FIRST),
    **each("", "requests.request httpx.request httpx.stream aiohttp.request urllib3.request", AT_SECOND),
    "urllib.request.urlopen": urlopen,
    "urllib.request.urlretrieve": AT_FIRST,
    "wget.download": AT_FIRST,
}

ON: dict[str, dict[str, Rule]] = {
    **dict.fromkeys(CLIENTS.split(), CLIENT),
    **dict.fromkeys(("urllib3.PoolManager", "urllib3.ProxyManager"), each("", "request urlopen request_encode_body", AT_SECOND)),
    **dict.fromkeys(("urllib3.HTTPSConnectionPool", "http.client.HTTPSConnection"), each("", "request urlopen", on_connection("https"))),
    **dict.fromkeys(("urllib3.HTTPConnectionPool", "http.client.HTTPConnection"), each("", "request urlopen", on_connection("http"))),
}

METHODS: dict[str, Rule] = {**each("", VERBS, with_url(0)), **each("", "request", with_url(1))}

SAME: dict[str, str] = {
    "requests.session": "requests.Session",
    "requests.sessions.Session": "requests.Session",
    "requests.api.get": "requests.get",
    "requests.api.post": "requests.post",
}

HANDLES = frozenset(f"{library}.{verb}" for library in ("requests", "httpx") for verb in VERBS.split()) | frozenset(
    ("urllib.request.urlopen", "requests.Session", "httpx.Client", "urllib3.PoolManager", "requests.request", "httpx.request")
)
