"""The directory of a run: its configuration first, its history epoch by epoch, its results last; each file whole."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerazoo.errors import RunDirectoryError
from kerazoo.files import hold, let_go, to_json, try_writing, whole_file, write_text
from kerazoo.lazy import keras
from kerazoo.model_file import origin_of, save_model

CONFIG = "config.json"
_FILES = (CONFIG, "environment.json", "history.csv", "metrics.json", "model.keras", "vocabulary.json", "curves.png")
_FOLDERS = ("tensorboard", "checkpoints")


def unfinished_epochs(path: str | os.PathLike[str]) -> int | None:
    """Return how many epochs the run at `path` was to have, if it holds one that was interrupted."""
    folder = Path(path).expanduser()
    try:
        if (folder / "metrics.json").exists():
            return None
        epochs = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["epochs"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return epochs if isinstance(epochs, int) and epochs > 0 else None


def default_run_directory(name: str) -> Path:
    """Return a path for a new run of the model `name`: runs/NAME/DATE-TIME-and a few letters of chance."""
    return Path("runs", name, f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:4]}")


class RunDirectory:
    """The files of one run under `path`; nothing is written until `start`.

    Args:
        path: a directory, to be made if it does not exist.
        overwrite: replace the run that it holds.
        resume: go on with the run that it holds; a directory without one gets a new run.
        resumable: whether an interrupted run can be gone on with at all.

    Raises:
        RunDirectoryError: the path is a file, is not writable, or holds a run and neither option says what of it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        resume: bool = False,
        resumable: bool = True,
    ) -> None:
        if not os.fspath(path):
            raise RunDirectoryError("the run directory is an empty text; name a directory")
        self.path = Path(path).expanduser()
        self.overwrite, self.resume, self.resumable = overwrite, resume, resumable
        self._held: int | None = None
        self._check()

    @property
    def checkpoints(self) -> Path:
        """Where the state of the run is kept after each epoch."""
        return self.path / "checkpoints"

    def _check(self) -> None:
        path = self.path
        try:
            if path.exists() and not path.is_dir():
                raise RunDirectoryError(f"run directory '{path}' is a file; name another directory")
            ours = [name for name in (*_FILES, *_FOLDERS) if (path / name).exists()]
            if ours and not (self.overwrite or self.resume):
                what = "already holds a run" if CONFIG in ours else f"already holds {ours[0]}"
                ask = "ask to resume or overwrite it" if self.resumable else "ask to overwrite it"
                raise RunDirectoryError(f"'{path}' {what}; name another directory, or {ask}")
            try_writing(path)
        except OSError as error:
            raise RunDirectoryError(f"run directory '{path}' cannot be written: {error.strerror}") from None

    def start(self, config: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
        """Make the directory and write what is known before training, or check that a resumed run is the same.

        Raises:
            RunDirectoryError: another process writes a run here, or the run to resume was configured otherwise.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            self._held = hold(self.path)
        except BlockingIOError:
            raise RunDirectoryError(f"'{self.path}' is being written by another run; name another directory") from None
        except OSError as error:
            raise RunDirectoryError(f"run directory '{self.path}' cannot be opened: {error.strerror}") from None
        if self.resume and (self.path / CONFIG).exists():
            self._check_same(config)
            (self.path / "metrics.json").unlink(missing_ok=True)  # which marks a finished run
        elif self.overwrite or self.resume:
            self._clear()
        else:
            try:
                (self.path / CONFIG).touch(exist_ok=False)  # of two processes at once, one gets it
            except FileExistsError:
                raise RunDirectoryError(f"'{self.path}' already holds a run; name another directory") from None
        self.write_json(CONFIG, config)
        self.write_json("environment.json", environment)

    def end(self) -> None:
        """Let other runs have the directory."""
        let_go(self._held)
        self._held = None

    def _clear(self) -> None:
        for name in _FILES:
            (self.path / name).unlink(missing_ok=True)
        for name in _FOLDERS:
            shutil.rmtree(self.path / name, ignore_errors=True)

    def _check_same(self, config: Mapping[str, Any]) -> None:
        try:
            before = json.loads((self.path / CONFIG).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise RunDirectoryError(f"'{self.path / CONFIG}' cannot be read; the run cannot be resumed") from None
        now = json.loads(to_json(config))
        if now["epochs"] < len(self._epochs_done()):
            done = len(self._epochs_done())
            raise RunDirectoryError(f"the run in '{self.path}' has {done} epochs already, more than {now['epochs']}")
        for name in sorted({*before, *now} - {"epochs"}):  # more epochs are what one resumes a finished run for
            if before.get(name) != now.get(name):
                told = f"{name} was {before.get(name)!r} and is {now.get(name)!r}"
                raise RunDirectoryError(f"the run in '{self.path}' cannot be resumed: {told}")

    def _epochs_done(self) -> list[str]:
        try:
            return (self.path / "history.csv").read_text(encoding="utf-8").splitlines()[1:]
        except OSError:
            return []

    def write_json(self, name: str, content: Any) -> None:
        """Write `content` to the file `name` of the run."""
        write_text(self.path / name, to_json(content))

    def write_history(self, history: Mapping[str, list[float]]) -> None:
        """Write `history.csv`: a row an epoch, a column a quantity; empty where an epoch did not have it."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["epoch", *history])
        for epoch in range(max(map(len, history.values()), default=0)):
            table.writerow([epoch + 1, *(values[epoch] if epoch < len(values) else "" for values in history.values())])
        write_text(self.path / "history.csv", text.getvalue())

    def finish(self, model: keras.Model, history: Mapping[str, list[float]], metrics: Mapping[str, Any]) -> None:
        """Write the results: model, vocabulary, history, curves, and last the metrics, which mark a finished run."""
        save_model(model, self.path / "model.keras")
        vocabulary = origin_of(model).vocabulary
        if vocabulary is not None:
            write_text(self.path / "vocabulary.json", vocabulary.to_json() + "\n")
        self.write_history(history)
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
