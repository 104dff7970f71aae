"""All sessions of one UDP port, without the port: datagrams and payloads in, datagrams and payloads out.

Whoever has something to send to an address first makes a session there (``secure_handshake``); what is to be sent waits
meanwhile, a little of it. What comes in counts only in a session, from the address that the session was made with, once.

    a forged source          no cookie comes back from it: nothing is kept, nothing dear is computed
    a stolen datagram        from another address, or a second time: dropped
    a restart, a new port    the other end knows no such session of this address and says so in 9 bytes (UNKNOWN, never more
                             than it heard, and believed only with the session's name in it): a new handshake

Everything is bounded: sessions in all and per host, handshakes, what waits for each; and per second, for each host, network
group and in all (``sources``), the proofs that are checked and the UNKNOWNs that are said. Where sessions are at their
limit, the network group that has most of them makes room: whoever has many addresses pushes himself out.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections import Counter
from collections.abc import Callable, Collection
from operator import attrgetter

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from horoi.base.sources import source_of
from horoi.world.live import secure_handshake as handshake
from horoi.world.live.groups import Groups
from horoi.world.live.node_key import NodeKey
from horoi.world.live.secure_session import DATA, OVERHEAD_BYTES, SESSION_ID_BYTES, Address, Session
from horoi.world.live.sources import Ration

MAX_SESSIONS = 4096  # a guess: some 4 MB
MAX_SESSIONS_PER_HOST = 256  # a guess: whole laboratories on one address
MAX_HANDSHAKES = 512  # begun here and not answered; a guess
MAX_WAITING = 16  # datagrams that wait for one handshake; a guess: a burst of a lookup
MAX_PROOFS = 3  # signed for one handshake: an honest responder gives one cookie, or two where its epoch ends
RETRY_S = (0.5, 1.0, 2.0)  # RFC 6298 begins at 1 s; a guess, because what waits has timeouts of a second too
IDLE_S = 600.0  # a guess: overlays ping their neighbours every few seconds
REKEY_S = 3600.0  # a guess, between WireGuard's 2 minutes and the day that TLS allows
EPOCH_S = 120.0  # how long cookies and the responder's ephemeral key are made; those of the epoch before are taken too
# Proofs that are checked within a second, about 130 microseconds each; guesses: under a hundredth of a core for one host, a
# quarter of a core for all the world.
PROOFS_PER_HOST_PER_S = 50
PROOFS_PER_GROUP_PER_S = 200
PROOFS_PER_S = 2000
# UNKNOWNs that are said within a second, 9 bytes each and nothing dear; guesses: after a restart all sessions of a host or two
# are met anew at once.
UNKNOWN_PER_HOST_PER_S = 100
UNKNOWN_PER_GROUP_PER_S = 200
UNKNOWN_PER_S = 4000

Out = list[tuple[bytes, Address]]
"""Datagrams to be sent, and where to."""


class _Epoch:
    """Secrets of two minutes."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._secret = random(32)
        self.private = X25519PrivateKey.from_private_bytes(random(32))
        self.public = self.private.public_key().public_bytes_raw()

    def cookie(self, address: Address, hello: handshake.Hello) -> bytes:
        data = f"{address[0]}|{address[1]}|".encode() + hello.session + hello.ephemeral + self.public
        return hashlib.blake2b(data, key=self._secret, digest_size=handshake.COOKIE_BYTES).digest()


class _Attempt:
    """A handshake that was begun here."""

    __slots__ = ("hello", "private", "proofs", "prove", "since_s", "tries", "waiting")

    def __init__(self, random: Callable[[int], bytes], now: float) -> None:
        self.private = X25519PrivateKey.from_private_bytes(random(32))
        self.hello = handshake.Hello(random(SESSION_ID_BYTES), self.private.public_key().public_bytes_raw())
        self.prove: handshake.Prove | None = None
        self.proofs = 0
        """How often it was signed anew."""
        self.waiting: list[bytes] = []
        self.since_s = now
        self.tries = 0


class SecureSessions:
    """See the module. ``context`` is ``secure_handshake.context_of``; ``random`` is for tests."""

    def __init__(
        self, key: NodeKey, context: bytes, now: float, *, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._key = key
        self._context = context
        self._random = random
        self._by_id: dict[bytes, Session] = {}
        self._by_proof: dict[tuple[Address, bytes], Session] = {}  # those that the other end began
        self._to: dict[Address, Session] = {}  # the session to send in
        self._attempts: dict[Address, _Attempt] = {}
        self._hosts: Groups[Session] = Groups()
        self._networks: Groups[Session] = Groups()
        self._proofs = Ration(per_host=PROOFS_PER_HOST_PER_S, per_group=PROOFS_PER_GROUP_PER_S, in_all=PROOFS_PER_S)
        self._unknowns = Ration(
            per_host=UNKNOWN_PER_HOST_PER_S, per_group=UNKNOWN_PER_GROUP_PER_S, in_all=UNKNOWN_PER_S
        )
        self._second = now
        self._epoch = self._before = _Epoch(random)
        self._epoch_s = now
        self.counters: Counter[str] = Counter()
        """What was thrown away, by why."""

    def __len__(self) -> int:
        return len(self._by_id)

    def public_of(self, address: Address) -> bytes | None:
        """The node key that the peer at this address proved to hold."""
        session = self._to.get(address)
        return session.public if session else None

    # Out

    def send(self, payload: bytes, address: Address, now: float) -> Out:
        """What to send so that ``payload`` gets there: it, or the beginning of a handshake."""
        session = self._to.get(address)
        if session is not None and now - session.since_s < REKEY_S:
            return [(session.seal(payload), address)]
        attempt = self._attempts.get(address)
        out: Out = []
        if attempt is None:
            if len(self._attempts) >= MAX_HANDSHAKES and not self._give_up_one():
                return []
            attempt = self._attempts[address] = _Attempt(self._random, now)
            out = [(attempt.hello.pack(self._context), address)]
        if session is not None:  # still good while a new one is made
            return [*out, (session.seal(payload), address)]
        if len(attempt.waiting) < MAX_WAITING:
            attempt.waiting.append(payload)
        else:
            self.counters["queue"] += 1
        return out

    def _give_up_one(self) -> bool:
        """Make room for a handshake: the oldest that nothing answered goes. Whoever is there answers within a round trip; so
        addresses that liars told of, where nobody is, keep nobody waiting for longer."""
        self.counters["too many handshakes"] += 1
        silent = next((address for address, attempt in self._attempts.items() if attempt.prove is None), None)
        if silent is None:
            return False
        del self._attempts[silent]
        return True

    # In

    def receive(self, datagram: bytes, address: Address, now: float) -> tuple[bytes | None, Out]:
        """A payload, if the datagram carries one, and what to answer. Never raises."""
        kind = datagram[0] if datagram else 0
        if kind == DATA:
            return self._data(datagram, address, now)
        if kind == handshake.HELLO:
            return None, self._hello(datagram, address)
        if kind == handshake.COOKIE:
            return None, self._cookie(datagram, address)
        if kind == handshake.PROVE:
            return None, self._prove(datagram, address, now)
        if kind == handshake.ACCEPT:
            return None, self._accept(datagram, address, now)
        if kind == handshake.UNKNOWN:
            self._unknown(datagram, address)
            return None, []
        self.counters["malformed"] += 1
        return None, []

    def _data(self, datagram: bytes, address: Address, now: float) -> tuple[bytes | None, Out]:
        own_id = datagram[1 : 1 + SESSION_ID_BYTES]
        session = self._by_id.get(own_id)
        if session is None or session.address != address:  # the other end restarted; or its router gave it another port
            self.counters["no session" if session is None else "wrong address"] += 1
            return None, self._say_unknown(datagram, own_id, address)
        payload = session.open(datagram)
        if payload is None:
            self.counters["forged or replayed"] += 1
            return None, []
        session.heard_s = now
        using = self._to.get(address)
        if using is None or using.since_s < session.since_s:
            self._to[address] = session  # the initiator has shown that it has the keys
        return payload, []

    def _say_unknown(self, datagram: bytes, own_id: bytes, address: Address) -> Out:
        if len(datagram) < OVERHEAD_BYTES or not self._unknowns.take(address):
            return []
        return [(bytes([handshake.UNKNOWN]) + own_id, address)]

    def _unknown(self, datagram: bytes, address: Address) -> None:
        session = self._to.get(address)
        if session is not None and datagram[1:] == session.peer_id:
            self._forget(session)

    # The responder

    def _hello(self, datagram: bytes, address: Address) -> Out:
        hello = handshake.Hello.unpack(datagram, self._context)
        if hello is None:
            self.counters["malformed"] += 1
            return []
        cookie = self._epoch.cookie(address, hello)
        return [(handshake.Cookie(hello.session, cookie, self._epoch.public).pack(), address)]

    def _prove(self, datagram: bytes, address: Address, now: float) -> Out:
        prove = handshake.Prove.unpack(datagram, self._context)
        if prove is None:
            self.counters["malformed"] += 1
            return []
        epoch = next((e for e in (self._epoch, self._before) if e.public == prove.responder_ephemeral), None)
        hello = handshake.Hello(prove.session, prove.ephemeral)
        if epoch is None or not hmac.compare_digest(epoch.cookie(address, hello), prove.cookie):
            self.counters["wrong cookie"] += 1
            return []
        known = self._by_proof.get((address, prove.session))
        if known is not None:
            return [(known.accept, address)]  # the first answer was lost
        if not self._proofs.take(address):  # a signature costs, even to whoever has proven to be there
            self.counters["too many proofs"] += 1
            return []
        if prove.public == self._key.public or not prove.is_signed(self._context):
            self.counters["wrong proof"] += 1
            return []
        return self._take_session(prove, epoch, address, now)

    def _take_session(self, prove: handshake.Prove, epoch: _Epoch, address: Address, now: float) -> Out:
        own_id = self._random(SESSION_ID_BYTES)
        unsigned = handshake.Accept(prove.session, own_id, self._key.public, b"")
        keys = handshake.derive_keys(epoch.private, prove.ephemeral, prove, unsigned, self._context)
        if keys is None:
            self.counters["wrong proof"] += 1
            return []
        accept = unsigned.sign(self._key, prove, self._context)
        session = Session(
            address,
            prove.public,
            own_id=own_id,
            peer_id=prove.session,
            seal_key=keys.from_responder,
            open_key=keys.from_initiator,
            now=now,
            accept=accept.pack(),
        )
        self._keep(session)
        return [(session.accept, address)]

    # The initiator

    def _cookie(self, datagram: bytes, address: Address) -> Out:
        cookie = handshake.Cookie.unpack(datagram)
        attempt = self._attempts.get(address)
        if cookie is None or attempt is None or cookie.session != attempt.hello.session:
            self.counters["unasked"] += 1
            return []
        if attempt.prove is None or attempt.prove.cookie != cookie.cookie:
            if attempt.proofs == MAX_PROOFS:
                self.counters["too many cookies"] += 1
                return []
            attempt.proofs += 1
            unsigned = handshake.Prove(*attempt.hello, cookie.ephemeral, cookie.cookie, self._key.public, b"")
            attempt.prove = unsigned.sign(self._key, self._context)
        return [(attempt.prove.pack(self._context), address)]

    def _accept(self, datagram: bytes, address: Address, now: float) -> Out:
        accept = handshake.Accept.unpack(datagram)
        attempt = self._attempts.get(address)
        prove = attempt.prove if attempt else None
        if accept is None or attempt is None or prove is None or accept.session != attempt.hello.session:
            self.counters["unasked"] += 1
            return []
        keys = None
        if accept.public != self._key.public and accept.is_signed(prove, self._context):
            ephemeral = prove.responder_ephemeral
            keys = handshake.derive_keys(attempt.private, ephemeral, prove, accept, self._context)
        if keys is None:
            self.counters["wrong proof"] += 1
            return []
        session = Session(
            address,
            accept.public,
            own_id=accept.session,
            peer_id=accept.responder_session,
            seal_key=keys.from_initiator,
            open_key=keys.from_responder,
            now=now,
        )
        del self._attempts[address]
        self._keep(session)
        self._to[address] = session
        return [(session.seal(payload), address) for payload in attempt.waiting]

    # Time and room

    def tick(self, now: float) -> Out:
        """To be called several times a second: what has to be said again, and what to forget."""
        if now - self._second >= 1.0:
            self._second = now
            self._proofs.refill()
            self._unknowns.refill()
            for session in [s for s in self._by_id.values() if now - s.heard_s > IDLE_S]:
                self._forget(session)
        if now - self._epoch_s >= EPOCH_S:
            self._epoch_s = now
            self._before, self._epoch = self._epoch, _Epoch(self._random)
        out: Out = []
        for address, attempt in list(self._attempts.items()):
            if now - attempt.since_s < RETRY_S[attempt.tries]:
                continue
            attempt.since_s = now
            attempt.tries += 1
            if attempt.tries == len(RETRY_S):
                self.counters["no answer"] += 1
                del self._attempts[address]
            else:
                out.append((attempt.hello.pack(self._context), address))
        return out

    def _keep(self, session: Session) -> None:
        host, group = source_of(session.address)
        of_host = self._hosts.of(host)
        if len(of_host) >= MAX_SESSIONS_PER_HOST:
            self._forget_one(of_host)
        elif len(self._by_id) >= MAX_SESSIONS:
            self._forget_one(self._networks.largest())
        self._by_id[session.own_id] = session
        if session.accept:
            self._by_proof[session.address, session.peer_id] = session
        self._hosts.add(host, session.own_id, session)
        self._networks.add(group, session.own_id, session)

    def _forget_one(self, sessions: Collection[Session]) -> None:
        """The one of these that was silent for longest."""
        self._forget(min(sessions, key=attrgetter("heard_s")))

    def _forget(self, session: Session) -> None:
        if self._by_id.pop(session.own_id, None) is None:
            return
        self._by_proof.pop((session.address, session.peer_id), None)
        if self._to.get(session.address) is session:
            del self._to[session.address]
        host, group = source_of(session.address)
        self._hosts.remove(host, session.own_id)
        self._networks.remove(group, session.own_id)
