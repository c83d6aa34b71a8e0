"""Text to ids and back. A vocabulary is learned on the training split and travels with the model."""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from kerazoo.errors import DataError, InputError, UnavailableError
from kerazoo.lazy import np

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
PADDING = ""
_FEW, _SOME = 0.1, 0.25  # shares of known words below which texts are refused, and warned of
_SHOWN = 60  # characters of a word in an error

# Line breaks of web pages, and the punctuation that separates words; the apostrophe belongs to the word.
_MARKUP = re.compile(r"<br\s*/?>", re.IGNORECASE)
_NO_WORD = str.maketrans(dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n\r', " "))
_TOKEN = re.compile(r"\w+(?:['’]\w+)*|\n|[^\w\s]")
_NO_SPACE_BEFORE = re.compile(r" ([,.;:!?)\]}’'\n])|(?<=[\n(\[{]) ")

# Scripts whose words no spaces part: Thai, Lao, Myanmar, Khmer; kana, bopomofo, Han.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
_UNSPACED += "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_LETTER = re.compile(r"\w")
_CHARACTER = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+(?:['’](?:(?![{_UNSPACED}])\w)+)*")


def _words(text: str) -> list[str]:
    return _MARKUP.sub(" ", text).lower().translate(_NO_WORD).split()


def _characters(text: str) -> list[str]:
    return _CHARACTER.findall(_MARKUP.sub(" ", text).lower())


def _segments(text: str) -> list[str]:
    return [str(one) for one in _jieba().lcut(text)]


def _segmented_words(text: str) -> list[str]:
    return [one for one in _segments(_MARKUP.sub(" ", text).lower()) if _LETTER.search(one)]


def _jieba() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what its source would be to a newer Python
            import jieba
    except ImportError:
        raise UnavailableError("Chinese words need the package jieba: pip install 'kerazoo[chinese]'") from None
    jieba.setLogLevel("WARNING")  # else it tells on standard error that it reads its dictionary
    return jieba


def _joined(tokens: list[str]) -> str:
    return _NO_SPACE_BEFORE.sub(r"\1", " ".join(tokens))


class _Unit(NamedTuple):
    """What a text is split into, and joined from; `padded` ones are what classifiers read, with padding as id 0."""

    split: Callable[[str], list[str]]
    join: Callable[[list[str]], str]
    padded: bool


_UNITS = {
    "char": _Unit(list, "".join, False),  # every character stands for itself
    "token": _Unit(_TOKEN.findall, _joined, False),  # words, marks and line ends as they are: what a generator writes
    "segment": _Unit(_segments, "".join, False),  # the same where no spaces part words, by jieba
    "word": _Unit(_words, " ".join, True),  # lower case, no punctuation: what a review classifier reads
    "character": _Unit(_characters, " ".join, True),  # the same, and each character of scripts without spaces is one
    "jieba": _Unit(_segmented_words, " ".join, True),  # the same, and Chinese words by jieba
}


def is_unspaced(texts: Iterable[str]) -> bool:
    """Tell whether a fifth or more of the letters of `texts` are of scripts that put no spaces between words."""
    unspaced = letters = 0
    for text in texts:
        unspaced += len(_IS_UNSPACED.findall(text))
        letters += len(_LETTER.findall(text))
    return 5 * unspaced >= letters > 0


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that a model knows; the id of a token is its place.

    `unit` is what a text is split into. For generators: "char", "token" (words and marks) or "segment" (the same of
    Chinese, by jieba); these begin with the unknown token (id 0). For classifiers, lower case without punctuation:
    "word", "character" (words, but each character of Chinese, Japanese, Thai and other scripts without spaces) or
    "jieba" (Chinese words); these begin with padding (id 0) and the unknown word (id 1).
    """

    tokens: tuple[str, ...]
    unit: str

    @classmethod
    def learn(cls, texts: Iterable[str], unit: str, size: int | None = None) -> Vocabulary:
        """Learn the `size` most frequent tokens (None: all) of `texts`, special ones included.

        Raises:
            InputError: `unit` is unknown or `size` leaves no room for a token.
        """
        if unit not in _UNITS:
            raise InputError(f"unit={unit!r}: wanted one of {', '.join(_UNITS)}")
        special = (PADDING, UNKNOWN) if _UNITS[unit].padded else (UNKNOWN,)
        if size is not None and size <= len(special):
            raise InputError(f"a vocabulary of {size} has no room for a token; wanted more than {len(special)}")
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_UNITS[unit].split(text))
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
    def padded(self) -> bool:
        """Whether it is a classifier's: texts are rows of one length, padded with 0."""
        return _UNITS[self.unit].padded

    @property
    def unknown(self) -> int:
        """The id of every token that is not in the vocabulary."""
        return self._ids[UNKNOWN]

    def split(self, text: str) -> list[str]:
        """Return the tokens of `text`, known or not."""
        return _UNITS[self.unit].split(text)

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
        return _UNITS[self.unit].join([token for place in places if (token := self.tokens[place]) != PADDING])

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
        if vocabulary.unit not in _UNITS or UNKNOWN not in vocabulary.tokens:
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


def check_words(texts: Sequence[str], vocabulary: Vocabulary) -> None:
    """Warn of texts of which a model knows few words, or characters, and refuse those of which it knows hardly any.

    Raises:
        DataError: it knows less than a tenth of them.
    """
    words = [word for text in texts for word in vocabulary.split(text)]
    unknown = [word for word, one in zip(words, vocabulary.ids_of(words), strict=True) if one == vocabulary.unknown]
    share = 1 - len(unknown) / len(words) if words else 1.0
    if share >= _SOME:
        return
    known = f"the model knows {share:.0%} of the words or characters of these texts"
    told = f"{known}; '{unknown[0][:_SHOWN]}' it does not know"
    if share < _FEW:
        raise DataError(f"{told}. Train a new model, which learns their words: kerazoo train NAME --data FILE")
    warnings.warn(told, UserWarning, stacklevel=4)
