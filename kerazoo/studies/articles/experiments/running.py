"""Runs the text of a program as it stands, in a process of its own, and tells what it printed and where it failed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerazoo import Unmeasurable

CUT = {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "5"}
"""Keras's own limits for a trial run: one epoch, and 5 batches of each fit, evaluate and predict."""

# What differs from run to run in an error, and where errors from a compiled graph and from a layer happened.
_VARYING = ((r"\x1b\[\d*m", ""), (r"indices\[[\d,]+\] = \d+", "an index"), (r" with name '\S+' and path ''", ""))
_PLACES = ("Graph execution error", "Detected at node", "File ", "Exception encountered when calling", "Arguments ")
_OF_THE_CUT = ("UserWarning: Limiting ", "UserWarning: Your input ran out of data")
_BAR = "━"
_PROGRESS = re.compile(r"^.*\d+/\d+ \S*━\S* +\S+ \S+ - ")  # "782/782 ━━━━ 40s 51ms/step - "; what follows counts


@dataclass(frozen=True)
class Outcome:
    """What became of a program.

    `printed` are its lines, of a progress bar what it ended with. Where it failed, `error` has the type and the line of
    the message that says what is wrong, `call` what stands on the line of the program that failed.
    """

    error: str
    call: str
    line: int
    printed: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def ran(self) -> bool:
        """Whether it ran to its end."""
        return not self.error


def run(
    texts: Iterable[str],
    library: str,
    download: Callable[[Path], None],
    *,
    seed: int = 0,
    whole: bool = False,
    seconds: int = 600,
    python: str = sys.executable,
) -> list[Outcome]:
    """Run programs, each in a process of its own.

    Args:
        texts: what the programs are.
        library: what they import, "tensorflow" or "torch"; it is imported once, before the processes part.
        download: writes, into a directory, the files that Keras would download.
        seed: of the library's random numbers, which the programs do not set.
        whole: run them without Keras's limits for a trial run (`CUT`).
        seconds: how long each may take.
        python: the interpreter; that of another environment has a TensorFlow or PyTorch of its own.

    Raises:
        Unmeasurable: the system cannot fork a process.
        RuntimeError: the processes could not be started.
    """
    if not hasattr(os, "fork"):
        raise Unmeasurable("The programs are run in forked processes, which this system does not have.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "programs")
        home = Path(name, ".keras")  # where Keras keeps what it has downloaded, in place of the user's
        for directory in (folder, home / "datasets"):
            directory.mkdir(parents=True)
        download(home / "datasets")
        files = []
        for place, text in enumerate(texts):
            files.append(folder / f"{place:02}.py")
            files[-1].write_text(text, encoding="utf-8")
        script = Path(__file__).with_name("program_process.py")
        environment = {name: value for name, value in os.environ.items() if name not in CUT}
        if python != sys.executable:
            environment.pop("PYTHONPATH", None)  # which leads to this one's modules
        environment |= {"KERAS_HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONIOENCODING": "utf-8"}
        process = subprocess.run(
            [python, str(script), str(folder), library, str(seed), str(seconds)],
            env=environment if whole else environment | CUT,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            raise RuntimeError(f"no program could be run: {(process.stderr.strip().splitlines() or [''])[-1]}")
        return [_outcome(file, seconds) for file in files]


def _outcome(file: Path, seconds: int) -> Outcome:
    try:
        end = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    except OSError:
        failure = {"type": "TimeoutError", "message": f"it did not end within {seconds} seconds", "line": 0, "call": ""}
        end = {"failure": failure, "warnings": []}
    failure = end["failure"]
    heard = {text.splitlines()[0] for text in end["warnings"] if not text.startswith(_OF_THE_CUT)}
    return Outcome(
        error=_told(failure) if failure else "",
        call=failure.get("call", ""),
        line=failure.get("line", 0),
        printed=tuple(_lines(file.with_suffix(".txt").read_text(encoding="utf-8"))),
        warnings=tuple(sorted(heard)),
    )


def _told(failure: dict[str, Any]) -> str:
    """Return the error's type and the line of its message that says what is wrong."""
    lines = [_without_varying(line.strip()) for line in failure["message"].splitlines() if line.strip()]
    if repeated := [line for line in lines if line.startswith(f"{failure['type']}: ")]:
        return repeated[-1]  # by Keras 2, behind the lines of its own code
    telling = [line for line in lines if not line.startswith(_PLACES)]
    return f"{failure['type']}: {(telling or lines or [''])[0]}"


def _without_varying(text: str) -> str:
    for pattern, replacement in _VARYING:
        text = re.sub(pattern, replacement, text)
    return text


def _lines(printed: str) -> list[str]:
    """Return the lines; of the many states of a progress bar the metrics of the last."""
    lines: list[str] = []
    for line in re.sub(r"\x1b\[\d*m|[\r\b]", "", printed).split("\n"):
        if _BAR in line and lines and _BAR in lines[-1]:
            lines.pop()
        lines.append(line.strip())
    return [shown for line in lines if (shown := _PROGRESS.sub("", line))]
