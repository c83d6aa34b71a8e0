"""IMDb: 25,000 training and 25,000 test film reviews, half of them positive (Maas et al. 2011)."""

from __future__ import annotations

import os
import random
from typing import Any

from kerazoo.data.cache import cached
from kerazoo.data.dataset import Dataset
from kerazoo.data.prepared import Prepared, prepare
from kerazoo.data.vocabulary import Vocabulary
from kerazoo.lazy import np

BUILDER, HOST = "imdb_reviews/plain_text", "ai.stanford.edu"


def load(
    *,
    data_dir: str | os.PathLike[str] | None = None,
    source: str = "auto",
    vocab_size: int = 20_000,
    sequence_length: int = 100,
) -> Dataset:
    """Return IMDb with reviews as (N, sequence_length) int32 word ids and labels as (N,) int32, 1 for positive.

    Ids are those of the `vocab_size` most frequent words of the training split, padded and truncated at the front
    (document 001, section 5.2). The sample is made-up sentences in the manner of reviews.
    """
    prepared = prepare(BUILDER, HOST, data_dir, source)
    key = {"vocab_size": vocab_size, "sequence_length": sequence_length}
    if prepared:
        arrays = cached(
            "imdb",
            {**key, "fingerprint": prepared.fingerprint},
            lambda: _encode(_read(prepared, "train"), _read(prepared, "test"), **key),
        )
    else:
        arrays = _encode(_sentences(2_000, seed=0), _sentences(500, seed=1), **key)
    return Dataset(
        name="imdb",
        version=prepared.version if prepared else "generated",
        source="tfds" if prepared else "sample",
        x_train=arrays["x_train"],
        y_train=arrays["y_train"],
        x_test=arrays["x_test"],
        y_test=arrays["y_test"],
        vocabulary=Vocabulary.from_json(arrays["vocabulary"].tobytes().decode()),
    )


Reviews = tuple[list[str], list[int]]


def _read(prepared: Prepared, split: str) -> Reviews:
    examples = list(prepared.read(split))
    return [example["text"].decode() for example in examples], [int(example["label"]) for example in examples]


def _encode(train: Reviews, test: Reviews, vocab_size: int, sequence_length: int) -> dict[str, Any]:
    vocabulary = Vocabulary.learn(train[0], "word", vocab_size)
    return {
        "x_train": vocabulary.encode_rows(train[0], sequence_length),
        "y_train": np.array(train[1], np.int32),
        "x_test": vocabulary.encode_rows(test[0], sequence_length),
        "y_test": np.array(test[1], np.int32),
        "vocabulary": np.frombuffer(vocabulary.to_json().encode(), np.uint8),
    }


_GOOD = ("wonderful", "moving", "brilliant", "funny", "gripping", "touching", "superb", "charming", "clever")
_BAD = ("dreadful", "boring", "clumsy", "dull", "awful", "tedious", "lifeless", "predictable", "shallow")
_PARTS = ("acting", "plot", "music", "script", "ending", "dialogue", "camera", "pace", "humour", "cast")
_KINDS = ("film", "comedy", "thriller", "drama", "western", "sequel", "romance", "documentary")
_FRAMES = (
    "The {part} of this {kind} is {word}.",
    "I found the {part} {word}, and my friends did too.",
    "What a {word} {kind}!",
    "Honestly, the {part} felt {word} from the first minute to the last.",
    "For a {kind} of its time the {part} is rather {word}.",
)


def _sentences(count: int, seed: int) -> Reviews:
    """Return made-up reviews: mostly words of their own side, some of the other, so that no single word decides."""
    choose = random.Random(seed)
    texts, labels = [], []
    for place in range(count):
        label = place % 2
        sides = (_GOOD, _BAD) if label else (_BAD, _GOOD)
        frames = choose.choices(_FRAMES, k=choose.randint(3, 9))
        lines = [
            frame.format(
                part=choose.choice(_PARTS),
                kind=choose.choice(_KINDS),
                word=choose.choice(sides[choose.random() < 0.25]),
            )
            for frame in frames
        ]
        texts.append(" ".join(lines))
        labels.append(label)
    return texts, labels
