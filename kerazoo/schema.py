"""What the zoo knows about a model and a claim: frozen records that need the standard library only."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Source:
    """Where a model comes from: a document's number ("004") and section ("5.2")."""

    document: str
    section: str

    def __str__(self) -> str:
        return f"document {self.document}, section {self.section}" if self.section else self.document


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: what the document prints, and nothing that it does not.

    `optimizer` and `loss` are Keras names; `learning_rate` of None is the optimizer's own default.
    `validation` is "test" where the document passes its test split as validation data, else None.
    `fine_tune_epochs` are the further epochs that the document trains after `epochs`.
    """

    optimizer: str
    loss: str
    batch_size: int
    epochs: int
    learning_rate: float | None = None
    from_logits: bool = False
    metrics: tuple[str, ...] = ("accuracy",)
    validation: str | None = None
    fine_tune_epochs: int = 0


@dataclass(frozen=True)
class Tensor:
    """One input or output of a model: its shape without the batch axis (None: any length), dtype and meaning."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    meaning: str

    def __str__(self) -> str:
        shape = ", ".join("any" if size is None else str(size) for size in ("B", *self.shape))
        return f"{self.name} ({shape}) {self.dtype}: {self.meaning}"


@dataclass(frozen=True)
class ModelSpec:
    """Everything that is known about a model before it is built.

    `task` names what its inputs and answers are and where its data comes from (None: the caller brings rows of
    numbers). `claims` are the ids of the documents' claims that the model serves to check. `num_params` is the count of
    the model as documented.
    """

    name: str
    source: Source
    summary: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    recipe: Recipe
    num_params: int
    task: str | None
    claims: tuple[str, ...]
    builder: Callable[..., Any] = field(repr=False, compare=False)

    @property
    def dataset(self) -> str | None:
        """The older word for `task`."""
        return self.task

    @property
    def defaults(self) -> dict[str, Any]:
        """The options that `build` accepts as overrides, with the values of the documented model."""
        return {name: parameter.default for name, parameter in inspect.signature(self.builder).parameters.items()}


class Verdict(StrEnum):
    """What became of a claim."""

    REPRODUCED = "reproduced"  # measured, within the tolerance
    NOT_REPRODUCED = "not_reproduced"  # measured, and outside the tolerance
    UNDECIDED = "undecided"  # measured, and the evidence is too weak either way; the note says what would decide
    HOLDS = "holds"  # a formula, a calculation or a statement that is true as printed
    WRONG = "wrong"  # one that is false as printed
    MIXED = "mixed"  # true in part; the note says which
    NOT_RUNNABLE = "not_runnable"  # a program that fails as printed
    NOT_COMPARABLE = "not_comparable"  # the document gives nothing to compare with: no number, or unnamed hardware
    NOT_MEASURED = "not_measured"  # no measurement; the note gives the reason


@dataclass(frozen=True)
class Claim:
    """One claim of a document, what was measured for it, and the verdict.

    `kind` is formula, arithmetic, program, metric, timing, statement or literature; `documented` the value that the
    document prints, `correct` what would be right where that can be said, `answer` the verdict's reason in a
    sentence, `caveat` what the study answers to other readings, `zh` the claim's texts in Chinese. `tolerance` is
    the margin declared before measuring, in `unit`, and `reason` says why; `design` describes the experiment behind
    a statement, and `reference` names what settles a claim that nothing measures; `check` names the experiment in
    the record and `rule` how its values become the verdict; `fact` is the id of what several claims may state, by
    default the claim's own. The rest is measured: `measured` (the mean over the seeds where it is a number), its
    sample standard deviation `sd` and 95 % `interval` (Student's t) over the `n` values of `seeds`, which `values`
    lists; `binomial`, the 95 % Wilson interval of an accuracy for the size of the test set; where and when it was
    measured; `repairs` to a printed program, and `evidence`, one JSON value a seed. `decides` is how many seeds
    would decide what is undecided; None where that is not known, or more than a thousand. `parts` are the verdicts
    on the parts of a claim that has some, by their names.
    """

    id: str
    document: str
    title: str
    section: str
    model: str
    kind: str
    quote: str
    gloss: str
    documented: Any
    metric: str
    unit: str
    tolerance: float
    reason: str
    design: str
    check: str
    rule: str
    fact: str
    verdict: Verdict
    note: str
    correct: str = ""
    reference: str = ""
    answer: str = ""
    caveat: str = ""
    zh: Mapping[str, str] = field(default_factory=dict)
    measured: Any = None
    sd: float | None = None
    interval: tuple[float, float] | None = None
    n: int = 0
    binomial: tuple[float, float] | None = None
    seeds: tuple[int, ...] = ()
    values: tuple[Any, ...] = ()
    source: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    measured_at: str | None = None
    repairs: tuple[Any, ...] = ()
    evidence: tuple[Any, ...] = ()
    decides: int | None = None
    parts: Mapping[str, Verdict] = field(default_factory=dict)


class Word(NamedTuple):
    """A word that a classifier read; `weight` is its share in the log-odds of the answer, below 0 against it."""

    text: str
    weight: float
    known: bool


@dataclass(frozen=True)
class Prediction:
    """A classifier's answer to one input.

    `input` names it: a path, a line of a file, or the text's beginning. `probabilities` has every class. Of a text,
    `words` are those that the model read, in order, and `method` is how they were weighed; of a picture, `pixels` are
    what it saw: (H, W) or (H, W, 3) float32 from 0 to 1. `attention`, where it was asked for, is the (heads, words,
    words) part of the attention weights.
    """

    input: str
    label: str
    probability: float
    probabilities: Mapping[str, float]
    words: tuple[Word, ...] = ()
    method: str = ""
    pixels: Any = field(default=None, repr=False, compare=False)
    attention: Any = field(default=None, repr=False, compare=False)

    def heaviest(self, count: int) -> list[Word]:
        """Return the `count` words of the greatest weight, for or against the answer."""
        return sorted(self.words, key=lambda word: -abs(word.weight))[:count]
