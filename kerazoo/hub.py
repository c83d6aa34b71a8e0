"""Models on the Hugging Face Hub by their address, `hf://user/repository@revision`, fetched and compared by hash."""

from __future__ import annotations

import functools
import hashlib
import os
import re
from pathlib import Path

from kerazoo.errors import ModelFileError, UnavailableError, first_line
from kerazoo.files import read_bytes
from kerazoo.lazy import require
from kerazoo.quiet import without_log

SCHEME = "hf://"
FILE = "model.keras"
"""The file of a repository that holds the model."""

LOGGER = "huggingface_hub"
"""What it logs by: each try, where the Hub cannot be reached."""

_ADDRESS = re.compile(rf"{SCHEME}([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")


def local(path: str | os.PathLike[str]) -> Path:
    """Return `path`, or where what an address of the Hub names was fetched to.

    Raises:
        ModelFileError: the address has another form, or there is no such model.
        UnavailableError: the Hub cannot be reached, huggingface_hub is missing, or what came is not what was meant.
    """
    return _fetched(path) if isinstance(path, str) and path.startswith(SCHEME) else Path(path)


@functools.lru_cache(maxsize=16)
def _fetched(address: str) -> Path:
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        raise ModelFileError(f"'{address}' is no address of a model: wanted {SCHEME}user/repository, or with @revision")
    require("an address of the Hub", {"huggingface_hub": "'kerazoo[hub]'"})
    from huggingface_hub import errors, hf_hub_download

    repository, revision = parts.groups()
    missing = (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.RemoteEntryNotFoundError)
    try:
        with without_log(LOGGER):
            path = Path(hf_hub_download(repository, FILE, revision=revision))
    except errors.LocalEntryNotFoundError as error:
        told = f"the Hub cannot be reached for {address}, which was not fetched before"
        raise UnavailableError(f"{told} ({first_line(error.__cause__ or error)}); try again, or give a file") from None
    except missing as error:
        raise ModelFileError(f"there is no '{FILE}' at {address}, or it is private: {first_line(error)}") from None
    except Exception as error:  # the Hub's own, and those of whichever HTTP client it uses
        raise UnavailableError(f"{address} cannot be fetched: {first_line(error)}") from None
    _check(path, address)
    return path


def _check(path: Path, address: str) -> None:
    """Refuse a file whose hash is not the one that the Hub told: in its cache files have that for a name.

    Raises:
        UnavailableError: it is not.
    """
    told = path.resolve().name
    content = read_bytes(path)
    known = {
        64: hashlib.sha256(content),
        40: hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False),
    }
    if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", told) and known[len(told)].hexdigest() != told:
        raise UnavailableError(f"what came from {address} is damaged: its hash is not {told[:12]}...; delete {path}")
