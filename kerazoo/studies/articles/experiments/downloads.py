"""The files that the articles' programs download through Keras, made from the data sets that TFDS prepared.

They have the names, arrays, shapes and types of the original files, and Keras's own `load_data` reads them. What
differs: the order of the examples is that of TFDS, and the word ids of IMDb are counted anew, since TFDS has the texts
and not the ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kerazoo import Setting
from kerazoo.lazy import np
from kerazoo.studies.articles.experiments import keras_ids
from kerazoo.studies.articles.experiments.parts import data_of

MNIST = "mnist.npz is made of TFDS's mnist: uint8 pictures (60000, 28, 28) and (10000, 28, 28), and their labels."
IMDB = (
    "imdb.npz is made of TFDS's imdb_reviews: lists of ids, a word's place among those of the training reviews by "
    "their number, lower case and without punctuation, as Keras's file has them."
)
SHAKESPEARE = "shakespeare.txt is the three splits of TFDS's tiny_shakespeare, one after the other."
FEW_REVIEWS = 1000


def mnist(folder: Path, setting: Setting, whole: bool) -> None:
    """Write mnist.npz into `folder`."""
    data: Any = data_of("mnist_mlp", setting)
    arrays = {}
    for split, x, y in (("train", data.x_train, data.y_train), ("test", data.x_test, data.y_test)):
        arrays[f"x_{split}"] = np.rint(x * 255).astype(np.uint8).reshape(-1, 28, 28)
        arrays[f"y_{split}"] = y.astype(np.uint8)
    np.savez(folder / "mnist.npz", **arrays)


def imdb(folder: Path, setting: Setting, whole: bool) -> None:
    """Write imdb.npz into `folder`, with all reviews or, not `whole`, with the first `FEW_REVIEWS` of each split.

    The words of all training reviews are counted. One that only test reviews have is left out, as in Keras's file.
    """
    splits = {split: keras_ids.reviews(split, setting.data_dir) for split in ("train", "test")}
    known = keras_ids.ranks(splits["train"][0])
    arrays: dict[str, Any] = {}
    for split, (texts, labels) in splits.items():
        kept = len(texts) if whole else FEW_REVIEWS
        ids = np.empty(kept, object)
        for place, text in enumerate(texts[:kept]):
            ids[place] = keras_ids.ranks_of(text, known)
        arrays[f"x_{split}"] = ids
        arrays[f"y_{split}"] = labels[:kept].astype(np.int64)
    np.savez(folder / "imdb.npz", **arrays)


def shakespeare(folder: Path, setting: Setting, whole: bool) -> None:
    """Write shakespeare.txt into `folder`."""
    splits = ("train", "validation", "test")
    (folder / "shakespeare.txt").write_bytes(
        b"".join(example["text"] for split in splits for example in _examples("tiny_shakespeare", split, setting))
    )


def _examples(name: str, split: str, setting: Setting) -> Iterator[dict[str, Any]]:
    """Return the examples of a split in their stored order."""
    import tensorflow_datasets as tfds

    yield from tfds.as_numpy(tfds.load(name, split=split, data_dir=setting.data_dir))
