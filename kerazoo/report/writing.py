"""Several files, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from kerazoo.errors import InputError
from kerazoo.files import try_writing, whole_file


def output_directory(out: str | os.PathLike[str]) -> Path:
    """Return the directory to write to, which need not be there.

    Raises:
        InputError: it is an empty text, a file, or cannot be written.
    """
    folder = Path(out)
    if not os.fspath(out):
        raise InputError("--out is an empty text; name a directory")
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"--out '{folder}' is a file; name a directory")
        try_writing(folder)
    except OSError as error:
        raise InputError(f"--out '{folder}' cannot be written: {error.strerror}") from None
    return folder


def write_files(texts: Mapping[Path, str]) -> list[Path]:
    """Write the texts as UTF-8, each to its path; none replaces an older file before all are on the disk."""
    with contextlib.ExitStack() as stack:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(whole_file(path)).write_text(text, encoding="utf-8")
    return list(texts)
