"""Files that are written whole or not at all, and JSON that any reader takes."""

import contextlib
import json
import math
import os
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with its suffix; it becomes `path` when the block ends without error."""
    temporary = path.with_name(f".writing-{uuid.uuid4().hex}{path.suffix}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())  # before the rename, so that a crash leaves the old file or the whole new one
        temporary.replace(path)
    except OSError as error:
        if error.filename is None or error.filename == str(temporary):
            error.filename = str(path)  # e.g. a full disk, which names no file
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Inside the block keep out other processes that lock `directory`, where the system can lock one."""
    handle = hold(directory, wait=True)
    try:
        yield
    finally:
        let_go(handle)


def hold(directory: Path, wait: bool = False) -> int | None:
    """Lock `directory` until `let_go`, or until this process ends; return the lock, None where there are no locks.

    Raises:
        BlockingIOError: another process, or another caller in this one, holds it, and `wait` is False.
        OSError: the directory cannot be opened.
    """
    try:
        import fcntl
    except ImportError:
        return None
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if isinstance(error, BlockingIOError):
            raise
        return None  # a file system without locks
    return handle


def let_go(handle: int | None) -> None:
    """Undo `hold`."""
    if handle is not None:
        os.close(handle)


def try_writing(directory: Path) -> None:
    """Try to write in `directory`, or where it would be made: permission bits tell little.

    Raises:
        OSError: it cannot be done.
    """
    there = directory.absolute()
    while not there.exists():
        there = there.parent
    with tempfile.TemporaryFile(dir=there):
        pass


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def to_json(content: Any, indent: int | None = 2) -> str:
    """Return `content` as JSON text, in one line where `indent` is None.

    NaN and infinities, which JSON does not have, become null.
    """
    return json.dumps(_finite(content), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(content: Any) -> Any:
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return content
