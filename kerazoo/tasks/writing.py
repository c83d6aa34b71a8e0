"""Writing: models that go on with a text, a character or a word after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from kerazoo.data import text
from kerazoo.data.dataset import Dataset
from kerazoo.data.vocabulary import Vocabulary, check_words
from kerazoo.errors import InputError
from kerazoo.tasks.known import register_task
from kerazoo.tasks.task import Task

_LOOKED_AT = 100_000  # characters from which the share of known ones is told


@dataclass(frozen=True)
class Writing(Task):
    """Windows of a text, (N, T) int32 ids, and the id that follows each, (N,) int32; one's own text is a str."""

    pipeline: ClassVar[str] = "text-generation"
    generates: ClassVar[bool] = True
    takes: ClassVar[str] = "a prompt (kerazoo generate)"
    own: ClassVar[str] = "a UTF-8 text file"

    def _given(self, data: Any, options: Mapping[str, Any], vocabulary: Vocabulary | None) -> Dataset:
        if not isinstance(data, str):
            return super()._given(data, options, vocabulary)
        if vocabulary:
            check_words([data[:_LOOKED_AT]], vocabulary)
        names = ("unit", "sequence_length", "stride", "max_vocabulary")
        chosen = {name: options[name] for name in names if name in options}
        return text.windows(text.split(data), "text", "user", "user", **chosen, vocabulary=vocabulary)

    def read(self, path: Path, **how: Any) -> str:
        """Return the text of the file.

        Raises:
            DataError: it is missing, empty or not UTF-8.
        """
        if {"text", "label"} & set(how):
            raise InputError("a text file has no columns; leave --text-column and --label-column out")
        return text.read_file(path)


_SUMMARY = "tiny Shakespeare, or a text of one's own, to go on with"
register_task(Writing("text", text.load, summary=_SUMMARY, real="tiny_shakespeare"))
