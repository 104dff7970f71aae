"""The query language of EPCIS 2.0 (section 8.2.7.1, SimpleEventQuery, as the REST binding spells it): parameters to conditions.

``EQ_bizStep=shipping|receiving`` asks for events with a fact ``bizStep`` that is one of these; ``GE_quantity=5`` for one with a
fact ``quantity`` of at least 5. All conditions must hold, each for some fact of the event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from horoi.epcis.conditions import Condition
from horoi.epcis.context import Namespaces, spell_value
from horoi.epcis.facts import SENSOR_NUMBERS, SENSOR_WORDS, WORDS, Value, canonical_value, number_of
from horoi.epcis.patterns import START, pattern_of
from horoi.epcis.times import parse_ms
from horoi.epcis.units import converted, others
from horoi.epcis.vocabulary import (
    ACTIONS,
    BIZ_TRANSACTION_TYPES,
    DISPOSITIONS,
    ERROR_REASONS,
    PARTY_TYPES,
    Vocabulary,
)

MAX_PARAMETERS = 100  # a guess
MAX_VALUES = 1_000  # of one parameter, a guess
MAX_VALUES_IN_ALL = 5_000  # a guess; SQLite takes 32,766 values in one question
MAX_PATTERNS = 50  # in all: each is up to thirty walks along an index; a guess
DEFAULT_PER_PAGE = 30  # GS1's openapi.json, PerPage
MAX_PER_PAGE = 1_000  # a guess

COMPARISONS = ("GT", "GE", "LT", "LE")
TIME_COLUMNS = ("eventTime", "recordTime")
ANY_EPC = ("epc", "parentID", "inputEPC", "outputEPC")
ANY_CLASS = ("epcClass", "inputEPCClass", "outputEPCClass")
MATCHES = {
    "epc": ("epc",),
    "parentID": ("parentID",),
    "inputEPC": ("inputEPC",),
    "outputEPC": ("outputEPC",),
    "anyEPC": ANY_EPC,
    "epcClass": ("epcClass",),
    "inputEPCClass": ("inputEPCClass",),
    "outputEPCClass": ("outputEPCClass",),
    "anyEPCClass": ANY_CLASS,
}
TYPED: dict[str, Vocabulary] = {
    "bizTransaction": BIZ_TRANSACTION_TYPES,
    "source": PARTY_TYPES,
    "destination": PARTY_TYPES,
}
VOCABULARIES: dict[str, Vocabulary] = {
    **WORDS,
    **SENSOR_WORDS,
    "persistentDisposition_set": DISPOSITIONS,
    "persistentDisposition_unset": DISPOSITIONS,
    "errorReason": ERROR_REASONS,
}
PLAIN = (
    "readPoint", "bizLocation", "transformationID", "eventID", "correctiveEventID", "deviceID", "deviceMetadata", "rawData",
    "dataProcessingMethod", "microorganism", "chemicalSubstance", "bizRules", "stringValue", "hexBinaryValue", "uriValue",
    "booleanValue", "coordinateReferenceSystem",
)  # fmt: skip
DEVIATION, SHARE = "sDev", "percRank"  # a difference; a percentage whatever the unit
MOMENTS = ("startTime", "endTime", "time", "errorDeclarationTime")
SECTIONS = (
    "ILMD_",
    "ERROR_DECLARATION_",
    "SENSORELEMENT_",
    "SENSORMETADATA_",
    "SENSORREPORT_",
    "readPoint_",
    "bizLocation_",
)


class QueryError(ValueError):
    """A query that cannot be meant. ``kind`` is the standard's name of the exception."""

    def __init__(self, detail: str, kind: str = "QueryParameterException") -> None:
        super().__init__(detail)
        self.kind = kind


class Query(NamedTuple):
    """A query, read."""

    conditions: tuple[Condition, ...] = ()
    order_by: str = ""  # a column of time, or the name of a fact; empty: as recorded
    descending: bool = True
    limit: int | None = None  # eventCountLimit
    at_most: int | None = None  # maxEventCount: more is an error
    per_page: int = DEFAULT_PER_PAGE
    page: str = ""  # nextPageToken


def parse_query(parameters: Mapping[str, Any], namespaces: Namespaces | None = None) -> Query:
    """Read the parameters of a URL (texts, ``a|b`` for several) or of a query body (lists, numbers). Raises QueryError."""
    if len(parameters) > MAX_PARAMETERS:
        raise QueryError(f"{len(parameters)} parameters; at most {MAX_PARAMETERS}", "QueryTooComplexException")
    names = namespaces or {}
    steering: dict[str, Any] = {}
    conditions: list[Condition] = []
    for name, value in parameters.items():
        if name in STEERING:
            steering[STEERING[name]] = _steer(name, value, names)
            continue
        condition = _condition(name, value, names)
        if condition is not None:
            conditions.append(condition)
    if sum(len(each.values) * (1 + len(each.instead)) for each in conditions) > MAX_VALUES_IN_ALL:
        raise QueryError(f"more than {MAX_VALUES_IN_ALL} values in all; ask in parts", "QueryTooComplexException")
    if sum(len(condition.patterns) for condition in conditions) > MAX_PATTERNS:
        raise QueryError(f"more than {MAX_PATTERNS} patterns; ask in parts", "QueryTooComplexException")
    query = Query(tuple(conditions), **steering)
    if query.limit is not None and query.at_most is not None:
        raise QueryError("eventCountLimit and maxEventCount exclude each other")
    if query.limit is not None and not query.order_by:
        raise QueryError("eventCountLimit needs orderBy")
    return query


STEERING = {
    "orderBy": "order_by",
    "orderDirection": "descending",
    "eventCountLimit": "limit",
    "maxEventCount": "at_most",
    "perPage": "per_page",
    "nextPageToken": "page",
}


def _steer(name: str, value: Any, names: Namespaces) -> Any:
    if name == "orderBy":
        text = _text(name, value)
        return text if text in TIME_COLUMNS else _extension_name(name, text, names)
    if name == "orderDirection":
        if value not in ("ASC", "DESC"):
            raise QueryError(f"orderDirection is ASC or DESC, not {value!r}")
        return value == "DESC"
    if name == "nextPageToken":
        return _text(name, value)
    number = _number(name, value)
    if number != int(number) or not 1 <= number <= 2**31:
        raise QueryError(f"{name} is a whole number from 1 up, not {value!r}")
    return min(int(number), MAX_PER_PAGE) if name == "perPage" else int(number)


def _condition(name: str, value: Any, names: Namespaces) -> Condition | None:
    if name == "eventType":
        return Condition(("eventType",), "in", tuple(canonical_value(v, None, names) for v in _texts(name, value)))
    op, _, field = name.partition("_")
    if not field:
        raise QueryError(f"no parameter {name!r} in EPCIS 2.0 section 8.2.7.1")
    if op == "MATCH" and field in MATCHES:
        return _match(MATCHES[field], _texts(name, value), names)
    if op == "EXISTS":
        if field == "errorDeclaration" and not _boolean(name, value):
            return None
        return Condition(_fact_names(name, field, names), "exists")
    if op == "WD" and field in ("readPoint", "bizLocation"):
        return Condition((field,), "below", _canonical(_texts(name, value), None, names))
    if op == "HASATTR":
        attributes = tuple(spell_value(text, names) for text in _texts(name, value))
        return Condition(_attributed(name, field, names), "has", attributes)
    if op == "EQATTR":
        where, _, attribute = field.partition("_")
        attribute = spell_value(attribute, names)
        return Condition(_attributed(name, where, names), "attribute", (attribute, *_texts(name, value)))
    if op in COMPARISONS:
        return _in_any_unit(field, Condition(_fact_names(name, field, names), op, (_comparable(name, value),)))
    if op == "EQ":
        return _equal(name, field, value, names)
    raise QueryError(f"no parameter {name!r} in EPCIS 2.0 section 8.2.7.1")


def _equal(name: str, field: str, value: Any, names: Namespaces) -> Condition:
    facts = _fact_names(name, field, names)
    if field == "action":
        wrong = [text for text in _texts(name, value) if text not in ACTIONS]
        if wrong:
            raise QueryError(f"EQ_action is one of {', '.join(ACTIONS)}, not {wrong[0]!r}")
    if _is_number(field):
        numbers = tuple(_number(name, one) for one in _bounded(name, value))
        return _in_any_unit(field, Condition(facts, "in", numbers))
    texts = _texts(name, value)
    values: list[Value] = list(_canonical(texts, VOCABULARIES.get(field), names))
    if ":" in facts[0]:  # an extension may hold the number that the text spells
        values += [number for text in texts if (number := _of_extension(text)) is not None]
    return Condition(facts, "in", tuple(values))


def _in_any_unit(field: str, condition: Condition) -> Condition:
    """Of a quantity with a unit: or so much in another unit of the same kind."""
    kind, _, unit = field.partition("_")
    if not _is_number(field) or kind == SHARE:
        return condition
    instead = [
        Condition(
            (f"{kind}_{other}",),
            condition.op,
            tuple(converted(float(value), unit, other, is_difference=kind == DEVIATION) for value in condition.values),
        )
        for other in others(unit)
    ]
    return condition._replace(instead=tuple(instead))


def _of_extension(text: str) -> float | None:
    moment = parse_ms(text)
    return float(moment) if moment is not None else number_of(text)


def _is_number(field: str) -> bool:
    return field.partition("_")[0] in (*SENSOR_NUMBERS, "quantity")


def _fact_names(name: str, field: str, names: Namespaces) -> tuple[str, ...]:
    """The names of the fact that a parameter is about; QueryError if there is none."""
    known = (*TIME_COLUMNS, *MOMENTS, *PLAIN, *VOCABULARIES, "action", "errorDeclaration", "sensorElement")
    if field in known or _is_number(field):
        return (field,)
    start, _, rest = field.partition("_")
    if start in TYPED:
        return (f"{start}_{canonical_value(rest, TYPED[start], names)}",)
    return spellings(_extension_name(name, field, names))


def _extension_name(name: str, field: str, names: Namespaces) -> str:
    """The name of an extension's fact: where it stands, and its full name."""
    inner = "INNER_" if field.startswith("INNER_") else ""
    field = field.removeprefix("INNER_")
    section = next((each for each in SECTIONS if field.startswith(each)), "")
    extension = spell_value(field.removeprefix(section), names)
    if ":" not in extension:
        raise QueryError(
            f"{name!r}: {extension!r} is no field of EPCIS; an extension has its full name or a declared prefix"
        )
    return inner + section + extension


def spellings(name: str) -> tuple[str, ...]:
    """An extension's full name; and without the ``#`` that EPCIS puts between namespace and name (8.2.7.1, EQ_fieldname)."""
    namespace, mark, own = name.rpartition("#")
    return (name, namespace + own) if mark else (name,)


def _attributed(name: str, field: str, names: Namespaces) -> tuple[str, ...]:
    if field in ("readPoint", "bizLocation", "bizStep", "disposition", *MATCHES):
        return (field,)
    return spellings(_extension_name(name, field, names))


def _match(names: tuple[str, ...], texts: Sequence[str], namespaces: Namespaces) -> Condition:
    """Names as they are, and patterns for all that they stand for (EPCIS 2.0 section 8.2.7.1.1)."""
    written = [text for text in texts if text.startswith(START)]
    if not written:
        return Condition(names, "in", _canonical(texts, None, namespaces))
    patterns = tuple(pattern for text in written if (pattern := pattern_of(text)) is not None)
    if len(patterns) < len(written):
        wrong = next(text for text in written if pattern_of(text) is None)
        raise QueryError(f"{wrong[:120]!r} is no pure identity pattern: after the first * every field is * (TDS 8)")
    exact = [text for text in texts if not text.startswith(START)]
    return Condition(names, "like", _canonical(exact, None, namespaces), patterns)


def _canonical(texts: Sequence[str], vocabulary: Vocabulary | None, names: Namespaces) -> tuple[str, ...]:
    return tuple(canonical_value(text, vocabulary, names) for text in texts)


# ---- values -------------------------------------------------------------------------------------------------------------


def _several(value: Any) -> list[Any]:
    if isinstance(value, str):
        return value.split("|")
    return value if isinstance(value, list) else [value]


def _bounded(name: str, value: Any) -> list[Any]:
    several = _several(value)
    if not several or len(several) > MAX_VALUES:
        raise QueryError(f"{name} has {len(several)} values; give 1 to {MAX_VALUES}")
    return several


def _texts(name: str, value: Any) -> list[str]:
    several = _bounded(name, value)
    texts = [("true" if one else "false") if isinstance(one, bool) else one for one in several]
    texts = [str(one) if isinstance(one, int | float) else one for one in texts]
    if not all(isinstance(text, str) for text in texts):
        raise QueryError(f"{name} takes texts")
    return texts


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise QueryError(f"{name} takes a text")
    return value


def _number(name: str, value: Any) -> float:
    number = number_of(value) if isinstance(value, str) else value
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise QueryError(f"{name} takes a number, not {value!r}")
    try:
        return float(number)
    except OverflowError:
        raise QueryError(f"{name}: {str(value)[:40]}... is too large") from None


def _boolean(name: str, value: Any) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise QueryError(f"{name} is true or false, not {value!r}")


def _comparable(name: str, value: Any) -> Value:
    """A moment, or a number; of extensions also a text."""
    if isinstance(value, str):
        moment = parse_ms(value)
        if moment is not None:
            return float(moment)
    field = name.partition("_")[2]
    if field in (*TIME_COLUMNS, *MOMENTS):
        raise QueryError(f"{name} takes a date and time with an offset, not {value!r}")
    if isinstance(value, str) and number_of(value) is None and ":" in field:
        return value
    return _number(name, value)
