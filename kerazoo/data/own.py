"""The user's own data from files: pictures in a folder for each class, texts in a table."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kerazoo.data.dataset import Dataset
from kerazoo.data.digits import as_digit
from kerazoo.data.pictures import entries_of, pictures_in, read_picture
from kerazoo.errors import DataError, InputError, did_you_mean
from kerazoo.files import read_bytes
from kerazoo.lazy import np

LONGEST_FIELD = 2**24  # characters of one field of a table


def read_image_folder(
    path: str | os.PathLike[str],
    *,
    test_split: float = 0.1,
    seed: int = 0,
    read: Callable[[Path], np.ndarray] | None = None,
) -> Dataset:
    """Return the pictures below `path`, where each folder is a class: `path/cat/1.png`, `path/dog/2.jpg`.

    Each picture, of any size, dark on light or light on dark, is brought to the form of MNIST, as `predict` does:
    (N, 784) float32 from 0 to 1. Labels are (N,) int32, the places of the folders' sorted names in `classes`. Files
    that are no pictures by their names are passed over.

    Args:
        path: a directory with at least two folders.
        test_split: this share of each class, drawn at random, is the test split; with 0 there is none.
        seed: of that draw.
        read: what makes of a file the array that a model takes, in place of MNIST's form.

    Raises:
        DataError: no such directory, fewer than two classes, a class without pictures, a file that is no picture.
        InputError: `test_split` is not from 0 to below 1, or `seed` is no whole number from 0.
    """
    _check_draw(test_split, seed)
    root = Path(path)
    if not os.fspath(path) or not root.is_dir():
        raise DataError(f"'{path}' is not a directory; wanted one with a folder of pictures for each class")
    folders = [one for one in entries_of(root) if one.is_dir() and not one.name.startswith(".")]
    files, labels = [], []
    for place, folder in enumerate(folders):
        found = pictures_in(folder)
        files += found
        labels += [place] * len(found)
    classes = _checked_classes([one.name for one in folders], f"'{path}'", "folders, one a class")
    pixels = np.stack([(read or _digit)(file) for file in files])
    return _split(root.name, pixels, np.array(labels, np.int32), classes, test_split, seed)


def _digit(file: Path) -> np.ndarray:
    return as_digit(read_picture(file, str(file)), str(file))  # (784,)


def read_csv(
    path: str | os.PathLike[str], *, text: str = "text", label: str = "label", test_split: float = 0.1, seed: int = 0
) -> Dataset:
    """Return the texts of a table, a row each, with their classes.

    The file is UTF-8 and has a header; fields are separated by commas, semicolons or tabs, whichever the header has
    most of. Inputs are (N,) str, which `train` and `fine_tune` turn into ids. Labels are (N,) int32, the places of the
    sorted contents of the label column in `classes`.

    Args:
        path: the file.
        text: the name of the column with the texts.
        label: the name of the column with the classes.
        test_split: this share of each class, drawn at random, is the test split; with 0 there is none.
        seed: of that draw.

    Raises:
        DataError: no such file, not UTF-8, no such column, an empty field, fewer than two classes.
        InputError: `test_split` is not from 0 to below 1, or `seed` is no whole number from 0.
    """
    _check_draw(test_split, seed)
    if not os.fspath(path):
        raise DataError("the path of the table is an empty text; name a file")
    rows = list(_rows(Path(path), text, label))
    if not rows:
        raise DataError(f"'{path}' has no rows; wanted a header and a row for each text")
    texts, names = zip(*rows, strict=True)
    classes = _checked_classes(sorted(set(names)), f"the column '{label}' of '{path}'", "classes")
    if len(classes) == len(rows) and len(rows) > 2:
        raise DataError(f"the column '{label}' of '{path}' has another class in each row; name the column of classes")
    numbers = {name: place for place, name in enumerate(classes)}
    labels = np.array([numbers[name] for name in names], np.int32)
    return _split(Path(path).stem, np.array(texts, object), labels, classes, test_split, seed)


def _rows(path: Path, text: str, label: str) -> Iterator[tuple[str, str]]:
    """Yield the text and the class of each row."""
    content = _read(path)
    header = content.partition("\n")[0]
    table = csv.DictReader(io.StringIO(content, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    before = csv.field_size_limit(LONGEST_FIELD)
    try:
        columns = [column.strip() for column in table.fieldnames or ()]
        table.fieldnames = columns
        for wanted in (text, label):
            if wanted not in columns:
                listed = ", ".join(columns) or "none"
                hint = did_you_mean(wanted, columns)
                raise DataError(f"'{path}' has no column '{wanted}'.{hint} Columns: {listed}")
            if columns.count(wanted) > 1:
                raise DataError(f"'{path}' has {columns.count(wanted)} columns '{wanted}'; name each column otherwise")
        for row in table:
            where = f"'{path}', line {table.line_num}"
            if None in row:
                raise DataError(f"{where}: more fields than the header has; put texts with separators in quotes")
            fields = [(row[name] or "").strip() for name in (text, label)]
            for name, field in zip((text, label), fields, strict=True):
                if not field:
                    raise DataError(f"{where}: the column '{name}' is empty; fill it or leave out the row")
            yield fields[0], fields[1]
    except csv.Error as error:
        raise DataError(f"'{path}', line {table.line_num}: not a table that can be read: {error}") from None
    finally:
        csv.field_size_limit(before)


def _read(path: Path) -> str:
    try:
        content = read_bytes(path)
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror}") from None
    except ValueError:  # a NUL in the path
        raise DataError(f"{str(path)!r} is not the path of a file") from None
    if not content.strip():
        raise DataError(f"'{path}' is empty; wanted a header and a row for each text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"'{path}' is not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def _check_draw(test_split: Any, seed: Any) -> None:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed={seed!r}: wanted a whole number from 0")
    if isinstance(test_split, bool) or not isinstance(test_split, (int, float)) or not 0 <= test_split < 1:
        raise InputError(f"test_split={test_split!r}: wanted a fraction from 0 to below 1, e.g. 0.1")


def _checked_classes(names: Sequence[str], where: str, what: str) -> tuple[str, ...]:
    if len(names) < 2:
        found = f"only '{names[0]}'" if names else "none"
        raise DataError(f"{where} has {found}; wanted two or more {what}")
    return tuple(names)


def _split(name: str, x: Any, y: Any, classes: tuple[str, ...], test_split: float, seed: int) -> Dataset:
    """Return the data with a share of each class, rounded, held out for testing."""
    draw = np.random.default_rng(seed)
    test = np.zeros(len(y), bool)
    for label in range(len(classes)):
        members = draw.permutation(np.flatnonzero(y == label))
        test[members[: min(round(len(members) * test_split), len(members) - 1)]] = True
    held = {"x_test": x[test], "y_test": y[test]} if test.any() else {}
    options = {} if x.ndim == 1 else {"num_classes": len(classes)}
    known: dict[str, Any] = {"model_options": options, "classes": classes}
    return Dataset(name=name, version="user", source="user", x_train=x[~test], y_train=y[~test], **held, **known)
