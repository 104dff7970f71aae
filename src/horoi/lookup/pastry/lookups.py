"""Finding the owner of a key, from the side of whoever asks: send a message that way, and judge what comes back.

The owner answers the origin itself. What may go wrong on the way, and what is done:

- nothing comes back: a peer on the way lost the message, or swallows messages. The lookup is repeated with a random choice at
  each step ("the query may have to be repeated several times by the client, until a route is chosen that avoids the bad
  node", section 2.6);
- the owner that answers is much farther from the key than peers usually are from each other: it may be a liar that knows better
  ones. It is believed only if no other route finds a closer one (Castro et al. 2002, "Secure routing for structured
  peer-to-peer overlay networks", section 5.2, routing failure test by density);
- with ``routes`` > 1 the message leaves by as many different peers at once, and the claim closest to the key wins (5.3).

An owner cannot claim another id than its own, which is bound to its address, so lies lie always farther from the key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from horoi.base.ids import around
from horoi.lookup.pastry.core import Core
from horoi.lookup.pastry.forwarding import deliver, pass_on, pass_to
from horoi.lookup.pastry.messages import JOIN, LOOKUP, MAX_REPLICAS, ROUTE, Answer, Forward
from horoi.lookup.pastry.routing import admissible, is_nearer, next_hop
from horoi.lookup.vocabulary import UNREACHABLE, Contact

ANSWER_TIMEOUT_S = 8.0  # a guess: five steps, three of which meet dead peers
JOIN_TIMEOUT_S = 5.0  # a guess: then the newcomer begins anew, through another peer
OTHERS_TIMEOUT_S = 2.0  # a guess: how long to wait for the other routes when one has answered
MAX_TRIES = 4  # a guess

Done = Callable[["Search", float], None]


class Search:
    """One search for an owner, over several tries. ``owners`` is empty until it is done, and if it failed (``why``)."""

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
        "hops",
        "key",
        "owners",
        "path",
        "permit",
        "replies",
        "rpcs",
        "timeouts",
        "why",
    )

    def __init__(
        self, core: Core, key: int, done: Done, *, payload: bytes | None = None, through: Contact | None = None
    ) -> None:
        self._core = core
        self._done = done
        self._payload = payload or b""
        self._purpose = ROUTE if payload is not None else JOIN if through is not None else LOOKUP
        self._through = through
        self._tries = 0
        self._try_sent = 0  # messages of this try
        self._try_over = 0  # of them, answered or given up
        self._best: Answer | None = None
        self._is_over = False
        self.key = key
        self.owners: tuple[Contact, ...] = ()
        self.path: tuple[Contact, ...] = ()
        self.permit = b""
        self.hops = self.rpcs = self.replies = self.timeouts = 0
        self.why = ""

    def begin(self, now: float) -> None:
        """Send the first message."""
        core = self._core
        if self._through is None and next_hop(core, self.key) is None:
            if self._purpose == ROUTE:
                deliver(core, self._message(core.dice.getrandbits(63), is_wide=False))
            self.owners = (core.me, *core.leaves.nearest(self.key, MAX_REPLICAS))
            self._is_over = True
            self._done(self, now)
            return
        self._try(now)

    def _try(self, now: float) -> None:
        self._tries += 1
        self._try_sent = self._try_over = 0
        core = self._core
        if self._through is not None:
            hops: list[Contact | None] = [self._through]
        elif core.config.routes > 1:
            hops = [*self._first_hops()]
        else:
            hops = [None]
        self._try_sent = len(hops)
        for hop in hops:
            self._send(hop, now)

    def _send(self, hop: Contact | None, now: float) -> None:
        """One message, first to ``hop`` or to whom routing says."""
        core = self._core
        timeout_s = JOIN_TIMEOUT_S if self._purpose == JOIN else ANSWER_TIMEOUT_S
        nonce = core.open(None, self._answered, self._silent, now, timeout_s)
        if nonce is None:
            self._silent(now)
            return
        message = self._message(nonce, is_wide=self._tries > 1 or core.config.routes > 1)
        if hop is not None:
            pass_to(core, hop, message, now)
        else:
            pass_on(core, message, now)

    def _first_hops(self) -> list[Contact]:
        """Where several routes begin: the best next hops; if they are few, leaves too, which have other tables."""
        core = self._core
        usual = next_hop(core, self.key)
        hops = [usual] if usual is not None else []
        hops += [contact for contact in admissible(core, self.key) if contact != usual]
        return hops[: core.config.routes]

    def _message(self, nonce: int, *, is_wide: bool) -> Forward:
        me = self._core.me
        return Forward(0, nonce, self.key, self._purpose, me, me.id, 0, 0, is_wide, (), self._payload)

    # What comes back

    def _answered(self, reply: Any, now: float) -> None:
        if self._is_over or not isinstance(reply, Answer):
            return
        self.rpcs += reply.hops + reply.timeouts
        self.replies += reply.hops + 1
        self.timeouts += reply.timeouts
        best = self._best
        if best is None or is_nearer(reply.owner.id, best.owner.id, self.key, self._core.config.bits):
            self._best = reply
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
            replicas = [contact for contact in best.replicas if self._core.is_believed(contact, now)]
            self.owners = (best.owner, *replicas)
            self.hops, self.path, self.permit = best.hops, best.path, best.permit
        self._done(self, now)

    def _is_doubtful(self, owner: Contact) -> bool:
        core = self._core
        return around(owner.id, self.key, core.config.bits) > core.config.doubt * core.leaves.spacing
