"""The witness: makes a checkpoint every ``EVERY`` headers, ``DEPTH`` deep, and collects cosignatures for it.

Sizes are multiples of ``EVERY``, so that nodes whose tips differ a little ask for the same. A node signs what its own chain
says and what goes on from what it signed before (promise.py); a peer that asks for more than this node has yet is answered
when it has. Nothing depends on it: without witnesses, proofs show work alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from horoi.base.ed25519 import node_id_of
from horoi.ledger.checkpoint import (
    MAX_COSIGNATURES,
    Checkpoint,
    Cosignature,
    VerifierKey,
    is_valid,
    read_note,
    signed_message,
    witness_key,
    write_note,
)
from horoi.ledger.header_log import HeaderLog
from horoi.machine.contract import Action, Arm, Asked, Event, Fired, Lost, Peer, Received, Save, Send
from horoi.machine.host import Started
from horoi.node.chain import Chain
from horoi.node.events import PeerReady, TipChanged
from horoi.node.proving import Witnessed
from horoi.node.token_bucket import TokenBucket
from horoi.node.witness.messages import WITNESS_WIRE, AskCosign, Cosigned
from horoi.node.witness.promise import NEW_KEY, Promise, PromiseRecord

EVERY = 10  # headers between checkpoints; a guess: ten minutes of one a minute
DEPTH = 6  # blocks above the last header of a checkpoint (Nakamoto 2008, section 11)
ASK_AGAIN_S = 30.0  # those who did not answer; a guess
KEPT = 4  # checkpoints whose cosignatures are kept; a guess: the newest may still be gathering
REQUESTS_PER_S = 1.0  # of one peer; an honest one asks once per checkpoint and every ASK_AGAIN_S
REQUESTS_BURST = 20.0
MIN_VERSION = 2  # of the peer protocol: what first knew these messages


class Signer(Protocol):
    """The node's own key: ``horoi.world.live.node_key.NodeKey`` is one."""

    @property
    def public(self) -> bytes: ...
    def sign(self, data: bytes) -> bytes: ...


class _PeerState(msgspec.Struct, gc=False):
    requests: TokenBucket
    is_chosen: bool
    """This node dialed it: such links an attacker cannot make."""
    wanted: AskCosign | None = None
    """What it asked for and this node's chain is too short for yet."""


class Gathering(msgspec.Struct, gc=False):
    """A checkpoint of this node's chain, and who signed it: one cosignature per peer, the own one under None."""

    checkpoint: Checkpoint
    signed: dict[Peer | None, Cosignature] = msgspec.field(default_factory=dict)


class Witness:
    """The machine. ``signer`` None: it signs nothing, and only collects."""

    hears = (Started, TipChanged, PeerReady)

    def __init__(self, chain: Chain, promise: Promise, signer: Signer | None = None) -> None:
        self.wire = WITNESS_WIRE
        self.chain = chain
        self.log = HeaderLog(lambda height: chain.active[height].header)
        self.promise = promise
        self.key: VerifierKey | None = None
        self.gathering: list[Gathering] = []
        """Newest last. Bounded by KEPT."""
        self._signer: Signer | None = None
        self._peers: dict[Peer, _PeerState] = {}
        if signer is not None:
            self.sign_with(signer)

    def sign_with(self, signer: Signer) -> None:
        """Be a witness under this key from now on."""
        self._signer = signer
        self.key = witness_key(signer.public)
        self.promise.bind(signer.public)

    # ---- what the application reads ---------------------------------------------------------------------------

    def best(self) -> Witnessed | None:
        """The newest checkpoint among those with the most cosignatures."""
        found = [one for one in self.gathering if one.signed]
        if not found:
            return None
        chosen = max(reversed(found), key=lambda one: len(one.signed))
        signed = list(chosen.signed.values())[:MAX_COSIGNATURES]
        text = write_note(chosen.checkpoint, signed)
        return Witnessed(read_note(text), text, tuple(str(made.key) for made in signed))

    # ---- events ---------------------------------------------------------------------------------------------

    def handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Received):
            return self._received(event.peer, event.message, now)
        if isinstance(event, Fired):
            return [*self._ask(list(self._peers)), Arm("ask", ASK_AGAIN_S)]
        if isinstance(event, Lost):
            self._peers.pop(event.peer, None)
            return []
        assert isinstance(event, Asked)
        return self._asked(event.request, now)

    def _asked(self, request: Any, now: float) -> list[Action]:
        if isinstance(request, Started):
            return [*self._advance(now), Arm("ask", ASK_AGAIN_S)]
        if isinstance(request, TipChanged):
            if request.disconnected:
                self.log.forget(request.disconnected[-1].known.height)
                self._drop_what_is_not_ours()
            return self._advance(now)
        assert isinstance(request, PeerReady)
        if request.version < MIN_VERSION:
            return []
        self._peers[request.peer] = _PeerState(TokenBucket(REQUESTS_PER_S, REQUESTS_BURST, now), request.outbound)
        return self._ask([request.peer])

    def _received(self, peer: Peer, message: Any, now: float) -> list[Action]:
        state = self._peers.get(peer)
        if state is None or not state.requests.take(now):
            return []
        if isinstance(message, AskCosign):
            state.wanted = message
            return self._answer(peer, state, now)
        assert isinstance(message, Cosigned)
        self._collect(peer, message)
        return []

    # ---- the own checkpoints --------------------------------------------------------------------------------

    def _advance(self, now: float) -> list[Action]:
        """The chain moved: make the next checkpoint, if one is due, and answer who waited for this node."""
        size = (self.chain.tip.height - DEPTH + 1) // EVERY * EVERY
        actions: list[Action] = []
        if size > 0 and (not self.gathering or size > self.gathering[-1].checkpoint.size):
            made = Gathering(Checkpoint(self.chain.network, size, self.log.root(size)))
            self.gathering = [*self.gathering[-(KEPT - 1) :], made]
            saved, own = self._cosign(made.checkpoint, now)
            actions += saved
            if own is not None:
                made.signed[None] = own
            actions += self._ask(list(self._peers))
        for peer, state in self._peers.items():
            actions += self._answer(peer, state, now)
        return actions

    def _drop_what_is_not_ours(self) -> None:
        """After a reorganisation: only checkpoints of the chain that is."""
        height = self.chain.tip.height
        self.gathering = [
            one
            for one in self.gathering
            if one.checkpoint.size <= height + 1 and self.log.root(one.checkpoint.size) == one.checkpoint.root
        ]

    def _ask(self, peers: Sequence[Peer]) -> list[Action]:
        """Ask those who have not signed the newest."""
        if not self.gathering:
            return []
        newest = self.gathering[-1]
        ask = AskCosign(newest.checkpoint.size, newest.checkpoint.root)
        return [Send(peer, ask) for peer in peers if peer not in newest.signed]

    def _collect(self, peer: Peer, message: Cosigned) -> None:
        """A cosignature that came: counted if it is of a checkpoint that is gathering, and the peer's own."""
        if isinstance(peer, bytes) and node_id_of(message.public) != peer:
            return  # on links a peer's name is that of its key: each speaks for itself alone
        for one in self.gathering:
            if (one.checkpoint.size, one.checkpoint.root) != (message.size, message.root):
                continue
            made = Cosignature(witness_key(message.public), message.time_s, message.signature)
            is_new = peer not in one.signed and all(made.key != other.key for other in one.signed.values())
            if is_new and self._has_room(one, peer) and is_valid(one.checkpoint, made):
                self._make_room(one)
                one.signed[peer] = made

    def _has_room(self, one: Gathering, peer: Peer) -> bool:
        """True if a note takes one more, or the cosignature of a peer that dialed can go for that of a peer that was chosen: or
        whoever dials with 16 keys would keep every witness out that a reader chose."""
        return len(one.signed) < MAX_COSIGNATURES or (
            self._peers[peer].is_chosen and self._replaceable(one) is not None
        )

    def _make_room(self, one: Gathering) -> None:
        leaving = self._replaceable(one)
        if len(one.signed) >= MAX_COSIGNATURES and leaving is not None:
            del one.signed[leaving]

    def _replaceable(self, one: Gathering) -> Peer | None:
        """The youngest signer that this node has not chosen."""
        states = {peer: self._peers.get(peer) for peer in one.signed if peer is not None}
        strangers = [peer for peer, state in states.items() if state is None or not state.is_chosen]
        return strangers[-1] if strangers else None

    # ---- signing --------------------------------------------------------------------------------------------

    def _answer(self, peer: Peer, state: _PeerState, now: float) -> list[Action]:
        """Give the cosignature that the peer waits for, or wait until the own chain is as long."""
        wanted = state.wanted
        if wanted is None or wanted.size % EVERY:
            state.wanted = None
            return []
        if wanted.size + DEPTH - 1 > self.chain.tip.height:
            return []
        state.wanted = None
        saved, made = self._cosign(Checkpoint(self.chain.network, wanted.size, wanted.root), now)
        if made is None:
            return saved
        answer = Cosigned(wanted.size, wanted.root, made.key.public, made.time_s, made.signature)
        return [*saved, Send(peer, answer)]

    def _cosign(self, checkpoint: Checkpoint, now: float) -> tuple[list[Action], Cosignature | None]:
        """Sign a checkpoint of the own chain that goes on from the last one signed; what to save before it leaves."""
        if self._signer is None or self.key is None or not self._keeps_promise():
            return [], None
        kept = self.promise.kept
        if kept is None or checkpoint.size < kept.size:
            return [], None  # a cosignature says: the largest that I have seen
        if checkpoint.root != self.log.root(checkpoint.size):
            return [], None
        saved: list[Action] = []
        if checkpoint.size > kept.size:
            self.promise.kept = PromiseRecord(kept.key, checkpoint.size, checkpoint.root)
            saved.append(Save(self.promise.kept))
        time_s = int(now)
        return saved, Cosignature(self.key, time_s, self._signer.sign(signed_message(checkpoint, time_s)))

    def _keeps_promise(self) -> bool:
        """True if the own chain still has what was signed last. Too short to say (it is being fetched): no, for now."""
        kept = self.promise.kept
        if self.promise.broken is not None or kept is None:
            return False
        if kept.size > self.chain.tip.height + 1:
            return False
        if self.log.root(kept.size) != kept.root:
            self.promise.broken = (
                f"this node signed a checkpoint of {kept.size} headers that its chain has left: it signs no more; "
                f"{NEW_KEY}"
            )
        return self.promise.broken is None
