"""The part of the Python client that reads what the explorer's pages show."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from horoi.web.model.board import MAX_BOARD_LINES, Board, BoardLine
from horoi.web.model.network import Charts, Diagnostics, Overlay
from horoi.web.model.pages import ContentTree, KeyPage
from horoi.web.model.people import NameForm, NameList
from horoi.web.model.provenance import Provenance
from horoi.web.model.search import SearchView

T = TypeVar("T")


class Pages(ABC):
    """Questions that a page asks. ``Client`` puts them to a node."""

    @abstractmethod
    def _get(self, path: str, kind: type[T], **query: Any) -> T: ...

    @abstractmethod
    def _post(self, path: str, form: msgspec.Struct, kind: type[T], **query: Any) -> T: ...

    def board(self, *, before: str | None = None, limit: int = 50, waiting: bool = True) -> Board:
        """Posts and movements as lines, the newest transaction first, and what waits."""
        flag = None if waiting else "false"
        return self._get("/v1/board", Board, before=before, limit=limit, waiting=flag)

    def all_lines(self) -> Iterator[BoardLine]:
        """Every line of the board, the newest transaction first, page by page."""
        page = self.board(limit=MAX_BOARD_LINES, waiting=False)
        yield from page.lines
        while page.next is not None:
            page = self.board(before=page.next, limit=MAX_BOARD_LINES, waiting=False)
            yield from page.lines

    def provenance(
        self,
        asset_id: str,
        *,
        offset: int | None = None,
        limit: int = 40,
        related: bool = True,
        overdue_hours: float | None = None,
    ) -> Provenance:
        """An asset's flow as a graph, and its reconciliation."""
        return self._get(
            f"/v1/assets/{segment(asset_id)}/provenance",
            Provenance,
            offset=offset,
            limit=limit,
            related=None if related else "false",
            overdue_hours=overdue_hours,
        )

    def key(self, who: str, *, before: str | None = None, limit: int = 20) -> KeyPage:
        """A key by address, in hexadecimal, or by a name that the node knows: its books, its history, its posts."""
        return self._get(f"/v1/keys/{segment(who)}", KeyPage, before=before, limit=limit)

    def names(self) -> NameList:
        """The names that the node trusts."""
        return self._get("/v1/names", NameList)

    def set_name(self, address: str, name: str) -> NameList:
        """Call an address so on that node from now on; an empty name forgets it. Needs the token."""
        return self._post("/v1/names", NameForm(address=address, name=name), NameList)

    def tree(self, block: int | str = "tip", *, leaf: int | None = None) -> ContentTree:
        """The Merkle tree over a block's content, and the path of a leaf."""
        return self._get(f"/v1/blocks/{segment(str(block))}/tree", ContentTree, leaf=leaf)

    def network(self) -> Overlay:
        """The overlay as a graph, and whether the peers agree."""
        return self._get("/v1/network", Overlay)

    def diagnostics(self) -> Diagnostics:
        """What the node finds when it looks at itself."""
        return self._get("/v1/diagnostics", Diagnostics)

    def charts(self, *, start: int = 0, to: int | None = None, points: int = 200) -> Charts:
        """The chain over time."""
        return self._get("/v1/charts", Charts, **{"from": start}, to=to, points=points)

    def search(self, text: str, *, before: str | None = None, limit: int = 20) -> SearchView:
        """Find anything: a height, a hash, an address, a name, a date, words of a post."""
        return self._get("/v1/search", SearchView, q=text, before=before, limit=limit)


def segment(text: str) -> str:
    """One segment of a path: what is not a letter or digit is escaped."""
    from urllib.parse import quote

    return quote(text, safe="") or "-"
