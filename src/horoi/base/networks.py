"""Which addresses are had together: what counts as one network group (Heilman et al. 2015, section 2.2; Bitcoin Core).

An attacker gets the addresses of a group at about the price of one, so bounds per address bind nobody: they go by group too.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

IP = IPv4Address | IPv6Address
GROUP_BITS_4, GROUP_BITS_6 = 16, 32  # Heilman et al. 2015, and Bitcoin Core


def unmapped(ip: IP) -> IP:
    """An IPv4 address that is written as an IPv6 one (RFC 4291, section 2.5.5.2) as itself; others as they are."""
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip


def network_group(ip: IP) -> str:
    """The network group of an address that is not mapped: ``"4:198.51"`` or ``"6:20010db8"``.

    Tunnelled IPv6 (6to4, RFC 3056; Teredo, RFC 4380) belongs to the IPv4 address inside it, as in Bitcoin Core.

    >>> network_group(IPv6Address("2002:c633:6407::1")), network_group(IPv6Address("2001:db8::1"))
    ('4:198.51', '6:20010db8')
    """
    if isinstance(ip, IPv6Address):
        inner = ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None:
            return f"6:{ip.packed[: GROUP_BITS_6 // 8].hex()}"
        ip = inner
    return "4:" + ".".join(map(str, ip.packed[: GROUP_BITS_4 // 8]))
