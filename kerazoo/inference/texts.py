"""Prompts to ids, and ids to text as they are written."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

from kerazoo.data import Vocabulary
from kerazoo.inference.decoding import LONGEST_PROMPT
from kerazoo.lazy import np

_TAIL = 64 * LONGEST_PROMPT  # characters of a prompt that are split into words at most
_NAMED = 10  # unknown tokens that a warning names


def encode_prompts(prompts: Sequence[str], vocabulary: Vocabulary) -> list[list[int]]:
    """Return the last ids of each prompt, at most LONGEST_PROMPT and at least one: `start_token` for an empty text.

    Warns once, by a UserWarning that names them, of what the vocabulary does not know.
    """
    size = LONGEST_PROMPT if vocabulary.unit == "char" else _TAIL
    rows, unknown = [], dict[str, None]()
    for prompt in prompts:
        tokens = vocabulary.split(prompt[-size:])[-LONGEST_PROMPT:]
        ids = vocabulary.ids_of(tokens).tolist()
        unknown |= {token: None for token, one in zip(tokens, ids, strict=True) if one == vocabulary.unknown}
        rows.append(ids or [start_token(vocabulary)])
    if unknown:
        named = ", ".join(map(repr, list(unknown)[:_NAMED]))
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        message = f"the model does not know {named}{more} of the prompt; it reads each as its unknown token"
        warnings.warn(message, UserWarning, stacklevel=4)
    return rows


def start_token(vocabulary: Vocabulary) -> int:
    """Return what a text without a prompt follows: the end of a line, else a space, else the first known token."""
    known = [one for one in vocabulary.ids_of(["\n", " "]).tolist() if one != vocabulary.unknown]
    return next(iter(known), min(vocabulary.unknown + 1, len(vocabulary) - 1))


def pad_rows(rows: Sequence[Sequence[int]], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `rows` as (count, longest) int32 and their lengths (count,), empty rows last."""
    lengths = np.zeros(count, np.int32)
    lengths[: len(rows)] = [len(row) for row in rows]
    padded = np.zeros((count, int(lengths.max())), np.int32)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded, lengths


class Writer:
    """The text of one row: joined to its prompt, ended before that of the `stop` texts which is whole first.

    `last` is the id that the text follows; `prompt` what stands before it. `done` once a stop text was met.
    """

    def __init__(self, vocabulary: Vocabulary, prompt: str, last: int, stop: Iterable[str] = ()) -> None:
        self._vocabulary, self._last, self._stop = vocabulary, last, tuple(stop)
        self._held, self._at_space = "", not prompt or prompt[-1].isspace()
        self.done = False

    def add(self, ids: Sequence[int]) -> str:
        """Return what is certain of the text when `ids` follow; the rest, perhaps the begin of a stop text, is held."""
        if self.done or not len(ids):
            return ""
        text = self._held + self._joined(list(ids))
        ends = [(place + len(stop), place) for stop in self._stop if (place := text.find(stop)) >= 0]
        if ends:
            self.done, self._held = True, ""
            return text[: min(ends)[1]]
        keep = max((len(stop) - 1 for stop in self._stop), default=0)
        cut = max(0, len(text) - keep)
        self._held = text[cut:]
        return text[:cut]

    def finish(self) -> str:
        """Return what was held, when nothing more follows."""
        held, self._held = self._held, ""
        return held

    def _joined(self, ids: list[int]) -> str:
        """The text of `ids` after the last id; words get the space between them."""
        decode = self._vocabulary.decode
        text = decode([self._last, *ids])[len(decode([self._last])) :]
        if self._at_space and self._vocabulary.unit == "token":
            text = text.removeprefix(" ")
        self._at_space, self._last = False, ids[-1]
        return text
