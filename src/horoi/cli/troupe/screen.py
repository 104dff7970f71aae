"""What a person sees while the companies work: height and tip per node, what each owns and holds, the board."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from horoi.base.errors import HoroiError
from horoi.cli.troupe.processes import NodeProcess, Troupe
from horoi.web.model.node import StatusView

POSTS_SHOWN = 8


class Screen:
    """Asks the nodes and draws. ``note`` is the line at the bottom."""

    def __init__(self, troupe: Troupe) -> None:
        self.troupe = troupe
        self.note = "starting"

    def draw(self) -> RenderableType:
        """One picture of now."""
        statuses = [(node, _status(node)) for node in self.troupe.nodes]
        return Group(
            Panel(self._nodes(statuses), title=f"[bold]{self.troupe.story.title}[/]: one book, many keepers"),
            Panel(self._holdings(), title="who owns, and who holds"),
            Panel(self._board(), title="the board"),
            Text(f" {self.note}", style="bold"),
        )

    def _nodes(self, statuses: list[tuple[NodeProcess, StatusView | None]]) -> Table:
        table = Table(expand=True, box=None)
        for name in ("company", "height", "tip", "state", "peers", "waiting", "mined", "API"):
            table.add_column(name, no_wrap=True)
        for node, status in statuses:
            if status is None:
                table.add_row(node.title, "[red]does not answer[/]")
                continue
            table.add_row(
                node.title,
                str(status.height),
                status.tip[:12],
                status.state_digest[:8],
                str(status.peers),
                str(status.mempool.count),
                str(status.mining.blocks_found),
                node.api,
            )
        return table

    def _holdings(self) -> Table:
        table = Table(expand=True, box=None)
        for name in ("company", "asset"):
            table.add_column(name, no_wrap=True)
        for name in ("owns", "holds"):
            table.add_column(name, justify="right")
        for node in self.troupe.nodes:
            try:
                sums = node.client.holdings(key=node.key.public.hex(), limit=10_000).sums
            except HoroiError:
                continue
            title = node.title
            for row in sums:
                unit = row.owned.unit or ""
                name = row.owned.name or "coin"
                owned = row.owned.amount or str(row.owned.quantity)
                held = row.held.amount or str(row.held.quantity)
                table.add_row(title, name, f"{owned} {unit}", f"{held} {unit}" if row.owned.name else "")
                title = ""
        return table

    def _board(self) -> Table:
        table = Table(expand=True, box=None, show_header=False)
        table.add_column("height", justify="right", no_wrap=True)
        table.add_column("text")
        try:
            posts = self.troupe.nodes[0].client.posts(limit=POSTS_SHOWN).posts
        except (HoroiError, IndexError):
            return table
        for entry in posts[::-1]:
            table.add_row(str(entry.height), Text(entry.post.text))
        return table


def _status(node: NodeProcess) -> StatusView | None:
    try:
        return node.client.status()
    except HoroiError:
        return None
