"""Make the folder that gpu.sh needs on a machine without a network: wheels, and the data sets as decoded arrays.

    python benchmarks/gpu_bundle.py [--python 3.12] [--out benchmarks/bundle]

Run it where there is a network and the real data (`TFDS_DATA_DIR`). The folder is not part of the repository.
"""

import argparse
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import common
from gpu import MODELS

import kerazoo
from kerazoo.data.prepared import data_root
from kerazoo.errors import InputError, UnavailableError

# What kerazoo and Keras import on JAX, besides what comes with JAX and PyTorch: numpy, scipy, h5py, ml_dtypes, ...
PACKAGES = ("keras", "optree", "namex", "absl-py", "packaging", "typing_extensions", "rich", "markdown-it-py", "mdurl",
            "pygments", "lazy_loader", "platformdirs")  # fmt: skip
DATA = ("mnist", "imdb_reviews", "tiny_shakespeare")
MOST_MIB = 60


def main(argv: list[str]) -> None:
    """Make the folder anew."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--python", default="3.12", help="version of Python on the other machine")
    arguments.add_argument("--out", type=Path, default=Path(__file__).parent / "bundle")
    options = arguments.parse_args(argv)
    shutil.rmtree(options.out, ignore_errors=True)
    (options.out / "wheels").mkdir(parents=True)
    wheels(options.out / "wheels", options.python)
    with tempfile.TemporaryDirectory() as folder:
        data(Path(folder), options.out / "data.tar.gz")
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file()) / 2**20
    if size > MOST_MIB:
        raise UnavailableError(f"{options.out} has {size:.0f} MiB, more than the {MOST_MIB} that it may have")
    print(f"{options.out}: {size:.1f} MiB")


def wheels(folder: Path, python: str) -> None:
    """Download the wheels for Linux on x86-64, in the versions that are installed here."""
    wanted = [f"{name}=={importlib.metadata.version(name)}" for name in PACKAGES]
    platforms = [f"--platform=manylinux{tag}_x86_64" for tag in ("_2_28", "_2_27", "_2_24", "_2_17", "2014")]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", *platforms]
    command += [f"--python-version={python}", "--implementation=cp", "--dest", str(folder), *wanted]
    if subprocess.run(command, check=False).returncode:
        raise UnavailableError("pip could not download the wheels")


def data(folder: Path, archive: Path) -> None:
    """Decode the data sets of all models into a cache, and pack it.

    A data set is found by the names and sizes of its files and read from the cache, so the files are there in name and
    size only: zeros, which take no room.
    """
    root = data_root(None)
    for name in DATA:
        if not (root / name).is_dir():
            raise InputError(f"'{root}' has no {name}; set TFDS_DATA_DIR to where the real data is prepared")
        for path in (root / name).rglob("*"):
            copy = folder / "tfds" / path.relative_to(root)
            copy.mkdir(parents=True, exist_ok=True) if path.is_dir() else _stand_in(path, copy)
    os.environ["KERAZOO_CACHE_DIR"] = str(folder / "cache")
    for name in MODELS:
        if kerazoo.load_data(name, source="auto").source == "sample":
            raise UnavailableError(f"the data of {name} is a sample, not the real one")
    with tarfile.open(archive, "w:gz") as packed:
        for part in ("tfds", "cache"):
            packed.add(folder / part, part)


def _stand_in(path: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    if "tfrecord" not in path.name:
        shutil.copyfile(path, copy)
        return
    with copy.open("wb") as file:
        file.truncate(path.stat().st_size)


if __name__ == "__main__":
    sys.exit(common.run(main))
