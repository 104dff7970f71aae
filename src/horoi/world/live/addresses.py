"""``host:port`` as people write it, and the errors of binding a port in words that help."""

from __future__ import annotations

import errno
import os
import socket

from horoi.base.errors import NetworkError, UsageError

MAX_HOST_LENGTH = 255  # RFC 1035 section 2.3.4


def split_address(text: str) -> tuple[str, int]:
    """``"host:port"`` or ``"[ipv6]:port"`` as (host, port); raise UsageError.

    >>> split_address("[::1]:9000")
    ('::1', 9000)
    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535 or (":" in host and not bracketed):
        raise UsageError(f"address {text[:100]!r}: write host:port, or [host]:port for IPv6, with a port up to 65535")
    host = host[1:-1] if bracketed else host
    if not host or len(host) > MAX_HOST_LENGTH or not host.isprintable() or any(c.isspace() for c in host):
        raise UsageError(f"address {text[:100]!r}: the host is missing or no host name")
    return host, int(port)


def join_address(host: str, port: int) -> str:
    """The inverse of ``split_address``."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def bind(address: str, kind: socket.SocketKind) -> socket.socket:
    """A non-blocking socket bound to ``address`` (port 0: any free one); raise NetworkError saying what to do.

    A name with several addresses gets its first.
    """
    host, port = split_address(address)
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError) as error:
        raise NetworkError(f"cannot listen on {address}: the host name is not known here ({error})") from None
    bound = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM and os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart need not wait for TIME_WAIT
        bound.setblocking(False)
        bound.bind(where)
    except OSError as error:
        bound.close()
        raise NetworkError(f"cannot listen on {address}: {_advice(error, host, port)}") from None
    return bound


def _advice(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken by another program; stop it, or listen on another port"
    if error.errno == errno.EACCES:
        return f"port {port} needs a privilege that this program has not; choose one above 1023"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine; use 0.0.0.0 or [::] for all that it has"
    return phrase_of(error)


def phrase_of(error: BaseException) -> str:
    """An error of the network as one short phrase."""
    if isinstance(error, TimeoutError) and not str(error):
        return "timed out"
    if isinstance(error, socket.gaierror):
        return f"the host name is not known ({error.strerror})"
    if isinstance(error, OSError) and error.errno and not hasattr(error, "reason"):
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__


def bound_address(bound: socket.socket) -> str:
    """``host:port`` that ``bound`` has."""
    name = bound.getsockname()
    return join_address(name[0], name[1])
