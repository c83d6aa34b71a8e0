"""Text to ids and back. A vocabulary is learned on the training split and travels with the model."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from kerazoo.errors import DataError, InputError
from kerazoo.lazy import np

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
PADDING = ""

# Line breaks of web pages, and the punctuation that separates words; the apostrophe belongs to the word.
_MARKUP = re.compile(r"<br\s*/?>", re.IGNORECASE)
_NO_WORD = str.maketrans(dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n\r', " "))
_TOKEN = re.compile(r"\w+(?:['’]\w+)*|\n|[^\w\s]")
_NO_SPACE_BEFORE = re.compile(r" ([,.;:!?)\]}’'\n])|(?<=[\n(\[{]) ")


def _words(text: str) -> list[str]:
    return _MARKUP.sub(" ", text).lower().translate(_NO_WORD).split()


_SPLIT: dict[str, Callable[[str], list[str]]] = {
    "char": list,  # every character stands for itself
    "word": _words,  # lower case, no punctuation: what a review classifier reads
    "token": _TOKEN.findall,  # words, marks and line ends as they are: what a generator writes
}


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that a model knows; the id of a token is its place.

    `unit` is "char", "word" or "token". A "word" vocabulary begins with padding (id 0) and the unknown word (id 1);
    the others begin with the unknown token (id 0).
    """

    tokens: tuple[str, ...]
    unit: str

    @classmethod
    def learn(cls, texts: Iterable[str], unit: str, size: int | None = None) -> Vocabulary:
        """Learn the `size` most frequent tokens (None: all) of `texts`, special ones included.

        Raises:
            InputError: `unit` is unknown or `size` leaves no room for a token.
        """
        if unit not in _SPLIT:
            raise InputError(f"unit={unit!r}: wanted one of {', '.join(_SPLIT)}")
        special = (PADDING, UNKNOWN) if unit == "word" else (UNKNOWN,)
        if size is not None and size <= len(special):
            raise InputError(f"a vocabulary of {size} has no room for a token; wanted more than {len(special)}")
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_SPLIT[unit](text))
        counts.pop(UNKNOWN, None)
        # Ties by the token itself, so that the ids do not depend on the order of the texts.
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        if unit == "char" and (size is None or len(ranked) <= size - len(special)):
            ranked.sort()
        return cls(special + tuple(ranked if size is None else ranked[: size - len(special)]), unit)

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: place for place, token in enumerate(self.tokens) if token != PADDING}

    @property
    def unknown(self) -> int:
        """The id of every token that is not in the vocabulary."""
        return self._ids[UNKNOWN]

    def split(self, text: str) -> list[str]:
        """Return the tokens of `text`, known or not."""
        return _SPLIT[self.unit](text)

    def encode(self, text: str) -> list[int]:
        """Return the ids of the tokens of `text`."""
        ids, unknown = self._ids, self.unknown
        return [ids.get(token, unknown) for token in self.split(text)]

    def ids_of(self, tokens: Iterable[str]) -> np.ndarray:
        """Return the (N,) int32 ids of `tokens`, the unknown token's where they are not in the vocabulary."""
        ids = {**self._ids, PADDING: 0}
        return np.array([ids.get(token, self.unknown) for token in tokens], np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text that `ids` stand for; padding is left out.

        Raises:
            DataError: an id is not in the vocabulary.
        """
        places = list(map(int, ids))
        if places and not 0 <= min(places) <= max(places) < len(self):
            raise DataError(f"an id is outside the vocabulary of {len(self)} tokens")
        tokens = [self.tokens[place] for place in places]
        if self.unit == "char":
            return "".join(tokens)
        text = " ".join(token for token in tokens if token != PADDING)
        return text if self.unit == "word" else _NO_SPACE_BEFORE.sub(r"\1", text)

    def encode_rows(self, texts: Iterable[str], length: int) -> np.ndarray:
        """Return the ids of `texts` as (N, length) int32, padded and truncated at the front.

        A text without any known or unknown word becomes one unknown word, so that no row is all padding.
        """
        return pad_front([self.encode(text) or [self.unknown] for text in texts], length)

    def to_json(self) -> str:
        """Return the vocabulary as JSON text."""
        return json.dumps({"unit": self.unit, "tokens": self.tokens}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Vocabulary:
        """Return the vocabulary that `to_json` wrote.

        Raises:
            DataError: the text is not such a vocabulary.
        """
        try:
            stored = json.loads(text)
            vocabulary = cls(tuple(stored["tokens"]), stored["unit"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"not a vocabulary that kerazoo wrote: {error}") from None
        if vocabulary.unit not in _SPLIT or UNKNOWN not in vocabulary.tokens:
            raise DataError("not a vocabulary that kerazoo wrote: no unknown token, or an unknown unit")
        return vocabulary


def pad_front(rows: Iterable[Iterable[int]], length: int) -> np.ndarray:
    """Return `rows` of ids as (N, length) int32: the last `length` of each, with 0 before the shorter ones."""
    rows = list(rows)
    padded = np.zeros((len(rows), length), np.int32)
    for place, row in enumerate(rows):
        last = np.asarray(row, np.int32)[-length:]
        padded[place, length - len(last) :] = last
    return padded
