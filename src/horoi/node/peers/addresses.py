"""What an address is: ``host:port`` in one canonical form, and the network group that it belongs to.

Groups are those of ``horoi.base.networks``, and two that are not networks:

- ``local``: loopback, private and link-local addresses, and names without a dot or under .local, .internal, .localhost
  (RFC 6761, 6762; ICANN 2024). Nobody outside can have one, so they are believed only from a source that is local too:
  else any stranger could make a node dial about in its own intranet.
- ``name``: every other host name. A name costs an attacker nothing, so all names together are one group.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from horoi.base.networks import network_group, unmapped

MAX_HOST_LENGTH = 253  # RFC 1035, section 2.3.4: 255 bytes on the wire are 253 letters
MAX_ADDRESS_LENGTH = MAX_HOST_LENGTH + 6  # ":65535"
LOCAL = "local"
NAME = "name"

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")  # RFC 1123, and "_", which container names have
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LOCAL_ENDINGS = (".local", ".internal", ".localhost")
# Documentation and benchmarks (RFC 5737, 3849, 2544): not global, but used where public addresses are meant.
_STAND_FOR_PUBLIC = tuple(
    map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "2001:db8::/32"))
)


def _split(text: str) -> tuple[str, str] | None:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not _PORT.fullmatch(port) or int(port) > 65535:
        return None
    return host, port


def _ip_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        if not host.startswith("["):
            return ipaddress.IPv4Address(host)
        if not host.endswith("]") or "%" in host:  # a zone names an interface of one machine
            return None
        ip = ipaddress.IPv6Address(host[1:-1])
    except ValueError:
        return None
    return unmapped(ip)


def _is_name(host: str) -> bool:
    labels = host.split(".")
    # A last label of digits alone is a mistyped IPv4 address (WHATWG URL, "ends in a number").
    return len(host) <= MAX_HOST_LENGTH and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


@lru_cache(maxsize=4096)
def canonical(text: str) -> str | None:
    """The one form of an address, or None if it is none that can be dialed.

    >>> canonical("[2001:DB8:0::7]:0"), canonical("[2001:DB8:0::7]:9000"), canonical("[::ffff:192.0.2.1]:1")
    (None, '[2001:db8::7]:9000', '192.0.2.1:1')
    """
    if len(text) > MAX_ADDRESS_LENGTH or not text.isascii():
        return None
    parts = _split(text.lower())
    if parts is None:
        return None
    host, port = parts
    ip = _ip_of(host)
    if ip is None:
        return f"{host}:{port}" if _is_name(host) else None
    if ip.is_unspecified or ip.is_multicast or ip == ipaddress.IPv4Address("255.255.255.255"):
        return None
    return f"{ip}:{port}" if ip.version == 4 else f"[{ip}]:{port}"


def host_of(address: str) -> str:
    """The part before the port (all of it if there is none)."""
    return address.rpartition(":")[0] or address


@lru_cache(maxsize=4096)
def group_of(address: str) -> str:
    """The network group of an address: ``"4:198.51"``, ``"6:20010db8"``, ``"local"`` or ``"name"``. Never raises."""
    host = host_of(address)
    ip = _ip_of(host)
    if ip is None:
        return LOCAL if "." not in host or host.endswith(_LOCAL_ENDINGS) else NAME
    if not ip.is_global and not any(ip in network for network in _STAND_FOR_PUBLIC if network.version == ip.version):
        return LOCAL
    return network_group(ip)
