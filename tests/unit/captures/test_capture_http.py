"""HTTP libraries against a real server that answers, refuses, breaks off and talks nonsense."""

from __future__ import annotations

import asyncio
import http.client
import urllib.error
import urllib.request

import aiohttp
import httpx
import pytest
import requests
import urllib3

CAPTURES = ("http_client", "urllib_request", "urllib3", "requests", "httpx", "aiohttp")
HEADERS = {"Authorization": "Bearer hunter2"}


@pytest.fixture
def seen(watch):
    """With all captures at once: what one calls in another counts once."""
    return watch.install(*CAPTURES)


def _http_client(url):
    address = urllib3.util.parse_url(url)
    connection = http.client.HTTPConnection(address.host, address.port, timeout=5)
    try:
        connection.request("GET", address.request_uri, headers=HEADERS)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _urllib(url):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=HEADERS), timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _urllib3(url):
    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        answer = pool.request("GET", url, headers=HEADERS)
        return answer.status, answer.data


def _requests(url):
    answer = requests.get(url, headers=HEADERS, timeout=5)
    return answer.status_code, answer.content


def _httpx(url):
    with httpx.Client(timeout=5) as client:
        answer = client.get(url, headers=HEADERS)
    return answer.status_code, answer.content


def _async_httpx(url):
    async def get():
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(url, headers=HEADERS)
        return answer.status_code, answer.content

    return asyncio.run(get())


def _aiohttp(url):
    async def get():
        async with aiohttp.ClientSession() as session, session.get(url, headers=HEADERS) as answer:
            return answer.status, await answer.read()

    return asyncio.run(get())


WAYS = [_http_client, _urllib, _urllib3, _requests, _httpx, _async_httpx, _aiohttp]
ways = pytest.mark.parametrize("get", WAYS)


@ways
def test_a_request_is_told_once(seen, http_port, get):
    """Method, address with masked values, status, size; no header, no body."""
    assert get(f"http://127.0.0.1:{http_port}/ok?day=hunter2") == (200, b'{"answer": "hunter2"}')
    (told,) = seen.told()
    assert (told["op"], told["target"]) == ("http.request", f"http://127.0.0.1:{http_port}/ok?day=***")
    assert (told["ok"], told["status"], told["bytes"]) == (True, 200, 21)
    assert told["attributes"]["http.request.method"] == "GET"
    assert (told["attributes"]["server.address"], told["attributes"]["server.port"]) == ("127.0.0.1", http_port)
    assert told["attributes"]["url.full"] == told["target"]
    assert f"in {get.__name__}" in told["where"] or "in get" in told["where"]


@ways
def test_an_answer_of_503_is_an_answer(seen, http_port, get):
    """The API answers 503: the status tells; `ok` is whether the library raised, which only urllib does."""
    assert get(f"http://127.0.0.1:{http_port}/status/503")[0] == 503
    (told,) = seen.told()
    assert (told["status"], told["ok"]) == (503, get is not _urllib)


@ways
@pytest.mark.parametrize("fault", ["reset", "garbage"])
def test_a_broken_answer_is_a_failure(seen, http_port, get, fault):
    """The connection breaks off, or what comes is no HTTP: told once, with the library's own exception."""
    with pytest.raises(Exception) as caught:  # noqa: PT011
        get(f"http://127.0.0.1:{http_port}/{fault}?token=hunter2")
    (told,) = seen.told()
    assert told["ok"] is False
    assert told["error"]["type"].endswith(type(caught.value).__name__)


@ways
def test_a_refused_connection_is_a_failure(seen, get):
    """Nobody listens; the message does not hold the query."""
    with pytest.raises(Exception, match=r"refused|Connect call failed|All connection attempts failed"):
        get("http://127.0.0.1:1/?token=hunter2")
    (told,) = seen.told()
    assert told["ok"] is False
    assert told["target"] == "http://127.0.0.1:1/?token=***"


@ways
def test_an_illegal_header_does_not_show(seen, http_port, get, monkeypatch):
    """A secret with a line break in it: libraries quote it when they refuse it."""
    monkeypatch.setitem(HEADERS, "X-Key", "hunter2\nX")
    with pytest.raises(Exception, match=r"."):
        get(f"http://127.0.0.1:{http_port}/ok")
    assert len(seen.told()) <= 1


def test_redirections_are_part_of_the_request(seen, http_port):
    """Two requests on the wire, one in the job."""
    for get in (_requests, _urllib, _aiohttp):
        assert get(f"http://127.0.0.1:{http_port}/redirect")[0] == 200
    assert [event["target"] for event in seen.told()] == [f"http://127.0.0.1:{http_port}/redirect"] * 3


def test_requests_at_the_same_time_are_told_each(seen, http_port):
    """Tasks do not hide one another."""

    async def all_at_once():
        async with httpx.AsyncClient(timeout=5) as client:
            await asyncio.gather(*(client.get(f"http://127.0.0.1:{http_port}/ok/{n}") for n in range(4)))

    asyncio.run(all_at_once())
    assert sorted(event["target"][-1] for event in seen.told()) == ["0", "1", "2", "3"]


def test_raise_for_status_marks_nothing(seen, http_port):
    """It is not a transaction: the one with status 404 went before."""
    with pytest.raises(requests.HTTPError):
        requests.get(f"http://127.0.0.1:{http_port}/status/404", timeout=5).raise_for_status()
    (told,) = seen.told()
    assert (told["ok"], told["status"]) == (True, 404)


def test_uninstalled_they_are_the_very_same(watch):
    """Every method that was replaced."""

    def now():
        owners = [(requests.Session, "send"), (httpx.Client, "send"), (httpx.AsyncClient, "send"), (aiohttp.ClientSession, "_request")]
        owners += [(urllib3.PoolManager, "urlopen"), (urllib3.HTTPConnectionPool, "urlopen"), (urllib.request.OpenerDirector, "open")]
        owners += [(http.client.HTTPConnection, "request"), (http.client.HTTPConnection, "getresponse")]
        return [vars(owner)[name] for owner, name in owners]

    before = now()
    watch.install(*CAPTURES)
    assert not any(one is other for one, other in zip(now(), before, strict=True))
    watch.uninstall()
    assert all(one is other for one, other in zip(now(), before, strict=True))
