"""Read an address that somebody wants us to call, and refuse what none of our callers means.

Layer: nouns. Takes: URLs of webhooks and push services. Gives: `Target` to storage and delivery.
Only the text is judged here, strictly, so that no two parsers read it differently; where the name
leads is judged each time we call (`offers.delivery.safe_target`), since names change their meaning.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from offers.model.errors import InvalidTarget

URL_CHARACTERS_MAX: Final = 2_048
HTTPS_PORT: Final = 443
# What public services use. Anything else would make of us a port scanner.
PORTS: Final = frozenset({HTTPS_PORT, 8443})
# RFC 3986 without brackets, quotes and the backslash, which browsers read as a slash.
_URL: Final = re.compile(r"\Ahttps://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+\Z")
# At least two labels of letters, digits and hyphens. The last begins with a letter: else the
# resolver takes 127.1, 0x7f.1 and 2130706433 for addresses.
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"\A({_LABEL}\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?\Z")
_HOST_CHARACTERS_MAX: Final = 253
# Names that never lead to a public service (RFC 6761, RFC 6762, RFC 8375, RFC 9476, ICANN 2024).
_INNER_NAMES: Final = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "alt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An https address: whom to call, and what to ask there."""

    host: str
    """a name in ASCII, lower case; never an address in digits"""
    port: int
    path: str
    """with its query; begins with a slash"""

    @classmethod
    def parse(cls, url: str) -> "Target":
        """Read a URL.

        Raises
        ------
        InvalidTarget
            If it is not https, names a user, an address in digits, an inner name or another port.
        """
        if len(url) > URL_CHARACTERS_MAX or not _URL.match(url):
            raise InvalidTarget(
                _refused(url, "https:// and ASCII; write müller.example as xn--mller-kva.example")
            )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise InvalidTarget(_refused(url, "a port of digits")) from error
        if "@" in parts.netloc or "%" in parts.netloc:
            raise InvalidTarget(_refused(url, "no user and no '%' before the path"))
        if "#" in url:
            raise InvalidTarget(_refused(url, "no '#': a fragment is for browsers"))
        return cls(
            host=_checked_host(parts.hostname or "", url),
            port=_checked_port(HTTPS_PORT if port is None else port, url),
            path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        )

    @property
    def origin(self) -> str:
        """Scheme, host and port, as RFC 6454 writes them: no port where it is the usual one."""
        port = "" if self.port == HTTPS_PORT else f":{self.port}"
        return f"https://{self.host}{port}"


def _checked_host(host: str, url: str) -> str:
    lower = host.lower().removesuffix(".")
    is_inner = any(lower == name or lower.endswith(f".{name}") for name in _INNER_NAMES)
    if len(lower) > _HOST_CHARACTERS_MAX or not _HOST.match(lower) or is_inner:
        raise InvalidTarget(
            _refused(url, "the full name of a public server, not an address in digits")
        )
    return lower


def _checked_port(port: int, url: str) -> int:
    if port not in PORTS:
        raise InvalidTarget(_refused(url, f"one of the ports {sorted(PORTS)}"))
    return port


def _refused(url: str, expected: str) -> str:
    return f"url is {url[:80]!r}; expected {expected}."
