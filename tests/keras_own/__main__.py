"""Run the tests of Keras's trainer and callbacks, as installed, with `kerazoo.fit` in the place of `Model.fit`.

python -m tests.keras_own          from the checkout; KERAS_BACKEND chooses the backend
"""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent


def main(more):
    """Run pytest with its options `more`; returns the exit code."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    root = Path(importlib.util.find_spec("keras").origin).parent / "src"
    files = [root / "trainers" / "trainer_test.py", *sorted((root / "callbacks").glob("*_test.py"))]
    files = [file for file in files if file.name != "remote_monitor_test.py"]  # needs a conftest that is not shipped
    options = ["-c", str(_HERE / "pytest.ini"), "--rootdir", str(_HERE), "-p", "tests.keras_own.plugin", "-n", "2"]
    return pytest.main([*options, *more, *map(str, files)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
