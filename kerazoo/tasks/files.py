"""Files, streams and bytes that people give as inputs: lines of text, arrays of NumPy; kinds and sizes checked."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from kerazoo.errors import DataError
from kerazoo.files import is_open_pipe, open_file
from kerazoo.lazy import np
from kerazoo.tasks.items import Item, or_error

LONGEST_LINE = 2**24  # bytes of one text in a file
LARGEST_STREAM = 2**26  # bytes of a picture or an array from a pipe
LARGEST_ARCHIVE = 2**31  # bytes of the arrays in an .npz, which are unpacked into memory


def is_pipe(path: Path) -> bool:
    """Tell whether `path` is a pipe that is open already.

    Raises:
        DataError: it is a device or another pipe: reading it might never end.
    """
    try:
        return is_open_pipe(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError, ValueError):  # said when it is opened
        return False
    except OSError as error:
        advice = "give what it holds on standard input, as -"
        raise DataError(f"'{path}' cannot be read: {error.strerror}; {advice}") from None


def opened(path: Path) -> IO[bytes]:
    """Return the file at `path`, of any size, open to be read.

    Raises:
        DataError: it cannot be read, or is no file.
    """
    is_pipe(path)
    try:
        return open_file(path, sys.maxsize, pipe=True)
    except (OSError, ValueError) as error:
        raise DataError(f"'{path}' cannot be read: {getattr(error, 'strerror', None) or error}") from None


def lines(file: IO[bytes], name: str) -> Iterator[Item]:
    """Yield the lines of a text file that are not empty, one text each.

    Raises:
        DataError: it has none, or one is so long that the rest cannot be found.
    """
    number, empty = 0, True
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        where = f"{name}:{number}"
        if len(line) > LONGEST_LINE:
            raise DataError(f"{where} is longer than {LONGEST_LINE // 2**20} MB; wanted one text a line")
        for item in or_error(where, _line(line, where)):
            empty = False
            yield item
    if empty:
        raise DataError(f"'{name}' holds no text; wanted one a line")


def _line(line: bytes, where: str) -> Iterator[Item]:
    text = decoded(line, where).removeprefix("\ufeff").strip()
    if text:
        yield Item(where, checked_text(text, where))


def decoded(content: bytes, name: str) -> str:
    """Return UTF-8 `content` as text.

    Raises:
        DataError: it is not UTF-8.
    """
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


def checked_text(text: str, name: str) -> str:
    """Return `text`, which is Unicode, not empty and without zero bytes.

    Raises:
        DataError: it is not.
    """
    check_unicode(text, name)
    if not text.strip():
        raise DataError(f"{name} is an empty text; wanted a text with words")
    if "\0" in text:
        raise DataError(f"{name} holds the byte 0, which no text does; wanted text")
    return text


def array_file(source: Path | IO[bytes], name: str) -> Any:
    """Return the array of an .npy file, mapped into memory where it has a path, or the one of an .npz file.

    Raises:
        DataError: it cannot be read, is too large, or holds several arrays.
    """
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


def _archived(source: Path | IO[bytes], name: str) -> Any:
    with zipfile.ZipFile(source) as archive:
        if sum(one.file_size for one in archive.infolist()) > LARGEST_ARCHIVE:
            raise DataError(f"'{name}' unpacks to more than {LARGEST_ARCHIVE // 2**30} GB; save the array as .npy")
    if not isinstance(source, Path):
        source.seek(0)
    with np.load(source, allow_pickle=False) as arrays:
        chosen = [one for one in ("x", "x_test", "images") if one in arrays.files] or arrays.files
        if not chosen or (len(arrays.files) > 1 and len(chosen) == len(arrays.files)):
            listed = ", ".join(arrays.files) or "none"
            raise DataError(f"'{name}' holds the arrays {listed}; wanted one, or one named x")
        return arrays[chosen[0]]


def numbers_of(given: str | os.PathLike[str]) -> Any:
    """Return the numbers of an .npy, .npz or .csv file, or those that a text has, separated by commas or spaces.

    Raises:
        DataError: there are none.
    """
    path = Path(given)
    try:
        if path.suffix in (".npy", ".npz"):
            opened(path).close()
            return array_file(path, os.fspath(given))
        if isinstance(given, str) and path.suffix != ".csv":
            return np.array(given.replace(",", " ").split(), np.float64)
        with opened(path) as file:
            return np.loadtxt(file, delimiter=",", ndmin=2)
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        wanted = "numbers separated by commas, or a .npy, .npz or .csv file of numbers"
        raise DataError(f"'{given}' is no row of numbers; wanted {wanted}") from None
