"""Pictures with classes: any size, grey or in colour, and handwritten digits in the form of MNIST."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from kerazoo.data import mnist
from kerazoo.data.digits import as_digit
from kerazoo.data.forms import is_raw
from kerazoo.data.own import read_image_folder
from kerazoo.data.pictures import as_pixels, picture_forms, pictures_in, read_picture, scaled
from kerazoo.data.vocabulary import Vocabulary
from kerazoo.errors import DataError, InputError
from kerazoo.lazy import np, tf
from kerazoo.printable import printable
from kerazoo.tasks.files import LARGEST_STREAM, array_file, is_pipe, opened
from kerazoo.tasks.items import Input, Item, as_array, or_error
from kerazoo.tasks.known import register_task
from kerazoo.tasks.task import Task


@dataclass(frozen=True)
class Pictures(Task):
    """Pictures of one size, float32 from 0 to 1.

    Attributes:
        shape: (H, W, C), with C = 1 for grey levels and 3 for red, green and blue. Pictures of another size are cut to
            these proportions about their middle, and scaled.
        flat: whether models take (N, H * W * C), in place of (N, H, W, C).
    """

    shape: tuple[int, int, int] = (28, 28, 1)
    flat: bool = False

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1 or self.shape[2] not in (1, 3):
            raise InputError(f"task '{self.name}': shape={self.shape!r}; wanted (height, width, 1 or 3)")

    pipeline: ClassVar[str] = "image-classification"
    takes: ClassVar[str] = "pictures, folders of them, .npy and .npz files"
    own: ClassVar[str] = "a folder with a folder of pictures for each class"

    def encode(self, x: Any, options: Mapping[str, Any], vocabulary: Vocabulary | None) -> Any:
        """Return pictures, uint8 or float from 0 to 1, as float32: (N, H, W, C), or (N, H * W * C) where `flat`."""
        return as_pixels(x, self.shape, self.flat)

    def is_encoded(self, x: Any) -> bool:
        """Tell whether pictures are float already; those of another dtype are yet to be scaled."""
        return not is_raw(x) and np.asarray(x).dtype.kind == "f"

    def encode_stream(self, batches: Any) -> Any:
        """Return batches of pictures likewise."""
        return batches.map(self._encode_batch)

    def _encode_batch(self, x: Any, *rest: Any) -> tuple[Any, ...]:
        if x.shape.rank is not None and tuple(x.shape[1:]) in picture_forms(self.shape):
            x = tf.reshape(x, (-1, math.prod(self.shape)) if self.flat else (-1, *self.shape))
        return (tf.cast(x, tf.float32) / (255 if x.dtype == tf.uint8 else 1), *rest)

    def read(self, path: Path, **how: Any) -> Any:
        """Return the pictures in the folders below `path`, a class each; `how` as of `kerazoo.read_image_folder`.

        Raises:
            DataError: it is no such directory.
            InputError: `how` names columns.
        """
        if {"text", "label"} & set(how):
            raise InputError("pictures are told apart by their folders; the columns of a table are for a CSV of texts")
        if path.exists() and not path.is_dir():
            raise DataError(f"'{path}' is a file; this model takes {self.own}")
        return read_image_folder(path, read=self._read_file, **how)

    def _read_file(self, file: Path) -> Any:
        return self.form(read_picture(file, str(file), self._colour), str(file))

    @property
    def _colour(self) -> bool:
        return self.shape[2] == 3

    def form(self, levels: np.ndarray, name: str) -> Any:
        """Return one picture of any size, (h, w) or (h, w, 3) from 0 to 1, as a model takes it."""
        channels = levels if levels.ndim == 3 else levels[..., None]
        channels = np.repeat(channels, 3, 2) if self._colour and channels.shape[2] == 1 else channels
        channels = channels if self._colour else channels.mean(2, keepdims=True)
        return as_pixels(scaled(channels, *self.shape[:2])[None], self.shape, self.flat)[0]

    def each(self, given: Any, name: str) -> Iterator[Item]:
        """Yield the pictures of a path, bytes, an open file, Pillow's image or an array."""
        if isinstance(given, (str, os.PathLike)):
            if not os.fspath(given):
                raise DataError("an input is an empty text; name a picture")
            yield from self._files(Path(given), printable(given))
        elif isinstance(given, bytes):
            yield from self._content(given, name)
        elif hasattr(given, "read"):
            yield from self._content(given.read(LARGEST_STREAM + 1), printable(getattr(given, "name", name)))
        elif hasattr(given, "getbands"):
            yield self._picture(given, name)  # Pillow's: as the same picture in a file
        else:
            yield from self._array(as_array(given, name), name)

    def _picture(self, source: Any, name: str) -> Item:
        return Item(name, self.form(read_picture(source, name, self._colour), name))

    def _pictures(self, source: Any, name: str) -> Iterator[Item]:
        yield self._picture(source, name)

    def _files(self, path: Path, name: str) -> Iterator[Item]:
        if os.path.isdir(path):  # noqa: PTH112 (Path raises for a text that no path can be)
            for file in pictures_in(path):
                yield from or_error(printable(file), self._pictures(file, printable(file)))
        elif is_pipe(path):
            with opened(path) as pipe:
                yield from self._content(pipe.read(LARGEST_STREAM + 1), name)
        elif path.suffix in (".npy", ".npz"):
            yield from self._array(array_file(path, name), name)
        else:
            yield self._picture(path, name)

    def _content(self, content: bytes, name: str) -> Iterator[Item]:
        if len(content) > LARGEST_STREAM:
            raise DataError(f"{name} is larger than {LARGEST_STREAM // 2**20} MB; give the file by its name")
        if not content:
            raise DataError(f"{name} is empty; wanted a picture")
        file = io.BytesIO(content)
        if content.startswith((b"\x93NUMPY", b"PK\x03\x04")):
            yield from self._array(array_file(file, name), name)
        else:
            yield self._picture(file, name)

    def _array(self, array: np.ndarray, name: str) -> Iterator[Item]:
        """Pictures of the model's size are taken as they are; another size is one picture, to be brought to it."""
        shape, forms = array.shape, picture_forms(self.shape)
        encode = partial(as_pixels, shape=self.shape, flat=self.flat)
        if shape in forms:
            yield Item(name, encode(array[None])[0])
        elif shape[1:] in forms:
            for place in range(len(array)):
                yield Item(f"{name}[{place}]", encode(array[place : place + 1])[0])
        elif array.size and (array.ndim == 2 or (array.ndim == 3 and shape[2] in (3, 4))):
            if array.dtype.kind not in "fiub":
                raise DataError(f"{name} is of dtype {array.dtype}; wanted a picture of numbers")
            yield Item(name, self.form(self._levels(array if array.ndim == 2 else array[..., :3], name), name))
        else:
            wanted = ", ".join(str(form) for form in (*forms, ("N", *forms[0]), ("H", "W"))).replace("'", "")
            raise DataError(f"{name} has shape {shape}; wanted pictures {wanted}")

    def _levels(self, array: np.ndarray, name: str) -> Any:
        """Return an array of another size with levels from 0 to 1."""
        return as_pixels(array[None], (*array.shape, 1)[:3], flat=False)[0]

    def shown(self, given: Input) -> Any:
        """Return the picture that the model saw: (H, W), or (H, W, 3)."""
        return np.reshape(given.row, self.shape if self._colour else self.shape[:2])


@dataclass(frozen=True)
class Digits(Pictures):
    """Pictures of one digit each, dark on light or light on dark, centred and scaled as MNIST was."""

    flat: bool = True

    def __post_init__(self) -> None:
        if (self.shape, self.flat) != ((28, 28, 1), True):
            raise InputError(f"task '{self.name}': digits are rows of 28 x 28 grey levels; take Pictures for others")

    def form(self, levels: np.ndarray, name: str) -> np.ndarray:
        """Return a picture of any size in the form of MNIST, (784,)."""
        return as_digit(levels, name)

    def _levels(self, array: np.ndarray, name: str) -> np.ndarray:
        return array  # of any range: the ground tells what is ink


register_task(Digits("mnist", mnist.load, tuple("0123456789"), "pictures of handwritten digits", real="mnist"))
