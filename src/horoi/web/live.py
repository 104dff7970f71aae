"""What lives as long as the app: the hub of the event streams, and the counters that nobody else keeps."""

from __future__ import annotations

from horoi.node.events import TipChanged
from horoi.web.access import NodeAccess
from horoi.web.guard import ApiLimits
from horoi.web.metrics import NodeCollector, make_registry
from horoi.web.observed import Observed
from horoi.web.stream import Hub


class Live:
    """Listens to the node from the making of the app until ``close``."""

    def __init__(self, access: NodeAccess, limits: ApiLimits) -> None:
        self.hub = Hub(access, limits)
        self.observed = Observed(access)
        self.collector = NodeCollector(access, self.hub)
        self.registry = make_registry(self.collector)
        self._leave = access.host.on_notice(self._count, TipChanged)

    def _count(self, change: TipChanged) -> None:
        self.collector.blocks_connected += len(change.connected)
        self.collector.blocks_disconnected += len(change.disconnected)
        self.collector.reorganisations += bool(change.disconnected)

    def close(self) -> None:
        """Stop listening, and end the streams."""
        self._leave()
        self.observed.close()
        self.hub.close()
