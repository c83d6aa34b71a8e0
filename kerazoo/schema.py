"""What the zoo knows about a model: frozen records that need the standard library only."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


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

    `dataset` names the loader of its default data (None: the caller brings data). `claims` are the ids of the
    documents' claims that the model serves to check. `num_params` is the count of the model as documented.
    """

    name: str
    source: Source
    summary: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    recipe: Recipe
    num_params: int
    dataset: str | None
    claims: tuple[str, ...]
    builder: Callable[..., Any] = field(repr=False, compare=False)

    @property
    def defaults(self) -> dict[str, Any]:
        """The options that `build` accepts as overrides, with the values of the documented model."""
        return {name: parameter.default for name, parameter in inspect.signature(self.builder).parameters.items()}
