"""JSON as it may come in. The declarations that requests are checked by are those of `/openapi.json`."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Mapping
from datetime import date
from typing import Any

from assistant.service.problems import Problem

Schema = Mapping[str, Any]
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_BOUNDS = {
    "minimum": (operator.ge, "{:,} or more"),
    "exclusiveMinimum": (operator.gt, "above {:,}"),
    "maximum": (operator.le, "{:,} or less"),
}


class _Duplicate(ValueError):
    pass


def parse(body: bytes) -> Any:
    """One JSON value. Raises `Problem` for what RFC 8259 doesn't allow, for names given twice, and for deep nesting."""
    try:
        return json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError as error:
        raise Problem(400, "The body is nested too deeply: send a flatter one.") from error
    except UnicodeDecodeError as error:
        raise Problem(400, f"The body is not UTF-8: byte {error.start} is wrong.") from error
    except _Duplicate as error:
        raise Problem(400, f"The body names {str(error)[:80]!r} twice in one object: name it once.") from error
    except json.JSONDecodeError as error:
        raise Problem(400, f"The body is not JSON: {error.msg} at character {error.pos}.") from error
    except ValueError as error:
        raise Problem(400, "The body holds a number that JSON doesn't have, or that is too long.") from error


def check(value: Any, schema: Schema, place: str = "") -> None:
    """Raises `Problem` that names the place where a value isn't as declared, such as `messages.0.role`.

    Knows of JSON Schema: type, enum, anyOf, properties, required, additionalProperties, items, maxItems, minLength,
    maxLength, minimum, exclusiveMinimum, maximum, and the format `date`.
    """
    if not schema:  # nothing is said of it, and it may be nested deeply
        return None
    if any_of := schema.get("anyOf"):
        fitting = [one for one in any_of if _is(value, one["type"])]
        return check(value, fitting[0] if fitting else {"type": [one["type"] for one in any_of]}, place)
    kinds = schema.get("type")
    if kinds is not None and not any(_is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        raise _wrong(place, f"must be of type {kinds if isinstance(kinds, str) else ' or '.join(kinds)}")
    if "enum" in schema and value not in schema["enum"]:
        raise _wrong(place, f"must be one of {', '.join(map(str, schema['enum']))}")
    if isinstance(value, str):
        _check_text(value, schema, place)
    elif isinstance(value, int | float):
        _check_number(value, schema, place)
    elif isinstance(value, list):
        if len(value) > schema.get("maxItems", math.inf):
            raise _wrong(place, f"has {len(value):,} elements, at most {schema['maxItems']} are read")
        for number, one in enumerate(value):
            check(one, schema.get("items", {}), _inside(place, number))
    elif isinstance(value, dict):
        _check_object(value, schema, place)
    return None


def _check_text(value: str, schema: Schema, place: str) -> None:
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise _wrong(place, "holds half of a character (a lone surrogate)")
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf):
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        raise _wrong(place, f"has {len(value):,} characters, and must have {least} to {most or 'any number of'}")
    if schema.get("format") == "date":
        _check_day(value, place)


def _check_number(value: float, schema: Schema, place: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise _wrong(place, "must be a number that isn't infinite")
    bounds = [(holds, said, schema[name]) for name, (holds, said) in _BOUNDS.items() if name in schema]
    if not all(holds(value, bound) for holds, _, bound in bounds):
        raise _wrong(place, f"must be {' and '.join(said.format(bound) for _, said, bound in bounds)}")


def _check_object(value: dict[str, Any], schema: Schema, place: str) -> None:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            raise _wrong(_inside(place, name), "is missing")
    for name, one in value.items():
        _check_text(name, {}, place)
        if name not in properties and others is False:
            raise _wrong(_inside(place, name[:80]), f"isn't known; known are {', '.join(properties)}")
        check(one, properties.get(name, others if isinstance(others, Mapping) else {}), _inside(place, name[:80]))


def _check_day(text: str, place: str) -> None:
    try:
        if len(text) != 10:
            raise ValueError(text)
        date.fromisoformat(text)
    except ValueError as error:
        raise _wrong(place, "must be a day such as 2024-01-31") from error


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and not (isinstance(value, bool) and kind in ("integer", "number"))


def _wrong(place: str, what: str) -> Problem:
    return Problem(422, f"{place or 'the body'} {what}", place or None)


def _inside(place: str, name: str | int) -> str:
    return f"{place}.{name}" if place else str(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise _Duplicate(name)
        made[name] = value
    return made


def _no_number(constant: str) -> Any:
    raise ValueError(constant)
