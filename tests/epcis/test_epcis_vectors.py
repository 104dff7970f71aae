"""GS1's examples are valid, whatever GS1's schema refuses is refused here, and the reference hashes are the ones made here."""

from __future__ import annotations

import copy
import json
from functools import cache
from hashlib import sha256
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.base.vectors import vectors

from horoi.epcis.check import report_on, report_on_value
from horoi.epcis.query import parse_query
from horoi.epcis.vocabulary import PREFIXES

ODD_VALUES = [None, True, "", "x", "urn:x:y", "shipping", 0, -1, 1.5, [], {}, [1], {"a": 1}, "2020-01-01", "OBSERVE"]


def stems(folder: str, ending: str) -> list[str]:
    """Names of the vectors, without skipping while tests are collected."""
    from tests.base.vectors import VECTORS

    return sorted(path.name.removesuffix(ending) for path in (VECTORS / folder).glob(f"*{ending}")) or ["absent"]


@pytest.mark.parametrize("stem", stems("epcis-hash", ".jsonld"))
def test_reference_hashes(stem: str) -> None:
    folder = vectors("epcis-hash")
    report = report_on((folder / f"{stem}.jsonld").read_bytes())
    assert report.errors == []
    hashes = (folder / f"{stem}.hashes").read_text().split()
    assert [event.hash_id for event in report.events] == hashes
    texts = (folder / f"{stem}.prehashes").read_text().split("\n")
    for event, text, name in zip(report.events, texts, hashes, strict=False):
        if sha256(text.encode()).hexdigest() in name:  # one file of the reference is garbled: it has not its own hash
            assert event.prehash == text


@pytest.mark.parametrize("stem", stems("epcis/examples", ".jsonld"))
def test_examples_of_the_standard_are_valid(stem: str) -> None:
    report = report_on((vectors("epcis/examples") / f"{stem}.jsonld").read_bytes())
    assert report.errors == []
    assert report.events


def test_the_prefixes_are_those_of_the_standard_context() -> None:
    context = json.loads((vectors("epcis") / "epcis-context.jsonld").read_bytes())["@context"]
    assert {name: context[name] for name in PREFIXES} == PREFIXES


def test_the_vocabularies_are_those_of_the_schema() -> None:
    from horoi.epcis import vocabulary as words

    definitions = json.loads((vectors("epcis") / "EPCIS-JSON-Schema.json").read_bytes())["definitions"]
    for name, known in {
        "bizStep": words.BIZ_STEPS,
        "disposition": words.DISPOSITIONS,
        "bizTransaction-type": words.BIZ_TRANSACTION_TYPES,
        "source-dest-type": words.PARTY_TYPES,
        "error-reason": words.ERROR_REASONS,
        "component": words.COMPONENTS,
        "measurementType": words.MEASUREMENTS,
        "sensorAlertType": words.EXCEPTIONS,
    }.items():
        listed = [word for choice in definitions[name]["anyOf"] for word in choice.get("enum", [])]
        assert sorted(known.words) == sorted(listed), name


def test_every_parameter_of_the_binding_is_understood() -> None:
    described = json.loads((vectors("epcis") / "openapi.json").read_bytes())
    known = described["components"]["parameters"]
    asked = [known[each["$ref"].rpartition("/")[2]] for each in described["paths"]["/events"]["get"]["parameters"]]
    names = [each["name"] for each in asked if each["in"] == "query"]
    assert len(names) > 50
    together = {"orderDirection": {"orderBy": "eventTime"}, "eventCountLimit": {"orderBy": "recordTime"}}
    for name in names:
        of_type = {"boolean": "true", "number": "1.5", "integer": "7", "string": "x", "array": "urn:x:1|urn:x:2"}
        schema = next(each for each in asked if each["name"] == name)["schema"]
        schema = described["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
        value = schema.get("enum", [of_type[schema["type"]]])[0]
        if schema.get("format") == "date-time":
            value = "2022-12-26T14:30:00+02:00"
        value = {"EQ_action": "ADD|DELETE", "orderBy": "eventTime"}.get(name, value)
        query = parse_query({name: value, **together.get(name, {})})
        assert query != parse_query({}), f"{name}={value} asks for nothing"


@cache
def schema() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads((vectors("epcis") / "EPCIS-JSON-Schema.json").read_bytes()))


@cache
def examples() -> list[Any]:
    return [json.loads(path.read_bytes()) for path in sorted((vectors("epcis") / "examples").glob("*.jsonld"))]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside."""
    inner = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [found for key, child in inner for found in ((*path, key), *places(child, (*path, key)))]


def holder_of(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        value = value[key]
    return value


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_what_the_schema_refuses_is_refused_here(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(examples())))
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(places(document)))
        if data.draw(st.booleans()):
            del holder_of(document, path)[path[-1]]
        else:
            holder_of(document, path)[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(ODD_VALUES)))
    refused = next(schema().iter_errors(document), None)
    errors = report_on_value(document).errors
    if refused is not None:
        assert errors, f"the schema says: {refused.message} at {list(refused.absolute_path)}"
    assert all(error.pointer == "" or error.pointer.startswith("/") for error in errors)
