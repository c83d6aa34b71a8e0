"""The reviews as `keras.datasets.imdb` gives them: word ids made anew from the texts, by what Keras documents.

Keras's file holds ranks: the words of the 25,000 training reviews by how often they occur there, 1 for the most
frequent. `load_data` adds 3, puts 1 before each review, and has 2 for what is not below `num_words`; a word of a test
review that no training review has was left out. Words are lower case, parted by spaces and by the punctuation that
Keras's `Tokenizer` takes out, which parts `<br />` to the word "br". Words of equal frequency come in the order in
which they first occur; that of Keras's file is not known, so that ids of rare words may be exchanged.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from kerazoo import Dataset, spec
from kerazoo.lazy import keras, np

_START, _OTHER, _OFFSET = 1, 2, 3
_APART = str.maketrans(dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', " "))
# The first of Keras's training reviews, as it is printed wherever the data set is explained: text and ids.
_KNOWN = "this film was just brilliant casting location scenery story direction everyone's really suited the part they"
_KNOWN_IDS = (1, 14, 22, 16, 43, 530, 973, 1622, 1385, 65, 458, 4468, 66, 3941, 4, 173, 36)


def encoded(data: Dataset, data_dir: str | None) -> tuple[Dataset, dict[str, Any]]:
    """Return the reviews of `data` with Keras's ids in place of ours, and how these agree with the known ones.

    The number of words and the length of a review stay.
    """
    splits = {split: reviews(split, data_dir) for split in ("train", "test")}
    known = ranks(splits["train"][0])
    size, length = (spec("imdb_lstm").defaults[name] for name in ("vocab_size", "sequence_length"))
    rows = {
        split: keras.utils.pad_sequences([ids_of(text, known, size) for text in texts], maxlen=length)
        for split, (texts, _) in splits.items()
    }
    apart = [abs(a - b) for a, b in zip(ids_of(_KNOWN, known, size), _KNOWN_IDS, strict=True)]
    evidence = {
        "words": len(known),
        "known_ids": len(_KNOWN_IDS),
        "known_ids_that_agree": apart.count(0),
        "farthest_from_a_known_id": max(apart),
        "padded_reviews": float(np.mean(rows["train"][:, 0] == 0)),
    }
    arrays = {f"x_{split}": rows[split] for split in rows} | {f"y_{split}": splits[split][1] for split in rows}
    return dataclasses.replace(data, vocabulary=None, **arrays), evidence


def reviews(split: str, data_dir: str | None) -> tuple[list[str], Any]:
    """Return the texts of a split and the labels, (N,) int32."""
    import tensorflow_datasets as tfds

    found = tfds.as_numpy(tfds.load("imdb_reviews", split=split, data_dir=data_dir, batch_size=-1))
    return [text.decode() for text in found["text"]], found["label"].astype(np.int32)


def words_of(text: str) -> list[str]:
    """Return the words of a review."""
    return [word for word in text.lower().translate(_APART).split(" ") if word]


def ranks(texts: Iterable[str]) -> dict[str, int]:
    """Return the rank of each word of `texts` by frequency, from 1 up; of equal ones the first to occur is first."""
    counts = Counter(word for text in texts for word in words_of(text))
    return {word: rank for rank, (word, _) in enumerate(counts.most_common(), start=1)}


def ranks_of(text: str, known: Mapping[str, int]) -> list[int]:
    """Return what Keras's file has of a review: the ranks of its words, without those that are not `known`."""
    return [known[word] for word in words_of(text) if word in known]


def ids_of(text: str, known: Mapping[str, int], size: int) -> list[int]:
    """Return what `load_data(num_words=size)` makes of that."""
    ids = [rank + _OFFSET for rank in ranks_of(text, known)]
    return [_START, *(one if one < size else _OTHER for one in ids)]
