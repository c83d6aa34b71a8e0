"""What happens beside a training: progress for people, and the history on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kerazoo.printable import printable
from kerazoo.training.run_directory import RunDirectory
from kerazoo.training.tuning import flags_of, put_back


def _describe(logs: dict[str, Any] | None) -> str:
    return "  ".join(f"{name} {float(value):.4f}" for name, value in (logs or {}).items())


class EpochProgress(keras.callbacks.Callback):
    """Shows the epoch, the loss and metrics, and the time that is left, on standard error.

    On a terminal it is a bar; elsewhere a line an epoch. With more than a hundred epochs it prints some twenty lines.
    """

    every_batch = False  # a bar that moves a few times a second is enough

    def __init__(self, name: str) -> None:
        super().__init__()
        self.console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self.name = name
        self.bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start the bar."""
        epochs = self.params["epochs"]
        self.every = max(1, epochs // 20) if epochs > 100 else 1
        self.task = self.bar.add_task(printable(self.name), total=None, state="starting")
        self.bar.start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Put the bar back to the first step."""
        state = f"epoch {epoch + 1}/{self.params['epochs']}"
        self.bar.update(self.task, completed=0, total=self.params.get("steps"), state=state)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar."""
        self.bar.update(self.task, completed=batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the epoch's line."""
        epochs = self.params["epochs"]
        if (epoch + 1) % self.every == 0 or epoch + 1 == epochs:
            self.say(f"epoch {epoch + 1:>{len(str(epochs))}}/{epochs}  {_describe(logs)}")

    def say(self, text: str) -> None:
        """Print a line about the training."""
        self.console.print(printable(f"{self.name}  {text}"))

    def stop(self) -> None:
        """Take the bar away; also when the training did not come to its end."""
        self.bar.stop()


class HistoryFile(keras.callbacks.Callback):
    """Writes the run's `history.csv` anew after each epoch, so that an interrupted run keeps what it had."""

    def __init__(self, run: RunDirectory) -> None:
        super().__init__()
        self.run = run
        self.kept: dict[str, list[float]] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write what there is so far."""
        for name, value in (logs or {}).items():
            self.kept.setdefault(name, []).append(float(value))
        self.run.write_history(self.kept)


class GradualUnfreezing(keras.callbacks.Callback):
    """Trains the last of `layers` alone at first, and after every so many epochs one more, from the end on."""

    def __init__(self, layers: Sequence[Any], every: int) -> None:
        super().__init__()
        self.layers, self.every = layers, every
        self.flags = [flags_of(layer) for layer in layers]

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Freeze all layers whose turn has not come."""
        frozen = len(self.layers) - 1 - epoch // self.every
        changed = [place for place, layer in enumerate(self.layers) if layer.trainable != (place >= frozen)]
        for place in changed:
            if place < frozen:
                self.layers[place].trainable = False
            else:
                put_back(self.flags[place])  # what is frozen inside it stays so
        if changed:
            self.model.make_train_function(force=True)  # for Keras's own loop; the engine looks for itself
