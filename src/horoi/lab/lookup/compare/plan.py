"""Which runs a comparison has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from horoi.base.errors import UsageError
from horoi.lab.lookup.overlay import Settings
from horoi.lab.lookup.run import OVERLAYS, check
from horoi.lab.lookup.sweep.grid import Job

LEAST_PEERS = 16
SIZES = 4  # networks of N, N/4, N/16, N/64 peers
FAILED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)  # shares that fail at once
SESSIONS_S = (42.0, 84.0, 168.0, 336.0)  # medians; 84 s is the shortest of Rhea et al. 2004
PACES = (0.5, 1.0, 2.0)  # of upkeep, around what the rooms do unasked
CHURN_PEERS = 200  # at most, if not said otherwise: half the time of a comparison goes into them
CHURN_MINUTES = 4.0


@dataclass(frozen=True)
class Plan:
    """A comparison. Everything but the overlay is the same in the runs that stand side by side."""

    peers: int
    lookups: int = 2000
    seed: int = 1
    overlays: Sequence[str] = field(default_factory=lambda: tuple(OVERLAYS))
    latency: str = "regions"
    churn_peers: int | None = None
    minutes: float = CHURN_MINUTES
    failed_shares: Sequence[float] = FAILED
    sessions_s: Sequence[float] = SESSIONS_S
    paces: Sequence[float] = PACES

    def __post_init__(self) -> None:
        if self.peers < LEAST_PEERS:
            raise UsageError(f"a comparison needs at least {LEAST_PEERS} peers, not {self.peers}")
        if not self.overlays or len(set(self.overlays)) != len(self.overlays):
            raise UsageError(f"name each overlay once, not {', '.join(self.overlays) or 'none'}")
        if self.churn_peers is not None and self.churn_peers < LEAST_PEERS:
            raise UsageError(f"churn needs at least {LEAST_PEERS} peers, not {self.churn_peers}")
        for job in self.jobs():
            check(job.settings)

    @property
    def sizes(self) -> list[int]:
        """How many peers the networks have, the smallest first."""
        sizes = [self.peers // 4**step for step in range(SIZES)]
        return [size for size in reversed(sizes) if size >= LEAST_PEERS]

    @property
    def peers_in_churn(self) -> int:
        """How many peers the networks have in which peers come and go."""
        return self.churn_peers or min(self.peers, CHURN_PEERS)

    def standing(self, overlay: str, peers: int) -> Job:
        """Nobody fails or leaves."""
        settings = Settings(overlay, peers, self.lookups, self.seed, latency=self.latency, start="converged")
        return Job(settings, details=True)

    def failed(self, overlay: str, share: float) -> Job:
        """A share of the peers fails at once."""
        settings = Settings(
            overlay, self.peers, self.lookups, self.seed, fail=share, latency=self.latency, start="converged"
        )
        return Job(settings)

    def churned(self, overlay: str, session_s: float, pace: float) -> Job:
        """Peers come and go, and upkeep is done at this pace."""
        settings = Settings(
            overlay,
            self.peers_in_churn,
            self.lookups,
            self.seed,
            median_session_s=session_s,
            minutes=self.minutes,
            latency=self.latency,
            start="converged",
            pace=pace,
        )
        return Job(settings)

    def jobs(self) -> list[Job]:
        """All runs."""
        return [job for overlay in self.overlays for job in self._of(overlay)]

    def _of(self, overlay: str) -> Iterator[Job]:
        yield from (self.standing(overlay, peers) for peers in self.sizes)
        yield from (self.failed(overlay, share) for share in self.failed_shares)
        yield from (self.churned(overlay, session_s, pace) for session_s in self.sessions_s for pace in self.paces)

    @property
    def command(self) -> str:
        """What repeats it, without where to."""
        words = [f"horoi lab compare --peers {self.peers} --lookups {self.lookups} --seed {self.seed}"]
        if tuple(self.overlays) != tuple(OVERLAYS):
            words.append(f"--overlays {','.join(self.overlays)}")
        if self.latency != "regions":
            words.append(f"--latency {self.latency}")
        if self.churn_peers is not None:
            words.append(f"--churn-peers {self.churn_peers}")
        if self.minutes != CHURN_MINUTES:
            words.append(f"--minutes {self.minutes:g}")
        return " ".join(words)
