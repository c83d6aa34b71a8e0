"""Runs programs, each in a process forked from this one, which has imported their library; a script of `running.py`.

    python program_process.py FOLDER LIBRARY SEED SECONDS

runs every .py file of FOLDER as a program of its own, in the directory where it stands, and writes what becomes of it
beside it: what it prints (.txt), and how it ends (.json); none that does not end within so many seconds has a .json.
Only the standard library and LIBRARY ("tensorflow" with its Keras, or "torch") are imported.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Any


def main(folder: str, library: str, seed: str, seconds: str) -> None:
    """Run the programs one after the other, each with its random numbers from `seed`."""
    imported = importlib.import_module(library)
    set_seed = prepared(imported) if library == "tensorflow" else imported.manual_seed
    for program in sorted(Path(folder).resolve().glob("*.py")):
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            continue
        signal.alarm(int(seconds))  # which ends the process
        set_seed(int(seed))
        os.dup2(os.open(program.with_suffix(".txt"), os.O_WRONLY | os.O_CREAT), sys.stdout.fileno())
        end = run(program)
        sys.stdout.flush()
        program.with_suffix(".json").write_text(json.dumps(end), encoding="utf-8")
        os._exit(0)


def prepared(tensorflow: Any) -> Callable[[int], None]:
    """Make Keras take what stands in for a download, and return the function that sets its seed.

    What Keras 3 does by itself is done for Keras 2, before TensorFlow 2.16: a home of its own, and a short trial.
    """
    keras, version = tensorflow.keras, tuple(map(int, tensorflow.__version__.split(".")[:2]))
    # Files that stand in for a download are not the original ones, whose hashes Keras knows.
    keras.utils.get_file.__globals__["validate_file"] = lambda *given, **options: True
    if version < (2, 16):
        os.environ["HOME"] = str(Path(os.environ["KERAS_HOME"]).parent)  # it looks for ~/.keras
        if "KERAS_MAX_EPOCHS" in os.environ:
            cut(keras.Model, int(os.environ["KERAS_MAX_EPOCHS"]), int(os.environ["KERAS_MAX_STEPS_PER_EPOCH"]))
    seeded: Callable[[int], None] = keras.utils.set_random_seed
    return seeded


def cut(model: Any, epochs: int, steps: int) -> None:
    """Let the models of a class take so many epochs and steps at most, whatever they are told."""

    def limited(method: Callable[..., Any], limits: dict[str, int]) -> Callable[..., Any]:
        return lambda *given, **options: method(*given, **{**options, **limits})

    model.fit = limited(model.fit, {"epochs": epochs, "steps_per_epoch": steps, "validation_steps": steps})
    for name in ("evaluate", "predict"):
        setattr(model, name, limited(getattr(model, name), {"steps": steps}))


def run(program: Path) -> dict[str, Any]:
    """Return how the program ends: its warnings, and of an error its type, message, line and what stands there.

    Warnings are those that Python shows. The line is the one from which the program last called into a library.
    """
    failure: dict[str, Any] = {}
    with warnings.catch_warnings(record=True) as caught:
        try:
            runpy.run_path(str(program), run_name="__main__")
        except BaseException as error:  # a program may exit
            frames = traceback.extract_tb(error.__traceback__)
            inside = dropwhile(lambda frame: frame.filename != str(program), frames)
            own = list(takewhile(lambda frame: frame.filename == str(program), inside))
            failure = {"type": type(error).__name__, "message": str(error), "line": 0, "call": ""}
            if own:
                failure.update(line=own[-1].lineno, call=own[-1].line)
    return {"failure": failure, "warnings": [f"{one.category.__name__}: {one.message}" for one in caught]}


if __name__ == "__main__":
    main(*sys.argv[1:])
