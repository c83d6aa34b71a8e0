"""Text to learn to write from: tiny Shakespeare (Karpathy 2015), or any UTF-8 file of the user's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kerazoo.data.cache import cached
from kerazoo.data.dataset import Dataset
from kerazoo.data.prepared import Prepared, prepare
from kerazoo.data.vocabulary import Vocabulary
from kerazoo.errors import DataError
from kerazoo.files import read_bytes
from kerazoo.lazy import np

BUILDER, HOST = "tiny_shakespeare", "raw.githubusercontent.com"
_UNITS = {"char": "char", "word": "token", "jieba": "segment"}
_TRAIN_SHARE = 0.9  # as TFDS splits tiny Shakespeare


def load(
    *,
    data_dir: str | os.PathLike[str] | None = None,
    source: str = "auto",
    corpus: str | None = None,
    unit: str = "char",
    sequence_length: int = 40,
    stride: int = 3,
    max_vocabulary: int = 20_000,
) -> Dataset:
    """Return windows of text as (N, sequence_length) int32 ids and the id after each as (N,) int32.

    Windows are held in memory, 4 bytes an id: a text of n characters takes about 4 n (sequence_length / stride + 4)
    bytes. Training windows begin every `stride` ids; test windows at every id, so that the test loss is that of each
    character of the test text. The document (002, section 5.2) names neither data nor sizes: these are ours.

    Args:
        data_dir: a directory in TFDS layout.
        source: "auto", "tfds" or "sample" (the reference text of the Python language that CPython ships).
        corpus: a UTF-8 file to learn from in place of tiny Shakespeare; its last tenth is the test text.
        unit: "char", "word", or "jieba" for Chinese words.
        sequence_length: ids that the model sees before the one it predicts.
        stride: ids between the beginnings of two training windows.
        max_vocabulary: the most frequent tokens to know, others are unknown.

    Raises:
        DataError: the file is missing, empty, not UTF-8, or shorter than a window.
    """
    _check_unit(unit)
    if corpus is not None:
        name, version, origin, texts = Path(corpus).name, "user", "user", split(read_file(Path(corpus)))
    elif prepared := prepare(BUILDER, HOST, data_dir, source):
        arrays = cached("tiny_shakespeare", {"fingerprint": prepared.fingerprint}, lambda: _read(prepared))
        name, version, origin = "tiny_shakespeare", prepared.version, "tfds"
        texts = {split: arrays[split].tobytes().decode() for split in arrays}
    else:
        name, version, origin, texts = "python_reference", "sample", "sample", split(_sample())
    return windows(texts, name, version, origin, unit, sequence_length, stride, max_vocabulary)


def windows(
    texts: dict[str, str],
    name: str,
    version: str,
    source: str,
    unit: str = "char",
    sequence_length: int = 40,
    stride: int = 3,
    max_vocabulary: int = 20_000,
    vocabulary: Vocabulary | None = None,
) -> Dataset:
    """Return the windows of `texts` ("train", "test" and perhaps "validation") as ids of `vocabulary`.

    The vocabulary is learned on the text "train" where none is given.

    Raises:
        DataError: `unit` is unknown, or a text is shorter than a window.
    """
    _check_unit(unit)
    vocabulary = vocabulary or Vocabulary.learn([texts["train"]], _UNITS[unit], max_vocabulary)
    arrays: dict[str, Any] = {}
    for split, text in texts.items():
        ids = np.array(vocabulary.encode(text), np.int32)
        if len(ids) <= sequence_length:
            wanted = f"more than {sequence_length}, the length of a window"
            raise DataError(f"{name}: the {split} text has {len(ids)} {unit}s, wanted {wanted}; give a longer text")
        short = {"train": "train", "test": "test", "validation": "val"}[split]
        step = stride if split == "train" else 1
        every = np.lib.stride_tricks.sliding_window_view(ids, sequence_length + 1)[::step]
        arrays[f"x_{short}"] = np.ascontiguousarray(every[:, :-1])
        arrays[f"y_{short}"] = np.ascontiguousarray(every[:, -1])
    options = {"vocab_size": len(vocabulary)}
    return Dataset(name=name, version=version, source=source, vocabulary=vocabulary, model_options=options, **arrays)


def _check_unit(unit: str) -> None:
    if unit not in _UNITS:
        raise DataError(f"unit={unit!r}: wanted 'char', 'word' or 'jieba'")


def split(text: str) -> dict[str, str]:
    """Return the first nine tenths of `text` to train on and the last tenth to test on."""
    cut = int(len(text) * _TRAIN_SHARE)
    return {"train": text[:cut], "test": text[cut:]}


def read_file(path: Path) -> str:
    """Return the text of the file `path`.

    Raises:
        DataError: it is missing, empty or not UTF-8.
    """
    if not path.name:
        raise DataError("corpus is an empty text; name a UTF-8 text file")
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"'{path}' is not UTF-8 text (byte {error.start}); convert it to UTF-8") from None
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror}; name a UTF-8 text file") from None
    if not text.strip():
        raise DataError(f"'{path}' holds no text; name a UTF-8 file with text to learn from")
    return text.replace("\r\n", "\n")


def _read(prepared: Prepared) -> dict[str, Any]:
    splits = ("train", "validation", "test")
    return {split: np.frombuffer(next(prepared.read(split))["text"], np.uint8) for split in splits}


def _sample() -> str:
    from pydoc_data.topics import topics

    return "\n".join(topics[topic] for topic in sorted(topics))
