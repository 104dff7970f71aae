"""What Prometheus scrapes. Values are read from the node when asked; nothing is counted twice or kept here."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from horoi.web.access import NodeAccess
from horoi.web.stream import Hub

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class NodeCollector(Collector):
    """Reads a node."""

    def __init__(self, access: NodeAccess, hub: Hub) -> None:
        self.access = access
        self.hub = hub
        self.blocks_connected = 0
        self.blocks_disconnected = 0
        self.reorganisations = 0

    def collect(self) -> Iterator[Metric]:
        yield from self._chain()
        yield from self._traffic()

    def _chain(self) -> Iterator[Metric]:
        node = self.access.node
        pool, miner, sync = node.mempool, node.miner, node.sync
        yield _gauge("height", "Blocks connected after the genesis.", node.chain.tip.height)
        yield _gauge("headers_height", "Height of the heaviest chain of headers.", node.chain.tree.best.height)
        yield _gauge("tip_time_seconds", "Time of the tip's header.", node.chain.tip.header.time_ms / 1000)
        yield _gauge("outputs", "Outputs ever made.", node.chain.ledger.bits.count)
        yield _gauge("mempool_transactions", "Transactions that wait.", len(pool))
        yield _gauge("mempool_bytes", "Encoded size of what waits.", pool.size_bytes)
        yield _gauge("offers", "Offers known here, open or ended of late.", len(node.offers.book))
        yield _gauge("offers_bytes", "Encoded size of these.", node.offers.book.size_bytes)
        yield _gauge("blocks_verifying", "Blocks whose signatures are being verified.", len(sync.verifying))
        yield _gauge("blocks_in_flight", "Blocks that were asked of peers.", len(sync.fetching.in_flight))
        yield _gauge("submissions_queued", "Submitted transactions not begun.", len(node.relay.submissions))
        yield _gauge("event_streams", "Open event streams of the API.", len(self.hub.subscribers))
        yield _counter("event_streams_dropped", "Event streams that fell behind.", self.hub.dropped)
        yield _counter("blocks_connected", "Blocks that joined the chain.", self.blocks_connected)
        yield _counter("blocks_disconnected", "Blocks that a reorganisation took back.", self.blocks_disconnected)
        yield _counter("reorganisations", "Times that the chain stepped back.", self.reorganisations)
        yield _counter("invalid_blocks", "Blocks refused.", sync.invalid_blocks)
        yield _gauge("mining_hash_rate", "Cap of the own miner, per second.", miner.hash_rate)
        yield _counter("mining_attempts", "Hashes tried by the own miner.", miner.attempts)
        yield _counter("blocks_found", "Blocks found by the own miner.", miner.blocks_found)

    def _traffic(self) -> Iterator[Metric]:
        host = self.access.host
        peers = GaugeMetricFamily("horoi_peers", "Peers past the handshake.", labels=["direction"])
        ready = [peer for peer in self.access.node.peers.peers() if peer.ready]
        outbound = sum(peer.outbound for peer in ready)
        peers.add_metric(["outbound"], outbound)
        peers.add_metric(["inbound"], len(ready) - outbound)
        yield peers
        links = host.peers()
        moved = CounterMetricFamily("horoi_bytes", "Bytes inside TLS, all links.", labels=["direction"])
        moved.add_metric(["in"], host.ended_bytes_in + sum(link.bytes_in for link in links))
        moved.add_metric(["out"], host.ended_bytes_out + sum(link.bytes_out for link in links))
        yield moved
        yield _gauge("send_queue_bytes", "Waiting to be sent to peers.", sum(link.queue_bytes for link in links))
        messages = CounterMetricFamily("horoi_messages", "Messages by type.", labels=["direction", "type"])
        for direction, counts in (("in", host.received), ("out", host.sent)):
            for kind, count in counts.items():
                messages.add_metric([direction, kind.__name__], count)
        yield messages
        drops = CounterMetricFamily("horoi_drops", "Links ended, by reason.", labels=["reason"])
        errors = CounterMetricFamily("horoi_errors", "Faults of this program, by kind.", labels=["kind"])
        for (what, which), count in host.counters.items():
            if what == "drop":
                drops.add_metric([which], count)
            elif what == "error":
                errors.add_metric([which], count)
        yield drops
        yield errors


def make_registry(collector: NodeCollector) -> CollectorRegistry:
    """A registry of its own, with this process's memory, processor time and open files beside the node."""
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    return registry


def exposition(registry: CollectorRegistry) -> bytes:
    """The text that Prometheus reads."""
    return generate_latest(registry)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"horoi_{name}", help_text, value=value)


def _counter(name: str, help_text: str, value: float) -> Metric:
    return CounterMetricFamily(f"horoi_{name}", help_text, value=value)
