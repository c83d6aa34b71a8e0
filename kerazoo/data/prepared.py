"""Data sets that TFDS prepared: where they are, which version, and having TFDS fetch them when they are not there."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerazoo.data import stored
from kerazoo.errors import DataError, InputError, UnavailableError, first_line

SOURCES = ("auto", "tfds", "sample")
_DEFAULT_ROOT = Path("~/tensorflow_datasets")  # TFDS's own default
_PROBE_SECONDS = 5


class SampleDataWarning(UserWarning):
    """The real data could not be had; the embedded sample is used in its place."""


# Each time, not once: a second training must not look as if it had the real data.
warnings.filterwarnings("always", category=SampleDataWarning, append=True)


@dataclass(frozen=True)
class Prepared:
    """A data set on disk in TFDS layout. `fingerprint` tells it from another of the same name and version."""

    builder: str
    root: Path
    version: str
    fingerprint: str

    def read(self, split: str) -> Iterator[dict[str, Any]]:
        """Yield the examples of `split` in their stored order, as NumPy values: those that TFDS gives.

        Raises:
            UnavailableError: a file is missing or damaged.
        """
        try:
            yield from stored.examples(self.root / self.builder / self.version, split)
        except OSError as error:
            reason = f"{error.strerror}: '{error.filename}'"
            raise UnavailableError(f"{self.builder} in {self.root} cannot be read: {reason}") from error
        except DataError as error:
            advice = "delete its folder and prepare it anew"
            raise UnavailableError(f"{self.builder} in {self.root} cannot be read: {error}; {advice}") from error


def check_source(source: str) -> None:
    """Refuse a `source` that is none of `SOURCES`.

    Raises:
        InputError: it is not.
    """
    if source not in SOURCES:
        raise InputError(f"source={source!r}: wanted one of {', '.join(SOURCES)}")


def data_root(data_dir: str | os.PathLike[str] | None) -> Path:
    """Return the directory of prepared data sets: `data_dir`, `TFDS_DATA_DIR`, or TFDS's own default.

    Raises:
        InputError: the directory that was named is not there.
    """
    named = data_dir or os.environ.get("TFDS_DATA_DIR")
    if not named:
        return _DEFAULT_ROOT.expanduser()
    root = Path(named).expanduser()
    if not root.is_dir():
        origin = "data_dir" if data_dir else "TFDS_DATA_DIR"
        raise InputError(f"{origin}: '{root}' is not a directory; name one in TFDS layout, or leave it out")
    return root


def find(builder: str, root: Path) -> Prepared | None:
    """Return the newest version of `builder` (e.g. "imdb_reviews/plain_text") under `root`, or None.

    Reads file names and sizes only.
    """
    versions = [path.parent for path in root.joinpath(builder).glob("*/dataset_info.json")]
    finished = [path for path in versions if re.fullmatch(r"\d+\.\d+\.\d+", path.name)]  # no "incomplete.*"
    if not finished:
        return None
    newest = max(finished, key=lambda path: [int(part) for part in path.name.split(".")])
    digest = hashlib.sha256((newest / "dataset_info.json").read_bytes())
    for file in sorted(newest.glob("*tfrecord*")):
        digest.update(f"{file.name} {file.stat().st_size}".encode())
    return Prepared(builder, root, newest.name, digest.hexdigest())


def prepare(builder: str, host: str, data_dir: str | os.PathLike[str] | None, source: str) -> Prepared | None:
    """Return the prepared data set, downloading it where it is missing; None says to use the sample.

    Args:
        builder: TFDS's name of the data set, with its configuration.
        host: the host that TFDS downloads it from, asked first: TFDS retries for minutes where there is no network.
        data_dir: a directory in TFDS layout, or None for the default.
        source: "tfds" (the real data or an error), "sample", or "auto" (the sample where the real data fails).

    Raises:
        InputError: `source` is unknown or `data_dir` does not exist.
        UnavailableError: `source` is "tfds" and the data is neither there nor to be had.
    """
    check_source(source)
    root = data_root(data_dir)
    if source == "sample":
        return None
    found = find(builder, root)
    if found is None:
        try:
            _download(builder, host, root)
            found = find(builder, root)
        except (UnavailableError, OSError) as error:
            if source == "tfds":
                raise UnavailableError(f"{builder} is not in {root} and cannot be fetched: {error}") from error
            message = f"NOT THE REAL DATA: {builder} is not in {root} and cannot be fetched ({error}); using the sample"
            warnings.warn(message, SampleDataWarning, stacklevel=4)
    return found


def _check_reachable(host: str) -> None:
    """Ask `host` for anything at all, through a proxy where there is one.

    Raises:
        UnavailableError: it does not answer within seconds.
    """
    import http.client
    import urllib.error
    import urllib.request

    try:
        request = urllib.request.Request(f"https://{host}/", method="HEAD")
        urllib.request.urlopen(request, timeout=_PROBE_SECONDS).close()
    except urllib.error.HTTPError:
        return  # it answers, if only that there is no such page
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"no way to {host}: {getattr(error, 'reason', None) or error}") from error


def _download(builder: str, host: str, root: Path) -> None:
    if missing := [one for one in ("tensorflow_datasets", "tensorflow") if importlib.util.find_spec(one) is None]:
        names = " ".join(one.replace("_", "-") for one in missing)
        raise UnavailableError(f"that needs what is not installed: pip install {names}; or name the data's directory")
    _check_reachable(host)
    import tensorflow_datasets as tfds

    try:
        with contextlib.redirect_stdout(sys.stderr):  # TFDS tells its progress on standard output
            tfds.builder(builder, data_dir=root).download_and_prepare()
    except Exception as error:  # TFDS raises whatever its downloader met
        raise UnavailableError(first_line(error)) from error
