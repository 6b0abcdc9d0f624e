"""Where a message may go: B8's list of hostile URLs, and every kind of address that is not the open internet."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.alerts.addresses import Allowed, check, is_public, split
from offduty.errors import ConfigError

NOTHING = Allowed()
BAD_FORM = [
    "", "hooks.slack.com/services/x", "file:///etc/passwd", "gopher://example.com/", "unix:///run/x.sock", "ftp://example.com/",
    "https://user:pw@example.com/", "https://user@example.com/", "https://example.com:0/", "https://example.com:70000/",
    "https://example.com:x/", "https:///x", "https://", "https://0x7f000001/", "https://2130706433/", "https://127.1/", "https://0177.0.0.1/",
    "https://exämple.com/", "https://раypal.com/", "https://example.com./x", "https://exa mple.com/", "https://example.com/a\r\nX: y",
    "https://example.com/a b", "https://example.com\\@127.0.0.1/", "https://example.com/#x", "https://[::1", "https://[zz]/", "https://-a.com/",
    "https://example..com/", "https://" + "a" * 5000 + ".com/", "https://example.com/" + "x" * 8192, "https://example.com/\x00", "https://1.2.3.4.5/",
]  # fmt: skip
INTERNAL = [
    "https://127.0.0.1/", "https://[::1]/", "https://localhost/", "https://LOCALHOST/", "https://a.localhost/", "https://169.254.169.254/latest",
    "https://metadata.google.internal/", "https://[::ffff:127.0.0.1]/", "https://10.0.0.1/", "https://192.168.1.1/", "https://172.16.0.1/",
    "https://100.64.0.1/", "https://0.0.0.0/", "https://[fd00::1]/", "https://[fe80::1]/", "https://224.0.0.1/", "https://[ff02::1]/",
    "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://intranet/", "https://hooks.corp/", "https://255.255.255.255/",
    "http://hooks.slack.com/services/x", "http://example.com/",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD_FORM)
def test_a_url_of_a_form_that_cannot_be_trusted_is_refused(url):
    """B8, T12: E221 says what is wrong and never shows the URL."""
    with pytest.raises(ConfigError) as caught:
        split(url)
    assert caught.value.code == "E221"
    assert url[:60] not in str(caught.value) or not url


@pytest.mark.parametrize("url", INTERNAL)
def test_a_url_that_leads_inside_or_has_no_tls_is_refused(url):
    """B8, T12: E222, unless the configuration allows that host."""
    with pytest.raises(ConfigError) as caught:
        check(url, NOTHING)
    assert caught.value.code == "E222"
    host = split(url).host
    assert check(url, Allowed.read([host])).host == host


def test_a_workflow_s_url_is_left_as_it_is():
    """W3: it is posted verbatim; several tools broke on taking it apart and putting it together again."""
    target = "/powerautomate/workflows/a1/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=a-B_c%3D"
    place = check(f"https://default1.environment.api.powerplatform.com:443{target}", NOTHING)
    assert (place.target, place.port) == (target, 443)


def test_a_network_allows_the_addresses_in_it_and_no_other():
    """An allow-list of networks."""
    allow = Allowed.read(["10.2.0.0/16"])
    assert check("http://10.2.3.4:8080/x", allow).port == 8080
    with pytest.raises(ConfigError):
        check("http://10.3.3.4/", allow)


@given(st.ip_addresses(v=4))
def test_a_wrapped_address_is_as_public_as_what_it_wraps(address):
    """T12: v4-mapped and NAT64 forms open no way around."""
    mapped = ipaddress.ip_address(f"::ffff:{address}")
    nat64 = ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | int(address))
    assert is_public(mapped) == is_public(nat64) == is_public(address)


@given(st.text(max_size=60))
def test_no_text_is_anything_but_a_place_or_e221(text):
    """Total: what is configured is refused in words, never by a crash."""
    for url in (text, f"https://{text}"):
        try:
            place = split(url)
        except ConfigError:
            continue
        assert place.host.isascii()
        assert 1 <= place.port <= 65535
