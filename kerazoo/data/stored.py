"""Examples from the files that TFDS wrote, read without TFDS: what it says of them in JSON, and the TFRecord files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kerazoo.data.example import parse_example
from kerazoo.data.tfrecord import read_records
from kerazoo.errors import DataError
from kerazoo.lazy import np

_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
_Decode = Callable[[list[Any]], Any]


def examples(directory: Path, split: str) -> Iterator[dict[str, Any]]:
    """Yield the examples of `split` in their stored order, as TFDS gives them.

    Of each feature there is its value: bytes for text, np.int64 for a class, (height, width, channels) uint8 for a
    picture.

    Args:
        directory: that of one version of a data set, with its `dataset_info.json` and `features.json`.
        split: its name, e.g. "train".

    Raises:
        DataError: a file is missing or damaged, or holds what cannot be read without TFDS.
        OSError: a file cannot be read.
    """
    info, decoders = _json(directory / "dataset_info.json"), _decoders(_json(directory / "features.json"))
    try:
        (lengths,) = ([int(n) for n in one["shardLengths"]] for one in info["splits"] if one["name"] == split)
        (template,) = (one.get("filepathTemplate", _TEMPLATE) for one in info["splits"] if one["name"] == split)
        known = {"DATASET": info["name"], "SPLIT": split, "FILEFORMAT": info.get("fileFormat", "tfrecord")}
    except (ValueError, KeyError, TypeError):
        raise DataError(f"'{directory / 'dataset_info.json'}' tells of no split '{split}'") from None
    if known["FILEFORMAT"] != "tfrecord":
        raise DataError(f"'{directory}' holds files of the format {known['FILEFORMAT']}; wanted tfrecord")
    for shard, length in enumerate(lengths):
        name = f"{shard:05d}-of-{len(lengths):05d}"
        path = directory / _file_name(template, {**known, "SHARD_X_OF_Y": name})
        records = read_records(path)
        if len(records) != length:
            raise DataError(f"'{path}' holds {len(records)} examples; wanted {length}")
        for place, record in enumerate(records):
            yield _decoded(parse_example(record), decoders, f"'{path}', record {place + 1}")


def _file_name(template: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        raise DataError(f"'{path}' is damaged: it is no JSON") from None


def _decoders(features: Any) -> dict[str, _Decode]:
    try:
        named = features["featuresDict"]["features"].items()
        return {name: _DECODERS[feature["pythonClassName"].rpartition(".")[2]] for name, feature in named}
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"features.json names the feature {error}, which only TFDS itself reads") from None


def _decoded(values: dict[str, list[Any]], decoders: dict[str, _Decode], where: str) -> dict[str, Any]:
    try:
        return {name: decode(values[name]) for name, decode in decoders.items()}
    except (KeyError, ValueError, OSError, SyntaxError) as error:  # Pillow raises a SyntaxError for a damaged PNG
        raise DataError(f"{where}: not as features.json says ({error})") from None


def _text(values: list[Any]) -> bytes:
    (text,) = values
    return text


def _class(values: list[Any]) -> Any:
    (number,) = values
    return np.int64(number)


def _picture(values: list[Any]) -> Any:
    from PIL import Image

    (content,) = values
    with Image.open(io.BytesIO(content)) as picture:
        pixels = np.asarray(picture)
    return pixels[..., None] if pixels.ndim == 2 else pixels


_DECODERS: dict[str, _Decode] = {"Text": _text, "ClassLabel": _class, "Image": _picture}
