"""Find out where a target leads, and refuse every way into our own network (SSRF).

Layer: edges. Takes: a `Target` and a resolver. Gives: a checked IP address to safe_post, which
connects to that very address: asking the resolver again would let a name change its mind between
check and call (DNS rebinding).
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from offers.model.errors import InvalidTarget, Unreachable
from offers.model.messages.target import Target

Address = IPv4Address | IPv6Address
ADDRESSES_MAX: Final = 16

# IANA IPv4 Special-Purpose Address Registry, multicast, and what clouds hide among public ones.
_INNER_V4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; metadata of Alibaba Cloud
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services: public by its number alone
        "169.254.0.0/16",  # link-local; metadata of AWS, Google, Azure
        "172.16.0.0/12",
        "192.0.0.0/24",  # metadata of Oracle Cloud
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
# All that IANA has given out for public use lies in 2000::/3; in it, what carries a v4 address
# inside (6to4, Teredo) or is reserved. NAT64, mapped, unique-local and link-local lie outside.
_PUBLIC_V6: Final = IPv6Network("2000::/3")
_INNER_V6: Final = tuple(
    IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)


def is_public(address: Address) -> bool:
    """Say whether an address belongs to the open internet and to nothing inside."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _INNER_V4)
    return address in _PUBLIC_V6 and not any(address in network for network in _INNER_V6)


def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver for the addresses of a host.

    Raises
    ------
    Unreachable
        If the name is unknown, or no resolver answers.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host}: no address was found for the name ({error}).") from error
    return [str(place[0]) for _, _, _, _, place in found]


def dial(address: str, port: int, timeout_s: float) -> socket.socket:
    """Connect to an address in digits."""
    return socket.create_connection((address, port), timeout=timeout_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which addresses may be called, and how. No setting changes it; tests give their own."""

    is_allowed: Callable[[Address], bool] = is_public
    resolve: Callable[[str, int], Sequence[str]] = resolve
    dial: Callable[[str, int, float], socket.socket] = dial


PUBLIC_ONLY: Final = Reach()


def checked_address(target: Target, reach: Reach = PUBLIC_ONLY) -> Address:
    """Return the address to connect to.

    One address that leads inside spoils the name: whoever mixes them hopes that we try them all.

    Raises
    ------
    InvalidTarget
        If the name leads to an address that is not allowed.
    Unreachable
        If the name leads nowhere.
    """
    found = [_parsed(text, target) for text in reach.resolve(target.host, target.port)]
    if not found:
        raise Unreachable(f"{target.host}: the name has no address.")
    if len(found) > ADDRESSES_MAX or not all(reach.is_allowed(address) for address in found):
        raise InvalidTarget(
            f"{target.host} leads to an address that is not public; expected a public server."
        )
    return found[0]


def _parsed(text: str, target: Target) -> Address:
    try:
        return ip_address(text)
    except ValueError as error:
        # e.g. fe80::1%eth0: an address with a scope is never public.
        raise InvalidTarget(
            f"{target.host} leads to {text[:60]!r}; expected a public address."
        ) from error
