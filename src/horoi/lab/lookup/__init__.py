"""Lookup overlays in the laboratory: the same machines as on sockets, in networks of 10 to 10^6 simulated peers.

``run`` is one experiment; ``overlay.Overlay`` is what a room must offer to take part.
"""

from horoi.lab.lookup.run import FIELDS, OVERLAYS, run

__all__ = ["FIELDS", "OVERLAYS", "run"]
