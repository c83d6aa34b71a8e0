"""A claim of a document: its keys in TOML, and what may be wrong with their values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from kerazoo.ledger.declared import Declared, faults_of_declaration
from kerazoo.ledger.shapes import key, keys_of
from kerazoo.ledger.values import is_number
from kerazoo.schema import Verdict

Kind = Literal["formula", "arithmetic", "program", "metric", "timing", "statement", "literature"]
Rule = Literal["true", "equal", "runs", "equivalence", "effect", "timing", "unstated", "source"]
Judged = Literal["holds", "wrong", "mixed", "not_comparable", "not_measured"]
KINDS = get_args(Kind)
_LONGEST_QUOTE = 80


@dataclass(frozen=True)
class Answer:
    """What the reader is told in one sentence, as long as the verdict is the one that it explains."""

    verdict: str = key("The verdict that the sentence explains; with another it is not shown.")
    en: str = key("The sentence, in English; {measured}, {documented} and {n} stand for what is measured.")
    zh: str = key("The same in Chinese.", default="")


@dataclass(frozen=True)
class Chinese:
    """The texts of a claim in Chinese, for the pages in that language."""

    metric: str = key("What is measured.", default="")
    caveat: str = key("The `caveat`.", default="")
    design: str = key("The `design`.", default="")
    reference: str = key("The `reference`, where it has more words than a publication's place.", default="")


@dataclass(frozen=True)
class Entry:
    """A claim of a document, and how it is to be judged; `kerazoo.schema.Claim` explains the fields they share."""

    document: str
    title: str
    id: str = key("The claim's name, which begins with the document's: 'blog/accuracy'.")
    quote: str = key("The document's own words, at most 80 characters.")
    metric: str = key("What is measured.")
    reason: str = key("Why the tolerance is what it is, or when the claim holds.")
    rule: Rule = key(
        "How values become a verdict. true, runs: every seed's value is true. equal: within the tolerance of "
        "`documented`. equivalence: two one-sided t tests that the mean is. effect: the 95 % interval lies above the "
        "tolerance. timing, unstated: there is nothing to compare with. source: nothing is measured; the verdict is "
        "`finding`, by what `reference` names."
    )
    experiment: str | Declared = key(
        "The name of an experiment in experiments.py, or one that is declared here; not with rule 'source'.", default=""
    )
    value: str = key(
        "Where the value lies in what the experiment returns: a path with dots, 'history.loss.last'; not with rule "
        "'source'.",
        default="",
    )
    parts: dict[str, str] = key(
        "Of a claim of several parts the paths of their values, by their names. The rule is applied to each: the claim "
        "is mixed where some agree and others do not. `value` is then only what is shown.",
        default_factory=dict,
    )
    finding: Judged | Literal[""] = key("With rule 'source': the verdict.", default="")
    reference: str = key(
        "With rule 'source': the publication, with its place, or the passages of the document that settle it.",
        default="",
    )
    kind: Kind = key("What is claimed.", default="metric")
    documented: Any = key("The value that the document prints, or with rule 'unstated' only supposes.", default=None)
    tolerance: float = key("The margin, declared before anything is measured, in `unit`.", default=0.0)
    unit: str = key("The unit of the value.", default="")
    section: str = key("The section of the document.", default="")
    gloss: str = key("The claim in other words, or in English.", default="")
    model: str = key("The model that the claim is about; by default that of a declared experiment.", default="")
    design: str = key("What an 'effect' compares, and what it holds equal.", default="")
    fact: str = key("The fact, where several claims state one; by default the claim's own id.", default="")
    family: str = key(
        "With rule 'equivalence': what numbers belong together, such as 'the table of epochs'. Their p-values are "
        "corrected for their number.",
        default="",
    )
    binomial: int | None = key("The size of the test set that an accuracy was measured on.", default=None)
    clock: bool = key(
        "The value depends on how fast the machine is, and so on the hour; rows of one number of cores count.",
        default=False,
    )
    beside: dict[str, str] = key(
        "What is told with an effect, by its name: paths with dots. A smaller gap in the loss may be that of a worse "
        "classifier.",
        default_factory=dict,
    )
    caveat: str = key("What the verdict's reader has to know of other readings, and of what is not tested.", default="")
    correct: str = key("What would be right: a formula, a number, or a program's file in the study.", default="")
    answer: Answer | None = key("What the reader is told in one sentence.", default=None)
    zh: Chinese = key("The claim's texts in Chinese.", default_factory=Chinese)
    title_zh: str = ""
    file: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.experiment, Declared) and not self.model:
            object.__setattr__(self, "model", self.experiment.model)

    @property
    def check(self) -> str:
        """The name of the experiment in the record."""
        return self.experiment.name if isinstance(self.experiment, Declared) else self.experiment

    @property
    def timed(self) -> bool:
        """Whether it rests on how long something took."""
        return self.clock or self.rule == "timing"


def faults_of_entry(entry: Entry) -> Iterator[str]:
    """Yield what is wrong with the values of `entry`, a sentence each."""
    for name, one in keys_of(Entry).items():
        if isinstance(getattr(entry, name), str) and not getattr(entry, name) and one.default != "":
            yield f"'{name}' is empty"
    if not entry.id.startswith(f"{entry.document}/"):
        yield f"the id wants to begin with '{entry.document}/'"
    if len(entry.quote) > _LONGEST_QUOTE:
        yield f"the quote has {len(entry.quote)} characters; at most {_LONGEST_QUOTE}"
    if entry.documented is None and entry.rule not in ("unstated", "source"):
        yield "'documented' is missing"
    if not _is_plain(entry.documented):
        yield f"'documented' wants a finite number, a text, true or false, or a list of them, not {entry.documented}"
    if not 0 <= entry.tolerance < math.inf:
        yield f"tolerance = {entry.tolerance}; wanted 0 or more"
    if entry.binomial is not None and entry.binomial < 1:
        yield f"binomial = {entry.binomial}; wanted the size of a test set"
    yield from _faults_of_rule(entry)
    if isinstance(entry.experiment, Declared):
        faults = list(faults_of_declaration(entry.experiment))
        yield from (f"experiment: {fault}" for fault in faults)
        paths = {"value": [entry.value], "parts": entry.parts.values(), "beside": entry.beside.values()}
        for name, path in ((name, path) for name, listed in paths.items() for path in listed if not faults):
            if path.partition(".")[0] not in entry.experiment.values:
                yield f"{name} '{path}' is not what it measures; wanted one of {', '.join(entry.experiment.values)}"


def _is_plain(value: Any) -> bool:
    """Tell whether a value is one that JSON has, and that can be compared."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value))


def _faults_of_rule(entry: Entry) -> Iterator[str]:
    if entry.rule == "equivalence" and not is_number(entry.documented):
        yield "rule 'equivalence' wants a documented number"
    if entry.rule == "equivalence" and entry.tolerance == 0:
        yield "rule 'equivalence' wants a tolerance above 0"
    if entry.rule == "effect" and not entry.design:
        yield "rule 'effect' wants the design of the experiment"
    if entry.rule == "runs" and entry.kind != "program":
        yield "rule 'runs' is for programs"
    if entry.family and entry.rule != "equivalence":
        yield "'family' is for rule 'equivalence'"
    if entry.parts and entry.rule not in ("true", "effect"):
        yield "'parts' is for the rules 'true' and 'effect'"
    if not all(all(path.split(".")) for path in entry.parts.values()):
        yield "'parts' wants a dotted path for each name"
    if entry.answer and entry.answer.verdict not in tuple(Verdict):
        yield f"answer: verdict '{entry.answer.verdict}' is unknown; wanted one of {', '.join(Verdict)}"
    yield from _faults_of_source(entry)
    if entry.beside and entry.rule != "effect":
        yield "'beside' is for rule 'effect'"
    if not all(all(path.split(".")) for path in entry.beside.values()):
        yield "'beside' wants a dotted path for each name"


def _faults_of_source(entry: Entry) -> Iterator[str]:
    """Yield what is wrong with what rule 'source' wants, and the other rules do not."""
    measured = {"experiment": entry.experiment, "value": entry.value}
    judged = {"finding": entry.finding, "reference": entry.reference}
    wanted, unwanted = (judged, measured) if entry.rule == "source" else (measured, judged)
    yield from (f"'{name}' is missing" for name, given in wanted.items() if not given)
    yield from (f"'{name}' is not for rule '{entry.rule}'" for name, given in unwanted.items() if given)
    if entry.kind == "literature" and entry.rule != "source":
        yield "kind 'literature' wants rule 'source'"
