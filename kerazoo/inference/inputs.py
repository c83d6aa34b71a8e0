"""What people give to `predict`, one input at a time: texts, pictures, arrays, files of them, open files.

Nothing is held but the input at hand, so that a file may be larger than the memory.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from kerazoo.data import mnist
from kerazoo.data.pictures import as_digit, pictures_in, read_picture
from kerazoo.errors import DataError
from kerazoo.lazy import np

LONGEST_LINE = 2**24  # bytes of one text in a file
LARGEST_STREAM = 2**26  # bytes of a picture or an array from standard input
LARGEST_ARCHIVE = 2**31  # bytes of the arrays in an .npz, which are unpacked into memory
_SHOWN = 60  # characters of a text in its name


class Item(NamedTuple):
    """One input: what to call it, and a text or a row of numbers."""

    name: str
    value: Any


def items(kind: str | None, inputs: Any) -> Iterator[Item]:
    """Yield the single inputs of `inputs` for a model whose data set is `kind`.

    Args:
        kind: "mnist" for pictures of digits, "imdb" for text, anything else for rows of numbers.
        inputs: one input or an iterable of them; `kerazoo.predict` says which there are.

    Raises:
        DataError: an input cannot be read; those before it have been yielded.
    """
    several = isinstance(inputs, Iterable) and not isinstance(inputs, (str, bytes, os.PathLike)) and not _single(inputs)
    each = {"mnist": _pictures, "imdb": _texts}.get(kind or "", _rows)
    if isinstance(inputs, list) and inputs and isinstance(inputs[0], (int, float)):
        several, inputs = False, _array(inputs, "input 0")
    count = 0
    for place, one in enumerate(inputs if several else [inputs]):
        for item in each(one, f"input {place}"):
            count += 1
            yield item
    if not count:
        raise DataError("there is nothing to predict; give at least one input")


def _single(given: Any) -> bool:
    return hasattr(given, "__array__") or hasattr(given, "read")


def _texts(given: Any, name: str) -> Iterator[Item]:
    if isinstance(given, bytes):
        given = _decoded(given, name)
    if isinstance(given, str):
        yield Item(_shortened(given), _checked(given, name))
    elif isinstance(given, os.PathLike):
        with _opened(Path(given)) as file:
            yield from _lines(file, _printable(given))
    elif hasattr(given, "read"):
        yield from _lines(given, _printable(getattr(given, "name", name)))
    else:
        yield from _rows(given, name)


def _lines(file: IO[bytes], name: str) -> Iterator[Item]:
    number = count = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        where = f"{name}:{number}"
        if len(line) > LONGEST_LINE:
            raise DataError(f"{where} is longer than {LONGEST_LINE // 2**20} MB; wanted one text a line")
        text = _decoded(line, where).removeprefix("\ufeff").strip()
        if text:
            count += 1
            yield Item(where, _checked(text, where))
    if not count:
        raise DataError(f"'{name}' holds no text; wanted one a line")


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not UTF-8 text (byte {error.start}); wanted text") from None


def check_unicode(text: str, name: str) -> None:
    """Refuse a text that no file could hold, such as a word of a command line that is not UTF-8.

    Raises:
        DataError: it has surrogates.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{name} is not Unicode text: character {error.start} is half a character") from None


def _checked(text: str, name: str) -> str:
    check_unicode(text, name)
    if not text.strip():
        raise DataError(f"{name} is an empty text; wanted a text with words")
    if "\0" in text:
        raise DataError(f"{name} holds the byte 0, which no text does; wanted text")
    return text


def _shortened(text: str) -> str:
    line = " ".join(text[: 2 * _SHOWN].split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _printable(name: Any) -> str:
    """Return the name of a file, which need not be UTF-8, as text that is."""
    return str(name).encode("utf-8", "replace").decode()


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror}") from None


def _pictures(given: Any, name: str) -> Iterator[Item]:
    if isinstance(given, (str, os.PathLike)):
        if not os.fspath(given):
            raise DataError("an input is an empty text; name a picture")
        yield from _picture_files(Path(given), _printable(given))
    elif isinstance(given, bytes):
        yield from _picture_bytes(given, name)
    elif hasattr(given, "read"):
        yield from _picture_bytes(given.read(LARGEST_STREAM + 1), _printable(getattr(given, "name", name)))
    elif hasattr(given, "getbands"):
        yield _picture(given, name)  # Pillow's: as the same picture in a file
    else:
        yield from _picture_array(_array(given, name), name)


def _picture(source: Any, name: str) -> Item:
    return Item(name, as_digit(read_picture(source, name), name))


def _picture_files(path: Path, name: str) -> Iterator[Item]:
    if os.path.isdir(path):  # noqa: PTH112 (Path raises for a text that no path can be)
        yield from (_picture(file, _printable(file)) for file in pictures_in(path))
    elif path.suffix in (".npy", ".npz"):
        yield from _picture_array(_array_file(path, name), name)
    else:
        yield _picture(path, name)


def _picture_bytes(content: bytes, name: str) -> Iterator[Item]:
    if len(content) > LARGEST_STREAM:
        raise DataError(f"{name} is larger than {LARGEST_STREAM // 2**20} MB; give the file by its name")
    if not content:
        raise DataError(f"{name} is empty; wanted a picture")
    file = io.BytesIO(content)
    if content.startswith((b"\x93NUMPY", b"PK\x03\x04")):
        yield from _picture_array(_array_file(file, name), name)
    else:
        yield _picture(file, name)


def _picture_array(array: np.ndarray, name: str) -> Iterator[Item]:
    """Pictures as in MNIST are taken as they are; another size is one picture, to be brought to that form."""
    shape = array.shape
    if shape in ((784,), (28, 28), (28, 28, 1)):
        yield Item(name, mnist.as_pixels(array[None])[0])
    elif shape[1:] in ((784,), (28, 28), (28, 28, 1)):
        for place in range(len(array)):
            yield Item(f"{name}[{place}]", mnist.as_pixels(array[place : place + 1])[0])
    elif array.ndim == 2 and array.size or array.ndim == 3 and shape[2] in (3, 4) and array.size:
        if array.dtype.kind not in "fiub":
            raise DataError(f"{name} is of dtype {array.dtype}; wanted a picture of numbers")
        yield Item(name, as_digit(array if array.ndim == 2 else array[..., :3], name))
    else:
        raise DataError(f"{name} has shape {shape}; wanted pictures (28, 28), (N, 28, 28), (N, 784) or (H, W)")


def _array_file(source: Path | IO[bytes], name: str) -> np.ndarray:
    """Return the array of an .npy file, mapped into memory where it has a path, or the one of an .npz file."""
    try:
        if zipfile.is_zipfile(source):
            return _archived(source, name)
        if not isinstance(source, Path):
            source.seek(0)
        return np.load(source, mmap_mode="r" if isinstance(source, Path) else None, allow_pickle=False)
    except DataError:
        raise
    except Exception as error:  # zip archives, what packs them, and NumPy raise whatever they met first
        reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).split("\n")[0]
        raise DataError(f"'{name}' cannot be read as arrays: {reason}") from None


def _archived(source: Path | IO[bytes], name: str) -> np.ndarray:
    with zipfile.ZipFile(source) as archive:
        if sum(one.file_size for one in archive.infolist()) > LARGEST_ARCHIVE:
            raise DataError(f"'{name}' unpacks to more than {LARGEST_ARCHIVE // 2**30} GB; save the array as .npy")
    if not isinstance(source, Path):
        source.seek(0)
    with np.load(source, allow_pickle=False) as arrays:
        chosen = [one for one in ("x", "x_test", "images") if one in arrays.files] or arrays.files
        if not chosen or (len(arrays.files) > 1 and len(chosen) == len(arrays.files)):
            raise DataError(
                f"'{name}' holds the arrays {', '.join(arrays.files) or 'none'}; wanted one, or one named x"
            )
        return arrays[chosen[0]]


def _array(given: Any, name: str) -> np.ndarray:
    try:
        return np.asarray(given)
    except ValueError:
        raise DataError(f"{name} is of rows of different lengths; wanted one array") from None


def _rows(given: Any, name: str) -> Iterator[Item]:
    array = _array(given, name)
    if array.dtype.kind not in "fiub" or array.ndim not in (1, 2):
        raise DataError(f"{name} is {array.dtype} of shape {array.shape}; wanted a row of numbers, or rows")
    for place, row in enumerate(np.atleast_2d(array)):
        yield Item(name if array.ndim == 1 else f"{name}[{place}]", row)


def from_arguments(kind: str | None, arguments: Iterable[str], standard_input: IO[bytes]) -> list[Any]:
    """Return what the words of a command line stand for: "-" for standard input, a file's name for the file.

    Raises:
        DataError: what is clearly meant as the name of a text file names none.
    """
    return [standard_input if one == "-" else _from_argument(kind, one) for one in arguments]


def _from_argument(kind: str | None, argument: str) -> Any:
    if kind != "imdb":
        return argument
    named = not any(letter.isspace() for letter in argument)
    if named and os.path.isdir(argument):  # noqa: PTH112 (Path raises for a text that no path can be)
        raise DataError(f"'{argument}' is a directory; wanted a text, or a file with one text a line")
    if os.path.isfile(argument):  # noqa: PTH113
        return Path(argument)
    if named and argument.lower().endswith((".txt", ".text", ".csv", ".tsv", ".md", ".json", ".jsonl")):
        raise DataError(f"'{argument}' is not a file; wanted a text, or a file with one text a line")
    return argument
