"""The bounds of offers. Every number is a guess."""

from __future__ import annotations

from dataclasses import dataclass

MAX_NOTE_CHARACTERS = 200  # of a note, and of a reason: a line on a screen
MAX_OFFER_SIZE_BYTES = 40_000  # a merge of the wallet's 200 inputs, and its signatures
MAX_ASKED_KEYS = 64  # keys whose agreement counts in one offer: four boards of 16
MAX_LIFE_S = 30 * 86_400.0  # from when it is seen: longer agreements are better made anew
FORGIVEN_S = 3_600.0  # by which clocks of honest nodes differ


@dataclass(frozen=True)
class Limits:
    """How much is kept."""

    max_count: int = 4_096
    max_size_bytes: int = 16_000_000
    max_per_proposer: int = 64
    max_share_of_peer: float = 0.5
    """Of ``max_count``, brought first by one peer."""
    keep_ended_s: float = 7 * 86_400.0
    """An ended offer is shown for so long; it goes earlier when room is needed."""
