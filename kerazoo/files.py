"""Files read up to a size and written whole or not at all, and JSON that any reader takes."""

import contextlib
import errno
import json
import math
import os
import shutil
import stat
import tempfile
import time
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from kerazoo.printable import CONTROL

LARGEST = 2**31
"""Bytes of a file of data that is read into memory."""

LARGEST_JSON = 2**26
"""Bytes of a file of settings, or of such a member of an archive."""

_PACKED = 100  # times the size of an archive that its members may have; weights pack to little less than they are
_ALWAYS = 2**24  # bytes that any archive may hold
_WRITING = ".writing-"
_LEFT_BEHIND = 24 * 3600  # seconds after which what a writer left belongs to one that has died
_DESCRIPTORS = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")


def is_open_pipe(path: str | os.PathLike[str]) -> bool:
    """Tell whether `path` is a pipe that is open already, such as bash's <(command), or else a file or a directory.

    Raises:
        OSError: it is not there, or it is a device, or a pipe that waits for somebody to open its other end.
    """
    mode = Path(path).stat().st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return False
    if stat.S_ISFIFO(mode) and os.fspath(path).startswith(_DESCRIPTORS):
        return True
    kind = "a pipe" if stat.S_ISFIFO(mode) else "a device"
    raise OSError(errno.EINVAL, f"it is {kind}, and not a regular file", str(path))


def open_file(path: str | os.PathLike[str], most: int = LARGEST, *, pipe: bool = False) -> IO[bytes]:
    """Open the file `path`, which must be a regular one of at most `most` bytes, or with `pipe` may be an open pipe.

    Raises:
        OSError: it is something else, is larger, or cannot be opened; `strerror` says which.
    """
    if is_open_pipe(path) and not pipe:  # first: to open a pipe waits until somebody writes into it
        raise OSError(errno.EINVAL, "it is a pipe, and not a regular file", str(path))
    found = Path(path).stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if found.st_size > most:
        raise OSError(errno.EFBIG, f"it has {_size(found.st_size)}, and at most {_size(most)} are read", str(path))
    return Path(path).open("rb")


def read_bytes(path: str | os.PathLike[str], most: int = LARGEST, *, pipe: bool = False) -> bytes:
    """Return the content of a file as `open_file` opens it.

    Raises:
        OSError: as there, and where more than `most` bytes come out.
    """
    with open_file(path, most, pipe=pipe) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {_size(most)}", str(path))
    return content


def read_json(path: str | os.PathLike[str]) -> Any:
    """Return what the JSON file `path` holds.

    Raises:
        OSError: as `read_bytes`.
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(read_bytes(path, LARGEST_JSON))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def check_archive(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse, by its directory, an archive of `size` bytes that would fill the memory.

    Raises:
        OSError: its members are far larger than the archive, or one of JSON is very large.
    """
    members = archive.infolist()
    unpacked = sum(one.file_size for one in members)
    texts = max((one.file_size for one in members if one.filename.endswith(".json")), default=0)
    if unpacked > _ALWAYS + _PACKED * size:
        raise OSError(errno.EFBIG, f"it unpacks from {_size(size)} to {_size(unpacked)}: no model does")
    if texts > LARGEST_JSON:
        raise OSError(errno.EFBIG, f"it holds JSON of {_size(texts)}, and at most {_size(LARGEST_JSON)} are read")


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with its suffix; it becomes `path` when the block ends without error.

    Of a symbolic link, the file that it names is replaced.

    Raises:
        OSError: `path` is a device, a pipe or something else that is no regular file; it is left as it is.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    remove_leftovers(path.parent)
    temporary = path.with_name(f"{_WRITING}{uuid.uuid4().hex}{path.suffix}")
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
def whole_directory(path: Path) -> Iterator[Path]:
    """Yield a temporary directory beside `path`, which becomes `path` unless another process was there first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)
    temporary = path.with_name(f"{_WRITING}{uuid.uuid4().hex}")
    temporary.mkdir()  # with the permissions of any other directory, which `tempfile` withholds
    try:
        yield temporary
        try:
            temporary.rename(path)
        except OSError:
            if not path.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove the file or directory `path`, if there is one.

    Raises:
        OSError: it cannot be removed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(directory: Path) -> None:
    """Remove what processes that have died were writing in `directory`."""
    for one in directory.glob(f"{_WRITING}*"):
        with contextlib.suppress(OSError):
            if one.lstat().st_mtime < time.time() - _LEFT_BEHIND:
                remove(one)


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


def try_writing(directory: Path, space: int = 0) -> None:
    """Try to write `space` bytes in `directory`, or where it would be made: permission bits tell little.

    Raises:
        OSError: it cannot be done.
    """
    there = directory.absolute()
    while not there.exists():
        there = there.parent
    with tempfile.TemporaryFile(dir=there) as file:
        for _ in range(0, space, 2**20):
            file.write(bytes(2**20))
        file.flush()


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def to_json(content: Any, indent: int | None = 2) -> str:
    """Return `content` as JSON text, in one line where `indent` is None.

    NaN and infinities, which JSON does not have, become null; control characters are escaped.
    """
    text = json.dumps(_finite(content), indent=indent, ensure_ascii=False, allow_nan=False)
    return CONTROL.sub(lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text) + "\n"


def _finite(content: Any) -> Any:
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return content
