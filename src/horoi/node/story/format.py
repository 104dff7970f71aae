"""What a story file says. TOML, for people to write.

    title = "..."                      a name for the network
    [network]                          block interval and the rest of the genesis, all optional
    [[companies]]                      id, name: each runs a node
    [[assets]]                         id, name, unit, decimals, issuer, limit, custody, recipes
    [[steps]]                          by, post, about, document, and ``do``: the movements of one transaction

Every step is one transaction: its movements happen together or not at all, with the post and the document's hash. The
kinds of movement are the ledger's verbs; ``from`` and ``to`` are companies, quantities are decimal texts in the asset's unit.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from horoi.base.errors import UsageError

MAX_COMPANIES = 16  # each is a process on this machine
MAX_STEPS = 1_000
MAX_FILE_SIZE_BYTES = 1_000_000

Id: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
DecimalText: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]{1,20}(\.[0-9]{1,18})?$")]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the parts of a story."""


class Network(Part, frozen=True):
    """The genesis of the story's network. Times in ms."""

    interval_ms: Annotated[int, Meta(ge=200, le=600_000)] = 2_000
    half_life_ms: Annotated[int, Meta(ge=1_000)] = 60_000
    future_limit: int = 30
    maturity: int = 20
    reward: int = 50
    halving_blocks: int = 0
    fee_floor: int = 0
    hash_rate: Annotated[int, Meta(ge=10, le=1_000_000)] = 1_000
    """Hashes per second of each company's miner."""


class Company(Part, frozen=True):
    """A company, which runs a node."""

    id: Id
    name: Annotated[str, Meta(min_length=1, max_length=40)]


class RecipeText(Part, frozen=True, rename={"source": "from"}):
    """``consumed`` of asset ``source`` (in the file: ``from``) give ``produced`` of this one, in the refinery ``by``."""

    source: Id
    consumed: DecimalText
    produced: DecimalText
    by: Id


class AssetText(Part, frozen=True):
    """An asset and who may make it."""

    id: Id
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    unit: Annotated[str, Meta(max_length=16)]
    issuer: Id
    limit: DecimalText
    decimals: Annotated[int, Meta(ge=0, le=18)] = 0
    custody: bool = True
    recipes: list[RecipeText] = []


class IssueMove(Part, frozen=True, tag="issue", tag_field="verb"):
    """The issuer makes a quantity, which it owns and holds."""

    asset: Id
    quantity: DecimalText


class HandOverMove(Part, frozen=True, tag="hand-over", tag_field="verb"):
    """``owner``'s goods go from custodian ``giver`` (default: the owner) to custodian ``taker``.

    ``reclaim_after_hours``: from then on the owner may take them back alone.
    """

    asset: Id
    quantity: DecimalText
    owner: Id
    taker: Id
    giver: Id | None = None
    reclaim_after_hours: float | None = None


class TransferMove(Part, frozen=True, tag="transfer", tag_field="verb"):
    """``seller``'s goods become ``buyer``'s. ``held_by``: who has them (default: the seller).

    ``delivered``: the buyer takes them too.
    """

    asset: Id
    quantity: DecimalText
    seller: Id
    buyer: Id
    held_by: Id | None = None
    delivered: bool = False


class Product(Part, frozen=True):
    """What comes out of a transformation."""

    asset: Id
    quantity: DecimalText


class TransformMove(Part, frozen=True, tag="transform", tag_field="verb"):
    """``by`` uses up a quantity of ``asset`` for products; what their recipes do not account for is a loss with a reason."""

    asset: Id
    quantity: DecimalText
    by: Id
    products: Annotated[list[Product], Meta(min_length=1, max_length=8)]
    loss_reason: str = "loss"


class RetireMove(Part, frozen=True, tag="retire", tag_field="verb"):
    """A quantity of ``owner``'s leaves the books."""

    asset: Id
    quantity: DecimalText
    owner: Id
    reason: Annotated[str, Meta(min_length=1, max_length=64)]


Move: TypeAlias = IssueMove | HandOverMove | TransferMove | TransformMove | RetireMove


class Step(Part, frozen=True):
    """One transaction: ``by`` posts it, everybody whom it moves signs it."""

    by: Id
    post: Annotated[str, Meta(min_length=1, max_length=2_000)]
    about: Id | None = None
    document: Annotated[str, Meta(max_length=100_000)] | None = None
    """The text of a document; the ledger keeps its SHA-256."""
    do: Annotated[list[Move], Meta(max_length=20)] = []


class Story(Part, frozen=True):
    """The whole file."""

    title: Annotated[str, Meta(min_length=1, max_length=64)]
    companies: Annotated[list[Company], Meta(min_length=1, max_length=MAX_COMPANIES)]
    assets: Annotated[list[AssetText], Meta(max_length=100)]
    steps: Annotated[list[Step], Meta(max_length=MAX_STEPS)]
    network: Network = Network()

    def company(self, name: str) -> Company:
        """The company of this id."""
        return next(company for company in self.companies if company.id == name)

    def asset(self, name: str) -> AssetText:
        """The asset of this id."""
        return next(asset for asset in self.assets if asset.id == name)


def shipped_stories() -> list[str]:
    """Names of the stories that ship with Horoi."""
    files = resources.files("horoi.node.story").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def load_story(name_or_path: str) -> Story:
    """A shipped story by name, or a file. Raises UsageError with the place that is wrong."""
    if name_or_path in shipped_stories():
        return read_story((resources.files("horoi.node.story") / f"{name_or_path}.toml").read_bytes(), name_or_path)
    path = Path(name_or_path)
    try:
        if path.stat().st_size > MAX_FILE_SIZE_BYTES:
            raise UsageError(f"story {path}: over {MAX_FILE_SIZE_BYTES} bytes")
        return read_story(path.read_bytes(), str(path))
    except OSError as error:
        known = ", ".join(shipped_stories())
        raise UsageError(f"story {name_or_path}: {error.strerror}; give a file, or one of: {known}") from None


def read_story(data: bytes, name: str) -> Story:
    """Parse and check a story. Raises UsageError with the place that is wrong."""
    try:
        story = msgspec.convert(tomllib.loads(data.decode()), Story)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"story {name}: {error}") from None
    _check_names(story, name)
    return story


def _check_names(story: Story, name: str) -> None:
    """Every company and asset that is named exists, once."""
    companies = [company.id for company in story.companies]
    assets = [asset.id for asset in story.assets]
    for kind, ids in (("company", companies), ("asset", assets)):
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise UsageError(f"story {name}: {kind} {twice[0]!r} is there twice")
    for where, wanted, known in _names_used(story):
        if wanted not in (companies if known == "company" else assets):
            raise UsageError(f"story {name}: {where}: no {known} {wanted!r} in this story")


def _names_used(story: Story) -> list[tuple[str, str, str]]:
    used = []
    for asset in story.assets:
        where = f"asset {asset.id!r}"
        used.append((where, asset.issuer, "company"))
        for recipe in asset.recipes:
            used += [(where, recipe.source, "asset"), (where, recipe.by, "company")]
    for number, step in enumerate(story.steps, 1):
        where = f"step {number}"
        used.append((where, step.by, "company"))
        if step.about is not None:
            used.append((where, step.about, "asset"))
        for move in step.do:
            plain: dict[str, Any] = msgspec.structs.asdict(move)
            used.append((where, plain["asset"], "asset"))
            roles = ("owner", "giver", "taker", "seller", "buyer", "held_by", "by")
            used += [(where, plain[role], "company") for role in roles if plain.get(role) is not None]
            used += [(where, product.asset, "asset") for product in plain.get("products", [])]
    return used
