"""The directory of a run: its configuration first, its results as they come, each file whole or absent."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerazoo.errors import RunDirectoryError
from kerazoo.files import whole_file, write_text
from kerazoo.lazy import keras
from kerazoo.model_file import origin_of, save_model

CONFIG = "config.json"
_OURS = (CONFIG, "environment.json", "history.csv", "metrics.json", "model.keras", "vocabulary.json", "curves.png")
_OUR_FOLDERS = ("tensorboard",)


def default_run_directory(name: str) -> Path:
    """Return a path for a new run of the model `name`: runs/NAME/DATE-TIME, made distinct if it is taken."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    tries = (f"{stamp}{suffix}" for suffix in ("", *(f"-{number}" for number in range(2, 1000))))
    return next(path for path in (Path("runs", name, one) for one in tries) if not path.exists())


class RunDirectory:
    """The files of one run under `path`.

    Raises:
        RunDirectoryError: the path is a file, is not writable, or holds a run and `overwrite` is not set. Nothing is
            written until `start`.
    """

    def __init__(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        self.path = Path(path).expanduser()
        self._overwrite = overwrite
        self._check()

    def _check(self) -> None:
        path = self.path
        if path.exists() and not path.is_dir():
            raise RunDirectoryError(f"run directory '{path}' is a file; name another directory")
        if (path / CONFIG).exists() and not self._overwrite:
            raise RunDirectoryError(f"'{path}' already holds a run; name another directory, or ask to overwrite it")
        parent = path
        while not parent.exists():
            parent = parent.parent
        try:  # permission bits tell little about network and read-only file systems: try
            with tempfile.TemporaryFile(dir=parent):
                pass
        except OSError as error:
            raise RunDirectoryError(f"run directory '{path}' cannot be written: {error.strerror}") from None

    def start(self, config: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
        """Make the directory, clear an old run if that was asked, and write what is known before training."""
        self._check()  # another process may have started a run since
        self.path.mkdir(parents=True, exist_ok=True)
        for name in _OURS:
            (self.path / name).unlink(missing_ok=True)
        for name in _OUR_FOLDERS:
            shutil.rmtree(self.path / name, ignore_errors=True)
        self.write_json(CONFIG, config)
        self.write_json("environment.json", environment)

    def write_json(self, name: str, content: Any) -> None:
        """Write `content` to the file `name` of the run."""
        write_text(self.path / name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def write_history(self, history: Mapping[str, list[float]]) -> None:
        """Write `history.csv`: a row an epoch, a column a quantity."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["epoch", *history])
        table.writerows([epoch, *row] for epoch, row in enumerate(zip(*history.values(), strict=True), start=1))
        write_text(self.path / "history.csv", text.getvalue())

    def finish(self, model: keras.Model, history: Mapping[str, list[float]], metrics: Mapping[str, Any]) -> None:
        """Write the results: history, curves, vocabulary, model, and last the metrics, which mark a finished run."""
        self.write_history(history)
        vocabulary = origin_of(model).vocabulary
        if vocabulary is not None:
            write_text(self.path / "vocabulary.json", vocabulary.to_json() + "\n")
        save_model(model, self.path / "model.keras")
        with whole_file(self.path / "curves.png") as temporary:
            draw_curves(history, temporary)
        self.write_json("metrics.json", metrics)


def draw_curves(history: Mapping[str, list[float]], path: Path) -> None:
    """Draw each quantity over the epochs to the PNG file `path`, training and validation in one frame."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [name for name in history if not name.startswith("val_")]
    figure = Figure(figsize=(5 * max(len(names), 1), 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    for place, name in enumerate(names, start=1):
        axes = figure.add_subplot(1, len(names), place, xlabel="epoch", title=name)
        for series, label in ((name, "training"), (f"val_{name}", "validation")):
            if series in history:
                epochs = range(1, len(history[series]) + 1)
                axes.plot(epochs, history[series], label=label, marker="." if len(epochs) < 50 else None)
        axes.legend()
    figure.savefig(path, dpi=120)
