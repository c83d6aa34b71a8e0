"""Reviews: texts with classes, which models read as rows of word ids."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

from kerazoo.data import imdb
from kerazoo.data.own import read_csv
from kerazoo.data.vocabulary import Vocabulary, check_words, is_unspaced, pad_front
from kerazoo.errors import DataError
from kerazoo.lazy import np
from kerazoo.printable import printable
from kerazoo.tasks.files import checked_text, decoded, is_pipe, lines, opened
from kerazoo.tasks.items import Input, Item
from kerazoo.tasks.known import register_task
from kerazoo.tasks.task import Task

_SHOWN = 60  # characters of a text in its name
_LOOKED_AT = 1000  # texts from which script and share of known words are told
_CHARACTERS_A_WORD = 64  # of a long text only so much is split as its last words can take
_TEXT_FILES = (".txt", ".text", ".csv", ".tsv", ".md", ".json", ".jsonl")


@dataclass(frozen=True)
class Reviews(Task):
    """Texts as (N, T) int32 ids of their last T words, padded with 0 at the front.

    Words of one's own texts are parted by spaces ("word"); in Chinese and other scripts without spaces each character
    is one ("character"), or, by the option `unit="jieba"`, Chinese words are found by that package. The vocabulary
    travels with the model, and with it the way to split.
    """

    pipeline: ClassVar[str] = "text-classification"
    explains: ClassVar[bool] = True
    takes: ClassVar[str] = "texts, or files with one text a line"
    own: ClassVar[str] = "a CSV of texts with their classes"

    def _own_options(self) -> dict[str, Any]:
        return {"unit": "auto", "vocab_size": 20_000, "sequence_length": 100}

    def learn(self, x: Any, options: Mapping[str, Any]) -> Vocabulary | None:
        """Return the vocabulary of texts; None where `x` is no text."""
        texts = as_texts(x)
        if texts is None:
            return None
        unit = options["unit"]
        if unit == "auto":
            unit = "character" if is_unspaced(texts[:_LOOKED_AT]) else "word"
        if unit not in ("word", "character", "jieba"):
            raise DataError(f"unit={unit!r}: wanted 'auto', 'word', 'character' or 'jieba'")
        return Vocabulary.learn(texts, unit, options["vocab_size"])

    def check_known(self, x: Any, vocabulary: Vocabulary) -> None:
        """Warn of texts of which a model knows few words, and refuse those of which it knows hardly any.

        Raises:
            DataError: it knows less than a tenth of their words.
        """
        if (texts := as_texts(x)) is not None:
            check_words(texts[:_LOOKED_AT], vocabulary)

    def encode(self, x: Any, options: Mapping[str, Any], vocabulary: Vocabulary | None) -> Any:
        """Return texts, lists of ids or an (N, T) array of ids as (N, sequence_length) int32."""
        length = options["sequence_length"]
        texts = as_texts(x)
        if texts is None:
            return as_tokens(x, length, options["vocab_size"])
        if vocabulary is None:
            raise DataError("raw text needs the vocabulary that the model was trained with; it is kept with the model")
        return vocabulary.encode_rows(texts, length)

    def read(self, path: Path, **how: Any) -> Any:
        """Return the texts of the table `path`; `how` as of `kerazoo.read_csv`.

        Raises:
            DataError: it cannot be read.
        """
        if path.is_dir():
            raise DataError(f"'{path}' is a folder; this model takes {self.own}")
        return read_csv(path, **how)

    def each(self, given: Any, name: str) -> Iterator[Item]:
        """Yield a text, or the lines of a `Path` or an open binary file, or rows of word ids."""
        if isinstance(given, bytes):
            given = decoded(given, name)
        if isinstance(given, str):
            yield Item(_shortened(given), checked_text(given, name))
        elif isinstance(given, os.PathLike):
            with opened(Path(given)) as file:
                yield from lines(file, printable(given))
        elif hasattr(given, "read"):
            yield from lines(given, printable(getattr(given, "name", name)))
        else:
            yield from super().each(given, name)

    def from_argument(self, word: str, standard_input: IO[bytes]) -> Any:
        """Return "-" as standard input, a file's name as the file, anything else as a text.

        Raises:
            DataError: what is clearly meant as the name of a file names none.
        """
        if word == "-":
            return standard_input
        named = not any(letter.isspace() for letter in word)
        if named and os.path.isdir(word):  # noqa: PTH112 (Path raises for a text that no path can be)
            raise DataError(f"'{word}' is a directory; wanted a text, or a file with one text a line")
        if os.path.isfile(word) or (named and os.path.exists(word) and is_pipe(Path(word))):  # noqa: PTH110, PTH113
            return Path(word)
        if named and (word.lower().endswith(_TEXT_FILES) or word.startswith(("./", "../", "~/", "/"))):
            raise DataError(f"'{word}' is not a file; wanted a text, or a file with one text a line")
        return word

    def to_input(self, item: Item, shape: tuple[int, ...], vocabulary: Vocabulary | None) -> Input:
        """Return what the model reads of a text or a row of ids: its last words."""
        if vocabulary is None:
            raise DataError("the model carries no vocabulary; load a file that kerazoo wrote, by train or save_model")
        (length,) = shape
        if isinstance(item.value, str):
            text, most = item.value.rstrip(), _CHARACTERS_A_WORD * length
            # From the first whole word of the end: a book takes no longer than a page.
            tail = text if len(text) <= most else text[-most:].split(None, 1)[-1]
            tokens: Sequence[str] = vocabulary.split(tail)[-length:]
        else:
            row = as_tokens([item.value], len(item.value), len(vocabulary), [item.name])[0]
            row = row[np.flatnonzero(row)[0] :] if row.any() else row[:0]  # without its padding
            tokens = [vocabulary.tokens[one] for one in row[-length:]]
        ids = vocabulary.ids_of(tokens).tolist()
        if all(one == vocabulary.unknown for one in ids):
            told = "has no word that the model knows; wanted a text like those it was trained on"
            raise DataError(f"{item.name!r} {told}")
        return Input(item.name, ids, tokens)

    def batch(self, inputs: Sequence[Input], shape: tuple[int, ...]) -> np.ndarray:
        """Return the ids as (N, T) int32, padded at the front."""
        return pad_front([one.row for one in inputs], *shape)


def _shortened(text: str) -> str:
    line = " ".join(text[: 2 * _SHOWN].split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def as_tokens(reviews: Any, sequence_length: int, vocab_size: int, names: Sequence[str] | None = None) -> np.ndarray:
    """Return lists of ids, or an (N, T) array of ids, as (N, sequence_length) int32; `names` call them in an error.

    Raises:
        DataError: no whole numbers, or ids outside the vocabulary.
    """
    try:
        arrays = [np.asarray(row) for row in reviews]
    except ValueError:
        raise DataError("a review is a nested list of different lengths: wanted text or a row of word ids") from None
    for place, row in enumerate(arrays):
        name = names[place] if names else f"review {place}"
        if row.ndim != 1 or (row.size and row.dtype.kind not in "iu"):
            raise DataError(f"{name} is {row.dtype} of shape {row.shape}: wanted text or a row of word ids")
        if row.size and (row.min() < 0 or row.max() >= vocab_size):
            wanted = f"0 to {vocab_size - 1}"
            raise DataError(f"{name} has word ids from {row.min()} to {row.max()}: wanted {wanted}")
    return pad_front(arrays, sequence_length)


def as_texts(reviews: Any) -> list[str] | None:
    """Return raw reviews (str, or UTF-8 bytes) as a list of str; None where they are not all text.

    Raises:
        DataError: bytes that are not UTF-8.
    """
    rows = list(reviews)
    if not rows or not all(isinstance(row, (str, bytes)) for row in rows):
        return None
    try:
        return [row.decode() if isinstance(row, bytes) else str(row) for row in rows]
    except UnicodeDecodeError as error:
        raise DataError(f"a review is not UTF-8 text (byte {error.start}); decode it first") from None


register_task(
    Reviews("imdb", imdb.load, ("negative", "positive"), "film reviews, positive or negative", real="imdb_reviews")
)
