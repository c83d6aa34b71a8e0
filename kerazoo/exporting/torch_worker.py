"""PyTorch for `torch.py`, in a process without TensorFlow: `write MODEL FACTS OUT`, `run PROGRAM INPUTS OUTPUTS`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from kerazoo.errors import InputError
from kerazoo.exporting.facts import MEMBER
from kerazoo.exporting.torch_layers import network_of
from kerazoo.model_file import load_model


def write(saved: str, facts: str, path: str) -> None:
    """Write the model in the `.keras` file `saved` as a program, with the file `facts` beside it."""
    model = load_model(saved)
    inputs, sizes = [], []
    for one in model.inputs:
        # Two or more: the exporter takes a size of one for a constant.
        shape = [size or 2 + place for place, size in enumerate(one.shape)]
        inputs.append(torch.zeros(shape, dtype=getattr(torch, one.dtype)))
        sizes.append({place: torch.export.Dim.AUTO for place, size in enumerate(one.shape) if size is None})
    program = torch.export.export(network_of(model), tuple(inputs), dynamic_shapes=(tuple(sizes),))
    torch.export.save(program, path, extra_files={MEMBER: Path(facts).read_text(encoding="utf-8")})


def run(path: str, inputs: str, outputs: str) -> None:
    """Write what the program `path` makes of the arrays in the file `inputs` to the file `outputs`."""
    with np.load(inputs) as arrays, torch.no_grad():
        found = torch.export.load(path).module()(*(torch.from_numpy(arrays[name]) for name in arrays.files))
    np.savez(outputs, *(one.numpy() for one in (found if isinstance(found, (tuple, list)) else [found])))


if __name__ == "__main__":
    try:
        {"write": write, "run": run}[sys.argv[1]](*sys.argv[2:])
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
