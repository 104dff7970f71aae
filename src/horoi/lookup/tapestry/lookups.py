"""Finding the root of a key, from the side of whoever asks: send a message that way, and judge what comes back.

The root answers the origin itself. What may go wrong on the way, and what is done:

- nothing comes back: a peer on the way lost the message, or swallows messages. The lookup is repeated, and its route begun at
  a random neighbour, so that it takes other peers;
- the root that answers is much farther from the key (``surrogate.distance``) than peers usually are from each other: it may
  be a liar that knows better ones. It is believed only if no other route finds a closer one (Castro et al. 2002, "Secure
  routing for structured peer-to-peer overlay networks", section 5.2, routing failure test by density);
- with ``routes`` > 1 several messages go at once, and the claim closest to the key wins (5.3).

A root cannot claim another id than its own, which is bound to its address, so lies lie always farther from the key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from horoi.lookup.tapestry.core import Core
from horoi.lookup.tapestry.forwarding import deliver, holders_of, pass_on, pass_through, step_of
from horoi.lookup.tapestry.messages import JOIN, LOCATE, LOOKUP, MAX_SHORT, ROUTE, Answer, Forward
from horoi.lookup.tapestry.surrogate import distance, nearest
from horoi.lookup.vocabulary import UNREACHABLE, Contact

ANSWER_TIMEOUT_S = 10.0  # a guess: five steps, three of which meet dead peers, one a slot under repair
JOIN_TIMEOUT_S = 5.0  # a guess: then the newcomer begins anew, through another peer
OTHERS_TIMEOUT_S = 2.0  # a guess: how long to wait for the other routes when one has answered
MAX_TRIES = 4  # a guess
SAMPLE = 8  # peers by which density is judged, a guess

Done = Callable[["Search", float], None]


class Search:
    """One search for a root, over several tries. ``root`` is None until it is done, and if it failed (``why``).

    ``holders`` is what was found on the way to it, if that was the purpose.
    """

    __slots__ = (
        "_best",
        "_core",
        "_done",
        "_is_over",
        "_payload",
        "_purpose",
        "_through",
        "_tries",
        "_try_over",
        "_try_sent",
        "holders",
        "hops",
        "key",
        "path",
        "permit",
        "replies",
        "root",
        "rpcs",
        "surrogates",
        "timeouts",
        "why",
    )

    def __init__(
        self,
        core: Core,
        key: int,
        done: Done,
        *,
        purpose: int = LOOKUP,
        payload: bytes = b"",
        through: Contact | None = None,
    ) -> None:
        self._core = core
        self._done = done
        self._payload = payload
        self._purpose = purpose
        self._through = through
        self._tries = 0
        self._try_sent = 0  # messages of this try
        self._try_over = 0  # of them, answered or given up
        self._best: Answer | None = None
        self._is_over = False
        self.key = key
        self.root: Contact | None = None
        self.holders: tuple[Contact, ...] = ()
        self.surrogates = 0
        self.path: tuple[Contact, ...] = ()
        self.permit = b""
        self.hops = self.rpcs = self.replies = self.timeouts = 0
        self.why = ""

    def begin(self, now: float) -> None:
        """Send the first message."""
        core = self._core
        if self._through is None and self._is_here(now):
            if self._purpose == ROUTE:
                deliver(core, self._message(core.dice.getrandbits(63)))
            self.root = core.me
            self._is_over = True
            self._done(self, now)
            return
        self._try(now)

    def _is_here(self, now: float) -> bool:
        """Whether this peer is the root, or has what is looked for."""
        core = self._core
        if self._purpose == LOCATE:
            self.holders = holders_of(core, self.key, now, MAX_SHORT)
        step = step_of(core, self.key)
        return bool(self.holders) or (step.hop is None and step.hole is None)

    def _try(self, now: float) -> None:
        self._tries += 1
        self._try_sent = self._try_over = 0
        hops: list[Contact | None] = [self._through]
        if self._through is None and self._core.config.routes > 1:
            hops = [None, *self._others(self._core.config.routes - 1)]
        elif self._through is None and self._tries > 1:
            hops = [*self._others(1)] or [None]
        self._try_sent = len(hops)
        for hop in hops:
            self._send(hop, now)

    def _others(self, count: int) -> list[Contact]:
        """Where further routes begin: at random neighbours."""
        members = list(self._core.everyone())
        return self._core.dice.sample(members, min(count, len(members)))

    def _send(self, hop: Contact | None, now: float) -> None:
        """One message, first to ``hop`` or to whom routing says."""
        core = self._core
        timeout_s = JOIN_TIMEOUT_S if self._purpose == JOIN else ANSWER_TIMEOUT_S
        nonce = core.open(None, self._answered, self._silent, now, timeout_s)
        if nonce is None:
            self._silent(now)
            return
        message = self._message(nonce)
        if hop is not None:
            pass_through(core, hop, message, now)
        else:
            pass_on(core, message, now)

    def _message(self, nonce: int) -> Forward:
        me = self._core.me
        return Forward(0, nonce, self.key, self._purpose, me, me.id, 0, 0, 0, 0, (), self._payload)

    # What comes back

    def _answered(self, reply: Any, now: float) -> None:
        if self._is_over or not isinstance(reply, Answer):
            return
        self.rpcs += reply.hops + reply.timeouts
        self.replies += reply.hops + 1
        self.timeouts += reply.timeouts
        best = self._best
        if best is None or self._away(reply.owner) < self._away(best.owner):
            self._best = reply
        if reply.holders:
            self._best = reply
            self._judge(now)
            return
        if best is None and self._try_sent > 1:
            self._core.open(None, lambda _reply, _at: None, self._judge, now, OTHERS_TIMEOUT_S)
        self._count_one(now)

    def _silent(self, now: float) -> None:
        if not self._is_over:
            self.timeouts += 1
            self._count_one(now)

    def _count_one(self, now: float) -> None:
        self._try_over += 1
        if self._try_over >= self._try_sent:
            self._judge(now)

    def _judge(self, now: float) -> None:
        """Every message of this try has come to an end, or time is up."""
        if self._is_over:
            return
        best = self._best
        is_good = best is not None and (
            self._try_sent > 1 or self._purpose == JOIN or not self._is_doubtful(best.owner)
        )
        may_try = self._through is None and self._tries < MAX_TRIES and self._core.bootstrap is not None
        if not is_good and may_try:
            self._try(now)
            return
        self._is_over = True
        if best is None:
            self.why = UNREACHABLE
        else:
            self.root, self.surrogates = best.owner, best.surrogates
            self.holders = tuple(holder for holder in best.holders if self._core.is_bound(holder))
            self.hops, self.path, self.permit = best.hops, best.path, best.permit
        self._done(self, now)

    def _away(self, contact: Contact) -> int:
        config = self._core.config
        return distance(contact.id, self.key, config.bits, config.digit_bits)

    def _is_doubtful(self, root: Contact) -> bool:
        """Whether the root is farther from the key than ``doubt`` times what peers are from each other around here.

        The eighth closest peer that this one knows is about eight spacings away.
        """
        away = nearest(self._core.neighbours, SAMPLE)
        return len(away) == SAMPLE and self._away(root) > self._core.config.doubt * away[-1] / SAMPLE
