"""A universe: machines, the network between them and their faults, all from one seed.

A discrete-event simulation in the classic form (Fishman 2001, "next-event time advance"): the schedule holds what
happens next, time jumps to it, and the machines' answers put more into the schedule. All chance comes from
``random.Random(f"{seed}/{purpose}/{name}")``, so one purpose's dice do not disturb another's, and from the order of
events, which is total. The same seed and script give the same universe in every process: compare ``digest``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

from horoi.machine.contract import Peer
from horoi.machine.host import Boot
from horoi.world.sim.disk import Crashed, SimDisk
from horoi.world.sim.host import SimHost
from horoi.world.sim.hosting import Hosting
from horoi.world.sim.hunt import replay_hint
from horoi.world.sim.network import Network, PairFault
from horoi.world.sim.schedule import SLOT_WIDTH_S, Schedule
from horoi.world.sim.trace import Digest, Trace, short_name

Transport: TypeAlias = Literal["links", "datagram", "both"]

EXPLAINED_LINES = 30  # a guess: what fits on a screen
TRACE_LINES = 200  # a guess: enough to see what led to a failure, and read in a minute


class Universe(Hosting):
    """Hosts machines in simulated time. Times are seconds since the universe began; ``now`` is the current one.

    ``transport``: "links" (TCP, see links.py), "datagram" (``Send`` to any name), or "both" (a link if there is one).
    ``codec``: every message is encoded by the sender's wire and decoded by the receiver's, as it would be live; without
    it, messages pass as objects. ``sizes(message)`` gives sizes in bytes where that is not known from encoding.
    ``epoch_s`` is what the machines' clocks show when the universe begins. ``on_notice(name, notice)`` hears what
    machines tell; ``keep_notices`` keeps it for ``notices(name)``. ``digest`` and ``trace`` may be switched off
    (False, 0) for large universes.

    As ``with Universe(seed) as universe`` it adds the last events, the seed and the replay command to whatever is
    raised inside.
    """

    def __init__(
        self,
        seed: int | str,
        *,
        network: Network | None = None,
        transport: Transport = "links",
        codec: bool = True,
        sizes: Callable[[Any], int] | None = None,
        epoch_s: float = 0.0,
        digest: bool = True,
        trace: int = TRACE_LINES,
        keep_notices: bool = True,
        on_notice: Callable[[Peer, Any], None] | None = None,
        slot_width_s: float = SLOT_WIDTH_S,
    ) -> None:
        super().__init__(
            seed,
            network=network or Network(),
            schedule=Schedule(slot_width_s=slot_width_s),
            codec=codec,
            sizes=sizes,
            digest=Digest() if digest else None,
            trace=Trace(trace) if trace else None,
            keep_notices=keep_notices,
            on_notice=on_notice,
        )
        self._transport = transport
        self._epoch_s = epoch_s
        self._added = 0
        self._region_dice = self.dice("regions")

    # Time

    @property
    def now(self) -> float:
        """Seconds since the universe began."""
        return self.schedule.now_s

    def at(self, time_s: float, call: Callable[[], object]) -> None:
        """Make ``call()`` when it is ``time_s``: scripted faults and questions."""
        self.schedule.push(time_s, _call_it, call)

    def after(self, wait_s: float, call: Callable[[], object]) -> None:
        """Make ``call()`` ``wait_s`` from now."""
        self.at(self.now + wait_s, call)

    def run(self, until_s: float) -> int:
        """Let everything up to ``until_s`` happen. Returns the number of events."""
        try:
            return self.schedule.run(until_s)
        except Exception as error:
            self._explain(error)
            raise

    def run_for(self, duration_s: float) -> int:
        """Let ``duration_s`` seconds pass. Returns the number of events."""
        return self.run(self.now + duration_s)

    def run_while(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Go on as long as ``condition()`` holds, at most ``limit_s`` seconds. True if it ended, False at the limit."""
        try:
            return self.schedule.run_while(condition, self.now + limit_s)
        except Exception as error:
            self._explain(error)
            raise

    def run_until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Go on until ``condition()`` holds, at most ``limit_s`` seconds. True if it came to hold."""
        return self.run_while(lambda: not condition(), limit_s)

    # Hosts

    def add(
        self,
        name: Peer,
        boot: Boot,
        *,
        address: str | None = None,
        region: str | None = None,
        clock_skew_s: float = 0.0,
        clock_drift: float = 0.0,
        cores: int = 1,
        uplink_bytes_per_s: float | None = None,
        transport: Transport | None = None,
        start: bool = True,
    ) -> None:
        """Add a host and boot it (or not yet: ``start=False``).

        ``address`` is where others dial it: by default its name (hexadecimal if the name is bytes; none on datagrams,
        where the name is the address). ``clock_skew_s`` is
        what its clock is ahead; ``clock_drift`` what it gains per second (5e-5: a bad quartz). ``uplink_bytes_per_s``
        overrides the network's.
        """
        transport = transport or self._transport
        if address is None and transport != "datagram":
            address = name if isinstance(name, str) else name.hex() if isinstance(name, bytes) else str(name)
        if name in self._hosts:
            raise ValueError(f"a host {name!r} is here already; restart it, or remove it first")
        if address is not None and address in self._by_address:
            raise ValueError(f"address {address!r} is taken by {self._by_address[address].name!r}")
        if cores < 1 or not clock_drift > -1:
            raise ValueError(f"a host has a core and a clock that advances, got {cores=} {clock_drift=}")
        self.network.latency.settle(self._added, region, self._region_dice)
        host = SimHost(name, self._added, address or "", boot, cores=cores)
        self._added += 1
        host.offset_s = self._epoch_s + clock_skew_s
        host.rate = 1.0 + clock_drift
        host.uplink_bytes_per_s = uplink_bytes_per_s or self.network.uplink_bytes_per_s
        host.speaks_links = transport != "datagram"
        host.speaks_datagrams = transport != "links"
        self._hosts[name] = host
        if address is not None:
            self._by_address[address] = host
        if start:
            self._boot(host)

    def remove(self, name: Peer) -> None:
        """Crash a host and forget it. Its name may be added again, as a stranger."""
        host = self.host(name)
        self.crash(name)
        del self._hosts[name]
        self._by_address.pop(host.address, None)

    def host(self, name: Peer) -> SimHost:
        """The host's record, for inspection."""
        host = self._hosts.get(name)
        if host is None:
            raise ValueError(f"no host {name!r} in this universe; add it first")
        return host

    @property
    def names(self) -> list[Peer]:
        """All hosts, up or down, in the order in which they were added."""
        return list(self._hosts)

    def machine(self, name: Peer) -> Any:
        """The machine, for inspection. Raises ValueError while the host is down."""
        machine = self.host(name).machine
        if machine is None:
            raise ValueError(f"host {name!r} is down; restart it first")
        return machine

    def disk(self, name: Peer) -> SimDisk:
        """The host's disk, made on first use. It outlives the machine."""
        return self._disk_of(self.host(name))

    def is_up(self, name: Peer) -> bool:
        """True while the host has a machine (also if it is frozen)."""
        host = self._hosts.get(name)
        return host is not None and host.machine is not None

    def linked(self, name: Peer) -> list[Peer]:
        """To whom the host has links, ascending."""
        return sorted(self.host(name).links or {})

    def ask(self, name: Peer, request: Any) -> None:
        """Hand ``Asked(request)`` to the machine, as the next thing that happens."""
        host = self.host(name)
        self.machine(name)
        self.schedule.push(self.now, self._asked, host, host.life, request)

    def notices(self, name: Peer, kind: type | None = None) -> list[Any]:
        """What the machine told so far, over all its lives; only notices of type ``kind`` if one is given."""
        told = self.host(name).notices or []
        return [notice for notice in told if kind is None or isinstance(notice, kind)]

    # Life and death

    def crash(self, name: Peer, *, silent: bool = False) -> None:
        """Kill the machine; its disk loses or tears what was not synced. A host that is down stays so.

        Its peers hear Lost when the network has told them; with ``silent`` (power cut) after ``link_timeout_s``.
        """
        host = self.host(name)
        if host.machine is not None:
            self._kill(host, silent=silent)

    def stop(self, name: Peer) -> None:
        """End the machine in good order: ``Hosted.close`` is called, links say goodbye, the disk is left whole."""
        host = self.host(name)
        self.machine(name)
        assert host.close is not None
        try:
            host.close()
        except Crashed:
            self._kill(host, silent=False)
            return
        self._note(host.name, "-- stopped")
        self._end_life(host, silent=False)
        host.was_stopped = True

    def restart(self, name: Peer) -> None:
        """Boot a host that is down, over the disk that its former life left."""
        host = self.host(name)
        if host.machine is not None:
            raise ValueError(f"host {name!r} is up; crash or stop it first")
        self._boot(host)

    def freeze(self, name: Peer) -> None:
        """Let a host do nothing, say nothing and close nothing, while its kernel keeps what arrives (SIGSTOP)."""
        host = self.host(name)
        self.machine(name)
        if host.backlog is None:
            host.backlog = []
            self._note(name, "-- frozen")

    def thaw(self, name: Peer) -> None:
        """Let a frozen host go on with what came meanwhile, in order."""
        host = self.host(name)
        backlog, host.backlog = host.backlog, None
        if backlog is not None:
            self._note(name, "-- thawed")
        for call, a, b, c in backlog or ():
            call(a, b, c)

    def set_clock(self, name: Peer, skew_s: float) -> None:
        """Set by how much the host's clock is ahead from now on. A clock set back stands still until it is true."""
        self.host(name).offset_s = self._epoch_s + skew_s

    # Network faults

    def partition(self, *groups: Iterable[Peer]) -> None:
        """Let only hosts of one group reach each other, until ``heal``. Hosts in no group are a group together."""
        self.faults.partition(groups)
        self._faults_changed(f"-- partition into {len(groups)} groups and the rest")

    def cut(self, a: Peer, b: Peer, *, one_way: bool = False) -> None:
        """Let nothing pass between two hosts (``one_way``: only not from a to b, which stops links all the same)."""
        self.fault(a, b, PairFault(cut=True), one_way=one_way)

    def mend(self, a: Peer, b: Peer) -> None:
        """Take back what was done to the pair."""
        self.fault(a, b, PairFault())

    def fault(self, a: Peer, b: Peer, fault: PairFault, *, one_way: bool = False) -> None:
        """Set what is wrong between two hosts: cut, late by ``extra_s``, or losing messages."""
        self.faults.set_pair(a, b, fault)
        if not one_way:
            self.faults.set_pair(b, a, fault)
        self._faults_changed(f"-- {short_name(a)} to {short_name(b)}: {fault}")

    def heal(self) -> None:
        """Take back every partition, cut and fault. Links that were not lost meanwhile go on."""
        self.faults.heal()
        self._faults_changed("-- healed")

    def _faults_changed(self, what: str) -> None:
        self._note(None, what)
        self._links.faults_changed(list(self._hosts.values()))

    # What happened

    @property
    def digest(self) -> str:
        """A hash over all events so far: the same for the same seed and script, in every process."""
        if self._digest is None:
            raise ValueError("this universe was made with digest=False")
        return self._digest.hexdigest()

    @property
    def events(self) -> int:
        """How many scheduled calls were made so far."""
        return self.schedule.fired

    @property
    def trace_lines(self) -> list[str]:
        """The last things that happened, one line each, oldest first."""
        return self._trace.lines() if self._trace else []

    def note(self, text: str) -> None:
        """Put a line of your own into the trace."""
        self._note(None, text)

    def __enter__(self) -> Universe:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            self._explain(error)

    def _explain(self, error: BaseException) -> None:
        """Add the last events and how to see them again to an error, once."""
        mark = f"in the universe of seed {self.seed!r}"
        if any(note.startswith(mark) for note in getattr(error, "__notes__", ())):
            return
        last = "\n".join(self.trace_lines[-EXPLAINED_LINES:])
        error.add_note(f"{mark}, at {self.now:.6f} s; {replay_hint(self.seed)}\nThe last events were:\n{last}")


def _call_it(call: Callable[[], object], _a: None, _b: None) -> None:
    call()
