"""The reference pages say what the code does: the wire, the story format, exit codes, metrics."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from tests.docs.docs_pages import PROJECT, blocks, read

from horoi.base import errors, sources
from horoi.cli import exits
from horoi.ledger.genesis import MAX_BLOCK_SIZE_BYTES
from horoi.node.documents.messages import DOCUMENTS_WIRE
from horoi.node.lookup import messages as lookup_messages
from horoi.node.offers import messages as offers_messages
from horoi.node.peers import addresses, machine
from horoi.node.peers import messages as peers_messages
from horoi.node.relay import messages as relay_messages
from horoi.node.story import format as story_format
from horoi.node.story.format import read_story
from horoi.node.sync import messages as sync_messages
from horoi.node.witness.messages import WITNESS_WIRE
from horoi.world.live import channel, frames, secure_handshake, secure_session, secure_sessions
from horoi.world.live.limits import Limits

DOCS = PROJECT / "docs"
WIRE = read(DOCS / "wire.md")
STORIES = read(DOCS / "stories.md")
OPERATING = read(DOCS / "operating.md")

NODE_WIRE = (
    sync_messages.sync_wire(MAX_BLOCK_SIZE_BYTES)
    + relay_messages.relay_wire()
    + peers_messages.WIRE
    + offers_messages.WIRE
    + lookup_messages.LINK_WIRE
    + WITNESS_WIRE
    + DOCUMENTS_WIRE
)


def section(text: str, heading: str) -> str:
    """From a heading to the next of the same depth or above."""
    depth = len(heading) - len(heading.lstrip("#"))
    start = re.search(rf"^{re.escape(heading)}$", text, re.MULTILINE)
    assert start, f"no heading {heading!r}"
    rest = text[start.end() :]
    end = re.search(rf"^#{{1,{depth}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def first_column(text: str) -> list[str]:
    """Of the rows of the tables in it, without the heads."""
    rows = re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)
    return [row.strip("`") for row in rows if row not in ("Field", "`verb`", "Code", "Control", "Refusal", "Metric")]


def test_every_message_is_documented_with_its_fields_in_order() -> None:
    documented = re.findall(r"^#### `([\w-]+)`$", WIRE, re.MULTILINE)
    assert sorted(documented) == sorted(str(kind.__struct_config__.tag) for kind in NODE_WIRE.types)
    for kind in NODE_WIRE.types:
        told = first_column(section(WIRE, f"#### `{kind.__struct_config__.tag}`"))
        assert told == list(kind.__struct_fields__), kind.__name__


def test_control_frames_and_refusals_are_documented() -> None:
    numbers = dict(re.findall(r"^\| ([A-Z_]+) \| (\d+) \|", WIRE, re.MULTILINE))
    told = {kind: int(number) for kind, number in numbers.items()}
    assert told == {kind.name: kind.value for kind in (*frames.ControlKind, *channel.Refusal)}


def test_the_limits_of_the_wire_are_those_of_the_code() -> None:
    limits = Limits()
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \|$", section(WIRE, "## Limits"), re.MULTILINE)
    assert {what: int(value) for what, value in rows} == {
        "challenge, bytes": channel.CHALLENGE_SIZE_BYTES,
        "answer, bytes": channel.ANSWER_SIZE_BYTES,
        "control frame, bytes": frames.CONTROL_MAX_SIZE_BYTES,
        "reason of a goodbye, bytes": frames.REASON_MAX_SIZE_BYTES,
        "handshake, seconds": limits.handshake_timeout_s,
        "ping every, seconds": limits.ping_every_s,
        "silence, seconds": limits.silence_timeout_s,
        "frame, seconds": limits.frame_timeout_s,
        "waiting to be sent, bytes": limits.max_queue_bytes,
        "over that for, seconds": limits.queue_grace_s,
        "read and not handled, bytes": limits.max_backlog_bytes,
        "links dialed by others": limits.max_inbound,
        "links dialed": limits.max_outbound,
        "unproven connections": limits.max_half_open,
        "unproven connections from one address": limits.max_half_open_per_ip,
        "points that end a link": machine.DROP_AT_POINTS,
        "addresses per message": peers_messages.MAX_ADDRESSES,
        "letters of an address": addresses.MAX_ADDRESS_LENGTH,
        "headers per message": sync_messages.MAX_HEADERS,
        "names of a locator": sync_messages.MAX_LOCATOR,
        "blocks per request": sync_messages.MAX_BLOCKS_PER_REQUEST,
        "ids per message": relay_messages.MAX_IDS,
        "message of peers, bytes": peers_messages.WIRE.max_size_bytes,
        "message of transactions, bytes": relay_messages.relay_wire().max_size_bytes,
        "message of offers, bytes": offers_messages.WIRE.max_size_bytes,
    }
    assert (sync_messages.sync_wire(1000) + relay_messages.relay_wire()).max_size_bytes == 357_000
    assert (sync_messages.sync_wire(10**6) + relay_messages.relay_wire()).max_size_bytes == 10**6 + 1000


def test_sealed_datagrams_are_documented_with_their_sizes() -> None:
    rows = re.findall(r"^\| ([A-Z]+) \| (\w+) \|.*\| (\d+) \|$", section(WIRE, "## Datagrams"), re.MULTILINE)
    assert {name: (int(kind, 16), int(size)) for name, kind, size in rows} == {
        "HELLO": (secure_handshake.HELLO, secure_handshake.HELLO_BYTES),
        "COOKIE": (secure_handshake.COOKIE, secure_handshake.COOKIE_DATAGRAM_BYTES),
        "PROVE": (secure_handshake.PROVE, secure_handshake.PROVE_BYTES),
        "ACCEPT": (secure_handshake.ACCEPT, secure_handshake.ACCEPT_BYTES),
        "DATA": (secure_session.DATA, secure_session.OVERHEAD_BYTES),
        "UNKNOWN": (secure_handshake.UNKNOWN, 1 + secure_session.SESSION_ID_BYTES),
    }
    limits = re.findall(r"^\| ([^|]+) \| ([\d., ]+) \|$", section(WIRE, "### Limits of sessions"), re.MULTILINE)
    assert {what: [float(value) for value in values.split(", ")] for what, values in limits} == {
        "sessions": [secure_sessions.MAX_SESSIONS],
        "sessions with one host": [secure_sessions.MAX_SESSIONS_PER_HOST],
        "handshakes under way": [secure_sessions.MAX_HANDSHAKES],
        "datagrams that wait for one": [secure_sessions.MAX_WAITING],
        "proofs checked per second: of one host, of one network group (/16, /32 of IPv6), in all": [
            secure_sessions.PROOFS_PER_HOST_PER_S,
            secure_sessions.PROOFS_PER_GROUP_PER_S,
            secure_sessions.PROOFS_PER_S,
        ],
        "UNKNOWNs said per second: to one host, to one network group, in all": [
            secure_sessions.UNKNOWN_PER_HOST_PER_S,
            secure_sessions.UNKNOWN_PER_GROUP_PER_S,
            secure_sessions.UNKNOWN_PER_S,
        ],
        "proofs signed for one handshake": [secure_sessions.MAX_PROOFS],
        "bits of an IPv6 address that make a host": [sources.HOST_BITS],
        "silence that ends a session, seconds": [secure_sessions.IDLE_S],
        "age at which a session is replaced, seconds": [secure_sessions.REKEY_S],
        "cookies change every, seconds": [secure_sessions.EPOCH_S],
        "counters of the replay window": [secure_session.WINDOW],
    }


def fields(kind: type[msgspec.Struct]) -> list[str]:
    """Names as in the file."""
    return list(kind.__struct_encode_fields__)


def test_every_field_of_a_story_is_documented() -> None:
    parts: dict[str, Any] = {
        "### The top": story_format.Story,
        "### `[network]`": story_format.Network,
        "### `[[companies]]`": story_format.Company,
        "### `[[assets]]`": story_format.AssetText,
        "### `[[steps]]`": story_format.Step,
    }
    for heading, kind in parts.items():
        assert sorted(first_column(section(STORIES, heading))) == sorted(fields(kind)), heading
    for field in fields(story_format.RecipeText):
        assert f"{field} = " in section(STORIES, "### `[[assets]]`")


def test_defaults_of_a_network_are_documented() -> None:
    told = re.findall(r"^\| `(\w+)` \| (\d+) \|", section(STORIES, "### `[network]`"), re.MULTILINE)
    assert {field: int(value) for field, value in told} == msgspec.to_builtins(story_format.Network())


def test_every_movement_is_documented() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| ([^|]+) \|", section(STORIES, "### Movements"), re.MULTILINE)
    told = {verb: sorted(re.findall(r"`(\w+)`", names)) for verb, names in rows if verb != "verb"}
    kinds: tuple[type[msgspec.Struct], ...] = story_format.Move.__args__
    assert told == {str(kind.__struct_config__.tag): sorted(fields(kind)) for kind in kinds}


def test_the_example_is_a_story() -> None:
    examples = [block.text for block in blocks(DOCS / "stories.md") if block.language == "toml"]
    assert len(examples) == 1
    story = read_story(examples[0].encode(), "the example")
    assert [step.by for step in story.steps] == ["press", "shop"]


def test_exit_codes_are_documented() -> None:
    told = sorted(map(int, re.findall(r"^\| (\d+) \|", section(OPERATING, "## Exit codes"), re.MULTILINE)))
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.HoroiError)]
    families = {kind.exit_code for kind in (*kinds, exits.ClockError)}
    assert told == sorted({0, exits.EXIT_USAGE, exits.EXIT_FAULT, exits.EXIT_INTERRUPTED, exits.EXIT_PIPE} | families)


def test_metrics_are_documented_as_they_are_named() -> None:
    source = (PROJECT / "src" / "horoi" / "web" / "metrics.py").read_text(encoding="utf-8")
    named = re.findall(r'_(gauge|counter)\("(\w+)"', source) + re.findall(r'(Gauge|Counter)\w+\("horoi_(\w+)"', source)
    known = {f"horoi_{metric}" + ("_total" if kind.lower() == "counter" else "") for kind, metric in named}
    told = re.findall(r"`(horoi_\w+)`", OPERATING)
    assert len(told) > 7
    assert set(told) <= known
