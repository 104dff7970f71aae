"""The flow graph of a run of transactions: computed from their bodies alone.

Within a transaction holdings are pools: what went where is not written. It is drawn the way people read it: what the same
owner and custodian had before and after stayed with them; then what stayed with its owner; then what a maker made for itself;
the rest in order. Every node is made before those that it flows into, so there are no cycles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from horoi.ledger.conditions import Condition
from horoi.ledger.transaction import NATIVE, Body, Holding
from horoi.web.model.provenance import NodeKind

MAX_GROUPS = 8  # holdings of one asset that a transaction leaves, drawn apart; the smaller ones are summed

Point = tuple[bytes, int]
Pair = tuple[Condition, Condition | None]


class Step(NamedTuple):
    """A transaction of the run."""

    id: bytes
    body: Body
    height: int
    time_ms: int
    place: tuple[int, int]
    """Height and position: the ledger's order."""


@dataclass
class Node:
    """A node of the graph. ``outputs``: unspent within the run, with their quantities."""

    kind: NodeKind
    asset: bytes | None
    owner: Condition | None = None
    custodian: Condition | None = None
    step: Step | None = None
    reason: str | None = None
    quantity: int = 0
    remains: int = 0
    layer: int = 0
    outputs: dict[Point, int] = field(default_factory=dict)


@dataclass
class Link:
    """A flow between two nodes, by their numbers."""

    source: int
    target: int
    asset: bytes
    quantity: int
    step: Step


@dataclass
class _End:
    """One end of what flows in a transaction: so much from, or to, a node."""

    node: int
    quantity: int
    owner: Condition | None
    custodian: Condition | None


class Flow:
    """The graph, grown step by step."""

    def __init__(self, assets: Iterable[bytes]) -> None:
        self.assets = dict.fromkeys(assets)
        self.nodes: list[Node] = []
        self.links: list[Link] = []
        self._of_output: dict[Point, int] = {}
        self._earlier: dict[tuple[bytes, Pair], int] = {}

    def add(self, step: Step) -> None:
        """Draw a transaction; earlier ones come first."""
        made_of = self._transform_node(step)
        for asset in self._touched(step.body):
            sources = [*self._inputs(step, asset), *self._makings(step, asset, made_of)]
            targets = [*self._outputs(step, asset), *self._ends(step, asset, made_of)]
            for source, target, quantity in _poured(sources, targets):
                self._link(source, target, asset, quantity, step)

    def _touched(self, body: Body) -> list[bytes]:
        contents = [*(spent.content for spent in body.inputs), *body.outputs]
        found = dict.fromkeys(content.asset for content in contents if isinstance(content, Holding))
        return [asset for asset in found if asset in self.assets and asset != NATIVE]

    # ---- ends -------------------------------------------------------------------------------------------------

    def _inputs(self, step: Step, asset: bytes) -> list[_End]:
        ends: dict[int, _End] = {}
        for spent in step.body.inputs:
            content = spent.content
            if not isinstance(content, Holding) or content.asset != asset:
                continue
            number = self._of_output.pop((spent.source, spent.index), None)
            if number is None:
                number = self._before(asset, (content.owner, content.custodian))
                self.nodes[number].quantity += content.quantity
            else:
                del self.nodes[number].outputs[spent.source, spent.index]
            end = ends.setdefault(number, _End(number, 0, content.owner, content.custodian))
            end.quantity += content.quantity
        return list(ends.values())

    def _before(self, asset: bytes, pair: Pair) -> int:
        """The node of what came from before the run."""
        number = self._earlier.get((asset, pair))
        if number is None:
            number = self._earlier[asset, pair] = self._node(Node("earlier", asset, pair[0], pair[1]))
        return number

    def _makings(self, step: Step, asset: bytes, made_of: int | None) -> list[_End]:
        inputs, ends = step.body.inputs, []
        for issue in step.body.issues:
            right = inputs[issue.right].content
            if right.asset == asset:
                node = self._node(Node("issued", asset, right.owner, step=step, quantity=issue.quantity))
                ends.append(_End(node, issue.quantity, right.owner, right.owner))
        for transform in step.body.transforms:
            right = inputs[transform.right].content
            if right.asset == asset:
                assert made_of is not None
                ends.append(_End(made_of, transform.produced, right.owner, right.owner))
        return ends

    def _outputs(self, step: Step, asset: bytes) -> list[_End]:
        groups: dict[Pair, list[tuple[int, int]]] = {}
        for index, made in enumerate(step.body.outputs):
            if isinstance(made, Holding) and made.asset == asset:
                groups.setdefault((made.owner, made.custodian), []).append((index, made.quantity))
        rows = sorted(groups.items(), key=lambda row: -sum(quantity for _, quantity in row[1]))
        apart = rows if len(rows) <= MAX_GROUPS else rows[: MAX_GROUPS - 1]
        ends = [self._holding(step, Node("holding", asset, pair[0], pair[1], step), points) for pair, points in apart]
        if len(apart) < len(rows):
            rest = [point for _, points in rows[len(apart) :] for point in points]
            ends.append(self._holding(step, Node("other", asset, step=step), rest))
        return ends

    def _holding(self, step: Step, node: Node, points: list[tuple[int, int]]) -> _End:
        number = self._node(node)
        for index, quantity in points:
            node.quantity += quantity
            node.outputs[step.id, index] = quantity
            self._of_output[step.id, index] = number
        return _End(number, node.quantity, node.owner, node.custodian)

    def _ends(self, step: Step, asset: bytes, made_of: int | None) -> list[_End]:
        ends = []
        for retired in step.body.retires:
            if retired.asset == asset:
                node = Node("retired", asset, step=step, reason=retired.reason, quantity=retired.quantity)
                ends.append(_End(self._node(node), retired.quantity, None, None))
        consumed = [a for transform in step.body.transforms for a in transform.consumed if a.asset == asset]
        for amount in consumed:
            assert made_of is not None
            ends.append(_End(made_of, amount.quantity, None, None))
            self.nodes[made_of].quantity += amount.quantity
        return ends

    def _transform_node(self, step: Step) -> int | None:
        """One node for all transformations of a transaction that touch the run's assets."""
        body = step.body
        for transform in body.transforms:
            right = body.inputs[transform.right].content
            if right.asset in self.assets or any(amount.asset in self.assets for amount in transform.consumed):
                return self._node(Node("transform", None, right.owner, step=step))
        return None

    # ---- the graph --------------------------------------------------------------------------------------------

    def _node(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _link(self, source: int, target: int, asset: bytes, quantity: int, step: Step) -> None:
        self.links.append(Link(source, target, asset, quantity, step))

    def finish(self, is_unspent: dict[Point, bool]) -> None:
        """Note what remains; what was spent after the run flows into a node of its own. Then put nodes into layers."""
        later: dict[bytes, int] = {}
        for number, node in enumerate(list(self.nodes)):
            gone = 0
            for point, quantity in node.outputs.items():
                if is_unspent.get(point, False):
                    node.remains += quantity
                else:
                    gone += quantity
            if gone and node.asset is not None and node.step is not None:
                if node.asset not in later:
                    later[node.asset] = self._node(Node("later", node.asset))
                self.nodes[later[node.asset]].quantity += gone
                self._link(number, later[node.asset], node.asset, gone, node.step)
        self._layer()

    def _layer(self) -> None:
        """The longest way from a beginning. Links stand in the order of the run, so one pass may not see a way whole."""
        incoming: dict[int, list[int]] = {}
        outgoing: dict[int, list[int]] = {}
        for link in self.links:
            incoming.setdefault(link.target, []).append(link.source)
            outgoing.setdefault(link.source, []).append(link.target)
        waiting = {number: len(incoming.get(number, ())) for number in range(len(self.nodes))}
        ready = [number for number, count in waiting.items() if count == 0]
        for number in ready:  # grows: Kahn's order (1962)
            for target in outgoing.get(number, ()):
                self.nodes[target].layer = max(self.nodes[target].layer, self.nodes[number].layer + 1)
                waiting[target] -= 1
                if waiting[target] == 0:
                    ready.append(target)

    def around(self, asset: bytes) -> list[int]:
        """Nodes of the asset, all that flowed into them and out of them, and what else their transformations gave."""
        into: dict[int, list[int]] = {}
        out: dict[int, list[int]] = {}
        for link in self.links:
            into.setdefault(link.target, []).append(link.source)
            out.setdefault(link.source, []).append(link.target)
        own = [number for number, node in enumerate(self.nodes) if node.asset == asset]
        found = {**_reached(own, into), **_reached(own, out)}
        for number in list(found):
            if self.nodes[number].kind == "transform":
                found.update(dict.fromkeys((*into.get(number, ()), *out.get(number, ()))))
        return sorted(found)


def _reached(start: list[int], ways: dict[int, list[int]]) -> dict[int, None]:
    found = dict.fromkeys(start)
    queue = list(start)
    while queue:
        for number in ways.get(queue.pop(), ()):
            if number not in found:
                found[number] = None
                queue.append(number)
    return found


def _poured(sources: list[_End], targets: list[_End]) -> Iterable[tuple[int, int, int]]:
    """(from, to, how much), as people read a pool: see above."""
    sums: dict[tuple[int, int], int] = {}
    by_pair = _keyed(targets, lambda end: (end.owner, end.custodian))
    by_owner = _keyed(targets, lambda end: end.owner)
    for source in sources:
        _pour(source, by_pair.get((source.owner, source.custodian), []), sums)
    for source in sources:
        _pour(source, by_owner.get(source.owner, []), sums)
    at = 0
    for source in sources:
        while source.quantity and at < len(targets):
            _pour(source, targets[at : at + 1], sums)
            at += targets[at].quantity == 0
    return [(source, target, quantity) for (source, target), quantity in sums.items()]


def _keyed(ends: list[_End], key: Callable[[_End], object]) -> dict[object, list[_End]]:
    found: dict[object, list[_End]] = {}
    for end in ends:
        if end.owner is not None:
            found.setdefault(key(end), []).append(end)
    return found


def _pour(source: _End, targets: list[_End], sums: dict[tuple[int, int], int]) -> None:
    for target in targets:
        part = min(source.quantity, target.quantity)
        if part:
            source.quantity -= part
            target.quantity -= part
            sums[source.node, target.node] = sums.get((source.node, target.node), 0) + part
