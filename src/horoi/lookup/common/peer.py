"""What a peer of every overlay stands on, whatever its geometry: requests under way, permits, rates, whom it takes for dead,
and the list of actions that it is writing.

A room's ``Core`` adds the tables of its paper. A million peers must fit a process, so what is not used is not made.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from random import Random
from typing import Any, Protocol, TypeAlias

from horoi.lookup.common.pending import Pending
from horoi.lookup.common.permits import Permits
from horoi.lookup.common.rates import TokenBuckets
from horoi.lookup.vocabulary import PROVIDER_TTL_S, Address, Contact
from horoi.machine.contract import Action, Arm, Send, Tell

RPC = "rpc"
"""The one timer of all requests under way."""

PROVIDE = "provide"
"""The timer after which this peer says again what it provides."""

PROVIDE_AGAIN_S = PROVIDER_TTL_S * 0.4  # two words within the life of one, so that one lost is no gap
PROVIDE_PORTION = 32  # lookups begun at once for it, a guess: someone may provide a hundred thousand things
MAX_OWN_WORDS = 100_000  # a guess

BURIED_S = 60.0  # how long a silent peer is not believed in when others name it; a guess: they learn it too
MAX_BURIED = 256  # a guess: more than the tables of one peer

OnReply: TypeAlias = Callable[[Any, float], None]
OnFailure: TypeAlias = Callable[[float], None]


class Context:
    """What a request was for: called with the reply, or when it is given up."""

    __slots__ = ("on_failure", "on_reply")

    def __init__(self, on_reply: OnReply, on_failure: OnFailure) -> None:
        self.on_reply = on_reply
        self.on_failure = on_failure


class PeerConfig(Protocol):
    """What is read here of a room's configuration."""

    @property
    def bits(self) -> int: ...
    @property
    def rate_per_s(self) -> float | None: ...
    @property
    def is_bound(self) -> Callable[[Contact], bool] | None: ...


class Peer:
    """State that all overlays share."""

    __slots__ = (
        "_buckets",
        "_buried",
        "_pending",
        "_permits",
        "bootstrap",
        "config",
        "dice",
        "lookups",
        "out",
        "own_words",
    )

    config: PeerConfig

    def __init__(self, config: PeerConfig, dice: Random) -> None:
        self.config = config
        self.dice = dice
        self.out: list[Action] = []
        self.bootstrap: tuple[Address, ...] | None = None
        """Through whom it came; None: not in the network, nor entering it."""
        self.lookups = 0
        """The application's requests under way."""
        self.own_words: dict[int, None] | None = None
        """What this peer provides, the longest unsaid first."""
        self._pending: Pending | None = None
        self._permits: Permits | None = None
        self._buckets: TokenBuckets | None = None
        self._buried: dict[Contact, float] | None = None

    # What is made on first use

    @property
    def pending(self) -> Pending:
        if self._pending is None:
            self._pending = Pending(self.dice)
        return self._pending

    @property
    def permits(self) -> Permits:
        if self._permits is None:
            self._permits = Permits(self.dice)
        return self._permits

    def may_serve(self, address: Address, now: float) -> bool:
        """Whether a request from this address is within its rate."""
        if self.config.rate_per_s is None:
            return True
        if self._buckets is None:
            self._buckets = TokenBuckets(self.config.rate_per_s, 2 * self.config.rate_per_s)
        return self._buckets.take(address, now)

    # Whom to believe in

    def is_bound(self, contact: Contact) -> bool:
        """Whether the id belongs to the contact, as far as this network can tell."""
        return self.config.is_bound is None or self.config.is_bound(contact)

    def is_buried(self, contact: Contact, now: float) -> bool:
        """Whether the contact was silent a moment ago."""
        if self._buried is None:
            return False
        buried_s = self._buried.get(contact)
        return buried_s is not None and now < buried_s + BURIED_S

    def bury(self, contact: Contact, now: float) -> None:
        """A peer does not answer: do not believe others that name it, for a while."""
        if self._buried is None:
            self._buried = {}
        self._buried.pop(contact, None)
        self._buried[contact] = now
        if len(self._buried) > MAX_BURIED:
            del self._buried[next(iter(self._buried))]

    def exhume(self, contact: Contact) -> None:
        """A peer that was taken for dead has spoken."""
        if self._buried is not None:
            self._buried.pop(contact, None)

    # Actions

    def send(self, address: Address, message: Any) -> None:
        self.out.append(Send(address, message))

    def tell(self, notice: Any) -> None:
        self.out.append(Tell(notice))

    def arm(self, timer: Any, after_s: float | None) -> None:
        self.out.append(Arm(timer, after_s))

    # Requests under way

    def open(
        self,
        contact: Contact | None,
        on_reply: OnReply,
        on_failure: OnFailure,
        now: float,
        timeout_s: float | None = None,
    ) -> int | None:
        """Note a request and return its nonce; None if too many are under way. ``contact`` None: anyone may answer it."""
        return self.open_with(Context(on_reply, on_failure), contact, now, timeout_s)

    def open_with(
        self, context: Context, contact: Contact | None, now: float, timeout_s: float | None = None
    ) -> int | None:
        """The same with a context of the room's own."""
        pending = self.pending
        if pending.full:
            return None
        nonce = pending.open(contact, context, now, timeout_s)
        wake_s = pending.wake_s(now)
        if wake_s is not None:
            self.out.append(Arm(RPC, wake_s))
        return nonce

    def expire(self, now: float) -> None:
        """The timer of requests fired: give up those that ran out."""
        if self._pending is None:
            return
        for request in self._pending.expire(now):
            request.context.on_failure(now)
        if self._pending is not None:
            wake_s = self._pending.wake_s(now)
            if wake_s is not None:
                self.arm(RPC, wake_s)

    # What this peer provides

    def remember_word(self, key: int) -> None:
        """Say from now on, now and then, that this peer has the thing of this name."""
        if not self.own_words:
            self.own_words = {}
            self.arm(PROVIDE, PROVIDE_AGAIN_S)
        if len(self.own_words) < MAX_OWN_WORDS:
            self.own_words[key] = None

    def forget_word(self, key: int) -> None:
        """Say it no more."""
        if self.own_words is not None:
            self.own_words.pop(key, None)

    def words_to_say(self) -> list[int]:
        """The next few things to be said again; each has its turn in every period."""
        words = self.own_words
        if not words:
            return []
        said = list(islice(words, PROVIDE_PORTION))
        for key in said:
            del words[key]
            words[key] = None
        self.arm(PROVIDE, PROVIDE_AGAIN_S * len(said) / len(words))
        return said
