"""From which address a request comes, when proxies and liars tell."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from app.web.sender import networks_of, sender_of

PROXY = "10.0.0.7"
TRUSTED = "10.0.0.0/24, 2001:db8:ffff::/48"
HERE = "192.0.2.1"


def sender(direct: str | None, *headers: tuple[str, str], trusted: str = TRUSTED, kind: str = "x-forwarded-for") -> Any:
    app = Starlette()
    app.state.trusted_proxies, app.state.proxy_header = networks_of(trusted), kind
    return sender_of(
        Request(
            {
                "type": "http",
                "app": app,
                "client": (direct, 1234) if direct else None,
                "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
            }
        )
    )


def test_without_trusted_proxies_the_header_counts_for_nothing():
    assert sender(HERE, ("x-forwarded-for", "198.51.100.1"), trusted="") == HERE
    assert sender("127.0.0.1", ("x-forwarded-for", "198.51.100.1"), trusted="") == "127.0.0.1"


def test_header_of_somebody_who_is_no_proxy_counts_for_nothing():
    assert sender(HERE, ("x-forwarded-for", "198.51.100.1")) == HERE


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the left one is what the sender made up
        ("10.0.0.9, 198.51.100.1", "198.51.100.1"),
        ("198.51.100.1, 10.0.0.8", "198.51.100.1"),
        ("1.1.1.1, 198.51.100.1, 10.0.0.8, 10.0.0.9", "198.51.100.1"),
        ("10.0.0.3, 10.0.0.8", "10.0.0.3"),
        ("198.51.100.1:4711", "198.51.100.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("198.51.100.1, unknown", PROXY),
        ("198.51.100.1, onzin, 10.0.0.8", "10.0.0.8"),
        ("", PROXY),
        (",,,", PROXY),
        ("198.51.100.1,", PROXY),
        ("127.0.0.1' OR 1=1", PROXY),
        ("é", PROXY),
    ],
)
def test_right_most_address_that_is_no_proxy(header: str, address: str):
    assert sender(PROXY, ("x-forwarded-for", header)) == address


def test_second_header_line_belongs_to_the_first():
    lines = (("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "198.51.100.1"))
    assert sender(PROXY, *lines) == "198.51.100.1"


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("for=198.51.100.1", "198.51.100.1"),
        ('for=1.1.1.1, For="[2001:db8::1]:4711";proto=https;by=203.0.113.4', "2001:db8::1"),
        ("proto=https;for=198.51.100.1, for=10.0.0.8", "198.51.100.1"),
        ("for=198.51.100.1, for=_hidden", PROXY),
        ("for=198.51.100.1, proto=https", PROXY),
        ("by=198.51.100.1", PROXY),
        ("wherefor=198.51.100.1", PROXY),
    ],
)
def test_forwarded_header(header: str, address: str):
    assert sender(PROXY, ("forwarded", header), kind="forwarded") == address


def test_only_the_header_that_the_proxy_writes_counts():
    """The other one comes from whoever sent the request, and the proxy passes it on."""
    both = (("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "198.51.100.1"))
    assert sender(PROXY, *both) == "198.51.100.1"
    assert sender(PROXY, *both, kind="forwarded") == "1.1.1.1"
    assert sender(PROXY, both[0]) == PROXY


def test_proxy_over_ipv6_and_very_long_header():
    assert sender("2001:db8:ffff::9", ("x-forwarded-for", "198.51.100.1")) == "198.51.100.1"
    assert sender(PROXY, ("x-forwarded-for", ",".join(["1.1.1.1"] * 5000 + ["198.51.100.1"]))) == "198.51.100.1"
    assert sender(PROXY, ("x-forwarded-for", ",".join(["10.0.0.1"] * 5000))) == "10.0.0.1"


def test_server_that_knows_no_address():
    assert sender(None, ("x-forwarded-for", "198.51.100.1")) is None
    assert sender("testclient", ("x-forwarded-for", "198.51.100.1")) == "testclient"
