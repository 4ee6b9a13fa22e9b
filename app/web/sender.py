"""From which address a request comes.

A proxy tells it in a header that anybody can send too. So that header only counts from the proxies that the settings
name, and of the addresses in it only the right-most one that is not such a proxy.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from starlette.requests import Request

ProxyHeader = Literal["x-forwarded-for", "forwarded"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

HOPS_MAX: Final = 20  # addresses that are looked at; no chain of proxies is longer

_FOR: Final = re.compile(r'(?:^|;)\s*for\s*=\s*("[^"]*"|[^;"\s]+)', re.IGNORECASE)


def networks_of(text: str) -> tuple[Network, ...]:
    """Of "10.0.0.0/8, 2001:db8::1".  Raises ValueError."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def sender_of(request: Request) -> str | None:
    """The address of who sent this, or of the proxy nearest to it; None if the server knows none."""
    trusted: Sequence[Network] = getattr(request.app.state, "trusted_proxies", ())
    header: ProxyHeader = getattr(request.app.state, "proxy_header", "x-forwarded-for")
    direct = request.client.host if request.client else None
    nearest = _address(direct or "")
    if nearest is None or not _is_in(nearest, trusted):
        return direct
    # Several lines of one header are one list; only one kind counts, or whoever sends the other kind is believed.
    for entry in _from_the_right(",".join(request.headers.getlist(header)), header):
        found = _address(entry)
        if found is None:  # "unknown", a hidden name, or nonsense: whoever wrote this is all that we know
            break
        nearest = found
        if not _is_in(found, trusted):
            break
    return str(nearest)


def _from_the_right(value: str, header: ProxyHeader) -> Iterator[str]:
    for entry in reversed(value.split(",")[-HOPS_MAX:]) if value else ():
        if header == "x-forwarded-for":
            yield entry.strip()
        else:
            found = _FOR.search(entry)
            yield found[1].strip('"') if found else ""


def _address(text: str) -> Address | None:
    """Also with a port, as some proxies add: 192.0.2.1:4711 and [2001:db8::1]:4711."""
    if bracketed := re.fullmatch(r"\[([^\]]+)\](?::\d+)?", text):
        text = bracketed[1]
    elif with_port := re.fullmatch(r"([\d.]+):\d+", text):
        text = with_port[1]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
