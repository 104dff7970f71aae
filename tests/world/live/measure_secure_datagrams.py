"""What sealed datagrams cost: ``python tests/world/live/measure_secure_datagrams.py`` (docs/decisions/datagrams.md)."""

from __future__ import annotations

from time import perf_counter

from test_live_secure_sessions import A, B, Wire

DATAGRAMS = 20_000
HANDSHAKES = 300


def main() -> None:
    """Print microseconds."""
    wire = Wire()
    wire.say(A, B, b"hello")
    for size in (60, 400, 1400):
        payload = bytes(size)
        start = perf_counter()
        sealed = [wire.ends[A].send(payload, B, 0.0)[0][0] for _ in range(DATAGRAMS)]
        middle = perf_counter()
        for datagram in sealed:
            wire.ends[B].receive(datagram, A, 0.0)
        end = perf_counter()
        seal_us, open_us = (middle - start) / DATAGRAMS * 1e6, (end - middle) / DATAGRAMS * 1e6
        print(f"{size:>5} bytes: seal {seal_us:.1f} us, open {open_us:.1f} us")
    wires = [Wire() for _ in range(HANDSHAKES)]
    start = perf_counter()
    for wire in wires:
        wire.say(A, B, b"hello")
    print(f"handshake, both ends: {(perf_counter() - start) / HANDSHAKES * 1e6:.0f} us")


if __name__ == "__main__":
    main()
