"""PyTorch: a program of `torch.export` with PyTorch's own layers, whose weights go by the names of Keras's layers.

PyTorch works in a process of its own, `torch_worker.py`: TensorFlow and it do not bear each other's libraries in one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerazoo.errors import InputError, KerazooError
from kerazoo.exporting.facts import MEMBER, as_json
from kerazoo.exporting.formats import Format, Run
from kerazoo.lazy import keras, np
from kerazoo.model_file import save_model

_WHERE = Path(__file__).parents[2]  # of the package


class Torch(Format):
    """A file for `torch.export.load`, which needs PyTorch alone."""

    name = "torch"
    suffix = ".pt2"
    needs = {"torch": "torch"}
    at_once = 1_000  # a process each

    def write(self, model: keras.Model, path: Path, facts: Mapping[str, Any]) -> None:
        """Write the file, with the facts as one of its extra files.

        Raises:
            InputError: a layer has no form in PyTorch here.
        """
        with tempfile.TemporaryDirectory() as directory:
            saved, known = Path(directory) / "model.keras", Path(directory) / MEMBER
            save_model(model, saved)
            known.write_text(as_json(facts), encoding="utf-8")
            _work("write", saved, known, path)

    def load(self, path: Path) -> Run:
        """Return what runs the file on PyTorch."""

        def run(inputs: Any) -> list[Any]:
            with tempfile.TemporaryDirectory() as directory:
                given, found = Path(directory) / "inputs.npz", Path(directory) / "outputs.npz"
                np.savez(given, *inputs)
                _work("run", path, given, found)
                with np.load(found) as outputs:
                    return [outputs[name] for name in outputs.files]

        return run


def _work(*arguments: str | Path) -> None:
    # -P: what lies in the working directory is no module.
    command = [sys.executable, "-P", "-m", "kerazoo.exporting.torch_worker", *map(str, arguments)]
    paths = filter(None, (str(_WHERE), os.environ.get("PYTHONPATH")))
    environment = {**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        told = (done.stderr.strip().split("\n") or [""])[-1]
        raise InputError(told) if done.returncode == 2 else KerazooError(f"PyTorch cannot take the model: {told}")
