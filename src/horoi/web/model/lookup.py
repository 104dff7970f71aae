"""Records of the API: who provides a document, and how the node looks things up."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from horoi.web.model.base import Answer, Asking, Hash


class ProviderView(Answer, frozen=True, kw_only=True):
    """A node that says to have it. A claim: whoever downloads checks the hash."""

    address: Annotated[str, Meta(description="host:port where the node takes links.")]
    node: Annotated[Hash | None, Meta(description="Its node id; null where the answer came from the DHT.")]
    via: Annotated[str, Meta(description="The overlay that knew it, or `dht`.")]


class ProvidersView(Answer, frozen=True, kw_only=True):
    """Who says to have the document of this hash, and whether this node does."""

    hash: Hash
    providing: bool
    providers: list[ProviderView]


class ProvidingView(Answer, frozen=True, kw_only=True):
    """Whether this node says to have it, and how many peers keep its word (0: none yet; it is said again by itself)."""

    hash: Hash
    providing: bool
    copies: int


class DhtView(Answer, frozen=True, kw_only=True):
    """This node in the Mainline DHT. ``found``: addresses of nodes that came from there since it started."""

    listen: str | None
    joined: bool
    found: int


class LookupView(Answer, frozen=True, kw_only=True):
    """This node in the overlay of its network. ``bootstraps``: linked nodes that are in the same overlay."""

    overlay: str | None
    listen: str | None
    address: Annotated[str | None, Meta(description="The node's UDP address in the overlay; null until it has joined.")]
    joined: bool
    bootstraps: int
    providing: int
    dht: DhtView | None


class ProvidersPath(Asking, frozen=True, kw_only=True):
    hash: Hash
