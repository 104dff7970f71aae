"""The peer of Mainline behind ``horoi dht``: it joins, asks once and leaves, or stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from horoi.base.errors import HoroiError, NetworkError, NotFoundError, UsageError

if TYPE_CHECKING:
    from horoi.machine.disk import Disk
    from horoi.world.live.datagram import DatagramHost

ROUTERS = ("router.bittorrent.com:6881", "dht.transmissionbt.com:6881", "dht.libtorrent.org:25401")
"""Where living clients enter the Mainline DHT (the defaults of Transmission and libtorrent)."""

HASH_DIGITS = 40


ANY_PORT, ANY_PORT_V6 = "0.0.0.0:0", "[::]:0"


async def start(
    listen: str | None, bootstraps: tuple[str, ...] | None, timeout_s: float, *, read_only: bool
) -> DatagramHost:
    """A peer that has joined through these (none given: the public routers; None: through nobody).

    It listens where it is told, or at any port: of IPv6 too, if it enters through an address of that.
    """
    from horoi.lookup.kademlia import krpc
    from horoi.lookup.kademlia.boot import boot_kademlia
    from horoi.lookup.kademlia.config import mainline
    from horoi.lookup.vocabulary import Failed, Join, Joined
    from horoi.world.live.datagram import DatagramHost

    addresses = tuple(resolve(where) for where in bootstraps or ROUTERS) if bootstraps is not None else ()
    reached = tuple(address for address in addresses if address is not None)
    if addresses and not reached:
        raise NetworkError(f"no address of {', '.join(bootstraps or ROUTERS)} is known; check the name service")
    host = DatagramHost(
        boot_kademlia(mainline(read_only=read_only)),
        listen=listen or any_port(reached),
        decode=krpc.decode,
        encode=krpc.encode,
        max_size_in_bytes=krpc.MAX_BYTES,
        disk=cast("Disk", None),  # this machine keeps nothing on disk
    )
    await host.start()
    try:
        answer = await host.ask_for(
            Join(reached), object, lambda notice: isinstance(notice, Joined | Failed), timeout_s=timeout_s
        )
        if isinstance(answer, Failed):
            raise NetworkError(
                f"no peer at {', '.join(map(address_to_text, reached))} answers; try another --bootstrap"
            )
    except BaseException:
        await host.stop()
        raise
    return host


def ask(request: Callable[[], Any], facts: Callable[[Any], dict[str, Any]], **network: Any) -> dict[str, Any]:
    """Join, ask once, leave; what came of it as data."""

    async def go(host: DatagramHost, timeout_s: float) -> dict[str, Any]:
        return facts(await answer(host, request(), timeout_s))

    return with_peer(go, **network)


def with_peer(
    go: Callable[[DatagramHost, float], Any],
    *,
    bootstraps: tuple[str, ...] | None,
    listen: str | None,
    timeout_s: float,
) -> dict[str, Any]:
    from horoi.world.live.run import run

    async def session() -> dict[str, Any]:
        host = await start(listen, bootstraps, timeout_s, read_only=True)
        try:
            result: dict[str, Any] = await go(host, timeout_s)
            return result
        finally:
            await host.stop()

    answered: dict[str, Any] = run(session())
    return answered


async def answer(host: DatagramHost, request: Any, timeout_s: float, *, none_is_fine: bool = False) -> Any:
    from horoi.lookup.vocabulary import Failed, NotFound

    token = request.token
    notice = await host.ask_for(
        request, object, lambda told: getattr(told, "token", None) == token, timeout_s=timeout_s
    )
    if isinstance(notice, Failed):
        raise failure(notice)
    if isinstance(notice, NotFound) and not none_is_fine:
        raise NotFoundError(f"nothing is kept under {id_to_text(notice.key)} by the peers nearest to it")
    return notice


def failure(failed: Any) -> HoroiError:
    from horoi.lookup.vocabulary import REFUSED, UNREACHABLE

    if failed.why == UNREACHABLE:
        return NetworkError("nobody answered; check the address, or enter through another --bootstrap")
    if failed.why.startswith(REFUSED):
        return HoroiError(f"the peers that should keep it refuse: {failed.why}")
    return HoroiError(f"it came to nothing: {failed.why}")


# Forms


def key_from_text(text: str) -> int:
    if len(text) != HASH_DIGITS or any(letter not in "0123456789abcdefABCDEF" for letter in text):
        raise UsageError(f"a key is {HASH_DIGITS} hexadecimal digits, not {text[:80]!r}")
    return int(text, 16)


def hex_bytes(text: str, size: int, what: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != size:
        raise UsageError(f"{what} is {2 * size} hexadecimal digits")
    return data


def id_to_text(number: int) -> str:
    return f"{number:0{HASH_DIGITS}x}"


def address_to_text(address: tuple[str, int]) -> str:
    ip, port = address
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def split(where: str) -> tuple[str, int]:
    host, _, port = where.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"an address is HOST:PORT, not {where[:80]!r}")
    return host, int(port)


def resolve(where: str) -> tuple[str, int] | None:
    """The IPv4 address of a name, or its IPv6 address if it has no other; None if the name service knows none."""
    import socket

    host, port = split(where)
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            found = socket.getaddrinfo(host, port, family, socket.SOCK_DGRAM)
        except OSError:
            continue
        return str(found[0][4][0]), port
    return None


def any_port(addresses: Iterable[tuple[str, int]]) -> str:
    """Where a peer listens that talks to these addresses: IPv6's port of all addresses serves IPv4 too."""
    return ANY_PORT_V6 if any(":" in ip for ip, _ in addresses) else ANY_PORT


def numeric(where: str) -> tuple[str, int]:
    address = resolve(where)
    if address is None:
        raise NetworkError(f"no address of {where} is known; check the name service")
    return address
