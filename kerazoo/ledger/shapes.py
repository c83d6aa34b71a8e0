"""Tables of TOML as frozen dataclasses: what is wrong with a table, the object it describes, and the JSON Schema.

The keys of a table are those fields of the dataclass that `key` describes; their types are the fields' annotations.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from typing import Any, Literal, TypeVar

from kerazoo.errors import did_you_mean

Shape = TypeVar("Shape")

_TYPES: dict[Any, tuple[str, str]] = {
    str: ("text", "string"),
    int: ("a whole number", "integer"),
    float: ("a number", "number"),
    bool: ("true or false", "boolean"),
    list: ("a list", "array"),
    dict: ("a table", "object"),
}


def key(description: str, **default: Any) -> Any:
    """Return a field that is a key of the table, with its description; `default` is that of `dataclasses.field`."""
    return field(metadata={"description": description}, **default)


def keys_of(shape: type) -> dict[str, Field[Any]]:
    """Return the fields of the dataclass `shape` that are keys of its table, by name."""
    return {one.name: one for one in fields(shape) if "description" in one.metadata}


def faults_of(shape: type, table: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the keys and types of `table`, a sentence each."""
    keys, annotations = keys_of(shape), _types_of(shape)
    for name in table:
        if name not in keys:
            yield f"unknown key '{name}'.{did_you_mean(name, keys)} Keys: {', '.join(keys)}"
    for name, one in keys.items():
        if name in table:
            yield from _faults_of_value(name, table[name], _alternatives(annotations[name]))
        elif _required(one):
            yield f"'{name}' is missing"


def made(shape: type[Shape], table: Mapping[str, Any], **given: Any) -> Shape:
    """Return the object that a `table` without faults describes; `given` are the fields that are no keys."""
    annotations = _types_of(typing.cast(type, shape))
    values = {name: _nested(value, _alternatives(annotations[name])) for name, value in table.items()}
    return shape(**given, **values)


def schema_of(shape: type) -> dict[str, Any]:
    """Return the JSON Schema of the table."""
    keys, annotations = keys_of(shape), _types_of(shape)
    properties = {
        name: {"description": one.metadata["description"], **_schema_of_type(annotations[name])}
        for name, one in keys.items()
    }
    required = [name for name, one in keys.items() if _required(one)]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


@functools.cache
def _types_of(shape: type) -> dict[str, Any]:
    """Return the annotations of the fields, evaluated: which takes longer than all else that a table is checked by."""
    return typing.get_type_hints(shape)


def _required(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the types that an annotation accepts; that of a missing value, None, is not among them."""
    union = typing.get_origin(kind) in (types.UnionType, typing.Union)
    return tuple(one for one in typing.get_args(kind) if one is not type(None)) if union else (kind,)


def _faults_of_value(name: str, value: Any, kinds: tuple[Any, ...]) -> Iterator[str]:
    shapes = [kind for kind in kinds if is_dataclass(kind)]
    if isinstance(value, dict) and shapes:
        yield from (f"{name}: {fault}" for fault in faults_of(typing.cast(type, shapes[0]), value))
    elif not any(_is_a(value, kind) for kind in kinds):
        choices = [choice for kind in kinds if typing.get_origin(kind) is Literal for choice in typing.get_args(kind)]
        if choices and isinstance(value, str):
            yield f"{name} '{value}' is unknown; wanted one of {', '.join(choices)}"
        else:
            yield f"'{name}' wants {' or '.join(dict.fromkeys(map(_told, kinds)))}, not {value!r}"


def _is_a(value: Any, kind: Any) -> bool:
    origin = typing.get_origin(kind)
    if origin is Literal:
        return value in typing.get_args(kind)
    if origin in (list, dict):
        inner = typing.get_args(kind)[-1]
        items = value.values() if isinstance(value, dict) else value
        return isinstance(value, origin) and all(_is_a(one, inner) for one in items)
    if kind is Any or isinstance(value, bool):
        return kind in (Any, bool)
    return not is_dataclass(kind) and isinstance(value, (int, float) if kind is float else kind)


def _told(kind: Any) -> str:
    """Return what a type is called in a message."""
    origin = typing.get_origin(kind)
    if origin is Literal:
        return f"one of {', '.join(typing.get_args(kind))}"
    if origin in (list, dict) and typing.get_args(kind)[-1] is str:
        return f"{_TYPES[origin][0]} of texts"
    return _TYPES.get(origin or kind, ("a table", ""))[0]


def _nested(value: Any, kinds: tuple[Any, ...]) -> Any:
    shape = next((kind for kind in kinds if is_dataclass(kind)), None)
    return made(typing.cast(type, shape), value) if isinstance(value, dict) and shape else value


def _schema_of_type(kind: Any) -> dict[str, Any]:
    kinds = _alternatives(kind)
    if len(kinds) > 1:
        return {"anyOf": [_schema_of_type(one) for one in kinds]}
    (kind,), origin = kinds, typing.get_origin(kinds[0])
    if kind is Any:
        return {}
    if origin is Literal:
        return {"enum": list(typing.get_args(kind))}
    if is_dataclass(kind):
        return schema_of(typing.cast(type, kind))
    inner = {"list": "items", "dict": "additionalProperties"}.get(getattr(origin, "__name__", ""))
    of = {inner: _schema_of_type(typing.get_args(kind)[-1])} if inner else {}
    return {"type": _TYPES[origin or kind][1], **of}
