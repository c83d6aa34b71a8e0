"""The JSON Schemas of what others read: a claim, as `kerazoo claims --json` prints it, and a row of the record."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any, Union

from kerazoo.ledger.entries import Kind, Rule
from kerazoo.ledger.record import FIELDS, SOURCES
from kerazoo.schema import Claim

_DRAFT = "https://json-schema.org/draft/2020-12/schema"

_OF_CLAIM = {
    "id": "The claim's name, which begins with the document's.",
    "document": "The document's short name.",
    "title": "The document's title.",
    "section": "The section of the document; empty where it has none.",
    "model": "The model of the zoo that the claim is about; empty for others.",
    "kind": "What is claimed.",
    "quote": "The document's own words.",
    "gloss": "The claim in other words, or in English.",
    "documented": "The value that the document prints; null where it prints none.",
    "metric": "What is measured.",
    "unit": "The unit of the value.",
    "tolerance": "The margin, declared before anything was measured, in `unit`.",
    "reason": "Why the tolerance is what it is, or when the claim holds; with rule 'source' the argument.",
    "design": "What the experiment behind a statement compares, and what it holds equal.",
    "check": "The experiment in the record; empty with rule 'source'.",
    "rule": "How values become the verdict.",
    "fact": "What several claims may state; each fact counts once.",
    "verdict": "What became of the claim.",
    "note": "Why, with the statistics.",
    "correct": "What would be right: a formula, a number, or a program's file.",
    "reference": "What settles a claim that nothing measures.",
    "answer": "The verdict's reason in one sentence; empty where the study has none for this verdict.",
    "caveat": "What the study answers to other readings of the claim, and tells of what is not tested.",
    "zh": "The claim's texts in Chinese, by the names of the English ones.",
    "measured": "The mean over the seeds where it is a number; null where nothing was measured.",
    "sd": "The sample standard deviation over the seeds.",
    "interval": "The 95 % interval of the mean (Student's t).",
    "n": "How many seeds count.",
    "binomial": "The 95 % Wilson interval of an accuracy for the size of the test set.",
    "seeds": "The seeds, as in the record.",
    "values": "One value a seed.",
    "source": "Where the data came from.",
    "data": "The data sets, with their versions.",
    "environment": "Versions, devices and settings of the measurements.",
    "measured_at": "When the last one was measured, in UTC.",
    "repairs": "What a printed program needs to run.",
    "evidence": "What else was recorded, one JSON value a seed.",
    "decides": "How many seeds would decide what is undecided; null where that is not known, or more than a thousand.",
    "parts": "The verdicts on the parts of a claim that has some, by their names.",
}

_OF_ROW = {
    "experiment": "The experiment's name; the file's is the same.",
    "revision": "Of the experiment's design: rows of another one do not count.",
    "seed": "Of initial weights, order and dropout.",
    "values": "What was measured, by names.",
    "source": "Real data (tfds), none, or, in a study of one's own, the embedded sample.",
    "data": "The data sets, with their versions.",
    "data_digests": "The data sets' digests.",
    "kerazoo": "The version that measured.",
    "commit": "Of the checkout that measured; an installed package has none.",
    "dirty": "Whether the package in the checkout differed from the commit.",
    "environment": "Versions, devices and settings.",
    "seconds": "How long it took.",
    "load": "How many processes wanted to run on average in the last minute, before and after.",
    "measured_at": "When, in UTC.",
    "digest": "The first 16 hexadecimal digits of the SHA-256 of the other fields, as JSON with sorted keys.",
}
_NUMBER_OR_NULL = {"type": ["number", "null"]}


def claim_schema() -> dict[str, Any]:
    """Return the JSON Schema of a claim."""
    annotations = typing.get_type_hints(Claim)
    annotations |= {"kind": Kind, "rule": Rule}
    properties = {
        one.name: {"description": _OF_CLAIM[one.name], **_of_type(annotations[one.name])} for one in fields(Claim)
    }
    return _record("A claim of a kerazoo study, with its verdict", properties, list(properties))


def row_schema() -> dict[str, Any]:
    """Return the JSON Schema of a row of the record."""
    types_of = {name: {"type": _names(kind)} for name, kind in FIELDS.items()}
    types_of |= {
        "source": {"enum": [*SOURCES, "sample"]},
        "data_digests": {"type": "object", "additionalProperties": {"type": "string"}},
        "commit": {"type": "string", "pattern": "^[0-9a-f]{40}$"},
        "dirty": {"type": "boolean"},
        "load": {"type": "object", "properties": {"before": _NUMBER_OR_NULL, "after": _NUMBER_OR_NULL}},
        "digest": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
    }
    properties = {name: {"description": told, **types_of[name]} for name, told in _OF_ROW.items()}
    return _record("A row of a kerazoo record", properties, [*FIELDS, "digest"])


def _record(title: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    shape = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"$schema": _DRAFT, "title": title, **shape}


_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", dict: "object"}


def _names(kinds: Any) -> Any:
    """Return the JSON names of the types that a field of a row may have."""
    if not isinstance(kinds, tuple):
        return _TYPES[kinds]
    return "number" if float in kinds else [_TYPES[kind] for kind in kinds]


def _of_type(kind: Any) -> dict[str, Any]:
    """Return the JSON Schema of a field of a record by its annotation."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Mapping, tuple):
        return _of_container(origin, arguments)
    if origin in (Union, types.UnionType):
        return {"anyOf": [{"type": "null"} if one is type(None) else _of_type(one) for one in arguments]}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if kind is Any:
        return {}
    return {"enum": [str(one) for one in kind]} if issubclass(kind, StrEnum) else {"type": _TYPES[kind]}


def _of_container(origin: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
    if origin is Mapping:
        inner = _of_type(arguments[1])
        return {"type": "object", **({"additionalProperties": inner} if inner else {})}
    if arguments[-1] is ...:
        return {"type": "array", "items": _of_type(arguments[0])}
    of_each = [_of_type(one) for one in arguments]
    return {"type": "array", "prefixItems": of_each, "minItems": len(of_each), "maxItems": len(of_each)}
