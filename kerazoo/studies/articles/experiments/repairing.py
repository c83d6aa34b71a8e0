"""A printed program, quoted, with the changes that it needs: run as printed, with each change alone, and with all."""

from __future__ import annotations

import re
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

    def run(self, texts: Sequence[str], setting: Setting, whole: bool = False) -> list[Outcome]:
        """Run texts of the program, as `running.run` does."""

        def write(folder: Path) -> None:
            if self.downloads:
                self.downloads(folder, setting, whole)

        seconds = 7200 if whole else 600
        return run(texts, self.library, write, seed=setting.seed, whole=whole, seconds=seconds)


def tried(program: Program, setting: Setting) -> dict[str, Any]:
    """Run a program as printed, with each of its repairs alone, with all but that one, and with all.

    Returns:
        `runs`, whether it runs as printed, and `printed`, how it ends then; of each of the `repairs` what is done and
        why, the `call` that fails without it, with its `line` in the article's text and the `error` (all empty where
        none does), and how the program ends with the repair `alone`; `repaired`, what it prints with all of them; the
        `warnings` then.

    Raises:
        RuntimeError: the program fails with every repair.
    """
    every = list(program.repairs)
    alone = [program.repaired([one]) for one in every]
    without = [program.repaired([other for other in every if other is not one]) for one in every]
    printed, repaired = program.printed, program.repaired(every)
    texts = list(dict.fromkeys([printed, *alone, *without, repaired]))
    ends = dict(zip(texts, program.run(texts, setting), strict=True))
    last = ends[repaired]
    if not last.ran:
        raise RuntimeError(f"program {program.name} fails with every repair at `{last.call}`: {last.error}")
    repairs = [
        {"what": one.what, "why": one.why, **_end(program, ends[but]), "alone": _end(program, ends[only])}
        for one, only, but in zip(every, alone, without, strict=True)
    ]
    return {
        "runs": ends[printed].ran,
        "printed": _end(program, ends[printed]),
        "repairs": repairs,
        "warnings": list(last.warnings),
        "repaired": list(last.printed),
        "note": _note(program, ends[printed], [ends[text].ran for text in alone], repairs, last),
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


def _end(program: Program, end: Outcome) -> dict[str, Any]:
    """Return where a program fails, with the line in the article's text; empty values where it runs."""
    lines = [line.strip() for line in program.printed.splitlines()]
    line = lines.index(end.call) + 1 if end.call in lines else end.line
    return {"call": end.call, "error": end.error, "line": line}


def _note(
    program: Program, printed: Outcome, alone: Sequence[bool], repairs: Sequence[Mapping[str, Any]], last: Outcome
) -> str:
    if printed.ran:
        first = "It runs as printed" + (f", with a warning ({last.warnings[0]})." if last.warnings else ".")
    else:
        needed = sum(bool(one["error"]) for one in repairs)
        count = "1 repair" if needed == 1 else f"{needed} repairs"
        alike = ", and with none of them alone" if needed > 1 and not any(alone) else ""
        first = f"As printed it fails at `{printed.call}` ({printed.error}); it runs with {count}{alike}."
    cut = f"Of each fit there is {CUT['KERAS_MAX_EPOCHS']} epoch of {CUT['KERAS_MAX_STEPS_PER_EPOCH']} batches."
    beside = [program.stands_in, program.trial, cut if program.library == "tensorflow" else ""]
    return " ".join(filter(None, [first, *beside]))
