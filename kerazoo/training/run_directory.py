"""The directory of a run: its configuration first, its history epoch by epoch, its results last; each file whole."""

from __future__ import annotations

import csv
import io
import json
import os
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerazoo.data.prepared import SOURCES
from kerazoo.errors import RunDirectoryError
from kerazoo.files import hold, let_go, read_bytes, read_json, remove, to_json, try_writing, whole_file, write_text
from kerazoo.lazy import keras
from kerazoo.model_file import origin_of, save_model

CONFIG, METRICS, MODEL, _HISTORY = "config.json", "metrics.json", "model.keras", "history.csv"
_FILES = ("environment.json", _HISTORY, METRICS, MODEL, "vocabulary.json", "curves.png")
_FOLDERS = ("tensorboard", "checkpoints")
_OURS = {CONFIG, *_FILES, *_FOLDERS}
_SETTINGS = {"model": str, "options": dict, "recipe": dict, "data": dict, "epochs": int, "batch_size": int, "seed": int}
_DATA = {"name": "data", "version": "version", "source": "source"}  # by which errors call the fields of `data`


def read_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the configuration of the run in the directory `path`.

    Raises:
        RunDirectoryError: there is no run, or its configuration is damaged.
    """
    file = Path(path).expanduser() / CONFIG
    try:
        content = read_json(file)
    except (FileNotFoundError, NotADirectoryError):
        told = f"there is no run in '{path}' to go on with; leave out --resume to start one"
        raise RunDirectoryError(told) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
        raise RunDirectoryError(f"'{file}' cannot be read: {reason}; the run cannot be resumed") from None
    known = isinstance(content, dict) and "epochs" in content
    if not known or any(name in content and not isinstance(content[name], kind) for name, kind in _SETTINGS.items()):
        raise RunDirectoryError(f"'{file}' is not the configuration of a run; name the directory of one")
    found: dict[str, Any] = content
    return found


def unfinished_epochs(path: str | os.PathLike[str]) -> int | None:
    """Return how many epochs the run at `path` was to have, if it holds one that was interrupted."""
    try:
        config = read_config(path)
    except RunDirectoryError:
        return None
    folder = Path(path).expanduser()
    stopped = config.get("early_stopping") or _epochs_done(folder) >= config["epochs"]
    return None if stopped and (folder / METRICS).exists() else config["epochs"]


def as_it_began(
    path: str | os.PathLike[str], given: Mapping[str, Any], options: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the configuration of the run at `path`, to go on with it, with the `source` of its data.

    Args:
        path: the directory of the run.
        given: what the call that goes on with it says, by name; None where it says nothing.
        options: those of the model, its recipe and its data that this call says.
        defaults: all options, with what they are where the run was not given them.

    Raises:
        RunDirectoryError: there is no run, it was of fine-tuning, or it began with other values than those that this
            call says.
    """
    config = read_config(path)
    if "fine_tuned" in config:
        raise RunDirectoryError(f"the run in '{path}' was of fine-tuning, which cannot be resumed; start another")
    began = {**defaults, **_flat(config)}
    given = {**given, "source": None if given["source"] == "auto" else given["source"]}
    for name, value in {**given, **options}.items():
        if value is not None and name in began:
            _check_same(path, name, began[name], value)
    source = began.get("source")
    return {**given, "options": {}, **config, "source": source if source in SOURCES else "auto"}


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a configuration says by names that people know: its options and recipe beside the rest."""
    data = {_DATA.get(name, f"{name} examples"): value for name, value in config.get("data", {}).items()}
    rest = {name: value for name, value in config.items() if name not in ("data", "options", "recipe", "own_data")}
    return {**config.get("recipe", {}), **config.get("options", {}), **data, **rest}


def _check_same(path: str | os.PathLike[str], name: str, before: Any, now: Any) -> None:
    before, now = (list(one) if isinstance(one, tuple) else one for one in (before, now))
    if now != before:
        told = f"with {name} {_told(now)}: it began with {name} {_told(before)}"
        raise RunDirectoryError(f"the run in '{path}' cannot be resumed {told}; go on with that, or start another run")


def _told(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "not set" if value is None else str(value)


def _epochs_done(folder: Path) -> int:
    try:
        return max(0, len(read_bytes(folder / _HISTORY).splitlines()) - 1)  # but for the headings
    except OSError:
        return 0


def default_run_directory(name: str) -> Path:
    """Return a path for a new run of the model `name`: runs/NAME/DATE-TIME-and a few letters of chance."""
    return Path("runs", name, f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:4]}")


class RunDirectory:
    """The files of one run under `path`; nothing is written until `start`.

    Args:
        path: a directory, to be made if it does not exist.
        overwrite: replace the run that it holds.
        resume: go on with the run that it holds.
        resumable: whether an interrupted run can be resumed.

    Raises:
        RunDirectoryError: the path is a file, is not writable, holds something else than a run, holds a run and
            neither option says what to do with it, or none to resume.
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
            if self.resume:
                read_config(path)
            elif found := sorted(one.name for one in path.glob("*") if not one.name.startswith(".")):
                self._check_free(found)
            try_writing(path)
        except OSError as error:
            raise RunDirectoryError(f"run directory '{path}' cannot be written: {error.strerror}") from None

    def _check_free(self, found: list[str]) -> None:
        """Refuse a directory that holds `found`, unless it is a run that is to be overwritten."""
        whole = True
        try:
            is_run = bool(read_config(self.path))
        except RunDirectoryError:
            whole, is_run = False, CONFIG in found and _OURS.issuperset(found)  # one that is damaged
        if not is_run:
            other = next((name for name in found if name not in _OURS), found[0])
            raise RunDirectoryError(f"'{self.path}' already holds {other} and no run; name a new or empty directory")
        if not self.overwrite:
            ask = "ask to resume or overwrite it" if self.resumable and whole else "ask to overwrite it"
            raise RunDirectoryError(f"'{self.path}' already holds a run; name another directory, or {ask}")

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
        self._check()  # again, now that nobody else writes here
        if self.resume:
            self._check_config(config)
        elif self.overwrite:
            self._clear()
        elif self._held is None:  # no locks here: of two runs at once, one makes the file
            self._claim()
        self.write_json(CONFIG, config)
        self.write_json("environment.json", environment)

    def _claim(self) -> None:
        try:
            (self.path / CONFIG).touch(exist_ok=False)
        except FileExistsError:
            raise RunDirectoryError(f"'{self.path}' is being written by another run; name another directory") from None

    def end(self) -> None:
        """Let other runs have the directory."""
        let_go(self._held)
        self._held = None

    def _clear(self) -> None:
        for name in (*_FOLDERS, *_FILES, CONFIG):  # the last says that it is a run, should this end midway
            remove(self.path / name)

    def _check_config(self, config: Mapping[str, Any]) -> None:
        """Refuse to resume the run as another; more epochs are what one resumes a finished run for."""
        before, now = (_flat(one) for one in (read_config(self.path), json.loads(to_json(config))))
        done = _epochs_done(self.path)
        if now.pop("epochs") < done:
            raise RunDirectoryError(f"the run in '{self.path}' has {done} epochs already, more than {config['epochs']}")
        before.pop("epochs")
        for name in sorted({*before, *now}):
            _check_same(self.path, name, before.get(name), now.get(name))

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
        more = max(map(len, history.values()), default=0) > _epochs_done(self.path)
        write_text(self.path / _HISTORY, text.getvalue())
        if more:
            remove(self.path / METRICS)  # those of the run that has been resumed for more epochs

    def finish(self, model: keras.Model, history: Mapping[str, list[float]], metrics: Mapping[str, Any]) -> None:
        """Write the results: model, vocabulary, history, curves, and last the metrics, which mark a finished run."""
        save_model(model, self.path / "model.keras")
        vocabulary = origin_of(model).vocabulary
        if vocabulary is not None:
            write_text(self.path / "vocabulary.json", vocabulary.to_json() + "\n")
        self.write_history(history)
        with whole_file(self.path / "curves.png") as temporary:
            draw_curves(history, temporary)
        self.write_json(METRICS, metrics)


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
