"""The records that TFDS stores: protocol buffers of the type `tf.train.Example`, lists of values by name."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from kerazoo.errors import DataError

_VARINT, _EIGHT, _DELIMITED, _FOUR = 0, 1, 2, 5  # wire types


def parse_example(record: bytes) -> dict[str, list[Any]]:
    """Return the values of an Example by name: lists of bytes, of float or of int.

    Raises:
        DataError: `record` is no such message.
    """
    try:
        values = {}
        for features in _messages(record, 1):
            for entry in _messages(features, 1):
                (name,), (feature,) = _messages(entry, 1), _messages(entry, 2)
                values[name.decode()] = _values(feature)
        return values
    except (IndexError, ValueError, struct.error, TypeError):
        raise DataError("a record is not a tf.train.Example") from None


def _values(feature: bytes) -> list[Any]:
    values: list[Any] = []
    for kind, content in _fields(feature):
        if kind == 1:
            values += _messages(content, 1)
        elif kind == 2:
            for _, numbers in _fields(content):  # packed into one field, or a field each
                values += struct.unpack(f"<{len(numbers) // 4}f", numbers)
        elif kind == 3:
            for _, numbers in _fields(content):
                values += [numbers] if isinstance(numbers, int) else _varints(numbers)
    return [value - 2**64 if isinstance(value, int) and value >= 2**63 else value for value in values]


def _messages(message: bytes, number: int) -> list[bytes]:
    """Return the contents of the fields `number` of a message."""
    return [content for field, content in _fields(message) if field == number]


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yield number and content of each field: an int for a varint, else bytes."""
    place, end = 0, len(message)
    while place < end:
        tag, place = _varint(message, place)
        wire = tag & 7
        if wire == _VARINT:
            value, place = _varint(message, place)
            yield tag >> 3, value
            continue
        if wire == _DELIMITED:
            length, place = _varint(message, place)
        else:
            length = {_EIGHT: 8, _FOUR: 4}[wire] if wire in (_EIGHT, _FOUR) else end + 1
        if place + length > end:
            raise ValueError("a field is longer than its message, or of an unknown type")
        yield tag >> 3, message[place : place + length]
        place += length


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """Return the number that begins at `place`, seven bits a byte, and the place after it."""
    byte = message[place]
    if byte < 0x80:
        return byte, place + 1
    value = shift = 0
    while byte >= 0x80:
        value |= (byte & 0x7F) << shift
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
        place += 1
        byte = message[place]
    return value | byte << shift, place + 1


def _varints(content: bytes) -> Iterator[int]:
    place = 0
    while place < len(content):
        value, place = _varint(content, place)
        yield value
