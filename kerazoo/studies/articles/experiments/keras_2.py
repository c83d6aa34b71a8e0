"""An older environment: a Python that has TensorFlow 2.7 to 2.15, and with it Keras 2."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from kerazoo import Unmeasurable

VARIABLE = "KERAZOO_TF215_PYTHON"
"""The environment variable that names the interpreter."""

_OLDEST, _NEWEST = (2, 7), (2, 15)
_WANTED = (
    f"wanted in {VARIABLE}: a Python that has TensorFlow 2.7 to 2.15, as `python3.11 -m venv old && old/bin/pip "
    f'install "tensorflow==2.15.*"` makes one (old/bin/python)'
)
_ASKED = """\
import importlib.metadata, json, platform
names = ("tensorflow", "keras", "numpy")
print(json.dumps({"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in names}}))
"""


def interpreter() -> tuple[str, dict[str, str]]:
    """Return the path of the interpreter, and the versions of what it has by their names.

    Raises:
        Unmeasurable: none is named, or what is named is not one.
    """
    named = os.environ.get(VARIABLE, "")
    if not named:
        raise Unmeasurable(f"No environment with Keras 2 is named; {_WANTED}.")
    path = shutil.which(named)
    if path is None:
        raise Unmeasurable(f"{VARIABLE}={named} is no program; {_WANTED}.")
    asked = subprocess.run([path, "-E", "-c", _ASKED], capture_output=True, text=True, check=False)
    try:
        versions: dict[str, str] = json.loads(asked.stdout)
    except ValueError:
        raise Unmeasurable(f"{VARIABLE}={named} is no Python with TensorFlow; {_WANTED}.") from None
    release = tuple(map(int, versions["tensorflow"].split(".")[:2]))
    if not _OLDEST <= release <= _NEWEST:
        raise Unmeasurable(f"{VARIABLE}={named} has TensorFlow {versions['tensorflow']}; {_WANTED}.")
    return str(Path(path).absolute()), versions
