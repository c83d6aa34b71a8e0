"""A printed program, quoted, with the changes that it needs: run as printed, with each alone, with more, with all."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from kerazoo import Setting
from kerazoo.studies.articles.experiments.running import CUT, Outcome, run


@dataclass(frozen=True)
class Repair:
    """A change to a program: what is done and why, and the passages of the text that are replaced, each by another."""

    what: str
    why: str
    edits: Mapping[str, str]


@dataclass(frozen=True)
class Program:
    """A program of the article `name`, as it prints it, and the changes after which it does what the article says.

    Attributes:
        library: what it imports, "tensorflow" or "torch".
        repairs: in the order in which the program comes to need them.
        downloads: writes the files that Keras would download, for a run to the end or for a trial; `stands_in` says
            what they are, and `trial` what a trial has less of.
        numbers: patterns of the numbers that it prints, by their names.
    """

    name: str
    library: str
    repairs: Sequence[Repair]
    downloads: Callable[[Path, Setting, bool], None] | None = None
    stands_in: str = ""
    trial: str = ""
    numbers: Mapping[str, str] = field(default_factory=dict)

    @property
    def printed(self) -> str:
        """The text of the article, without the line that says where it is quoted from."""
        file = resources.files("kerazoo.studies.articles") / "programs" / f"{self.name}.txt"
        return file.read_text(encoding="utf-8").partition("\n\n")[2]

    def repaired(self, repairs: Sequence[Repair]) -> str:
        """Return the text with some of the repairs.

        Raises:
            ValueError: a passage that is to be replaced is not there once.
        """
        text = self.printed
        for repair in repairs:
            for old, new in repair.edits.items():
                if text.count(old) != 1:
                    raise ValueError(f"program {self.name} has {text.count(old)} times what is replaced once: {old!r}")
                text = text.replace(old, new)
        return text

    def with_more(self) -> list[str]:
        """Return the printed text, and that with one more repair each time, to all of them."""
        return [self.repaired(self.repairs[:count]) for count in range(len(self.repairs) + 1)]

    def with_one(self) -> list[str]:
        """Return the text with each of the repairs alone."""
        return [self.repaired([one]) for one in self.repairs]

    def run(
        self, texts: Sequence[str], setting: Setting, whole: bool = False, python: str = sys.executable
    ) -> list[Outcome]:
        """Run texts of the program, as `running.run` does."""

        def write(folder: Path) -> None:
            if self.downloads:
                self.downloads(folder, setting, whole)

        seconds = 7200 if whole else 600
        return run(texts, self.library, write, seed=setting.seed, whole=whole, seconds=seconds, python=python)


def tried(program: Program, setting: Setting, python: str = sys.executable) -> dict[str, Any]:
    """Run a program as printed, with each of its repairs alone, and with one more of them each time, in their order.

    Returns:
        `runs`, whether it runs as printed; of each of the `repairs` what is done and why, the `call` that fails
        without it where those before it are made, with its `line` in the article's text and the `error` (all empty
        where none does), and where the program fails with the repair `alone`; and the `warnings` of the last run.

    Raises:
        RuntimeError: the program fails with every repair.
    """
    every = list(program.repairs)
    more, alone = program.with_more(), program.with_one()
    texts = list(dict.fromkeys([*more, *alone]))
    ends = dict(zip(texts, program.run(texts, setting, python=python), strict=True))
    printed, last = ends[more[0]], ends[more[-1]]
    if not last.ran:
        raise RuntimeError(f"program {program.name} fails with every repair at `{last.call}`: {last.error}")
    repairs = [
        {"what": one.what, "why": one.why, **_failure(program, ends[before]), "alone": _failure(program, ends[only])}
        for one, before, only in zip(every, more, alone, strict=False)
    ]
    needed = sum(not ends[before].ran for before in more)
    suffices = any(ends[text].ran for text in alone)
    return {
        "runs": printed.ran,
        "repairs": repairs,
        "warnings": list(last.warnings),
        "note": _note(program, printed, last, needed, suffices),
    }


def corrected(program: Program, setting: Setting) -> dict[str, Any]:
    """Run a program with all of its repairs to its end, and return the numbers that it prints, lists by their names.

    Raises:
        RuntimeError: it fails, or does not print one of the numbers.
    """
    (end,) = program.run([program.repaired(program.repairs)], setting, whole=True)
    if not end.ran:
        raise RuntimeError(f"the corrected program {program.name} fails at `{end.call}`: {end.error}")
    text = "\n".join(end.printed)
    numbers = {name: [float(one) for one in re.findall(pattern, text)] for name, pattern in program.numbers.items()}
    if missing := [name for name, found in numbers.items() if not found]:
        raise RuntimeError(f"the corrected program {program.name} prints no {missing[0]}")
    note = f"Run to its end. {program.stands_in}".strip()
    return {**numbers, "evidence": {"printed": list(end.printed)}, "note": note}


def _failure(program: Program, end: Outcome) -> dict[str, Any]:
    """Return where a program fails, with the line in the article's text; empty values where it runs."""
    lines = [line.strip() for line in program.printed.splitlines()]
    line = lines.index(end.call) + 1 if end.call and end.call in lines else end.line
    return {"call": end.call, "error": end.error, "line": line}


def _note(program: Program, printed: Outcome, last: Outcome, needed: int, suffices: bool) -> str:
    if printed.ran:
        first = "It runs as printed" + (f", with a warning ({last.warnings[0]})." if last.warnings else ".")
    else:
        count = (
            "1 repair" if needed == 1 else f"{needed} repairs" + ("" if suffices else ", and with none of them alone")
        )
        first = f"As printed it fails at `{printed.call}` ({printed.error}); it runs with {count}."
    cut = f"Of each fit there is {CUT['KERAS_MAX_EPOCHS']} epoch of {CUT['KERAS_MAX_STEPS_PER_EPOCH']} batches."
    beside = [program.stands_in, program.trial, cut if program.library == "tensorflow" else ""]
    return " ".join(filter(None, [first, *beside]))
